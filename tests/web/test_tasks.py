"""The task page: what it offers as the case stands, and what it keeps when something is in the way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.district import District
from tests.faults.people import sign_in
from tests.journeys.matters import place, reported


@pytest.fixture
def district(tmp_path: Path) -> Iterator[District]:
    made = District(tmp_path)
    yield made
    made.close()


def buttons(page: str) -> list[str]:
    return re.findall(r'type="radio" name="\w+_result" value="(\w+)"', page)


def test_the_lowest_tier_has_nobody_to_send_back_to(district: District) -> None:
    matter = reported(district, place(1)).accepted()
    worker, task = sign_in(district.app(), district, "loudong"), f"/tasks/{matter.task()}"
    assert "send_down" not in buttons(worker.http.get(task).get_data(as_text=True))
    sent = worker.post(f"{task}/complete", task, handle_result="send_down", escalation_reason="请下级办", work_done="无", opinion="退回")
    assert sent.status_code == 422 and "办理结果不在可选范围内" in sent.get_data(as_text=True)
    matter.do(handle_result="escalate", work_done="已围挡。", escalation_reason="没有能力。", opinion="请网格统筹。")
    above = sign_in(district.app(), district, "wangge")
    assert "send_down" in buttons(above.http.get(f"/tasks/{matter.task()}").get_data(as_text=True))


def test_nobody_begins_with_the_words_of_the_one_before(district: District) -> None:
    matter = reported(district, place(1)).accepted()
    matter.do(handle_result="escalate", work_done="已围挡并提醒邻居。", escalation_reason="没有检修能力。", opinion="请网格统筹。")
    above, task = sign_in(district.app(), district, "wangge"), f"/tasks/{matter.task()}"
    shaped = above.post(f"{task}/shape", task, handle_result="escalate").get_data(as_text=True)
    assert "work_done" in shaped and "已围挡" not in shaped


def test_what_is_known_of_the_case_is_filled_in(district: District) -> None:
    matter = reported(district, place(1)).do("wanggeyuan", accept_result="accept", category="0205")
    worker, task = sign_in(district.app(), district, "wanggeyuan"), f"/tasks/{matter.task()}"
    assert re.search(r'<option value="0205" selected', worker.post(f"{task}/shape", task, grade_result="handle").get_data(as_text=True))


def test_phrases_stay_when_the_fields_change(district: District) -> None:
    matter = reported(district, place(1)).accepted()
    worker, task = sign_in(district.app(), district, "loudong"), f"/tasks/{matter.task()}"
    assert "已到现场核实。" in worker.post(f"{task}/shape", task, handle_result="escalate").get_data(as_text=True)


def test_every_mistake_is_told_at_once_the_missing_opinion_too(district: District) -> None:
    matter = reported(district, place(1)).accepted()
    worker, task = sign_in(district.app(), district, "loudong"), f"/tasks/{matter.task()}"
    told = worker.post(f"{task}/complete", task, handle_result="escalate").get_data(as_text=True)
    assert "请填写上报或退回原因" in told and "请填写意见" in told


def test_who_is_too_late_to_claim_keeps_the_form(district: District) -> None:
    matter = reported(district, place(1))
    task = f"/tasks/{matter.task()}"
    slow = sign_in(district.app(), district, "wanggeyuan")
    token = slow.token(task)
    with district.office.work() as context:
        context.session.connection().exec_driver_sql("UPDATE tasks SET claimed_by = '1'")
    answer = slow.http.post(f"{task}/claim", data=token)
    told = answer.get_data(as_text=True)
    assert answer.status_code == 409 and "已被" in told and "data-draft" in told


def test_the_answer_says_what_was_decided_and_who_is_next(district: District) -> None:
    matter = reported(district, place(1)).accepted()
    worker, task = sign_in(district.app(), district, "loudong"), f"/tasks/{matter.task()}"
    filled = {"handle_result": "escalate", "work_done": "已围挡。", "escalation_reason": "没有能力。", "opinion": "请网格统筹。"}
    assert "临江社区第一网格网格长" in worker.post(f"{task}/foresee", task, **filled).get_data(as_text=True)
    worker.post(f"{task}/complete", task, **filled)
    assert "“本级处置”已办理：上报上级。下一环节：本级处置（临江社区第一网格网格长）。" in worker.http.get("/inbox").get_data(as_text=True)


def test_a_refusal_says_that_it_is_the_end(district: District) -> None:
    matter = reported(district, place(1))
    worker, task = sign_in(district.app(), district, "wanggeyuan"), f"/tasks/{matter.task()}"
    refused = {
        "accept_result": "refuse",
        "category": "0205",
        "refuse_reason": "涉密涉隐私",
        "told_route": "公安机关",
        "reply_text": "请向公安机关反映。",
    }
    told = worker.post(f"{task}/foresee", task, opinion="不属受理范围", **refused).get_data(as_text=True)
    assert "提交后" in told and "None" not in told


def test_a_time_in_the_future_is_not_when_somebody_was_called(district: District) -> None:
    matter = reported(district, place(1)).accepted()
    worker, task = sign_in(district.app(), district, "loudong"), f"/tasks/{matter.task()}"
    filled = {"handle_result": "settled", "measures": "已修。", "contacted_reporter_at": "2026-12-30T10:00"}
    assert "联系反映人时间不能晚于现在" in worker.post(f"{task}/complete", task, **filled).get_data(as_text=True)


def test_a_supervised_case_reads_closed_once_it_is(district: District) -> None:
    matter = reported(district, place(1)).replied()
    leader, case = sign_in(district.app(), district, "lingdao"), f"/cases/{matter.case_id}"
    assert leader.post(f"{case}/supervise", case, instruction="请说明为何拖延。", days="3").status_code == 302
    assert _status(leader.http.get(case).get_data(as_text=True)) == "待评价"
    matter.answer(evaluate_result="evaluate", resolved="已解决", satisfaction=5)
    while "close_case" in matter.open():
        matter.do("", step="close_case", close_result="close", close_code="已解决", close_summary="已修好。")
    assert matter.open() and _status(leader.http.get(case).get_data(as_text=True)) == "已结案"


def _status(page: str) -> str:
    found = re.search(r"<dt>状态</dt><dd><span class=\"tag\">(\w+)</span>", page)
    return found[1] if found else ""


def test_what_was_just_done_is_taken_back_on_the_page_of_the_task(district: District) -> None:
    matter = reported(district, place(1)).accepted()
    worker, task = sign_in(district.app(), district, "loudong"), f"/tasks/{matter.task()}"
    sent = {"handle_result": "escalate", "work_done": "已围挡。", "escalation_reason": "没有能力。", "opinion": "请网格统筹。"}
    assert worker.post(f"{task}/complete", task, **sent).status_code == 302
    done = worker.http.get(task).get_data(as_text=True)
    assert "取回原因" in done and 'name="work_done"' not in done
    refused = worker.post(f"{task}/withdraw", task, reason=" ")
    assert refused.status_code == 422 and "请写明原因" in refused.get_data(as_text=True)
    assert worker.post(f"{task}/withdraw", task, reason="写错了").status_code == 302
    again = worker.http.get(task).get_data(as_text=True)
    assert "已取回" in again and re.search(r'value="escalate" +checked +hx-post', again)
    for words in ("已围挡。</textarea>", "请网格统筹。</textarea>"):
        assert words in again
    assert "取回原因" not in again and "写错了" in again
    worker.post(f"{task}/complete", task, **sent | {"work_done": "已围挡并提醒邻居。"})
    above = sign_in(district.app(), district, "wangge")
    above.post(f"/tasks/{matter.task()}/claim", f"/tasks/{matter.task()}")
    assert "取回原因" not in worker.http.get(task).get_data(as_text=True)
    late = worker.post(f"{task}/withdraw", task, reason="又写错了")
    assert late.status_code == 409 and "不能取回" in late.get_data(as_text=True)
    assert district.findings() == []
