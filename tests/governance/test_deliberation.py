"""四事五议 through commands, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.plans import Plan
from engine.versions import latest_version, publish, whole_package
from governance.cases.models import Case
from governance.cases.queries import followed
from governance.deliberation.commands import AlreadyGiven, NotOpen
from governance.errors import Refused
from governance.voting.codes import voting_code
from governance.voting.commands import cast_by_code
from governance.voting.errors import VoteVoid
from governance.voting.models import Vote
from governance.voting.queries import recount
from governance.voting.rules import Mark
from tests.deliberations import ESTATE, Topic, carried_out, suggested, waiting_case
from tests.district import District
from wuzhang.counted import broken_votes


@pytest.fixture(params=["sqlite", "postgresql"])
def district(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[District]:
    made = District(tmp_path, request.getfixturevalue("empty_postgres")() if request.param == "postgresql" else "")
    yield made
    made.close()


def test_a_community_decides_again_after_an_objection(district: District) -> None:
    topic = suggested(district).supported(12).accepted().proposed().consulted("another_round", "agreed")
    topic.called("社区党员名册", "PARTY_MEETING").voted(20, 2).announced()
    topic.called("居民代表名册", "RESIDENT_REPS").voted(25, 7).announced().resolved().posted()
    topic.objected().do(
        "answer_objection", objection_answer="确应公开，重新表决。", objection_consequence="revote", objection_result="upheld"
    )
    topic.noticed()
    assert topic.open() == ["call_resolution_vote"] and topic.row.stage == "resolution"
    topic.called("居民代表名册", "RESIDENT_REPS").voted(30, 5).announced().resolved().posted().noticed()
    topic.planned("case", "case")
    first, second = topic.cases()
    carried_out(first)
    assert topic.open() == []
    carried_out(second)
    topic.do("confirm_delivery", delivery_result="confirmed", delivery_note="电梯已运行。")
    topic.published()
    assert topic.row.stage == "evaluation"
    topic.evaluated(5, 4, 2).noticed()
    topic.do("archive_matter", archive_summary="一件一档。", archive_result="archive")
    row = topic.row
    assert (row.stage, row.status, row.outcome) == ("closed", "已归档", "archived")
    assert district.findings() == []


def test_owners_fail_by_one_head(district: District) -> None:
    """60 owners: 44 take part, 22 of them agree: half of the heads is not more than half."""
    topic = suggested(district, ESTATE).accepted(matter_kind="owners_ordinary").proposed().consulted()
    topic.called("小区党员名册", "PARTY_MEETING").voted(12).announced()
    topic.called("业主名册", "OWNER_ORD", notice=15).voted(22, 22)
    vote = topic.vote()
    with district.office.work() as context:
        counted = recount(context.session, vote.id)
    tally = counted.tally.weights
    assert counted.agrees and vote.result == "failed" and "同意 22 人，反对 22 人" in vote.summary
    assert tally[Mark.YES].area > tally[Mark.NO].area and tally[Mark.YES].heads == tally[Mark.NO].heads
    topic.announced("drop", reply_text="同意的人数没有过半。")
    assert (topic.row.stage, topic.row.outcome) == ("closed", "not_adopted")


def test_support_of_a_merged_matter_counts_where_it_went(district: District) -> None:
    one, other = suggested(district).supported(5), suggested(district, title="装电梯").supported(8)
    other.do("examine_topic", topic_result="merge", merged_into=one.number, reply_text="已并入同一件议题。")
    assert (one.supporters(), other.row.status) == (8, "已并入其他议题")


def test_what_is_merged_goes_into_an_open_matter(district: District) -> None:
    topic = suggested(district)
    for number in ("YS0", topic.number):
        with pytest.raises(Refused, match="没有这个编号的在办议题"):
            topic.do("examine_topic", topic_result="merge", merged_into=number, reply_text="并入。")


def test_what_a_fifth_of_the_households_support_is_taken_up(district: District) -> None:
    """临江社区 counts 640 households: 128 oblige, 127 do not."""
    topic = suggested(district).supported(127)
    assert not topic.row.is_compulsory
    topic.supported(128, again=True)
    assert topic.row.is_compulsory
    with pytest.raises(Refused):
        topic.do("examine_topic", topic_result="reject", reject_reason="其他", reply_text="不列入。")
    topic.do("examine_topic", topic_result="reject", reject_reason="违法违规", reply_text="占用消防通道。")
    assert topic.row.status == "未列入议题"


def test_each_person_supports_once(district: District) -> None:
    topic = suggested(district).supported(1)
    with pytest.raises(AlreadyGiven):
        topic.supported(1)
    assert topic.supporters() == 1


def test_a_case_waits_for_the_resolution_and_is_closed_by_it(district: District) -> None:
    case = waiting_case(district)
    topic = suggested(district, case=case.case_id).accepted().proposed().consulted()
    topic.called("社区党员名册", "PARTY_MEETING").voted(20).announced()
    topic.called("居民代表名册", "RESIDENT_REPS").voted(40).announced().resolved("三号楼加装电梯，列入今年计划。").posted().noticed()
    assert topic.row.stage == "delivery" and case.open() == ["reply_to_reporter"]
    with district.office.work() as context:
        row = context.session.get_one(Case, case.case_id)
        assert (row.close_code, row.paused_at) == ("已纳入计划/议事", None)


def test_a_case_goes_on_without_a_resolution(district: District) -> None:
    case = waiting_case(district)
    topic = suggested(district, case=case.case_id)
    topic.do("examine_topic", topic_result="reject", reject_reason="超出自治范围", reply_text="属于行政事项。")
    district.tick()
    assert case.open() and "await_resolution" not in case.open()


def test_a_suggester_withdraws_before_it_is_taken_up(district: District) -> None:
    topic = suggested(district)
    topic.withdrawn("已经解决了")
    assert topic.row.status == "已撤回" and topic.open() == []
    with pytest.raises(NotOpen):
        topic.withdrawn("再撤一次")
    taken = suggested(district).accepted()
    with pytest.raises(NotOpen):
        taken.withdrawn("太晚了")


def test_a_suggestion_that_is_a_trouble_becomes_a_case(district: District) -> None:
    topic = suggested(district)
    topic.do("examine_topic", topic_result="to_case", category="0205", reply_text="已转办。")
    with district.office.work() as context:
        case = followed(context.session, topic.secret)
        assert case.text == "老人上下楼困难。" and case.instance_id
    assert topic.row.status == "已转为事项办理"


def test_bad_terms_are_refused_where_they_stand(district: District) -> None:
    topic = suggested(district, ESTATE).accepted(matter_kind="owners_ordinary").proposed().consulted()
    for changed, field in (
        ({"book": "业主名册"}, "roll_book"),
        ({"days": 0}, "vote_ends_at"),
        ({"vote_question": " "}, "vote_question"),
        ({"vote_rule": "OWNER_ORD", "is_secret": True}, "is_secret"),
        ({"roll_book": "1"}, "roll_book"),
    ):
        book = str(changed.pop("book", "小区党员名册"))
        with pytest.raises(Refused) as refused:
            topic.called(book, "PARTY_MEETING", **changed)  # type: ignore[arg-type]
        assert field in refused.value.errors, (changed, refused.value.errors)
    with pytest.raises(Refused, match="公示期不得少于 7 日"):
        in_notice = suggested(district).accepted().proposed().consulted()
        in_notice.called("社区党员名册", "PARTY_MEETING").voted(20).announced()
        in_notice.called("居民代表名册", "RESIDENT_REPS").voted(40).announced().resolved().posted(days=6)


def test_objections_stop_with_the_notice(district: District) -> None:
    topic = suggested(district)
    with pytest.raises(NotOpen):
        topic.objected()
    topic.accepted().proposed().consulted()
    topic.called("社区党员名册", "PARTY_MEETING").voted(20).announced()
    topic.called("居民代表名册", "RESIDENT_REPS").voted(40).announced().resolved().posted()
    topic.objected("一").objected("二")
    topic.do("answer_objection", objection_answer="不成立。", objection_result="dismissed")
    topic.do("answer_objection", objection_answer="也不成立。", objection_result="dismissed")
    topic.noticed()
    assert topic.row.stage == "delivery"
    with pytest.raises(NotOpen):
        topic.objected("三")


def test_what_units_do_themselves_counts_as_delivered_when_it_is_done(district: District) -> None:
    topic = suggested(district).accepted().proposed().consulted()
    topic.called("社区党员名册", "PARTY_MEETING").voted(20).announced()
    topic.called("居民代表名册", "RESIDENT_REPS").voted(40).announced().resolved().posted().noticed()
    topic.planned("own", "own")
    assert topic.open() == ["carry_out_task", "carry_out_task"]
    topic.do("carry_out_task", task_note="已完工。", task_photos=[topic.picture()], task_result="done")
    assert topic.delivered() == [True, False]
    topic.do("carry_out_task", task_note="没有场地。", task_result="unable")
    assert topic.delivered() == [True, False] and topic.open() == ["confirm_delivery"]
    topic.do("confirm_delivery", delivery_note="换地方再办。", delivery_result="more_work").planned("own")
    topic.do("carry_out_task", task_note="已完工。", task_photos=[topic.picture()], task_result="done")
    assert topic.delivered() == [True, False, True]


@pytest.mark.parametrize("at", ["2026-03-02T09:00", "2020-01-01T09:00", "0001-01-01T00:00"])
def test_a_notice_counts_in_full(district: District, at: str) -> None:
    """Posted on a day long past, it would be over before anybody could object or evaluate."""
    topic = in_force(suggested(district).accepted().proposed().consulted(), posted=False)
    with pytest.raises(Refused) as refused:
        topic.posted(at=at)
    assert "posted_at" in refused.value.errors
    topic.posted().noticed().planned("case")
    carried_out(topic.cases()[0])
    topic.do("confirm_delivery", delivery_result="confirmed", delivery_note="电梯已运行。")
    with pytest.raises(Refused) as refused:
        topic.published(at=at)
    assert "posted_at" in refused.value.errors


def test_a_vote_that_nobody_waits_for_takes_no_ballots(district: District) -> None:
    topic = suggested(district).accepted().proposed().consulted()
    before = topic.steps()
    first = topic.called("社区党员名册", "PARTY_MEETING").vote()
    second = topic.rewound(before).called("社区党员名册", "PARTY_MEETING").vote()
    with pytest.raises(VoteVoid):
        cast(topic, first)
    cast(topic, second)
    cast(topic.rewound(before + 1), first)
    with pytest.raises(VoteVoid):
        cast(topic, second, 2)
    assert topic.voted(0).vote().status == "void"  # the second; the first has been counted
    with district.office.work() as context:
        assert context.session.get_one(Vote, first.id).status == "closed"
    topic.announced("again").called("社区党员名册", "PARTY_MEETING")
    topic.cancelled()
    with pytest.raises(VoteVoid):
        cast(topic, topic.vote())
    assert district.findings() == []


def test_a_vote_goes_on_or_is_void_as_the_version_moved_to_has_it(district: District) -> None:
    """On the new version the call for the vote is to be decided anew; a way back is a way back to the ballot box."""
    topic = suggested(district).accepted().proposed().consulted()
    vote = topic.called("社区党员名册", "PARTY_MEETING").vote()
    cast(topic, vote)
    with district.office.work() as context:
        connection = context.session.connection()
        package = whole_package(connection, latest_version(connection, "deliberation").id)
        version = publish(connection, context.new_id(), package, context.now(), by="test", reason="试")
    topic.moved(version, Plan(dropped=frozenset(["call_review_vote"])))
    assert topic.open() == ["call_review_vote"]
    with pytest.raises(VoteVoid):
        cast(topic, vote, 2)
    cast(topic.moved_back(), vote, 2)
    cast(topic.moved(version, Plan()), vote, 3)
    assert district.findings() == []


def test_what_was_delivered_is_not_waited_for_again_after_a_rewind(district: District) -> None:
    topic = in_force(suggested(district).accepted().proposed().consulted()).planned("case", "case")
    waiting = topic.steps()
    for case in topic.cases():
        carried_out(case)
    assert topic.open() == ["confirm_delivery"]
    topic.rewound(waiting)
    district.tick()
    assert topic.open() == ["confirm_delivery"]


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE ballots SET choice = 'no' WHERE number = 1",
        "DELETE FROM ballots WHERE number = 1",
        "UPDATE roll_entries SET is_returned = false WHERE number = 1",
        "UPDATE votes SET result = 'failed'",
        "UPDATE votes SET digest = 'ab'",
        "UPDATE votes SET status = 'void'",
    ],
)
def test_a_closed_vote_is_what_was_announced(district: District, tampering: str) -> None:
    topic = suggested(district).accepted().proposed().consulted()
    topic.called("社区党员名册", "PARTY_MEETING").voted(20)
    with district.office.work() as context:
        connection = context.session.connection()
        assert list(broken_votes(connection)) == []
        connection.exec_driver_sql(tampering)
        assert list(broken_votes(connection))


def test_a_case_is_handed_over_once(district: District) -> None:
    case = waiting_case(district)
    assert suggested(district, case=case.case_id).number == suggested(district, case=case.case_id).number


def in_force(topic: Topic, *, posted: bool = True) -> Topic:
    """What has been consulted on is adopted, and put on notice to the end."""
    topic.called("社区党员名册", "PARTY_MEETING").voted(20).announced()
    topic.called("居民代表名册", "RESIDENT_REPS").voted(40).announced().resolved()
    return topic.posted().noticed() if posted else topic


def cast(topic: Topic, vote: Vote, number: int = 1) -> None:
    clock = topic.district.clock
    clock.at = max(clock.at, vote.starts_at)
    with topic.district.office.work() as context:
        cast_by_code(context, voting_code(context.sealer, vote.id, number), "yes")
