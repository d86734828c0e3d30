"""指派: from a task's setting to the people who may do it, with the reason kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import StepFailed
from engine.world import Opening
from governance.errors import NotFound
from governance.organisation.models import Kind, Unit
from governance.organisation.queries import Station, nearest, way_up
from governance.people.queries import Holder, all_appointments_of, appointments_of, staff
from governance.people.rules import POSTS, TIER_POSTS, principal
from governance.workflow.persons import read_id
from governance.workflow.rules import words

REPORTER = "reporter"
STARTER, STARTER_SELF = "starter", "starter_self"
CHOSEN = "chosen"
LAST_RESORT = "joint_office_lead"
"""Who gets what nobody else can do."""


@dataclass
class Found:
    """Who may do a task, and how they were found."""

    principals: list[str] = field(default_factory=list)
    why: list[str] = field(default_factory=list)
    unit: int | None = None
    """Where they were found, for whom a post is looked for."""


def find(session: Session, opening: Opening, today: date) -> Found:
    """Who may do the task; raises `StepFailed` when its setting leads nowhere."""
    setting = opening.settings.get("assign")
    if setting is None:
        raise StepFailed(opening.element, "assignment_missing", f"“{opening.name}”没有设置由谁办理。")
    rule = setting.get("unit", "place")
    if rule == REPORTER:
        return Found([f"{REPORTER}:{opening.business_key}"], ["由反映人本人办理"])
    if rule == STARTER_SELF and (starter := _in_office(session, opening, today)):
        return Found([f"person:{starter}"], ["由发起人本人办理"])
    if rule == CHOSEN and (free := _chosen(session, opening, today)):
        return Found([f"person:{person_id}" for person_id in free], ["由表单中选定的人员办理"])
    start, posts = _start(session, opening, rule), words(setting.get("post", ""))
    if unknown := [post for post in posts if post not in POSTS]:
        raise StepFailed(opening.element, "assignment_unknown", f"“{opening.name}”的办理岗位“{unknown[0]}”不存在。")
    search = _Search(session, today, excluded(setting, opening.data))
    found = search.climb(start, _own(opening, rule, posts, setting), exact=rule not in CLIMBING)
    return replace(found, why=["选定的人员已离任或须回避", *found.why]) if rule == CHOSEN else found


def above(session: Session, opening: Opening, formers: Sequence[str], passed: Sequence[int], today: date) -> Found | None:
    """Who stands above those a task has been addressed to: in the first unit upward, who holds a post that may do it or handles cases
    there, and is none of them under another post.

    `passed` are the units it has come to in this way already.
    """
    setting = opening.settings.get("assign", {})
    here, posts = passed[-1] if passed else _unit_of(session, formers, today), words(setting.get("post", ""))
    search = _Search(session, today, excluded(setting, opening.data), frozenset(_people(session, formers, today)))
    why: list[str] = []
    for unit in way_up(session, here)[1:] if here else ():
        own = [post for post in posts if post in POSTS and POSTS[post].unit == unit.kind]
        if found := search.at(unit, own or TIER_POSTS.get(unit.kind, ()), why):
            return Found(found, why, unit.id)
    return None


def _unit_of(session: Session, principals: Sequence[str], today: date) -> int | None:
    """The unit that a task is addressed in; for a person, that of their first post, also when they have left it."""
    for one in principals:
        kind, _, code = one.partition(":")
        if kind == "post":
            return int(code.rpartition("@")[2])
        if kind == "person" and (held := appointments_of(session, int(code), today) or all_appointments_of(session, int(code))):
            return held[0].unit_id
    return None


def _people(session: Session, principals: Sequence[str], today: date) -> Iterator[str]:
    """Everybody whom something addressed so reaches today."""
    for one in principals:
        kind, _, code = one.partition(":")
        post, _, unit_id = code.partition("@")
        yield from [code] if kind == "person" else (str(a.person_id) for a in staff(session, int(unit_id), today).get(post, ()))


def _in_office(session: Session, opening: Opening, today: date) -> int | None:
    """The person who started the process, as long as they hold a post; who has left is stood in for by whoever is above their unit."""
    starter = opening.data.get(STARTER)
    person_id = int(starter["person"]) if isinstance(starter, dict) and str(starter.get("person", "")).isdecimal() else 0
    return person_id if appointments_of(session, person_id, today) else None


def _chosen(session: Session, opening: Opening, today: date) -> list[int]:
    """Those a form has named who are in office and need not step aside."""
    away = excluded(opening.settings["assign"], opening.data)
    return [one for one in _named_in_form(opening) if str(one) not in away and appointments_of(session, one, today)]


def _named_in_form(opening: Opening) -> list[int]:
    """Whom the field that the setting speaks of names; raises `StepFailed` when it names nobody."""
    value = opening.data.get(opening.settings["assign"].get("person", ""))
    people = [read_id(one) for one in (value if isinstance(value, list) else [value])]
    if not people or None in people:
        raise StepFailed(opening.element, "assignment_failed", f"“{opening.name}”由表单中选定的人员办理，但还没有选定人员。")
    return [one for one in people if one]


def excluded(setting: Mapping[str, str], data: Mapping[str, Any]) -> set[str]:
    """回避: the people who must not do a task, because they did one that it judges."""
    named = (data.get(name) for name in words(setting.get("exclude", "")))
    acted = (one for given in named for one in (given if isinstance(given, list) else [given]))
    return {str(one.get("person")) for one in acted if isinstance(one, dict)}


def _own(opening: Opening, rule: str, posts: tuple[str, ...], setting: Mapping[str, str]) -> tuple[str, ...]:
    """A task that goes back to who acted before goes to the very post they acted under, when it is among those allowed."""
    before = opening.data.get(rule)
    post = before.get("post") if isinstance(before, dict) and rule not in words(setting.get("exclude", "")) else None
    return (post,) if post in posts else posts


CLIMBING = ("place", "matter", "first_receiver", "settler", "dispatcher", STARTER, STARTER_SELF, CHOSEN)
"""Rules that mean "the nearest unit upward that has the post"; the others name the unit itself."""


def _start(session: Session, opening: Opening, rule: str) -> Sequence[Station]:
    """The way up from where the search begins."""
    reader = RULES.get(rule)
    if reader is None:
        raise StepFailed(opening.element, "assignment_unknown", f"“{opening.name}”的办理单位规则“{rule}”不存在。")
    try:
        return way_up(session, reader(session, opening))
    except (NotFound, KeyError, TypeError) as error:
        raise StepFailed(opening.element, "assignment_failed", f"“{opening.name}”找不到办理单位（规则：{rule}）。") from error


Rule = Callable[[Session, Opening], int | str]
"""Which unit the search begins at."""


def _named(variable: str) -> Rule:
    return lambda _, opening: opening.data[variable]


def _of_actor(variable: str) -> Rule:
    return lambda _, opening: opening.data[variable]["unit"]


def _above(kind: Kind) -> Rule:
    def find_above(session: Session, opening: Opening) -> int:
        found = nearest(way_up(session, opening.data["place_unit"]), kind)
        if found is None:
            raise NotFound
        return found.id

    return find_above


def _of_chosen(session: Session, opening: Opening) -> int:
    """Where the first whom a form has named works, or did before they left."""
    held = all_appointments_of(session, _named_in_form(opening)[0])
    if not held:
        raise NotFound
    return held[0].unit_id


RULES: dict[str, Rule] = {
    "place": _named("place_unit"),
    "matter": _named("matter_unit"),
    "tier": _named("tier_unit"),
    "street": _above(Kind.SUBDISTRICT),
    "district": _above(Kind.DISTRICT),
    "liaison_leader": _above(Kind.DISTRICT),
    "lead_unit": _named("lead_unit"),
    "co_unit": _named("co_unit"),
    "own_task": _of_actor("own_task"),
    "responsible_unit": _named("responsible_unit"),
    STARTER: _of_actor(STARTER),
    STARTER_SELF: _of_actor(STARTER),
    CHOSEN: _of_chosen,
    "settler": _of_actor("settler"),
    "dispatcher": _of_actor("dispatcher"),
    "first_receiver": _of_actor("first_receiver"),
    "convener": _of_actor("convener"),
}


@dataclass
class _Search:
    session: Session
    today: date
    excluded: set[str]
    formers: frozenset[str] = frozenset()
    """Those who have let it become overdue: who stands above is somebody else."""

    def climb(self, chain: Sequence[Station], posts: Sequence[str], *, exact: bool) -> Found:
        """Looks for the posts in the first unit that has them, then up the tree for whoever stands above it."""
        why: list[str] = []
        fitting = [(unit, [p for p in posts if POSTS[p].unit == unit.kind]) for unit in chain]
        fitting = [(unit, wanted) for unit, wanted in fitting if wanted]
        for unit, wanted in fitting[:1] if exact else fitting:
            if found := self.at(unit, wanted, why):
                return Found(found, why)
        above = chain[chain.index(fitting[0][0]) + 1 :] if fitting else chain
        for unit in above:
            if found := self.at(unit, TIER_POSTS.get(unit.kind, ()), why):
                why.append(f"原岗位空缺，由上级{unit.name}代为办理")
                return Found(found, why)
        top = chain[-1]
        found = self.at(top, (LAST_RESORT,), why) or [principal(LAST_RESORT, top.id)]
        why.append(f"各级均无人可办，交{top.name}联席办主任")
        return Found(found, why)

    def at(self, unit: Station, posts: Sequence[str], why: list[str]) -> list[str]:
        """The principals of these posts in this unit that somebody other than the excluded holds."""
        found: list[str] = []
        holding = staff(self.session, unit.id, self.today)
        for post in posts:
            held = holding.get(post, ())
            free = [a for a in held if str(a.person_id) not in self.excluded | self.formers]
            if not free:
                away = any(str(a.person_id) in self.excluded for a in held)
                why.append(f"{unit.name}{POSTS[post].name}{('须回避' if away else '就是原办理人') if held else '空缺'}")
                continue
            found += [principal(post, unit.id)] if len(free) == len(held) else [f"person:{a.person_id}" for a in free]
            why.append(self.reason(unit, post, free))
        return found

    def reason(self, unit: Station, post: str, held: Sequence[Holder]) -> str:
        deputy = "（代理）" if held[0].is_deputy else ""
        return f"{unit.name}{POSTS[post].name}{deputy}"


def tier_with_holder(session: Session, chain: Sequence[Station], tiers: Sequence[Kind], today: date) -> tuple[int, Station] | None:
    """The first of these tiers, above the place, where somebody holds a post that handles cases; 1 is the lowest."""
    order = list(TIER_POSTS)
    for kind in tiers:
        for unit in (u for u in chain if u.kind == kind or (kind == Kind.BUILDING and u.kind == Kind.ESTATE)):
            if any(p in staff(session, unit.id, today) for p in TIER_POSTS[kind] if POSTS[p].unit == unit.kind):
                return order.index(kind) + 1, unit
    return None


def department_named(session: Session, name: str) -> Unit | None:
    """The department that goes by this name."""
    return session.scalar(select(Unit).where(Unit.kind == Kind.DEPARTMENT, Unit.name == name, Unit.valid_to.is_(None)))
