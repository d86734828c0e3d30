"""The `wuzhang` command.

What serves, works or loads a demo is imported where it is used: checking a diagram needs neither web framework nor database.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.archives import pack
from engine.difference import difference, is_redrawn
from engine.errors import Unreadable
from engine.packages import Package, read_package, read_text
from engine.scenario_files import Scenario, read_scenario
from engine.scenarios import Played, play
from engine.validator import Problem, check_package, publishable
from engine.versions import versions, whole_package
from governance.calendar.notices import planning_calendar
from governance.workflow.rules import SETTING_WORDS, planned_due
from wuzhang.record import audit, make_backup, restore_backup
from wuzhang.terminal import FAILED, PASSED, UNREADABLE, open_office, print_json

if TYPE_CHECKING:
    from wuzhang.office import Office

PLANNED = range(2020, 2031)
"""The years whose holidays a rehearsal knows."""
STARTED_ONCE = Scenario("启动一次（未提供场景）")


@click.group()
def main() -> None:
    """五长智治：城市社区治理事项管理。"""


for command in (audit, make_backup, restore_backup):
    main.add_command(command)


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
    except Unreadable as error:
        _show_refused((Problem("unreadable", "", str(error)),), as_json)
        sys.exit(UNREADABLE)
    refused = tuple(p for p in check_package(package, bare=True) if p.severity == "error")
    if refused:
        _show_refused(refused, as_json)
        sys.exit(FAILED)
    deadlines = planned_due(planning_calendar(PLANNED))
    played = [play(package.program, scenario, deadlines, titles=package.titles) for scenario in scenarios]
    _show_play(played, as_json)
    sys.exit(PASSED if all(p.passed for p in played) else FAILED)


@process.command("diff")
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="输出 JSON。")
def diff_process(old: Path, new: Path, as_json: bool) -> None:
    """用句子说出两个流程包的不同。"""
    before, after = (_read_to_compare(path, as_json) for path in (old, new))
    changes, redrawn = difference(before, after, SETTING_WORDS), is_redrawn(before, after)
    if as_json:
        print_json({"changes": [asdict(change) for change in changes], "redrawn": redrawn})
    else:
        for change in changes:
            click.echo(change.message)
        if not changes:
            click.echo("流程没有改动，只调整了图形布局。" if redrawn else "没有改动。")
    sys.exit(FAILED if changes else PASSED)


def _read_to_compare(path: Path, as_json: bool) -> Package:
    try:
        return read_package(path)
    except Unreadable as error:
        message = f"读不了“{path.name}”：{error}"
        if as_json:
            print_json({"changes": [], "problems": [asdict(Problem("unreadable", "", message))]})
        else:
            click.echo(message)
        sys.exit(UNREADABLE)


@process.command("list")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON。")
def list_processes(as_json: bool) -> None:
    """列出已发布的流程和版本，最新的在前。"""
    with open_office().database.connect() as connection:
        published = versions(connection)
    if as_json:
        print_json({"versions": [{**vars(version), "published_at": version.published_at.isoformat()} for version in published]})
        return
    for version in published:
        click.echo(f"{version.key} {version.number}  {version.name}  {version.reason}")


@process.command("export")
@click.argument("key")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--number", type=int, help="版本号；不写是最新的。")
def export_process(key: str, file: Path, number: int | None) -> None:
    """把已发布的一个版本存成 zip 文件；不覆盖已有的文件。"""
    with open_office().database.connect() as connection:
        found = next((version for version in versions(connection, key) if number in (None, version.number)), None)
        if found is None:
            raise click.ClickException("没有这个流程或版本，请用 wuzhang process list 查看。")
        packed = pack(whole_package(connection, found.id).whole)
    try:
        with file.open("xb") as out:
            out.write(packed)
    except OSError as error:
        raise click.ClickException(f"不能写入“{file}”：文件已存在，或者没有权限。") from error
    click.echo(f"已导出“{found.name}”第 {found.number} 版。")


def _scenarios(package: Package, file: Path | None) -> Sequence[Scenario]:
    if file is not None:
        return [read_scenario(read_text(file), file.name)]
    return package.scenarios or [STARTED_ONCE]


def _show_check(problems: tuple[Problem, ...], as_json: bool) -> None:
    if as_json:
        print_json({"publishable": publishable(problems), "problems": [asdict(p) for p in problems]})
        return
    for problem in problems:
        label = "错误" if problem.severity == "error" else "提醒"
        click.echo(f"{label} [{problem.rule}] {problem.element}  {problem.message}")
    click.echo("可以发布。" if publishable(problems) else "不能发布。")


def _show_refused(problems: tuple[Problem, ...], as_json: bool) -> None:
    """What could not be played at all."""
    if as_json:
        print_json({"scenarios": [], "problems": [asdict(p) for p in problems]})
    else:
        _show_check(problems, as_json)


def _show_play(played: Sequence[Played], as_json: bool) -> None:
    if as_json:
        print_json({"scenarios": [_played(p) for p in played]})
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


@main.command("init")
@click.option("--role", help="同时把应用所需的权限授予这个数据库角色（PostgreSQL），它改动不了记录。")
def prepare(role: str | None) -> None:
    """准备数据库：建表、发布随产品附带的流程、录入节假日。由表的所有者执行。"""
    from wuzhang.roles import RoleRefused, grant

    office = _prepared()
    if role:
        try:
            with office.database.begin() as connection:
                grant(connection, role)
        except RoleRefused as error:
            raise click.ClickException(str(error)) from error
    click.echo("数据库已就绪。" + (f"应用请以角色 {role} 连接。" if role else ""))


@main.command("serve")
def serve() -> None:
    """启动网页服务；没有设置 Redis 时，在同一进程内处理到期事项。"""
    from wuzhang.server import serve_web

    serve_web(_prepared())


@main.command("worker")
@click.option("--processes", type=click.IntRange(1, 64), default=2, show_default=True, help="工作进程数。")
def worker(processes: int) -> None:
    """启动后台工作进程（需要 Redis）。"""
    from jobs.queue import work
    from wuzhang.office import SchemaBehind

    office = _with_queue()
    try:
        office.require_current()
    except SchemaBehind as error:
        raise click.ClickException(str(error)) from error
    work(office.queue, office.own_runner, processes)


@main.command("beat")
def wake() -> None:
    """启动定时唤醒（需要 Redis）；多开一个也无妨。"""
    from jobs.queue import beat

    beat(_with_queue().queue)


def _prepared() -> Office:
    """The deployment with its tables up to date; ends the command with a sentence when they cannot be."""
    from wuzhang.office import SchemaBehind

    office = open_office()
    try:
        office.prepare()
    except SchemaBehind as error:
        raise click.ClickException(str(error)) from error
    return office


def _with_queue() -> Office:
    office = open_office()
    if not office.config.redis_url:
        raise click.ClickException("没有设置 WUZHANG_REDIS_URL。单机使用时 serve 自己处理到期事项，不需要 worker 和 beat。")
    return office


@main.command("demo")
@click.option("--grids", type=click.IntRange(9, 5000), default=63, show_default=True, help="网格数。")
@click.option("--cases", type=click.IntRange(0, 20000), default=300, show_default=True, help="事项数。")
def demo(grids: int, cases: int) -> None:
    """载入演示区：组织、人员、账号，以及最近九十天的事项。"""
    from wuzhang.demo.load import DemoRefused, accounts, load_demo

    office = _prepared()
    try:
        loaded = load_demo(office, cases, grids, progress=lambda n: click.echo(f"  已办理 {n} 个环节…"))
    except DemoRefused as refused:
        raise click.ClickException(str(refused)) from refused
    click.echo("演示区已载入。" if loaded else "已有组织机构，未载入演示数据。")
    for name, password, role in accounts():
        click.echo(f"  {name:<14}{password}  {role}")
