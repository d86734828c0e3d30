"""流转轨迹 as people read it: what was done, how long it took against its limit, and what was filled in."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from functools import cache
from math import ceil
from typing import Any

from flask_babel import lazy_gettext, lazy_pgettext
from sqlalchemy import Row

from api.work import context
from engine.log import loads
from engine.versions import package_of
from governance.calendar.rules import SHANGHAI, Unit, moment_told
from governance.deadlines.rules import used_words
from governance.files.queries import sizes
from governance.files.rules import FITTING
from governance.forms.rules import NAMED_FILE, Field, fields, files_named
from governance.inbox.queries import Mark, open_tasks
from governance.organisation.queries import names
from governance.people.models import Appointment
from governance.people.queries import ever_held, principal_name
from governance.people.queries import names as names_of_people
from governance.people.rules import POSTS
from governance.rolls.queries import book_name
from governance.voting.queries import rule_name
from governance.workflow.copying import COPY
from governance.workflow.persons import read_id
from governance.workflow.rules import limited_since, words
from web.format import calendar, category, limit_words, moment
from web.language import gettext as _
from web.language import listed
from web.sentences import say
from web.why import once_overdue

KINDS = {
    "start": lazy_pgettext("trail", "上报"),
    "timer": lazy_pgettext("trail", "到期自动处理"),
    "message": lazy_pgettext("trail", "收到消息"),
    "signal": lazy_pgettext("trail", "收到通知"),
    "service_result": lazy_pgettext("trail", "外部服务答复"),
    "correct": lazy_pgettext("trail", "更正数据"),
    "rewind": lazy_pgettext("trail", "退回"),
    "withdraw": lazy_pgettext("trail", "取回"),
    "move": lazy_pgettext("trail", "移到另一版本"),
    "undo_move": lazy_pgettext("trail", "移回原来的版本"),
    "cancel": lazy_pgettext("trail", "终止"),
    "claim": lazy_pgettext("trail", "签收"),
    "release": lazy_pgettext("trail", "退回待签收"),
    "transfer": lazy_pgettext("trail", "转办"),
    "reassign": lazy_pgettext("trail", "改派"),
    "escalate": lazy_pgettext("trail", "转由上级办理"),
    "suspend": lazy_pgettext("trail", "挂起"),
    "resume": lazy_pgettext("trail", "恢复"),
    "incident": lazy_pgettext("trail", "异常"),
    "resend": lazy_pgettext("trail", "重新请求外部服务"),
    "reschedule": lazy_pgettext("trail", "办理时限随工作日历调整"),
    "notice": lazy_pgettext("trail", "时限提醒"),
    "urge": lazy_pgettext("trail", "催办"),
    "copy": lazy_pgettext("trail", "抄送"),
    "reveal": lazy_pgettext("trail", "查看联系方式"),
}
NAMED_BY = {"vote_rules": rule_name, "roll_books": book_name}
"""Lists whose codes only the domain can name."""
STAGES = {
    "due_soon": lazy_gettext("“%(step)s”即将到期"),
    "overdue": lazy_gettext("“%(step)s”已超期"),
    "red": lazy_gettext("“%(step)s”超期已满 24 小时"),
}
NAMED = ("start", "complete", "timer", "message", "signal")


@dataclass(frozen=True)
class Named:
    """A file that was filled in: how the record names it, how people do, how large it is, and how it is seen."""

    value: str
    title: str
    size: int
    is_picture: bool
    is_signature: bool

    @property
    def name(self) -> str:
        return self.value.partition("/")[2]


@dataclass(frozen=True)
class Filled:
    """A field of a form that was filled in, with its label: words, pictures, or files."""

    title: str
    words: str
    photos: tuple[int, ...] = ()
    files: tuple[Named, ...] = ()
    is_public: bool = False


@dataclass(frozen=True)
class Step:
    """One entry of the trail."""

    mark: Mark
    title: str
    about: str
    who: str
    outcome: str
    used: str
    filled: tuple[Filled, ...]


def steps(marks: Sequence[Mark]) -> list[Step]:
    """The trail, the first first. What a start was filled in with is told once its form has been filled in anew: else it stands above."""
    known = _known(marks)
    told = {"complete"} | ({"start"} if any(mark.form == marks[0].form for mark in marks[1:] if mark.kind == "complete") else set())
    return [_step(mark, known, told) for mark in marks]


@dataclass(frozen=True)
class Waiting:
    """A task that is open now, and with whom it lies."""

    task: Row[Any]
    limit: Mapping[str, str]
    who: str
    since: datetime
    then: str
    """What becomes of it once it is overdue, where the diagram has something done."""


def waiting(instance_id: int) -> list[Waiting]:
    """The open tasks of an instance."""
    return waiting_in([instance_id]).get(instance_id, [])


def waiting_in(instance_ids: Sequence[int]) -> dict[int, list[Waiting]]:
    """The open tasks of some instances, by instance."""
    found: dict[int, list[Waiting]] = {}
    rows = open_tasks(context(), *instance_ids)
    people = names_of_people(context().session, {int(task.claimed_by) for task in rows if task.claimed_by})
    named = cache(lambda *principals: listed(addressed(principals)))
    package = cache(lambda version_id: package_of(context().session.connection(), version_id))
    for task in rows:
        assignment = loads(task.assignment)
        why = assignment["why"]
        who = people.get(int(task.claimed_by or 0)) or named(*assignment["principals"])
        found.setdefault(task.instance_id, []).append(
            Waiting(
                task, why.get("limit", {}), who, limited_since(task.opened_at, why), once_overdue(package(task.version_id), task.element)
            )
        )
    return found


def addressed(principals: Iterable[str]) -> list[str]:
    """Whom a task is addressed to, in words."""
    return [say(principal_name(context().session, principal)) for principal in principals]


def answered(mark: Mark) -> list[Filled]:
    """What was filled in, in the order of its form."""
    return list(_answers(mark, _known([mark])).values())


@dataclass(frozen=True)
class _Known:
    """What the ids that were filled in stand for, and how large the files are."""

    units: Mapping[int, str]
    people: Mapping[int, str]
    held: Mapping[int, Sequence[Appointment]]
    sizes: Mapping[str, int]

    def person(self, value: Any, posts: Collection[str], day: date) -> str:
        """A person with the post they held on that day, one of those asked for if there is one."""
        person_id = read_id(value) or 0
        then = [a for a in self.held.get(person_id, ()) if a.from_date <= day and (a.to_date is None or a.to_date >= day)]
        name, held = self.people.get(person_id, str(value)), next((a for a in then if a.post in posts), then[0] if then else None)
        if held is None or held.post not in POSTS:
            return name
        return _("%(name)s（%(post)s，%(unit)s）", name=name, post=say(POSTS[held.post].name), unit=self.units[held.unit_id])


def _known(marks: Sequence[Mark]) -> _Known:
    session = context().session
    told = (*_named(marks, "person"), *(one for mark in marks for one in _copied(mark)))
    people = {person_id for value in told if (person_id := read_id(value))}
    held = ever_held(session, people) if people else {}
    worked = {one.unit_id for appointments in held.values() for one in appointments}
    units = {int(value) for value in _named(marks, "unit") if str(value).isdecimal()}
    files = {value.partition("/")[0] for m in marks for value in files_named(m.form, m.data)}
    named = names_of_people(session, people) if people else {}
    return _Known(names(session, units | worked), named, held, sizes(session, files))


def _answers(mark: Mark, known: _Known) -> dict[Field, Filled]:
    day = mark.at.astimezone(SHANGHAI).date()
    return {f: _filled(f, mark.data[f.name], known, day) for f in fields(mark.form) if mark.data.get(f.name) is not None}


def _step(mark: Mark, known: _Known, told: Collection[str]) -> Step:
    title = say(mark.name) if mark.kind in NAMED and mark.name else str(KINDS.get(mark.kind, mark.kind))
    filled = _answers(mark, known)
    outcome = next((value.words for field, value in filled.items() if field.widget == "outcome"), "")
    others = tuple(value for field, value in filled.items() if field.widget != "outcome")
    shown = others if mark.kind in told else _recipients(mark, known)
    return Step(mark, title, _about(mark), say(mark.person), outcome, _used(mark), shown)


def _about(mark: Mark) -> str:
    """Which step a notice, or what was done to a task, is about."""
    if stage := STAGES.get(str(mark.data.get("deadline_stage"))):
        return str(stage) % {"step": say(mark.about)}
    if mark.kind == "escalate":
        return _("“%(step)s”转由%(who)s办理", step=say(mark.name), who=listed(addressed(mark.data.get("principals", ()))))
    return say(mark.name) if mark.kind not in NAMED else ""


def _recipients(mark: Mark, known: _Known) -> tuple[Filled, ...]:
    """Whom something was copied to, under the posts they held."""
    day, people = mark.at.astimezone(SHANGHAI).date(), _copied(mark)
    return (Filled(_("抄送对象"), listed(known.person(one, (), day) for one in people)),) if people else ()


def _copied(mark: Mark) -> Sequence[str]:
    return mark.data.get("copied", ()) if mark.kind == COPY else ()


def _used(mark: Mark) -> str:
    if mark.kind != "complete" or mark.opened_at is None:
        return ""
    unit = Unit(mark.limit["unit"]) if mark.limit else Unit.CALENDAR_DAYS
    whole = not mark.limit or Fraction(mark.limit["amount"]).denominator == 1
    used = say(used_words(mark.opened_at, mark.at, calendar(), unit, whole_days=whole))
    return _("用时 %(used)s / 时限 %(limit)s", used=used, limit=limit_words(mark.limit)) if mark.limit else _("用时 %(used)s", used=used)


def _filled(field: Field, value: Any, known: _Known, day: date) -> Filled:
    title = say(field.title)
    if field.widget not in FITTING:
        return Filled(title, listed(_word(field, one, known, day) for one in _many(value)))
    texts, seen = [str(one) for one in _many(value)], field.widget != "attachments"
    files = [
        Named(text, title, known.sizes.get(text.partition("/")[0], 0), seen, field.widget == "signature")
        for text in texts
        if NAMED_FILE.fullmatch(text)
    ]
    return Filled(title, "", tuple(int(text) for text in texts if text.isdecimal()), tuple(files), field.is_public)


def _word(field: Field, value: Any, known: _Known, day: date) -> str:
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if field.widget == "unit" and str(value).isdecimal():
        return known.units.get(int(value), str(value))
    if field.widget == "person":
        return known.person(value, words(field.posts), day)
    if isinstance(value, dict):
        return _location(value)
    if field.codes == "categories":
        return category(str(value)) or str(value)
    if field.codes in NAMED_BY:
        return say(NAMED_BY[field.codes](context(), str(value))) or str(value)
    if field.widget == "datetime":
        return _moment(str(value))
    return next((say(choice.title) for choice in field.choices if choice.value == str(value)), str(value))


def _moment(text: str) -> str:
    try:
        return moment(moment_told(text))
    except ValueError:
        return text


def _location(value: Mapping[str, Any]) -> str:
    """The address, and where the device was."""
    address, longitude, latitude = str(value.get("address", "")), value.get("longitude"), value.get("latitude")
    if longitude is None or latitude is None:
        return address
    east, north = _degrees(longitude), _degrees(latitude)
    told = [
        _("东经 %(degrees)s°", degrees=east) if longitude >= 0 else _("西经 %(degrees)s°", degrees=east),
        _("北纬 %(degrees)s°", degrees=north) if latitude >= 0 else _("南纬 %(degrees)s°", degrees=north),
    ]
    spot = _("，").join(told) + (_("（误差约 %(n)s 米）", n=ceil(value["accuracy"])) if value.get("accuracy") else "")
    return _("；").join(part for part in (address, spot) if part)


def _degrees(number: float) -> str:
    """To a tenth of a metre: no device knows better."""
    return f"{abs(number):.6f}".rstrip("0").rstrip(".")


def _named(marks: Iterable[Mark], widget: str) -> Iterator[Any]:
    return (one for m in marks for f in fields(m.form) if f.widget == widget for one in _many(m.data.get(f.name)))


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
