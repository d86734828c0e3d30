"""Reads the files of forms, and proves that they are those that the log names."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, select, true
from sqlalchemy.orm import Session

from engine.audit import Finding
from engine.log import as_entry
from engine.schema import commands, instances, process_versions
from engine.versions import package_of, versions
from governance.errors import NotFound
from governance.files.models import FormFile
from governance.files.rules import FITTING, file_path
from governance.forms.rules import NAMED_FILE, fields


def fitting(session: Session, values: Collection[str], instance_id: int, starter: int | None) -> Mapping[str, set[str]]:
    """Which of these values name a file of the instance, or one that waits for its starter, by the fields that may name it."""
    digests = {value.partition("/")[0] for value in values if "/" in value}
    named = select(FormFile).where(_of(instance_id, starter), FormFile.digest.in_(digests)).with_for_update()
    found = session.scalars(named).all() if digests else ()
    return {widget: {file.value for file in found if file.kind in kinds} for widget, kinds in FITTING.items()}


def file_of(session: Session, instance_id: int, starter: int | None, digest: str, name: str) -> FormFile:
    """A file of the instance, or one that waits for its starter; raises `NotFound`."""
    named = select(FormFile).where(_of(instance_id, starter), FormFile.digest == digest, FormFile.name == name)
    found = session.scalars(named.order_by(FormFile.id)).first()
    if found is None:
        raise NotFound
    return found


def sizes(session: Session, digests: Collection[str]) -> Mapping[str, int]:
    """How large files are; what has this digest has this size."""
    query = select(FormFile.digest, FormFile.size).where(FormFile.digest.in_(digests)).distinct()
    return {row.digest: row.size for row in session.execute(query)} if digests else {}


def broken_files(connection: Connection, folder: Path, only: int | None = None) -> Iterator[Finding]:
    """Files that the log names, of all instances or of one, and that are gone or no longer what they were; each is read once."""
    names: dict[str, set[str]] = {}
    for version in versions(connection):
        forms = package_of(connection, version.id, version.digest).forms.values()
        names.setdefault(version.key, set()).update(f.name for form in forms for f in fields(form) if f.widget in FITTING)
    content = cache(lambda digest: _digest(file_path(folder, digest)))
    kept = select(FormFile.instance_id, FormFile.digest, FormFile.name).where(true() if only is None else FormFile.instance_id == only)
    listed = {tuple(row) for row in connection.execute(kept)}
    for row in connection.execute(_naming([key for key, named in names.items() if named], only)).mappings():
        data = as_entry(row).data or {}
        for value in (text for name in names[row["key"]] & data.keys() for text in _texts(data[name])):
            digest, _, name = value.partition("/")
            if (there := content(digest)) != digest:
                said = f"文件“{name}”的内容与记录不符" if there else f"文件“{name}”已不在"
                yield Finding(row["instance_id"], row["seq"], said)
            elif (row["instance_id"], digest, name) not in listed:
                yield Finding(row["instance_id"], row["seq"], f"文件“{name}”的登记已不在")


def _naming(keys: Collection[str], only: int | None) -> Select[Any]:
    """The log of the processes that have such fields, as far as it may name a file."""
    return (
        select(commands, process_versions.c.key)
        .join(instances, instances.c.id == commands.c.instance_id)
        .join(process_versions, process_versions.c.id == instances.c.version_id)
        .where(process_versions.c.key.in_(keys), commands.c.data.contains("/"), true() if only is None else instances.c.id == only)
        .order_by(commands.c.instance_id, commands.c.seq)
    )


def _texts(value: object) -> list[str]:
    return [str(one) for one in (value if isinstance(value, list) else [value]) if NAMED_FILE.fullmatch(str(one))]


def _digest(path: Path) -> str | None:
    """Of what lies there; None when nothing does."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _of(instance_id: int, starter: int | None) -> ColumnElement[bool]:
    if starter is None:
        return FormFile.instance_id == instance_id
    return and_(FormFile.instance_id.is_(None), FormFile.added_by == starter)
