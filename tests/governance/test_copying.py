"""抄送, on SQLite and PostgreSQL: who may copy what to whom, and that being copied lets people read and nothing more."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select, update

from engine.errors import ClaimedByOther, TaskClosed
from engine.log import entries
from engine.schema import tasks
from governance.cases.models import Case
from governance.cases.queries import case, cases, concerning, visible
from governance.context import Actor, Context
from governance.copies.models import Copy
from governance.copies.queries import copies, unread, was_copied
from governance.errors import NotAllowed, NotFound, Refused
from governance.inbox.copied import copied
from governance.matters.models import Matter as Topic
from governance.matters.queries import concerning as concerning_matters
from governance.matters.queries import matter as matter_of
from governance.meetings.commands import named
from governance.starting.queries import may_read, shown
from governance.workflow.commands import claim, complete, desk, may_do
from governance.workflow.copying import MOST, copy, mark_read, may_copy, recipients_field
from governance.workflow.handover import transfer
from governance.workflow.interventions import reveal_contact
from governance.workflow.persons import nameable
from governance.workflow.queries import readable_desk
from governance.workflow.urging import may_urge
from tests.deliberations import suggested
from tests.district import District
from tests.governance.test_starting import Office
from tests.journeys.matters import Matter, acting, place, reported

STRANGER = "bumen"
"""A department's handler: sees no case but those with a task of theirs."""


@pytest.fixture
def office(district: District) -> Iterator[Office]:
    """A unit of work; nothing of it is kept."""
    with district.office.work() as context, context.session.begin_nested() as savepoint:
        yield Office(district, context)
        savepoint.rollback()


@pytest.fixture
def matter(district: District) -> Matter:
    """At the building lead; the grid worker has accepted it."""
    return reported(district, place(1)).accepted("wanggeyuan")


def sent(district: District, matter: Matter, *who: str, words: str = "请阅。", by: str = "loudong") -> int:
    """Copies the open task; its id."""
    task = matter.task()
    with district.office.work() as context:
        copy(context, acting(context, by), task, [acting(context, one).person_id for one in who], words)
    return task


def refused(context: Context, task: int, people: list[int], words: str = "", by: str = "loudong") -> dict[str, str]:
    with pytest.raises(Refused) as refusal:
        copy(context, acting(context, by), task, people, words)
    return dict(refusal.value.errors)


def test_it_is_written_down_and_waits_to_be_read(district: District, matter: Matter) -> None:
    task = sent(district, matter, STRANGER, "jiedao", words=" 请了解情况。 ")
    with district.office.work() as context:
        reader, other = acting(context, STRANGER), acting(context, "jiedao")
        instance_id = context.session.get_one(Case, matter.case_id).instance_id or 0
        last = entries(context.session.connection(), instance_id)[-1]
        assert (last.kind, last.task_key, last.opinion) == ("copy", "handle_at_tier#1", "请了解情况。")
        assert last.data == {"copied": [str(reader.person_id), str(other.person_id)]} and last.actor["post"] == "building_lead"
        (act,) = copies(context.session, instance_id)
        assert (act.sender, act.words, act.read, len(act.recipients)) == (acting(context, "loudong").name, "请了解情况。", 0, 2)
        line = copied(context, reader)[0][0]
        assert (line.line.task_id, line.line.case_id, line.sender, line.read_at) == (task, matter.case_id, act.sender, None)
        assert unread(context.session, reader) == 1 and act.waits_for(reader.person_id)


def test_the_first_reading_is_kept(district: District, matter: Matter) -> None:
    sent(district, matter, STRANGER, "jiedao")
    with district.office.work() as context:
        reader, first = acting(context, STRANGER), district.clock.at
        waiting = unread(context.session, reader)
        instance_id = context.session.get_one(Case, matter.case_id).instance_id or 0
        mark_read(context, reader, instance_id)
        assert unread(context.session, reader) == waiting - 1
        district.clock.pass_by(hours=1)
        mark_read(context, reader, instance_id)
        (act,) = copies(context.session, instance_id)
        assert act.read == 1 and {one.read_at for one in act.recipients if one.person_id == reader.person_id} == {first}
        assert not act.waits_for(reader.person_id) and act.waits_for(acting(context, "jiedao").person_id)
        with pytest.raises(NotFound):
            mark_read(context, acting(context, "guanli"), instance_id)


def test_they_read_it_and_can_do_nothing_with_it(district: District, matter: Matter) -> None:
    with district.office.work() as context, pytest.raises(NotFound):
        case(context.session, matter.case_id, acting(context, STRANGER))
    task = sent(district, matter, STRANGER)
    with district.office.work() as context:
        reader, held = acting(context, STRANGER), desk(context, task)
        found = case(context.session, matter.case_id, reader)
        assert readable_desk(context, reader, task) and may_read(context.session, reader, held.task["instance_id"])
        assert matter.case_id in {one.id for one in cases(context.session, reader).cases}
        assert not may_do(reader, held) and not may_urge(context, reader, held)
        done: dict[str, Any] = {"accept_result": "accept", "category": "0205"}
        for act in (
            lambda: complete(context, reader, task, done),
            lambda: claim(context, reader, task),
            lambda: copy(context, reader, task, [acting(context, "jiedao").person_id], ""),
            lambda: transfer(context, reader, task, acting(context, "wangge").person_id, "请代办"),
            lambda: reveal_contact(context, reader, found, "想联系反映人"),
        ):
            with pytest.raises(NotAllowed):
                act()
        with pytest.raises(NotFound):
            case(context.session, matter.case_id, reader, concerning)


def test_a_copied_case_is_not_put_on_the_agenda_of_a_meeting(office: Office) -> None:
    context = office.context
    other = office.holder("community_lead", "500199002001")
    matter = context.session.scalars(select(Case)).first()
    assert matter
    query = select(Case.id).where(Case.id == matter.id)
    context.session.add(_a_copy(context, matter.instance_id or 0, other))
    context.session.flush()
    assert context.session.scalar(visible(query, other)) and context.session.scalar(concerning(query, other)) is None
    with pytest.raises(Refused, match="无权查看"):
        named(context, other, office.draft(), matter.number)


def _a_copy(context: Context, instance_id: int, to: Actor) -> Copy:
    task = context.session.connection().scalar(select(tasks.c.id).where(tasks.c.instance_id == instance_id))
    return Copy(task_id=task, person_id=to.person_id, instance_id=instance_id, seq=1, sender_id=to.person_id, at=context.now())


def test_only_who_has_the_task_may_copy_it_where_its_diagram_says_so(district: District, matter: Matter) -> None:
    task, graded, accepted = matter.task(), matter.task("grade_case"), reported(district, place(1)).task()
    with district.office.work() as context:
        someone = [acting(context, "jiedao").person_id]
        for who in ("wanggeyuan", "lingdao", STRANGER, "shenji"):
            with pytest.raises(NotAllowed):
                copy(context, acting(context, who), task, someone, "")
        assert not may_copy(desk(context, accepted))
        with pytest.raises(NotAllowed):
            copy(context, acting(context, "wanggeyuan"), accepted, someone, "")
        with pytest.raises(TaskClosed):
            copy(context, acting(context, "wanggeyuan"), graded, someone, "")


def test_what_somebody_else_has_claimed_is_theirs_to_copy(office: Office) -> None:
    context = office.context
    office.publish()
    task = office.open(office.begun()).id
    context.session.execute(update(tasks).where(tasks.c.id == task).values(claimed_by=str(office.worker.person_id)))
    with pytest.raises(ClaimedByOther):
        copy(context, office.lead, task, [acting(context, STRANGER).person_id], "")


def test_who_is_on_offer_and_not_too_many(district: District, matter: Matter) -> None:
    task = matter.task()
    with district.office.work() as context:
        sender, someone = acting(context, "loudong").person_id, acting(context, "jiedao").person_id
        for people, said in (
            ([], "请选择抄送对象"),
            ([sender, someone], "不必抄送给自己"),
            ([5], "抄送对象中有不能选的人员"),
            ([acting(context, "guanli").person_id], "抄送对象中有不能选的人员"),
            ([acting(context, "shenji").person_id, someone], "抄送对象中有不能选的人员"),
            (list(range(1, MOST + 2)), "一次最多抄送 20 人"),
        ):
            assert refused(context, task, people) == {"people": said}
        assert refused(context, task, [someone], "话" * 301) == {"words": "附言不能超过 300 个字"}
        offered = {one.post for one in nameable(context, recipients_field(), {})}
        assert {"district_leader", "department_handler"} <= offered
        assert offered.isdisjoint(("auditor", "system_administrator", "process_designer"))
        copy(context, acting(context, "loudong"), task, [someone, someone], "")
        name = acting(context, "jiedao").name
        assert refused(context, task, [someone]) == {"people": f"{name}已经抄送过，不用再次抄送"}


def test_of_a_confidential_case_only_those_are_told_whom_it_concerns(district: District, matter: Matter) -> None:
    task = matter.task()
    with district.office.work() as context:
        context.session.get_one(Case, matter.case_id).is_confidential = True
        context.session.flush()
        stranger, above = acting(context, STRANGER), acting(context, "lingdao")
        said = f"反映人要求保密，不能抄送给无权查看这件事的人：{stranger.name}"
        assert refused(context, task, [above.person_id, stranger.person_id]) == {"people": said}
        assert not was_copied(context.session, stranger, desk(context, task).task["instance_id"])
        copy(context, acting(context, "loudong"), task, [above.person_id], "")


def test_two_who_press_at_once_copy_once(district: District, matter: Matter) -> None:
    task = matter.task()

    def press(_n: int) -> bool:
        with district.office.work() as context:
            try:
                copy(context, acting(context, "loudong"), task, [acting(context, "jiedao").person_id], "")
            except Refused:
                return False
            return True

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(press, range(3))) == [False, False, True]


def test_the_box_comes_in_pages_and_is_searched(district: District) -> None:
    sendings = [sent(district, reported(district, place(1), text=f"第{n}处井盖破损").accepted(), "zhihui") for n in range(5)]
    with district.office.work() as context:
        reader = acting(context, "zhihui")
        seen: list[int] = []
        after: str | None = None
        while True:
            lines, after = copied(context, reader, after=after, limit=2)
            seen += [one.line.task_id for one in lines]
            if after is None:
                break
        assert seen[:5] == sorted(sendings, reverse=True) and len(set(seen)) == len(seen)
        assert [one.line.task_id for one in copied(context, reader, q="第3处")[0]] == [sendings[3]]


def test_what_was_started_is_read_too(office: Office) -> None:
    context = office.context
    office.publish()
    held, stranger = office.begun(), acting(context, STRANGER)
    with pytest.raises(NotFound):
        shown(context.session, stranger, held.id)
    copy(context, office.lead, office.open(held).id, [stranger.person_id], "")
    assert shown(context.session, stranger, held.id).id == held.id and may_read(context.session, stranger, held.instance_id or 0)
    assert copied(context, stranger)[0][0].started_id == held.id
    with pytest.raises(NotAllowed):
        office.do(held, stranger, decision="agree")


def test_a_matter_is_read_too(district: District) -> None:
    topic = suggested(district)
    with district.office.work() as context:
        row = context.session.get_one(Topic, topic.id)
        stranger = acting(context, STRANGER)
        with pytest.raises(NotFound):
            matter_of(context.session, topic.id, stranger)
        context.session.add(_a_copy(context, row.instance_id or 0, stranger))
        context.session.flush()
        assert matter_of(context.session, topic.id, stranger).id == topic.id
        assert context.session.scalar(concerning_matters(select(Topic.id), stranger)) is None
