"""What people do with their tasks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, or_, select

from engine.errors import NoSuchTask
from engine.holding import Holding
from engine.instances import Foreseen, Instances
from engine.log import loads
from engine.packages import Package
from engine.schema import instances as instance_rows
from engine.schema import process_versions, task_candidates, tasks
from engine.versions import package_of, version_then
from engine.world import Advance
from governance.cases.models import Case, Photo
from governance.context import Actor, Context
from governance.errors import GovernanceError, NotAllowed, NotFound, Refused
from governance.files.commands import keep_named
from governance.files.queries import fitting
from governance.files.rules import FITTING
from governance.forms.rules import FILES, check_form, fields, files_named, opinion_needed
from governance.matters.models import Matter
from governance.organisation.models import Unit
from governance.workflow.assignment import REPORTER, excluded
from governance.workflow.persons import all_nameable
from governance.workflow.world import instances

OPINION = 1000


class Escalated(GovernanceError):
    """该待办超期未办结，已转由上级办理。"""


@dataclass(frozen=True)
class Desk:
    """A task on somebody's desk: its row, its instance's data, and the package it is or was done by."""

    task: Mapping[str, Any]
    package: Package
    data: Mapping[str, Any]
    principals: tuple[str, ...]
    starter: int | None = None
    """Who is about to start the instance: until then, what they upload is theirs."""

    @property
    def settings(self) -> Mapping[str, Mapping[str, str]]:
        node = self.package.diagram.nodes.get(self.task["element"])
        return node.settings if node else {}

    @property
    def form(self) -> Mapping[str, Any]:
        key = self.settings.get("form", {}).get("key")
        return self.package.forms[key] if key else {"properties": {}}

    @property
    def formers(self) -> tuple[str, ...]:
        """To whom the task was addressed until it was taken from them because they had not done it in time."""
        return tuple(loads(self.task["assignment"])["why"].get("formerly", ())) if "assignment" in self.task else ()

    def excludes(self, actor: Actor) -> bool:
        """回避, also of who has come to the post, or stands in for it, since the open task was addressed."""
        return self.task["closed_at"] is None and str(actor.person_id) in excluded(self.settings.get("assign", {}), self.data)


Check = Callable[[Context, Desk, Mapping[str, Any]], dict[str, str]]
CHECKS: dict[str, Check] = {}


def checks(name: str) -> Callable[[Check], Check]:
    """Makes a function the `wz:check` of that name: what the domain has against a form that is well filled in, field by field."""
    return lambda check: CHECKS.setdefault(name, check)


def desk(context: Context, task_id: int) -> Desk:
    """A task to look at, with what is needed to show it; raises `NotFound`."""
    connection = context.session.connection()
    of_instance = (instance_rows.c.version_id, instance_rows.c.state, instance_rows.c.status, instance_rows.c.business_key)
    query = (
        select(tasks, *of_instance, process_versions.c.digest)
        .join(instance_rows, instance_rows.c.id == tasks.c.instance_id)
        .join(process_versions, process_versions.c.id == instance_rows.c.version_id)
        .where(tasks.c.id == task_id)
    )
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise NotFound
    data = loads(row["state"]).get("data", {}) if row["state"] else {}
    package = package_of(connection, row["version_id"], row["digest"])
    if row["closed_at"]:
        package = package_of(connection, version_then(connection, row["instance_id"], row["version_id"], row["closed_at"]))
    return Desk(dict(row), package, data, tuple(loads(row["assignment"])["principals"]))


def may_do(actor: Actor, held: Desk) -> bool:
    """Whether the task is addressed to the actor, and to nobody else by now."""
    addressed = any(p in held.principals for p in actor.principals)
    return addressed and not held.excludes(actor) and held.task["claimed_by"] in (None, str(actor.person_id))


def complete(
    context: Context,
    actor: Actor,
    task_id: int,
    data: Mapping[str, Any],
    *,
    opinion: str = "",
    misread: Mapping[str, str] | None = None,
    idempotency_key: str | None = None,
) -> Advance:
    """Finishes a task; `misread` is what is known to be wrong already. Raises `NotAllowed`, `Refused`, and what the engine raises."""
    run = instances(context)
    holding, held = held_task(run, task_id)
    permit(actor, held)
    acting = actor.under(list(held.principals)).record()
    given = dict(data) if held.task["closed_at"] else _checked(context, held, data, opinion, misread)
    done = run.complete(holding, given, acting, opinion=opinion or None, idempotency_key=idempotency_key)
    keep_named(context, done.instance_id, files_named(held.form, given))
    return done


def complete_as_reporter(
    context: Context,
    case_id: int,
    task_id: int,
    data: Mapping[str, Any],
    *,
    misread: Mapping[str, str] | None = None,
    idempotency_key: str | None = None,
) -> Advance:
    """The reporter finishes a task of their case, by their link; raises `NotFound`, `Refused`."""
    run = instances(context)
    holding, held = held_task(run, task_id)
    if f"{REPORTER}:{case_id}" not in held.principals:
        raise NotFound
    given = dict(data) if held.task["closed_at"] else _checked(context, held, data, "", misread)
    done = run.complete(holding, given, {"reporter": str(case_id)}, idempotency_key=idempotency_key)
    keep_named(context, done.instance_id, files_named(held.form, given))
    return done


def asked_of_reporter(context: Context, case_id: int, task_id: int) -> Desk:
    """A task that the reporter of this case is asked to do; raises `NotFound`."""
    held = desk(context, task_id)
    if f"{REPORTER}:{case_id}" not in held.principals:
        raise NotFound
    return held


def held_task(run: Instances, task_id: int) -> tuple[Holding, Desk]:
    """The task under lock: what is checked now stays true until the commit."""
    try:
        holding = run.hold(task_id)
    except NoSuchTask as error:
        raise NotFound from error
    instance = holding.instance
    return holding, Desk(dict(holding.task), instance.package, instance.data, tuple(loads(holding.task["assignment"])["principals"]))


def permit(actor: Actor, held: Desk) -> None:
    """Lets those act to whom the task is or was addressed; that somebody was faster is the engine's to say.

    Raises `NotAllowed`, `Escalated`.
    """
    if held.excludes(actor) or not any(p in held.principals for p in actor.principals):
        raise Escalated if any(p in held.formers for p in actor.principals) else NotAllowed


def _checked(
    context: Context, held: Desk, data: Mapping[str, Any], opinion: str, misread: Mapping[str, str] | None = None
) -> dict[str, Any]:
    errors: dict[str, str] = {}
    if len(opinion) > OPINION:
        errors["opinion"] = f"意见不能超过 {OPINION} 个字"
    if not opinion and opinion_needed(held.form, data, context.now()):
        errors["opinion"] = "请填写意见"
    try:
        found = checked(context, held, data, misread)
    except Refused as refused:
        raise Refused(refused.errors | errors) from refused
    if errors:
        raise Refused(errors)
    return found


def checked(context: Context, held: Desk, data: Mapping[str, Any], misread: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What was filled in, judged by the form, by what there is, and by what the domain has against it; raises `Refused`."""
    found = check_form(held.form, data, held.data, context.now(), misread)
    errors = _unknown(context, held, found)
    if not errors and (named := held.settings.get("check")):
        errors = CHECKS[named["name"]](context, held, found)
    if errors:
        raise Refused(errors)
    return found


def _unknown(context: Context, held: Desk, found: Mapping[str, Any]) -> dict[str, str]:
    """What a form names that does not exist: units, people it does not offer, pictures and files that are not of this instance."""
    given = [(f, _listed(found[f.name])) for f in fields(held.form) if found.get(f.name) is not None]
    strangers = [f for f, values in given if f.widget == "person" and not all_nameable(context, f, held.data, values)]
    wrong = {f.name: f"{f.title}中有不能选的人员" for f in strangers}
    named = [(f, values) for f, values in given if f.widget in ("unit", *FITTING)]
    if not named:
        return wrong
    ids = {int(v) for f, values in named for v in values if f.widget == "unit" and v.isdecimal() and len(v) < 19}
    units = {str(i) for i in context.session.scalars(select(Unit.id).where(Unit.id.in_(ids), Unit.valid_to.is_(None)))}
    theirs = or_(Case.instance_id == held.task["instance_id"], Matter.instance_id == held.task["instance_id"])
    shown = {int(v) for f, values in named for v in values if f.widget == "photos" and v.isdecimal() and len(v) < 20}
    own = select(Photo.id).outerjoin(Case, Case.id == Photo.case_id).outerjoin(Matter, Matter.id == Photo.matter_id)
    pictures = {str(i) for i in context.session.scalars(own.where(Photo.id.in_(shown), theirs))} if shown else set()
    files = fitting(context.session, files_named(held.form, found), held.task["instance_id"], held.starter)
    known = {**files, "unit": units, "photos": files["photos"] | pictures}
    missing = [f for f, values in named if not set(values) <= known[f.widget]]
    return wrong | {
        f.name: f"{f.title}中有找不到的文件，请重新上传" if f.widget in FILES else f"{f.title}中有不存在的选项" for f in missing
    }


def _listed(value: Any) -> list[str]:
    return [str(v) for v in value] if isinstance(value, list) else [str(value)]


def foresee(context: Context, actor: Actor, task_id: int, data: Mapping[str, Any], *, misread: Mapping[str, str] | None = None) -> Foreseen:
    """Which tasks would open with whom if this one were finished so; writes nothing. Raises `NotAllowed`, `Refused`, `StepFailed`."""
    held = desk(context, task_id)
    if not may_do(actor, held):
        raise NotAllowed
    given = check_form(held.form, data, held.data, context.now(), misread)
    if errors := _unknown(context, held, given):
        raise Refused(errors)
    acting = actor.under(list(held.principals)).record()
    return instances(context).foresee(held.task["instance_id"], held.task["key"], given, acting)


def claim(context: Context, actor: Actor, task_id: int) -> None:
    """签收: takes a task that several may do; raises `NotAllowed`, `ClaimedByOther`."""
    run = instances(context)
    holding, held = held_task(run, task_id)
    permit(actor, held)
    run.claim(holding, actor.under(list(held.principals)).record())


def release(context: Context, actor: Actor, task_id: int) -> None:
    """Gives a claimed task back; raises `NotAllowed`."""
    run = instances(context)
    holding, held = held_task(run, task_id)
    if held.task["claimed_by"] != str(actor.person_id):
        raise NotAllowed
    run.release(holding, actor.under(list(held.principals)).record())


def is_open_to(context: Context, principal: str, instance_id: int) -> list[RowMapping]:
    """The open tasks of an instance that are addressed to a principal."""
    query = (
        select(tasks)
        .join(task_candidates, task_candidates.c.task_id == tasks.c.id)
        .where(tasks.c.instance_id == instance_id, task_candidates.c.principal == principal)
        .order_by(tasks.c.id)
    )
    return list(context.session.connection().execute(query).mappings())
