"""What one step costs, in counts that do not wobble: statements, rows written, commits, bytes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, text

from api.work import db
from engine.database import open_database
from engine.schema import guards, metadata
from governance.voting.codes import voting_code
from governance.workflow.urging import urge
from tests.api.clients import Client, signed_in
from tests.diagrams import started
from tests.district import District
from tests.engine.durable import Bench, package
from tests.journeys.matters import Matter, acting, grid_worker, place, reported, username
from tests.votes import begun, residents, sheet

STATEMENTS, ROWS = 11, 12
BYTES = 6_000
"""Of an instance with three tasks, in all tables."""
FORM = {"data": {"accept_result": "accept", "category": "0205"}, "opinion": "情况属实，予以受理。"}
HOLDING = ("instances", "commands", "tasks", "task_candidates", "timers", "outbox", "incidents")


@pytest.fixture(params=["sqlite", "postgresql"])
def district(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[District]:
    made = District(tmp_path, request.getfixturevalue("empty_postgres")() if request.param == "postgresql" else "")
    yield made
    made.close()


class Counted:
    """Counts what reaches the database while it is listening."""

    def __init__(self, app: Flask) -> None:
        self.statements, self.rows, self.commits = 0, 0, 0
        with app.app_context():
            event.listen(db.engine, "after_cursor_execute", self._executed)
            event.listen(db.engine, "commit", self._committed)

    def _executed(self, _c: object, cursor: Any, statement: str, *_: object) -> None:
        if not statement.startswith("BEGIN"):
            self.statements += 1
        if statement.startswith(("INSERT", "UPDATE", "DELETE")):
            self.rows += max(cursor.rowcount, "RETURNING" in statement)  # what is returned is counted only once it is read

    def _committed(self, _connection: object) -> None:
        self.commits += 1


def test_a_completion_over_http_stays_within_its_counts(district: District) -> None:
    matters = [reported(district, place(2)) for _ in range(2)]
    app = district.app()
    worker = signed_in(app, district, grid_worker(district, 2))
    first, second = (matter.task() for matter in matters)
    assert worker.post(f"/tasks/{first}/complete", json=FORM).status_code == 200
    counted = Counted(app)
    assert worker.post(f"/tasks/{second}/complete", json=FORM).status_code == 200
    assert (counted.statements, counted.commits) == (STATEMENTS, 1) and 5 <= counted.rows <= ROWS


def test_an_urged_row_of_the_inbox_costs_no_statement(district: District) -> None:
    matters = [reported(district, place(2)).accepted() for _ in range(6)]
    app, lead = district.app(), username(district, "building_lead", place(2))
    reader = signed_in(app, district, lead)
    press(district, matters[:1])
    before = statements(app, reader)
    press(district, matters[1:])
    lines = reader.read("/tasks")["items"]
    assert statements(app, reader) == before and [line["urged"]["times"] for line in lines] == [1] * 6


def press(district: District, matters: list[Matter]) -> None:
    """Somebody who watches over all of them urges each."""
    waiting = [matter.task() for matter in matters]
    with district.office.work() as context:
        for task in waiting:
            urge(context, acting(context, "lingdao"), task, "")


def statements(app: Flask, reader: Client) -> int:
    """How many statements the inbox takes."""
    counted = Counted(app)
    reader.read("/tasks")
    return counted.statements


def test_a_ballot_over_http_is_two_statements(district: District) -> None:
    with district.office.work() as context:
        lead = acting(context, "shequ")
        assert lead.acting
        vote_id = begun(context, lead, lead.acting.unit, sheet(residents(2))).id
    app = district.app()
    first, second = (f"/api/v1/votes/{voting_code(district.office.sealer, vote_id, n)}/ballots" for n in (1, 2))
    assert app.test_client().post(first, json={"choice": "yes"}).status_code == 201
    counted = Counted(app)
    assert app.test_client().post(second, json={"choice": "no"}).status_code == 201
    assert (counted.statements, counted.rows, counted.commits) == (2, 2, 1)


def test_an_instance_of_three_tasks_is_small(empty_postgres: Any) -> None:
    engine = open_database(empty_postgres())
    with engine.begin() as connection:
        metadata.create_all(connection)
        for guard in guards("postgresql"):
            connection.exec_driver_sql(guard)
    bench = Bench(engine)
    instance = bench.start(
        bench.publish(package(started("u", "v", "w", "e").users("u", "v", "w").ends("e"))), {"text": "排水管漏水。" * 30}
    )
    for key in ("u#1", "v#1", "w#1"):
        bench.complete(instance.instance_id, key, {"result": "accept", "note": "已到现场查看。" * 5}, opinion="情况属实，予以受理。")
    with engine.connect() as connection:
        stored = {
            name: connection.scalar(
                text(f"SELECT coalesce(sum(pg_column_size(t.*)), 0) FROM {name} t WHERE {_owner(name)}"), {"id": instance.instance_id}
            )
            for name in HOLDING
        }
    engine.dispose()
    assert 1_000 < sum(stored.values()) <= BYTES, stored


def _owner(table: str) -> str:
    if table == "task_candidates":
        return "task_id IN (SELECT id FROM tasks WHERE instance_id = :id)"
    return "id = :id" if table == "instances" else "instance_id = :id"
