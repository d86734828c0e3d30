"""Random but lawful lives of a process: whoever acts fills in the form as the form demands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from engine.expressions import compile_expression
from engine.machine import Machine, Open
from engine.packages import Package
from engine.program import Data
from engine.scenario_files import Scenario
from engine.scenarios import play

NINE = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
Form = Mapping[str, Any]
Draw = Callable[[st.SearchStrategy[Any]], Any]
World = Callable[["Life", str, Data], Data]
"""What the domain answers to a lookup, as a life may meet it."""


def outcome(form: Form) -> str:
    """The name of the field whose values are the form's buttons."""
    names: list[str] = [name for name, field in form["properties"].items() if field["x-ui"]["widget"] == "outcome"]
    return names[0]


def buttons(form: Form) -> list[str]:
    return [option["const"] for option in form["properties"][outcome(form)]["oneOf"]]


def holds(expression: str | None, data: Data, *, absent: bool) -> bool:
    return absent if expression is None else bool(compile_expression(expression).evaluate(data, NINE))


def filled(form: Form, button: str, known: Data, draw: Draw) -> Data:
    """The form as somebody would fill it in who presses `button`: what is shown, and all that is required."""
    fields: dict[str, Form] = form["properties"]
    seen = {**dict.fromkeys(fields), **known, outcome(form): button}
    data: Data = {}
    for name, schema in fields.items():
        ui = schema["x-ui"]
        if name == outcome(form) or not holds(ui.get("visible"), seen, absent=True):
            continue
        required = name in form.get("required", ()) or holds(ui.get("required"), seen, absent=False)
        if required or draw(st.booleans()):
            data[name] = draw(_value(schema, required))
    return {**data, outcome(form): button}


def _value(schema: Form, required: bool) -> st.SearchStrategy[Any]:
    if "oneOf" in schema:
        return st.sampled_from([option["const"] for option in schema["oneOf"]])
    if schema["type"] == "boolean":
        return st.booleans()
    if schema["type"] in ("integer", "number"):
        return st.integers(schema["minimum"], schema["maximum"])
    if schema["type"] == "array":
        item = schema["items"]
        values = [option["const"] for option in item["oneOf"]] if "oneOf" in item else ["unit-1", "unit-2", "unit-3"]
        return st.lists(st.sampled_from(values), min_size=int(required), max_size=min(3, schema["maxItems"]), unique=True)
    if schema["x-ui"].get("list") == "categories":
        return st.sampled_from(["0206", "0104", "0301", "0305", "0108", "0403"])
    return st.just("unit-1") if schema["x-ui"]["widget"] == "unit" else st.just("写明情况")


def untaken(package: Package, scenarios: Iterable[Scenario]) -> set[str]:
    """The flows that no scenario takes."""
    taken = {step.element for s in scenarios for step in play(package.program, s).events if step.kind == "taken"}
    return set(package.diagram.flows) - taken


@dataclass
class Life:
    """One instance being played."""

    package: Package
    draw: Draw
    world: World
    now: datetime = NINE
    taken: set[str] = field(default_factory=set)
    tiers: list[int] = field(default_factory=list)
    told: list[str | None] = field(default_factory=list)
    """The messages it sent out."""

    def __post_init__(self) -> None:
        self.machine = Machine(self.package.program, NINE, self.lookup)

    def lookup(self, _key: str, name: str, data: Data) -> Data:
        return self.world(self, name, data)

    def start(self, data: Data, event: str | None = None) -> None:
        self.machine.start(data, self.now, event)
        self.look()

    def form(self, task: Open) -> Form:
        return self.package.forms[self.package.diagram.nodes[task.element].settings["form"]["key"]]

    def complete(self, task: Open, button: str | None = None) -> None:
        form = self.form(task)
        pressed = button if button in buttons(form) else self.draw(st.sampled_from(buttons(form)))
        self.now += timedelta(hours=3)
        actor = {"person": self.draw(st.sampled_from(["甲", "乙", "丙", "丁"])), "post": "post", "unit": "unit-1"}
        self.machine.complete(task.key, filled(form, pressed, self.machine.data, self.draw), self.now, actor)
        self.look()

    def fire(self) -> None:
        """The next timer is due."""
        due, key = min((w.due_at, w.key) for w in self.machine.waiting() if w.due_at)
        self.now = max(self.now, due)
        self.machine.fire(key, self.now)
        self.look()

    def message(self, name: str, data: Data) -> None:
        self.machine.message(name, data, self.now)
        self.look()

    def look(self) -> None:
        """Notes what the machine did and forgets it, as a caller who has stored it would."""
        self.taken |= {step.element for step in self.machine.steps if step.kind == "taken"}
        self.machine.steps.clear()
        self.told += [name for kind, name, _ in self.machine.sent if kind == "message"]
        self.machine = Machine.restore(self.package.program, self.machine.snapshot(), self.now, self.lookup)
        self.tiers.append(self.machine.data.get("tier", 0))

    def awaited(self) -> set[str | None]:
        return {w.name for w in self.machine.waiting() if w.kind == "message"}

    def timers(self) -> bool:
        return any(w.due_at for w in self.machine.waiting())
