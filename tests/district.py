"""A whole district in a folder: the real application with a frozen clock, for tests that need everything."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from flask import Flask
from werkzeug.serving import make_server

from api.work import db
from engine.audit import Finding, broken_checkpoints, broken_heads, broken_logs
from engine.database import snapshot
from wuzhang.app import create_app
from wuzhang.config import Config
from wuzhang.demo.district import PASSWORD, Demo, build
from wuzhang.office import Office

MONDAY = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


class Clock:
    """Time that moves only when told."""

    def __init__(self, at: datetime = MONDAY) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def pass_by(self, **span: float) -> None:
        self.at += timedelta(**span)


@dataclass
class District:
    """The demo's places and people, without its cases."""

    folder: Path
    url: str = ""
    clock: Clock = field(default_factory=Clock)
    password: str = PASSWORD
    apps: list[Flask] = field(default_factory=list)

    def __post_init__(self) -> None:
        database = self.url or f"sqlite:///{self.folder / 'wuzhang.db'}"
        self.config = Config(database, "test secret " * 4, self.folder, "127.0.0.1", 0, 4, "", True)
        numbers = itertools.count()
        self.office = Office(self.config, self.clock, lambda bits: next(numbers) % 2**bits)
        self.office.prepare()
        with self.office.work() as context:
            self.demo: Demo = build(context, Random(1), grids=18)

    def app(self) -> Flask:
        app = create_app(self.config, self.clock, limited=False)
        app.testing = True
        self.apps.append(app)
        return app

    def tick(self) -> None:
        """Lets the runner do what is due."""
        while self.office.runner.tick():
            continue

    def findings(self) -> list[Finding]:
        with snapshot(self.office.database) as connection:
            sealed = broken_checkpoints(connection, [self.office.signer.public])
            return [*broken_logs(connection), *broken_heads(connection), *sealed]

    @contextmanager
    def served(self) -> Iterator[str]:
        """The pages on a port of their own."""
        server = make_server("127.0.0.1", 0, self.app(), threaded=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()
            thread.join(timeout=5)

    def close(self) -> None:
        self.office.database.dispose()
        for app in self.apps:
            with app.app_context():
                db.engine.dispose()
