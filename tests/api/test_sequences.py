"""Calls one after the other, each with what the one before gave: the links of the description, followed at random."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, seed, settings
from hypothesis.errors import FlakyStrategyDefinition
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from sqlalchemy import select

from governance.identity.models import Account
from governance.organisation.models import Kind
from governance.organisation.queries import of_kind
from governance.people.commands import appoint
from tests.api.clients import ACCEPTED, PLACE, URL, reported, signed_in
from tests.district import District

load_all_checks()
LEFT_OUT = [CHECKS.get_one("positive_data_acceptance")]
"""What a schema allows may still be refused by the state of a case, its form or its revision."""
MUST_BE_REACHED = {"api_cases.show", "api_tasks.show", "api_tasks.claim", "api_tasks.finish", "instances.show"}


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    district = District(tmp_path_factory.mktemp("sequences"))
    with district.office.work() as context:
        person = context.session.scalars(select(Account).where(Account.username == "wanggeyuan")).one().person
        for post in ("auditor", "system_administrator"):
            appoint(context.session, context.new_id(), person, post, of_kind(context.session, Kind.DISTRICT)[0], date(2026, 1, 1))
    yield district
    assert district.findings() == []
    district.close()


def test_any_sequence_of_calls_is_answered_as_described(busy: District, capsys: pytest.CaptureFixture[str]) -> None:
    app, done = busy.app(), dict[str, set[int]]()
    headers = signed_in(app, busy, "wanggeyuan").headers
    for n in range(3):
        reported(app, text=f"第{n}处")
    schema: Any = schemathesis.openapi.from_wsgi(f"{URL}/openapi.json", app)

    schema.config.generation.update(modes=[GenerationMode.POSITIVE])

    class Sequences(schema.as_state_machine()):  # type: ignore[misc]
        def before_call(self, case: Any) -> None:
            if isinstance(case.body, dict) and "place" in case.body:
                case.body["place"] = PLACE
            if isinstance(case.body, dict) and "data" in case.body and len(done.get("api_tasks.finish", ())) < 2:
                case.body["data"] = ACCEPTED

        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return {"headers": headers}

        def validate_response(self, response: Any, case: Any, **_: Any) -> None:
            done.setdefault(case.operation.definition.raw["operationId"], set()).add(response.status_code)
            case.validate_response(response, excluded_checks=LEFT_OUT, headers=headers)

    def reached() -> set[str]:
        return {name for name, codes in done.items() if codes & {200, 201}}

    rounds = _rounds(Sequences, lambda: reached() >= MUST_BE_REACHED)
    with capsys.disabled():
        print(f"\n{rounds}: { {name: sorted(codes) for name, codes in sorted(done.items())} }")
    assert reached() >= MUST_BE_REACHED


def _rounds(sequences: Any, enough: Callable[[], bool], most: int = 20) -> int:
    """Plays sequences until one round has gone to its end and enough has been seen. Says how many rounds that took.

    Ids are new in every run, so what a sequence reaches is never quite the same. And what may follow depends on what
    was answered: hypothesis, which plays a sequence again to learn from it, may find it changed, and breaks off.
    """
    bounded = settings(max_examples=60, stateful_step_count=12, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    whole = False
    for number in range(1, most + 1):
        try:
            seed(number)(sequences).run(settings=bounded)
            whole = True
        except FlakyStrategyDefinition:
            continue
        if enough():
            return number
    if not whole:
        pytest.fail("every round was broken off")
    return most
