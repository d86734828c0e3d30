"""A diagram prepared for running, shared by all instances of a version; and what an instance reports while it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from SpiffWorkflow.specs.WorkflowSpec import WorkflowSpec

from engine.decisions import DecisionTable
from engine.diagram import Diagram
from engine.tree import specify

Data = dict[str, Any]
Lookup = Callable[[str, str, Data], Data]
"""What the world outside answers: `(key, name, data) -> facts`. Asked once; a replay gives the recorded answer."""


@dataclass(frozen=True)
class Step:
    """One thing that happened inside the instance."""

    kind: str
    element: str
    at: datetime
    key: str = ""


@dataclass(frozen=True)
class Program:
    """A diagram prepared for running; shared by all instances of a version."""

    diagram: Diagram
    tables: Mapping[str, DecisionTable] = field(default_factory=dict)

    @cached_property
    def spec(self) -> WorkflowSpec:
        return specify(self.diagram)

    @cached_property
    def conditional(self) -> bool:
        """Whether any event of the diagram waits for a condition."""
        return any(event.kind == "conditional" for node in self.diagram.nodes.values() for event in node.events)

    @cached_property
    def reaches(self) -> Mapping[str, Mapping[str, frozenset[str]]]:
        """For each inclusive join: which of its incoming flows can be reached from a node without passing the join."""
        joins = [n.id for n in self.diagram.nodes.values() if n.kind == "inclusiveGateway"]
        return {join: self.diagram.flows_into(join) for join in joins}
