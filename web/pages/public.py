"""What residents see, without an account: reporting, following by a secret link, evaluating."""

from __future__ import annotations

import secrets

import segno
from flask import Blueprint, Response, flash, redirect, render_template, request, send_file, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from api.signin import actor
from api.work import context, outside, undo
from governance.cases.codes import codes
from governance.cases.commands import Report
from governance.cases.models import Case
from governance.cases.photos import photo_path
from governance.cases.queries import followed, likely_duplicates, photos
from governance.errors import NotFound, Refused
from governance.forms.rules import fields, outcome, read_form
from governance.inbox.queries import stages, trail
from governance.intake.commands import report
from governance.organisation.models import Kind, Unit
from governance.organisation.queries import full_name, names, of_kind, unit, upwards
from governance.workflow.assignment import REPORTER
from governance.workflow.commands import asked_of_reporter, complete_as_reporter, desk, is_open_to
from web.language import gettext as _
from web.plain import PlainStep, plain_steps
from web.uploads import pictures, with_photos, with_pictures

pages = Blueprint("public", __name__)
RESIDENT, ANONYMOUS, PATROL = "居民自报(网页/小程序)", "居民匿名", "网格员巡查"


@pages.get("/")
def home() -> ResponseReturnValue:
    if current_user.is_authenticated:
        return redirect(url_for("inbox.show"))
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


@pages.post("/report")
@with_pictures
def take() -> ResponseReturnValue:
    given, form = context(), request.form
    place = _place(form.get("place", ""))
    by = actor() if current_user.is_authenticated else None
    try:
        if place is None:
            raise Refused({"place": _("请选择问题所在的位置")})
        reported = Report(
            text=form.get("text", "").strip(),
            place=place,
            channel=PATROL if by else (RESIDENT if form.get("contact_mobile") else ANONYMOUS),
            submission_key=form.get("key", "") or secrets.token_urlsafe(12),
            address=form.get("address", "").strip(),
            category=form.get("category") or None,
            contact_name=form.get("contact_name", "").strip(),
            contact_mobile=form.get("contact_mobile", "").replace(" ", ""),
            is_confidential=bool(form.get("confidential")),
            is_self_found=by is not None,
            reported_by=by.person_id if by else None,
        )
        case, secret = report(given, reported, pictures("photos"), by)
    except Refused as refused:
        undo()
        return render_template("report.html", **_choices(place), form=form, errors=refused.errors, key=form.get("key", "")), 422
    flash("report", "draft-clear")
    if by:
        return redirect(url_for("cases.show", case_id=case.id))
    if secret is None:
        kept = session.get("reported", {}).get(case.number)
        return redirect(url_for("public.follow", secret=kept)) if kept else render_template("reported_again.html", case=case)
    session["reported"] = {case.number: secret}
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
        filled = with_photos(held.form, request.form.to_dict(flat=False), case, held.task["key"], None)
        data = read_form(held.form, filled, held.data)
        complete_as_reporter(context(), case.id, task_id, data, idempotency_key=request.form.get("key") or None)
    except Refused as refused:
        undo()
        return _followed(secret, followed(context().session, secret), refused.errors, 422)
    return redirect(url_for("public.follow", secret=secret, thanks=1))


@pages.get("/follow/<secret>/photos/<id:photo_id>")
def photo(secret: str, photo_id: int) -> ResponseReturnValue:
    case = followed(context().session, secret)
    return send_photo(case, photo_id)


@pages.get("/follow/<secret>/qr.svg")
def qr(secret: str) -> Response:
    followed(context().session, secret)
    return _qr(url_for("public.follow", secret=secret))


@pages.get("/places/<code>/qr.svg")
def place_qr(code: str) -> Response:
    """The picture to print and put up in a building: it opens the report page with the place filled in."""
    if _place(code) is None:
        raise NotFound
    return _qr(url_for("public.ask", place=code))


def send_photo(case: Case, photo_id: int) -> Response:
    """A picture of this case; raises `NotFound`."""
    found = next((p for p in photos(context().session, case.id) if p.id == photo_id), None)
    if found is None:
        raise NotFound
    return send_file(photo_path(context().folder, found.digest), mimetype="image/jpeg", max_age=3600)


def _followed(secret: str, case: Case, errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    given = context()
    asked = is_open_to(given, f"{REPORTER}:{case.id}", case.instance_id) if case.instance_id else []
    forms = []
    for task in asked:
        held = desk(given, task["id"])
        forms.append({"task": task, "fields": fields(held.form), "outcome": outcome(held.form), "data": held.data})
    steps = _course(case)
    page = render_template(
        "follow.html",
        case=case,
        secret=secret,
        steps=steps,
        forms=forms,
        errors=errors,
        form=request.form,
        place=full_name(upwards(given.session, case.place)),
        photos=photos(given.session, case.id),
        key=secrets.token_urlsafe(12),
    )
    return page, status


def _course(case: Case) -> list[PlainStep]:
    given = context()
    if case.instance_id is None:
        return []
    found = stages(given, case.instance_id)
    units = names(given.session, {id for stage in found for id in stage.units})
    return plain_steps(found, trail(given, case.instance_id), case, units)


def _place(code: str) -> Unit | None:
    """The place a code or an id stands for."""
    if not code:
        return None
    found = context().session.scalar(select(Unit).where(Unit.code == code, Unit.valid_to.is_(None)))
    if found is None and code.isdecimal():
        try:
            found = unit(context().session, code)
        except NotFound:
            return None
    return found if found and found.kind in (Kind.COMMUNITY, Kind.GRID, Kind.BUILDING, Kind.SUBDISTRICT) else None


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


def _qr(target: str) -> Response:
    base = outside().public_url or request.host_url.rstrip("/")
    picture = segno.make(base + target, error="m").svg_inline(scale=6, border=2, dark="#000", light="#fff")
    return Response(picture.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1), mimetype="image/svg+xml")
