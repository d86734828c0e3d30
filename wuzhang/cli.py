"""The `wuzhang` command."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from engine.errors import Unreadable
from engine.packages import Package, read_package, read_text
from engine.scenarios import Played, Scenario, play, read_scenario
from engine.validator import Problem, check, check_package, publishable

PASSED, FAILED, UNREADABLE = 0, 1, 2
STARTED_ONCE = Scenario("启动一次（未提供场景）")


@click.group()
def main() -> None:
    """五长智治：城市社区治理事项管理。"""


@main.group()
def process() -> None:
    """流程包与流程图。"""


@process.command("check")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--bare", is_flag=True, help="不检查办理人、表单和服务设置。")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON。")
def check_process(path: Path, bare: bool, as_json: bool) -> None:
    """检查流程图或流程包能否发布。"""
    try:
        problems = check_package(read_package(path), bare=bare)
    except Unreadable as error:
        unreadable = Problem("unreadable", "", str(error))
        _show_check((unreadable,), as_json)
        sys.exit(UNREADABLE)
    _show_check(problems, as_json)
    sys.exit(PASSED if publishable(problems) else FAILED)


@process.command("play")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--scenario", "scenario_file", type=click.Path(path_type=Path), help="只演练这个场景文件。")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON。")
def play_process(path: Path, scenario_file: Path | None, as_json: bool) -> None:
    """在内存中演练场景，不需要服务器和数据库。"""
    try:
        package = read_package(path)
        scenarios = _scenarios(package, scenario_file)
        refused = [p for p in check(package.diagram, bare=True) if p.severity == "error"]
        if refused:
            _show_check(tuple(refused), as_json)
            sys.exit(FAILED)
        program = package.program
        played = [play(program, scenario) for scenario in scenarios]
    except Unreadable as error:
        _show_check((Problem("unreadable", "", str(error)),), as_json)
        sys.exit(UNREADABLE)
    _show_play(played, as_json)
    sys.exit(PASSED if all(p.passed for p in played) else FAILED)


def _scenarios(package: Package, file: Path | None) -> Sequence[Scenario]:
    if file is not None:
        return [read_scenario(read_text(file))]
    return package.scenarios or [STARTED_ONCE]


def _show_check(problems: tuple[Problem, ...], as_json: bool) -> None:
    if as_json:
        _print_json({"publishable": publishable(problems), "problems": [asdict(p) for p in problems]})
        return
    for problem in problems:
        label = "错误" if problem.severity == "error" else "提醒"
        click.echo(f"{label} [{problem.rule}] {problem.element}  {problem.message}")
    click.echo("可以发布。" if publishable(problems) else "不能发布。")


def _show_play(played: Sequence[Played], as_json: bool) -> None:
    if as_json:
        _print_json({"scenarios": [_played(p) for p in played]})
        return
    for one in played:
        click.echo(f"{'通过' if one.passed else '未通过'}  {one.name}")
        for failure in one.failures:
            click.echo(f"    第 {failure.step} 步：{failure.message}")


def _played(one: Played) -> dict[str, Any]:
    return {
        "name": one.name,
        "passed": one.passed,
        "failures": [asdict(f) for f in one.failures],
        "events": [{"seq": seq, "kind": e.kind, "element": e.element, "at": e.at.isoformat()} for seq, e in enumerate(one.events, 1)],
        "open": list(one.open),
        "finished": one.finished,
        "data": one.data,
    }


def _print_json(value: object) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))
