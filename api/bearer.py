"""Who calls: the account behind a token. Session cookies mean nothing here."""

from __future__ import annotations

from datetime import timedelta

from flask import g, request
from sqlalchemy import update
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, Unauthorized

from api.signin import actor
from api.work import SAFE, context, db
from engine.database import writing
from governance.context import Actor
from governance.identity.models import ApiToken
from governance.identity.queries import token_holder

NOTED_EVERY = timedelta(minutes=10)
"""How exactly it is known when a token was last used."""


def identify() -> None:
    """Finds out who acts; raises `Unauthorized`."""
    given, shown = context(), request.authorization
    token = shown.token if shown and shown.type == "bearer" else None
    found = token_holder(given.session, token, given.now(), given.today) if token else None
    if found is None:
        raise Unauthorized(www_authenticate=WWWAuthenticate("bearer"))
    kept, account, held = found
    _note(kept)
    g.actor = Actor(account.person_id, account.person.name, held[0] if held else None, held)


def caller() -> Actor | None:
    """Who acts, where nobody needs to say so."""
    return actor() if "actor" in g else None


def demand(posts: tuple[str, ...]) -> None:
    """Lets in only who holds one of these posts; raises `Forbidden`."""
    if posts and not actor().holds(*posts):
        raise Forbidden


def _note(token: ApiToken) -> None:
    now = context().now()
    if now - token.last_used_at < NOTED_EVERY:
        return
    used = update(ApiToken).where(ApiToken.id == token.id).values(last_used_at=now)
    if request.method not in SAFE:
        context().session.execute(used)
        return
    with writing(db.engine) as connection:
        connection.execute(used)
