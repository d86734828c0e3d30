"""Drafts of processes on a real database, SQLite and PostgreSQL: nothing is lost, nobody decides alone, nothing refused is published."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import pairwise
from time import process_time

import pytest
from sqlalchemy import select

from bpmn import shipped
from engine.archives import pack
from engine.errors import NoSuchVersion, StepFailed, Unreadable, VersionRefused
from engine.log import entries
from engine.packages import DIAGRAM, Package, frozen_package, read_package
from engine.schema import tasks
from engine.validator import check_package, publishable
from engine.versions import latest_version, publish, retire, whole_package
from governance.context import Context
from governance.errors import NotAllowed, NotFound, Refused
from governance.studio import queries
from governance.studio.commands import (
    Proposal,
    discard,
    draft_import,
    draft_new,
    draft_version,
    hold,
    rebase,
    release,
    restore,
    save,
    submit,
    submit_retirement,
    withdraw,
)
from governance.studio.errors import (
    AlreadyUnderWay,
    BehindPublished,
    DraftChanged,
    DraftClosed,
    DraftHeld,
    NeverRetired,
    NothingChanged,
    ScenarioFailed,
)
from governance.studio.models import Draft
from governance.studio.rules import AT_A_STRETCH, HOLD, MAX_REVISIONS, failed_scenarios, problems_of
from governance.workflow.commands import complete
from tests.district import MONDAY, District
from tests.faults.test_together import together
from tests.governance.meeting_world import Hall

DISTRICT = "500199"
KEY = "decision_task"
SLOWER = ('<wz:deadline amount="3" unit="work_days" />', '<wz:deadline amount="4" unit="work_days" />')
WHY = Proposal("核查的时限放宽一天")


class Studio(Hall):
    """The people who make processes, and a draft of a small one."""

    @property
    def maker(self):  # type: ignore[no-untyped-def]
        return self.holder("process_designer", DISTRICT)

    @property
    def approver(self):  # type: ignore[no-untyped-def]
        return self.holder("system_administrator", DISTRICT)

    def begun(self, key: str = KEY) -> Draft:
        return draft_version(self.context, self.maker, latest_version(self.context.session.connection(), key).id)

    def edited(self) -> Draft:
        held = self.begun()
        save(self.context, self.maker, held.id, held.revision, {DIAGRAM: self.diagram(held).replace(*SLOWER)})
        return held

    def diagram(self, held: Draft) -> str:
        text: str = json.loads(held.files)[DIAGRAM]
        return text

    def submitted(self, proposal: Proposal = WHY) -> Draft:
        held = self.edited()
        submit(self.context, self.maker, held.id, held.revision, proposal)
        return held

    def decide(self, held: Draft, decision: str = "agree", opinion: str = "") -> None:
        query = select(tasks.c.id).where(tasks.c.instance_id == held.change_id, tasks.c.closed_at.is_(None))
        task = self.context.session.connection().scalar(query)
        complete(self.context, self.approver, task, {"change_decision": decision}, opinion=opinion)

    def current(self, key: str = KEY) -> int:
        return latest_version(self.context.session.connection(), key).number


@pytest.fixture
def studio(district: District) -> Iterator[Studio]:
    """A unit of work; nothing of it is kept."""
    district.clock.at = MONDAY
    with district.office.work() as context, context.session.begin_nested() as savepoint:
        yield Studio(district, context)
        savepoint.rollback()


# ---- drafts --------------------------------------------------------------------------------------------------------


def test_a_draft_begins_as_the_version_in_use_with_its_scenarios(studio: Studio) -> None:
    held = studio.begun()
    assert queries.package_of_draft(held).whole == read_package(shipped()[KEY]).whole
    assert (held.key, held.name, held.revision) == (KEY, "落实会议决定", 1)
    assert queries.compared(queries.base_of(studio.context.session, held), queries.package_of_draft(held)) == queries.Compared((), False)


def test_a_new_process_begins_with_a_step_that_wants_an_assignment_and_a_form(studio: Studio) -> None:
    held = draft_new(studio.context, studio.maker, "请假 <b>&")
    package = queries.package_of_draft(held)
    assert package.diagram.main.name == "请假 <b>&" and held.base_id is None
    assert {p.rule for p in problems_of(package)} == {"assignment_missing", "form_missing"}
    for name in ("", " ", "长" * 61):
        with pytest.raises(Refused):
            draft_new(studio.context, studio.maker, name)


def test_a_new_process_of_the_template_can_be_submitted_as_it_is(studio: Studio) -> None:
    context, held = studio.context, draft_new(studio.context, studio.maker, "请假 <b>&", "request")
    package = queries.package_of_draft(held)
    assert package.diagram.main.name == "请假 <b>&" and problems_of(package) == () and len(package.scenarios) == 2
    submit(context, studio.maker, held.id, held.revision, Proposal("试行"))
    studio.decide(held)
    assert studio.current(held.key) == 1 and studio.district.findings() == []
    for template in ("", "other", "../process_change", "."):
        with pytest.raises(Refused):
            draft_new(context, studio.maker, "请假", template)


def test_an_export_comes_back_without_a_difference(studio: Studio) -> None:
    package = whole_package(studio.context.session.connection(), latest_version(studio.context.session.connection(), KEY).id)
    held = draft_import(studio.context, studio.maker, pack(package.whole))
    assert queries.package_of_draft(held).whole == package.whole
    assert held.base_id is not None and queries.compared(package, queries.package_of_draft(held)) == queries.Compared((), False)
    with pytest.raises(Unreadable):
        draft_import(studio.context, studio.maker, b"PK\x03\x04 nothing")


def test_only_makers_of_processes_have_drafts(studio: Studio) -> None:
    for actor in (studio.holder(), studio.holder("auditor", DISTRICT)):
        with pytest.raises(NotAllowed):
            draft_new(studio.context, actor, "请假")
        with pytest.raises(NotAllowed):
            hold(studio.context, actor, studio.begun().id)
    with pytest.raises(NotFound):
        draft_version(studio.context, studio.maker, 1)


# ---- two people ----------------------------------------------------------------------------------------------------


def test_who_edits_holds_the_draft_until_they_are_gone_or_somebody_takes_over(studio: Studio) -> None:
    context, held = studio.context, studio.begun()
    hold(context, studio.maker, held.id)
    with pytest.raises(DraftHeld, match=studio.maker.name):
        hold(context, studio.approver, held.id)
    with pytest.raises(DraftHeld):
        save(context, studio.approver, held.id, held.revision, {})
    hold(context, studio.approver, held.id, take_over=True)
    with pytest.raises(DraftHeld, match=studio.approver.name):
        save(context, studio.maker, held.id, held.revision, {})
    release(context, studio.maker, held.id)
    assert held.held_by == studio.approver.person_id
    studio.district.clock.at += HOLD + timedelta(seconds=1)
    hold(context, studio.maker, held.id)
    release(context, studio.maker, held.id)
    hold(context, studio.approver, held.id)


def test_who_saves_second_reads_what_the_first_changed_and_nothing_is_lost(studio: Studio) -> None:
    context, held = studio.context, studio.begun()
    first, second = studio.diagram(held).replace(*SLOWER), studio.diagram(held).replace('name="核查落实情况"', 'name="核查结果"')
    save(context, studio.maker, held.id, 1, {DIAGRAM: first})
    release(context, studio.maker, held.id)
    with pytest.raises(DraftChanged) as refusal:
        save(context, studio.approver, held.id, 1, {DIAGRAM: second})
    assert refusal.value.by == studio.maker.name and any(
        "4工作日" in change.replace(" ", "").replace("个", "") for change in refusal.value.changes
    )
    assert studio.diagram(held) == first
    save(context, studio.approver, held.id, 2, {DIAGRAM: second})
    release(context, studio.approver, held.id)
    kept = {revision.number: json.loads(revision.files)[DIAGRAM] for revision in queries.revisions(context.session, held.id)}
    assert kept[2] == first and kept[3] == second
    restore(context, studio.maker, held.id, 2)
    assert studio.diagram(held) == first and held.revision == 4


def test_edits_at_a_stretch_are_one_revision_and_the_history_stays_short(studio: Studio) -> None:
    context, held, clock = studio.context, studio.begun(), studio.district.clock
    for _ in range(3):
        save(context, studio.maker, held.id, held.revision, {})
        clock.pass_by(seconds=30)
    assert [r.number for r in queries.revisions(context.session, held.id)] == [4, 1]
    for _ in range(MAX_REVISIONS + 5):
        clock.at += AT_A_STRETCH
        save(context, studio.maker, held.id, held.revision, {})
    numbers = [r.number for r in queries.revisions(context.session, held.id)]
    assert len(numbers) == MAX_REVISIONS + 1 and numbers[-1] == 1 and numbers[0] == held.revision


def test_what_cannot_be_read_or_does_not_belong_is_refused_and_nothing_is_kept(studio: Studio) -> None:
    context, held = studio.context, studio.begun()
    before = held.files
    for edits in (
        {DIAGRAM: "<not xml"},
        {DIAGRAM: None},
        {DIAGRAM: '<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'},
        {"forms/a.json": "{"},
        {"texts/en.json": "[]"},
        {"forms/a.json": "x" * 2_000_000},
    ):
        with pytest.raises(Unreadable):
            save(context, studio.maker, held.id, held.revision, edits)
    for name in ("../x", "forms/../../x.json", "forms/1 2.json", "README.md", "static/x.js", "forms/" + "a" * 101 + ".json"):
        with pytest.raises(Refused, match="流程包中不能有"):
            save(context, studio.maker, held.id, held.revision, {name: "{}"})
    with pytest.raises(Refused, match="编号应保持"):
        save(context, studio.maker, held.id, held.revision, {DIAGRAM: studio.diagram(held).replace('"decision_task"', '"another"')})
    with pytest.raises(Refused, match="无法保存的字符"):
        save(context, studio.maker, held.id, held.revision, {"forms/a.json": "\ud800"})
    assert (held.files, held.revision) == (before, 1)


# ---- submitting, approving, publishing -----------------------------------------------------------------------------


def test_what_somebody_else_agrees_to_is_published_and_recorded_with_its_difference(studio: Studio) -> None:
    context, held, before = studio.context, studio.submitted(), studio.current()
    with pytest.raises(DraftClosed):
        save(context, studio.maker, held.id, held.revision, {})
    studio.decide(held)
    version = latest_version(context.session.connection(), KEY)
    assert (version.number, version.reason, version.published_by) == (before + 1, WHY.reason, f"person:{studio.maker.person_id}")
    assert whole_package(context.session.connection(), version.id).whole == queries.package_of_draft(held).whole
    assert held.published_id == version.id and held.ended_at == studio.district.clock.at
    log = entries(context.session.connection(), held.change_id or 0)
    assert (
        log[0].data
        and any("4工作日" in change.replace(" ", "").replace("个", "") for change in log[0].data["changes"])
        and log[0].data["digest"] == version.digest
    )
    assert [(e.kind, e.actor["person"]) for e in log] == [
        ("start", str(studio.maker.person_id)),
        ("complete", str(studio.approver.person_id)),
    ]
    assert studio.district.findings() == []


def test_nobody_agrees_to_their_own_change(studio: Studio) -> None:
    held = studio.submitted()
    task = studio.context.session.connection().scalar(select(tasks.c.id).where(tasks.c.instance_id == held.change_id))
    with pytest.raises(NotAllowed):
        complete(studio.context, studio.maker, task, {"change_decision": "agree"})


def test_what_is_returned_can_be_edited_again(studio: Studio) -> None:
    held, before = studio.submitted(), studio.current()
    with pytest.raises(Refused, match="请填写意见"):
        studio.decide(held, "return")
    studio.decide(held, "return", "时限再议")
    assert (held.change_id, held.ended_at, studio.current()) == (None, None, before)
    save(studio.context, studio.maker, held.id, held.revision, {})


def test_it_takes_effect_at_its_moment_and_may_be_withdrawn_until_then(studio: Studio) -> None:
    before, later = studio.current(), MONDAY + timedelta(days=3)
    held = studio.submitted(Proposal("三天后生效", later))
    studio.decide(held)
    change, now = held.change_id, studio.current()
    assert now == before and change
    with pytest.raises(NotAllowed):
        withdraw(studio.context, studio.approver, change, "")
    withdraw(studio.context, studio.maker, change, "再看看")
    assert held.change_id is None
    again = submit(studio.context, studio.maker, held.id, held.revision, Proposal("三天后生效", later))
    assert again.instance_id == held.change_id


def test_what_was_published_meanwhile_is_not_overwritten(studio: Studio) -> None:
    context, held = studio.context, studio.submitted()
    connection, other = context.session.connection(), read_package(shipped()[KEY])
    number = publish(connection, context.new_id(), other, context.now(), by="system", reason="别处发布").number
    change = held.change_id
    studio.decide(held)
    assert studio.current() == number and held.change_id is None and held.published_id is None
    reason = next(e for e in entries(connection, change or 0) if e.kind == "complete").facts["answers"][0][2]["lapse_reason"]
    assert f"第 {number} 版" in reason
    with pytest.raises(BehindPublished):
        submit(context, studio.maker, held.id, held.revision, WHY)
    rebase(context, studio.maker, held.id)
    submit(context, studio.maker, held.id, held.revision, WHY)


def test_one_change_of_a_process_at_a_time(studio: Studio) -> None:
    studio.submitted()
    other = studio.edited()
    with pytest.raises(AlreadyUnderWay):
        submit(studio.context, studio.maker, other.id, other.revision, WHY)
    discard(studio.context, studio.maker, other.id)
    with pytest.raises(DraftClosed):
        hold(studio.context, studio.maker, other.id)


def test_a_change_wants_a_reason_a_moment_ahead_and_a_difference(studio: Studio) -> None:
    held, context = studio.edited(), studio.context
    for proposal, field in (
        (Proposal(" "), "reason"),
        (Proposal("长" * 501), "reason"),
        (Proposal("理由", MONDAY), "effective_at"),
        (Proposal("理由", MONDAY + timedelta(days=400)), "effective_at"),
    ):
        with pytest.raises(Refused) as refusal:
            submit(context, studio.maker, held.id, held.revision, proposal)
        assert refusal.value.errors.keys() == {field}
    with pytest.raises(NothingChanged):
        submit(context, studio.maker, studio.begun().id, 1, WHY)


WORSE = {
    "unsound": ("<bpmn:outgoing>carry_out_decision_to_check_decision</bpmn:outgoing>", "", "dead_end"),
    "a post nobody can hold": ('post="building_lead,', 'post="king,', "post_unknown"),
    "a rule nobody knows": ('unit="convener"', 'unit="nowhere"', "unit_rule_unknown"),
    "a form that is not there": ('<wz:form key="check_decision" />', '<wz:form key="other" />', "form_unknown"),
    "no form": ('<wz:form key="check_decision" />', "", "form_missing"),
    "a unit of time nobody knows": ('amount="3" unit="work_days" />', 'amount="3" unit="moons" />', "limit_unit_unknown"),
}


@pytest.mark.parametrize(("old", "new", "rule"), WORSE.values(), ids=WORSE)
def test_what_a_check_refuses_is_not_submitted(studio: Studio, old: str, new: str, rule: str) -> None:
    held = studio.begun()
    worse = studio.diagram(held).replace(old, new, 1)
    if rule == "dead_end":
        flow = next(line for line in worse.splitlines() if 'id="carry_out_decision_to_check_decision"' in line)
        edge = worse[worse.index('<bpmndi:BPMNEdge id="edge_carry_out_decision_to_check_decision"') :]
        edge = edge[: edge.index("</bpmndi:BPMNEdge>") + len("</bpmndi:BPMNEdge>")]
        worse = worse.replace(flow, "").replace(edge, "").replace("<bpmn:incoming>carry_out_decision_to_check_decision</bpmn:incoming>", "")
    assert worse != studio.diagram(held)
    saved = save(studio.context, studio.maker, held.id, held.revision, {DIAGRAM: worse})
    assert rule in {p.rule for p in saved.problems}
    with pytest.raises(VersionRefused):
        submit(studio.context, studio.maker, held.id, held.revision, WHY)


def test_a_scenario_that_fails_keeps_a_change_back(studio: Studio) -> None:
    held = studio.edited()
    name, story = next((n, t) for n, t in json.loads(held.files).items() if n.startswith("scenarios/"))
    save(studio.context, studio.maker, held.id, held.revision, {name: story.replace("finished: true", "finished: false")})
    with pytest.raises(ScenarioFailed):
        submit(studio.context, studio.maker, held.id, held.revision, WHY)
    with pytest.raises(Refused):
        submit(studio.context, studio.maker, held.id, held.revision, replace(WHY, scenarios_reason="长" * 501))
    submit(studio.context, studio.maker, held.id, held.revision, replace(WHY, scenarios_reason="核查不再需要两次"))
    told = queries.changes_of(studio.context.session, str(held.id))[0]
    assert told.scenarios_reason == "核查不再需要两次" and len(told.scenarios_given_up) == 1 and name not in json.loads(held.files)
    studio.decide(held)
    assert held.published_id


def test_scenarios_share_what_a_page_can_wait_for() -> None:
    """A reminder every minute of three years is stopped, and leaves nothing to the scenarios behind it."""
    own = read_package(shipped()[KEY])
    each = "<bpmn:timerEventDefinition><bpmn:timeCycle>R/PT1M</bpmn:timeCycle></bpmn:timerEventDefinition>"
    remind = f'<bpmn:boundaryEvent id="each" attachedToRef="carry_out_decision" cancelActivity="false">{each}</bpmn:boundaryEvent>'
    steps = "".join(f'<bpmn:scriptTask id="s{n}"><bpmn:script>a = {n}</bpmn:script></bpmn:scriptTask>' for n in range(20))
    way = ["each", *(f"s{n}" for n in range(20)), "over"]
    flows = "".join(f'<bpmn:sequenceFlow id="f_{a}" sourceRef="{a}" targetRef="{b}" />' for a, b in pairwise(way))
    drawn = own.files[DIAGRAM].decode().replace("</bpmn:process>", f'{remind}{steps}{flows}<bpmn:endEvent id="over" /></bpmn:process>')
    start = "start: {data: {responsible_unit: '1', due_at: '2029-01-01T00:00:00+08:00', convener: {person: '1', unit: '1'}}}"
    slow = {f"scenarios/{n}.yaml": f"name: s{n}\n{start}\nsteps: [{{wait: P1000D}}]".encode() for n in range(20)}
    began = process_time()
    failed = failed_scenarios(frozen_package({**own.files, **slow, DIAGRAM: drawn.encode()}), lambda *_: None)
    assert failed.keys() == slow.keys() and process_time() - began < 30


def test_studio_rules_refuse_at_least_what_the_engine_refuses() -> None:
    for folder in shipped().values():
        package = read_package(folder)
        assert problems_of(package) == check_package(package) and publishable(problems_of(package))
        bare = Package(package.diagram, {DIAGRAM: package.files[DIAGRAM]})
        assert {p.rule for p in check_package(bare)} <= {p.rule for p in problems_of(bare)}


def test_a_change_that_cannot_begin_leaves_the_draft_as_it_was(studio: Studio) -> None:
    context, connection = studio.context, studio.context.session.connection()
    held, own = studio.edited(), read_package(shipped()["process_change"])
    broken = own.files[DIAGRAM].replace(b'unit="district" exclude', b'unit="lead_unit" exclude')
    publish(connection, context.new_id(), frozen_package({**own.whole, DIAGRAM: broken}), MONDAY, by="system", reason="试")
    with pytest.raises(StepFailed, match="找不到办理单位"), context.session.begin_nested():
        submit(context, studio.maker, held.id, held.revision, WHY)
    context.session.expire_all()
    assert held.change_id is None and queries.changes_of(context.session, str(held.id)) == []
    save(context, studio.maker, held.id, held.revision, {})


def test_a_post_that_comes_later_does_not_make_one_the_judge_of_oneself(studio: Studio) -> None:
    context, held, approver = studio.context, studio.submitted(), studio.approver
    assert approver.acting
    twice = replace(studio.maker, appointments=(*studio.maker.appointments, approver.acting))
    task = context.session.connection().scalar(select(tasks.c.id).where(tasks.c.instance_id == held.change_id))
    with pytest.raises(NotAllowed):
        complete(context, twice, task, {"change_decision": "agree"})
    studio.decide(held)
    assert held.published_id


def test_whoever_had_a_hand_in_a_draft_does_not_decide_on_it(studio: Studio) -> None:
    context, held = studio.context, studio.edited()
    release(context, studio.maker, held.id)
    save(context, studio.approver, held.id, held.revision, {DIAGRAM: studio.diagram(held).replace('amount="4"', 'amount="5"')})
    release(context, studio.approver, held.id)
    submit(context, studio.maker, held.id, held.revision, WHY)
    with pytest.raises(NotAllowed):
        studio.decide(held)


def test_what_was_retired_meanwhile_does_not_come_back_by_a_change_agreed_to_before(studio: Studio) -> None:
    context, held = studio.context, studio.submitted()
    retire(context.session.connection(), KEY, MONDAY, by="system", reason="别处停用")
    change = held.change_id
    studio.decide(held)
    assert held.published_id is None and queries.current(context.session, KEY) is None
    decided = queries.change_of(context.session, change or 0)
    assert decided and decided.lapse == "提交审批以后流程已经停用。"


def test_a_process_whose_number_is_too_long_is_not_taken_in(studio: Studio) -> None:
    own = read_package(shipped()[KEY]).files[DIAGRAM]
    for length in (61, 100):
        with pytest.raises(Refused, match="编号不能超过"):
            draft_import(studio.context, studio.maker, own.replace(b"decision_task", b"p" * length))
    assert draft_import(studio.context, studio.maker, own.replace(b"decision_task", b"p" * 60)).key == "p" * 60


def test_a_revision_that_never_was_is_not_saved_upon(studio: Studio) -> None:
    held = studio.begun()
    for revision in (-1, 0, 2, 2**31, 10**30):
        with pytest.raises(DraftChanged):
            save(studio.context, studio.maker, held.id, revision, {})


def test_of_two_changes_submitted_at_once_one_is_under_way(district: District) -> None:
    with district.office.work() as context:
        first = Studio(district, context)
        drafts = [(held.id, held.revision) for held in (first.edited() for _ in range(4))]
    ends = together(district, *(partial(_submit, district, *one) for one in drafts))
    assert [type(end) for end in ends if isinstance(end, Exception)] == [AlreadyUnderWay] * 3
    with district.office.work() as context:
        change = next(end for end in ends if not isinstance(end, Exception))
        last = Studio(district, context)
        withdraw(context, last.maker, change, "")
        for draft_id, _ in drafts:
            discard(context, last.maker, draft_id)


def _submit(district: District, draft_id: int, revision: int, context: Context) -> int:
    return submit(context, Studio(district, context).maker, draft_id, revision, WHY).instance_id


# ---- going back, retiring ------------------------------------------------------------------------------------------


def test_going_back_is_publishing_an_older_version_again(studio: Studio) -> None:
    context = studio.context
    first = latest_version(context.session.connection(), KEY)
    studio.decide(studio.submitted())
    back = draft_version(context, studio.maker, first.id)
    assert studio.diagram(back) == read_package(shipped()[KEY]).files[DIAGRAM].decode()
    submit(context, studio.maker, back.id, back.revision, Proposal("恢复原来的时限"))
    studio.decide(back)
    latest = latest_version(context.session.connection(), KEY)
    assert (latest.number, latest.digest) == (first.number + 2, first.digest)


def test_nothing_starts_on_a_retired_process_until_it_is_published_again(studio: Studio) -> None:
    context = studio.context
    connection = context.session.connection()
    own = read_package(shipped()[KEY]).files[DIAGRAM].replace(b"decision_task", b"own_process")
    files = {**read_package(shipped()[KEY]).whole, DIAGRAM: own}
    held = draft_import(context, studio.maker, pack(files))
    submit(context, studio.maker, held.id, held.revision, Proposal("新的流程"))
    studio.decide(held)
    advance = submit_retirement(context, studio.maker, "own_process", Proposal("不再使用"))
    with pytest.raises(AlreadyUnderWay):
        submit_retirement(context, studio.maker, "own_process", Proposal("不再使用"))
    task = connection.scalar(select(tasks.c.id).where(tasks.c.instance_id == advance.instance_id))
    complete(context, studio.approver, task, {"change_decision": "agree"})
    with pytest.raises(NoSuchVersion):
        latest_version(connection, "own_process")
    one = next(p for p in queries.published(context.session) if p.key == "own_process")
    assert one.is_retired and one.latest.number == 1
    back = draft_version(context, studio.maker, one.latest.id)
    submit(context, studio.maker, back.id, back.revision, Proposal("恢复使用"))
    studio.decide(back)
    assert studio.current("own_process") == 2


def test_what_the_system_itself_starts_is_never_retired(studio: Studio) -> None:
    with pytest.raises(NeverRetired):
        submit_retirement(studio.context, studio.maker, KEY, Proposal("不再使用"))
    with pytest.raises(NoSuchVersion):
        retire(studio.context.session.connection(), "nothing", MONDAY, by="x", reason="x")
