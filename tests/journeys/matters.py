"""Matters that are moved on by commands, so that a browser test begins where its own question begins."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from engine.schema import task_candidates, tasks
from governance.cases.commands import Report
from governance.cases.models import Case
from governance.context import Actor, Context
from governance.identity.models import Account
from governance.intake.commands import report
from governance.organisation.models import Unit
from governance.people.models import Appointment, Person
from governance.people.queries import appointments_of
from governance.workflow.commands import claim, complete, complete_as_reporter
from tests.district import District

LEAK = "楼道里的排水管漏水，从三楼一直滴到一楼，老人走路容易摔倒。"
_numbers = itertools.count(1)


def place(community: int = 1, grid: int = 1, building: int = 1) -> str:
    """The code of a building; communities are numbered from 1 to 9 through the three subdistricts."""
    street, within = divmod(community - 1, 3)
    return f"500199{street + 1:03d}{within + 1:03d}{grid:05d}{building:05d}"


def username(district: District, post: str, code: str) -> str:
    """Who holds a post of a unit."""
    query = (
        select(Account.username).join(Appointment, Appointment.person_id == Account.person_id).join(Unit, Unit.id == Appointment.unit_id)
    )
    with district.office.work() as context:
        return str(context.session.scalars(query.where(Appointment.post == post, Unit.code == code)).first())


def name(district: District, username: str) -> str:
    with district.office.work() as context:
        return _person(context, username).name


def grid_worker(district: District, community: int, grid: int = 1) -> str:
    return username(district, "grid_worker", place(community, grid)[:17])


@dataclass
class Matter:
    """A reported matter."""

    district: District
    case_id: int
    secret: str

    def task(self, element: str | None = None) -> int:
        """The open task, or the one of this element."""
        query = select(tasks.c.id).join(Case, Case.instance_id == tasks.c.instance_id).where(Case.id == self.case_id)
        query = query.where(tasks.c.element == element) if element else query.where(tasks.c.closed_at.is_(None))
        with self.district.office.work() as context:
            return int(context.session.connection().execute(query.order_by(tasks.c.id.desc())).scalars().first() or 0)

    def open(self) -> list[str]:
        """The elements of the open tasks."""
        query = select(tasks.c.element).join(Case, Case.instance_id == tasks.c.instance_id).where(Case.id == self.case_id)
        with self.district.office.work() as context:
            return list(context.session.connection().scalars(query.where(tasks.c.closed_at.is_(None))))

    def do(self, who: str = "", opinion: str = "", step: str = "", **data: Any) -> Matter:
        """Somebody finishes the open task, or that of a step: by user name, or whoever it is addressed to."""
        task = self.task(step or None)
        with self.district.office.work() as context:
            complete(context, acting(context, who) if who else addressed_actor(context, task), task, data, opinion=opinion)
        return self

    def take(self, who: str) -> Matter:
        task = self.task()
        with self.district.office.work() as context:
            claim(context, acting(context, who), task)
        return self

    def answer(self, **data: Any) -> Matter:
        """The reporter finishes the task that is theirs."""
        task = self.task("evaluate_case" if "evaluate_case" in self.open() else None)
        with self.district.office.work() as context:
            complete_as_reporter(context, self.case_id, task, data)
        return self

    def accepted(self, who: str = "") -> Matter:
        self.do(who, accept_result="accept", category="0205")
        return self.do(who, grade_result="handle", category="0205", priority="P3", level="tiered")

    def replied(self) -> Matter:
        """Settled on the spot, answered, waiting for the evaluation."""
        self.do(
            accept_result="on_spot",
            category="0205",
            measures="更换了密封圈。",
            reply_text="已修好，请查看。",
            opinion="内部研判：老旧管网。",
        )
        while self._element() != "evaluate_case":
            self._go_on()
        return self

    def _element(self) -> str:
        task = self.task()
        with self.district.office.work() as context:
            return str(context.session.connection().scalar(select(tasks.c.element).where(tasks.c.id == task)))

    def _go_on(self) -> None:
        match self._element():
            case "check_by_upper_tier" | "check_by_dispatcher":
                self.do(check_result="pass", check_note="现场干燥。")
            case "reply_to_reporter":
                self.do(reply_result="replied", reply_mode="individual", reply_text="已修好，请查看。", replied_at="2026-03-02T09:00")
            case other:
                raise AssertionError(other)


def addressee(district: District, task_id: int) -> str:
    """The user name of somebody whom a task is addressed to."""
    with district.office.work() as context:
        who = addressed_actor(context, task_id).person_id
        return str(context.session.scalar(select(Account.username).where(Account.person_id == who)))


def reported(district: District, where: str, text: str = LEAK, by: str = "", mobile: str = "13800001234") -> Matter:
    with district.office.work() as context:
        unit = context.session.scalar(select(Unit).where(Unit.code == where))
        assert unit
        actor = acting(context, by) if by else None
        filled = Report(
            text=text,
            place=unit,
            channel="网格员巡查" if actor else "居民自报(网页/小程序)",
            submission_key=f"test-{next(_numbers)}",
            contact_mobile="" if actor else mobile,
            is_self_found=actor is not None,
            reported_by=actor.person_id if actor else None,
        )
        case, secret = report(context, filled, (), actor)
        return Matter(district, case.id, secret or "")


def acting(context: Context, username: str) -> Actor:
    return _as(context, _person(context, username))


def _person(context: Context, username: str) -> Person:
    return context.session.scalars(select(Person).join(Account, Account.person_id == Person.id).where(Account.username == username)).one()


def addressed_actor(context: Context, task_id: int) -> Actor:
    principal = (
        context.session.connection().scalars(select(task_candidates.c.principal).where(task_candidates.c.task_id == task_id)).first()
    )
    kind, _, rest = str(principal).partition(":")
    if kind == "person":
        return _as(context, context.session.get_one(Person, int(rest)))
    post, _, unit = rest.partition("@")
    held = context.session.scalars(select(Appointment).where(Appointment.post == post, Appointment.unit_id == int(unit))).first()
    assert held
    return _as(context, held.person)


def _as(context: Context, person: Person) -> Actor:
    held = tuple(appointments_of(context.session, person.id, context.today))
    return Actor(person.id, person.name, held[0] if held else None, held)
