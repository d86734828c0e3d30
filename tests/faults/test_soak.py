"""A few seconds of what `tests.faults.soak` does for an hour."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine

from engine.anchor import Anchor
from tests.faults.soak import Soak


def test_writers_checkpoints_and_an_auditor_at_once_give_no_false_alarm(database: Engine, tmp_path: Path) -> None:
    said = Soak(database, Anchor(tmp_path / "anchor.jsonl")).run(5)
    assert said["alarms"] == [] and said["commands"] > 20 and said["checkpoints"] > 1 and said["verifications"] > 1, said
