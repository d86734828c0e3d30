"""Choosing what to rehearse: only by what tells the instances of the process apart."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from engine.versions import latest_version, publish
from governance.context import Context
from governance.studio.commands import draft_version
from governance.studio.errors import NothingChosen
from governance.studio.runs import Choice, begin_rehearsal
from tests.deliberations import COMMUNITY, suggested
from tests.district import District
from tests.faults.people import Client, sign_in
from tests.governance.test_runs import Court
from tests.journeys.matters import place, reported
from tests.web.test_starting import ASKED, KEY, named

ALWAYS = {"last", "since", "until"}


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    """A district with a case, a matter and something that somebody has started."""
    made = District(tmp_path_factory.mktemp("choosing"))
    with made.office.work() as context:
        publish(context.session.connection(), context.new_id(), named(KEY, "请假"), context.now(), by="system", reason="试行")
    reported(made, place(1))
    suggested(made)
    worker = sign_in(made.app(), made, "wanggeyuan")
    assert worker.post(f"/start/{KEY}", f"/start/{KEY}", **ASKED).status_code == 302
    yield made
    made.close()


@pytest.fixture(scope="module")
def designer(district: District) -> Client:
    return sign_in(district.app(), district, "liucheng")


def drafted(district: District, context: Context, key: str) -> int:
    maker = Court(district, context).maker
    return draft_version(context, maker, latest_version(context.session.connection(), key).id).id


@pytest.mark.parametrize(
    ("key", "offered"),
    [("issue_disposal", {"unit", "category"}), ("deliberation", {"unit"}), (KEY, set()), ("decision_task", set())],
)
def test_only_what_means_something_is_offered(district: District, designer: Client, key: str, offered: set[str]) -> None:
    with district.office.work() as context:
        draft_id = drafted(district, context, key)
    page = designer.http.get(f"/admin/studio/{draft_id}/rehearsals").get_data(as_text=True)
    names = set(re.findall(r'<(?:input|select)[^>]* name="([a-z_]+)"', page.partition("<main")[2]))
    assert names - {"csrf_token"} == ALWAYS | offered


def test_cases_and_matters_are_chosen_by_their_place(district: District) -> None:
    for key in ("issue_disposal", "deliberation"):
        with district.office.work() as context:
            court, draft_id = Court(district, context), drafted(district, context, key)
            assert begin_rehearsal(context, court.maker, draft_id, Choice(unit_code=COMMUNITY)).total == 1
            with pytest.raises(NothingChosen):
                begin_rehearsal(context, court.maker, draft_id, Choice(unit_code="500199003"))
