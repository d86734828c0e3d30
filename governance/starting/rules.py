"""Which processes people start by themselves, who may, and what an instance knows from the start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from engine.diagram import Node
from engine.packages import Package
from engine.versions import Version
from governance.context import Actor
from governance.workflow.assignment import STARTER
from governance.workflow.commands import Desk
from governance.workflow.rules import words

TITLE = 80


@dataclass(frozen=True)
class Startable:
    """A version of a process with the start at which its form is filled in."""

    version: Version
    package: Package
    start: Node

    @property
    def form(self) -> Mapping[str, Any]:
        return self.package.forms[self.start.settings["form"]["key"]]

    def desk(self, actor: Actor) -> Desk:
        """The start as a task that is about to be done: what its form may read, and nobody else's case."""
        return Desk({"element": self.start.id, "instance_id": 0}, self.package, known(actor), (), actor.person_id)


def start_of(package: Package) -> Node | None:
    """The plain start of a process with a form; without one, nobody starts it by themselves."""
    starts = package.diagram.starts(package.diagram.main.id)
    return next((n for n in starts if not n.events and n.settings.get("form", {}).get("key") in package.forms), None)


def starting(actor: Actor, start: Node) -> Actor | None:
    """The actor under a post that may start here, their present one if it fits; None when none of them may."""
    posts = words(start.settings.get("assign", {}).get("post", ""))
    fitting = [a for a in actor.appointments if not posts or a.post in posts]
    if not fitting:
        return None
    return actor if actor.acting in fitting else replace(actor, acting=fitting[0])


def known(actor: Actor) -> dict[str, Any]:
    """What an instance knows of who started it, under which post."""
    starter = dict(actor.record())
    return {STARTER: starter, "place_unit": starter["unit"]}


def title_of(name: str, actor: Actor, data: Mapping[str, Any], day: date) -> str:
    """What people know an instance by: the title that was filled in, else the process, who started it, and when."""
    return str(data.get("title") or f"{name} · {actor.name} · {day}")[:TITLE]
