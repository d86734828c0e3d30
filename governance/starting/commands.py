"""What people do to start a process, and what is noted of how it goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from engine.versions import package_of
from engine.world import FINISHED, Advance
from governance.context import Actor, Context
from governance.errors import Refused
from governance.files.commands import take_over
from governance.forms.rules import files_named
from governance.starting.models import Started
from governance.starting.queries import to_start
from governance.starting.rules import known, title_of
from governance.workflow.commands import checked
from governance.workflow.world import follows, instances

KIND = "started"


def begin(
    context: Context,
    actor: Actor,
    key: str,
    data: Mapping[str, Any],
    submission_key: str,
    *,
    misread: Mapping[str, str] | None = None,
) -> Started:
    """发起: starts a process with what was filled in at its start; the same submission again gives what it has begun.

    Raises `Refused`, `NotFound`, `NoLongerStarted`, `NotAllowed`.
    """
    if before := _begun(context, actor, submission_key):
        return before
    found, under = to_start(context.session, actor, key)
    desk = found.desk(under)
    try:
        filled = checked(context, desk, data, misread)
    except Refused:
        if before := _begun(context, actor, submission_key):
            return before
        raise
    held = Started(id=context.new_id(), person_id=actor.person_id, submission_key=submission_key)
    try:
        with context.session.begin_nested():
            context.session.add(held)
    except IntegrityError:
        if before := _begun(context, actor, submission_key):
            return before
        raise
    title = title_of(found.version.name, actor, filled, context.today)
    business_key = f"{KIND}:{held.id}"
    begun = instances(context).start(found.version, {**filled, **known(under)}, under.record(), business_key=business_key, title=title)
    take_over(context, actor.person_id, begun.instance_id, set(files_named(desk.form, filled)), key)
    return held


def _begun(context: Context, actor: Actor, submission_key: str) -> Started | None:
    """What this very submission began, perhaps a moment ago in another request."""
    mine = Started.person_id == actor.person_id
    return context.session.scalar(select(Started).where(mine, Started.submission_key == submission_key))


@follows(KIND)
def follow(context: Context, advance: Advance) -> None:
    """Notes the instance, and which end it has come to."""
    held = context.session.get_one(Started, int(advance.business_key.rpartition(":")[2]))
    held.instance_id = advance.instance_id
    if advance.status == FINISHED:
        held.ended = _end(context, advance)
    context.session.flush()


def _end(context: Context, advance: Advance) -> str | None:
    """The name of the last end that the process itself came to."""
    diagram = package_of(context.session.connection(), advance.version_id).diagram
    ends = [diagram.nodes[element] for element in advance.ended_at]
    return next((node.label for node in reversed(ends) if node.scope == diagram.main.id), None)
