"""Files that rows name by their digest: laid down when the work that brings them commits, swept when no row names them."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from pathlib import Path

from sqlalchemy import event, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from governance.context import Context
from governance.errors import NoSpace

NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
DAY = timedelta(days=1)
_BROUGHT = "brought files"


def put_file(context: Context, path: Path, content: bytes) -> None:
    """Has a file put in its place when the work commits, before any row that names it is kept: what is refused leaves no file.

    The commit raises `NoSpace`.
    """
    session = context.session
    if _BROUGHT not in session.info:
        session.info[_BROUGHT] = {}
        event.listen(session, "before_commit", lambda ending: None if ending.in_nested_transaction() else lay(ending))
        event.listen(session, "after_rollback", lambda ending: None if ending.in_nested_transaction() else _forget(ending))
    session.info[_BROUGHT][path] = (content, path.with_suffix(f".{context.new_id()}"))


def lay(session: Session) -> None:
    """Puts what was brought in its place; what lies there is as good as new to the sweep, and what was damaged is mended."""
    for path, (content, fresh) in session.info[_BROUGHT].items():
        if not _lies(path, content):
            keep_file(path, content, fresh)
    _forget(session)


def _forget(session: Session) -> None:
    session.info[_BROUGHT].clear()


def _lies(path: Path, content: bytes) -> bool:
    try:
        os.utime(path)
        return path.read_bytes() == content
    except FileNotFoundError:
        return False


def keep_file(path: Path, content: bytes, fresh: Path) -> None:
    """Writes a file whole or not at all, and to the disk before any row names it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with fresh.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        if error.errno in NO_SPACE:
            raise NoSpace from error
        raise


def sweep(context: Context, shelf: str, *columns: InstrumentedAttribute[str]) -> int:
    """Removes from a folder what no row names; once a day. A file younger than a day may belong to work that has not ended."""
    folder, now = context.folder / shelf, context.now()
    swept, old = folder / ".swept", (now - DAY).timestamp()
    if not folder.exists() or (swept.exists() and swept.stat().st_mtime > old):
        return 0
    swept.touch()
    os.utime(swept, (now.timestamp(),) * 2)
    gone = 0
    for part in (path for path in folder.iterdir() if path.is_dir()):
        files = {path.name.partition(".")[0]: path for path in part.iterdir() if path.stat().st_mtime < old}
        known = _named(context, columns, files)
        for path in (path for digest, path in files.items() if digest not in known):
            gone += _put_away(path, lambda digests: _named(context, columns, digests), old)
    return gone


def _named(context: Context, columns: Sequence[InstrumentedAttribute[str]], digests: Iterable[str]) -> set[str]:
    """Those that a row names."""
    return {digest for column in columns for digest in context.session.scalars(select(column).where(column.in_(digests)))}


def _put_away(path: Path, named: Callable[[Iterable[str]], set[str]], old: float) -> bool:
    """Removes a file, unless somebody has put the same there again since it was looked for."""
    aside = path.with_name(f"{path.name}.gone")
    path.rename(aside)
    if aside.stat().st_mtime >= old or named([path.name.partition(".")[0]]):
        aside.rename(path)
        return False
    aside.unlink()
    return True
