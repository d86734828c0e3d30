"""The translations that process packages bring along, frozen with their version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import g
from flask_babel import get_locale
from sqlalchemy import select

from api.work import context
from engine.packages import Package, read_texts
from engine.schema import instances, process_versions
from engine.versions import package_of, thaw
from governance.errors import NotFound

_read: dict[str, Mapping[str, Mapping[str, str]]] = {}
"""By digest: what is published never changes."""


def at_hand(package: Package) -> Package:
    """This request is about this version of a process: its own translations come first."""
    g.package = package
    return package


def package_of_instance(instance_id: int | None) -> Package:
    """The package that an instance runs on, now at hand; raises `NotFound`."""
    connection = context().session.connection()
    version_id = connection.scalar(select(instances.c.version_id).where(instances.c.id == instance_id))
    if version_id is None:
        raise NotFound
    return at_hand(package_of(connection, version_id))


def own_text(text: str) -> str | None:
    """The text as the package at hand translates it."""
    package: Package | None = g.get("package")
    return package.texts.get(str(get_locale()), {}).get(text) if package else None


def published_text(text: str) -> str | None:
    """The text as the latest version that knows it translates it."""
    if "published_texts" not in g:
        g.published_texts = [texts.get(str(get_locale()), {}) for texts in _published()]
    known: Sequence[Mapping[str, str]] = g.published_texts
    return next((texts[text] for texts in known if text in texts), None)


def _published() -> list[Mapping[str, Mapping[str, str]]]:
    """The translations of all published versions, the newest first."""
    connection, digest = context().session.connection(), process_versions.c.digest
    newest_first = (process_versions.c.published_at.desc(), process_versions.c.id.desc())
    digests = list(dict.fromkeys(connection.scalars(select(digest).order_by(*newest_first))))
    if unread := [one for one in digests if one not in _read]:
        rows = connection.execute(select(digest, process_versions.c.files).where(digest.in_(unread)))
        _read.update((row.digest, read_texts(thaw(row.files))) for row in rows)
    return [_read[one] for one in digests]
