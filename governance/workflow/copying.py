"""抄送: whoever has a task lets others read what it is about."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select, update

from governance.cases.models import Case
from governance.cases.queries import concerning
from governance.context import Actor, Context
from governance.copies.models import Copy
from governance.errors import NotAllowed, NotFound, Refused
from governance.forms.rules import Field, fields
from governance.people.queries import appointments_of, names
from governance.people.rules import HANDLERS
from governance.workflow.commands import Desk, held_task, permit
from governance.workflow.persons import nameable
from governance.workflow.rules import allows
from governance.workflow.world import instances

COPY = "copy"
MOST, WORDS = 20, 300
RECIPIENTS: Mapping[str, Any] = {
    "properties": {
        "people": {
            "title": "抄送对象",
            "type": "array",
            "maxItems": MOST,
            "x-ui": {"widget": "person", "among": "district", "posts": ",".join(HANDLERS)},
        }
    },
    "required": ["people"],
}
"""Who may be chosen, as a form asks for people."""


def recipients_field() -> Field:
    """The field of the form."""
    return fields(RECIPIENTS)[0]


def may_copy(held: Desk) -> bool:
    """Whether the diagram lets whoever holds the task copy it to others."""
    return allows(held.settings, COPY)


def copy(context: Context, actor: Actor, task_id: int, people: Iterable[int], words: str) -> None:
    """抄送 to some people, who may read the instance from now on; raises `NotAllowed`, `Refused`, and what the engine raises."""
    run = instances(context)
    holding, held = held_task(run, task_id)
    permit(actor, held)
    acting = actor.under(list(held.principals)).record()
    task = run.open_and_running(holding, acting)
    if not may_copy(held):
        raise NotAllowed
    chosen, said = list(dict.fromkeys(people)), words.strip()
    if errors := _errors(context, actor, held, chosen, said):
        raise Refused(errors)
    told = {"copied": [str(person_id) for person_id in chosen]}
    seq = run.note(task["instance_id"], COPY, acting, task_key=task["key"], data=told, opinion=said or None)
    of = {"task_id": task_id, "instance_id": task["instance_id"], "seq": seq, "sender_id": actor.person_id, "at": context.now()}
    context.session.add_all(Copy(person_id=person_id, **of) for person_id in chosen)
    context.session.flush()


def mark_read(context: Context, actor: Actor, instance_id: int) -> None:
    """已阅: the actor has read what was copied to them of an instance; when first, is kept. Raises `NotFound`."""
    mine = (Copy.instance_id == instance_id) & (Copy.person_id == actor.person_id)
    if context.session.scalar(select(Copy.task_id).where(mine).limit(1)) is None:
        raise NotFound
    context.session.execute(update(Copy).where(mine, Copy.read_at.is_(None)).values(read_at=context.now()))


def _errors(context: Context, actor: Actor, held: Desk, chosen: Sequence[int], words: str) -> dict[str, str]:
    wrong = _wrong_people(context, actor, held, chosen)
    too_long = {"words": f"附言不能超过 {WORDS} 个字"} if len(words) > WORDS else {}
    return ({"people": wrong} if wrong else {}) | too_long


def _wrong_people(context: Context, actor: Actor, held: Desk, chosen: Sequence[int]) -> str:
    """Why these people cannot be copied to; nothing when they can."""
    if not chosen:
        return "请选择抄送对象"
    if len(chosen) > MOST:
        return f"一次最多抄送 {MOST} 人"
    if actor.person_id in chosen:
        return "不必抄送给自己"
    if {one.id for one in nameable(context, recipients_field(), held.data, ids=chosen)} != {*chosen}:
        return "抄送对象中有不能选的人员"
    if had := _had(context, held, chosen):
        return f"{_named(context, had)}已经抄送过，不用再次抄送"
    if barred := _barred(context, held, chosen):
        return f"反映人要求保密，不能抄送给无权查看这件事的人：{_named(context, barred)}"
    return ""


def _had(context: Context, held: Desk, chosen: Collection[int]) -> list[int]:
    query = select(Copy.person_id).where(Copy.task_id == held.task["id"], Copy.person_id.in_(chosen))
    return list(context.session.scalars(query))


def _barred(context: Context, held: Desk, chosen: Iterable[int]) -> list[int]:
    """Copying widens nobody's sight of a confidential case: whoever has nothing to do with it must not read it."""
    query = select(Case.id).where(Case.instance_id == held.task["instance_id"])
    if context.session.scalar(query.where(Case.is_confidential)) is None:
        return []
    return [one for one in chosen if context.session.scalar(concerning(query, _as_actor(context, one))) is None]


def _as_actor(context: Context, person_id: int) -> Actor:
    held = tuple(appointments_of(context.session, person_id, context.today))
    return Actor(person_id, "", held[0] if held else None, held)


def _named(context: Context, people: Iterable[int]) -> str:
    return "、".join(names(context.session, {*people}).values())
