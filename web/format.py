"""How moments, limits and lights read to people."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from functools import cache, partial
from itertools import groupby, zip_longest
from operator import itemgetter
from pathlib import Path
from typing import Any

from flask import Flask, g, request, url_for
from flask_babel import format_datetime
from werkzeug.datastructures import MultiDict

from api.work import context
from governance.calendar.queries import working_calendar
from governance.calendar.rules import SHANGHAI, Unit, WorkCalendar
from governance.cases.codes import category_name
from governance.deadlines.rules import Light, light, remaining_words
from governance.forms.rules import Field
from governance.organisation.queries import named
from governance.people.models import Appointment
from governance.people.rules import POSTS
from web.language import gettext as _
from web.language import listed
from web.sentences import say, worded

LIGHTS = {Light.GREEN: ("green", "clock"), Light.YELLOW: ("yellow", "alert-triangle"), Light.RED: ("red", "alarm")}


def held_files(field: Field, form: Mapping[str, Any], data: Mapping[str, Any]) -> list[str]:
    """What a field of photos or files holds: what has just been sent, or else what the process knows already."""
    if isinstance(form, MultiDict) and form:
        return [value for value in form.getlist(field.name) if value]
    before = data.get(field.prefill) if field.prefill else None
    return [str(value) for value in (before if isinstance(before, list) else [before]) if value]


def init_filters(app: Flask) -> None:
    """Registers the filters of the templates."""
    app.jinja_env.filters.update(moment=moment, day=day, local=local, category=category, limit=limit_words, listed=listed, size=size)
    app.jinja_env.filters.update(by_part=by_part)
    app.jinja_env.filters.update(say=say, worded=worded, post=post, zip=zip, named=lambda unit: named(context().session, unit))
    app.jinja_env.globals.update(held_files=held_files, left=left, now=lambda: context().now(), asset=partial(asset, _digests(app)))


def asset(digests: dict[str, str], name: str) -> str:
    """The address of a built file; it changes with the content, so that browsers may keep it."""
    return _address(name, digests.get(name.removeprefix("dist/"), "")[:12], request.script_root)


@cache
def _address(name: str, content: str, _root: str) -> str:
    """Built once for each mount of the application: a page shows some forty of them."""
    return url_for("static", filename=name, v=content)


def _digests(app: Flask) -> dict[str, str]:
    manifest = json.loads((Path(app.root_path) / "static" / "dist" / "MANIFEST.json").read_text())
    found: dict[str, str] = manifest["outputs"]
    return found


def size(n: int) -> str:
    """A file's size, to a tenth."""
    if n < 1000:
        return _("%(n)s 字节", n=n)
    return f"{n / 1000:.0f} KB" if n < 1_000_000 else f"{n / 1_000_000:.1f} MB"


def moment(at: datetime | None) -> str:
    """3月2日 09:00, with the year when it is not this one."""
    if at is None:
        return ""
    local, now = at.astimezone(SHANGHAI), context().now().astimezone(SHANGHAI)
    pattern = _("M月d日 HH:mm") if local.year == now.year else _("y年M月d日 HH:mm")
    return str(format_datetime(local, pattern, rebase=False))


def local(at: datetime) -> str:
    """A moment as a browser's own field for it holds it."""
    return f"{at.astimezone(SHANGHAI):%Y-%m-%dT%H:%M}"


def day(at: datetime | None) -> str:
    """2026-03-02"""
    return f"{at.astimezone(SHANGHAI):%Y-%m-%d}" if at else ""


def day_in_words(at: datetime) -> str:
    """2026年3月2日, as documents that are always in Chinese write it."""
    local = at.astimezone(SHANGHAI)
    return f"{local.year}年{local.month}月{local.day}日"


def by_part(sentences: Sequence[str], parts: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Sentences about a process under what they are about, as far as that is known."""
    words = {"diagram": _("流程图"), "form": _("表单"), "table": _("决策表"), "text": _("译文")}
    told = groupby(zip_longest(parts, sentences, fillvalue=""), key=itemgetter(0))
    return [(words.get(part, ""), [sentence for _part, sentence in group]) for part, group in told]


def limit_words(limit: Mapping[str, str] | None) -> str:
    """2 个工作日"""
    return say(f"{float(Fraction(limit['amount'])):g} 个{Unit(limit['unit']).label}") if limit else ""


def category(code: str | None) -> str:
    """大类 · 小类"""
    return say(category_name(code))


def post(held: Appointment) -> str:
    """临江社区第三网格网格长"""
    return _("%(unit)s%(post)s", unit=named(context().session, held.unit), post=say(POSTS[held.post].name))


def calendar() -> WorkCalendar:
    """The working calendar, read once a request."""
    if "calendar" not in g:
        g.calendar = working_calendar(context().session)
    found: WorkCalendar = g.calendar
    return found


def left(opened_at: datetime, due_at: datetime | None, limit: Mapping[str, str] | None, at: datetime | None = None) -> dict[str, str]:
    """How much of a limit is left: a colour, an icon and words."""
    if due_at is None:
        return {"color": "muted", "icon": "minus", "words": _("不限时")}
    unit = Unit(limit["unit"]) if limit else Unit.CALENDAR_DAYS
    now = at or context().now()
    color, icon = LIGHTS[light(opened_at, due_at, now, calendar(), unit)]
    return {"color": color, "icon": icon, "words": say(remaining_words(due_at, now, calendar(), unit))}
