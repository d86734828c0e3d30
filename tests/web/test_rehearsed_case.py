"""One rehearsed case, side by side: what happened, what would have, and nothing of what was filled in."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.packages import DIAGRAM
from engine.versions import latest_version
from governance.cases.models import Case
from governance.studio.commands import draft_version, save
from governance.studio.runs import Choice, begin_rehearsal
from tests.district import District
from tests.faults.people import Client, sign_in
from tests.governance.test_runs import Court
from tests.journeys.matters import LEAK, Matter, place, reported


@pytest.fixture
def district(tmp_path: Path) -> Iterator[District]:
    made = District(tmp_path)
    yield made
    made.close()


def tried(district: District, old: str, new: str) -> int:
    """A rehearsal of the process of issues, so changed."""
    with district.office.work() as context:
        court = Court(district, context)
        held = draft_version(context, court.maker, latest_version(context.session.connection(), "issue_disposal").id)
        text = court.diagram(held)
        assert old in text
        save(context, court.maker, held.id, held.revision, {DIAGRAM: text.replace(old, new)})
        run = begin_rehearsal(context, court.maker, held.id, Choice()).id
    district.tick()
    return run


def instance(matter: Matter) -> int:
    with matter.district.office.work() as context:
        return context.session.get_one(Case, matter.case_id).instance_id or 0


def page(client: Client, run: int, instance_id: int) -> str:
    answer = client.http.get(f"/admin/studio/runs/{run}/cases/{instance_id}")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_both_ways_stand_side_by_side_with_the_place_where_they_part(district: District) -> None:
    matter = reported(district, place(1)).accepted()
    run = tried(district, '>accept_result == "supplement"<', '>accept_result == "accept"<')
    told = page(sign_in(district.app(), district, "liucheng"), run, instance(matter))
    was, now = told.split("在草稿上重走")
    assert "走向不同" in was and was.count("从这里起走向不同") == 1 == now.count("从这里起走向不同")
    assert "到期" in now and LEAK not in told and "/cases/" not in told.partition("<main")[2].replace("/runs/", "")


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
    flow = 'sourceRef="accept_case" targetRef="accept_outcome"'
    noted = '<bpmn:scriptTask id="noted" name="自动登簿"><bpmn:script>booked = true</bpmn:script></bpmn:scriptTask>'
    on = f'<bpmn:sequenceFlow id="booked" {flow.replace("accept_case", "noted")}'
    run = tried(district, flow, f'sourceRef="accept_case" targetRef="noted" />{noted}{on}')
    client = sign_in(district.app(), district, "liucheng")
    summary = client.http.get(f"/admin/studio/runs/{run}").get_data(as_text=True)
    assert "结果相同，途经不同" in summary and "1 件事项结果与当时相同" in summary
    assert "ending=rerouted&amp;element=noted" in summary and "新经过：自动登簿" in summary
    assert "&#34;noted&#34;: {&#34;added&#34;: 1, &#34;done&#34;: 1}" in summary
    told = page(client, run, instance(matter))
    assert "结果相同，途经不同" in told and "新经过：自动登簿" in told and "走向不同" not in told


def test_only_cases_of_the_run_are_shown(district: District) -> None:
    matter = reported(district, place(1))
    run = tried(district, 'name="受理登记"', 'name="受理"')
    later = reported(district, place(2))
    client = sign_in(district.app(), district, "shenji")
    assert "结果相同" in page(client, run, instance(matter))
    for wrong in (f"{run}/cases/{instance(later)}", f"{run}/cases/1", f"1/cases/{instance(matter)}"):
        assert client.http.get(f"/admin/studio/runs/{wrong}").status_code == 404
    assert sign_in(district.app(), district, "wangge").http.get(f"/admin/studio/runs/{run}/cases/{instance(matter)}").status_code == 403
