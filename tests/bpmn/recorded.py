"""The scenarios of a package as recorded histories: what the log would hold had they happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.log import Command
from engine.packages import Package
from engine.program import Data
from engine.scenario_files import Scenario
from engine.scenarios import MAX_STEPS, Deadlines, _Player


@dataclass(frozen=True)
class Line:
    """An entry of a log that no database holds."""

    seq: int
    kind: str
    at: datetime
    task_key: str | None = None
    data: Mapping[str, Any] | None = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    actor: Mapping[str, Any] = field(default_factory=lambda: {"person": "zhang"})


class Recorder(_Player):
    """Plays a scenario and writes its log."""

    def __init__(self, package: Package, scenario: Scenario, deadlines: Deadlines | None) -> None:
        self.log: list[Line] = []
        self.answers: list[list[Any]] = []
        self.numbers: dict[str, int] = {}
        super().__init__(package.program, scenario, deadlines, MAX_STEPS, {})

    def lookup(self, key: str, name: str, data: Mapping[str, Any]) -> Data:
        answer = super().lookup(key, name, data)
        self.answers.append([key, name, answer])
        return answer

    def carry_out(self, command: Command) -> None:
        failed, seen = len(self.happened), len(self.events)
        self.answers, number = [], len(self.log)
        super().carry_out(command)
        if len(self.happened) > failed:
            return
        if command.kind == "complete":
            self.numbers[command.task_key or ""] = number
        data = {"to": self.numbers[command.data["to"]]} if command.kind == "rewind" else command.data
        opened = [step.key for step in self.events[seen:] if step.kind == "opened"]
        due = {key: {"due_at": self.due[key].isoformat()} if key in self.due else {} for key in opened}
        facts = {"opened": due, "answers": self.answers}
        self.log.append(Line(number + 1, command.kind, command.at, command.task_key, data, facts, command.actor))


def recorded(package: Package, deadlines: Deadlines | None = None) -> list[list[Line]]:
    """One log a scenario."""
    logs = []
    for scenario in package.scenarios:
        recorder = Recorder(package, scenario, deadlines)
        recorder.run()
        logs.append(recorder.log)
    return logs
