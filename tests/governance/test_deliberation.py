"""四事五议 through commands, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from governance.voting.queries import recount
from governance.voting.rules import Mark
from tests.deliberations import ESTATE, carried_out, suggested
from tests.district import District


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
