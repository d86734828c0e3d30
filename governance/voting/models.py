"""What is stored of votes: the rules, a vote with the rule it was called under, its frozen roll, ballots, mandates."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from governance.base import Base


class Status(StrEnum):
    """Whether ballots are still counted in; a vote is void when the process that called it was taken back."""

    CALLED = "called"
    CLOSED = "closed"
    VOID = "void"


class Channel(StrEnum):
    """How a ballot came."""

    ONLINE = "online"
    ACCOUNT = "account"
    PAPER = "paper"
    PROXY = "proxy"


class VoteRule(Base):
    """One version of a rule; the latest in force wins, and none is changed once it is written."""

    __tablename__ = "vote_rules"
    __table_args__ = (UniqueConstraint("code", "valid_from"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(40))
    terms: Mapped[str] = mapped_column(Text)
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    written_at: Mapped[datetime]
    written_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))


class Vote(Base):
    """表决. It keeps the rule it was called under; what follows `closed_at` is written once, when it is closed."""

    __tablename__ = "votes"

    id: Mapped[int] = mapped_column(primary_key=True)
    matter_id: Mapped[int | None] = mapped_column(index=True)
    instance_id: Mapped[int | None] = mapped_column(index=True)
    stage: Mapped[str] = mapped_column(String(20))
    question: Mapped[str] = mapped_column(Text)
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"), index=True)
    book_id: Mapped[int] = mapped_column(ForeignKey("roll_books.id"))
    rule: Mapped[str] = mapped_column(Text)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    is_secret: Mapped[bool]
    total_heads: Mapped[int]
    total_area_dm2: Mapped[int | None]
    status: Mapped[str] = mapped_column(String(8))
    called_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    result: Mapped[str | None] = mapped_column(String(12))
    summary: Mapped[str | None] = mapped_column(Text)
    tally: Mapped[str | None] = mapped_column(Text)
    digest: Mapped[str | None] = mapped_column(String(64))

    @property
    def album(self) -> dict[str, int]:
        """Pictures of paper ballots and mandates lie with those of the matter."""
        return {"matter_id": self.matter_id} if self.matter_id else {}


class RollEntry(Base):
    """A voter of one vote, as the roll was when the vote was called. `proxy` names who holds the voter's written mandate."""

    __tablename__ = "roll_entries"
    __table_args__ = (
        Index(
            "ix_roll_entries_person_id",
            "person_id",
            "vote_id",
            sqlite_where=text("person_id IS NOT NULL"),
            postgresql_where=text("person_id IS NOT NULL"),
        ),
        {"sqlite_with_rowid": False},
    )

    vote_id: Mapped[int] = mapped_column(ForeignKey("votes.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(Text)
    household: Mapped[str] = mapped_column(String(80))
    heads: Mapped[int]
    area_dm2: Mapped[int | None]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    is_returned: Mapped[bool]
    returned_at: Mapped[datetime | None]
    channel: Mapped[str | None] = mapped_column(String(8))
    attended_at: Mapped[datetime | None]
    proxy: Mapped[str | None] = mapped_column(String(64))
    paper: Mapped[str | None] = mapped_column(String(64))
    entered_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))


class Ballot(Base):
    """选票. Of a secret vote it has no entry number, and its choice is sealed until the vote is closed; the id is chance."""

    __tablename__ = "ballots"
    __table_args__ = (
        Index(
            "uq_ballots_vote_id_number",
            "vote_id",
            "number",
            unique=True,
            sqlite_where=text("number IS NOT NULL"),
            postgresql_where=text("number IS NOT NULL"),
        ),
        {"sqlite_with_rowid": False},
    )

    vote_id: Mapped[int] = mapped_column(ForeignKey("votes.id"), primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int | None]
    choice: Mapped[str] = mapped_column(Text)


class Mandate(Base):
    """书面委托: a voter has somebody else hand in the ballot. `proxy` says who, the same for the same person."""

    __tablename__ = "mandates"
    __table_args__ = (Index("ix_mandates_vote_id_proxy", "vote_id", "proxy"),)

    vote_id: Mapped[int] = mapped_column(ForeignKey("votes.id"), primary_key=True)
    principal: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    proxy: Mapped[str] = mapped_column(String(64))
    proxy_name: Mapped[str] = mapped_column(Text)
    paper: Mapped[str | None] = mapped_column(String(64))
    given_at: Mapped[datetime]
    entered_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
