"""The anchor: a file outside the database to which every checkpoint is appended once, a JSON line each.

Whoever rewrites the database, even with the key, still has to rewrite this file and every copy that was mailed or printed.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import orjson
from sqlalchemy import Engine, RowMapping, select

from engine.errors import EngineError
from engine.log import dumps
from engine.schema import checkpoints

BATCH = 1_000
TAIL = 4_096
"""Bytes at the end of the file in which its last whole line is sought; a line has less than 400."""


class AnchorDiffers(EngineError):
    """锚定文件与数据库不符。"""

    def __init__(self, path: Path, number: int) -> None:
        super().__init__(
            f"锚定文件 {path} 的最后一行（检查点 {number}）与数据库不符，不再续写。请保存该文件，用 wuzhang audit verify 核对。"
        )
        self.number = number


@dataclass(frozen=True)
class Anchored:
    """A checkpoint as the anchor keeps it: hash, public key and signature in hex."""

    number: int
    at: str
    hash: str
    key: str
    signature: str

    @classmethod
    def of(cls, row: RowMapping | Mapping[str, Any]) -> Anchored:
        return cls(row["number"], row["at"].isoformat(), row["hash"].hex(), row["key"].hex(), row["signature"].hex())


@dataclass(frozen=True)
class Anchor:
    """The file, which is only ever appended to: it may lie where nothing else is allowed."""

    path: Path

    def extend(self, database: Engine) -> tuple[Anchored, ...]:
        """Appends the checkpoints that are not there yet, in order, a batch at a time; raises `AnchorDiffers`, `OSError`."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            tail = _tail(file)
            last = next(reversed(list(_read(tail.splitlines()))), None)
            fresh = self._missing(database, last)
            if fresh:
                torn = b"\n" if tail and not tail.endswith(b"\n") else b""
                file.write(torn + b"".join(dumps(asdict(line)).encode() + b"\n" for line in fresh))
                file.flush()
                os.fsync(file.fileno())
            return fresh

    def _missing(self, database: Engine, last: Anchored | None) -> tuple[Anchored, ...]:
        held = last.number if last else 0
        with database.connect() as connection:
            if last and connection.scalar(select(checkpoints.c.hash).where(checkpoints.c.number == held)) != bytes.fromhex(last.hash):
                raise AnchorDiffers(self.path, held)
            query = select(checkpoints).where(checkpoints.c.number > held).order_by(checkpoints.c.number).limit(BATCH)
            return tuple(Anchored.of(row) for row in connection.execute(query).mappings())

    def extent(self) -> int:
        """How long the file is; what is verified with it must be read from the database afterwards."""
        return self.path.stat().st_size

    def lines(self, extent: int) -> Iterator[Anchored]:
        """What the file held when it had this length. A line torn by a power cut stands again, whole, further down."""
        with self.path.open("rb") as file:
            yield from _read(_until(file, extent))

    def newest(self, count: int) -> tuple[Anchored, ...]:
        """The last lines, at most as many as lie in the file's end."""
        with self.path.open("rb") as file:
            return tuple(_read(_tail(file, count).splitlines()))[-count:]


def _tail(file: BinaryIO, lines: int = 1) -> bytes:
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - lines * TAIL))
    return file.read()


def _until(file: BinaryIO, extent: int) -> Iterator[bytes]:
    while file.tell() < extent and (line := file.readline(TAIL)):
        yield line


def _read(lines: Iterable[bytes]) -> Iterator[Anchored]:
    for line in lines:
        try:
            read = Anchored(**orjson.loads(line))
            bytes.fromhex(read.hash)
        except (ValueError, TypeError):
            continue
        yield read
