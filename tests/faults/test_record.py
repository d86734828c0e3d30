"""The record from outside: the runner keeps it sealed and anchored, the commands prove it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Connection, delete, select

from engine.schema import checkpoint_heads, checkpoints
from jobs.queue import QUEUES
from tests.district import District
from tests.faults.people import report
from wuzhang.cli import main


def run(district: District, *words: str, **more: str) -> Result:
    config = district.config
    environ = {
        "WUZHANG_DATABASE_URL": config.database_url,
        "WUZHANG_DATA_DIR": str(config.data_dir),
        "WUZHANG_SECRET_KEY": config.secret_key,
    }
    return CliRunner(env={**environ, **more}).invoke(main, ["audit", *words])


@pytest.fixture
def kept(district: District) -> District:
    """Two checkpoints, both anchored."""
    app = district.app()
    for _ in range(2):
        report(app)
        district.tick()
        district.clock.pass_by(minutes=2)
    return district


def test_every_step_of_the_runner_has_a_queue(kept: District) -> None:
    assert set(kept.office.runner.steps) == set(QUEUES)


def test_the_commands_prove_it_and_say_what_can_be_kept_elsewhere(kept: District, tmp_path: Path) -> None:
    said = run(kept, "verify")
    assert said.exit_code == 0 and "检查点 2 个；尚未封存的实例 0 个" in said.output and "记录完整。" in said.output
    assert run(kept, "key").output.strip() == kept.office.signer.public.hex()
    printed = run(kept, "anchor").output
    assert json.loads(printed)["number"] == 2 and len(run(kept, "anchor", "--last", "9").output.splitlines()) == 2
    (tmp_path / "printed").write_text(printed)
    assert run(kept, "verify", "--chain-only", "--anchor", str(tmp_path / "printed")).exit_code == 0


def test_what_is_missing_is_named_and_ends_with_one(kept: District, tmp_path: Path) -> None:
    (tmp_path / "printed").write_text(run(kept, "anchor").output)
    with kept.office.database.connect() as connection:
        _unguarded(connection)
        for table in (checkpoint_heads, checkpoints):
            connection.execute(delete(table).where(table.c.number == 2))
        connection.commit()
    said = run(kept, "verify", "--anchor", str(tmp_path / "printed"))
    assert said.exit_code == 1 and "检查点 2：锚定文件中有，数据库中没有" in said.output, said.output
    found = json.loads(run(kept, "verify", "--json").output)
    assert not found["whole"] and found["count"] == len(found["findings"]) == 2


def test_wrong_words_get_a_sentence(kept: District) -> None:
    missing = run(kept, "verify", "--instance", "1")
    assert missing.exit_code == 1 and "该流程实例不存在" in missing.output
    assert "公钥应为 64 位十六进制" in run(kept, "verify", "--key", "xyz").output
    assert "还没有锚定文件" in run(kept, "anchor", WUZHANG_ANCHOR=str(kept.folder / "none")).output


def test_a_former_key_is_trusted_when_it_is_given(kept: District) -> None:
    other = "another secret " * 4
    assert "不是受信任的公钥" in run(kept, "verify", WUZHANG_SECRET_KEY=other).output
    assert run(kept, "verify", "--key", kept.office.signer.public.hex(), WUZHANG_SECRET_KEY=other).exit_code == 0


def test_an_anchor_that_cannot_be_written_stops_nothing_and_is_made_good(kept: District) -> None:
    anchor = kept.office.anchor.path
    aside = anchor.rename(anchor.with_suffix(".aside"))
    anchor.mkdir()
    report(kept.app())
    kept.tick()
    with kept.office.database.connect() as connection:
        assert len(connection.execute(select(checkpoints)).all()) == 3
    anchor.rmdir()
    aside.rename(anchor)
    kept.tick()
    assert [line.number for line in kept.office.anchor.lines(kept.office.anchor.extent())] == [1, 2, 3]
    assert run(kept, "verify").exit_code == 0


def _unguarded(connection: Connection) -> None:
    """Somebody who owns the database."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET session_replication_role = replica")
        return
    for name in ("checkpoints_keep", "heads_keep"):
        connection.exec_driver_sql(f"DROP TRIGGER {name}")
