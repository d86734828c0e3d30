"""Whoever a case does not concern learns nothing of it: every account × every call → 403 or 404."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from engine.schema import commands
from governance.identity.models import Account
from governance.organisation.queries import place
from governance.people.queries import appointments_of
from governance.people.rules import POSTS
from tests.api.clients import ACCEPTED, PLACE, Client, refusal, reported, signed_in, waiting
from tests.district import District

FILLED = {"data": ACCEPTED}
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
BODIES = {
    "transfer": {"person": "1", "reason": "x"},
    "withdraw": {"reason": "x"},
    "urge": {"words": "x"},
    "copy": {"people": ["1"], "words": "x"},
    "read": {},
    "photos": {"picture": PIXEL},
    "files": {"name": "a.png", "content": PIXEL},
}
"""What these calls read; the others read what a form is filled in with, or a reason."""
CASE = ("GET /cases/{case}", "GET /cases/{case}/timeline")
TASK = (
    "GET /tasks/{task}",
    "POST /tasks/{task}/claim",
    "POST /tasks/{task}/release",
    "POST /tasks/{task}/complete",
    "POST /tasks/{task}/foresee",
    "POST /tasks/{task}/transfer",
    "POST /tasks/{task}/withdraw",
    "POST /tasks/{task}/photos",
    "POST /tasks/{task}/files",
    "GET /tasks/{task}/colleagues",
    "GET /tasks/{task}/people",
)
BESIDE = tuple(call.replace(" ", " /tasks/{task}/") for call in ("POST urge", "GET recipients", "POST copy", "POST read"))
"""Beside the task; what auditors may of it, see the tests of copies and urgings."""
VOTE = ("POST /votes/{code}/ballots", "GET /votes/{vote_id}")
"""Behind a voting code, and for those who keep the roll: see the tests of votes."""
READ = ("GET /instances", "GET /instances/{instance}", "GET /instances/{instance}/log", "GET /instances/{instance}/state")
MOVE = tuple(f"POST /instances/{{instance}}/{action}" for action in ("suspend", "resume", "cancel", "rewind"))


@pytest.fixture(scope="module")
def foreigners(district: District) -> dict[str, str]:
    """Every account that the first building does not concern, and the posts it holds."""
    found = {}
    with district.office.work() as context:
        building = place(context.session, PLACE)
        assert building
        for account in context.session.scalars(select(Account)):
            held = appointments_of(context.session, account.person_id, context.today)
            sees = [POSTS[a.post].sees for a in held]
            near = [a for a in held if POSTS[a.post].sees == "subtree" and building.path.startswith(a.unit.path)]
            if "all" not in sees and not near:
                found[account.username] = " ".join(a.post for a in held)
    return found


def test_every_call_is_in_the_matrix(app: Flask) -> None:
    described = app.test_client().get("/api/v1/openapi.json").json or {}
    ours = {f"{method.upper()} {path}" for path, item in described["paths"].items() for method in item if method != "parameters"}
    tried = {"POST /tokens", "POST /cases", "GET /tasks", "GET /units", *VOTE, *CASE, *TASK, *BESIDE, *READ, *MOVE}
    named = {t.replace("{case}", "{case_id}").replace("{task}", "{task_id}").replace("{instance}", "{instance_id}") for t in tried}
    assert {f"{method} /api/v1{path}" for method, path in (t.split(" ") for t in named)} == ours


@pytest.mark.parametrize("step", ["open", "claimed", "closed"])
def test_strangers_find_nothing(app: Flask, district: District, worker: Client, foreigners: dict[str, str], step: str) -> None:
    case = reported(app)
    ids = {"case": case["id"], "task": waiting(worker, case), "instance": case["instance_id"]}
    if step != "open":
        worker.done(f"/tasks/{ids['task']}/claim")
    if step == "closed":
        worker.done(f"/tasks/{ids['task']}/complete", FILLED)
    assert {"grid_worker", "department_handler", "community_lead", "system_administrator"} <= set(" ".join(foreigners.values()).split())
    assert len(foreigners) > 60
    before = _written(district)
    for username, posts in foreigners.items():
        client = signed_in(app, district, username)
        assert (
            ids["case"] not in client.get("/tasks").text + client.get("/tasks", box="done").text + client.get("/tasks", box="started").text
        )
        for call in (*CASE, *TASK, *BESIDE):
            refusal(_made(client, call, ids, FILLED), 404)
        if "system_administrator" not in posts:
            for call in (*READ, *MOVE):
                refusal(_made(client, call, ids, {"reason": "x", "to": 1}), 403)
    assert _written(district) == before


def test_the_auditor_reads_all_and_does_nothing(app: Flask, worker: Client, auditor: Client, district: District) -> None:
    case = reported(app)
    ids = {"case": case["id"], "task": waiting(worker, case), "instance": case["instance_id"]}
    before = _written(district)
    for call in (*CASE, *TASK, *READ, *MOVE):
        status = 200 if call.startswith("GET") else 403
        assert _made(auditor, call, ids, {"reason": "x", "to": 1} if call in MOVE else FILLED).status_code == status, call
    assert _written(district) == before


def _made(client: Client, call: str, ids: dict[str, str], sent: object):  # type: ignore[no-untyped-def]
    method, path = call.format(**ids).split(" ")
    return client.get(path) if method == "GET" else client.post(path, BODIES.get(path.rpartition("/")[2], sent), If_Match='"1"')


def _written(district: District) -> int:
    with district.office.work() as context:
        return len(context.session.execute(select(commands.c.seq)).all())
