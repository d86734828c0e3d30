"""What remains of a meeting: minutes with their signatures, attachments, decisions."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from itertools import zip_longest

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required

from api.signin import actor
from api.work import context, undo
from governance.errors import Refused
from governance.meetings import queries
from governance.meetings.decisions import Resolved, confirm, deliveries, drop, record
from governance.meetings.files import attach, file_of
from governance.meetings.minutes import altered, record_signature, sign_minutes, write_minutes
from governance.meetings.models import Minutes
from governance.meetings.rules import Status
from governance.organisation.queries import names as unit_names
from governance.people.queries import names
from web.language import gettext as _
from web.pages.meetings import head, meeting_seen
from web.sentences import say_all
from web.uploads import attachments, pictures, send_kept, with_attachments, with_pictures

pages = Blueprint("records", __name__, url_prefix="/meetings/<id:meeting_id>")
Rows = list[tuple[str, str, bool]]
LONG = 2000


@pages.get("/minutes")
@login_required  # type: ignore[untyped-decorator]
def minutes(meeting_id: int) -> ResponseReturnValue:
    return _minutes(meeting_id, {})


@pages.post("/minutes")
@login_required  # type: ignore[untyped-decorator]
def write(meeting_id: int) -> ResponseReturnValue:
    based_on = request.form.get("based_on", "")
    try:
        version = write_minutes(
            context(), actor(), meeting_id, request.form.get("text", ""), int(based_on) if based_on.isdecimal() and len(based_on) < 6 else 0
        )
    except Refused as refused:
        undo()
        return _minutes(meeting_id, refused.errors, 422)
    flash(_("会议记录第 %(n)s 版已保存。", n=version.number), "success")
    flash(f"minutes-{meeting_id}", "draft-clear")
    return redirect(url_for("records.minutes", meeting_id=meeting_id))


@pages.post("/minutes/<id:minutes_id>/sign")
@login_required  # type: ignore[untyped-decorator]
def sign(meeting_id: int, minutes_id: int) -> ResponseReturnValue:
    sign_minutes(context(), actor(), meeting_id, minutes_id)
    flash(_("您已在会议记录上签名。"), "success")
    return redirect(url_for("records.minutes", meeting_id=meeting_id))


@pages.post("/minutes/<id:minutes_id>/paper")
@with_pictures
@login_required  # type: ignore[untyped-decorator]
def sign_on_paper(meeting_id: int, minutes_id: int) -> ResponseReturnValue:
    """A signature on paper, with a picture of the sheet."""
    queries.held_by(context().session, meeting_id, actor())
    signer = request.form.get("attendee", "")
    try:
        sheets = pictures("sheet")
        if not sheets:
            raise Refused({"sheet": _("请拍下签名页")})
        if not signer.isdecimal() or len(signer) > 18:
            raise Refused({"attendee": _("请选择签名人")})
        record_signature(context(), actor(), meeting_id, minutes_id, int(signer), sheets[0])
    except Refused as refused:
        undo()
        return _minutes(meeting_id, refused.errors, 422)
    flash(_("纸面签名已登记。"), "success")
    return redirect(url_for("records.minutes", meeting_id=meeting_id))


@pages.post("/files")
@with_attachments
@login_required  # type: ignore[untyped-decorator]
def put_file(meeting_id: int) -> ResponseReturnValue:
    queries.held_by(context().session, meeting_id, actor())
    try:
        for sent in attachments():
            attach(context(), actor(), meeting_id, sent)
    except Refused as refused:
        undo()
        return _files(meeting_id, refused.errors, 422)
    flash(_("附件已上传。"), "success")
    return redirect(url_for("records.files", meeting_id=meeting_id))


@pages.get("/files")
@login_required  # type: ignore[untyped-decorator]
def files(meeting_id: int) -> ResponseReturnValue:
    return _files(meeting_id, {})


@pages.get("/files/<id:file_id>")
@login_required  # type: ignore[untyped-decorator]
def file(meeting_id: int, file_id: int) -> Response:
    """An attachment, to be saved: never shown as a page of ours."""
    return send_kept(file_of(context(), meeting_seen(meeting_id), file_id))


@pages.get("/decisions")
@login_required  # type: ignore[untyped-decorator]
def decisions(meeting_id: int) -> ResponseReturnValue:
    return _decisions(meeting_id, {})


@pages.post("/decisions")
@login_required  # type: ignore[untyped-decorator]
def put_decision(meeting_id: int) -> ResponseReturnValue:
    form = request.form
    resolved = Resolved(form.get("text", ""), form.get("unit", ""), _day(form.get("due_on", "")), form.get("case_number", ""))
    return _decided(meeting_id, lambda: record(context(), actor(), meeting_id, resolved), _("议定事项已记下，确认后交办。"))


@pages.post("/decisions/<id:decision_id>/confirm")
@login_required  # type: ignore[untyped-decorator]
def hand_over(meeting_id: int, decision_id: int) -> ResponseReturnValue:
    return _decided(meeting_id, lambda: confirm(context(), actor(), meeting_id, decision_id), _("已交办，责任单位的待办箱里会看到。"))


@pages.post("/decisions/<id:decision_id>/drop")
@login_required  # type: ignore[untyped-decorator]
def take_back(meeting_id: int, decision_id: int) -> ResponseReturnValue:
    return _decided(meeting_id, lambda: drop(context(), actor(), meeting_id, decision_id), _("已删除。"))


def _decided(meeting_id: int, act: Callable[[], object], said: str) -> ResponseReturnValue:
    try:
        act()
    except Refused as refused:
        undo()
        return _decisions(meeting_id, refused.errors, 422)
    flash(said, "success")
    return redirect(url_for("records.decisions", meeting_id=meeting_id))


def _decisions(meeting_id: int, errors: Mapping[str, str], code: int = 200) -> ResponseReturnValue:
    given, held = context(), meeting_seen(meeting_id)
    shown, delivered = head(held), deliveries(given, held.id)
    groups = queries.responsible_units(given.session, held.unit)
    named = unit_names(given.session, {*(u.id for _group, units in groups for u in units), *(d.decision.unit_id for d in delivered)})
    page = render_template(
        "meetings/decisions.html",
        **shown,
        tab="records.decisions",
        deliveries=delivered,
        groups=[(group, [(str(u.id), named[u.id]) for u in units]) for group, units in groups if units],
        named=named,
        numbers=queries.numbers(given.session, [d.decision.case_id for d in delivered]),
        may_decide=shown["runs"] and shown["stands"] in (Status.OPEN, Status.CLOSED),
        errors=say_all(errors),
        form=request.form,
        today=given.today,
    )
    return page, code


def _files(meeting_id: int, errors: Mapping[str, str], code: int = 200) -> ResponseReturnValue:
    given, held = context(), meeting_seen(meeting_id)
    found = queries.files(given.session, held.id)
    people = names(given.session, {f.added_by for f in found})
    return render_template(
        "meetings/files.html", **head(held), tab="records.files", files=found, people=people, errors=say_all(errors)
    ), code


def _minutes(meeting_id: int, errors: Mapping[str, str], code: int = 200) -> ResponseReturnValue:
    given, held, who = context(), meeting_seen(meeting_id), actor()
    shown = head(held)
    versions = queries.minutes(given.session, held.id)
    roll = queries.roll(given, held.id, plain=shown["runs"])
    signed = queries.signatures(given.session, held.id)
    latest = versions[-1] if versions else None
    signers = {one.attendee_id for one in signed.get(latest.id, [])} if latest else set()
    here = [entry for entry in roll if entry.attendee.signed_in_at]
    compared = _compared(versions)
    page = render_template(
        "meetings/minutes.html",
        **shown,
        tab="records.minutes",
        versions=versions,
        latest=latest,
        signed=signed,
        called={entry.attendee.id: entry.name for entry in roll},
        people=names(given.session, {v.written_by for v in versions}),
        unsigned=[entry for entry in here if entry.attendee.id not in signers],
        may_sign=any(entry.attendee.person_id == who.person_id and entry.attendee.id not in signers for entry in here),
        may_write=shown["runs"] and shown["stands"] in (Status.OPEN, Status.CLOSED),
        altered=altered(versions),
        compared=compared,
        rows=_rows(*compared) if compared else [],
        errors=say_all(errors),
        form=request.form,
    )
    return page, code


def _compared(versions: Sequence[Minutes]) -> tuple[Minutes, Minutes] | None:
    """The two versions that somebody asked to see side by side; the last two when nobody said."""
    by_number = {str(one.number): one for one in versions}
    if len(versions) < 2:
        return None
    left, right = by_number.get(request.args.get("left", "")), by_number.get(request.args.get("right", ""))
    return left or versions[-2], right or versions[-1]


def _rows(left: Minutes, right: Minutes) -> Rows:
    """The lines of two versions, those that differ marked; so many that to align them takes minutes are compared one by one."""
    old, new = left.text.split("\n"), right.text.split("\n")
    if max(len(old), len(new)) > LONG:
        return [(one, other, one != other) for one, other in zip_longest(old, new, fillvalue="")]
    rows: Rows = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        rows += [(one, other, kind != "equal") for one, other in zip_longest(old[a:b], new[c:d], fillvalue="")]
    return rows


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
