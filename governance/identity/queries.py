"""Reads accounts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from governance.identity.commands import token_digest
from governance.identity.models import Account, ApiToken
from governance.people.models import Appointment, Person
from governance.people.queries import in_office


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
    query = (
        select(ApiToken, Account, Appointment)
        .join(Account, Account.id == ApiToken.account_id)
        .outerjoin(Appointment, and_(Appointment.person_id == Account.person_id, in_office(today)))
        .where(
            ApiToken.digest == token_digest(token),
            ApiToken.expires_at > now,
            ApiToken.stamp == Account.stamp,
            Account.is_disabled.is_(False),
        )
        .order_by(Appointment.id)
    )
    rows = session.execute(query).all()
    return (rows[0][0], rows[0][1], tuple(row[2] for row in rows if row[2])) if rows else None
