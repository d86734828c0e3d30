"""取回 of what was done to a case: its clock, its grade and what its reporter sees go back with it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import select, update

from engine.schema import tasks
from governance.cases.models import Case
from governance.cases.photos import add_photo, read_picture
from governance.context import Actor, Context
from governance.errors import NotAllowed
from governance.inbox.queries import stages
from governance.organisation.commands import note_reorganised
from governance.people.models import Appointment, Person
from governance.people.queries import appointments_of
from governance.workflow.withdrawal import withdraw
from tests.district import District
from tests.journeys.matters import Matter, place, reported

ASKS_FOR_TIME = {"handle_result": "extend", "extension_reason": "等待配件到货。", "work_done": "已联系厂家。", "opinion": "订货中。"}


@pytest.fixture
def district(tmp_path: Path) -> Iterator[District]:
    made = District(tmp_path)
    yield made
    assert made.findings() == []
    made.close()


def who_did(context: Context, task_id: int) -> Actor:
    closed_by = context.session.connection().scalar(select(tasks.c.closed_by).where(tasks.c.id == task_id))
    person = context.session.get_one(Person, int(closed_by or 0))
    held = tuple(appointments_of(context.session, person.id, context.today))
    return Actor(person.id, person.name, held[0] if held else None, held)


def take_back(matter: Matter, task_id: int) -> None:
    with matter.district.office.work() as context:
        withdraw(context, who_did(context, task_id), task_id, "填错了")


def due(matter: Matter) -> datetime | None:
    with matter.district.office.work() as context:
        return context.session.get_one(Case, matter.case_id).due_at


def test_a_case_that_is_graded_anew_has_the_limit_of_its_new_grade(district: District) -> None:
    grade = {"grade_result": "handle", "category": "0205", "level": "tiered"}
    graded = reported(district, place(2)).do(accept_result="accept", category="0205").do(**grade, priority="P1")
    matter = reported(district, place(1)).do(accept_result="accept", category="0205")
    task = matter.task()
    matter.do(**grade, priority="P3")
    take_back(matter, task)
    assert due(matter) is None
    matter.do(**grade, priority="P1")
    assert due(matter) == due(graded)


def test_asking_for_time_and_taking_it_back_gains_none(district: District) -> None:
    matter = reported(district, place(1)).accepted()
    before, task = due(matter), matter.task()
    matter.do(**ASKS_FOR_TIME)
    district.clock.pass_by(days=3)
    take_back(matter, task)
    assert due(matter) == before


def test_the_reporter_does_not_see_what_was_taken_back(district: District) -> None:
    matter = reported(district, place(1)).accepted()
    task, picture = matter.task(), BytesIO()
    Image.new("RGB", (50, 50), "red").save(picture, "JPEG")
    with district.office.work() as context:
        case = context.session.get_one(Case, matter.case_id)
        worker = context.session.scalars(select(Person.id)).first()
        wrong = add_photo(context, case, read_picture(picture.getvalue()), by=worker, task_key="handle_at_tier#1").id
        before = stages(context, case.instance_id or 0)
    settled = {"handle_result": "settled", "measures": "已修。", "contacted_reporter_at": "2026-03-02T08:00", "photos_after": [str(wrong)]}
    matter.do(**settled, opinion="已办。")
    take_back(matter, task)
    follow = district.app().test_client()
    assert str(wrong) not in follow.get(f"/follow/{matter.secret}").get_data(as_text=True)
    assert follow.get(f"/follow/{matter.secret}/photos/{wrong}").status_code == 404
    with district.office.work() as context:
        assert stages(context, context.session.get_one(Case, matter.case_id).instance_id or 0) == before


def test_who_has_lost_the_post_takes_nothing_back(district: District) -> None:
    matter = reported(district, place(1)).accepted()
    task = matter.task()
    matter.do(**ASKS_FOR_TIME)
    with district.office.work() as context:
        actor = who_did(context, task)
        ended = update(Appointment).where(Appointment.person_id == actor.person_id).values(to_date=date(2026, 3, 1))
        context.session.execute(ended)
        note_reorganised(context.session)
    with district.office.work() as context, pytest.raises(NotAllowed):
        withdraw(context, who_did(context, task), task, "填错了")
