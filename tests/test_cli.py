"""`wuzhang process check` and `play` as a script would use them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bpmn import shipped
from tests.diagrams import started
from wuzhang.cli import main

RANKED = """<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="urn:t">
<decision id="limits" name="limits"><decisionTable id="t" hitPolicy="PRIORITY"><input id="i"><inputExpression id="ie"><text>n</text>
</inputExpression></input><output id="o" name="days"/></decisionTable></decision></definitions>"""


@pytest.fixture
def diagram(tmp_path: Path) -> Path:
    path = tmp_path / "p.bpmn"
    path.write_bytes(started("u", "e").users("u").ends("e").xml())
    return path


def run(*args: str) -> tuple[int, Any]:
    result = CliRunner().invoke(main, ["process", *args, "--json"])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, json.loads(result.output)


def test_check_says_publishable(diagram: Path) -> None:
    assert run("check", str(diagram), "--bare") == (0, {"publishable": True, "problems": []})


def test_check_names_rule_and_element(diagram: Path) -> None:
    code, said = run("check", str(diagram))
    assert code == 1
    assert {"severity", "rule", "element", "message"} == set(said["problems"][0])
    assert (said["problems"][0]["rule"], said["problems"][0]["element"]) == ("assignment_missing", "u")


@pytest.mark.parametrize("content", [b"", b"\x89PNG", b"<!DOCTYPE a><a/>", b"x" * 2_000_000])
def test_an_unreadable_file_gets_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.bpmn"
    path.write_bytes(content)
    for verb in ("check", "play"):
        code, said = run(verb, str(path))
        assert code == 2
        assert said["problems"][0]["message"].endswith("。")


@pytest.mark.parametrize("name", ["none.bpmn", "x" * 300, "x/" * 3000])
def test_a_path_that_cannot_be_read_gets_a_sentence(tmp_path: Path, diagram: Path, name: str) -> None:
    for verb in ("check", "play"):
        assert run(verb, str(tmp_path / name))[0] == 2
    assert run("play", str(diagram), "--scenario", str(tmp_path / name))[0] == 2


def test_play_says_why_a_diagram_cannot_be_played(tmp_path: Path) -> None:
    path = tmp_path / "p.bpmn"
    path.write_bytes(started("u").users("u").xml())
    code, said = run("play", str(path))
    assert (code, said["scenarios"], [p["rule"] for p in said["problems"]]) == (1, [], ["dead_end"])


@pytest.mark.parametrize("table, code, rule, element", [(RANKED, 1, "table_refused", "limits"), ("<x", 2, "unreadable", "")])
def test_a_table_that_cannot_be_used_is_named(tmp_path: Path, table: str, code: int, rule: str, element: str) -> None:
    (tmp_path / "process.bpmn").write_bytes(started("x", "e").rule("x", decision="limits").ends("e").xml())
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "limits.dmn").write_text(table, "utf-8")
    for verb in ("check", "play"):
        said = run(verb, str(tmp_path))
        assert (said[0], [(p["rule"], p["element"]) for p in said[1]["problems"]]) == (code, [(rule, element)])


def test_play_reports_events_and_failures(diagram: Path, tmp_path: Path) -> None:
    scenario = tmp_path / "s.yaml"
    scenario.write_text("name: 试\nsteps: [{complete: u}, {expect: {finished: false}}]", encoding="utf-8")
    code, said = run("play", str(diagram), "--scenario", str(scenario))
    played = said["scenarios"][0]
    assert code == 1
    assert played["failures"] == [{"step": 2, "message": "流程结束应为 否，实际为 是。"}]
    assert [e["seq"] for e in played["events"]] == list(range(1, len(played["events"]) + 1))
    assert (played["finished"], played["open"]) == (True, [])


def test_play_starts_once_without_a_scenario(diagram: Path) -> None:
    code, said = run("play", str(diagram))
    assert (code, said["scenarios"][0]["open"]) == (0, ["u"])


@pytest.mark.parametrize("text", ["[", "- 1", "steps: 3", "nmae: x", "steps: [{frob: a}]", "steps: [{complete: a, wait: P1D}]"])
def test_a_bad_scenario_gets_a_sentence(diagram: Path, tmp_path: Path, text: str) -> None:
    scenario = tmp_path / "s.yaml"
    scenario.write_text(text, encoding="utf-8")
    code, said = run("play", str(diagram), "--scenario", str(scenario))
    assert code == 2
    assert "s.yaml" in said["problems"][0]["message"]


def test_a_scenario_sees_what_is_overdue_by_the_working_calendar(tmp_path: Path) -> None:
    settings = '<extensionElements><wz:deadline amount="1" unit="work_days"/></extensionElements>'
    (tmp_path / "d.bpmn").write_bytes(started("u", "e").node("userTask", "u", settings).ends("e").xml())
    (tmp_path / "s.yaml").write_text(
        """
name: 国庆长假不算超期
start: {at: "2026-09-30T10:00+08:00"}
steps:
  - wait: P7D
  - expect: {open: [u], overdue: []}
  - wait: P3D
  - expect: {overdue: [u]}
""",
        "utf-8",
    )
    result = CliRunner().invoke(main, ["process", "play", str(tmp_path / "d.bpmn"), "--scenario", str(tmp_path / "s.yaml")])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("command", ["worker", "beat"])
def test_workers_need_a_broker(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WUZHANG_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("WUZHANG_REDIS_URL", raising=False)
    run = CliRunner().invoke(main, [command])
    assert run.exit_code == 1 and "没有设置 WUZHANG_REDIS_URL" in run.output


def test_diff_says_what_changed(diagram: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.bpmn"
    other.write_bytes(diagram.read_bytes().replace(b'name="u"', 'name="审查"'.encode(), 1))
    assert run("diff", str(diagram), str(diagram)) == (0, {"changes": [], "redrawn": False})
    code, told = run("diff", str(diagram), str(other))
    assert code == 1
    assert "审查" in told["changes"][0]["message"] and told["changes"][0]["element"] == "u" and not told["redrawn"]
    (tmp_path / "x.bpmn").write_bytes(b"<")
    code, told = run("diff", str(diagram), str(tmp_path / "x.bpmn"))
    assert code == 2 and "x.bpmn" in told["problems"][0]["message"]
    said = CliRunner().invoke(main, ["process", "diff", str(diagram), str(tmp_path / "x.bpmn")])
    assert said.exit_code == 2 and "x.bpmn" in said.output and "发布" not in said.output


def test_diff_of_two_drawings_of_one_process(tmp_path: Path) -> None:
    drawn, other = shipped()["decision_task"] / "process.bpmn", tmp_path / "other.bpmn"
    other.write_bytes(drawn.read_bytes().replace(b'<dc:Bounds x="290" y="120"', b'<dc:Bounds x="291" y="120"', 1))
    result = CliRunner().invoke(main, ["process", "diff", str(drawn), str(other)])
    assert (result.exit_code, result.output) == (0, "流程没有改动，只调整了图形布局。\n")


def test_a_published_version_is_listed_and_exported_without_a_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WUZHANG_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("WUZHANG_DATABASE_URL", raising=False)
    runner, file = CliRunner(), tmp_path / "p.zip"
    assert runner.invoke(main, ["init"]).exit_code == 0
    _, listed = run("list")
    assert {one["key"] for one in listed["versions"]} == set(shipped())
    assert runner.invoke(main, ["process", "export", "decision_task", str(file)]).exit_code == 0
    assert run("diff", str(shipped()["decision_task"]), str(file)) == (0, {"changes": [], "redrawn": False})
    again = runner.invoke(main, ["process", "export", "decision_task", str(file)])
    assert again.exit_code == 1 and "文件已存在" in again.output
    for wrong in (["unknown"], ["decision_task", "--number", "9"]):
        refused = runner.invoke(main, ["process", "export", *wrong, str(tmp_path / "other.zip")])
        assert refused.exit_code == 1 and "没有这个流程或版本" in refused.output and not (tmp_path / "other.zip").exists()
