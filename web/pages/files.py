"""附件、签名 that a form's record names: to whoever may read that record, and to nobody by guessing."""

from __future__ import annotations

from flask import Blueprint, Response
from flask_login import login_required

from api.signin import actor
from api.work import context
from governance.errors import NotFound
from governance.files.queries import file_of
from governance.starting.queries import may_read
from web.uploads import send_kept

pages = Blueprint("files", __name__, url_prefix="/files")


@pages.get("/<id:instance_id>/<digest>/<name>")
@login_required  # type: ignore[untyped-decorator]
def show(instance_id: int, digest: str, name: str) -> Response:
    session = context().session
    if not may_read(session, actor(), instance_id):
        raise NotFound
    return send_kept(file_of(session, instance_id, None, digest, name))


@pages.get("/<digest>/<name>")
@login_required  # type: ignore[untyped-decorator]
def own(digest: str, name: str) -> Response:
    """What whoever is signed in has uploaded for a start."""
    return send_kept(file_of(context().session, 0, actor().person_id, digest, name))
