"""Processes killed at any moment leave no half-written step."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from pathlib import Path

from tests.district import District
from tests.faults.invariants import Record, broken

ROOT = Path(__file__).parents[2]
KILLS = 6


def test_killing_workers_leaves_every_instance_whole(district: District) -> None:
    url = district.config.database_url
    done = sum(_killed_at_some_moment(url, district.folder, seed) for seed in range(KILLS))
    with district.office.database.connect() as connection:
        assert done > 0 and broken(Record(connection, district.folder, [district.office.signer.public])) == []


def _killed_at_some_moment(url: str, folder: Path, seed: int) -> int:
    """Two workers at once, killed after a moment; how many steps they said they had done."""
    workers = [
        subprocess.Popen([sys.executable, "-m", "tests.faults.worker", url, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for worker in workers:
        assert worker.stdout and worker.stdout.readline() == "ready\n"
    threading.Event().wait(0.4 + random.Random(seed).random() / 2)
    for worker in workers:
        worker.kill()
    return sum(worker.communicate()[0].count("done") for worker in workers)
