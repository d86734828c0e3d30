"""Reads accounts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from governance.errors import NotFound
from governance.identity.commands import token_digest
from governance.identity.models import Account, ApiToken
from governance.people.models import Person


def accounts(session: Session, q: str = "", limit: int = 200) -> Sequence[Account]:
    """Accounts by user name; `q` narrows by name."""
    query = select(Account).join(Person).order_by(Account.username).limit(limit)
    if q:
        query = query.where(or_(Account.username.contains(q, autoescape=True), Person.name.contains(q, autoescape=True)))
    return session.scalars(query).all()


def account(session: Session, account_id: int) -> Account:
    """The account; raises `NotFound`."""
    found = session.get(Account, account_id)
    if found is None:
        raise NotFound
    return found


def token_holder(session: Session, token: str, now: datetime) -> tuple[ApiToken, Account] | None:
    """The token as kept, and its account; None when it ran out, or the account was closed or changed since."""
    query = (
        select(ApiToken, Account)
        .join(Account, Account.id == ApiToken.account_id)
        .where(
            ApiToken.digest == token_digest(token),
            ApiToken.expires_at > now,
            ApiToken.stamp == Account.stamp,
            Account.is_disabled.is_(False),
        )
    )
    found = session.execute(query).one_or_none()
    return found and (found[0], found[1])
