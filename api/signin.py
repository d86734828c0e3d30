"""Who is signed in: an account behind a session cookie or a token, and the posts it acts under."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import g, session
from flask_login import LoginManager, UserMixin, current_user

from api.work import context
from governance.context import Actor
from governance.identity.models import Account
from governance.people.queries import appointments_of

login_manager = LoginManager()


@dataclass
class User(UserMixin):  # type: ignore[misc]
    """An account as Flask-Login knows it. Its id carries the stamp, so that a changed stamp ends the session."""

    account: Account

    def get_id(self) -> str:
        return f"{self.account.id}.{self.account.stamp}"


@login_manager.user_loader  # type: ignore[untyped-decorator]
def load_user(user_id: str) -> User | None:
    """The user of a session, unless the account was closed, locked out or changed since."""
    number, _, stamp = user_id.partition(".")
    account = context().session.get(Account, int(number)) if number.isdecimal() else None
    return User(account) if account and account.stamp == stamp and not account.is_disabled else None


def actor() -> Actor:
    """The signed-in person with today's appointments, acting under the post they chose."""
    if "actor" not in g:
        person = current_user.account.person
        held = tuple(appointments_of(context().session, person.id, context().today))
        chosen: Any = session.get("acting")
        acting = next((a for a in held if a.id == chosen), held[0] if held else None)
        g.actor = Actor(person.id, person.name, acting, held)
    found: Actor = g.actor
    return found
