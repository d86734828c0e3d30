"""办理时限: what the clock does to open tasks: the diagram's timers, reminders, and new due dates when the working calendar has changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from sqlalchemy import RowMapping, select, update

from engine.assigning import Rescheduled
from engine.errors import NothingWaits
from engine.holding import Held
from engine.instances import Instances
from engine.log import entries, loads
from engine.plans import lasting
from engine.replay import MOVING, lived
from engine.schema import tasks
from engine.versions import programs
from engine.world import RUNNING, SYSTEM
from governance.calendar.queries import working_calendar
from governance.calendar.rules import Unit as LimitUnit
from governance.calendar.rules import WorkCalendar
from governance.cases.models import Case
from governance.cases.rules import Standing, reckon
from governance.context import Context
from governance.deadlines.rules import warn_at
from governance.workflow.overdue import settle_overdue
from governance.workflow.rules import limited_since
from governance.workflow.world import instances

OVERDUE = "overdue"
STAGES = ("due_soon", OVERDUE, "red")
DEADLINE_PASSED = "deadline_passed"
"""The message a process may listen to; each stage of each task sends it once."""
LONG = timedelta(hours=24)
UNEXPECTED = "系统执行到这一步时多次出错，已停在这里，原因见系统日志。"
CALENDAR_CHANGED = "calendar"


def fire(context: Context, instance_id: int, key: str) -> None:
    """Fires a timer of the diagram, when it still is due."""
    instances(context).fire(instance_id, key)


def give_up(context: Context, instance_id: int, key: str) -> None:
    """Makes a timer that failed again and again an incident, which an administrator sees and can retry."""
    instances(context).timer_failed(instance_id, key, UNEXPECTED)


def remind(context: Context, task_id: int) -> None:
    """75 %: a yellow light; 100 %: 催办, and 超期处理; a day later: 督办. Each once, when it still is so, and in the log."""
    run = instances(context)
    row = run.hold(task_id).task
    if row["closed_at"] or row["notice_at"] is None or row["notice_at"] > context.now() or row["notice_stage"] >= len(STAGES):
        return
    told = {"deadline_stage": STAGES[row["notice_stage"]], "deadline_task": row["key"]}
    try:
        run.message(row["instance_id"], DEADLINE_PASSED, told, SYSTEM)
    except NothingWaits:
        run.note(row["instance_id"], "notice", SYSTEM, task_key=row["key"], data=told)
    stage, still_open = row["notice_stage"] + 1, (tasks.c.id == task_id) & tasks.c.closed_at.is_(None)
    following = _notice(stage, row["due_at"], row["due_at"])
    context.session.connection().execute(update(tasks).where(still_open).values(notice_at=following, notice_stage=stage))
    if told["deadline_stage"] == OVERDUE:
        settle_overdue(context, task_id)


def follow_calendar(context: Context, instance_id: int) -> None:
    """Counts the limits of a running instance anew, those of its open tasks and of its case; what changes is in the log."""
    run, calendar = instances(context), working_calendar(context.session)
    held = run.hold_instance(instance_id)
    if held.state is None:
        return
    moved = {row["id"]: new for row in _limited(run, held) if (new := _counted(row, calendar)).due_at != row["due_at"]}
    case = context.session.scalar(select(Case).where(Case.instance_id == instance_id))
    due_before = case.due_at if case else None
    case_moved = case is not None and reckon(case, standings(run, held), calendar)
    if moved or case_moved:
        told = {"because": CALENDAR_CHANGED}
        if case and case.due_at and case.due_at != due_before:
            told["case_due"] = case.due_at.isoformat()
        run.reschedule(held, moved, told)
        context.session.flush()


def _limited(run: Instances, held: Held) -> list[RowMapping]:
    """The open tasks that have a limit."""
    mine = (tasks.c.instance_id == held.id) & tasks.c.closed_at.is_(None) & tasks.c.due_at.is_not(None)
    return [row for row in run.connection.execute(select(tasks).where(mine)).mappings() if "limit" in loads(row["assignment"])["why"]]


def _counted(row: RowMapping, calendar: WorkCalendar) -> Rescheduled:
    why = loads(row["assignment"])["why"]
    limit, since = why["limit"], limited_since(row["opened_at"], why)
    unit = LimitUnit(limit["unit"])
    due = calendar.add(since, Fraction(limit["amount"]), unit)
    return Rescheduled(row["key"], due, _notice(row["notice_stage"], due, warn_at(since, due, unit, calendar)))


def _notice(stage: int, due_at: datetime, warn_at: datetime) -> datetime | None:
    """When the next reminder of a task is due."""
    return (warn_at, due_at, due_at + LONG, None)[stage]


def next_notice(task: Mapping[str, Any], calendar: WorkCalendar) -> datetime | None:
    """When the next reminder of a task that is open again is due; None without a limit, and after the last."""
    why = loads(task["assignment"])["why"]
    if not task["due_at"]:
        return None
    unit = LimitUnit(why["limit"]["unit"]) if "limit" in why else LimitUnit.CALENDAR_DAYS
    since = limited_since(task["opened_at"], why)
    return _notice(task["notice_stage"], task["due_at"], warn_at(since, task["due_at"], unit, calendar))


def standings(run: Instances, held: Held) -> Iterator[Standing]:
    """How the instance stood after each command that moved it, save those that were taken back."""
    log = entries(run.connection, held.id)
    counted = {entry.seq for entry in lasting(log)}
    for entry, machine in lived(programs(run.connection), held.version_id, log):
        if entry.kind in MOVING and entry.seq in counted:
            settings = tuple(machine.diagram.nodes[task.element].settings for task in machine.open())
            yield Standing(machine.data, settings, RUNNING, entry.at)
