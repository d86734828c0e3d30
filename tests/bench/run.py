"""`make bench`: what a step costs, on SQLite and PostgreSQL, beside a floor measured in the same run.

Prints JSON on standard output and a table for people on standard error. Names of parts as arguments measure those alone.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from tests.bench.ballots import ballots
from tests.bench.completion import completion
from tests.bench.history import history
from tests.bench.inbox import inbox
from tests.bench.measure import POSTGRES
from tests.bench.memory import memory
from tests.bench.record import record
from tests.bench.rehearsal import rehearsal
from tests.bench.timers import timed

PARTS: Mapping[str, Callable[[str, Path], dict[str, Any]]] = {
    "completion": completion,
    "history": history,
    "timers": timed,
    "inbox": inbox,
    "record": record,
    "rehearsal": rehearsal,
    "memory": memory,
    "ballots": ballots,
}
BARS = {
    "completion.ratio_to_floor.complete": 4.0,
    "history.ratio_last_to_first": 1.5,
    "history.replay_cpu_ms_a_command": 1.0,
    "history.bytes_of_three_tasks.tables": 6000.0,
    "rehearsal.cpu_seconds": 20.0,
    "record.chain.cost_of_chain.median": 0.3,
    "inbox.lianxi.query_ms.p99": 10.0,
    "inbox.lianxi.json_page_ms.p99": 10.0,
    "ballots.lost_or_doubled": 0,
    "ballots.p99_ms": 50.0,
    "memory.web_mb_after_requests.10000": 200.0,
}
"""What is to be reached at most."""


def main() -> None:
    asked = sys.argv[1:] or list(PARTS)
    server = _server()
    kinds = ["sqlite", *(["postgresql"] if server else [])]
    if not server:
        print("未测 PostgreSQL：没有连接上。", file=sys.stderr)
    measured: dict[str, Any] = {kind: {} for kind in kinds}
    with tempfile.TemporaryDirectory() as name:
        for part in asked:
            for kind in kinds:
                begun = time.monotonic()
                measured[kind][part] = PARTS[part](kind, Path(name) / part / kind)
                print(f"{part} / {kind}: {time.monotonic() - begun:.0f} s", file=sys.stderr)
    result = {"machine": _machine(server), "versions": _versions(), "bars": BARS, **measured}
    print(json.dumps(result, ensure_ascii=False, indent=2))
    _show(measured)


def _server() -> str:
    engine = create_engine(POSTGRES, connect_args={"connect_timeout": 3})
    try:
        with engine.connect() as connection:
            return str(connection.scalar(text("SHOW server_version")))
    except OperationalError:
        return ""
    finally:
        engine.dispose()


def _machine(server: str) -> dict[str, Any]:
    model = next((line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), "")
    return {
        "system": platform.platform(),
        "processor": model,
        "cores": os.cpu_count(),
        "load_when_begun": os.getloadavg()[0],
        "python": platform.python_version(),
        "postgresql": server,
    }


def _versions() -> dict[str, str]:
    return {part: version(part) for part in ("sqlalchemy", "psycopg", "flask", "spiffworkflow", "waitress", "celery")}


def _show(measured: Mapping[str, Any]) -> None:
    rows = {kind: dict(_flat(parts)) for kind, parts in measured.items()}
    names = list(dict.fromkeys(name for values in rows.values() for name in values))
    width = max(map(len, names), default=0)
    print(f"{'':{width}}  {'  '.join(f'{kind:>12}' for kind in rows)}  {'bar':>8}", file=sys.stderr)
    for name in names:
        values = "  ".join(f"{rows[kind].get(name, ''):>12}" for kind in rows)
        print(f"{name:{width}}  {values}  {BARS.get(name, ''):>8}", file=sys.stderr)


def _flat(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


if __name__ == "__main__":
    main()
