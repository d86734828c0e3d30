"""`make faults`: kills, cuts off, fills up and doubles what can be, and shows that nothing was lost.

`--seed` repeats a storm, `--only` plays some acts, `--kills` says how many processes die, `--json` writes the figures
to a file, `--keep` keeps logs and data, which a broken storm does anyway.
"""

from __future__ import annotations

import argparse
import json
import logging
import platform
import secrets
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import psycopg
import structlog

from tests.faults.storm.acts import ACTS
from tests.faults.storm.house import Seed
from tests.faults.storm.nursery import Nursery
from tests.faults.storm.servers import Missing, Postgres, Redis
from tests.faults.storm.stage import Outcome, Stage, timed

TALLY = ("kills", "commands", "acknowledged", "duplicates", "unanswered", "503", "restarts", "recovery_s", "lag_p95_s", "lag_max_s")


def main() -> int:
    asked = _arguments()
    begun = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    print(f"seed {asked.seed}", flush=True)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    folder = Path(tempfile.mkdtemp(prefix="wuzhang-storm-"))
    folder.chmod(0o711)
    try:
        outcomes = _play(folder, asked)
    except Missing as missing:
        print(f"不能运行：这台机器没有{missing}。", file=sys.stderr)
        return 2
    status = _tell(outcomes, asked, time.monotonic() - begun)
    if status or asked.keep:
        print(f"日志和数据留在 {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return status


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.storm", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--only", nargs="*", choices=list(ACTS), default=list(ACTS))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--keep", action="store_true")
    return parser.parse_args()


def _play(folder: Path, asked: argparse.Namespace) -> list[Outcome]:
    postgres, redis, nursery = Postgres(folder), Redis(folder), Nursery(folder, folder / "warm")
    try:
        postgres.start()
        redis.start()
        postgres.execute("CREATE DATABASE seed")
        sown = Seed.sown(postgres.url("seed"), folder / "seed-postgres"), Seed.sown("", folder / "seed-sqlite")
        stage = Stage(folder, asked.seed, asked.kills, postgres, redis, nursery, *sown)
        outcomes = []
        for act in asked.only:
            outcomes.append(timed(act, lambda outcome, act=act: ACTS[act](stage, outcome)))  # type: ignore[misc]
            print("\n".join([_line(outcomes[-1]), *(f"        {said[:400]}" for said in outcomes[-1].broken[:20])]), flush=True)
        return outcomes
    finally:
        nursery.close()
        redis.stop()
        postgres.stop()


def _line(outcome: Outcome) -> str:
    shown = "  ".join(f"{name} {value}" for name, value in outcome.figures.items())
    return f"{'ok    ' if not outcome.broken else 'BROKEN'}  {outcome.name:<12}{outcome.seconds:>7.1f} s  {shown}"


def _tell(outcomes: list[Outcome], asked: argparse.Namespace, seconds: float) -> int:
    faults = [f"{outcome.name}: {said}" for outcome in outcomes for said in outcome.broken]
    lost = [said for said in faults if "what_was_acknowledged" in said]
    total = {name: _sum(name, outcomes) for name in TALLY} | {"broken": len(faults), "lost": len(lost), "seconds": round(seconds, 1)}
    print("\n" + "\n".join(f"{name:>14}  {value}" for name, value in total.items()))
    machine = {"python": platform.python_version(), "machine": platform.platform(), "psycopg": psycopg.__version__}
    written = json.dumps({"seed": asked.seed, "total": total, "on": machine, "acts": [asdict(o) for o in outcomes]}, ensure_ascii=False)
    print(written)
    if asked.json:
        asked.json.write_text(written)
    return 1 if faults else 0


def _sum(name: str, outcomes: list[Outcome]) -> float:
    """Counts add up; of seconds the worst is shown."""
    values = [float(outcome.figures.get(name, 0)) for outcome in outcomes]
    return max(values, default=0) if name.endswith("_s") else int(sum(values))


if __name__ == "__main__":
    sys.exit(main())
