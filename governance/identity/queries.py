"""Reads accounts."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from governance.errors import NotFound
from governance.identity.models import Account
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
