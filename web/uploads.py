"""Pictures that come with a form: those sent before, named by their ids, and those that arrive with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import request

from api.work import context
from governance.cases.models import Case
from governance.cases.photos import add_photo
from governance.cases.queries import photos
from governance.forms.rules import fields


def with_photos(
    form: Mapping[str, Any], filled: Mapping[str, Sequence[str]], case: Case, task_key: str, by: int | None
) -> dict[str, list[str]]:
    """What was filled in, its photo fields holding only pictures of this case; raises `Refused`."""
    known = {str(p.id) for p in photos(context().session, case.id)}
    read = {name: list(values) for name, values in filled.items()}
    for field in (f for f in fields(form) if f.widget == "photos"):
        kept = [i for i in read.get(field.name, []) if i in known]
        sent = [content for file in request.files.getlist(field.name) if (content := file.read())]
        read[field.name] = kept + [str(add_photo(context(), case, content, by=by, task_key=task_key).id) for content in sent]
    return read
