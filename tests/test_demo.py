"""The demo district: believable, the same each time, whole, and never in a real deployment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

from engine.audit import broken_logs
from engine.schema import commands
from governance.cases.models import Case
from governance.matters.models import Matter
from governance.organisation.models import Kind, Unit
from wuzhang.config import read_config
from wuzhang.demo.load import DemoRefused, load_demo
from wuzhang.office import Office

UNTIL = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def loaded(folder: Path) -> Office:
    office = Office(read_config({"WUZHANG_DATA_DIR": str(folder)}), lambda: UNTIL)
    office.prepare()
    load_demo(office, cases=80, grids=63)
    return office


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    made = loaded(tmp_path_factory.mktemp("demo"))
    yield made
    made.database.dispose()


def lives(office: Office) -> list[tuple[object, ...]]:
    with office.database.connect() as connection:
        columns = (commands.c.instance_id, commands.c.seq, commands.c.at, commands.c.kind, commands.c.task_key, commands.c.actor)
        return [tuple(row) for row in connection.execute(select(*columns).order_by(commands.c.instance_id, commands.c.seq))]


def test_the_district_has_every_kind_of_unit_and_cases_in_many_stages(office: Office) -> None:
    with office.work() as context:
        units = Counter(context.session.scalars(select(Unit.kind)))
        statuses = Counter(context.session.scalars(select(Case.status).where(Case.channel != "议事决议转办")))
        stages = set(context.session.scalars(select(Matter.stage)))
    assert set(units) == set(Kind) and (units[Kind.SUBDISTRICT], units[Kind.COMMUNITY], units[Kind.GRID]) == (3, 9, 63)
    assert units[Kind.DEPARTMENT] == 15 and sum(statuses.values()) == 80 and len(statuses) >= 5
    assert len(stages) >= 6


def test_every_record_of_it_is_whole(office: Office) -> None:
    with office.database.connect() as connection:
        assert list(broken_logs(connection)) == []


def test_it_is_the_same_each_time(office: Office, tmp_path: Path) -> None:
    again = loaded(tmp_path)
    assert lives(again) == lives(office)
    again.database.dispose()


def test_every_clock_is_what_the_log_says(office: Office) -> None:
    """Counting every limit anew by an unchanged calendar changes none."""
    with office.work() as context:
        before = context.session.connection().scalar(select(func.count()).select_from(commands))
        cases = {case.id: case.due_at for case in context.session.scalars(select(Case))}
    while office.runner._follow_calendar():
        continue
    with office.work() as context:
        assert context.session.connection().scalar(select(func.count()).select_from(commands)) == before
        assert {case.id: case.due_at for case in context.session.scalars(select(Case))} == cases


def test_it_is_loaded_once_and_never_where_a_secret_is_set(office: Office) -> None:
    assert load_demo(office) is False
    with pytest.raises(DemoRefused):
        load_demo(replace(office, config=replace(office.config, is_trial=False)))
