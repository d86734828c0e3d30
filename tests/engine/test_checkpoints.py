"""Checkpoints: made once a minute over what has moved, in one unbroken row, and anchored once each outside the database."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, func, select, update
from sqlalchemy.exc import DBAPIError

from engine import checkpoints as making
from engine.anchor import Anchor, AnchorDiffers
from engine.audit import Finding, broken_checkpoints, broken_heads, broken_logs, not_in_database
from engine.checkpoints import EVERY, root_of, seal
from engine.database import snapshot, writing
from engine.schema import checkpoint_heads, checkpoints, instances
from engine.signatures import Signer
from tests.diagrams import started
from tests.engine.durable import Bench, package

SIGNER = Signer("test secret " * 4)


@pytest.fixture
def bench(database: Engine) -> Bench:
    return Bench(database)


def begun(bench: Bench, count: int) -> list[int]:
    version = bench.publish(package(started("u", "v", "e").users("u", "v").ends("e")))
    return [bench.start(version, {"n": n}).instance_id for n in range(count)]


def sealed(bench: Bench) -> int:
    return seal(bench.database, SIGNER, bench.clock())


def found(bench: Bench, anchor: Anchor | None = None, trusted: tuple[bytes, ...] = (SIGNER.public,)) -> list[Finding]:
    length = anchor.extent() if anchor else 0
    with snapshot(bench.database) as connection:
        lines = list(anchor.lines(length)) if anchor else []
        return [
            *broken_checkpoints(connection, trusted),
            *not_in_database(connection, lines),
            *broken_heads(connection),
            *broken_logs(connection),
        ]


def test_a_checkpoint_holds_what_has_moved_and_nothing_else(bench: Bench) -> None:
    first, second = begun(bench, 2)
    assert sealed(bench) == 2
    bench.complete(second, "u#1")
    bench.clock.pass_by(EVERY)
    assert sealed(bench) == 1
    with bench.database.connect() as connection:
        rows = connection.execute(select(checkpoint_heads).order_by(checkpoint_heads.c.number, checkpoint_heads.c.instance_id)).all()
    assert [(row.number, row.instance_id, row.seq) for row in rows] == [(1, first, 1), (1, second, 1), (2, second, 2)]
    assert found(bench) == []


def test_there_is_one_a_minute_and_none_when_nothing_moves(bench: Bench) -> None:
    first, _second = begun(bench, 2)
    assert sealed(bench) == 2
    bench.complete(first, "u#1")
    assert sealed(bench) == 0
    bench.clock.pass_by(EVERY)
    assert [sealed(bench), sealed(bench)] == [1, 0]
    bench.clock.pass_by(EVERY)
    assert sealed(bench) == 0 and found(bench) == []


def test_a_clock_that_was_put_back_does_not_stop_them(bench: Bench) -> None:
    first, _second = begun(bench, 2)
    sealed(bench)
    bench.clock.pass_by(timedelta(days=-400))
    bench.complete(first, "u#1")
    assert sealed(bench) == 1 and found(bench) == []


def test_a_backlog_takes_several_at_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    begun(bench, 5)
    monkeypatch.setattr(making, "MOST", 2)
    monkeypatch.setattr(making, "MOVED", making.MOVED.limit(2))
    assert [sealed(bench) for _ in range(4)] == [2, 2, 1, 0] and found(bench) == []


def test_many_at_once_make_one(bench: Bench) -> None:
    begun(bench, 20)
    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(lambda _: sealed(bench), range(8))) == [0] * 7 + [20]
    assert found(bench) == []


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_what_somebody_is_at_is_left_to_the_next(bench: Bench) -> None:
    """On SQLite a writing transaction is alone."""
    first, _second = begun(bench, 2)
    with bench.instances() as run:
        run.hold_instance(first)
        assert sealed(bench) == 1
        run.note(first, "urge", {"person": "zhang"})
    bench.clock.pass_by(EVERY)
    assert sealed(bench) == 1 and found(bench) == []


@pytest.mark.parametrize("attempt", [update(checkpoints).values(size=9), delete(checkpoint_heads), update(checkpoint_heads).values(seq=9)])
def test_checkpoints_refuse_change_and_loss(bench: Bench, attempt: object) -> None:
    begun(bench, 1)
    sealed(bench)
    with pytest.raises(DBAPIError), writing(bench.database) as connection:
        connection.execute(attempt)  # type: ignore[call-overload]
    assert found(bench) == []


def test_a_key_of_the_past_is_trusted_when_it_is_named(bench: Bench) -> None:
    begun(bench, 1)
    former = Signer("another secret " * 4)
    seal(bench.database, former, bench.clock())
    assert [(f.checkpoint, f.reason) for f in found(bench)] == [(1, "签名所用的公钥不是受信任的公钥")]
    assert found(bench, trusted=(SIGNER.public, former.public)) == []


def test_a_root_depends_on_every_head_and_on_their_order() -> None:
    heads = [{"instance_id": n, "seq": 1, "head": bytes([n]) * 32} for n in range(7)]
    roots = {root_of(heads), root_of(heads[:6]), root_of(heads[::-1]), root_of([*heads[:6], heads[5]]), root_of([])}
    assert len(roots) == 5


# ---- the anchor -------------------------------------------------------------------------------------------------


@pytest.fixture
def anchored(bench: Bench, tmp_path: Path) -> Anchor:
    """Three checkpoints, each of them anchored."""
    anchor = Anchor(tmp_path / "elsewhere" / "anchor.jsonl")
    instance = begun(bench, 1)[0]
    for _ in range(3):
        move(bench, instance)
        anchor.extend(bench.database)
    return anchor


def move(bench: Bench, instance: int) -> None:
    with bench.instances() as run:
        run.note(instance, "urge", {"person": "zhang"})
    bench.clock.pass_by(EVERY)
    sealed(bench)


def numbers(anchor: Anchor) -> list[int]:
    return [line.number for line in anchor.lines(anchor.extent())]


def test_each_checkpoint_is_anchored_once_and_in_order(bench: Bench, anchored: Anchor) -> None:
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: anchored.extend(bench.database), range(4))) == [()] * 4
    assert numbers(anchored) == [1, 2, 3] and found(bench, anchored) == []
    assert [line.number for line in anchored.newest(2)] == [2, 3]


def test_what_a_crash_left_out_is_made_good(bench: Bench, anchored: Anchor) -> None:
    with bench.database.connect() as connection:
        instance = connection.scalar(select(func.max(instances.c.id))) or 0
    move(bench, instance)
    move(bench, instance)
    assert [line.number for line in anchored.extend(bench.database)] == [4, 5]
    assert numbers(anchored) == [1, 2, 3, 4, 5] and found(bench, anchored) == []


@pytest.mark.parametrize("lost", [1, 40, 250])
def test_a_torn_line_is_written_again_whole(bench: Bench, anchored: Anchor, lost: int) -> None:
    os.truncate(anchored.path, anchored.extent() - lost)
    assert [line.number for line in anchored.extend(bench.database)] == ([] if lost == 1 else [3])
    assert numbers(anchored) == [1, 2, 3] and found(bench, anchored) == []


def test_an_anchor_that_the_database_contradicts_is_not_continued(bench: Bench, anchored: Anchor) -> None:
    content = anchored.path.read_bytes()
    anchored.path.write_bytes(content.replace(b'"number":3', b'"number":4'))
    with pytest.raises(AnchorDiffers):
        anchored.extend(bench.database)
    assert [(f.checkpoint, f.reason) for f in found(bench, anchored)] == [(4, "锚定文件中有，数据库中没有")]


def test_a_single_line_that_was_printed_is_an_anchor(bench: Bench, anchored: Anchor, tmp_path: Path) -> None:
    printed = Anchor(tmp_path / "printed.jsonl")
    printed.path.write_bytes(anchored.path.read_bytes().splitlines()[1])
    assert numbers(printed) == [2] and found(bench, printed) == []
