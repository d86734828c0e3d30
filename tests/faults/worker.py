"""A process that reports and works without end, until it is killed. Run by test_killed."""

from __future__ import annotations

import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from engine.errors import EngineError
from engine.schema import tasks
from governance.cases.commands import Report
from governance.context import Context
from governance.errors import GovernanceError
from governance.intake.commands import report
from governance.organisation.models import Kind
from governance.organisation.queries import of_kind
from governance.workflow.world import instances
from wuzhang.config import Config
from wuzhang.office import Office


def work(context: Context) -> None:
    """Reports something, or accepts what waits."""
    waiting = (
        context.session.connection().scalars(select(tasks.c.id).where(tasks.c.element == "accept_case", tasks.c.closed_at.is_(None))).all()
    )
    if len(waiting) < 3:
        place = of_kind(context.session, Kind.BUILDING)[0]
        report(context, Report("水管漏水，请尽快处理。", place, "居民匿名", secrets.token_hex(8)))
        return
    run = instances(context)
    holding = run.hold(waiting[0])
    actor = {"person": "1", "post": "grid_worker", "unit": holding.instance.data["place_unit"]}
    run.complete(holding, {"accept_result": "accept", "category": "0205"}, actor)


def main() -> None:
    url, folder = sys.argv[1:]
    office = Office(Config(url, "test secret " * 4, Path(folder), "", 0, 1, "", True), lambda: datetime.now(UTC))
    print("ready", flush=True)
    while True:
        try:
            with office.work() as context:
                work(context)
        except (EngineError, GovernanceError):
            continue
        print("done", flush=True)


if __name__ == "__main__":
    main()
