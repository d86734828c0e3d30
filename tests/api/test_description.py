"""The interface keeps to its own description, whatever it is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from sqlalchemy import select

from governance.identity.models import Account
from governance.organisation.models import Kind
from governance.organisation.queries import of_kind
from governance.people.commands import appoint
from governance.voting.codes import voting_code
from tests.api.clients import ACCEPTED, PLACE, URL, reported, signed_in, waiting
from tests.district import District
from tests.journeys.matters import acting
from tests.votes import begun, residents, sheet

load_all_checks()
LEFT_OUT = [CHECKS.get_one("positive_data_acceptance")]
"""What a schema allows may still be refused by the state of a case, its form or its revision."""
EXAMPLES = 15
KNOWN = {"place": PLACE, "data": ACCEPTED, "to": 1}
"""Put in for what was made up, so that some of it works."""
Busy = tuple[Flask, dict[str, str], dict[str, Any]]


@pytest.fixture(scope="module")
def busy(built: Callable[[Path], District], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Busy]:
    """A district with cases under way, and somebody who holds enough posts to enter everywhere."""
    district = built(tmp_path_factory.mktemp("busy"))
    with district.office.work() as context:
        person = context.session.scalars(select(Account).where(Account.username == "wanggeyuan")).one().person
        root = of_kind(context.session, Kind.DISTRICT)[0]
        lead = acting(context, "shequ")
        assert lead.acting
        vote_id = begun(context, lead, lead.acting.unit, sheet(residents(40))).id
        for post in ("auditor", "system_administrator"):
            appoint(context.session, context.new_id(), person, post, root, date(2026, 1, 1))
    app = district.app()
    worker, cases = signed_in(app, district, "wanggeyuan"), [reported(app, text=f"第{n}处") for n in range(12)]
    tasks = [waiting(worker, case) for case in cases]
    for task in tasks[:4]:
        worker.done(f"/tasks/{task}/complete", {"data": ACCEPTED})
    ids = {
        "case_id": cycle(case["id"] for case in cases),
        "task_id": cycle(tasks),
        "instance_id": cycle(case["instance_id"] for case in cases),
        "vote_id": cycle([str(vote_id)]),
        "code": cycle(voting_code(district.office.sealer, vote_id, number) for number in range(1, 42)),
    }
    yield app, worker.headers, ids
    assert district.findings() == []
    district.close()


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value)
def test_every_answer_is_as_described(busy: Busy, mode: GenerationMode) -> None:
    (app, headers, ids), dice = busy, cycle([True, True, False])
    operations = [found.ok() for found in schemathesis.openapi.from_wsgi(f"{URL}/openapi.json", app).get_all_operations()]
    assert len(operations) == 31
    for operation in operations:

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(max_examples=EXAMPLES, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        def is_as_described(case: Any) -> None:
            if mode is GenerationMode.POSITIVE:
                case.path_parameters.update({name: next(ids[name]) for name in case.path_parameters})
                if isinstance(case.body, dict) and next(dice):
                    case.body.update({name: value for name, value in KNOWN.items() if name in case.body})
            case.call_and_validate(headers=headers, excluded_checks=LEFT_OUT)

        is_as_described()
