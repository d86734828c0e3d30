"""Pictures and files that come with a form: those sent before, named by ids or digests, and those that arrive with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

from flask import Response, current_app, g, request, send_file, session, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage

from api.work import context, undo
from governance.cases.models import Photo
from governance.cases.photos import PER_CASE, Picture, Pictured, add_photo, photo_path, read_picture
from governance.cases.queries import photos
from governance.errors import FileGone, NotFound, Refused
from governance.files.commands import add_file
from governance.files.models import FormFile
from governance.files.rules import FITTING, FORMATS, READERS, Attachment, file_path, read_attachment
from governance.forms.rules import Field, fields
from governance.meetings.models import MeetingFile
from web.sentences import say

View = Callable[..., ResponseReturnValue]
SIGNED_IN = "_user_id"
"""Where Flask-Login keeps who is signed in: nobody else's pictures are looked at on staff pages."""


def with_pictures(view: View) -> View:
    """Reads what a form brings before anything of the database is held; what is wrong with it the view is told when it asks."""

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


def with_upload(view: View) -> View:
    """Reads the one file that is sent while a form is filled in; the address says for what."""

    @wraps(view)
    def reading(*args: object, **kwargs: object) -> ResponseReturnValue:
        g.upload = _upload(str(kwargs["widget"])) if SIGNED_IN in session else None
        return view(*args, **kwargs)

    return reading


def take_upload(form: Mapping[str, Any], by: int, instance_id: int | None = None, task_key: str | None = None) -> ResponseReturnValue:
    """Keeps the one file that was sent for a task or a start; the form then names it."""
    found: Attachment | Refused = g.upload
    try:
        if isinstance(found, Refused):
            raise found
        added = add_file(context(), form, found, by=by, instance_id=instance_id, task_key=task_key)
    except Refused as refused:
        undo()
        return {"error": say(str(refused))}, 422
    return {"id": added.value, "url": file_address(instance_id, added.value)}, 201


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


def _upload(widget: str) -> Attachment | Refused:
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        return Refused({"file": "请选择要上传的附件"})
    try:
        return READERS[widget](sent.filename, sent.read())
    except Refused as refused:
        return refused


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


def _too_many() -> dict[str, Refused]:
    return {
        name: Refused({_field(name)[0]: f"一次最多上传 {PER_CASE} 个附件" if _field(name)[1] else f"照片最多 {PER_CASE} 张"})
        for name in request.files
    }


def _read(name: str) -> list[Picture] | list[Attachment] | Refused:
    sent, (field, read) = [file for file in request.files.getlist(name) if file.filename], _field(name)
    try:
        if read:
            return [read(file.filename or "", file.read()) for file in sent]
        return [read_picture(file.read()) for file in sent]
    except Refused as refused:
        return Refused(dict.fromkeys([field], str(refused)))


def _field(name: str) -> tuple[str, Callable[[str, bytes], Attachment] | None]:
    """The field that an input of files is for, and how they are read; pictures arrive under the field's own name."""
    field, _, widget = name.rpartition(":")
    return (field, READERS[widget]) if field and widget in READERS else (name, None)


def _arrived(field: Field) -> list[Attachment]:
    """What arrived with the form for a field that holds files; raises `Refused`."""
    if field.widget == "photos":
        return [Attachment("photo.jpg", "jpg", picture.content) for picture in pictures(field.name)]
    found: list[Attachment] | Refused = g.pictures.get(f"{field.name}:{field.widget}", [])
    if isinstance(found, Refused):
        raise found
    return found


def send_photo(photo_id: int, shown: Sequence[Photo]) -> Response:
    """One of the pictures that a page shows; raises `NotFound`."""
    found = next((p for p in shown if p.id == photo_id), None)
    if found is None:
        raise NotFound
    response = _lying(photo_path(context().folder, found.digest), mimetype="image/jpeg", max_age=3600)
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response


def _lying(path: Path, **how: Any) -> Response:
    """What lies at this place; raises `FileGone`."""
    try:
        return send_file(path, **how)
    except FileNotFoundError as error:
        current_app.logger.error("a file that is named is gone: %s", path.name)
        raise FileGone from error


def file_address(instance_id: int | None, value: str) -> str:
    """Where a file can be had that a form names: of an instance, or one's own that waits for a start."""
    digest, _, name = value.partition("/")
    if not name:
        return ""
    if instance_id is None:
        return url_for("files.own", digest=digest, name=name)
    return url_for("files.show", instance_id=instance_id, digest=digest, name=name)


def send_kept(found: FormFile | MeetingFile) -> Response:
    """A file, to be saved: never shown as a page of ours."""
    path, kind = file_path(context().folder, found.digest), FORMATS[found.kind]
    response = _lying(path, mimetype=kind.mime, as_attachment=True, download_name=found.name, max_age=0, conditional=False)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "private, no-store"
    return response


def with_files(
    form: Mapping[str, Any],
    filled: Mapping[str, Sequence[str]],
    of: Pictured | None,
    *,
    by: int | None,
    instance_id: int | None = None,
    task_key: str | None = None,
) -> dict[str, list[str]]:
    """What was filled in, and what has arrived with it; photos of a case or a matter are its own. Raises `Refused`."""
    known = {str(p.id) for p in photos(context().session, of)} if of else set()
    read = {name: list(values) for name, values in filled.items()}
    for field in (f for f in fields(form) if f.widget in FITTING):
        kept = read.get(field.name, [])
        if field.widget == "photos" and of:
            added = [str(add_photo(context(), of, picture, by=by, task_key=task_key).id) for picture in pictures(field.name)]
            read[field.name] = [i for i in kept if i in known] + added
            continue
        brought = [add_file(context(), form, sent, by=by, instance_id=instance_id, task_key=task_key).value for sent in _arrived(field)]
        read[field.name] = brought or kept if field.widget == "signature" else kept + brought
    return read
