"""Pictures that come with a form: those sent before, named by their ids, and those that arrive with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

from flask import Response, g, request, send_file, session
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage

from api.work import context
from governance.cases.models import Photo
from governance.cases.photos import PER_CASE, Picture, Pictured, add_photo, photo_path, read_picture
from governance.cases.queries import photos
from governance.errors import NotFound, Refused
from governance.forms.rules import fields
from governance.meetings.files import Attachment, read_attachment

View = Callable[..., ResponseReturnValue]
SIGNED_IN = "_user_id"
"""Where Flask-Login keeps who is signed in: nobody else's pictures are looked at on staff pages."""


def with_pictures(view: View) -> View:
    """Reads the pictures of a request before anything of the database is held; what is wrong with them the view is told when it asks."""

    @wraps(view)
    def reading(*args: object, **kwargs: object) -> ResponseReturnValue:
        known = request.blueprint == "public" or SIGNED_IN in session
        g.pictures = {name: _read(name) for name in request.files} if known and len(_sent()) <= PER_CASE else _too_many()
        return view(*args, **kwargs)

    return reading


def pictures(name: str) -> list[Picture]:
    """The pictures that arrived under a name; raises `Refused`."""
    found: list[Picture] | Refused = g.pictures.get(name, [])
    if isinstance(found, Refused):
        raise found
    return found


def with_attachments(view: View) -> View:
    """Reads the documents of a request before anything of the database is held; what is wrong with them the view is told when it asks."""

    @wraps(view)
    def reading(*args: object, **kwargs: object) -> ResponseReturnValue:
        g.attachments = _documents() if SIGNED_IN in session else []
        return view(*args, **kwargs)

    return reading


def attachments() -> list[Attachment]:
    """The documents that arrived; raises `Refused`."""
    found: list[Attachment] | Refused = g.attachments
    if isinstance(found, Refused):
        raise found
    return found


def _documents() -> list[Attachment] | Refused:
    if not (sent := _sent()):
        return Refused({"file": "请选择要上传的附件"})
    if len(sent) > PER_CASE:
        return Refused({"file": f"一次最多上传 {PER_CASE} 个附件"})
    try:
        return [read_attachment(file.filename or "", file.read()) for file in sent]
    except Refused as refused:
        return refused


def _sent() -> list[FileStorage]:
    return [file for name in request.files for file in request.files.getlist(name) if file.filename]


def _too_many() -> dict[str, list[Picture] | Refused]:
    return {name: Refused({name: f"照片最多 {PER_CASE} 张"}) for name in request.files}


def _read(name: str) -> list[Picture] | Refused:
    sent = [file for file in request.files.getlist(name) if file.filename]
    try:
        return [read_picture(file.read()) for file in sent]
    except Refused as refused:
        return Refused(dict.fromkeys([name], str(refused)))


def send_photo(photo_id: int, shown: Sequence[Photo]) -> Response:
    """One of the pictures that a page shows; raises `NotFound`."""
    found = next((p for p in shown if p.id == photo_id), None)
    if found is None:
        raise NotFound
    response = send_file(photo_path(context().folder, found.digest), mimetype="image/jpeg", max_age=3600)
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response


def with_photos(
    form: Mapping[str, Any], filled: Mapping[str, Sequence[str]], of: Pictured | None, task_key: str, by: int | None
) -> dict[str, list[str]]:
    """What was filled in, its photo fields holding only pictures of this case or matter; raises `Refused`."""
    if of is None:
        return {name: list(values) for name, values in filled.items()}
    known = {str(p.id) for p in photos(context().session, of)}
    read = {name: list(values) for name, values in filled.items()}
    for field in (f for f in fields(form) if f.widget == "photos"):
        kept = [i for i in read.get(field.name, []) if i in known]
        added = [add_photo(context(), of, picture, by=by, task_key=task_key) for picture in pictures(field.name)]
        read[field.name] = kept + [str(photo.id) for photo in added]
    return read
