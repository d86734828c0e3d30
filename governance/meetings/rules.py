"""What makes a meeting lawful: enough notice, a frozen agenda, a quorum. Pure: no session, no clock."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from math import ceil, floor
from typing import Protocol

from governance.calendar.rules import SHANGHAI, first_day
from governance.organisation.models import Kind

DOORS_OPEN = timedelta(hours=1)
"""How long before a meeting people may sign in."""
LONGEST_NOTICE = 60
MOST_FAILURES = 5
"""Wrong codes after which an attendee can only be ticked off the list."""


class Body(StrEnum):
    """Which body meets (会议类别)."""

    JOINT = "joint"
    CONSULTATION = "consultation"
    PARTY_MEMBERS = "party_members"
    REPRESENTATIVES = "representatives"
    OWNERS = "owners"
    OTHER = "other"

    @property
    def label(self) -> str:
        return BODIES[self]


BODIES = {
    Body.JOINT: "联席会议",
    Body.CONSULTATION: "商议会",
    Body.PARTY_MEMBERS: "党员大会",
    Body.REPRESENTATIVES: "居民代表会议",
    Body.OWNERS: "业主大会",
    Body.OTHER: "其他会议",
}
MEETS_IN = {
    Body.JOINT: (Kind.DISTRICT, Kind.SUBDISTRICT, Kind.COMMUNITY),
    Body.CONSULTATION: (Kind.DISTRICT, Kind.SUBDISTRICT, Kind.COMMUNITY, Kind.SECTOR, Kind.GRID, Kind.ESTATE, Kind.BUILDING),
    Body.PARTY_MEMBERS: (Kind.SUBDISTRICT, Kind.COMMUNITY, Kind.GRID, Kind.ESTATE),
    Body.REPRESENTATIVES: (Kind.COMMUNITY,),
    Body.OWNERS: (Kind.ESTATE,),
    Body.OTHER: tuple(Kind),
}
"""At which levels a body meets."""


class Role(StrEnum):
    """As what somebody attends (参会身份)."""

    CHAIR = "chair"
    MEMBER = "member"
    OBSERVER = "observer"
    CLERK = "clerk"

    @property
    def label(self) -> str:
        return ROLES[self]


ROLES = {Role.CHAIR: "主持人", Role.MEMBER: "成员", Role.OBSERVER: "列席", Role.CLERK: "记录人"}
COUNTED = (Role.CHAIR, Role.MEMBER)
"""Who is due at a meeting and counts towards its quorum."""


class Status(StrEnum):
    """How far a meeting has come."""

    DRAFT = "draft"
    NOTICED = "noticed"
    OPEN = "open"
    CLOSED = "closed"
    CANCELLED = "cancelled"

    @property
    def label(self) -> str:
        return STATUSES[self]


STATUSES = {
    Status.DRAFT: "草稿",
    Status.NOTICED: "已通知",
    Status.OPEN: "进行中",
    Status.CLOSED: "已结束",
    Status.CANCELLED: "已取消",
}


class Moments(Protocol):
    """The moments of a meeting."""

    @property
    def noticed_at(self) -> datetime | None: ...
    @property
    def opened_at(self) -> datetime | None: ...
    @property
    def closed_at(self) -> datetime | None: ...
    @property
    def cancelled_at(self) -> datetime | None: ...


def status(meeting: Moments) -> Status:
    """The last moment it has reached."""
    reached = (
        (meeting.cancelled_at, Status.CANCELLED),
        (meeting.closed_at, Status.CLOSED),
        (meeting.opened_at, Status.OPEN),
        (meeting.noticed_at, Status.NOTICED),
    )
    return next((name for at, name in reached if at), Status.DRAFT)


def earliest(noticed_at: datetime, days: int) -> date:
    """The first day on which a meeting noticed now may be held."""
    return first_day(noticed_at.astimezone(SHANGHAI).date(), days)


def is_short(noticed_at: datetime, starts_at: datetime, days: int) -> bool:
    """Whether a meeting comes too soon after its notice."""
    return starts_at.astimezone(SHANGHAI).date() < earliest(noticed_at, days)


def may_sign_in(meeting: Moments, starts_at: datetime, now: datetime) -> bool:
    """From an hour before the meeting until it is closed."""
    return status(meeting) in (Status.NOTICED, Status.OPEN) and now >= starts_at - DOORS_OPEN


def share(text: str) -> Fraction:
    """A quorum as it is written, 2/3 or 1/2; raises `ValueError`."""
    over, _, under = text.partition("/")
    if not (over.isdecimal() and under.isdecimal() and text.isascii() and len(text) <= 7 and 0 < int(over) <= int(under)):
        raise ValueError(text)
    return Fraction(int(over), int(under))


@dataclass(frozen=True)
class Quorum:
    """法定人数: how many are due, how many have come, and how many must."""

    due: int
    present: int
    share: str | None = None
    is_over: bool = False

    @property
    def needed(self) -> int:
        """The fewest that make the share: “以上” includes it, 过半数 is more than half."""
        if self.share is None:
            return 0
        wanted = share(self.share) * self.due
        return max(1, floor(wanted) + 1 if self.is_over else ceil(wanted))

    @property
    def is_met(self) -> bool:
        return self.present >= self.needed

    @property
    def missing(self) -> int:
        return max(0, self.needed - self.present)


def quorum(roll: Iterable[tuple[str, datetime | None]], share: str | None, is_over: bool) -> Quorum:
    """The quorum over the roles and sign-ins of those on the list; observers and clerks do not count."""
    counted = [signed_in_at for role, signed_in_at in roll if role in COUNTED]
    return Quorum(len(counted), sum(at is not None for at in counted), share, is_over)


def minutes_digest(before: str, meeting_id: int, number: int, text: str) -> str:
    """What a version of the minutes is known by: it changes with the text and with every version before."""
    return hashlib.sha256(f"{before}\n{meeting_id}\n{number}\n{text}".encode()).hexdigest()
