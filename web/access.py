"""Which posts a page is for."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from flask import abort, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required

from api.signin import actor

AUDITOR = "auditor"
View = Callable[..., ResponseReturnValue]


def begin() -> str:
    """Where the work of whoever is signed in begins."""
    return url_for("cases.index" if actor().holds(AUDITOR) else "inbox.show")


def for_posts(*posts: str) -> Callable[[View], View]:
    """Lets in only people who hold one of these posts."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(*args: object, **kwargs: object) -> ResponseReturnValue:
            if not actor().holds(*posts):
                abort(403)
            return view(*args, **kwargs)

        entered: View = login_required(guarded)
        return entered

    return guard
