"""Reads accounts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import Date, and_, bindparam, or_, select
from sqlalchemy.orm import Session, lazyload

from engine.schema import Instant
from governance.identity.commands import token_digest
from governance.identity.models import Account, ApiToken
from governance.people.models import Appointment, Person
from governance.people.queries import in_office

_TOKEN = (
    select(ApiToken, Account, Appointment)
    .join(Account, Account.id == ApiToken.account_id)
    .outerjoin(Appointment, and_(Appointment.person_id == Account.person_id, in_office(bindparam("today", type_=Date))))
    .where(
        ApiToken.digest == bindparam("digest"),
        ApiToken.expires_at > bindparam("now", type_=Instant),
        ApiToken.stamp == Account.stamp,
        Account.is_disabled.is_(False),
    )
    .order_by(Appointment.id)
    .options(lazyload(Appointment.person), lazyload(Appointment.unit))
)


def accounts(session: Session, q: str = "", limit: int = 200) -> Sequence[Account]:
    """Accounts by user name; `q` narrows by name."""
    query = select(Account).join(Person).order_by(Account.username).limit(limit)
    if q:
        query = query.where(or_(Account.username.contains(q, autoescape=True), Person.name.contains(q, autoescape=True)))
    return session.scalars(query).all()


def account_of(session: Session, person_id: int) -> Account | None:
    """A person's account, when they have one."""
    return session.scalar(select(Account).where(Account.person_id == person_id))


def token_holder(session: Session, token: str, now: datetime, today: date) -> tuple[ApiToken, Account, tuple[Appointment, ...]] | None:
    """The token as kept, its account and what it holds today; None when it ran out, or the account was closed or changed since."""
    rows = session.execute(_TOKEN, {"digest": token_digest(token), "now": now, "today": today}).all()
    return (rows[0][0], rows[0][1], tuple(row[2] for row in rows if row[2])) if rows else None
