"""Beside what a page is about: which of its open tasks the reader may urge, and to whom it was copied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from api.signin import actor
from api.work import context
from governance.cases.models import Case
from governance.cases.queries import concerning
from governance.copies.queries import Copied, copies
from governance.workflow.commands import Desk, may_do
from governance.workflow.copying import may_copy
from governance.workflow.urging import Urged, urgeable, urged
from web.trail import Waiting


@dataclass(frozen=True)
class Beside:
    """What the parts of the page show. `copy_of` is the task that the reader may copy to others."""

    instance_id: int
    urgeable: Sequence[Waiting]
    urged: Mapping[int, Urged]
    copies: Sequence[Copied]
    mine: Sequence[Copied]
    is_unread: bool
    is_only_copied: bool
    copy_of: int | None


def beside(instance_id: int, unfinished: Sequence[Waiting], held: Desk | None = None) -> Beside:
    """For an instance with its open tasks, on the page of one task or of the whole."""
    given, who = context(), actor()
    ids = [one.task.id for one in unfinished]
    may = urgeable(given, who, ids)
    acts = copies(given.session, instance_id)
    mine = [act for act in acts if any(one.person_id == who.person_id for one in act.recipients)]
    query = concerning(select(Case.id).where(Case.instance_id == instance_id), who)
    return Beside(
        instance_id,
        [one for one in unfinished if one.task.id in may],
        urged(given, ids),
        acts,
        mine,
        any(act.waits_for(who.person_id) for act in mine),
        bool(mine) and given.session.scalar(query) is None,
        held.task["id"] if held and held.task["closed_at"] is None and may_do(who, held) and may_copy(held) else None,
    )
