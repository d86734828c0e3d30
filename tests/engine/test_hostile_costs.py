"""Bar 2: escapes have no effects, bombs cost little. Each bomb runs in a process of its own, under limits."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


def test_escapes_do_nothing_and_bombs_cost_little(capsys: pytest.CaptureFixture[str]) -> None:
    command = [sys.executable, "-m", "tests.engine.measure"]
    run = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr[-3_000:]
    found = json.loads(run.stdout)
    with capsys.disabled():
        print(f"\n{found['escapes']} escapes × {found['entrances']} ways in, bombs {found['bombs']}, worst {found['worst']}")
    assert found["effects"] == []
    assert found["too costly"] == []
    assert found["escapes"] >= 250 and sum(found["bombs"].values()) >= 200
