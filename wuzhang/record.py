"""What an auditor can prove of the record, from the database and from outside it; and how it is saved and brought back."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.anchor import Anchor
from engine.audit import Extent, Finding, broken_checkpoints, broken_heads, broken_logs, extent, not_in_database, readable, verify
from engine.database import snapshot
from engine.errors import NoSuchInstance
from engine.log import dumps
from governance.files.queries import broken_files
from wuzhang.counted import broken_votes
from wuzhang.terminal import FAILED, PASSED, open_office, print_json

if TYPE_CHECKING:
    from wuzhang.office import Office

LISTED = 20
"""Findings of one kind that are named; the others are counted."""


@click.group()
def audit() -> None:
    """审计。"""


@audit.command("verify")
@click.option("--instance", type=int, help="只核对这个流程实例。")
@click.option(
    "--anchor",
    "anchor_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="与这个锚定文件核对，默认为配置的锚定文件。",
)
@click.option("--key", "keys", multiple=True, help="另外信任的公钥（十六进制），更换密钥之后核对以前的检查点用；可以多次给出。")
@click.option("--chain-only", is_flag=True, help="只核对哈希链和检查点，不回放。")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON。")
def verify_record(instance: int | None, anchor_file: Path | None, keys: tuple[str, ...], chain_only: bool, as_json: bool) -> None:
    """核对记录是否完整：哈希链、检查点及其签名、锚定文件，回放结果与保存的状态，已计票的表决，以及记录中的附件和签名。"""
    office = open_office()
    trusted = [office.signer.public, *_public_keys(keys)]
    anchor = Anchor(anchor_file) if anchor_file else office.anchor
    try:
        proof = _prove_one(office, instance) if instance is not None else prove(office, trusted, anchor, replaying=not chain_only)
    except NoSuchInstance as error:
        raise click.ClickException(str(error)) from error
    print_json(proof.as_data()) if as_json else proof.show()
    sys.exit(PASSED if proof.whole else FAILED)


@audit.command("anchor")
@click.option("--last", type=click.IntRange(1, 10_000), default=1, show_default=True, help="最近几行。")
def show_anchor(last: int) -> None:
    """打印锚定文件最近的几行，供寄送、打印存证；以后可用 verify --anchor 核对。"""
    anchor = open_office().anchor
    if not anchor.path.exists():
        raise click.ClickException(f"还没有锚定文件 {anchor.path}。")
    for line in anchor.newest(last):
        click.echo(dumps(asdict(line)))


@audit.command("key")
def show_key() -> None:
    """打印检查点签名的公钥，交给审计方保存。"""
    click.echo(open_office().signer.public.hex())


@click.command("backup")
@click.argument("path", type=click.Path(path_type=Path))
def make_backup(path: Path) -> None:
    """把数据库、照片和锚定文件备份成一个文件，不必停止服务。"""
    from wuzhang.backup import BackupFailed, back_up

    try:
        made = back_up(open_office(), path)
    except FileExistsError as error:
        raise click.ClickException(f"{path} 已经存在，备份不覆盖已有的文件。") from error
    except OSError as error:
        raise click.ClickException(f"无法写入 {path}：{error.strerror}") from error
    except BackupFailed as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"已备份到 {path}：{len(made.parts)} 个文件，{path.stat().st_size / 1e6:.1f} MB。密钥不在其中，请另行妥善保存。")
    _show_lost(made.lost)


@click.command("restore")
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--other-key", is_flag=True, help="密钥与备份时的不同也恢复：个人信息将无法读取。")
def restore_backup(path: Path, other_key: bool) -> None:
    """把备份恢复到空的部署，随后核对全部记录；不完整时以 1 结束。"""
    from wuzhang.archive import ArchiveRefused
    from wuzhang.backup import BackupFailed, missing_files, restore
    from wuzhang.office import SchemaBehind

    office = open_office()
    try:
        manifest = restore(office, path, other_key=other_key)
        office.prepare()
    except (ArchiveRefused, BackupFailed, SchemaBehind, OSError) as error:
        raise click.ClickException(str(error)) from error
    proof = prove(office, {office.signer.public, bytes.fromhex(manifest.key)}, office.anchor)
    click.echo(f"已恢复 {manifest.made_at} 的备份。")
    proof.show()
    lost = missing_files(office)
    _show_lost(lost)
    sys.exit(FAILED if lost or not proof.whole else PASSED)


def _show_lost(digests: Collection[str]) -> None:
    if digests:
        click.echo(f"缺少 {len(digests)} 个照片或附件的文件，第一个是 {next(iter(digests))}。", err=True)


@dataclass
class Proof:
    """What was checked and what was found; of each kind only the first findings are kept. `complete` says it was all there is."""

    extent: Extent
    complete: bool
    anchor: Path | None = None
    findings: list[Finding] = field(default_factory=list)
    count: int = 0

    @property
    def whole(self) -> bool:
        return self.count == 0

    def take(self, found: Iterable[Finding]) -> None:
        """The findings of one kind."""
        for number, finding in enumerate(readable(found)):
            self.count += 1
            if number < LISTED:
                self.findings.append(finding)

    def as_data(self) -> dict[str, Any]:
        anchor = str(self.anchor) if self.anchor else None
        findings = [asdict(finding) for finding in self.findings]
        return asdict(self.extent) | {"anchor": anchor, "whole": self.whole, "count": self.count, "findings": findings}

    def show(self) -> None:
        for finding in self.findings:
            click.echo(f"{_place(finding)}：{finding.reason}")
        if self.count > len(self.findings):
            click.echo(f"另有 {self.count - len(self.findings)} 处同类问题。")
        seen = self.extent
        click.echo(
            f"流程实例 {seen.instances} 个，记录 {seen.commands} 条，检查点 {seen.checkpoints} 个；尚未封存的实例 {seen.unsealed} 个。"
        )
        if self.complete:
            click.echo(f"已与锚定文件 {self.anchor} 核对。" if self.anchor else "没有锚定文件可以核对：整库删除或回退无从发现。")
        click.echo("记录完整。" if self.whole else f"发现 {self.count} 处问题。")


def prove(office: Office, trusted: Collection[bytes], anchor: Anchor, *, replaying: bool = True) -> Proof:
    """Checks everything there is, as it stood at one moment; without the anchor when there is none yet."""
    length = anchor.extent() if anchor.path.exists() else None
    with snapshot(office.database) as connection:
        proof = Proof(extent(connection), True, anchor.path if length is not None else None)
        proof.take(broken_checkpoints(connection, trusted))
        if length is not None:
            proof.take(not_in_database(connection, anchor.lines(length)))
        proof.take(broken_heads(connection))
        proof.take(broken_logs(connection, replaying=replaying))
        proof.take(broken_votes(connection))
        proof.take(broken_files(connection, office.config.data_dir))
    return proof


def _prove_one(office: Office, instance_id: int) -> Proof:
    with snapshot(office.database) as connection:
        proof = Proof(extent(connection, instance_id), False)
        proof.take(verify(connection, instance_id))
        proof.take(broken_files(connection, office.config.data_dir, instance_id))
    return proof


def _public_keys(texts: Iterable[str]) -> list[bytes]:
    try:
        return [bytes.fromhex(text) for text in texts]
    except ValueError as error:
        raise click.BadParameter("公钥应为 64 位十六进制。", param_hint="--key") from error


def _place(finding: Finding) -> str:
    if finding.instance_id is None:
        return f"检查点 {finding.checkpoint}" if finding.checkpoint else "记录"
    return f"实例 {finding.instance_id} 第 {finding.seq} 条" if finding.seq else f"实例 {finding.instance_id}"
