"""What the editor of the process studio asks of the server while somebody draws."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from api.signin import actor
from api.work import context, undo
from engine.errors import EngineError
from engine.packages import MAX_PACKAGE
from engine.validator import Problem
from governance.calendar.rules import SHANGHAI
from governance.errors import GovernanceError, NotAllowed, NotFound, Refused
from governance.people.queries import names
from governance.studio import commands, queries
from governance.studio.errors import DraftChanged, DraftClosed, DraftHeld
from governance.studio.models import Draft
from governance.studio.rules import files_of, problems_of
from governance.studio.vocabulary import vocabulary
from web.access import for_posts
from web.language import gettext as _
from web.pages.admin import ADMINISTRATOR, DESIGNER
from web.pages.admin.studio_forms import sent_object
from web.sentences import say

pages = Blueprint("studio_calls", __name__, url_prefix="/admin/studio")
STATUS: Mapping[type[Exception], int] = {NotFound: 404, NotAllowed: 403, DraftChanged: 409, DraftClosed: 409, DraftHeld: 423}


@pages.get("/vocabulary.json")
@for_posts(ADMINISTRATOR, DESIGNER)
def words() -> ResponseReturnValue:
    """The lists in the reader's language, with the services and statuses that published processes use."""
    session = context().session
    lists = {
        name: [{key: say(value) if key != "code" else value for key, value in one.items()} for one in lists]
        for name, lists in vocabulary().items()
    }
    services = [{"code": name, "name": name} for name in queries.used(session, "service", "name")]
    return jsonify({**lists, "services": services, "statuses": queries.used(session, "status", "value")})


@pages.get("/<id:draft_id>/files.json")
@for_posts(ADMINISTRATOR, DESIGNER)
def files(draft_id: int) -> ResponseReturnValue:
    held = queries.draft(context().session, draft_id)
    return jsonify(_as_json(held) | {"problems": _problems(problems_of(queries.package_of_draft(held)))})


@pages.post("/<id:draft_id>/files")
@for_posts(ADMINISTRATOR, DESIGNER)
def save(draft_id: int) -> ResponseReturnValue:
    try:
        revision, edits = _sent()
        saved = commands.save(context(), actor(), draft_id, revision, edits)
    except DraftChanged as changed:
        undo()
        held = queries.draft(context().session, draft_id)
        told = {"by": changed.by, "at": changed.at.isoformat(), "changes": [say(change) for change in changed.changes]}
        return _refusal(changed, 409, **told, **_as_json(held))
    return jsonify({"revision": saved.draft.revision, "saved_at": saved.draft.edited_at.isoformat(), "problems": _problems(saved.problems)})


@pages.post("/<id:draft_id>/hold")
@for_posts(ADMINISTRATOR, DESIGNER)
def hold(draft_id: int) -> ResponseReturnValue:
    sent = request.get_json(silent=True)
    commands.hold(context(), actor(), draft_id, take_over=isinstance(sent, dict) and sent.get("take_over") is True)
    return jsonify({})


@pages.delete("/<id:draft_id>/hold")
@for_posts(ADMINISTRATOR, DESIGNER)
def let_go(draft_id: int) -> ResponseReturnValue:
    commands.release(context(), actor(), draft_id)
    return jsonify({})


@pages.errorhandler(GovernanceError)
@pages.errorhandler(EngineError)
def refused(error: Exception) -> ResponseReturnValue:
    """A refusal as the editor reads it."""
    by = {"by": error.by} if isinstance(error, DraftHeld) else {}
    undo()
    return _refusal(error, STATUS.get(type(error), 422), **by)


def _refusal(error: Exception, status: int, **facts: Any) -> ResponseReturnValue:
    code = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(error).__name__).lower()
    return jsonify({"error": {"code": code, "message": say(str(error))}, **facts}), status


def _sent() -> tuple[int, Mapping[str, str | None]]:
    """The revision and the edited files; raises `Refused`."""
    sent = sent_object(2 * MAX_PACKAGE)
    revision, edits = sent.get("revision"), sent.get("files")
    if not isinstance(revision, int) or not isinstance(edits, dict):
        raise Refused({"files": _("发来的内容无法读取")})
    if not all(text is None or isinstance(text, str) for text in edits.values()):
        raise Refused({"files": _("发来的内容无法读取")})
    return revision, edits


def _as_json(held: Draft) -> dict[str, Any]:
    given, is_mine = context(), held.held_by in (None, actor().person_id)
    is_held = not is_mine and held.held_until is not None and held.held_until > given.now()
    who = names(given.session, {held.held_by}) if is_held and held.held_by else {}
    since = held.edited_at.astimezone(SHANGHAI).isoformat()
    return {
        "revision": held.revision,
        "name": held.name,
        "files": {name: text.decode() for name, text in files_of(held.files).items()},
        "may_edit": held.ended_at is None and held.change_id is None,
        "held_by": {"name": who.get(held.held_by or 0, ""), "since": since} if is_held else None,
    }


def _problems(found: tuple[Problem, ...]) -> list[dict[str, str]]:
    return [{"rule": p.rule, "element": p.element, "message": say(p.message), "level": p.severity} for p in found]
