"""What residents see, without an account: reporting, following by a secret link, evaluating."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import replace

from flask import Blueprint, Response, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from api.signin import actor
from api.work import context, undo
from governance.cases.codes import codes
from governance.cases.commands import Report
from governance.cases.models import Case, Photo
from governance.cases.queries import followed, likely_duplicates, photos, reported_photos
from governance.errors import NotFound, Refused
from governance.files.queries import file_of
from governance.files.rules import value_of
from governance.forms.rules import fields, outcome, read_form
from governance.inbox.queries import stages, trail
from governance.intake.commands import report, report_again
from governance.organisation.models import Kind, Unit
from governance.organisation.queries import full_name, names, of_kind, upwards
from governance.organisation.queries import place as place_named
from governance.workflow.assignment import REPORTER
from governance.workflow.commands import asked_of_reporter, complete_as_reporter, desk, is_open_to
from web.access import begin
from web.language import gettext as _
from web.plain import PlainStep, plain_steps, public_files, public_photos
from web.qr import base, qr_of
from web.sentences import say_all
from web.texts import package_of_instance
from web.trail import Named
from web.uploads import pictures, send_kept, send_photo, with_files, with_pictures

pages = Blueprint("public", __name__)
KEPT = 20
"""How many reports of others a session remembers to have joined."""
RESIDENT, ANONYMOUS, PATROL = "居民自报(网页/小程序)", "居民匿名", "网格员巡查"


@pages.get("/")
def home() -> ResponseReturnValue:
    if current_user.is_authenticated:
        return redirect(begin())
    return render_template("home.html")


@pages.get("/report")
def ask() -> ResponseReturnValue:
    place = _place(request.args.get("place", ""))
    return render_template("report.html", **_choices(place), form={}, errors={}, key=secrets.token_urlsafe(12))


@pages.get("/report/places")
def places() -> ResponseReturnValue:
    """The units below the chosen one, for the next select."""
    above = _place(request.args.get("above", ""))
    return render_template("_places.html", **_choices(above))


@pages.post("/report/similar")
def similar() -> ResponseReturnValue:
    place, text = _place(request.form.get("place", "")), request.form.get("text", "")
    found = likely_duplicates(context(), place, text[:2000], None) if place and len(text.strip()) >= 6 else []
    return render_template("_similar.html", cases=found)


@pages.post("/report/also")
def also() -> ResponseReturnValue:
    """Somebody else has reported it already: it counts once more, and nothing new is registered."""
    place, text = _place(request.form.get("place", "")), request.form.get("text", "")
    alike = likely_duplicates(context(), place, text[:2000], None) if place else []
    same = next((case for case in alike if str(case.id) == request.form.get("same_as") and not case.closed_at), None)
    if same is None:
        raise NotFound
    known: list[int] = session.get("also", [])
    if same.id not in known:
        report_again(context(), same)
        session["also"] = [*known, same.id][-KEPT:]
    flash(_("谢谢，已记下您也遇到了这件事（编号 %(number)s），会一并办理。", number=same.number), "success")
    flash("report", "draft-clear")
    return redirect(url_for("public.home"))


@pages.post("/report")
@with_pictures
def take() -> ResponseReturnValue:
    given, form = context(), request.form
    place = _place(form.get("place", ""))
    by = actor() if current_user.is_authenticated else None
    again = session.get("reported", {})
    if again.get("said") == _fingerprint(form):
        flash(_("您刚刚已提交过同样的内容，编号 %(number)s。", number=again["number"]), "success")
        flash("report", "draft-clear")
        return redirect(url_for("public.follow", secret=again["secret"]))
    try:
        if place is None:
            missing = {} if form.get("text", "").strip() else {"text": _("请写明反映的问题")}
            raise Refused({"place": _("请选择问题所在的位置"), **missing})
        reported = Report(
            text=form.get("text", "").strip(),
            place=place,
            channel=PATROL if by else (RESIDENT if form.get("contact_mobile") else ANONYMOUS),
            submission_key=form.get("key", "")[:80] or secrets.token_urlsafe(12),
            address=form.get("address", "").strip(),
            category=form.get("category") or None,
            contact_name=form.get("contact_name", "").strip(),
            contact_mobile=form.get("contact_mobile", "").replace(" ", ""),
            is_confidential=bool(form.get("confidential")),
            is_self_found=by is not None,
            reported_by=by.person_id if by else None,
        )
        case, secret = report(given, reported, pictures("photos"), by)
        if secret is None and (case.text, case.place_id) != (reported.text, place.id):  # a page sent twice, with other words
            case, secret = report(given, replace(reported, submission_key=secrets.token_urlsafe(12)), pictures("photos"), by)
    except Refused as refused:
        undo()
        return render_template("report.html", **_choices(place), form=form, errors=say_all(refused.errors), key=form.get("key", "")), 422
    flash("report", "draft-clear")
    if by:
        return redirect(url_for("cases.show", case_id=case.id))
    if secret is None:
        kept = again["secret"] if again.get("number") == case.number else None
        return redirect(url_for("public.follow", secret=kept)) if kept else render_template("reported_again.html", case=case)
    session["reported"] = {"number": case.number, "secret": secret, "said": _fingerprint(form)}
    return redirect(url_for("public.follow", secret=secret, new=1))


@pages.get("/follow/<secret>")
def follow(secret: str) -> ResponseReturnValue:
    return _followed(secret, followed(context().session, secret), {})


@pages.post("/follow/<secret>/tasks/<id:task_id>")
@with_pictures
def answer(secret: str, task_id: int) -> ResponseReturnValue:
    case = followed(context().session, secret)
    try:
        held = asked_of_reporter(context(), case.id, task_id)
        ours = {"by": None, "instance_id": case.instance_id, "task_key": held.task["key"]}
        filled = {} if held.task["closed_at"] else with_files(held.form, request.form.to_dict(flat=False), case, **ours)
        data, misread = read_form(held.form, filled)
        complete_as_reporter(context(), case.id, task_id, data, misread=misread, idempotency_key=request.form.get("key") or None)
    except Refused as refused:
        undo()
        return _followed(secret, followed(context().session, secret), refused.errors, 422)
    flash(f"ask-{task_id}", "draft-clear")
    return redirect(url_for("public.follow", secret=secret, thanks=1))


@pages.get("/follow/<secret>/photos/<id:photo_id>")
def photo(secret: str, photo_id: int) -> ResponseReturnValue:
    case = followed(context().session, secret)
    return send_photo(photo_id, [*reported_photos(context().session, case.id), *_settled_photos(case)])


@pages.get("/follow/<secret>/files/<digest>/<name>")
def file(secret: str, digest: str, name: str) -> ResponseReturnValue:
    case = followed(context().session, secret)
    if value_of(digest, name) not in [file.value for file in _public_files(case)]:
        raise NotFound
    return send_kept(file_of(context().session, case.instance_id or 0, None, digest, name))


@pages.get("/follow/<secret>/qr.svg")
def qr(secret: str) -> Response:
    followed(context().session, secret)
    return qr_of(url_for("public.follow", secret=secret))


@pages.get("/places/<code>/qr.svg")
def place_qr(code: str) -> Response:
    """The picture to print and put up in a building: it opens the report page with the place filled in."""
    if _place(code) is None:
        raise NotFound
    return qr_of(url_for("public.ask", place=code))


def _followed(secret: str, case: Case, errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    given = context()
    if case.instance_id:
        package_of_instance(case.instance_id)
    asked = is_open_to(given, f"{REPORTER}:{case.id}", case.instance_id) if case.instance_id else []
    forms = []
    for task in asked:
        held = desk(given, task["id"])
        forms.append({"task": task, "fields": fields(held.form), "outcome": outcome(held.form, held.data, given.now()), "data": held.data})
    steps = _course(case)
    page = render_template(
        "follow.html",
        case=case,
        secret=secret,
        link=base() + url_for("public.follow", secret=secret),
        steps=steps,
        forms=forms,
        errors=say_all(errors),
        form=request.form,
        place=full_name(upwards(given.session, case.place)),
        photos=reported_photos(given.session, case.id),
        settled_photos=_settled_photos(case),
        files=_public_files(case),
        key=secrets.token_urlsafe(12),
    )
    return page, status


def _settled_photos(case: Case) -> list[Photo]:
    """The pictures of what was done that are meant for the reporter, from the forms that were handed in."""
    given = context()
    meant = public_photos(trail(given, case.instance_id)) if case.instance_id else set()
    return [photo for photo in photos(given.session, case) if photo.id in meant] if meant else []


def _public_files(case: Case) -> list[Named]:
    """The files of what was done that are meant for the reporter."""
    given = context()
    return public_files(trail(given, case.instance_id)) if case.instance_id else []


def _course(case: Case) -> list[PlainStep]:
    given = context()
    if case.instance_id is None:
        return []
    found = stages(given, case.instance_id)
    units = names(given.session, {id for stage in found for id in stage.units})
    return plain_steps(found, trail(given, case.instance_id), case, units)


def _fingerprint(form: Mapping[str, str]) -> str:
    """The same words about the same place, sent again by going back in the browser, are the same report."""
    told = (form.get("place"), form.get("text", "").strip(), form.get("contact_name"), form.get("contact_mobile"), form.get("address"))
    return hashlib.sha256(repr((told, len(request.files.getlist("photos")))).encode()).hexdigest()[:32]


def _place(named: str) -> Unit | None:
    return place_named(context().session, named) if named else None


def _choices(place: Unit | None) -> dict[str, object]:
    """What the place selects offer, with the chosen branch opened."""
    session_ = context().session
    chain = list(reversed(upwards(session_, place))) if place else []
    chosen = {u.kind: u for u in chain}
    levels = [(_("街道"), of_kind(session_, Kind.SUBDISTRICT), chosen.get(Kind.SUBDISTRICT))]
    for label, kind, above in (
        (_("社区"), Kind.COMMUNITY, chosen.get(Kind.SUBDISTRICT)),
        (_("网格"), Kind.GRID, chosen.get(Kind.COMMUNITY)),
        (_("楼栋"), Kind.BUILDING, chosen.get(Kind.GRID)),
    ):
        if above:
            levels.append((label, of_kind(session_, kind, below=above.path), chosen.get(kind)))
    return {
        "levels": levels,
        "place": place,
        "place_name": full_name(upwards(session_, place)) if place else "",
        "categories": codes()["categories"],
    }
