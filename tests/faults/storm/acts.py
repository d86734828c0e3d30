"""The acts of the storm. Each is played on a district of its own and examined at its end."""

from __future__ import annotations

import random
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select, text, update
from waitress import create_server

from engine.database import writing
from engine.schema import commands, incidents, outbox, tasks, timers
from engine.schema import instances as instance_rows
from governance.workflow.world import instances
from jobs.queue import QUEUES, make_queue
from tests.diagrams import started, timer
from tests.faults.invariants import Acknowledged, Record, broken
from tests.faults.storm.clients import WAYS, Ledger, Line, crowd, picture, report
from tests.faults.storm.house import House, caller, metronome, now
from tests.faults.storm.outside import FAILING, GOOD, NONSENSE, SLOW, Outside, outside
from tests.faults.storm.servers import FAST, IMMEDIATE, Postgres, fill, small_disk, until
from tests.faults.storm.stage import LAG, RECOVERY, Outcome, Stage, at, lags
from wuzhang.app import create_app
from wuzhang.office import Office

ON_SQLITE = 30
"""Kills of the embedded set-up, whose one process does everything."""
BETWEEN = 1.2
"""Seconds within which something should be done between two kills."""
AT_ONCE = 64
STUCK = 5
"""Instances whose every attempt raises."""


# ---- processes that die ------------------------------------------------------------------------------------------


def kills(stage: Stage, outcome: Outcome) -> None:
    """Bar 8: web processes, workers and their children die at any moment, while people work."""
    ledger = Ledger()
    with stage.house(outcome, "kills", ledger) as house:
        _beat(house, 8)
        house.open(webs=3, workers=2, beats=1)
        with _people(house, stage, ledger):
            _kill(house, ledger, stage.kills, stage.dice("kills"), outcome)


def kills_sqlite(stage: Stage, outcome: Outcome) -> None:
    """The same with one process that serves and works, on SQLite."""
    ledger = Ledger()
    with stage.house(outcome, "kills_sqlite", ledger, sqlite=True) as house:
        _beat(house, 4)
        house.open(webs=1)
        with _people(house, stage, ledger):
            _kill(house, ledger, min(stage.kills, ON_SQLITE), stage.dice("kills_sqlite"), outcome)


def _kill(house: House, ledger: Ledger, times: int, dice: random.Random, outcome: Outcome) -> None:
    """Kills at random moments of work: something is done between two kills, unless nothing can be for a while."""
    died, begun = Counter[str](), time.monotonic()
    for _ in range(times):
        before, last = len(ledger.told), time.monotonic() + BETWEEN
        while len(ledger.told) == before and time.monotonic() < last:
            time.sleep(0.005)
        time.sleep(dice.uniform(0, 0.4))
        died[house.kill(dice)] += 1
    outcome.figures |= {"kills": died.total(), **{f"of {what}": count for what, count in died.items()}}
    outcome.demand(time.monotonic() - begun < 300, "bar 8: the kills took more than 5 minutes")


def _people(house: House, stage: Stage, ledger: Ledger, size: tuple[int, int] = (3, 7)) -> Any:
    return crowd(lambda: list(house.webs), list(house.seed.tokens.values()), house.seed.places, ledger, stage.seed, size)


def _beat(house: House, times: int) -> None:
    version = house.publish(metronome())
    for number in range(times):
        house.begin(version, f"metronome {number}")


def _line(house: House, ledger: Ledger, name: str = "") -> Line:
    token = house.seed.tokens[name] if name else ""
    return Line(lambda: list(house.webs), ledger, random.Random(secrets.randbits(32)), threading.Event(), token)


# ---- servers that go away ----------------------------------------------------------------------------------------


def restarts(stage: Stage, outcome: Outcome) -> None:
    """Bar 9: PostgreSQL and Redis go away and come back under load."""
    ledger = Ledger()
    with stage.house(outcome, "restarts", ledger) as house:
        _beat(house, 4)
        house.open(webs=2, workers=2, beats=1)
        with _people(house, stage, ledger, (2, 4)):
            for name, away, back in (
                ("postgres_fast", lambda: stage.postgres.stop(FAST), stage.postgres.start),
                ("postgres_immediate", lambda: stage.postgres.stop(IMMEDIATE), stage.postgres.start),
                ("redis_killed", stage.redis.stop, stage.redis.start),
                ("redis_flushed", stage.redis.flush, lambda: None),
            ):
                time.sleep(3)
                away()
                _while_away(house, outcome, name)
                back()
                house.office.database.dispose()
                took = _recovery(house)
                outcome.figures |= {f"{name}_s": took, "restarts": int(outcome.figures.get("restarts", 0)) + 1}
                outcome.figures["recovery_s"] = max(took, float(outcome.figures.get("recovery_s", 0)))
                outcome.demand(took < RECOVERY, f"bar 9: recovery from {name} took {took} s")


def _while_away(house: House, outcome: Outcome, name: str) -> None:
    """With the database gone everybody reads a sentence; with the broker gone nobody notices."""
    said, line = Ledger(), _line(house, Ledger())
    line.ledger, last = said, time.monotonic() + 2
    while time.monotonic() < last:
        answer = line.once("POST", "/cases", {"text": "路灯不亮。", "place": house.seed.places[0]}, secrets.token_hex(12))
        if name.startswith("postgres"):
            outcome.demand(bool(answer) and answer[0] == 503 and "系统繁忙" in answer[1].get("detail", ""), f"{name}: answered {answer}")
        else:
            outcome.demand(bool(answer) and answer[0] == 201, f"{name}: answered {answer}")
        time.sleep(0.2)
    line.hang_up()
    outcome.broken += [f"{name}: answered {strange}" for strange in said.strange]


def _recovery(house: House) -> float:
    """Seconds until something is reported and a timer fires again."""
    begun, line = time.monotonic(), _line(house, Ledger())
    line.ask("POST", "/cases", {"text": "路灯又亮了。", "place": house.seed.places[0]}, secrets.token_hex(12))
    line.hang_up()
    back = now()
    until(lambda: _fired_since(house.office.database, back), "a timer fires again")
    return round(time.monotonic() - begun, 2)


def _fired_since(database: Engine, since: datetime) -> bool:
    with database.connect() as connection:
        return connection.scalar(select(commands.c.seq).where(commands.c.kind == "timer", commands.c.at > since).limit(1)) is not None


# ---- disks that fill up ------------------------------------------------------------------------------------------


def full_disk(stage: Stage, outcome: Outcome) -> None:
    """The disk of SQLite, of the photos and of PostgreSQL is full, and then it is not any more."""
    with small_disk(stage.folder / "disk-sqlite", 32) as disk:
        ledger = Ledger()
        with stage.house(outcome, "full_sqlite", ledger, sqlite=True, data=disk) as house:
            house.open(webs=1)
            with _people(house, stage, ledger, (2, 3)):
                _fill_and_free(house, outcome, "sqlite", disk)
    with small_disk(stage.folder / "disk-photos", 8) as disk, stage.house(outcome, "full_photos", data=disk) as house:
        house.open(webs=1)
        _photos(house, outcome, disk)
    with small_disk(stage.folder / "disk-postgres", 120) as disk:
        _full_postgres(stage, outcome, disk)


def _full_postgres(stage: Stage, outcome: Outcome, disk: Path) -> None:
    disk.chmod(0o711)
    server, ledger = Postgres(disk), Ledger()
    server.start()
    server.execute("CREATE DATABASE seed")
    try:
        seed = stage.on_postgres.sown(server.url("seed"), stage.folder / "seed-full")
        full = Stage(stage.folder, stage.seed, 0, server, stage.redis, stage.nursery, seed, stage.on_sqlite)
        with full.house(outcome, "full_postgres", ledger) as house:
            house.open(webs=1, workers=1, beats=1)
            with _people(house, stage, ledger, (2, 3)):
                _fill_and_free(house, outcome, "postgres", disk, server)
    finally:
        server.stop(IMMEDIATE)


def _fill_and_free(house: House, outcome: Outcome, name: str, disk: Path, server: Postgres | None = None) -> None:
    time.sleep(2)
    ballast, line, said = fill(disk), _line(house, Ledger()), Counter[str]()
    last = time.monotonic() + 20
    while time.monotonic() < last and not said["507"]:
        answer = line.once("POST", "/cases", {"text": "下水道堵了。" * 300, "place": house.seed.places[0]}, secrets.token_hex(12))
        said[str(answer[0]) if answer else "none"] += 1
        outcome.demand(answer is None or answer[0] != 507 or "磁盘空间" in answer[1]["detail"], f"{name}: {answer}")
    outcome.figures[f"{name}_507"] = said["507"]
    outcome.demand(said["507"] > 0 or (server is not None and not server.answers()), f"{name}: a full disk was answered with {dict(said)}")
    time.sleep(1)
    ballast.unlink()
    if server and not server.answers():  # out of space for its own log it stops; whoever supervises it starts it again
        server.stop(IMMEDIATE)
        server.start()
    begun = time.monotonic()
    line.ask("POST", "/cases", {"text": "下水道通了。", "place": house.seed.places[0]}, secrets.token_hex(12))
    line.hang_up()
    outcome.figures[f"{name}_back_s"] = took = round(time.monotonic() - begun, 2)
    outcome.demand(took < RECOVERY, f"{name}: with space again, it took {took} s")


def _photos(house: House, outcome: Outcome, disk: Path) -> None:
    line = _line(house, Ledger())
    case = report(line, house.seed.places[0])
    assert case
    task, line.token = _first_task(house, int(case["instance_id"]))
    ballast = fill(disk)
    answer = line.once("POST", f"/tasks/{task}/photos", {"picture": picture(random.Random(1))})
    outcome.demand(bool(answer) and answer[0] == 507 and "磁盘空间" in answer[1]["detail"], f"photos: answered {answer}")
    outcome.demand([p for p in (disk / "photos").rglob("*") if p.is_file()] == [], "photos: something half-written was left")
    ballast.unlink()
    answer = line.once("POST", f"/tasks/{task}/photos", {"picture": picture(random.Random(1))})
    outcome.demand(bool(answer) and answer[0] == 201, f"photos: with space again, answered {answer}")
    line.hang_up()


def _first_task(house: House, instance_id: int) -> tuple[int, str]:
    """The open task of an instance, and the token of somebody who may do it."""
    with house.office.database.connect() as connection:
        task = connection.scalar(select(tasks.c.id).where(tasks.c.instance_id == instance_id, tasks.c.closed_at.is_(None)))
    assert task
    return int(task), _entitled(house, int(task))[0]


def _entitled(house: House, task: int) -> list[str]:
    """The tokens of all who have the task in their inbox."""
    found = []
    for name, token in house.seed.tokens.items():
        line = _line(house, Ledger(), name)
        answer = line.ask("GET", "/tasks?box=todo")
        line.hang_up()
        if answer and str(task) in {item["id"] for item in answer[1]["items"]}:
            found.append(token)
    return found


# ---- clocks that jump --------------------------------------------------------------------------------------------


def clock(stage: Stage, outcome: Outcome) -> None:
    """The clock of web and runners jumps by hours, while limits run out."""
    for sqlite in (False, True):
        name, ledger = "clock_sqlite" if sqlite else "clock", Ledger()
        with stage.house(outcome, name, ledger, sqlite=sqlite) as house:
            hands = Hands()
            with _living(house, hands):
                with _people(house, stage, ledger, (2, 4)):
                    for hours in (6, 1, 9, 2, -6, 4):
                        time.sleep(1.2)
                        hands.shift = timedelta(hours=hours)
                for days in (4, 1, 12, 30):
                    hands.shift = timedelta(days=days)
                    time.sleep(1)
                _run_out(house, hands)
            outcome.figures["steps"] = int(outcome.figures.get("steps", 0)) + 10
            outcome.demand(_count(house, "timer") > 0, f"{name}: no timer fired")


@dataclass
class Hands:
    """A clock that can be put forward and back."""

    shift: timedelta = timedelta()

    def __call__(self) -> datetime:
        return now() + self.shift


def _run_out(house: House, clock: Hands) -> None:
    until(lambda: _overdue(house, clock()) == 0, "all limits have run out")


@contextmanager
def _living(house: House, clock: Callable[[], datetime]) -> Iterator[None]:
    """The real web application and two runners in this process, by a clock of our own."""
    office, stop = Office(house.config, clock), threading.Event()
    server = create_server(create_app(house.config, clock), host="127.0.0.1", port=0, threads=4)
    house.webs = {int(server.effective_port): -1}
    living = [threading.Thread(target=office.runner.run, args=(stop,), daemon=True) for _ in range(2)]
    living.append(threading.Thread(target=server.run, daemon=True))
    for thread in living:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        server.close()
        house.webs = {}
        for thread in living[:2]:
            thread.join(timeout=20)
        office.database.dispose()


def _overdue(house: House, at: datetime) -> int:
    with house.office.database.connect() as connection:
        running = select(instance_rows.c.id).where(instance_rows.c.status == "running")
        late = connection.scalars(select(timers.c.key).where(timers.c.due_at < at, timers.c.instance_id.in_(running))).all()
        noticed = connection.scalars(select(tasks.c.id).where(tasks.c.notice_at < at, tasks.c.instance_id.in_(running))).all()
        return len(late) + len(noticed)


def _count(house: House, kind: str) -> int:
    with house.office.database.connect() as connection:
        return len(connection.scalars(select(commands.c.seq).where(commands.c.kind == kind)).all())


# ---- neighbours that hold things up ------------------------------------------------------------------------------


def services(stage: Stage, outcome: Outcome) -> None:
    """Bar 10: one outside service hangs, one fails, one talks nonsense; nobody else waits for them."""
    for sqlite in (False, True):
        with outside() as beyond:
            named = {"services": beyond.services, "effects": beyond.asked}
            with stage.house(outcome, f"services{'_sqlite' * sqlite}", sqlite=sqlite, **named) as house:
                _beat(house, 8)
                house.open(webs=1, workers=0 if sqlite else 2, beats=0 if sqlite else 1)
                _call(house, beyond, outcome)


def _call(house: House, beyond: Outside, outcome: Outcome) -> None:
    called = {mood: house.publish(caller(mood)) for mood in beyond.services}
    time.sleep(1)
    calm = now()
    time.sleep(5)
    usual, since = at(0.95, lags(house, calm)), now()
    for number in range(12):
        for mood in (SLOW, SLOW, FAILING, NONSENSE):
            house.begin(called[mood], f"{mood} {number}")
    for number in range(25):
        house.begin(called[GOOD], f"{GOOD} {number}")
        time.sleep(0.4)
    time.sleep(1)
    _late(house, outcome, usual, lags(house, since) + [lag for lag in lags(house, unfired=True) if lag > LAG])
    with house.office.database.connect() as connection:
        rows = connection.execute(select(outbox.c.created_at, outbox.c.done_at, instance_rows.c.business_key).join(instance_rows)).all()
    waited = sorted(((row.done_at or now()) - row.created_at).total_seconds() for row in rows if row.business_key.startswith(GOOD))
    outcome.figures["good_lag_max_s"] = max(round(waited[-1], 2), float(outcome.figures.get("good_lag_max_s", 0)))
    outcome.demand(at(0.95, waited) < LAG + usual, f"bar 10: a good service was asked {at(0.95, waited)} s late")
    until(lambda: _give_up(house) >= 24, "what fails three times is an incident")
    beyond.mended.set()
    outcome.figures["incidents"] = int(outcome.figures.get("incidents", 0)) + _retry(house)
    until(lambda: _give_up(house) == 0 and _unsent(house) == 0, "everything mended is done")


def _give_up(house: House) -> int:
    """Lets the pauses between attempts pass at once; how many incidents are open."""
    with writing(house.office.database) as connection:
        leased = now() + timedelta(minutes=2.5)
        waiting = (outbox.c.due_at > now()) & outbox.c.error.is_not(None) & ((outbox.c.attempts == 1) | (outbox.c.due_at > leased))
        connection.execute(update(outbox).where(waiting).values(due_at=now()))
        return len(connection.scalars(select(incidents.c.id).where(incidents.c.resolved_at.is_(None))).all())


def _unsent(house: House) -> int:
    with house.office.database.connect() as connection:
        return len(connection.scalars(select(outbox.c.id).where(outbox.c.done_at.is_(None))).all())


def _retry(house: House) -> int:
    with house.office.database.connect() as connection:
        ids = connection.scalars(select(incidents.c.id).where(incidents.c.resolved_at.is_(None))).all()
    for id in ids:
        with house.office.work() as context:
            instances(context).retry(id, {"person": "1"})
    return len(ids)


def _late(house: House, outcome: Outcome, usual: float, values: list[float]) -> None:
    """How late timers were beside what is stuck; `usual` is how late they are on this machine anyway."""
    late = sorted(values)
    outcome.demand(len(late) > 20, f"only {len(late)} timers fired")
    p95, most, name = at(0.95, late), at(1, late), house.folder.name
    outcome.figures |= {f"{name}_usual_s": usual, f"{name}_p50_s": at(0.5, late), f"{name}_p95_s": p95, f"{name}_max_s": most}
    outcome.figures |= {"lag_p95_s": max(p95, float(outcome.figures.get("lag_p95_s", 0)))}
    outcome.figures |= {"lag_max_s": max(most, float(outcome.figures.get("lag_max_s", 0)))}
    outcome.demand(p95 < LAG + usual, f"bar 10: 5 % of the timers were {p95} s late or more, usually {usual}")


def poison(stage: Stage, outcome: Outcome) -> None:
    """Bar 10: instances that can never go on."""
    for sqlite in (False, True):
        with stage.house(outcome, f"poison{'_sqlite' * sqlite}", sqlite=sqlite) as house:
            failing = (
                started("t", "g")
                .node("intermediateCatchEvent", "t", timer("duration", "PT1S"))
                .node("exclusiveGateway", "g", default="f_g_e")
            )
            stopping = house.publish(failing.flow("g", "e2", "nothing.of_that > 3").flow("g", "e").ends("e", "e2"))
            spoiled = _spoiled(house)
            house.open(webs=1, workers=0 if sqlite else 2, beats=0 if sqlite else 1)
            for number in range(20):
                house.begin(stopping, f"stops {number}")
            time.sleep(2)
            healthy, since = house.publish(metronome()), now()
            for number in range(8):
                house.begin(healthy, f"healthy {number}")
            time.sleep(8)
            names = select(instance_rows.c.id).where(instance_rows.c.business_key.startswith("healthy"))
            _late(house, outcome, 0, lags(house, since, of=names) + lags(house, unfired=True, of=names))
            outcome.demand(_incidents(house) == 20, f"{_incidents(house)} of 20 that cannot go on are incidents")
            outcome.figures["incidents"] = int(outcome.figures.get("incidents", 0)) + _incidents(house)
            _heal(house, spoiled)
            house.renew()
            until(lambda: not [lag for lag in lags(house, unfired=True) if lag > 5], "what was healed goes on")


def _spoiled(house: House) -> dict[int, str]:
    """Instances whose state cannot be read: every attempt raises. What it was is given back."""
    version = house.publish(metronome())
    ids = [house.begin(version, f"stuck {number}") for number in range(STUCK)]
    with writing(house.office.database) as connection:
        kept = {
            row.id: row.state
            for row in connection.execute(select(instance_rows.c.id, instance_rows.c.state).where(instance_rows.c.id.in_(ids)))
        }
        connection.execute(update(instance_rows).where(instance_rows.c.id.in_(ids)).values(state="{"))
    return kept


def _heal(house: House, kept: Mapping[int, str]) -> None:
    with writing(house.office.database) as connection:
        for id, state in kept.items():
            connection.execute(update(instance_rows).where(instance_rows.c.id == id).values(state=state))


def _incidents(house: House) -> int:
    with house.office.database.connect() as connection:
        return len(connection.scalars(select(incidents.c.id).where(incidents.c.resolved_at.is_(None))).all())


# ---- everything twice --------------------------------------------------------------------------------------------


def doubles(stage: Stage, outcome: Outcome) -> None:
    """Two beats, two workers, and every wake-up delivered twice at the same moment: every effect once."""
    with outside() as beyond:
        ledger = Ledger()
        with stage.house(outcome, "doubles", ledger, services=beyond.services, effects=beyond.asked) as house:
            _beat(house, 6)
            house.open(webs=1, workers=2, beats=2)
            good = house.publish(caller(GOOD))
            with _people(house, stage, ledger, (2, 2)), _echo(stage.redis.url) as sent:
                for number in range(30):
                    house.begin(good, f"{GOOD} {number}")
                    _due_now(house)
                    time.sleep(0.25)
            until(lambda: _unsent(house) == 0, "all services were asked")
            outcome.figures |= {"wake_ups": sent[0], "asked": beyond.asked.total(), "reminders": _count(house, "message")}
            outcome.demand(set(beyond.asked.values()) == {1}, f"asked twice although nobody died: {beyond.asked.most_common(3)}")
            outcome.demand(_count(house, "message") > 0, "no reminder came")


@contextmanager
def _echo(redis_url: str) -> Iterator[list[int]]:
    """Sends every wake-up twice at once, as long as the block lasts."""

    def nobody() -> Any:
        raise AssertionError("nothing runs here")

    stop, sent, together = threading.Event(), [0], threading.Barrier(2)
    queue = make_queue(redis_url, nobody)

    def send() -> None:
        while not together.broken:
            try:
                together.wait(timeout=5)
            except threading.BrokenBarrierError:
                return
            for name, carrier in QUEUES.items():
                queue.send_task(f"wuzhang.{name}", queue=carrier, expires=1)
                sent[0] += 1
            if stop.wait(0.2):
                together.abort()

    pair = [threading.Thread(target=send, daemon=True) for _ in range(2)]
    for thread in pair:
        thread.start()
    try:
        yield sent
    finally:
        stop.set()
        for thread in pair:
            thread.join(timeout=10)
        queue.close()


def _due_now(house: House) -> None:
    """Lets the time until the first reminders pass at once."""
    with writing(house.office.database) as connection:
        first = (tasks.c.notice_stage == 0) & tasks.c.closed_at.is_(None) & (tasks.c.notice_at > now())
        connection.execute(update(tasks).where(first).values(notice_at=now()))


# ---- everybody at once -------------------------------------------------------------------------------------------


def races(stage: Stage, outcome: Outcome) -> None:
    """Bar 7: one task, 64 people at the same moment."""
    for sqlite in (False, True):
        ledger = Ledger()
        with stage.house(outcome, f"races{'_sqlite' * sqlite}", ledger, sqlite=sqlite) as house:
            house.open(webs=1 if sqlite else 3)
            _claimed_by_one(house, ledger, outcome)
            _completed_by_one(house, ledger, outcome)
            _one_key(house, ledger, outcome)
            _reported_once(house, ledger, outcome)


def _task(house: House, ledger: Ledger) -> tuple[int, list[str]]:
    case = report(_line(house, ledger), house.seed.places[0])
    assert case
    task, _ = _first_task(house, int(case["instance_id"]))
    found = _entitled(house, task)
    assert len(found) > 1
    return task, found


def _at_once(house: House, ledger: Ledger, tokens: Sequence[str], ask: Callable[[Line, int], Any]) -> list[tuple[int, dict[str, Any]]]:
    """The same moment for everybody; what each was answered."""
    together = threading.Barrier(AT_ONCE)

    def one(number: int) -> Any:
        line = _line(house, ledger)
        line.token = tokens[number % len(tokens)] if tokens else ""
        line.ask("GET", "/units")  # so that the connection stands
        together.wait()
        answer = ask(line, number)
        line.hang_up()
        return answer or (0, {})

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, range(AT_ONCE)))


def _completed_by_one(house: House, ledger: Ledger, outcome: Outcome) -> None:
    task, tokens = _task(house, ledger)
    data, opinion = WAYS["accept_case"][0]
    body, path = {"data": data, "opinion": opinion}, f"/tasks/{task}/complete"
    answers = _at_once(house, ledger, tokens, lambda line, n: line.ask("POST", path, body, f"key {n} {secrets.token_hex(4)}"))
    won = [said for status, said in answers if status == 200]
    outcome.demand(len(won) == 1, f"bar 7: {len(won)} of {AT_ONCE} completed the task")
    lost = [said for status, said in answers if status == 409 and said.get("by") and "办结" in said["detail"]]
    outcome.demand(len(lost) == AT_ONCE - 1, f"bar 7: {len(lost)} were told who was faster; {Counter(s for s, _ in answers)}")
    ledger.told.extend(Acknowledged("complete", str(task), "", said) for said in won)
    outcome.figures["duplicates"] = int(outcome.figures.get("duplicates", 0)) + len(lost)


def _claimed_by_one(house: House, ledger: Ledger, outcome: Outcome) -> None:
    task, tokens = _task(house, ledger)
    answers = _at_once(house, ledger, tokens, lambda line, _: line.ask("POST", f"/tasks/{task}/claim", {}))
    who = {said["claimed_by"] for status, said in answers if status == 200}
    outcome.demand(len(who) == 1, f"{len(who)} people claimed the task")
    lost = [said for status, said in answers if status == 409 and said.get("by") and "签收" in said["detail"]]
    outcome.demand(len(lost) + sum(s == 200 for s, _ in answers) == AT_ONCE and bool(lost), f"claims: {Counter(s for s, _ in answers)}")
    ledger.told.extend(Acknowledged("claim", str(task), "", said) for status, said in answers if status == 200)
    outcome.figures["duplicates"] = int(outcome.figures.get("duplicates", 0)) + len(lost)


def _one_key(house: House, ledger: Ledger, outcome: Outcome) -> None:
    task, tokens = _task(house, ledger)
    data, opinion = WAYS["accept_case"][0]
    body, key = {"data": data, "opinion": opinion}, secrets.token_hex(12)
    answers = _at_once(house, ledger, tokens[:1], lambda line, _: line.ask("POST", f"/tasks/{task}/complete", body, key))
    said = {str({**answer, "repeated": None}) for _, answer in answers}
    outcome.demand({status for status, _ in answers} == {200} and len(said) == 1, f"one key, different answers: {list(said)[:3]}")
    first = sum(not answer.get("repeated") for _, answer in answers)
    outcome.demand(first == 1, f"one key acted {first} times")
    ledger.told.extend(Acknowledged("complete", str(task), key, answer) for _, answer in answers)
    outcome.figures["duplicates"] = int(outcome.figures.get("duplicates", 0)) + AT_ONCE - first


def _reported_once(house: House, ledger: Ledger, outcome: Outcome) -> None:
    body, key = {"text": f"电梯停运 {secrets.token_hex(4)}", "place": house.seed.places[0]}, secrets.token_hex(12)
    answers = _at_once(house, ledger, [], lambda line, _: line.ask("POST", "/cases", body, key))
    made = {said.get("id") for status, said in answers if status == 201}
    outcome.demand(
        len(made) == 1 and {s for s, _ in answers} == {201}, f"one report, answers: {Counter(s for s, _ in answers)}, {len(made)} cases"
    )
    ledger.told.extend(Acknowledged("report", body["text"], key, said) for status, said in answers if status == 201)


# ---- a checker that sees -----------------------------------------------------------------------------------------


def sabotage(stage: Stage, outcome: Outcome) -> None:
    """Breaks a copy of a sound record in known places: the examination must name each of them."""
    with stage.house(Outcome("before"), "sabotage") as house:
        house.open(webs=1)
        line = _line(house, Ledger())
        cases = [report(line, place) for place in house.seed.places[:3]]
        line.hang_up()
    trusted = [house.office.signer.public]
    fake = Acknowledged("report", "从未写下的一句话", "", {"id": "1", "number": "0"})
    with house.office.database.connect() as connection:
        last = "SELECT instance_id, max(seq) FROM commands GROUP BY instance_id ORDER BY 1 LIMIT 1"
        expected = {"what_was_acknowledged_is_there_once": None} | {
            "chains_are_whole_and_replay_gives_the_state": f"DELETE FROM commands WHERE (instance_id, seq) IN ({last})",
            "numbers_have_no_gap": "UPDATE case_numbers SET last = last + 1",
            "open_tasks_are_addressed_and_closed_ones_are_not": "DELETE FROM task_candidates",
        }
        for name, statement in expected.items():
            with connection.begin():
                connection.execute(text("SET LOCAL session_replication_role = replica"))
                if statement:
                    connection.execute(text(statement))
                found = broken(Record(connection, house.config.data_dir, trusted, [] if statement else [fake]))
                connection.rollback()
            outcome.demand(any(said.startswith(name) for said in found), f"the examination did not see {name}")
        outcome.figures |= {"broken on purpose": len(expected), "cases": len([c for c in cases if c])}
        outcome.broken += broken(Record(connection, house.config.data_dir, trusted))
    house.office.database.dispose()


Act = Callable[[Stage, Outcome], None]
ACTS: Mapping[str, Act] = {
    act.__name__: act for act in (kills, kills_sqlite, restarts, full_disk, clock, services, poison, doubles, races, sabotage)
}
