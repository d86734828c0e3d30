"""One unit of work a request: its transaction, its context, who acts. Committed once, when the answer is ready."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask, Response, current_app, g, request
from flask_sqlalchemy import SQLAlchemy

from engine.database import READING, WRITING, prepare
from engine.ids import new_id
from governance.base import Base
from governance.context import Context
from governance.privacy import Sealer

SAFE = ("GET", "HEAD", "OPTIONS")

db = SQLAlchemy(metadata=Base.metadata)


@dataclass(frozen=True)
class Outside:
    """What the composition root gives the entrances."""

    sealer: Sealer
    folder: Path
    public_url: str = ""
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


def init_work(app: Flask, outside: Outside) -> None:
    """Binds the database and the commit to the app."""
    app.extensions["outside"] = outside
    db.init_app(app)
    with app.app_context():
        prepare(db.engine)
    app.after_request(_commit)


def outside() -> Outside:
    found: Outside = current_app.extensions["outside"]
    return found


def context() -> Context:
    """The request's unit of work; on SQLite a request that may write takes the write lock here."""
    if "context" not in g:
        options = READING if request.method in SAFE else WRITING
        db.session.connection(execution_options=options)
        given = outside()
        g.context = Context(db.session(), given.now, lambda: new_id(given.now()), given.sealer, given.folder)
    made: Context = g.context
    return made


def undo() -> None:
    """What this request has written is not to be kept."""
    g.undone = True
    db.session.rollback()


def _commit(response: Response) -> Response:
    """Ends the transaction while what goes wrong can still be answered.

    One that only read is committed, too: after a rollback the driver prepares its statements anew.
    """
    if "context" in g and not g.get("undone"):
        db.session.commit()
    return response
