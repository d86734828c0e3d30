"""One rehearsed case, side by side: what happened, what would have, and nothing of what was filled in."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from engine.packages import DIAGRAM
from engine.plans import Plan
from engine.versions import latest_version
from governance.cases.models import Case
from governance.studio.commands import draft_version, save
from governance.studio.models import Run
from governance.studio.runs import Choice, begin_rehearsal
from governance.workflow.world import instances
from tests.district import District
from tests.faults.people import Client, sign_in
from tests.governance.test_runs import FLOW, NOTED, Court
from tests.journeys.matters import LEAK, Matter, place, reported


@pytest.fixture
def district(tmp_path: Path) -> Iterator[District]:
    made = District(tmp_path)
    yield made
    made.close()


def tried(district: District, old: str, new: str, plan: Plan | None = None) -> int:
    """A rehearsal of the process of issues, so changed."""
    with district.office.work() as context:
        court = Court(district, context)
        held = draft_version(context, court.maker, latest_version(context.session.connection(), "issue_disposal").id)
        text = court.diagram(held)
        assert old in text
        save(context, court.maker, held.id, held.revision, {DIAGRAM: text.replace(old, new)})
        run = begin_rehearsal(context, court.maker, held.id, Choice(), plan).id
    district.tick()
    return run


def instance(matter: Matter) -> int:
    with matter.district.office.work() as context:
        return context.session.get_one(Case, matter.case_id).instance_id or 0


def table(told: str) -> list[list[str]]:
    """The two ways, line by line."""
    rows = etree.HTML(told).findall(".//table[@class='table pairs']/tbody/tr")
    cells = [[" ".join("".join(cell.itertext()).split()) for cell in row.findall("td")] for row in rows]
    return [row * 2 if len(row) == 1 else row for row in cells]


def page(client: Client, run: int, instance_id: int) -> str:
    answer = client.http.get(f"/admin/studio/runs/{run}/cases/{instance_id}")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_both_ways_stand_side_by_side_with_the_place_where_they_part(district: District) -> None:
    matter = reported(district, place(1)).accepted()
    run = tried(district, '>accept_result == "supplement"<', '>accept_result == "accept"<')
    told = page(sign_in(district.app(), district, "liucheng"), run, instance(matter))
    assert LEAK not in told and "/cases/" not in told.partition("<main")[2].replace("/runs/", "")
    lines = table(told)
    assert [was == now for was, now in lines] == [True] * 4 + [False] * 4
    assert lines[2][0].startswith("受理登记受理3月2日 09:00") and lines[2][0].endswith("3月2日 15:00 到期")
    assert lines[3] == ["从这里起走向不同"] * 2
    assert lines[4][0].startswith("分级分类进入处置") and lines[4][1].startswith("补充情况无法继续")
    assert lines[7][0].startswith("本级处置待办") and lines[7][1] == "—"


def test_a_step_that_is_new_or_no_more_stands_alone(district: District) -> None:
    matter = reported(district, place(1)).accepted()
    looked = '<bpmn:userTask id="look" name="复核登记"></bpmn:userTask>'
    on = f'<bpmn:sequenceFlow id="looked" {FLOW.replace("accept_case", "look")}'
    client = sign_in(district.app(), district, "liucheng")
    change = FLOW, f'sourceRef="accept_case" targetRef="look" />{looked}{on}'
    passed = table(page(client, tried(district, *change), instance(matter)))
    assert [line for line in passed if line[0] != line[1]] == [["—", "复核登记视为已办3月2日 09:00"]]
    stopped = table(page(client, tried(district, *change, plan=Plan()), instance(matter)))
    assert [was.partition("3月")[0] for was, _now in stopped[2:4]] == ["受理登记受理", "分级分类进入处置草稿上走不到这一步"]
    assert stopped[3][1] == "复核登记无法继续3月2日 09:00 到达"


def test_what_sends_a_case_back_stands_on_both_sides(district: District) -> None:
    matter = reported(district, place(1)).accepted()
    with district.office.work() as context:
        court = Court(district, context)
        of = context.session.get_one(Case, matter.case_id).instance_id or 0
        instances(context).rewind(of, 1, court.holder("system_administrator", "500199").record(), "重新受理")
    run = tried(district, 'name="受理登记"', 'name="登记"')
    lines = table(page(sign_in(district.app(), district, "liucheng"), run, instance(matter)))
    back = next(n for n, line in enumerate(lines) if line[0].startswith("退回"))
    assert lines[back][0] == lines[back][1]
    assert [line.partition("3月")[0] for line in lines[-1]] == ["受理登记待办", "登记待办"]


def test_the_summary_leads_to_the_cases_that_part_at_a_place(district: District) -> None:
    """Also when the record has no answer beyond it."""
    matter = reported(district, place(1)).accepted()
    run = tried(district, '>accept_result == "supplement"<', '>accept_result == "accept"<')
    client = sign_in(district.app(), district, "liucheng")
    summary = client.http.get(f"/admin/studio/runs/{run}").get_data(as_text=True)
    link = re.search(r'href="([^"]+ending=parted&amp;element=[^"#]+)', summary)
    assert link
    there = client.http.get(html.unescape(link.group(1))).get_data(as_text=True)
    assert f"/admin/studio/runs/{run}/cases/{instance(matter)}" in there


def test_a_case_that_ends_the_same_says_which_steps_fell_away_or_are_new(district: District) -> None:
    matter = reported(district, place(1)).accepted()
    run = tried(district, *NOTED)
    client = sign_in(district.app(), district, "liucheng")
    summary = client.http.get(f"/admin/studio/runs/{run}").get_data(as_text=True)
    assert "结果相同，途经不同" in summary and "1 件事项结果与当时相同" in summary
    assert "ending=rerouted&amp;element=noted" in summary and "新经过：自动登簿" in summary
    assert "&#34;noted&#34;: {&#34;added&#34;: 1, &#34;done&#34;: 1}" in summary
    told = page(client, run, instance(matter))
    assert "结果相同，途经不同" in told and "新经过：自动登簿" in told and "走向不同" not in told


def test_a_case_at_which_something_unknown_fails_is_named(district: District, capsys: pytest.CaptureFixture[str]) -> None:
    matter, other = reported(district, place(1)), reported(district, place(2))
    with district.office.work() as context:
        Court(district, context).spoil(context.session.get_one(Case, matter.case_id).instance_id or 0)
        number = context.session.get_one(Case, matter.case_id).number
    run = tried(district, 'name="受理登记"', 'name="登记"')
    assert "studio.instance_failed" in capsys.readouterr().out
    client = sign_in(district.app(), district, "liucheng")
    told = client.http.get(f"/admin/studio/runs/{run}").get_data(as_text=True)
    assert f"{number}：处理这件事项时系统出错，没有改动它，原因见系统日志。" in told and "已中断" not in told
    assert f"/cases/{instance(other)}" in told and f"/cases/{instance(matter)}" not in told
    assert client.http.get(f"/admin/studio/runs/{run}/cases/{instance(matter)}").status_code == 409


def test_a_run_that_was_given_up_says_how_far_it_came(district: District) -> None:
    reported(district, place(1))
    run = tried(district, 'name="受理登记"', 'name="登记"')
    with district.office.work() as context:
        held = context.session.get_one(Run, run)
        held.total, held.done = 12, 10
    client = sign_in(district.app(), district, "liucheng")
    told = client.http.get(f"/admin/studio/runs/{run}").get_data(as_text=True)
    assert "系统多次出错，已停在这里：处理了 10 件，共 12 件" in told


def test_only_cases_of_the_run_are_shown(district: District) -> None:
    matter = reported(district, place(1))
    run = tried(district, 'name="受理登记"', 'name="受理"')
    later = reported(district, place(2))
    client = sign_in(district.app(), district, "shenji")
    assert "结果相同" in page(client, run, instance(matter))
    for wrong in (f"{run}/cases/{instance(later)}", f"{run}/cases/1", f"1/cases/{instance(matter)}"):
        assert client.http.get(f"/admin/studio/runs/{wrong}").status_code == 404
    assert sign_in(district.app(), district, "wangge").http.get(f"/admin/studio/runs/{run}/cases/{instance(matter)}").status_code == 403
