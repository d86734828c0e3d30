"""Where administrators begin: what there is to administer, and what waits for them."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from api.work import context
from governance.calendar.queries import missing_next_year
from governance.people.queries import vacancies
from governance.workflow.queries import open_incidents
from governance.workflow.unattended import unattended
from web.access import for_posts
from web.pages.admin import ADMINISTRATOR, DESIGNER

pages = Blueprint("admin", __name__, url_prefix="/admin")


@pages.get("")
@for_posts(ADMINISTRATOR, DESIGNER)
def show() -> ResponseReturnValue:
    given = context()
    return render_template(
        "admin/home.html",
        incidents=len(open_incidents(given)),
        unattended=len(unattended(given)),
        vacant=len(vacancies(given.session, given.today)),
        missing_year=missing_next_year(given.session, given.today),
    )
