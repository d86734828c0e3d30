"""Meetings on a real database, SQLite and PostgreSQL."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import Row, select, update

from engine.schema import instances as instance_rows
from engine.schema import tasks
from governance.cases.commands import Report, register
from governance.cases.models import Case
from governance.cases.photos import read_picture
from governance.deliberation.commands import Suggestion, suggest
from governance.errors import NotAllowed, NotFound, Refused
from governance.files.rules import MAX_BYTES, Attachment, file_path, read_attachment
from governance.meetings import queries
from governance.meetings.attendance import enter_people, invite, sign_in, strike_off, tick, untick
from governance.meetings.commands import (
    NewRule,
    add_item,
    cancel,
    change_rule,
    close_meeting,
    convene,
    give_notice,
    note_result,
    open_meeting,
    remove_item,
    replan,
)
from governance.meetings.decisions import Resolved, confirm, deliveries, drop, record
from governance.meetings.errors import (
    AgendaFrozen,
    AlreadySigned,
    AlreadySignedIn,
    CodeLocked,
    DoorsClosed,
    MeetingOver,
    NoExtraItems,
    NoQuorum,
    NotNow,
    NotPresent,
    OldMinutes,
    WrongCode,
)
from governance.meetings.files import PER_MEETING, attach, file_of, sweep_files
from governance.meetings.minutes import TEXT, altered, record_signature, sign_minutes, write_minutes
from governance.meetings.models import Minutes
from governance.meetings.rules import Body, Role, Status, status
from governance.shelf import lay
from governance.workflow.commands import complete
from tests.district import MONDAY, District
from tests.governance.meeting_world import ESTATE, OTHER, Hall

HOUR = timedelta(hours=1)


@pytest.fixture
def hall(district: District) -> Iterator[Hall]:
    """A unit of work; nothing of it is kept."""
    district.clock.at = MONDAY
    with district.office.work() as context, context.session.begin_nested() as savepoint:
        yield Hall(district, context)
        savepoint.rollback()


def refused(act: object, *args: object, **kwargs: object) -> dict[str, str]:
    with pytest.raises(Refused) as caught:
        act(*args, **kwargs)  # type: ignore[operator]
    return caught.value.errors


# ---- convening -----------------------------------------------------------------------------------------------------


def test_a_meeting_begins_as_a_draft(hall: Hall) -> None:
    held = hall.draft()
    assert status(held) == Status.DRAFT and held.convener_post == "community_lead" and (held.notice_days, held.quorum) == (3, "2/3")


def test_what_is_missing_is_said_at_once(hall: Hall) -> None:
    empty = replace(hall.plan(title="", place=""), starts_at=None, convener="", body="")
    assert refused(convene, hall.context, hall.holder(), empty).keys() == {"title", "place", "starts_at", "convener", "body"}
    assert refused(convene, hall.context, hall.holder(), hall.plan(link="javascript:alert(1)")) == {
        "link": "线上会议的链接应以 https:// 开头"
    }
    assert refused(convene, hall.context, hall.holder(), hall.plan(Body.OWNERS)) == {"body": "社区不召开业主大会"}
    assert refused(convene, hall.context, hall.holder(), hall.plan(title="长" * 81)) == {"title": "会议名称不能超过 80 个字"}


def test_nobody_convenes_where_they_hold_no_post(hall: Hall) -> None:
    for actor in (hall.holder(code=OTHER), hall.holder("auditor", "500199"), hall.holder("system_administrator", "500199")):
        with pytest.raises(NotAllowed):
            convene(hall.context, actor, hall.plan())
    beside = hall.holder(code=OTHER).acting
    assert beside and refused(convene, hall.context, hall.holder(), hall.plan(convener=str(beside.id))) == {"convener": "请选择召集人"}
    assert convene(hall.context, hall.holder(), hall.plan(Body.OWNERS, code=ESTATE)).unit.code == ESTATE, "the community for its estate"


def test_a_draft_can_be_changed_and_a_noticed_meeting_cannot(hall: Hall) -> None:
    held = hall.draft()
    replan(hall.context, hall.holder(), held.id, hall.plan(days=9, title="改期的会议"))
    assert held.title == "改期的会议"
    give_notice(hall.context, hall.holder(), held.id)
    with pytest.raises(NotNow):
        replan(hall.context, hall.holder(), held.id, hall.plan())


# ---- the notice ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("body", "code", "days"), [(Body.REPRESENTATIVES, "500199001001", 3), (Body.OWNERS, ESTATE, 15)])
def test_a_notice_too_short_is_refused_with_the_earliest_day(hall: Hall, body: Body, code: str, days: int) -> None:
    held = hall.draft(body, days, code)
    earliest = (MONDAY + timedelta(days=days + 1)).date()
    said = refused(give_notice, hall.context, hall.holder(), held.id, "很急")
    assert said == {"starts_at": f"{body.label}应提前 {days} 日通知，最早可于 {earliest} 召开"} and held.noticed_at is None
    assert give_notice(hall.context, hall.holder(), hall.draft(body, days + 1, code).id).noticed_at == MONDAY


def test_an_urgent_joint_meeting_may_be_sooner_with_a_reason(hall: Hall) -> None:
    held = hall.draft(Body.JOINT, 1)
    assert "确需紧急召开的，请写明原因" in refused(give_notice, hall.context, hall.holder(), held.id)["urgent_reason"]
    assert give_notice(hall.context, hall.holder(), held.id, "汛情").urgent_reason == "汛情"


def test_a_notice_needs_items_people_and_a_time_to_come(hall: Hall) -> None:
    held = convene(hall.context, hall.holder(), hall.plan())
    assert refused(give_notice, hall.context, hall.holder(), held.id) == {"items": "请先写明议题"}
    add_item(hall.context, hall.holder(), held.id, "电梯")
    assert refused(give_notice, hall.context, hall.holder(), held.id) == {"attendees": "请先列出参会人员"}
    enter_people(hall.context, hall.holder(), held.id, "张三", Role.OBSERVER, sealed=False)
    assert refused(give_notice, hall.context, hall.holder(), held.id) == {"attendees": "请先列出参会人员"}, "observers are not due"
    enter_people(hall.context, hall.holder(), held.id, "李四", Role.MEMBER, sealed=False)
    hall.at(held.starts_at)
    assert refused(give_notice, hall.context, hall.holder(), held.id) == {"starts_at": "开会时间已过，请先修改"}


def test_a_changed_rule_holds_from_the_next_notice_on(hall: Hall) -> None:
    before, draft = hall.noticed(), hall.draft()
    new = NewRule(5, False, "3/4", False, True, "本社区议事规则", True)
    change_rule(hall.context.session, Body.REPRESENTATIVES, new)
    give_notice(hall.context, hall.holder(), draft.id)
    assert (before.notice_days, before.quorum, draft.notice_days, draft.quorum) == (3, "2/3", 5, "3/4")


def test_a_rule_that_makes_no_sense_is_refused(hall: Hall) -> None:
    said = refused(change_rule, hall.context.session, Body.OWNERS, NewRule(-1, False, "3/2", False, False, "", False))
    assert said.keys() == {"notice_days", "quorum", "source"}


# ---- the agenda ----------------------------------------------------------------------------------------------------


def test_the_agenda_stands_once_noticed_and_what_comes_later_is_marked(hall: Hall) -> None:
    held = hall.noticed()
    (first,) = queries.agenda(hall.context.session, held.id)
    with pytest.raises(AgendaFrozen):
        remove_item(hall.context, hall.holder(), held.id, first.id)
    assert add_item(hall.context, hall.holder(), held.id, "临时的事").is_extra and not first.is_extra


def test_owners_decide_on_nothing_that_was_not_noticed(hall: Hall) -> None:
    held = hall.noticed(Body.OWNERS, 16, ESTATE)
    with pytest.raises(NoExtraItems):
        add_item(hall.context, hall.holder(), held.id, "动用维修资金")


def test_an_item_of_a_draft_can_be_removed_by_its_own_meeting_only(hall: Hall) -> None:
    held, other = hall.draft(), hall.draft()
    (item,) = queries.agenda(hall.context.session, held.id)
    with pytest.raises(NotFound):
        remove_item(hall.context, hall.holder(), other.id, item.id)
    remove_item(hall.context, hall.holder(), held.id, item.id)
    assert not queries.agenda(hall.context.session, held.id)


def a_case(hall: Hall, code: str, *, is_confidential: bool = False) -> Case:
    where = f"{code}00001"
    report = Report("三楼漏水", hall.unit(where), "居民匿名", f"meeting-{hall.context.new_id()}", is_confidential=is_confidential)
    return register(hall.context, report)[0]


def test_a_case_comes_on_the_agenda_by_its_number_when_the_convener_may_see_it(hall: Hall) -> None:
    held, mine, foreign = hall.draft(), a_case(hall, "500199001001"), a_case(hall, OTHER)
    item = add_item(hall.context, hall.holder(), held.id, case_number=f" {mine.number} ")
    assert (item.case_id, item.text) == (mine.id, mine.title)
    (about,) = queries.meetings_about(hall.context.session, hall.holder(), case_id=mine.id)
    assert about.meeting is held and queries.meetings_about(hall.context.session, hall.holder(code=OTHER), case_id=mine.id) == []
    for number in (foreign.number, "nothing"):
        assert refused(add_item, hall.context, hall.holder(), held.id, case_number=number) == {
            "case_number": "没有这个编号的事项或议题，或者召集人无权查看"
        }


def test_the_title_of_a_confidential_case_is_not_noticed(hall: Hall) -> None:
    held, secret = hall.draft(), a_case(hall, "500199001001", is_confidential=True)
    assert refused(add_item, hall.context, hall.holder(), held.id, case_number=secret.number).keys() == {"text"}
    assert add_item(hall.context, hall.holder(), held.id, "一件信访事项", secret.number).text == "一件信访事项"


# ---- attendance ----------------------------------------------------------------------------------------------------


def test_residents_are_sealed_masked_and_known_to_those_who_see_to_the_meeting(hall: Hall) -> None:
    held = hall.draft()
    first = hall.roll(held)[0]
    assert first.name is None and first.sealed_name and "王秀英" not in first.sealed_name
    assert [entry.name for entry in queries.roll(hall.context, held.id, plain=False)] == ["王**", "李**", "张**"]
    assert [entry.name for entry in queries.roll(hall.context, held.id, plain=True)] == ["王秀英", "李国庆", "张小梅"]
    assert (hall.code(first), first.title) == ("5678", "3 栋居民代表")
    assert len(hall.code(hall.roll(held)[2])) == 6, "who gave no mobile is given a code"


def test_staff_are_listed_by_their_posts_once(hall: Hall) -> None:
    held, lead = hall.draft(), hall.holder()
    assert lead.acting
    assert [invite(hall.context, lead, held.id, [lead.acting.id]) for _ in range(2)] == [1, 0]
    assert hall.roll(held)[-1].title == "临江社区社区长" and hall.roll(held)[-1].name == lead.name


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (" \n ", "请填写姓名，每人一行"),
        ("王秀英 56", "第 1 行手机应为后四位数字"),
        ("张三\n李四 12a4 代表\n王五 123456", "第 3 行手机应为后四位数字"),
        ("名" * 41, "第 1 行姓名不能超过 40 个字"),
    ],
)
def test_lines_that_cannot_be_read_are_named(hall: Hall, text: str, said: str) -> None:
    assert refused(enter_people, hall.context, hall.holder(), hall.draft().id, text, sealed=True) == {"people": said}


def test_nobody_is_left_out_to_make_up_a_quorum(hall: Hall) -> None:
    held = hall.noticed()
    with pytest.raises(AgendaFrozen):
        strike_off(hall.context, hall.holder(), held.id, hall.roll(held)[0].id)
    opened = hall.opened()
    with pytest.raises(NotNow):
        enter_people(hall.context, hall.holder(), opened.id, "后来的人", Role.MEMBER, sealed=True)
    assert enter_people(hall.context, hall.holder(), opened.id, "旁听的人", Role.OBSERVER, sealed=True) == 1
    assert queries.quorum_of(hall.context.session, opened).due == 3


def test_people_sign_in_once_with_their_own_number(hall: Hall) -> None:
    held = hall.noticed()
    one, other = hall.roll(held)[:2]
    hall.at(held.starts_at - HOUR - timedelta(seconds=1))
    with pytest.raises(DoorsClosed):
        sign_in(hall.context, hall.secret(held), one.id, "5678")
    hall.at(held.starts_at - HOUR)
    with pytest.raises(WrongCode):
        sign_in(hall.context, hall.secret(held), one.id, hall.code(other))
    assert sign_in(hall.context, hall.secret(held), one.id, " 5678 ").signed_in_at == held.starts_at - HOUR
    with pytest.raises(AlreadySignedIn, match="已于 08:00 签到，不必重复签到"):
        sign_in(hall.context, hall.secret(held), one.id, "5678")
    with pytest.raises(NotFound):
        sign_in(hall.context, "somebody else's secret", other.id, "1234")


def test_guessing_ends_after_five_wrong_numbers(hall: Hall) -> None:
    held = hall.noticed()
    one = hall.roll(held)[0]
    hall.at(held.starts_at)
    for _ in range(5):
        with pytest.raises(WrongCode):
            sign_in(hall.context, hall.secret(held), one.id, "0000")
    with pytest.raises(CodeLocked):
        sign_in(hall.context, hall.secret(held), one.id, "5678")
    assert tick(hall.context, hall.holder(), held.id, one.id).ticked_by == hall.holder().person_id


def test_nobody_signs_in_to_another_meeting_or_after_the_end(hall: Hall) -> None:
    held, other = hall.closed(), hall.noticed()
    with pytest.raises(MeetingOver):
        sign_in(hall.context, hall.secret(held), hall.roll(held)[2].id, "x")
    with pytest.raises(MeetingOver):
        tick(hall.context, hall.holder(), held.id, hall.roll(held)[2].id)
    hall.at(other.starts_at)
    with pytest.raises(NotFound):
        sign_in(hall.context, hall.secret(other), hall.roll(held)[2].id, "x")


def test_a_mistaken_tick_can_be_taken_back_until_the_meeting_opens(hall: Hall) -> None:
    held = hall.gathered()
    one = hall.roll(held)[0]
    untick(hall.context, hall.holder(), held.id, one.id)
    assert queries.quorum_of(hall.context.session, held).present == 1
    tick(hall.context, hall.holder(), held.id, one.id)
    open_meeting(hall.context, hall.holder(), held.id)
    with pytest.raises(NotNow):
        untick(hall.context, hall.holder(), held.id, one.id)


# ---- opening and closing -------------------------------------------------------------------------------------------


def test_a_meeting_opens_with_its_quorum_and_not_with_one_less(hall: Hall) -> None:
    held = hall.gathered(come=1)
    with pytest.raises(NoQuorum, match="应到 3，实到 1，还差 1 人"):
        open_meeting(hall.context, hall.holder(), held.id)
    tick(hall.context, hall.holder(), held.id, hall.roll(held)[1].id)
    assert status(open_meeting(hall.context, hall.holder(), held.id)) == Status.OPEN
    assert [one.number for one in queries.present(hall.context.session, held.id)] == [1, 2]
    assert status(close_meeting(hall.context, hall.holder(), held.id)) == Status.CLOSED


def test_a_meeting_without_a_quorum_opens_with_anybody(hall: Hall) -> None:
    held = hall.gathered(Body.CONSULTATION, come=1)
    assert status(open_meeting(hall.context, hall.holder(), held.id)) == Status.OPEN


def test_a_meeting_does_not_open_before_its_time_or_twice(hall: Hall) -> None:
    held = hall.noticed(Body.CONSULTATION)
    with pytest.raises(NotNow):
        open_meeting(hall.context, hall.holder(), held.id)
    opened = hall.opened()
    with pytest.raises(NotNow):
        open_meeting(hall.context, hall.holder(), opened.id)


def test_only_what_has_not_begun_can_be_cancelled(hall: Hall) -> None:
    held = hall.noticed()
    assert refused(cancel, hall.context, hall.holder(), held.id, " ") == {"reason": "请填写取消的原因"}
    assert status(cancel(hall.context, hall.holder(), held.id, "改期")) == Status.CANCELLED
    with pytest.raises(NotNow):
        cancel(hall.context, hall.holder(), hall.opened().id, "不开了")


def test_results_are_noted_while_and_after_the_meeting_is_on(hall: Hall) -> None:
    draft, held = hall.draft(), hall.opened()
    (item,) = queries.agenda(hall.context.session, held.id)
    assert note_result(hall.context, hall.holder(), held.id, item.id, "原则同意").result == "原则同意"
    (early,) = queries.agenda(hall.context.session, draft.id)
    with pytest.raises(NotNow):
        note_result(hall.context, hall.holder(), draft.id, early.id, "同意")


# ---- who sees what -------------------------------------------------------------------------------------------------


def test_a_meeting_is_seen_from_above_by_its_attendees_and_not_from_beside(hall: Hall) -> None:
    held, session = hall.draft(), hall.context.session
    guest = hall.holder("department_lead", "500199-D01")
    assert guest.acting
    invite(hall.context, hall.holder(), held.id, [guest.acting.id])
    street, beside, auditor = (
        hall.holder("command_lead", "500199001"),
        hall.holder(code=OTHER),
        hall.holder("auditor", "500199"),
    )
    assert queries.meeting(session, held.id, street) is queries.meeting(session, held.id, auditor) is held
    for stranger in (beside, guest, hall.holder("system_administrator", "500199")):
        with pytest.raises(NotFound):
            queries.meeting(session, held.id, stranger)
    give_notice(hall.context, hall.holder(), held.id)
    assert queries.meeting(session, held.id, guest) is held, "the notice reaches who is invited"
    for onlooker in (guest, street, auditor):
        with pytest.raises(NotAllowed):
            cancel(hall.context, onlooker, held.id, "不开了")


def test_the_list_is_narrowed_by_level_and_by_how_far_a_meeting_has_come(hall: Hall) -> None:
    session, lead = hall.context.session, hall.holder()
    draft, noticed = hall.draft(), hall.noticed(Body.OWNERS, 20, ESTATE)
    cancelled = cancel(hall.context, lead, hall.draft().id, "不开")
    opened = hall.opened()

    def found(**narrowed: object) -> set[int]:
        return {m.id for m in queries.meetings(session, lead, **narrowed).meetings}  # type: ignore[arg-type]

    assert found() == found(mine=True) == {draft.id, noticed.id, cancelled.id, opened.id}
    assert found(kind=noticed.unit.kind) == {noticed.id}
    stands = {Status.DRAFT: draft, Status.NOTICED: noticed, Status.CANCELLED: cancelled, Status.OPEN: opened}
    assert {status: found(status=status) for status in stands} == {status: {held.id} for status, held in stands.items()}
    close_meeting(hall.context, lead, opened.id)
    assert found(status=Status.CLOSED) == {opened.id} and found(status=Status.OPEN) == set()
    assert queries.meetings(session, hall.holder(code=OTHER)).meetings == ()


def test_pages_of_the_list_follow_each_other(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [convene(hall.context, hall.holder(), hall.plan(days=days)).id for days in (5, 6, 6, 7)]
    monkeypatch.setattr(queries, "PAGE", 3)
    first = queries.meetings(hall.context.session, hall.holder())
    rest = queries.meetings(hall.context.session, hall.holder(), after=first.after)
    assert [m.id for m in (*first.meetings, *rest.meetings)] == [made[3], *sorted(made[1:3], reverse=True), made[0]] and rest.after is None


# ---- minutes -------------------------------------------------------------------------------------------------------


def test_a_new_version_voids_the_signatures_on_the_old(hall: Hall) -> None:
    held = hall.draft()
    lead = hall.joined(held)
    first = write_minutes(hall.context, lead, held.id, "会议同意加装电梯。", 0)
    sign_minutes(hall.context, lead, held.id, first.id)
    with pytest.raises(AlreadySigned):
        sign_minutes(hall.context, lead, held.id, first.id)
    second = write_minutes(hall.context, lead, held.id, "会议原则同意加装电梯。", 1)
    with pytest.raises(OldMinutes):
        sign_minutes(hall.context, lead, held.id, first.id)
    signed = queries.signatures(hall.context.session, held.id)
    assert len(signed[first.id]) == 1 and second.id not in signed, "the old signature stays with the old version"
    sign_minutes(hall.context, lead, held.id, second.id)
    assert first.digest != second.digest and altered(queries.minutes(hall.context.session, held.id)) == []


def test_what_was_altered_in_the_database_is_noticed(hall: Hall) -> None:
    held = hall.opened()
    for n, text in enumerate(("第一版", "第二版", "第三版")):
        write_minutes(hall.context, hall.holder(), held.id, text, n)
    session = hall.context.session
    session.execute(update(Minutes).where(Minutes.meeting_id == held.id, Minutes.number == 2).values(text="改过的"))
    session.expire_all()
    assert altered(queries.minutes(session, held.id)) == [2]


def test_minutes_are_refused_that_are_empty_unchanged_too_long_or_stale(hall: Hall) -> None:
    held, lead = hall.opened(), hall.holder()
    assert refused(write_minutes, hall.context, lead, held.id, "  ", 0) == {"text": "请填写会议记录"}
    assert refused(write_minutes, hall.context, lead, held.id, "字" * 1_000_000, 0) == {"text": f"会议记录不能超过 {TEXT} 个字"}
    write_minutes(hall.context, lead, held.id, "会议\r\n记录", 0)
    assert refused(write_minutes, hall.context, lead, held.id, "会议\n记录", 1) == {"text": "内容没有改动"}
    assert refused(write_minutes, hall.context, lead, held.id, "另一个人写的", 0) == {"text": "他人已保存了第 1 版，请对照后再保存"}
    with pytest.raises(NotNow):
        write_minutes(hall.context, lead, hall.noticed().id, "还没开会", 0)


def test_only_who_was_there_signs(hall: Hall) -> None:
    held, lead = hall.opened(), hall.holder()
    version = write_minutes(hall.context, lead, held.id, "记录", 0)
    with pytest.raises(NotAllowed):
        sign_minutes(hall.context, lead, held.id, version.id)
    present, _, absent = hall.roll(held)
    with pytest.raises(NotPresent):
        record_signature(hall.context, lead, held.id, version.id, absent.id, read_picture(picture()))
    kept = record_signature(hall.context, lead, held.id, version.id, present.id, read_picture(picture()))
    lay(hall.context.session)
    assert kept.file_id and file_path(hall.context.folder, file_of(hall.context, held, kept.file_id).digest).exists()
    with pytest.raises(NotFound):
        record_signature(hall.context, lead, held.id, 1, present.id, read_picture(picture()))


# ---- attachments ---------------------------------------------------------------------------------------------------


def picture(kind: str = "JPEG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "#a55").save(out, kind)
    return out.getvalue()


def office(*parts: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for part in parts:
            archive.writestr(part, "x")
    return out.getvalue()


TYPES = "[Content_Types].xml"


@pytest.mark.parametrize(
    ("name", "content", "kept"),
    [
        ("方案.pdf", b"%PDF-1.7 ...", "方案.pdf"),
        ("方案.exe", b"%PDF-1.7 ...", "方案.pdf"),
        ("记录.docx", office(TYPES, "word/document.xml"), "记录.docx"),
        ("预算", office(TYPES, "xl/workbook.xml"), "预算.xlsx"),
        ("现场.png", picture("PNG"), "现场.jpg"),
        ("../../etc/passwd", b"%PDF-1.4", "passwd.pdf"),
        ("C:\\文件\\图 1.webp", picture("WEBP"), "图 1.jpg"),
        ("", b"%PDF-1.4", "file.pdf"),
        ("名" * 300, b"%PDF-1.4", "名" * 115 + ".pdf"),
    ],
)
def test_a_file_is_what_its_content_says(name: str, content: bytes, kept: str) -> None:
    assert read_attachment(name, content).name == kept


@pytest.mark.parametrize(
    "content",
    [
        b"MZ\x90\x00",
        b"<html><script>alert(1)</script>",
        b"",
        office("word/document.xml"),
        office(TYPES, "word/document.xml", "word/vbaProject.bin"),
        office(TYPES, "payload.exe"),
        b"PK\x03\x04 broken",
        b"GIF89a",
    ],
)
def test_anything_else_is_refused_whatever_its_name_says(content: bytes) -> None:
    assert refused(read_attachment, "会议纪要.pdf", content) == {"file": "只能上传 PDF、Word（docx）、Excel（xlsx）文件或图片"}


def test_a_broken_picture_and_a_large_file_are_refused() -> None:
    assert refused(read_attachment, "a.jpg", picture()[:40]).keys() == {"file"}
    assert refused(read_attachment, "a.pdf", b"%PDF-" + b"x" * MAX_BYTES) == {"file": "附件超过 10 MB"}


def test_attachments_are_kept_by_content_and_counted(hall: Hall) -> None:
    held, lead = hall.draft(), hall.holder()
    sent = Attachment("方案.pdf", "pdf", b"%PDF-1.7")
    one, again = (attach(hall.context, lead, held.id, sent) for _ in range(2))
    lay(hall.context.session)
    assert one.digest == again.digest and file_path(hall.context.folder, one.digest).read_bytes() == sent.content
    for _ in range(PER_MEETING - 2):
        attach(hall.context, lead, held.id, sent)
    assert refused(attach, hall.context, lead, held.id, sent) == {"file": "附件最多 20 个"}
    with pytest.raises(NotFound):
        file_of(hall.context, hall.draft(), one.id)


def test_what_no_meeting_keeps_is_swept_after_a_day(hall: Hall) -> None:
    context = hall.context
    kept = file_path(context.folder, attach(context, hall.holder(), hall.draft().id, Attachment("a.pdf", "pdf", b"%PDF-kept")).digest)
    lay(context.session)
    orphan, fresh = (file_path(context.folder, letter * 64) for letter in "ab")
    for path in (orphan, fresh):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"%PDF")
    for path in (kept, orphan):
        os.utime(path, ((MONDAY - timedelta(days=2)).timestamp(),) * 2)
    os.utime(fresh, (MONDAY.timestamp(),) * 2)
    (context.folder / "files" / ".swept").unlink(missing_ok=True)
    assert sweep_files(context) == 1 and kept.exists() and fresh.exists() and not orphan.exists()
    assert sweep_files(context) == 0, "once a day"


# ---- decisions -----------------------------------------------------------------------------------------------------


def resolved(hall: Hall, **changed: object) -> Resolved:
    department = hall.unit("500199-D01")
    due = hall.context.today + timedelta(days=10)
    return replace(Resolved("更换三号楼排水管", str(department.id), due), **changed)  # type: ignore[arg-type]


def test_a_decision_is_refused_without_its_unit_its_day_or_its_words(hall: Hall) -> None:
    held, lead = hall.opened(), hall.holder()
    nothing = Resolved(" ", "", None)
    assert refused(record, hall.context, lead, held.id, nothing) == {
        "text": "请填写议定事项",
        "due_on": "请填写完成期限",
        "unit": "请选择责任单位",
    }
    for due, said in ((hall.context.today, "完成期限应在今天之后"), (hall.context.today + timedelta(days=5000), "完成期限不能超过三年")):
        assert refused(record, hall.context, lead, held.id, resolved(hall, due_on=due)) == {"due_on": said}
    beside = str(hall.unit(OTHER).id)
    assert refused(record, hall.context, lead, held.id, resolved(hall, unit_id=beside)) == {"unit": "请选择责任单位"}
    with pytest.raises(NotNow):
        record(hall.context, lead, hall.noticed().id, resolved(hall))


def test_a_decision_becomes_a_task_of_its_unit_that_the_convener_checks(hall: Hall) -> None:
    held, lead, context = hall.closed(), hall.holder(), hall.context
    decision = record(context, lead, held.id, resolved(hall))
    assert [d.words for d in deliveries(context, held.id)] == ["待交办"]
    confirm(context, lead, held.id, decision.id)
    assert decision.instance_id and queries.decision_of(context.session, decision.instance_id) is decision
    row = context.session.execute(select(instance_rows).where(instance_rows.c.id == decision.instance_id)).one()
    assert row.business_key == f"decision:{decision.id}"
    task = open_task(hall, decision.instance_id)
    assert task.element == "carry_out_decision" and task.due_at.date() == decision.due_on
    handler = hall.holder("department_handler", "500199-D01")
    complete(context, handler, task.id, {"result_text": "已更换", "carry_result": "done"})
    assert [(d.words, d.result) for d in deliveries(context, held.id)] == [("待核查", "已更换")]
    complete(context, lead, open_task(hall, decision.instance_id).id, {"check_note": "还在滴水", "check_result": "back"})
    assert [d.words for d in deliveries(context, held.id)] == ["落实中"]
    complete(context, handler, open_task(hall, decision.instance_id).id, {"result_text": "已修好", "carry_result": "done"})
    complete(context, lead, open_task(hall, decision.instance_id).id, {"check_note": "看过了", "check_result": "pass"})
    assert [(d.words, d.result, d.is_over) for d in deliveries(context, held.id)] == [("已落实", "已修好", True)]


def open_task(hall: Hall, instance_id: int) -> Row[Any]:
    waiting = (tasks.c.instance_id == instance_id) & tasks.c.closed_at.is_(None)
    return hall.context.session.execute(select(tasks).where(waiting)).one()


def test_a_decision_past_its_day_is_late(hall: Hall) -> None:
    held, context = hall.opened(), hall.context
    decision = confirm(context, hall.holder(), held.id, record(context, hall.holder(), held.id, resolved(hall)).id)
    hall.at(context.now() + timedelta(days=12))
    assert decision.confirmed_at and [d.is_late for d in deliveries(context, held.id)] == [True]


def test_a_decision_is_handed_over_once_and_not_dropped_after_that(hall: Hall) -> None:
    held, lead, context = hall.opened(), hall.holder(), hall.context
    first, second = (record(context, lead, held.id, resolved(hall)) for _ in range(2))
    drop(context, lead, held.id, first.id)
    confirm(context, lead, held.id, second.id)
    for act in (confirm, drop):
        with pytest.raises(NotNow):
            act(context, lead, held.id, second.id)
    with pytest.raises(NotFound):
        confirm(context, lead, hall.opened().id, second.id)


def test_a_decision_may_be_about_a_case(hall: Hall) -> None:
    held, mine, context = hall.opened(), a_case(hall, "500199001001"), hall.context
    decision = record(context, hall.holder(), held.id, resolved(hall, case_number=mine.number))
    (about,) = queries.meetings_about(context.session, hall.holder(), case_id=mine.id)
    assert about.decisions == (decision,) and queries.numbers(context.session, [mine.id, None]) == {mine.id: mine.number}


def test_a_matter_comes_on_the_agenda_by_its_number_and_is_decided_about(hall: Hall) -> None:
    lead, held = hall.holder(), hall.draft()
    matter, _secret = suggest(hall.context, Suggestion(hall.unit(), "加装电梯", "老人上下楼困难。", "加装一部。", "topic"))
    item = add_item(hall.context, lead, held.id, case_number=matter.number)
    assert (item.text, item.matter_id, item.case_id) == ("加装电梯", matter.id, None)
    assert [about.meeting.id for about in queries.meetings_about(hall.context.session, lead, matter_id=matter.id)] == [held.id]
    foreign, _secret = suggest(hall.context, Suggestion(hall.unit(OTHER), "别处的事", "别处。", "别处。", "topic 2"))
    assert "没有这个编号" in refused(add_item, hall.context, lead, held.id, "", foreign.number)["case_number"]
