"""Lives the demo district's last ninety days: every case goes through the real process, in the order of time."""

from __future__ import annotations

import heapq
import io
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from PIL import Image, ImageDraw
from sqlalchemy import select

from engine.log import loads
from engine.schema import tasks, timers
from governance.calendar.queries import working_calendar
from governance.calendar.rules import SHANGHAI
from governance.cases.commands import Report
from governance.cases.models import Case
from governance.cases.photos import Picture, add_photo, read_picture
from governance.context import Actor, Context
from governance.forms.rules import Field, outcome, shown_fields
from governance.intake.commands import report
from governance.organisation.models import Kind, Unit
from governance.organisation.queries import of_kind
from governance.people.models import Appointment
from governance.people.queries import appointments_of, holders
from governance.workflow.assignment import REPORTER
from governance.workflow.commands import Desk, complete, complete_as_reporter, desk
from governance.workflow.limits import fire, remind
from wuzhang.demo.texts import BEYOND, COMMENTS, MEASURES, REPLIES, TEXTS

DAYS = 90
A_FEW, BURSTING = 3, 9
LATELY = timedelta(days=6)
BURST = (150, 146, 143, 126, 122, 119)
"""Hours before the end at which pipes burst: urgent matters that soon come to the first department."""
FRESH = (3, 6, 27, 30)
"""Hours before the end at which the first grid's residents report something, so that there is something to accept."""
URGENT = ("02", "04")
"""Water, electricity, gas and safety: what may be urgent."""
SATISFIED = {"已解决": (5, 5, 5, 4, 4, 3), "部分解决": (4, 3, 3), "未解决": (2, 1)}


class Clock:
    """The frozen clock of the demo."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


@dataclass(order=True)
class Event:
    """Something somebody will do."""

    at: datetime
    number: int
    act: Callable[[], None] = field(compare=False)


@dataclass
class Life:
    """The demo's events in the order of time."""

    context: Context
    clock: Clock
    dice: Random
    until: datetime
    events: list[Event] = field(default_factory=list)
    number: int = 0
    hardness: dict[int, int] = field(default_factory=dict)
    last_task: int = 0
    pictures: list[Picture] = field(default_factory=list)
    shown: frozenset[str] = frozenset()
    """Whom visitors sign in as: some of what came to them lately is left for the visitor."""
    left: Counter[str] = field(default_factory=Counter)
    others: dict[str, Callable[[Desk, int], None]] = field(default_factory=dict)
    """Who does the tasks of instances that are no cases, by the kind their business key begins with."""

    def plan(self, at: datetime, act: Callable[[], None]) -> None:
        if at <= self.until:
            self.number += 1
            heapq.heappush(self.events, Event(at, self.number, act))

    def live(self, cases: int, progress: Callable[[int], None] = lambda _: None) -> None:
        """Plans the reports, then does everything that follows from them until today."""
        self.pictures = [read_picture(_picture(colour)) for colour in ("#8a9a5b", "#6c7a89", "#a67b5b")]
        buildings = of_kind(self.context.session, Kind.BUILDING)
        grids = of_kind(self.context.session, Kind.GRID)
        for hours in FRESH[:cases]:
            self.plan(self.until - timedelta(hours=hours), lambda: self.report(buildings[0]))
        for hours in BURST[: max(cases - len(FRESH), 0)]:
            self.plan(self.until - timedelta(hours=hours), lambda: self.report(self.dice.choice(buildings[-20:]), burst=True))
        for _ in range(cases - len(FRESH) - len(BURST)):
            at = self.until - timedelta(minutes=int(DAYS * 24 * 60 * self.dice.random() ** 2.6))
            at = at.replace(hour=self.dice.choice((0, 1, 2, 3, 6, 7, 8, 9, 12)))
            at -= timedelta(days=1) if at > self.until else timedelta()
            place = self.dice.choice(buildings if self.dice.random() < 0.75 else grids)
            self.plan(at, lambda place=place: self.report(place))  # type: ignore[misc]
        done = 0
        while self.events:
            event = heapq.heappop(self.events)
            self.pass_to(event.at)
            event.act()
            done += 1
            if done % 100 == 0:
                progress(done)
        self.pass_to(self.until)

    def pass_to(self, at: datetime) -> None:
        """Lets time pass: what falls due on the way happens at its own instant."""
        connection = self.context.session.connection()
        while True:
            timer = connection.execute(
                select(timers.c.due_at, timers.c.instance_id, timers.c.key).order_by(timers.c.due_at).limit(1)
            ).first()
            notice = connection.execute(
                select(tasks.c.notice_at, tasks.c.id).where(tasks.c.notice_at.is_not(None)).order_by(tasks.c.notice_at).limit(1)
            ).first()
            if timer and timer.due_at <= at and (notice is None or timer.due_at <= notice.notice_at):
                self.clock.at = max(self.clock.at, timer.due_at)
                fire(self.context, timer.instance_id, timer.key)
            elif notice and notice.notice_at <= at:
                self.clock.at = max(self.clock.at, notice.notice_at)
                remind(self.context, notice.id)
            else:
                break
            self.see_new_tasks()
        self.clock.at = max(self.clock.at, at)

    def report(self, place: Unit, *, burst: bool = False) -> None:
        category, text, hard = TEXTS[0] if burst else self.dice.choice(TEXTS)
        patrol = self.dice.random() < 0.3
        by = self.somebody(place) if patrol else None
        contact = f"139{self.dice.randrange(10**8):08d}" if not patrol and self.dice.random() < 0.8 else ""
        reported = Report(
            text=text,
            place=place,
            channel="网格员巡查" if by else ("居民自报(网页/小程序)" if contact else "居民匿名"),
            submission_key=f"demo-{self.number}-{self.dice.randrange(10**9)}",
            category=category if by else None,
            contact_name=self.dice.choice(("王女士", "李先生", "陈阿姨", "周师傅")) if contact else "",
            contact_mobile=contact,
            is_confidential=bool(contact) and self.dice.random() < 0.1,
            is_self_found=by is not None,
            reported_by=by.person_id if by else None,
        )
        case, _secret = report(self.context, reported, [self.dice.choice(self.pictures)] if self.dice.random() < 0.4 else [], by)
        self.hardness[case.id] = BURSTING if burst else hard
        case.category = category
        self.see_new_tasks()

    def see_new_tasks(self) -> None:
        """Plans when each task that has opened will be done."""
        fresh = select(tasks.c.id, tasks.c.due_at, tasks.c.assignment).where(tasks.c.id > self.last_task, tasks.c.closed_at.is_(None))
        for row in self.context.session.connection().execute(fresh.order_by(tasks.c.id)).all():
            self.last_task = row.id
            if self.is_left(loads(row.assignment)["principals"]):
                continue
            span = (row.due_at - self.clock.at) if row.due_at else timedelta(days=1)
            share = self.dice.choice((0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.95, 1.6)) + self.dice.random() * 0.05
            self.plan(self.awake(self.clock.at + span * share), lambda id=row.id: self.do(id))  # type: ignore[misc]

    def is_left(self, principals: Sequence[str]) -> bool:
        """Whether a task stays for the visitor who signs in as one of those shown: a few for each, and some more."""
        theirs = [p for p in principals if p in self.shown]
        if not theirs or self.until - self.clock.at > LATELY:
            return False
        self.left[theirs[0]] += 1
        return self.left[theirs[0]] <= A_FEW or self.dice.random() < 0.3

    def awake(self, at: datetime) -> datetime:
        """The next moment at which somebody would sit down to it: by day, and seldom outside of office hours."""
        calendar, minute = working_calendar(self.context.session), timedelta(minutes=1)
        by_day = 7 <= at.astimezone(SHANGHAI).hour < 21
        if calendar.working_time(at, at + minute) or (by_day and self.dice.random() < 0.1):
            return at
        return calendar.forward(at, minute * self.dice.randrange(3, 50))

    def do(self, task_id: int) -> None:
        held = desk(self.context, task_id)
        if held.task["closed_at"] is not None or held.task["status"] != "running":
            return
        kind, _, key = held.task["business_key"].rpartition(":")
        if kind:
            self.others[kind](held, task_id)
            return
        case = self.context.session.get_one(Case, int(key))
        data = self.fill(held, case)
        if any(p.startswith(f"{REPORTER}:") for p in held.principals):
            if self.dice.random() < 0.75:
                complete_as_reporter(self.context, case.id, task_id, data)
                self.see_new_tasks()
            return
        actor = self.holder(held.principals)
        if actor is None:
            return
        opinion = self.dice.choice(("情况属实，请按规定办理。", "已核实。", "请尽快办理。", "同意。"))
        complete(self.context, actor, task_id, data, opinion=opinion)
        self.see_new_tasks()

    # ---- decisions ------------------------------------------------------------------------------------------

    def fill(self, held: Desk, case: Case) -> dict[str, Any]:
        """A believable filling of the form: first what to do, then what that asks for."""
        chosen, data = outcome(held.form, held.data, self.clock.at), dict[str, Any]()
        if chosen:
            data[chosen.name] = self.decide(held.task["element"], [c.value for c in chosen.choices], case, held.data)
        for shown in shown_fields(held.form, data, held.data, self.clock.at):
            if shown.name not in data and (shown.is_required or shown.name in ("satisfaction", "evaluation_comment")):
                data[shown.name] = self.value(shown, held, case, data)
        return data

    def decide(self, element: str, choices: Sequence[str], case: Case, data: Mapping[str, Any]) -> str:
        hard, roll = self.hardness.get(case.id, 1), self.dice.random()
        wanted = {
            "accept_case": "on_spot"
            if hard == 0 and roll < 0.5
            else ("refuse" if roll > 0.97 else ("supplement" if roll > 0.93 else "accept")),
            "grade_case": "handle",
            "handle_at_tier": "settled"
            if hard <= (data.get("tier") or 1) - 1 or roll < 0.15
            else ("assist" if roll > 0.93 else ("extend" if roll > 0.9 else "escalate")),
            "assess_at_street": "self" if hard < 3 else ("whistle" if roll < 0.2 else "escalate"),
            "handle_at_street": "settled",
            "acknowledge_case": "return" if roll > 0.88 else "acknowledge",
            "review_return": "refuse" if roll < 0.6 else "agree",
            "undertake_case": "settled" if roll < 0.9 else ("shelve" if roll > 0.96 else "extend"),
            "check_by_upper_tier": "rework" if roll > 0.9 else "pass",
            "check_by_dispatcher": "rework" if roll > 0.9 else "pass",
            "evaluate_case": "evaluate",
            "call_back": "justified" if roll < 0.7 else "objective",
        }.get(element)
        return wanted if wanted and wanted in choices else choices[0]

    def value(self, shown: Field, held: Desk, case: Case, data: Mapping[str, Any]) -> Any:
        """A value for one field."""
        match shown.widget:
            case "photos":
                return [str(add_photo(self.context, case, self.dice.choice(self.pictures), task_key=held.task["key"]).id)]
            case "datetime":
                late = self.clock.at + timedelta(days=self.dice.choice((3, 5, 7)))
                return (late if shown.when == "future" else self.clock.at).isoformat()
            case "checkbox":
                return True
            case "number":
                return 3
            case "codes":
                return case.category or "9901"
            case "unit":
                return self.unit(shown, held)
        if shown.choices:
            return self.choice(shown, case, data)
        if shown.name == "evaluation_comment":
            return self.dice.choice(COMMENTS[data.get("resolved", "已解决")])
        texts = {"measures": MEASURES, "reply_text": REPLIES, "escalation_reason": BEYOND, "work_done": MEASURES}
        return self.dice.choice(texts.get(shown.name, ("已按规定办理，情况属实。", "已到现场核实，正在推进。")))

    def choice(self, shown: Field, case: Case, data: Mapping[str, Any]) -> Any:
        if shown.type == "array":
            return [shown.choices[0].value]
        if shown.name == "satisfaction":
            return self.dice.choice(SATISFIED[data.get("resolved", "已解决")])
        if shown.name == "resolved":
            return self.dice.choice(("已解决", "已解决", "已解决", "部分解决", "未解决"))
        if shown.name == "priority" and self.hardness.get(case.id) == BURSTING:
            return "P2"
        if shown.name == "priority":
            return self.dice.choice(("P3", "P3", "P2") if (case.category or "")[:2] in URGENT else ("P3", "P3", "P3", "P4"))
        return shown.choices[0].value

    def unit(self, shown: Field, held: Desk) -> Any:
        departments = [str(u.id) for u in of_kind(self.context.session, Kind.DEPARTMENT)]
        if shown.name == "lead_unit":
            return held.data.get("suggested_unit") or self.dice.choice(departments)
        if shown.name == "place_unit":
            return held.data["place_unit"]
        return [self.dice.choice(departments)] if shown.type == "array" else self.dice.choice(departments)

    # ---- people ---------------------------------------------------------------------------------------------

    def holder(self, principals: Sequence[str]) -> Actor | None:
        """Somebody the task is addressed to."""
        for principal in principals:
            kind, _, rest = principal.partition(":")
            post, _, unit_id = rest.partition("@")
            if kind == "person":
                held = appointments_of(self.context.session, int(rest), self.context.today)
            else:
                held = holders(self.context.session, post, int(unit_id), self.context.today)
            if held:
                return self.actor(self.dice.choice(held))
        return None

    def somebody(self, place: Unit) -> Actor | None:
        grid = self.context.session.get_one(Unit, place.parent_id) if place.kind == Kind.BUILDING and place.parent_id else place
        for post in ("grid_worker", "grid_lead"):
            if held := holders(self.context.session, post, grid.id, self.context.today):
                return self.actor(held[0])
        return None

    def actor(self, appointment: Appointment) -> Actor:
        held = tuple(appointments_of(self.context.session, appointment.person_id, self.context.today))
        return Actor(appointment.person_id, appointment.person.name, appointment, held)


def _picture(colour: str) -> bytes:
    """A plain drawing that stands for a photo."""
    picture = Image.new("RGB", (640, 480), colour)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 330, 640, 480), fill="#55534e")
    draw.rectangle((90, 90, 300, 330), fill="#d8cfc0", outline="#6b6358", width=6)
    draw.ellipse((380, 350, 560, 420), fill="#4a6b86")
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()
