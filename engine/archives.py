"""A process package as one zip file, to be handed on and read again without a change."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping
from fnmatch import fnmatchcase

from engine.errors import Unreadable

MAX_FILES = 500
EPOCH = (1980, 1, 1, 0, 0, 0)
"""When every file in an archive was written, so that the same package gives the same bytes."""
UNUSABLE = (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, ValueError, OSError)
"""What a damaged, an encrypted or an unknown archive ends in."""


def pack(files: Mapping[str, bytes]) -> bytes:
    """The files as a zip file."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, EPOCH), files[name], zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def unpack(packed: bytes, patterns: tuple[str, ...], limit: int) -> Mapping[str, bytes]:
    """The files of a zip file that fit a pattern, never more than `limit` bytes of them; raises `Unreadable`.

    Folders and names that fit no pattern are left out: nothing is ever written under a name from an archive.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_FILES:
                raise Unreadable(f"压缩包中的文件超过上限 {MAX_FILES} 个。")
            fitting = [entry for entry in entries if any(fits(entry.filename, pattern) for pattern in patterns)]
            if len({entry.filename for entry in fitting}) < len(fitting):
                raise Unreadable("压缩包中有两个同名的文件。")
            files: dict[str, bytes] = {}
            for entry in fitting:
                with archive.open(entry) as file:
                    files[entry.filename] = file.read(limit + 1)
                limit -= len(files[entry.filename])
                if limit < 0:
                    raise Unreadable("压缩包解开后的文件超过了流程包的上限。")
            return files
    except UNUSABLE as error:
        raise Unreadable("压缩包已损坏、已加密或不是 zip 格式。") from error


def fits(name: str, pattern: str) -> bool:
    """Whether a file of this name, with its folder, is meant by the pattern."""
    return name.count("/") == pattern.count("/") and fnmatchcase(name, pattern)
