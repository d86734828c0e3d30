"""A whole roll votes at once over HTTP: nothing may be lost, nothing counted twice, and nobody waits.

Eight clients, each a process of its own, hand in the ballots of a roll by their codes. One in twenty is sent again at once, and one in
twenty-five also by another client. Then the vote is closed, and what is announced must be what was sent, and what a recount finds.
"""

from __future__ import annotations

import http.client
import json
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from governance.context import Actor
from governance.organisation.models import Kind
from governance.organisation.queries import of_kind
from governance.people.models import Appointment
from governance.voting.codes import voting_code
from governance.voting.commands import close_vote
from governance.voting.models import Ballot, RollEntry
from governance.voting.queries import recount
from tests.bench.measure import backends, database, median, opened, percentile, served, spent
from tests.bench.places import SECRET
from tests.district import Clock, District
from tests.votes import begun, residents, sheet

CLIENTS = 8
VOTERS = {"sqlite": 2_000, "postgresql": 20_000}
"""SQLite is for small places: its writers take turns."""
WEBS = {"sqlite": 1, "postgresql": 2}
"""Web processes, as `docs/install.md` sets them up."""
CHOICES = ("yes", "yes", "yes", "no", "abstain")
AN_ADDRESS = 150
"""Ballots from one address: no more may ask within a minute, and behind each is another home."""
Sent = tuple[str, str]


def ballots(kind: str, folder: Path) -> dict[str, Any]:
    """Casts, closes, counts again."""
    with database(kind, folder) as url:
        clock, voters = Clock(datetime.now(UTC)), VOTERS[kind]
        made = District(folder, url, clock)
        vote_id, frozen = _called(made, voters)
        choices = {number: CHOICES[number % len(CHOICES)] for number in range(1, voters + 1)}
        sent = {number: (voting_code(made.office.sealer, vote_id, number), choice) for number, choice in choices.items()}
        with opened(url) as engine, ExitStack() as serving:
            webs = [serving.enter_context(served(url, folder, SECRET)) for _ in range(WEBS[kind])]
            addresses, pids = [address for address, _ in webs], [pid for _, pid in webs]
            spawning = get_context("spawn")
            ready = spawning.Barrier(CLIENTS + 1)
            with ProcessPoolExecutor(CLIENTS, spawning, _wait, (ready,)) as pool:
                handing = pool.map(hand_in, (addresses * CLIENTS)[:CLIENTS], range(CLIENTS), _shares(sent))
                ready.wait()
                used, before = spent([*pids, *backends(engine)]), time.perf_counter()
                done = list(handing)
                wall = time.perf_counter() - before
            cpu = spent([*pids, *backends(engine)]) - used
        statuses: Counter[int] = sum((Counter(status for status, _ in answers) for answers in done), Counter())
        latencies = [took for answers in done for _, took in answers]
        twice = len(latencies) - voters
        if statuses != Counter({201: voters, 409: twice}):
            raise RuntimeError(f"the answers were {statuses}")
        clock.at = datetime.now(UTC) + timedelta(days=2)
        closing, agrees = _closed(made, vote_id, choices)
        made.close()
        return {
            "ballots": voters,
            "sent_twice": twice,
            "lost_or_doubled": 0 if agrees else 1,
            "per_second": round(len(latencies) / wall, 1),
            "p50_ms": median(latencies),
            "p99_ms": percentile(latencies, 0.99),
            "cpu_ms": round(cpu / len(latencies), 2),
            "import_and_freeze_s": frozen,
            **closing,
        }


def _called(made: District, voters: int) -> tuple[int, float]:
    """A vote that has begun, and what taking in and freezing its roll took."""
    with made.office.work() as context:
        held = context.session.scalars(select(Appointment).where(Appointment.post == "system_administrator")).first()
        assert held
        administrator = Actor(held.person_id, "", held, (held,))
        content = sheet(residents(voters))
        before = time.perf_counter()
        called = begun(context, administrator, of_kind(context.session, Kind.COMMUNITY)[0], content)
        return called.id, round(time.perf_counter() - before, 2)


def _shares(sent: dict[int, Sent]) -> list[list[Sent]]:
    """What each client sends: its share in order, some of it twice, and some of its neighbour's."""
    shares: list[list[Sent]] = [[] for _ in range(CLIENTS)]
    for number, ballot in sent.items():
        mine, neighbour = shares[number % CLIENTS], shares[(number + 1) % CLIENTS]
        mine += [ballot] * (2 if number % 20 == 0 else 1)
        neighbour += [ballot] if number % 25 == 0 else []
    return shares


def _wait(ready: Barrier) -> None:
    """A client begins when all have loaded what they need, so that none votes while others still start."""
    ready.wait()


def hand_in(address: str, client: int, share: Sequence[Sent]) -> list[tuple[int, float]]:
    """One client's way through its share: what it was answered, and after how many milliseconds."""
    answers = []
    host, _, port = address.partition(":")
    for begin in range(0, len(share), AN_ADDRESS):
        home = f"127.{client + 1}.{begin // AN_ADDRESS % 250 + 1}.1"
        connection = http.client.HTTPConnection(host, int(port), timeout=60, source_address=(home, 0))
        connection.connect()
        for code, choice in share[begin : begin + AN_ADDRESS]:
            before = time.perf_counter()
            body = json.dumps({"choice": choice})
            connection.request("POST", f"/api/v1/votes/{code}/ballots", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            answers.append((answer.status, (time.perf_counter() - before) * 1000))
        connection.close()
    return answers


def _closed(made: District, vote_id: int, choices: dict[int, str]) -> tuple[dict[str, float], bool]:
    """Closes and counts again; whether all that was sent is there once, announced and found alike."""
    with made.office.work() as context:
        before = time.perf_counter()
        outcome = close_vote(context, vote_id)
        closed = time.perf_counter() - before
        before = time.perf_counter()
        counted = recount(context.session, vote_id)
        recounted = time.perf_counter() - before
        stored = dict(context.session.execute(select(Ballot.number, Ballot.choice).where(Ballot.vote_id == vote_id)).tuples().all())
        marked = context.session.scalar(select(func.count()).select_from(RollEntry).where(RollEntry.is_returned))
    announced = {mark.value: weight.heads for mark, weight in outcome.tally.weights.items()}
    agrees = counted.agrees and stored == choices and marked == len(choices) and announced == Counter(choices.values())
    return {"close_s": round(closed, 2), "recount_s": round(recounted, 2)}, agrees
