"""表决, as those who run it see it: turnout, paper ballots, mandates, slips to print. Nobody's choice is shown."""

from __future__ import annotations

from collections.abc import Callable

import segno
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from api.signin import actor
from api.work import context, outside, undo
from governance.cases.photos import add_photo
from governance.errors import GovernanceError, NotFound, Refused
from governance.matters.models import Matter
from governance.matters.queries import visible
from governance.organisation.queries import names
from governance.privacy import masked_name
from governance.rolls.queries import ADMINISTRATOR, KEEPERS
from governance.voting.codes import voting_code
from governance.voting.commands import cast_on_paper, count_box, give_mandate, mark_attended, take_paper, withdraw_mandate
from governance.voting.models import Channel, Status, Vote
from governance.voting.queries import PAGE, entries, mandates, stored_rule, turnout, vote, votes
from governance.voting.rules import Choice, in_words
from web.access import for_posts
from web.errors import refused, sentence
from web.language import N_
from web.language import gettext as _
from web.uploads import pictures, with_pictures

pages = Blueprint("votes", __name__, url_prefix="/votes")
MAY_KEEP = (ADMINISTRATOR, *KEEPERS)
CHOICES = {Choice.YES: N_("同意"), Choice.NO: N_("反对"), Choice.ABSTAIN: N_("弃权"), Choice.INVALID: N_("无效")}
CHANNELS = {Channel.ONLINE: N_("扫码投票"), Channel.ACCOUNT: N_("登录投票"), Channel.PAPER: N_("纸质选票"), Channel.PROXY: N_("委托投票")}


@pages.get("")
@for_posts(*MAY_KEEP)
def index() -> ResponseReturnValue:
    found = votes(context().session, actor(), _number("after"))
    places = names(context().session, {v.unit_id for v in found})
    return render_template("votes.html", votes=found, places=places, more=found[-1].id if len(found) == PAGE else None, Status=Status)


@pages.get("/<id:vote_id>")
@for_posts(*MAY_KEEP)
def show(vote_id: int) -> ResponseReturnValue:
    return _page(vote_id)


@pages.errorhandler(GovernanceError)
def amiss(error: GovernanceError) -> ResponseReturnValue:
    """What could not be entered is said where it was typed, so that whoever enters a pile of ballots goes on."""
    vote_id = (request.view_args or {}).get("vote_id")
    if request.method != "POST" or vote_id is None or isinstance(error, NotFound):
        return refused(error)
    said = sentence(error)
    undo()
    return _page(vote_id, said), 409


def _page(vote_id: int, wrong: str = "") -> str:
    found, q = vote(context().session, vote_id, actor()), request.args.get("q", "").strip()[:80]
    left = bool(request.args.get("left"))
    listed = entries(context(), vote_id, after=_number("after") or 0, q=q, outstanding=left)
    rule = stored_rule(found.rule)
    return render_template(
        "vote.html",
        vote=found,
        rule=rule,
        words=in_words(rule),
        place=names(context().session, {found.unit_id})[found.unit_id],
        turnout=turnout(context().session, found),
        entries=listed,
        more=listed[-1].number if len(listed) == PAGE else None,
        mandates=[(one, masked_name(context().sealer.unseal(one.proxy_name))) for one in mandates(context().session, vote_id)],
        matter=_matter(found),
        q=q,
        left=left,
        choices=CHOICES,
        channels=CHANNELS,
        is_open=found.status == Status.CALLED,
        wrong=wrong,
        form=request.form,
    )


@pages.get("/<id:vote_id>/turnout")
@for_posts(*MAY_KEEP)
def live(vote_id: int) -> ResponseReturnValue:
    """The numbers alone, asked for again and again."""
    found = vote(context().session, vote_id, actor())
    return render_template("_turnout.html", vote=found, turnout=turnout(context().session, found), channels=CHANNELS, choices=CHOICES)


@pages.get("/<id:vote_id>/slips")
@for_posts(*MAY_KEEP)
def slips(vote_id: int) -> ResponseReturnValue:
    """表决票 to print and hand out, each with the voter's own code."""
    found = vote(context().session, vote_id, actor())
    listed = entries(context(), vote_id, after=_number("after") or 0, outstanding=True)
    base = outside().public_url or request.host_url.rstrip("/")
    printed = []
    for entry in listed:
        address = base + url_for("ballots.ask", code=voting_code(context().sealer, vote_id, entry.number))
        printed.append((entry, address, segno.make(address, error="m").svg_data_uri(scale=4, border=2)))
    more = listed[-1].number if len(listed) == PAGE else None
    place = names(context().session, {found.unit_id})[found.unit_id]
    return render_template("slips.html", vote=found, rule=stored_rule(found.rule), place=place, slips=printed, more=more)


@pages.post("/<id:vote_id>/paper")
@with_pictures
@for_posts(*MAY_KEEP)
def paper(vote_id: int) -> ResponseReturnValue:
    """A paper ballot comes in; of a secret vote it is only noted that one was handed out."""
    number, form, found = _asked("number"), request.form, vote(context().session, vote_id, actor())
    if found.is_secret:
        return _done(vote_id, lambda: take_paper(context(), actor(), vote_id, number), _("已登记第 %(n)s 号领票。", n=number))
    entered = _("第 %(n)s 号的选票已录入。", n=number)
    return _done(vote_id, lambda: cast_on_paper(context(), actor(), vote_id, number, form.get("choice", ""), _photo(found)), entered)


@pages.post("/<id:vote_id>/box")
@for_posts(*MAY_KEEP)
def box(vote_id: int) -> ResponseReturnValue:
    counts = {choice.value: _asked(f"box_{choice}", 0) for choice in Choice}
    return _done(vote_id, lambda: count_box(context(), actor(), vote_id, counts), _("票箱清点结果已录入。"))


@pages.post("/<id:vote_id>/attended")
@for_posts(*MAY_KEEP)
def attended(vote_id: int) -> ResponseReturnValue:
    texts = request.form.get("numbers", "").replace("，", ",").replace("、", ",").split(",")
    numbers = {int(t) for t in map(str.strip, texts) if t.isascii() and t.isdecimal() and len(t) < 10}
    return _done(vote_id, lambda: mark_attended(context(), actor(), vote_id, numbers), _("到会情况已登记。"))


@pages.post("/<id:vote_id>/mandates")
@with_pictures
@for_posts(*MAY_KEEP)
def entrust(vote_id: int) -> ResponseReturnValue:
    form, found = request.form, vote(context().session, vote_id, actor())
    principal, proxy = _asked("principal"), _asked("proxy_number") if form.get("proxy_number", "").strip() else None
    named = {"proxy_name": form.get("proxy_name", "").strip(), "proxy_mobile": form.get("proxy_mobile", "").replace(" ", "")}
    return _done(
        vote_id,
        lambda: give_mandate(context(), actor(), vote_id, principal, proxy_number=proxy, paper=_photo(found), **named),
        _("第 %(n)s 号的书面委托已登记。", n=principal),
    )


@pages.post("/<id:vote_id>/mandates/<id:number>/withdraw")
@for_posts(*MAY_KEEP)
def take_back(vote_id: int, number: int) -> ResponseReturnValue:
    return _done(vote_id, lambda: withdraw_mandate(context(), actor(), vote_id, number), _("第 %(n)s 号的委托已撤回。", n=number))


def _photo(found: Vote) -> str:
    """The picture of what was handed in on paper, kept; its id, or nothing when none was sent."""
    return "".join(str(add_photo(context(), found, sent, by=actor().person_id).id) for sent in pictures("photo")[:1])


def _matter(found: Vote) -> Matter | None:
    """What the vote is on, as far as the reader may see it."""
    matter: Matter | None = context().session.scalar(visible(select(Matter).where(Matter.id == found.matter_id), actor()))
    return matter


def _done(vote_id: int, act: Callable[[], object], said: str) -> ResponseReturnValue:
    """Back to the vote's page with a word on what was done."""
    vote(context().session, vote_id, actor())
    act()
    flash(said, "success")
    return redirect(url_for("votes.show", vote_id=vote_id))


def _asked(name: str, default: int | None = None) -> int:
    text = request.form.get(name, "").strip()
    if not text and default is not None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise Refused({name: _("请填写名册上的序号") if default is None else _("票数应为整数")})
    return int(text)


def _number(name: str) -> int | None:
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None
