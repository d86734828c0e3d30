"""The record against somebody who owns the database: who switches off every guard, and knows how hashes are computed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, delete, select, text, update

from engine.anchor import Anchor
from engine.audit import Finding, broken_logs, readable, verify
from engine.checkpoints import EVERY, hash_of, root_of, seal
from engine.log import ORIGIN, _chained, _digest, _sealed
from engine.schema import checkpoint_heads, checkpoints, commands, instances, metadata, task_candidates, tasks
from engine.signatures import Signer
from tests.diagrams import started
from tests.engine.durable import Bench, package
from tests.engine.test_checkpoints import SIGNER, found

Tamper = Callable[[Connection, int], None]


@pytest.fixture
def bench(database: Engine) -> Bench:
    return Bench(database)


@pytest.fixture
def anchor(bench: Bench, tmp_path: Path) -> Anchor:
    """Three instances with four commands each, sealed and anchored."""
    version = bench.publish(package(started("u", "v", "e").users("u", "v").ends("e")))
    anchor = Anchor(tmp_path / "anchor.jsonl")
    begun = [bench.start(version, {"title": "水管漏水"}).instance_id for _ in range(3)]
    for instance in begun:
        bench.complete(instance, "u#1", {"result": "属实"}, opinion="情况属实")
        for kind in ("urge", "look"):
            with bench.instances() as run:
                run.note(instance, kind, {"person": "zhang"})
    seal(bench.database, SIGNER, bench.clock())
    anchor.extend(bench.database)
    return anchor


def tampered(bench: Bench, tamper: Tamper) -> int:
    """Lets somebody at the database who heeds no guard; returns the instance it is about."""
    with bench.database.connect() as connection:
        instance = connection.scalars(select(instances.c.id).order_by(instances.c.id)).all()[1]
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET session_replication_role = replica")
        else:
            for name in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars().all():
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
            connection.commit()
            connection.connection.driver_connection.execute("PRAGMA foreign_keys = OFF")  # type: ignore[union-attr]
        tamper(connection, instance)
        connection.commit()
    bench.database.dispose()
    return instance


def row(instance: int, seq: int) -> Any:
    return (commands.c.instance_id == instance) & (commands.c.seq == seq)


def edit(connection: Connection, instance: int) -> None:
    connection.execute(update(commands).where(row(instance, 2)).values(actor='{"person":"li"}'))


def edit_with_digest(connection: Connection, instance: int) -> None:
    text = _sealed("情况不属实")
    connection.execute(update(commands).where(row(instance, 2)).values(opinion=text, opinion_digest=_digest(text)))


def delete_in_the_middle(connection: Connection, instance: int) -> None:
    connection.execute(delete(commands).where(row(instance, 3)))


def swap(connection: Connection, instance: int) -> None:
    for old, new in ((3, 99), (4, 3), (99, 4)):
        connection.execute(update(commands).where(row(instance, old)).values(seq=new))


def delete_the_tail(connection: Connection, instance: int) -> None:
    """As cleanly as it can be done: the instance says it has never been further."""
    connection.execute(delete(commands).where(row(instance, 4)))
    head = connection.scalar(select(commands.c.hash).where(row(instance, 3)))
    connection.execute(update(instances).where(instances.c.id == instance).values(revision=3, head=head, unsealed=True))


def delete_the_instance(connection: Connection, instance: int) -> None:
    of_instance = select(tasks.c.id).where(tasks.c.instance_id == instance)
    connection.execute(delete(task_candidates).where(task_candidates.c.task_id.in_(of_instance)))
    for table in (tasks, commands):
        connection.execute(delete(table).where(table.c.instance_id == instance))
    connection.execute(delete(instances).where(instances.c.id == instance))


def recompute(connection: Connection, instance: int) -> None:
    """Rewrites an opinion and everything after it, as our own code would have written it."""
    head, text = ORIGIN, _sealed("情况不属实")
    for entry in connection.execute(select(commands).where(commands.c.instance_id == instance).order_by(commands.c.seq)).mappings().all():
        new = {"opinion": text, "opinion_digest": _digest(text)} if entry["seq"] == 2 else {}
        head = _chained(head, {**entry, **new})
        connection.execute(update(commands).where(row(instance, entry["seq"])).values(hash=head, **new))
    connection.execute(update(instances).where(instances.c.id == instance).values(head=head))


def recompute_with_checkpoints(connection: Connection, instance: int, signer: Signer | None = None) -> None:
    """The same, and the checkpoint as well; without the key its signature cannot be made."""
    recompute(connection, instance)
    head = connection.scalar(select(instances.c.head).where(instances.c.id == instance))
    connection.execute(update(checkpoint_heads).where(checkpoint_heads.c.instance_id == instance).values(head=head))
    old = connection.execute(select(checkpoints)).mappings().one()
    members = connection.execute(select(checkpoint_heads).order_by(checkpoint_heads.c.instance_id)).mappings().all()
    new = {**old, "root": root_of(members)}
    new["hash"] = hash_of(new)
    if signer:
        new["signature"] = signer.sign(new["hash"])
    connection.execute(update(checkpoints).values({name: new[name] for name in ("root", "hash", "signature")}))


def truncate(connection: Connection, _instance: int) -> None:
    for table in reversed(metadata.sorted_tables):
        connection.execute(delete(table))


def named(findings: list[Finding]) -> list[tuple[int | None, int | None]]:
    return [(f.instance_id, f.seq) for f in findings if f.instance_id is not None]


@pytest.mark.parametrize(
    "tamper, seq",
    [
        (edit, 2),
        (edit_with_digest, 2),
        (delete_in_the_middle, 3),
        (swap, 3),
        (delete_the_tail, 4),
        (delete_the_instance, 4),
        (recompute, 4),
    ],
    ids=lambda given: getattr(given, "__name__", ""),
)
def test_it_is_found_and_the_row_is_named(bench: Bench, anchor: Anchor, tamper: Tamper, seq: int) -> None:
    assert found(bench, anchor) == []
    instance = tampered(bench, tamper)
    assert (instance, seq) in named(found(bench)) and {i for i, _ in named(found(bench))} == {instance}


def test_a_checkpoint_cannot_be_made_anew_without_the_key(bench: Bench, anchor: Anchor) -> None:
    tampered(bench, recompute_with_checkpoints)
    assert [(f.checkpoint, f.reason) for f in found(bench)] == [(1, "签名无效")]


def test_whoever_has_the_key_is_found_by_the_anchor(bench: Bench, anchor: Anchor) -> None:
    tampered(bench, lambda connection, instance: recompute_with_checkpoints(connection, instance, SIGNER))
    assert found(bench) == []
    assert [(f.checkpoint, f.reason) for f in found(bench, anchor)] == [(1, "与锚定文件不符")]


def test_a_database_that_was_emptied_is_found_by_the_anchor(bench: Bench, anchor: Anchor) -> None:
    tampered(bench, truncate)
    assert found(bench) == []
    assert [(f.checkpoint, f.reason) for f in found(bench, anchor)] == [(1, "锚定文件中有，数据库中没有")]


def test_losing_the_checkpoints_alone_is_found_without_an_anchor(bench: Bench, anchor: Anchor) -> None:
    def lose(connection: Connection, _instance: int) -> None:
        connection.execute(delete(checkpoint_heads))
        connection.execute(delete(checkpoints))

    tampered(bench, lose)
    assert {f.reason for f in found(bench)} == {"标为已封存，却不在任何检查点中"}


@pytest.mark.parametrize("kept", ["members", "checkpoint"])
def test_half_a_checkpoint_is_found(bench: Bench, anchor: Anchor, kept: str) -> None:
    tampered(bench, lambda connection, _: connection.execute(delete(checkpoints if kept == "members" else checkpoint_heads)) and None)
    assert [f.reason for f in found(bench) if f.checkpoint == 1] == ["检查点缺失，成员仍在" if kept == "members" else "成员与根值不符"]


def test_a_checkpoint_missing_in_the_middle_is_named(bench: Bench, anchor: Anchor) -> None:
    with bench.database.connect() as connection:
        instance = connection.scalar(select(instances.c.id).limit(1)) or 0
    for _ in range(2):
        with bench.instances() as run:
            run.note(instance, "urge", {"person": "zhang"})
        bench.clock.pass_by(EVERY)
        seal(bench.database, SIGNER, bench.clock())

    def lose(connection: Connection, _instance: int) -> None:
        connection.execute(delete(checkpoint_heads).where(checkpoint_heads.c.number == 2))
        connection.execute(delete(checkpoints).where(checkpoints.c.number == 2))

    tampered(bench, lose)
    assert [(f.checkpoint, f.reason) for f in found(bench)] == [(2, "检查点缺失")]


def test_erasure_by_law_is_no_alarm(bench: Bench, anchor: Anchor) -> None:
    with bench.database.connect() as connection:
        instance = connection.scalar(select(instances.c.id).limit(1)) or 0
        erased = {"data": None, "opinion": None, "erasure": '{"reason":"依申请删除"}'}
        connection.execute(update(commands).where(row(instance, 2)).values(erased))
        connection.commit()
    assert found(bench, anchor) == []


def test_a_tail_that_was_never_sealed_can_be_lost_without_a_trace(bench: Bench, anchor: Anchor) -> None:
    """What cannot be proven is said in docs/record.md; this holds us to it."""
    with bench.instances() as run:
        instance = run.connection.scalars(select(instances.c.id).order_by(instances.c.id)).all()[1]
        run.note(instance, "urge", {"person": "zhang"})

    def unsaid(connection: Connection, instance: int) -> None:
        connection.execute(delete(commands).where(row(instance, 5)))
        head = connection.scalar(select(commands.c.hash).where(row(instance, 4)))
        connection.execute(update(instances).where(instances.c.id == instance).values(revision=4, head=head, unsealed=False))

    tampered(bench, unsaid)
    assert found(bench, anchor) == []


@pytest.mark.parametrize("spoilt", [{"actor": "no JSON"}, {"facts": "{"}, {"at": "yesterday"}])
def test_what_can_no_longer_be_read_is_a_finding(bench: Bench, anchor: Anchor, spoilt: dict[str, str]) -> None:
    def spoil(connection: Connection, instance: int) -> None:
        if connection.dialect.name == "postgresql" and "at" in spoilt:
            pytest.skip("PostgreSQL keeps no such moment")
        name, value = next(iter(spoilt.items()))
        connection.execute(
            text(f"UPDATE commands SET {name} = :value WHERE instance_id = :id AND seq = 2"), {"value": value, "id": instance}
        )

    instance = tampered(bench, spoil)
    with bench.database.connect() as connection:
        assert verify(connection, instance) and list(readable(broken_logs(connection)))
