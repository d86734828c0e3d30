"""The pages: what residents, task workers and administrators see."""

from __future__ import annotations

from flask import Flask, Response, abort, request
from flask_babel import Babel, get_locale
from flask_wtf.csrf import CSRFProtect

from api.fields import IdConverter, is_storable
from api.signin import actor
from governance.matters.models import STAGES
from governance.people.rules import POSTS
from governance.rolls.queries import KEEPERS
from web import errors, format
from web.language import LANGUAGES, choose_language
from web.pages import (
    attendance,
    ballots,
    cases,
    copies,
    deliberation,
    files,
    inbox,
    interventions,
    matters,
    meeting_records,
    meeting_room,
    meetings,
    public,
    rolls,
    signin,
    starting,
    tasks,
    urging,
    votes,
)
from web.pages.admin import (
    calendar,
    home,
    mending,
    people,
    processes,
    studio,
    studio_calls,
    studio_case,
    studio_forms,
    studio_runs,
    studio_scenarios,
    unattended,
    units,
    vote_rules,
)
from web.pages.admin import meetings as meeting_rules
from web.policy import POLICY, permissions

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
TASKS = (public, signin, inbox, starting, tasks, urging, copies, files, cases, interventions)
DELIBERATION = (matters, deliberation, ballots, rolls, votes)
MEETINGS = (meetings, meeting_room, meeting_records, attendance)
PROCESSES = (processes, studio, studio_calls, studio_case, studio_forms, studio_runs, studio_scenarios)
ADMINISTRATION = (home, units, people, calendar, vote_rules, meeting_rules, mending, unattended, *PROCESSES)
PAGES = (*TASKS, *DELIBERATION, *MEETINGS, *ADMINISTRATION)
BLUEPRINTS = frozenset(page.pages.name for page in PAGES)
csrf = CSRFProtect()


def init_web(app: Flask) -> None:
    """Puts the pages into the app."""
    csrf.init_app(app)
    Babel(app, locale_selector=choose_language, default_locale="zh")
    app.url_map.converters["id"] = IdConverter
    app.before_request(_refuse_unstorable)
    for page in PAGES:
        app.register_blueprint(page.pages)
    errors.init_errors(app)
    format.init_filters(app)
    app.after_request(_protect)
    names = {"posts": POSTS, "stage_names": STAGES, "languages": LANGUAGES}
    app.jinja_env.globals.update(locale=get_locale, actor_now=actor, may_start=starting.may_start, roll_keepers=KEEPERS, **names)


def _refuse_unstorable() -> None:
    """No text that a database cannot keep gets any further; nobody types such a thing."""
    given = (request.args, request.form) if request.mimetype in FORMS else (request.args,)
    if request.blueprint in BLUEPRINTS and any(not is_storable(value) for values in given for _, value in values.items(multi=True)):
        abort(400)


def _protect(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", POLICY)
    response.headers.setdefault("Permissions-Policy", permissions(request.endpoint))
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    if response.mimetype == "text/html":
        response.headers.setdefault("Cache-Control", "no-store")
    return response
