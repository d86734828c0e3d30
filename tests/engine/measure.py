"""Runs the hostile corpus, each bomb in a process of its own with little to spend, and says what it did and what it cost.

An escape leaves an effect when Python raises an audit event other than reading source: an import, an open file, code
that is compiled or carried out, a process, a connection.
"""

from __future__ import annotations

import json
import os
import re
import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from engine.decisions import DecisionTable, TableRejected, read_table
from engine.errors import EngineError
from engine.expressions import ExpressionError, compile_expression, compile_script
from engine.machine import Machine
from engine.packages import DIAGRAM, frozen_package
from engine.scenario_files import read_scenario
from engine.validator import check_package
from tests.engine.hostile import BOMBS, DATA, NOW, PLAYS, POWERLESS, REFUSED, SCENARIOS, SCRIPTS, STORED, TABLES, drawn, several, table

CPU_SECONDS, MEMORY = 5, 1_000_000_000
READING = ("compile", "builtins.id", "open ('',")
"""What `ast.parse` and `copy.deepcopy` raise, and looking for a wrong line in the file without a name."""


def evaluated(text: str) -> object:
    return compile_expression(text).evaluate(DATA, NOW)


def scripted(text: str) -> object:
    return compile_script(text).run(DATA, NOW)


def decided(xml: bytes) -> object:
    return read_table(xml).decide(DATA, NOW)


def played(xml: bytes, data: Mapping[str, Any] = STORED) -> object:
    package = frozen_package({DIAGRAM: xml})
    check_package(package, bare=True)
    machine = Machine(package.program, NOW)
    machine.start(data, NOW)
    return machine.state()


def _readable(files: list[bytes]) -> Iterator[DecisionTable]:
    for xml in files:
        with suppress(TableRejected):
            yield read_table(xml)


ENTRANCES: dict[str, Callable[[str], object]] = {
    "expression": evaluated,
    "script": lambda text: scripted(f"x = {text}"),
    "output cell": lambda text: decided(table("1", "-", text, 1)),
    "input column": lambda text: decided(table(text, "-", "1", 1)),
    "input cell": lambda text: decided(table("a", text, "1", 1)),
    "cardinality": lambda text: played(drawn("userTask", several(text)), {"a": 1}),
}
AN_EVALUATION, A_FILE_OR_COMMAND = 0.1, 1.0
MOST_MEMORY = 50
KINDS: dict[str, tuple[Callable[[Any], object], list[Any], float]] = {
    "expression": (evaluated, BOMBS, AN_EVALUATION),
    "script": (scripted, SCRIPTS, AN_EVALUATION),
    "decision": (lambda table: table.decide(DATA, NOW), list(_readable(TABLES)), AN_EVALUATION),
    "table file": (read_table, TABLES, A_FILE_OR_COMMAND),
    "diagram": (played, PLAYS, A_FILE_OR_COMMAND),
    "scenario file": (read_scenario, SCENARIOS, A_FILE_OR_COMMAND),
}
"""How a bomb is set off, and the CPU seconds it may take."""


class Cost(NamedTuple):
    """CPU seconds, MB, the CPU seconds it may take, and which bomb it was."""

    cpu: float
    memory: float
    limit: float
    bomb: str


def harmless(act: Callable[[Any], object], given: Any) -> None:
    """Whatever comes of it has a name."""
    try:
        act(given)
    except (ExpressionError, EngineError) as error:
        str(error).encode()


def effects() -> list[str]:
    """What the escapes did, by every way in."""
    seen: list[str] = []
    now = ""
    for text in (*REFUSED[:2], *POWERLESS[:2]):
        for act in ENTRANCES.values():
            harmless(act, text)

    def heard(event: str, args: tuple[object, ...]) -> None:
        if now and not f"{event} {args!r:.80}".startswith(READING):
            seen.append(f"{now}: {event} {args!r:.80}")

    sys.addaudithook(heard)
    for text in dict.fromkeys((*REFUSED, *POWERLESS)):
        for name, act in ENTRANCES.items():
            if name in ("expression", "script") or text.encode(errors="ignore").decode() == text:
                now = f"{name} {text!r:.60}"
                harmless(act, text)
    now = ""
    return seen


def costs() -> Iterator[Cost]:
    """What each bomb took, as its own process measured it."""
    for kind, (act, bombs, limit) in KINDS.items():
        harmless(act, bombs[0])
        for number, bomb in enumerate(bombs):
            cpu, memory = measured(act, bomb)
            if cpu > limit / 2:  # other work on the machine only ever adds
                cpu = min(cpu, measured(act, bomb)[0])
            yield Cost(cpu, memory, limit, f"{kind} {number}")


def measured(act: Callable[[Any], object], bomb: Any) -> tuple[float, float]:
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ours)
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        Path("/proc/self/clear_refs").write_text("5")
        before, begun = _most_memory(), time.process_time()
        try:
            harmless(act, bomb)
            os.write(theirs, json.dumps([time.process_time() - begun, _most_memory() - before]).encode())
        finally:
            os._exit(0)
    os.close(theirs)
    with os.fdopen(ours) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    if not said:
        raise RuntimeError(f"{bomb!r:.200} ended its process")
    cpu, memory = json.loads(said)
    return cpu, memory


def _most_memory() -> float:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found.group(1)) / 1000


def report() -> dict[str, Any]:
    spent = list(costs())
    slow, fat = max(spent, key=lambda c: c.cpu / c.limit), max(spent, key=lambda c: c.memory)
    return {
        "escapes": len({*REFUSED, *POWERLESS}),
        "entrances": len(ENTRANCES),
        "effects": effects(),
        "bombs": {kind: len(bombs) for kind, (_, bombs, _) in KINDS.items()},
        "worst": {"cpu": slow, "evaluation": max(c.cpu for c in spent if c.limit == AN_EVALUATION), "memory": fat},
        "too costly": [cost for cost in spent if cost.cpu > cost.limit or cost.memory > MOST_MEMORY],
    }


if __name__ == "__main__":
    print(json.dumps(report(), ensure_ascii=False, indent=1))
