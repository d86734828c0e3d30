"""The inbox with a million open tasks and twenty thousand people, where some hold posts that forty-five thousand tasks wait for.

What is measured is the product's own query, its JSON page and its HTML page, for a grid worker and for the busiest clerk.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, select, text

from engine.ids import new_id
from engine.schema import instances, task_candidates, tasks
from governance.cases.models import Case
from governance.context import Actor, Context
from governance.identity.models import Account
from governance.inbox.queries import arrived, counts, todo
from governance.people.models import Appointment, Person
from governance.people.queries import appointments_of
from tests.bench.client import Client
from tests.bench.copies import NUMBERS, copy_rows, minutes_after
from tests.bench.measure import database, median, percentile, served, tidy
from tests.bench.places import SECRET, reported
from tests.district import MONDAY, District

OPEN, PEOPLE, BUSY = 1_000_000, 20_000, 45_000
GRIDS = 868
ASKED = 300
"""How often each question is asked; a page is looked at at a random depth."""
CLERK, WORKER = "lianxi", "wanggeyuan"


def inbox(kind: str, folder: Path, n: int = OPEN) -> dict[str, Any]:
    """Milliseconds of the inbox on this database, as the asker waits for them."""
    with database(kind, folder) as url:
        district = District(folder, url)
        with district.office.work() as context:
            reported(context, 1)
            clerk, worker = (_actor(context, name).principals for name in (CLERK, WORKER))
        begun = time.perf_counter()
        with district.office.database.begin() as connection:
            fill(connection, n, clerk, worker)
        filled = round(time.perf_counter() - begun, 1)
        tidy(district.office.database)
        with district.office.work() as context:
            asked = {name: _asked(context, _actor(context, name)) for name in (CLERK, WORKER)}
        district.close()
        with served(url, folder, SECRET) as (address, _):
            pages = {name: _pages(address, name) for name in asked}
    return {
        "open_tasks": n,
        "people": PEOPLE,
        "filled_in_s": filled,
        **{name: asked[name] | pages[name] for name in asked},
    }


def fill(connection: Connection, n: int, clerk: list[str], worker: list[str]) -> None:
    """So many open tasks, each with two posts that may do it, spread over the grids but for those that wait for the clerk."""
    base = new_id(MONDAY - timedelta(days=1), lambda _: 0)
    due = minutes_after(connection, ":due", "i % 40000")
    case, table = Case.__table__, Person.__table__
    assert isinstance(case, Table) and isinstance(table, Table)
    given = {"base": base, "due": MONDAY.isoformat(" ") if connection.dialect.name == "postgresql" else f"{MONDAY:%Y-%m-%d %H:%M:%S}"}
    first = {"instances": connection.scalar(select(instances.c.id)), "cases": connection.scalar(select(Case.id))}
    of = {name: f"old.id = {id}" for name, id in first.items()}
    copy_rows(connection, instances, of["instances"], n, {"id": ":base + i", "business_key": "'none'", "state": "'{}'"}, base=base)
    copy_rows(
        connection,
        case,
        of["cases"],
        n,
        {"id": ":base + i", "number": "'B' || i", "instance_id": ":base + i", "follow_digest": "'f' || i", "submission_key": "'k' || i"},
        base=base,
    )
    task = f"old.instance_id = {first['instances']}"
    copy_rows(connection, tasks, task, n, {"id": ":base + i", "instance_id": ":base + i", "due_at": due, "notice_at": "NULL"}, **given)
    busy = max(1, round(BUSY / OPEN * 1000))
    waits = " ".join(f"WHEN i % 1000 < {busy * (k + 1)} THEN '{principal}'" for k, principal in enumerate(clerk))
    _candidates(
        connection, n, f"CASE {waits} WHEN i % {GRIDS} = 0 THEN '{worker[0]}' ELSE 'post:grid_worker@' || (i % {GRIDS}) END", due, given
    )
    _candidates(connection, n, f"'post:grid_lead@' || (i % {GRIDS})", due, given)
    copy_rows(connection, table, f"old.id = {connection.scalar(select(Person.id).limit(1))}", PEOPLE, {"id": ":base + i"}, base=base)
    appointments = Appointment.__table__
    assert isinstance(appointments, Table)
    held = f"old.id = {connection.scalar(select(Appointment.id).where(Appointment.post == 'grid_lead').limit(1))}"
    copy_rows(connection, appointments, held, PEOPLE, {"id": ":base + i", "person_id": ":base + i", "is_deputy": "true"}, base=base)


def _candidates(connection: Connection, n: int, principal: str, due: str, given: dict[str, Any]) -> None:
    rows = f"INSERT INTO task_candidates (principal, due_at, task_id) SELECT {principal}, {due}, :base + i FROM numbers"
    connection.execute(text(f"{NUMBERS} {rows}"), {"n": n, **given})


def _actor(context: Context, username: str) -> Actor:
    account = context.session.scalars(select(Account).where(Account.username == username)).one()
    held = tuple(appointments_of(context.session, account.person_id, context.today))
    return Actor(account.person_id, account.person.name, held[0], held)


def _asked(context: Context, actor: Actor) -> dict[str, Any]:
    chance, after = random.Random(1), [None, *_depths(context, actor)]
    return {
        "query_ms": _timed(lambda: todo(context, actor, after=chance.choice(after))),
        "counts_ms": _timed(lambda: counts(context, actor)),
        "news_ms": _timed(lambda: arrived(context, actor, MONDAY)),
    }


def _depths(context: Context, actor: Actor) -> list[str]:
    """Where the first pages begin, and one deep in."""
    found: list[str] = []
    for _ in range(5):
        page = todo(context, actor, after=found[-1] if found else None)
        if page.after is None:
            return found
        found.append(page.after)
    deep = context.session.connection().execute(
        select(task_candidates.c.due_at, task_candidates.c.task_id)
        .where(task_candidates.c.principal == actor.principals[0])
        .order_by(task_candidates.c.due_at, task_candidates.c.task_id)
        .offset(500)
        .limit(1)
    )
    return [*found, *(f"{due.isoformat()}~{task}" for due, task in deep)]


def _pages(address: str, username: str) -> dict[str, Any]:
    client = Client(address)
    client.sign_in(username, District.password)
    client.take_token(username, District.password)
    return {
        "json_page_ms": _timed(lambda: client.get("/api/v1/tasks")),
        "html_page_ms": _timed(lambda: client.get("/inbox")),
    }


def _timed(ask: Callable[[], object]) -> dict[str, float]:
    for _ in range(10):
        ask()
    times = []
    for _ in range(ASKED):
        begun = time.perf_counter()
        ask()
        times.append((time.perf_counter() - begun) * 1000)
    return {"p50": median(times), "p99": percentile(times, 0.99)}
