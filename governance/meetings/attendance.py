"""Who is due, and who has come."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable

from sqlalchemy import select

from governance.context import Actor, Context
from governance.errors import Refused
from governance.meetings.commands import require
from governance.meetings.errors import AgendaFrozen, AlreadySignedIn, CodeLocked, DoorsClosed, MeetingOver, WrongCode
from governance.meetings.models import Attendee, Meeting
from governance.meetings.queries import attendee, by_secret, held_by, locked, next_number
from governance.meetings.rules import COUNTED, DOORS_OPEN, MOST_FAILURES, Role, Status, status
from governance.organisation.queries import names as unit_names
from governance.people.models import Appointment
from governance.people.queries import in_office
from governance.people.rules import POSTS

NAME, TITLE, MOST = 40, 80, 1000
LINES = re.compile(r"[\s,，、;；]+")
CODE = 4


def invite(context: Context, actor: Actor, meeting_id: int, appointment_ids: Iterable[int], role: str = Role.MEMBER) -> int:
    """Lists staff by the posts they hold; whoever is listed already stays as they are. Says how many are new. Raises `Refused`."""
    held = _listing(context, actor, meeting_id, role)
    wanted = set(appointment_ids)
    listed = set(context.session.scalars(select(Attendee.person_id).where(Attendee.meeting_id == held.id)))
    query = select(Appointment).where(Appointment.id.in_(wanted), in_office(context.today)).order_by(Appointment.id)
    chosen = {a.person_id: a for a in context.session.scalars(query) if a.person_id not in listed}
    places = unit_names(context.session, {a.unit_id for a in chosen.values()})
    for a in chosen.values():
        title = f"{places[a.unit_id]}{POSTS[a.post].name}"
        _list(context, held, role, title, a.person.mobile or "", person_id=a.person_id, name=a.person.name)
    return len(chosen)


def enter_people(context: Context, actor: Actor, meeting_id: int, text: str, role: str = Role.MEMBER, *, sealed: bool) -> int:
    """Lists people as they were typed, one a line: name, last digits of the mobile, as what they come. Raises `Refused`.

    Residents' names are sealed.
    """
    held = _listing(context, actor, meeting_id, role)
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not lines:
        raise Refused({"people": "请填写姓名，每人一行"})
    read = [_read(number, line) for number, line in lines]
    if wrong := [problem for problem, _person in read if problem]:
        raise Refused({"people": "；".join(wrong[:10])})
    for _problem, (name, tail, title) in read:
        _list(context, held, role, title, tail, name=name, sealed=sealed)
    return len(read)


def _read(number: int, line: str) -> tuple[str, tuple[str, str, str]]:
    """What is wrong with a line, and what it says: 王秀英 5678 3 栋居民代表."""
    name, *rest = LINES.split(line, maxsplit=1)
    first, *more = LINES.split(rest[0], maxsplit=1) if rest else [""]
    tail, title = (first, more[0] if more else "") if first.isdecimal() else ("", rest[0] if rest else "")
    problem = ""
    if len(name) > NAME:
        problem = f"第 {number} 行姓名不能超过 {NAME} 个字"
    elif tail and not (tail.isascii() and len(tail) in (CODE, 11)):
        problem = f"第 {number} 行手机应为后四位数字"
    elif len(title) > TITLE:
        problem = f"第 {number} 行身份不能超过 {TITLE} 个字"
    return problem, (name, tail, title)


def _listing(context: Context, actor: Actor, meeting_id: int, role: str) -> Meeting:
    """A meeting whose list may grow: members until it opens, so that the quorum is known; others until it ends."""
    held = held_by(context.session, meeting_id, actor)
    if role not in set(Role):
        raise Refused({"role": "请选择参会身份"})
    require(held, Status.DRAFT, Status.NOTICED, *([Status.OPEN] if role not in COUNTED else []))
    return held


def _list(
    context: Context,
    held: Meeting,
    role: str,
    title: str,
    mobile: str,
    *,
    name: str,
    person_id: int | None = None,
    sealed: bool = False,
) -> None:
    session = context.session
    number = next_number(session, Attendee.number, held.id)
    if number > MOST:
        raise Refused({"people": f"参会人员最多 {MOST} 人"})
    code = mobile[-CODE:] if mobile else f"{secrets.randbelow(10**6):06d}"
    seal = context.sealer.seal
    session.add(
        Attendee(
            id=context.new_id(),
            meeting_id=held.id,
            number=number,
            person_id=person_id,
            name=None if sealed else name,
            sealed_name=seal(name) if sealed else None,
            title=title,
            role=role,
            sealed_code=seal(code),
            is_code_mobile=bool(mobile),
            added_at=context.now(),
            failures=0,
        )
    )
    session.flush()


def strike_off(context: Context, actor: Actor, meeting_id: int, attendee_id: int) -> None:
    """Takes somebody off the list of a draft: once noticed, nobody is left out to make up a quorum. Raises `AgendaFrozen`."""
    held = held_by(context.session, meeting_id, actor)
    if status(held) != Status.DRAFT:
        raise AgendaFrozen
    context.session.delete(attendee(context.session, held, attendee_id))
    context.session.flush()


def tick(context: Context, actor: Actor, meeting_id: int, attendee_id: int) -> Attendee:
    """代签到: the clerk ticks somebody off the list; raises `DoorsClosed`, `MeetingOver`, `AlreadySignedIn`."""
    held = held_by(context.session, meeting_id, actor)
    _must_be_open(context, held)
    found = attendee(context.session, held, attendee_id)
    _sign(context, found)
    found.ticked_by = actor.person_id
    context.session.flush()
    return found


def untick(context: Context, actor: Actor, meeting_id: int, attendee_id: int) -> None:
    """Takes a mistaken sign-in back, until the meeting opens: after that it carries what was decided. Raises `NotNow`."""
    held = held_by(context.session, meeting_id, actor)
    require(held, Status.NOTICED)
    found = attendee(context.session, held, attendee_id)
    found.signed_in_at = found.ticked_by = None
    context.session.flush()


def sign_in(context: Context, secret: str, attendee_id: int, code: str) -> Attendee:
    """扫码签到 by somebody on the list, who shows it with the last digits of their mobile or with their code.

    Raises `NotFound`, `DoorsClosed`, `MeetingOver`, `AlreadySignedIn`, and `CodeLocked`, `WrongCode`: the caller commits also then,
    for a failure counts.
    """
    held = locked(context.session, by_secret(context.session, secret))
    _must_be_open(context, held)
    found = attendee(context.session, held, attendee_id)
    if found.failures >= MOST_FAILURES:
        raise CodeLocked
    if not secrets.compare_digest(code.strip().encode(), context.sealer.unseal(found.sealed_code).encode()):
        found.failures += 1
        context.session.flush()
        raise WrongCode
    _sign(context, found)
    context.session.flush()
    return found


def _must_be_open(context: Context, held: Meeting) -> None:
    stands = status(held)
    if stands in (Status.CLOSED, Status.CANCELLED):
        raise MeetingOver
    if stands == Status.DRAFT or context.now() < held.starts_at - DOORS_OPEN:
        raise DoorsClosed


def _sign(context: Context, found: Attendee) -> None:
    if found.signed_in_at:
        raise AlreadySignedIn(found.signed_in_at)
    found.signed_in_at = context.now()
