"""What is kept of the organisation is never older than its last change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from governance.organisation.commands import note_reorganised, rename_unit
from governance.organisation.models import Kind, OrganisationChange, Unit
from governance.organisation.queries import of_kind, way_up
from governance.people.commands import appoint, end_appointment
from governance.people.models import Appointment
from governance.people.queries import staff
from tests.district import District


@pytest.fixture
def district(tmp_path: Path) -> Iterator[District]:
    made = District(tmp_path)
    yield made
    made.close()


def grid(session: Session) -> Unit:
    return of_kind(session, Kind.GRID)[0]


def lead(session: Session) -> Appointment:
    return session.scalars(select(Appointment).where(Appointment.post == "grid_lead", Appointment.unit_id == grid(session).id)).one()


def count(session: Session) -> int:
    found: int = session.scalars(select(OrganisationChange.count)).one()
    return found


def statements(session: Session) -> list[str]:
    said: list[str] = []
    event.listen(session.connection(), "before_cursor_execute", lambda *given: said.append(given[2]))
    return said


def test_what_was_read_is_not_read_again(district: District) -> None:
    with district.office.work() as context:
        first = staff(context.session, grid(context.session).id, context.today), way_up(context.session, grid(context.session).id)
    with district.office.work() as context:
        of_grid = grid(context.session).id
        said = statements(context.session)
        again = staff(context.session, of_grid, context.today), way_up(context.session, of_grid)
    assert again == first and len(said) == 1


def test_everybody_sees_a_change_once_it_is_committed(district: District) -> None:
    with district.office.work() as context:
        assert "grid_lead" in staff(context.session, grid(context.session).id, context.today)
    with district.office.work() as context:
        end_appointment(context.session, lead(context.session), context.today - timedelta(days=1))
    with district.office.work() as context:
        assert "grid_lead" not in staff(context.session, grid(context.session).id, context.today)
    with district.office.work() as context:
        rename_unit(context.session, grid(context.session), "江畔网格")
    with district.office.work() as context:
        assert way_up(context.session, grid(context.session).id)[0].name == "江畔网格"


def test_who_changes_it_sees_their_own_change_and_a_rollback_leaves_nothing_of_it(district: District) -> None:
    with pytest.raises(Undone), district.office.work() as context:
        former, unit = lead(context.session), grid(context.session)
        appoint(context.session, context.new_id(), former.person, "grid_worker", unit, context.today)
        assert former.person_id in {h.person_id for h in staff(context.session, unit.id, context.today)["grid_worker"]}
        raise Undone
    with district.office.work() as context:
        working = staff(context.session, grid(context.session).id, context.today).get("grid_worker", ())
        assert lead(context.session).person_id not in {h.person_id for h in working}


def test_a_savepoint_given_up_does_not_hide_a_later_change(district: District) -> None:
    with district.office.work() as context:
        before = count(context.session)
        with context.session.begin_nested() as attempt:
            note_reorganised(context.session)
            attempt.rollback()
        note_reorganised(context.session)
        note_reorganised(context.session)
        assert count(context.session) == before + 1


def test_a_term_that_ends_by_the_calendar_needs_no_change(district: District) -> None:
    with district.office.work() as context:
        end_appointment(context.session, lead(context.session), context.today)
    with district.office.work() as context:
        assert "grid_lead" in staff(context.session, grid(context.session).id, context.today)
    district.clock.pass_by(days=1)
    with district.office.work() as context:
        assert "grid_lead" not in staff(context.session, grid(context.session).id, context.today)


class Undone(Exception):
    """Ends a transaction without its changes."""
