"""Tokens."""

from __future__ import annotations

from marshmallow import fields

from api.fields import Answer, Body, Moment, Text
from governance.identity.commands import MAX_PASSWORD


class Credentials(Body):
    """A user name and a password."""

    username = Text(60, shortest=1, required=True)
    password = Text(MAX_PASSWORD, shortest=1, required=True)


class Token(Answer):
    """To be shown as `Authorization: Bearer …`."""

    token = fields.String()
    expires_at = Moment()
