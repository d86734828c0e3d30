"""会议记录: versions that are never changed, and who signed which."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from governance.cases.photos import Picture
from governance.context import Actor, Context
from governance.errors import NotAllowed, NotFound, Refused
from governance.files.rules import Attachment
from governance.meetings.commands import require, told
from governance.meetings.errors import AlreadySigned, NotPresent, OldMinutes
from governance.meetings.files import keep
from governance.meetings.models import Attendee, Meeting, Minutes, Signature
from governance.meetings.queries import attendee, held_by, locked, meeting, minutes
from governance.meetings.rules import Status, minutes_digest

TEXT = 50_000


def write_minutes(context: Context, actor: Actor, meeting_id: int, text: str, based_on: int) -> Minutes:
    """A new version, which voids the signatures on those before; `based_on` is the version it was written from (0: none).

    Raises `NotNow`, `Refused`.
    """
    held = held_by(context.session, meeting_id, actor)
    require(held, Status.OPEN, Status.CLOSED)
    said = told(text.replace("\r\n", "\n"), TEXT, "text", "会议记录")
    before = minutes(context.session, held.id)
    last = before[-1] if before else None
    if based_on != (last.number if last else 0):
        raise Refused({"text": f"他人已保存了第 {len(before)} 版，请对照后再保存"})
    if last and last.text == said:
        raise Refused({"text": "内容没有改动"})
    number = len(before) + 1
    version = Minutes(
        id=context.new_id(),
        meeting_id=held.id,
        number=number,
        text=said,
        digest=minutes_digest(last.digest if last else "", held.id, number, said),
        written_by=actor.person_id,
        written_at=context.now(),
    )
    context.session.add(version)
    context.session.flush()
    return version


def altered(versions: Sequence[Minutes]) -> list[int]:
    """The versions that are not what was written: their digest does not follow from the text and the version before."""
    before, wrong = "", []
    for one in versions:
        if one.digest != minutes_digest(before, one.meeting_id, one.number, one.text):
            wrong.append(one.number)
        before = one.digest
    return wrong


def sign_minutes(context: Context, actor: Actor, meeting_id: int, minutes_id: int) -> Signature:
    """签名 by somebody who was there; raises `NotAllowed`, `NotPresent`, `OldMinutes`, `AlreadySigned`."""
    held = locked(context.session, meeting(context.session, meeting_id, actor))
    who = context.session.scalar(select(Attendee).where(Attendee.meeting_id == held.id, Attendee.person_id == actor.person_id))
    if who is None:
        raise NotAllowed
    return _sign(context, actor, held, minutes_id, who, None)


def record_signature(context: Context, actor: Actor, meeting_id: int, minutes_id: int, attendee_id: int, sheet: Picture) -> Signature:
    """A signature on paper, recorded with a picture of the sheet; raises what `sign_minutes` raises, `NotAllowed`."""
    held = held_by(context.session, meeting_id, actor)
    return _sign(context, actor, held, minutes_id, attendee(context.session, held, attendee_id), sheet)


def _sign(context: Context, actor: Actor, held: Meeting, minutes_id: int, who: Attendee, sheet: Picture | None) -> Signature:
    versions = minutes(context.session, held.id)
    if minutes_id not in [one.id for one in versions]:
        raise NotFound
    if minutes_id != versions[-1].id:
        raise OldMinutes
    if who.signed_in_at is None:
        raise NotPresent
    if context.session.scalar(select(Signature.id).where(Signature.minutes_id == minutes_id, Signature.attendee_id == who.id)):
        raise AlreadySigned
    file = keep(context, actor, held, Attachment(f"signature-{who.number}.jpg", "jpg", sheet.content)) if sheet else None
    signature = Signature(
        id=context.new_id(),
        minutes_id=minutes_id,
        attendee_id=who.id,
        signed_at=context.now(),
        recorded_by=actor.person_id,
        file_id=file.id if file else None,
    )
    context.session.add(signature)
    context.session.flush()
    return signature
