"""A backup as one file: a zip of parts, and a signed manifest that names each of them with its size and digest.

An archive may come from anywhere. Only parts with names of ours are taken out, as plain files, and only as long as they
are said to be; nothing in it is followed, and nothing in it is believed before its digest has been computed.
"""

from __future__ import annotations

import hashlib
import os
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

import orjson

from engine.log import dumps
from engine.signatures import Signer, is_signed

MANIFEST, DATABASE, ANCHOR = "manifest.json", "database", "anchor.jsonl"
PART = re.compile(rf"{DATABASE}|{re.escape(ANCHOR)}|photos/[0-9a-f]{{2}}/[0-9a-f]{{64}}\.jpg|files/[0-9a-f]{{2}}/[0-9a-f]{{64}}")
LONGEST = 512 * 1024 * 1024
"""Bytes of a manifest: room for some four million photos."""
CHUNK = 1024 * 1024
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError)
"""What reading a file raises that is no zip, is cut short, or was made to annoy."""


class ArchiveRefused(Exception):
    """A backup that cannot be used; the message says why."""


@dataclass
class Manifest:
    """What a backup says of itself. `key` is the public key that belongs to the deployment's secret; `parts` has sizes and digests."""

    product: str
    made_at: str
    database: str
    schema: str
    key: str
    parts: dict[str, tuple[int, str]] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    """Photos and attachments that the database names and the folder did not have."""


@dataclass(frozen=True)
class Writer:
    """An archive being written."""

    file: zipfile.ZipFile
    manifest: Manifest

    def add(self, name: str, source: Path) -> None:
        """Takes in a file; pictures and documents are compressed already."""
        how = zipfile.ZIP_STORED if name.startswith(("photos/", "files/")) else zipfile.ZIP_DEFLATED
        info = zipfile.ZipInfo(name)
        info.compress_type = how
        with source.open("rb") as content, self.file.open(info, "w", force_zip64=True) as part:
            self.manifest.parts[name] = _copied(content, part)


@contextmanager
def writing_archive(path: Path, manifest: Manifest, signer: Signer) -> Iterator[Writer]:
    """A fresh archive, for its owner's eyes only; it bears its name once it is whole. Raises `FileExistsError`."""
    if path.exists():
        raise FileExistsError(path)
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), "w+b") as file:
            with zipfile.ZipFile(file, "w") as archive:
                yield Writer(archive, manifest)
                said = dumps(asdict(manifest))
                archive.writestr(MANIFEST, dumps({"manifest": said, "signature": signer.sign(said.encode()).hex()}))
            file.flush()
            os.fsync(file.fileno())
        partial.rename(path)
    finally:
        partial.unlink(missing_ok=True)


def unpack(path: Path, into: Path) -> Manifest:
    """Takes the parts out, each compared with what the manifest says of it; raises `ArchiveRefused`."""
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = _manifest(archive)
            names = archive.namelist()
            if sorted(names) != sorted([MANIFEST, *manifest.parts]):
                raise ArchiveRefused("备份中的文件与清单不一致。")
            for name, (size, digest) in manifest.parts.items():
                _take(archive, name, into, size, digest)
    except BROKEN as error:
        raise ArchiveRefused(f"{path} 不是备份，或者已经损坏：{error}") from error
    return manifest


def _manifest(archive: zipfile.ZipFile) -> Manifest:
    try:
        if archive.getinfo(MANIFEST).file_size > LONGEST:
            raise ArchiveRefused("备份的清单过大。")
        outer = orjson.loads(archive.read(MANIFEST))
        said, signature = outer["manifest"], bytes.fromhex(outer["signature"])
        manifest = Manifest(**orjson.loads(said))
        manifest.parts = {name: (int(size), str(digest)) for name, (size, digest) in manifest.parts.items()}
        signed = is_signed(said.encode(), signature, bytes.fromhex(manifest.key))
    except (KeyError, TypeError, AttributeError, orjson.JSONDecodeError) as error:
        raise ArchiveRefused("备份中没有可以读取的清单。") from error
    if not signed:
        raise ArchiveRefused("清单的签名无效：备份在制作之后被改动过。")
    if strange := [name for name in manifest.parts if not PART.fullmatch(name)]:
        raise ArchiveRefused(f"备份中有不属于它的文件：{strange[0][:100]}")
    if DATABASE not in manifest.parts:
        raise ArchiveRefused("备份中没有数据库。")
    return manifest


def _take(archive: zipfile.ZipFile, name: str, into: Path, size: int, digest: str) -> None:
    target = into / name
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(name) as part, target.open("xb") as file:
        if _copied(part, file, size) != (size, digest):
            raise ArchiveRefused(f"{name} 与清单中的摘要不符。")


def _copied(source: IO[bytes], target: IO[bytes], most: int | None = None) -> tuple[int, str]:
    """Copies, and says how many bytes they were and their digest; stops once there are more than `most`."""
    size, digest = 0, hashlib.sha256()
    while (most is None or size <= most) and (chunk := source.read(CHUNK)):
        size += len(chunk)
        digest.update(chunk)
        target.write(chunk)
    return size, digest.hexdigest()
