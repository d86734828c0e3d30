"""议事公开: what residents see and do without an account. Nothing here says who suggested, supported or objected."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from api.signin import actor
from api.work import context, undo
from governance.cases.models import Case, Photo
from governance.cases.queries import case as case_of
from governance.cases.queries import concerning, photos
from governance.deliberation.commands import AlreadyGiven, NotOpen, Resident, Suggestion, evaluate, object_to, suggest, support, withdraw
from governance.errors import NotFound, Refused
from governance.inbox.queries import trail
from governance.matters.models import Matter, Stage, Tier
from governance.matters.queries import (
    alike,
    delivery,
    followed,
    notices,
    objection_followed,
    page,
    public_matter,
    published,
    running_notice,
    support_of,
)
from governance.organisation.models import Kind, Unit
from governance.organisation.queries import full_name, names, of_kind, upwards
from web.errors import sentence
from web.language import gettext as _
from web.matters import public_facts
from web.notices import printed
from web.pages.matters import wanted
from web.plain import public_photos
from web.qr import base, qr_of
from web.sentences import say_all
from web.texts import package_of_instance
from web.uploads import send_photo

pages = Blueprint("deliberation", __name__, url_prefix="/deliberation")
OPEN_TO_ALL = (Kind.SUBDISTRICT, Kind.COMMUNITY, Kind.ESTATE)


@pages.get("")
def index() -> ResponseReturnValue:
    """Which matters there are, and how far each is."""
    given, after = context().session, request.args.get("after", "")
    found = page(given, published(select(Matter)), wanted(), int(after) if after.isdecimal() and len(after) < 19 else None)
    shown = [matter.id for matter in found.matters]
    return render_template(
        "deliberation.html",
        page=found,
        tiers=list(Tier),
        stages=list(Stage),
        places=names(given, {matter.unit_id for matter in found.matters}),
        support=support_of(given, shown),
        delivery=delivery(given, shown),
    )


@pages.get("/suggest")
def ask() -> ResponseReturnValue:
    case = _case()
    began = {"title": case.title, "problem": case.text} if case else {}
    return render_template("suggest.html", **_choices(_place()), form=began, case=case, errors={}, key=secrets.token_urlsafe(12))


@pages.get("/suggest/places")
def places() -> ResponseReturnValue:
    """The units below the chosen one, for the next select."""
    return render_template("_places.html", **_choices(_place("above")))


@pages.post("/suggest/alike")
def alike_ones() -> ResponseReturnValue:
    """Suggestions that are there already, while a new one is being written."""
    unit, words = _unit(request.form.get("place", "")), f"{request.form.get('title', '')}{request.form.get('problem', '')}"[:2000]
    found = alike(context(), unit, words) if unit and len(words.strip()) >= 6 else []
    return render_template("_alike.html", matters=found, support=support_of(context().session, [matter.id for matter in found]))


@pages.post("/suggest")
def take() -> ResponseReturnValue:
    given, form = context(), request.form
    unit, case = _unit(form.get("place", "")), _case()
    by = actor() if current_user.is_authenticated else None
    try:
        if unit is None:
            raise Refused({"unit": _("请选择这是哪里的事")})
        suggestion = Suggestion(
            unit=unit,
            title=form.get("title", "").strip(),
            problem=form.get("problem", "").strip(),
            wish=form.get("wish", "").strip(),
            submission_key=form.get("key", "")[:80] or secrets.token_urlsafe(12),
            contact_name=form.get("contact_name", "").strip(),
            contact_mobile=form.get("contact_mobile", "").replace(" ", ""),
            suggested_by=by.person_id if by else None,
            case=case,
        )
        matter, secret = suggest(given, suggestion, by)
    except Refused as refused:
        undo()
        page = render_template(
            "suggest.html", **_choices(unit), form=form, case=_case(), errors=say_all(refused.errors), key=form.get("key", "")
        )
        return page, 422
    flash("suggest", "draft-clear")
    if by:
        return redirect(url_for("matters.show", matter_id=matter.id))
    if secret is None:
        return redirect(url_for("deliberation.show", reference=matter.number))
    return redirect(url_for("deliberation.follow", secret=secret, new=1))


@pages.get("/<reference>")
def show(reference: str) -> ResponseReturnValue:
    return _page(public_matter(context().session, reference))


@pages.post("/<reference>/support")
def back(reference: str) -> ResponseReturnValue:
    """附议."""
    return _said(reference, "support", lambda matter: support(context(), matter, _resident()), _("谢谢，已记下您的附议。"))


@pages.post("/<reference>/evaluate")
def rate(reference: str) -> ResponseReturnValue:
    """评价."""
    given = request.form.get("satisfaction", "")
    satisfaction = int(given) if given in ("1", "2", "3", "4", "5") else 0
    comment = request.form.get("comment", "").strip()
    return _said(
        reference, "evaluate", lambda matter: evaluate(context(), matter, _resident(), satisfaction, comment), _("谢谢，已收到您的评价。")
    )


@pages.post("/<reference>/object")
def disagree(reference: str) -> ResponseReturnValue:
    """异议."""
    matter = public_matter(context().session, reference)
    key = request.form.get("key", "")[:80] or secrets.token_urlsafe(12)
    try:
        _objection, secret = object_to(context(), matter, _resident(), request.form.get("text", ""), key)
    except Refused as refused:
        undo()
        return _page(public_matter(context().session, reference), "object", say_all(refused.errors), 422)
    except NotOpen as error:
        said = sentence(error)
        undo()
        return _page(public_matter(context().session, reference), "object", {"": said}, 409)
    if secret is None:
        flash(_("您的异议已经收到过了。"), "success")
        return redirect(url_for("deliberation.show", reference=reference))
    return redirect(url_for("deliberation.objection", secret=secret, new=1))


@pages.get("/objections/<secret>")
def objection(secret: str) -> ResponseReturnValue:
    """An objection and its answer, for who raised it."""
    found = objection_followed(context().session, secret)
    matter = context().session.get_one(Matter, found.matter_id)
    link = base() + url_for("deliberation.objection", secret=secret)
    return render_template("objection.html", objection=found, matter=matter, link=link)


@pages.get("/mine/<secret>")
def follow(secret: str) -> ResponseReturnValue:
    """A suggestion, for who made it."""
    return _mine(secret, {})


@pages.post("/mine/<secret>/withdraw")
def take_back(secret: str) -> ResponseReturnValue:
    matter = followed(context().session, secret)
    try:
        withdraw(context(), matter, request.form.get("reason", ""))
    except Refused as refused:
        undo()
        return _mine(secret, say_all(refused.errors), 422)
    except NotOpen as error:
        said = sentence(error)
        undo()
        return _mine(secret, {"": said}, 409)
    flash(_("已撤回。"), "success")
    return redirect(url_for("deliberation.follow", secret=secret))


@pages.get("/<reference>/qr.svg")
def qr(reference: str) -> Response:
    public_matter(context().session, reference)
    return qr_of(url_for("deliberation.show", reference=reference))


@pages.get("/<reference>/photos/<id:photo_id>")
def photo(reference: str, photo_id: int) -> ResponseReturnValue:
    return send_photo(photo_id, _photos(public_matter(context().session, reference)))


@pages.get("/<reference>/notices/<id:notice_id>.pdf")
def notice(reference: str, notice_id: int) -> Response:
    """公示 to print and post."""
    matter = public_matter(context().session, reference)
    found = next((one for one in notices(context().session, matter.id) if one.id == notice_id), None)
    if found is None:
        raise NotFound
    return printed(matter, found)


def _said(reference: str, what: str, say: Callable[[Matter], None], thanks: str) -> ResponseReturnValue:
    matter = public_matter(context().session, reference)
    try:
        say(matter)
    except Refused as refused:
        undo()
        return _page(public_matter(context().session, reference), what, say_all(refused.errors), 422)
    except (AlreadyGiven, NotOpen) as error:
        said = sentence(error)
        undo()
        return _page(public_matter(context().session, reference), what, {"": said}, 409)
    flash(thanks, "success")
    return redirect(url_for("deliberation.show", reference=reference))


def _resident() -> Resident:
    form = request.form
    return Resident(form.get("name", "").strip(), form.get("mobile", "").replace(" ", ""), " ".join(form.get("household", "").split()))


def _page(matter: Matter, asked: str = "", errors: Mapping[str, str] | None = None, status: int = 200) -> ResponseReturnValue:
    """The page of a matter; `asked` says which of its forms was sent."""
    given = context().session
    package_of_instance(matter.instance_id)
    page = render_template(
        "deliberated.html",
        matter=matter,
        place=full_name(upwards(given, matter.unit)),
        notice=running_notice(given, matter.id),
        photos=_photos(matter),
        asked=asked,
        errors=errors or {},
        form=request.form,
        key=secrets.token_urlsafe(12),
        **public_facts(matter),
    )
    return page, status


def _mine(secret: str, errors: Mapping[str, str], status: int = 200) -> ResponseReturnValue:
    matter = followed(context().session, secret)
    package_of_instance(matter.instance_id)
    link = base() + url_for("deliberation.follow", secret=secret)
    case = context().session.scalar(select(Case).where(Case.follow_digest == matter.follow_digest))
    page = render_template("suggested.html", matter=matter, case=case, secret=secret, link=link, errors=errors, **public_facts(matter))
    return page, status


def _photos(matter: Matter) -> list[Photo]:
    """The pictures that forms mark as public."""
    given = context()
    meant = public_photos(trail(given, matter.instance_id)) if matter.instance_id else set()
    return [photo for photo in photos(given.session, matter) if photo.id in meant] if meant else []


def _place(name: str = "place") -> Unit | None:
    return _unit(request.args.get(name, ""))


def _unit(named: str) -> Unit | None:
    """A unit that has matters of its own: those of the whole district are for its staff to suggest."""
    found = context().session.get(Unit, int(named)) if named.isdecimal() and len(named) < 19 else None
    open_to = {*OPEN_TO_ALL, *([Kind.DISTRICT] if current_user.is_authenticated else [])}
    return found if found and found.kind in open_to and found.valid_to is None else None


def _case() -> Case | None:
    """The case that is handed over, when somebody who has to do with it does so."""
    named = request.values.get("case", "")
    if not current_user.is_authenticated or not named.isdecimal() or len(named) > 18:
        return None
    return case_of(context().session, int(named), actor(), concerning)


def _choices(place: Unit | None) -> dict[str, object]:
    """The whole district, or a subdistrict, one of its communities, one of its estates."""
    given = context().session
    chosen = {u.kind: u for u in upwards(given, place)} if place else {}
    levels = [(_("街道"), of_kind(given, Kind.SUBDISTRICT), chosen.get(Kind.SUBDISTRICT))]
    for label, kind, above in ((_("社区"), Kind.COMMUNITY, Kind.SUBDISTRICT), (_("小区"), Kind.ESTATE, Kind.COMMUNITY)):
        if over := chosen.get(above):
            levels.append((label, of_kind(given, kind, below=over.path), chosen.get(kind)))
    top = next(iter(of_kind(given, Kind.DISTRICT)), None) if current_user.is_authenticated else None
    name = full_name(upwards(given, place)) if place else ""
    return {"levels": levels, "place": place, "place_name": name, "more": url_for("deliberation.places"), "top": top}
