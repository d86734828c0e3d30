"""Where people vote: behind the code on their slip without an account, or signed in."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required
from sqlalchemy import select

from api.signin import actor
from api.work import context
from governance.errors import NotFound
from governance.matters.models import Matter
from governance.matters.queries import published
from governance.organisation.queries import names
from governance.privacy import masked_name
from governance.voting.commands import cast_by_account, cast_by_code
from governance.voting.models import RollEntry, Status
from governance.voting.queries import Slip, slip, slips_of, stored_rule
from governance.voting.rules import Choice, in_words
from web.language import N_

pages = Blueprint("ballots", __name__)
CHOICES = {Choice.YES: N_("同意"), Choice.NO: N_("反对"), Choice.ABSTAIN: N_("弃权")}


@pages.get("/vote/<code>")
def ask(code: str) -> ResponseReturnValue:
    return _page(slip(context(), code), url_for("ballots.take", code=code))


@pages.post("/vote/<code>")
def take(code: str) -> ResponseReturnValue:
    """First the choice, then once more to confirm it."""
    opened, address = slip(context(), code), url_for("ballots.take", code=code)
    if _is_unsure():
        return _page(opened, address)
    cast_by_code(context(), code, request.form.get("choice", ""), for_number=_for(opened))
    return redirect(url_for("ballots.ask", code=code))


@pages.get("/ballots")
@login_required  # type: ignore[untyped-decorator]
def mine() -> ResponseReturnValue:
    """The votes in which whoever is signed in may vote."""
    found = slips_of(context().session, actor().person_id)
    return render_template("my_votes.html", slips=found, places=names(context().session, {s.vote.unit_id for s in found}))


@pages.get("/ballots/<id:vote_id>")
@login_required  # type: ignore[untyped-decorator]
def ask_here(vote_id: int) -> ResponseReturnValue:
    return _page(_own(vote_id), url_for("ballots.take_here", vote_id=vote_id))


@pages.post("/ballots/<id:vote_id>")
@login_required  # type: ignore[untyped-decorator]
def take_here(vote_id: int) -> ResponseReturnValue:
    opened = _own(vote_id)
    if _is_unsure():
        return _page(opened, url_for("ballots.take_here", vote_id=vote_id))
    cast_by_account(context(), actor(), vote_id, request.form.get("choice", ""), for_number=_for(opened))
    return redirect(url_for("ballots.ask_here", vote_id=vote_id))


def _own(vote_id: int) -> Slip:
    found = next((s for s in slips_of(context().session, actor().person_id) if s.vote.id == vote_id), None)
    if found is None:
        raise NotFound
    return found


def _is_unsure() -> bool:
    return request.form.get("choice") in set(CHOICES) and not request.form.get("confirm")


def _for(opened: Slip) -> int:
    """Whose ballot it is: the holder's own, or that of a principal."""
    numbers = {str(entry.number): entry.number for entry in (opened.entry, *opened.principals)}
    return numbers.get(request.form.get("number", ""), opened.entry.number)


def _page(opened: Slip, address: str) -> ResponseReturnValue:
    given, vote = context(), opened.vote
    chosen = request.form.get("choice", "") if request.method == "POST" else ""
    rule = stored_rule(vote.rule)
    return render_template(
        "ballot.html",
        vote=vote,
        rule=rule,
        words=in_words(rule),
        matter=given.session.scalar(published(select(Matter).where(Matter.id == vote.matter_id))),
        place=names(given.session, {vote.unit_id})[vote.unit_id],
        ballots=[(entry, _voter(entry)) for entry in (opened.entry, *opened.principals)],
        own=opened.entry,
        address=address,
        choices=CHOICES,
        chosen=chosen if chosen in set(CHOICES) else "",
        number=_for(opened),
        begins=given.now() < vote.starts_at,
        is_void=vote.status == Status.VOID,
        is_over=vote.status == Status.CLOSED or given.now() >= vote.ends_at,
    )


def _voter(entry: RollEntry) -> str:
    return masked_name(context().sealer.unseal(entry.name))
