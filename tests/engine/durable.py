"""A small world for durable instances in tests."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, select

from engine.database import writing
from engine.holding import Holding
from engine.instances import Instances
from engine.packages import DIAGRAM, Package, frozen_package
from engine.schema import tasks
from engine.versions import Version, publish
from engine.world import Advance, Assignment, Opening
from tests.diagrams import Drawing

ZHANG = {"person": "zhang", "post": "grid_lead", "unit": "g1"}
LI = {"person": "li", "post": "grid_lead", "unit": "g1"}


class Clock:
    """Time that moves only when told."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def pass_by(self, span: timedelta) -> None:
        self.at += span


@dataclass
class TestWorld:
    """Hands every task to the grid lead and counts what it is told."""

    __test__ = False
    answers: dict[str, Any] = field(default_factory=dict)
    advances: list[Advance] = field(default_factory=list)

    def lookup(self, name: str, data: Mapping[str, Any], at: datetime) -> dict[str, Any]:
        answer: dict[str, Any] = self.answers.get(name, {})
        return answer

    def assign(self, opening: Opening) -> Assignment:
        return Assignment(("post:grid_lead@g1",), opening.at + timedelta(days=2), None, {"rule": opening.settings["assign"]["post"]})

    def advanced(self, advance: Advance) -> None:
        self.advances.append(advance)


@dataclass
class Bench:
    """One database with a clock, a world and running numbers."""

    database: Engine
    clock: Clock = field(default_factory=Clock)
    world: TestWorld = field(default_factory=TestWorld)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @contextmanager
    def instances(self) -> Iterator[Instances]:
        with writing(self.database) as connection:
            yield Instances(connection, self.world, self.clock, lambda: next(self.numbers))

    def publish(self, package: Package) -> Version:
        with writing(self.database) as connection:
            return publish(connection, next(self.numbers), package, self.clock(), by="zhang", reason="试运行")

    def start(self, version: Version, data: Mapping[str, Any] | None = None) -> Advance:
        with self.instances() as instances:
            return instances.start(version, data or {}, ZHANG, business_key="c1")

    def complete(self, instance: int, key: str, data: Mapping[str, Any] | None = None, **more: Any) -> Advance:
        with self.instances() as instances:
            return instances.complete(hold(instances, instance, key), data or {}, more.pop("actor", ZHANG), **more)


def hold(run: Instances, instance: int, key: str) -> Holding:
    """The task of this key under lock."""
    task = run.connection.scalar(select(tasks.c.id).where(tasks.c.instance_id == instance, tasks.c.key == key))
    return run.hold(task or 0)


def package(drawing: Drawing) -> Package:
    """The drawing as a package whose user tasks are assigned."""
    xml = drawing.xml().decode()
    assigned = '<extensionElements><wz:assign post="grid_lead" unit="place"/></extensionElements>'
    parts = xml.split("<userTask ")
    whole = parts[0] + "".join("<userTask " + part.replace(">", ">" + assigned, 1) for part in parts[1:])
    return frozen_package({DIAGRAM: whole.encode()})
