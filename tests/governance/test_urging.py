"""催办, on SQLite and PostgreSQL: who may, how often, and that nothing of the process moves."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from engine.audit import broken_logs
from engine.errors import InstanceAtRest, TaskClosed
from engine.instances import SYSTEM
from engine.log import Entry, entries
from engine.packages import frozen_package
from governance.cases.models import Case
from governance.context import Context
from governance.errors import NotAllowed, NotFound, Refused
from governance.inbox.queries import todo, trail
from governance.workflow.commands import Desk, desk
from governance.workflow.copying import may_copy
from governance.workflow.queries import readable_desk
from governance.workflow.rules import ACTIONS, OFFERED_ACTIONS, allows
from governance.workflow.urging import UrgedAlready, is_urgeable, may_urge, urge, urgeable, urged
from governance.workflow.world import instances
from tests.district import District
from tests.governance.test_starting import Office, leave
from tests.journeys.matters import Matter, acting, place, reported

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


# ---- rules, without a database -------------------------------------------------------------------------------------


class Drawn(Desk):
    """A task whose settings are those given."""

    @property
    def settings(self) -> Mapping[str, Mapping[str, str]]:
        return {"actions": {"allow": self.task["allow"]}}


def drawn(allow: str, *principals: str, closed_at: datetime | None = None) -> Desk:
    return Drawn({"allow": allow, "closed_at": closed_at}, frozen_package(leave().files), {}, principals)


@pytest.mark.parametrize(
    ("held", "may"),
    [
        (drawn("transfer, urge", "post:grid_lead@1"), True),
        (drawn("urge", "person:7"), True),
        (drawn("transfer", "person:7"), False),
        (drawn("", "person:7"), False),
        (drawn("urge", "reporter:7"), False),
        (drawn("urge", "person:7", closed_at=NOW), False),
    ],
)
def test_an_open_task_of_somebody_with_an_inbox_is_urged_where_its_diagram_says_so(held: Desk, may: bool) -> None:
    assert is_urgeable(held) is may


def test_diagrams_may_name_more_than_is_offered() -> None:
    settings = {"actions": {"allow": "co_sign,send_back , copy"}}
    assert [code for code in ACTIONS if allows(settings, code)] == ["copy", "co_sign", "send_back"]
    assert OFFERED_ACTIONS == ("transfer", "withdraw", "urge", "copy") and may_copy(drawn("copy")) and not may_copy(drawn("urge"))


# ---- commands ------------------------------------------------------------------------------------------------------


@pytest.fixture
def matter(district: District) -> Matter:
    """At the building lead; the grid worker has accepted it."""
    return reported(district, place(1)).accepted("wanggeyuan")


def log(context: Context, matter: Matter) -> list[Entry]:
    return entries(context.session.connection(), context.session.get_one(Case, matter.case_id).instance_id or 0)


def test_it_is_written_down_and_moves_nothing(district: District, matter: Matter) -> None:
    task = matter.task()
    with district.office.work() as context:
        before = desk(context, task)
        urge(context, acting(context, "wanggeyuan"), task, " 居民又打来电话，请尽快。 ")
        last = log(context, matter)[-1]
        assert (last.kind, last.task_key, last.opinion) == ("urge", "handle_at_tier#1", "居民又打来电话，请尽快。")
        assert last.actor["post"] == "grid_worker" and last.data == {}
        after = desk(context, task)
        assert {**after.task} == {**before.task} and after.data == before.data
        assert trail(context, after.task["instance_id"])[-1].element == "handle_at_tier"
        assert list(broken_logs(context.session.connection())) == []


@pytest.mark.parametrize(
    ("who", "may"), [("wanggeyuan", True), ("lingdao", True), ("shequ", True), ("loudong", False), ("bumen", False), ("shenji", False)]
)
def test_whoever_it_concerns_may_and_nobody_else(district: District, matter: Matter, who: str, may: bool) -> None:
    task = matter.task()
    with district.office.work() as context:
        actor = acting(context, who)
        assert may_urge(context, actor, desk(context, task)) is may
        assert urgeable(context, actor, [task]) == [task] * may
        if may:
            urge(context, actor, task, "")
        else:
            with pytest.raises(NotAllowed):
                urge(context, actor, task, "")


def test_whoever_started_it_may(district: District) -> None:
    with district.office.work() as context, context.session.begin_nested() as savepoint:
        office = Office(district, context)
        office.publish()
        held = desk(context, office.open(office.begun()).id)
        assert may_urge(context, office.worker, held) and readable_desk(context, office.worker, held.task["id"])
        assert not may_urge(context, office.lead, held) and not may_urge(context, office.holder(), held)
        savepoint.rollback()
    staff = reported(district, place(1), by="jiedao")
    task = staff.task()
    with district.office.work() as context:
        assert may_urge(context, acting(context, "jiedao"), desk(context, task))


def test_once_in_four_hours_a_task_and_a_person(district: District, matter: Matter) -> None:
    task, began = matter.task(), district.clock.at
    with district.office.work() as context:
        worker = acting(context, "wanggeyuan")
        urge(context, worker, task, "")
        district.clock.pass_by(hours=3, minutes=59)
        with pytest.raises(UrgedAlready, match="您已经催办过，2026-03-02 13:00以后可以再次催办") as told:
            urge(context, worker, task, "")
        assert told.value.again_at == began + timedelta(hours=4)
        urge(context, acting(context, "shequ"), task, "")
        district.clock.pass_by(minutes=1)
        urge(context, worker, task, "")
        (found,) = urged(context, [task]).values()
        assert (found.times, found.last_at, len(found.by), found.by[0]) == (3, district.clock.at, 2, worker.name)
        lead = acting(context, "loudong")
        assert {line.urged for line in todo(context, lead).lines if line.task_id == task} == {found}
        assert urged(context, []) == {}


def test_what_is_said_is_short_and_may_be_nothing(district: District, matter: Matter) -> None:
    task = matter.task()
    with district.office.work() as context:
        with pytest.raises(Refused, match="附言不能超过 300 个字"):
            urge(context, acting(context, "wanggeyuan"), task, "催" * 301)
        urge(context, acting(context, "wanggeyuan"), task, "  ")
        assert log(context, matter)[-1].opinion is None


def test_what_is_done_or_at_rest_is_not_urged(district: District, matter: Matter) -> None:
    done, waiting = matter.task("accept_case"), matter.task()
    with district.office.work() as context:
        leader = acting(context, "lingdao")
        with pytest.raises(TaskClosed):
            urge(context, leader, done, "")
        with pytest.raises(NotFound):
            urge(context, leader, 5, "")
        instance_id = desk(context, done).task["instance_id"]
        instances(context).suspend(instance_id, SYSTEM, "核查")
        with pytest.raises(InstanceAtRest):
            urge(context, leader, waiting, "")


def test_two_presses_at_once_are_one(district: District, matter: Matter) -> None:
    task = matter.task()

    def press(_n: int) -> bool:
        with district.office.work() as context:
            try:
                urge(context, acting(context, "wanggeyuan"), task, "")
            except UrgedAlready:
                return False
            return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(press, range(4))) == [False, False, False, True]
    with district.office.work() as context:
        assert [entry.kind for entry in log(context, matter)].count("urge") == 1 and urged(context, [task])[task].times == 1
