"""核对记录: what a page says of the record of one instance."""

from __future__ import annotations

from flask import render_template

from api.work import db, outside, undo
from engine.audit import verify
from engine.database import snapshot
from engine.log import entries
from governance.files.queries import broken_files


def proof(instance_id: int | None) -> str:
    """The chain of the log is whole, the log alone gives the stored state, and its files are what they were."""
    undo()
    with snapshot(db.engine) as connection:
        found = [*verify(connection, instance_id), *broken_files(connection, outside().folder, instance_id)] if instance_id else []
        return render_template("_proof.html", findings=found, steps=len(entries(connection, instance_id or 0)))
