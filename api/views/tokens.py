"""Tokens for clients; the pages use a session."""

from __future__ import annotations

from typing import Any

from api.calls import OPEN, Calls
from api.schemas.tokens import Credentials, Token
from api.work import context
from governance.identity.commands import TOKEN_LIVES, issue_token, sign_in

calls = Calls("tokens", "访问令牌")


@calls.call("POST", "/tokens", Token, status=201, body=Credentials, token=OPEN, refuses=(401, 429))
def create(filled: dict[str, Any]) -> dict[str, Any]:
    """Changes a password into a token for twelve hours; five wrong passwords lock the account for a while."""
    given = context()
    now = given.now()
    account = sign_in(given.session, filled["username"].strip(), filled["password"], now)
    return {"token": issue_token(given.session, account, given.new_id(), now), "expires_at": now + TOKEN_LIVES}
