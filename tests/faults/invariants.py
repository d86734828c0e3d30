"""What must hold of the whole record, whatever was killed, cut off or done twice. Every fault test asks the same list.

Each invariant reads the tables as they stand and yields a sentence for everything that is broken.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, RowMapping, Table, func, select

from engine.anchor import Anchor
from engine.audit import Finding, broken_checkpoints, broken_heads, broken_logs, not_in_database
from engine.errors import EngineError
from engine.log import entries, loads
from engine.replay import replay
from engine.schema import commands, incidents, instances, outbox, task_candidates, tasks, timers
from engine.versions import package_of, programs
from engine.world import CANCELLED, FINISHED, RUNNING, SUSPENDED
from governance.cases.models import Case, CaseNumber, Photo
from governance.cases.photos import photo_path
from governance.cases.rules import final_status

OVER = (FINISHED, CANCELLED)
ENDED = ("已结案", "不予受理", "已撤回", "已并案", "已作废")


@dataclass(frozen=True)
class Acknowledged:
    """What somebody outside was told had been done: a report, a claim, a completion, a photo."""

    kind: str
    subject: str
    key: str
    answer: Mapping[str, Any]


@dataclass
class Record:
    """The record under examination, and what is known of it outside: what was acknowledged, what services were asked."""

    connection: Connection
    folder: Path
    trusted: Collection[bytes]
    """The public keys of the deployment, which sign its checkpoints."""
    acknowledged: Sequence[Acknowledged] = ()
    effects: Counter[str] | None = None
    """How often an outside service was asked for each outbox row, as the service itself counted."""
    is_quiet: bool = True
    """Whether everything due has been done, so that nothing may wait in the outbox."""
    seen: dict[str, list[RowMapping]] = field(default_factory=dict)

    def rows(self, table: Table) -> list[RowMapping]:
        if table.name not in self.seen:
            self.seen[table.name] = list(self.connection.execute(select(table)).mappings())
        return self.seen[table.name]

    @property
    def cases(self) -> list[RowMapping]:
        return self.rows(Case.__table__)  # type: ignore[arg-type]

    @cached_property
    def log(self) -> Mapping[int, list[RowMapping]]:
        """The commands of each instance, in order."""
        found: dict[int, list[RowMapping]] = defaultdict(list)
        for row in sorted(self.rows(commands), key=lambda row: (row["instance_id"], row["seq"])):
            found[row["instance_id"]].append(row)
        return found

    @cached_property
    def by_id(self) -> Mapping[int, RowMapping]:
        return {row["id"]: row for row in self.rows(instances)}


Invariant = Callable[[Record], Iterator[str]]


def chains_are_whole_and_replay_gives_the_state(record: Record) -> Iterator[str]:
    yield from map(_found, broken_logs(record.connection))


def what_is_sealed_is_so_still(record: Record) -> Iterator[str]:
    yield from map(_found, broken_heads(record.connection))
    yield from map(_found, broken_checkpoints(record.connection, record.trusted))
    anchor = Anchor(record.folder / "anchor.jsonl")
    if anchor.path.exists():
        yield from map(_found, not_in_database(record.connection, anchor.lines(anchor.extent())))


def _found(finding: Finding) -> str:
    return f"instance {finding.instance_id}, command {finding.seq}, checkpoint {finding.checkpoint}: {finding.reason}"


def a_completed_task_is_a_command_and_the_reverse(record: Record) -> Iterator[str]:
    logged = Counter((row["instance_id"], row["task_key"]) for row in record.rows(commands) if row["kind"] == "complete")
    logged -= Counter((row["instance_id"], row["task_key"]) for row in record.rows(commands) if row["kind"] == "withdraw")
    done = Counter((row["instance_id"], row["key"]) for row in record.rows(tasks) if row["outcome"] == "completed")
    for where in (logged - done) + (done - logged):
        yield f"task {where}: {logged[where]} commands, {done[where]} completed rows"


def open_tasks_are_addressed_and_closed_ones_are_not(record: Record) -> Iterator[str]:
    addressed = {row["task_id"] for row in record.rows(task_candidates)}
    for task in record.rows(tasks):
        if (task["closed_at"] is None) is not (task["id"] in addressed):
            yield f"task {task['id']} ({task['key']}): closed {task['closed_at']}, addressed {task['id'] in addressed}"


def a_claimed_task_is_its_claimers_alone(record: Record) -> Iterator[str]:
    addressed = defaultdict(set)
    for row in record.rows(task_candidates):
        addressed[row["task_id"]].add(row["principal"])
    for task in record.rows(tasks):
        if task["claimed_by"] and not task["closed_at"] and addressed[task["id"]] != {f"person:{task['claimed_by']}"}:
            yield f"task {task['id']}: claimed by {task['claimed_by']}, addressed to {addressed[task['id']]}"


def cases_and_instances_belong_to_each_other(record: Record) -> Iterator[str]:
    of_case = {str(case["id"]): case["instance_id"] for case in record.cases}
    for id, instance_id in of_case.items():
        if instance_id not in record.by_id:
            yield f"case {id} has no instance"
    for row in record.by_id.values():
        if row["business_key"].isdecimal() and of_case.get(row["business_key"]) != row["id"]:
            yield f"instance {row['id']} belongs to no case"


def every_instance_began_with_its_start(record: Record) -> Iterator[str]:
    for id, row in record.by_id.items():
        kinds = [entry["kind"] for entry in record.log[id]]
        if kinds[:1] not in (["start"], ["incident"]) or kinds.count("start") > 1:
            yield f"instance {id} began with {kinds[:1]}"
        if record.log[id] and record.log[id][-1]["at"] != row["advanced_at"]:
            yield f"instance {id} says it moved at another moment than its last command"


def timers_run_for_running_instances(record: Record) -> Iterator[str]:
    for timer in record.rows(timers):
        if record.by_id[timer["instance_id"]]["status"] not in (RUNNING, SUSPENDED):
            yield f"timer {timer['key']} of instance {timer['instance_id']} runs on"


def a_timer_fires_once(record: Record) -> Iterator[str]:
    fired = Counter((r["instance_id"], r["task_key"], loads(r["facts"]).get("due")) for r in record.rows(commands) if r["kind"] == "timer")
    yield from (f"timer {which} fired {times} times" for which, times in fired.items() if times > 1)


def a_reminder_comes_once(record: Record) -> Iterator[str]:
    """Once for each limit: that of an escalated task begins anew."""
    told: Counter[tuple[int, str, str, int]] = Counter()
    limits: Counter[tuple[int, str]] = Counter()
    for row in (row for rows in record.log.values() for row in rows):
        limits[row["instance_id"], row["task_key"]] += row["kind"] == "escalate"
        data = loads(row["data"])[1] if row["kind"] in ("message", "notice") and row["data"] else {}
        if "deadline_stage" in data:
            which = row["instance_id"], data["deadline_task"]
            told[*which, data["deadline_stage"], limits[which]] += 1
    yield from (f"reminder {which} came {times} times" for which, times in told.items() if times > 1)


def what_is_over_is_at_rest(record: Record) -> Iterator[str]:
    over = {id for id, row in record.by_id.items() if row["status"] in OVER}
    for id in over:
        row = record.by_id[id]
        if row["state"] is not None or row["ended_at"] is None:
            yield f"instance {id} is over and keeps a state or no end"
        try:
            machine = replay(programs(record.connection), row["version_id"], entries(record.connection, id))
        except EngineError as error:
            yield f"instance {id} is over and cannot be replayed: {error}"
            continue
        if machine.tree.below(machine.tree.task_tree) or not machine.finished:
            yield f"instance {id} is over and has live tokens"
    for table, open_now in ((tasks, "closed_at"), (incidents, "resolved_at")):
        yield from (
            f"{table.name} {r['id']} of a finished instance is open"
            for r in record.rows(table)
            if r["instance_id"] in over and not r[open_now]
        )


def a_key_acts_once(record: Record) -> Iterator[str]:
    used = Counter(row["idempotency_key"] for row in record.rows(commands) if row["idempotency_key"])
    yield from (f"key {key} acted {times} times" for key, times in used.items() if times > 1)


def incidents_are_marked(record: Record) -> Iterator[str]:
    stopped = {row["instance_id"] for row in record.rows(incidents) if row["resolved_at"] is None}
    for id, row in record.by_id.items():
        if row["has_incident"] is not (id in stopped):
            yield f"instance {id}: has_incident is {row['has_incident']}"


def numbers_have_no_gap(record: Record) -> Iterator[str]:
    given = Counter(case["number"] for case in record.cases)
    yield from (f"number {number} was given {times} times" for number, times in given.items() if times > 1)
    by_day: dict[str, set[int]] = defaultdict(set)
    for number in given:
        by_day[number[6:14]].add(int(number[14:]))
    for day, last in record.connection.execute(select(CaseNumber.day, CaseNumber.last)):
        if by_day[f"{day:%Y%m%d}"] != set(range(1, last + 1)):
            yield f"the numbers of {day} have gaps up to {last}"


def a_case_follows_its_instance(record: Record) -> Iterator[str]:
    for case in record.cases:
        row = record.by_id.get(case["instance_id"])
        if row is None:
            continue
        if row["status"] in OVER and (case["status"] not in ENDED or case["closed_at"] is None):
            yield f"case {case['number']} is {case['status']} and its instance is over"
        if row["state"] is None:
            continue
        stands, version = loads(row["state"]), package_of(record.connection, row["version_id"])
        open_now = [t["element"] for t in record.rows(tasks) if t["instance_id"] == row["id"] and not t["closed_at"]]
        named = {
            version.diagram.nodes[element].settings["status"]["value"]
            for element in open_now
            if "status" in version.diagram.nodes[element].settings
        }
        if named and case["status"] not in named:
            yield f"case {case['number']} is {case['status']}, its tasks say {named}"
        if not named and open_now and case["close_code"] and case["status"] != final_status(case["close_code"], stands["data"]):
            yield f"case {case['number']} is {case['status']}, closed as {case['close_code']}"
        for column in ("tier", "rework_n", "reopen_n", "return_n", "extension_n"):
            if isinstance(stands["data"].get(column), int) and stands["data"][column] != case[column]:
                yield f"case {case['number']}: {column} is {case[column]}, in its instance {stands['data'][column]}"


def photos_lie_where_the_record_says(record: Record) -> Iterator[str]:
    known = {str(photo["id"]) for photo in record.rows(Photo.__table__)}  # type: ignore[arg-type]
    for photo in record.rows(Photo.__table__):  # type: ignore[arg-type]
        path = photo_path(record.folder, photo["digest"])
        if not path.exists() or hashlib.sha256(path.read_bytes()).hexdigest() != photo["digest"]:
            yield f"photo {photo['id']} is missing or damaged"
    for row in record.rows(commands):
        data = loads(row["data"])[1] if row["kind"] == "complete" and row["data"] else {}
        yield from (f"command {row['seq']} names photo {id}, which is nowhere" for id in data.get("photos_after", ()) if id not in known)


def what_was_sent_was_answered_once(record: Record) -> Iterator[str]:
    asked = [row for row in record.rows(outbox) if row["kind"] == "service"]
    answers = Counter(row["instance_id"] for row in record.rows(commands) if row["kind"] == "service_result")
    for row in record.rows(outbox) if record.is_quiet else ():
        if row["done_at"] is None and row["due_at"] is not None and record.by_id[row["instance_id"]]["status"] != SUSPENDED:
            yield f"outbox {row['id']} still waits"
    done = Counter(row["instance_id"] for row in asked if row["done_at"])
    for id, times in answers.items():
        if times > done[id]:
            yield f"instance {id} took {times} answers to {done[id]} questions"
    if record.effects is not None:
        for row in asked:
            if row["done_at"] and not record.effects[str(row["id"])]:
                yield f"outbox {row['id']} is done, and its service was never asked"


def what_was_acknowledged_is_there_once(record: Record) -> Iterator[str]:
    logged, listed = (
        {(id, row["seq"]): row for id, rows in record.log.items() for row in rows},
        {row["id"]: row for row in record.rows(tasks)},
    )
    claims = Counter(
        (row["instance_id"], row["task_key"], loads(row["actor"]).get("person")) for row in record.rows(commands) if row["kind"] == "claim"
    )
    photos = {str(photo["id"]) for photo in record.rows(Photo.__table__)}  # type: ignore[arg-type]
    texts = Counter((case["text"], str(case["id"]), case["number"]) for case in record.cases)
    reported = Counter(case["text"] for case in record.cases)
    for told in record.acknowledged:
        said = told.answer
        match told.kind:
            case "report":
                kept = texts[told.subject, said["id"], said["number"]] == 1 == reported[told.subject]
            case "complete":
                row, task = logged.get((int(said["instance_id"]), said["seq"])), listed.get(int(told.subject))
                kept = bool(
                    row and task and row["kind"] == "complete" and row["task_key"] == task["key"] and task["outcome"] == "completed"
                )
            case "claim":
                task = listed.get(int(told.subject))
                kept = bool(task) and claims[task["instance_id"], task["key"], str(said["claimed_by"])] == 1
            case "photo":
                kept = said["id"] in photos
            case _:
                kept = False
        if not kept:
            yield f"acknowledged and not there once: {told.kind} {told.subject} {json.dumps(dict(said), ensure_ascii=False, default=str)[:200]}"


INVARIANTS: tuple[Invariant, ...] = (
    chains_are_whole_and_replay_gives_the_state,
    what_is_sealed_is_so_still,
    a_completed_task_is_a_command_and_the_reverse,
    open_tasks_are_addressed_and_closed_ones_are_not,
    a_claimed_task_is_its_claimers_alone,
    cases_and_instances_belong_to_each_other,
    every_instance_began_with_its_start,
    timers_run_for_running_instances,
    a_timer_fires_once,
    a_reminder_comes_once,
    what_is_over_is_at_rest,
    a_key_acts_once,
    incidents_are_marked,
    numbers_have_no_gap,
    a_case_follows_its_instance,
    photos_lie_where_the_record_says,
    what_was_sent_was_answered_once,
    what_was_acknowledged_is_there_once,
)


def broken(record: Record) -> list[str]:
    """Everything that does not hold, each with the name of its invariant."""
    return [f"{invariant.__name__}: {said}" for invariant in INVARIANTS for said in invariant(record)]


def counted(connection: Connection, table: Table) -> int:
    return int(connection.scalar(select(func.count()).select_from(table)) or 0)
