"""表决规则: what a vote of each body needs, version by version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from api.signin import actor
from api.work import context, undo
from governance.errors import Refused
from governance.rolls.rules import RollKind
from governance.voting.commands import write_rule
from governance.voting.queries import rule_on, rule_versions
from governance.voting.rules import BASES, SIGNS, Base, Mark, Measure, Rule, dump_rule, in_words
from web.access import for_posts
from web.language import N_
from web.language import gettext as _
from web.pages.admin import ADMINISTRATOR

pages = Blueprint("vote_rules", __name__, url_prefix="/admin/vote-rules")
MARKS = {
    Mark.YES: N_("同意"),
    Mark.NO: N_("反对"),
    Mark.ABSTAIN: N_("弃权"),
    Mark.INVALID: N_("无效票"),
    Mark.ATTENDED: N_("到会未投票"),
    Mark.UNRETURNED: N_("未表决"),
}
MEASURES = {Measure.HEADS: N_("人数"), Measure.AREA: N_("专有部分面积")}
ATTENDED_BY = {Base.PARTICIPATING: N_("按参与表决"), Base.PRESENT: N_("按到会")}
TEXTS = ("code", "name", "roll_kind", "attended_by", "notice_days", "publish_days", "proxy_limit", "source", "unconfirmed", "valid_from")


@pages.get("")
@for_posts(ADMINISTRATOR)
def show() -> ResponseReturnValue:
    given = context()
    copied = rule_on(given.session, request.args.get("from", ""), given.today)
    return _page(_as_form(copied) if copied else {"valid_from": str(given.today)}, {})


@pages.post("")
@for_posts(ADMINISTRATOR)
def add() -> ResponseReturnValue:
    form = _sent()
    try:
        written = write_rule(context(), actor(), _terms(form))
    except Refused as refused:
        undo()
        return _page(form, refused.errors, 422)
    flash(_("“%(name)s”的新版本自 %(day)s 起生效，已经发起的表决不受影响。", name=written.name, day=str(written.valid_from)), "success")
    return redirect(url_for("vote_rules.show"))


def _sent() -> dict[str, Any]:
    sent: dict[str, Any] = dict(request.form.items())
    return sent | {name: request.form.getlist(name) for name in ("participating", "present")}


def _terms(form: Mapping[str, Any]) -> dict[str, Any]:
    """What the form says, as rules are read."""
    terms = {name: str(form.get(name, "")).strip() for name in TEXTS}
    attend = [[m.value, form.get(f"attend_{m}_sign"), form.get(f"attend_{m}_share")] for m in Measure if form.get(f"attend_{m}_share")]
    passing = [
        [m.value, form.get(f"pass_{m}_base"), form.get(f"pass_{m}_sign"), form.get(f"pass_{m}_share")]
        for m in Measure
        if form.get(f"pass_{m}_share")
    ]
    marks = {name: form[name] for name in ("participating", "present")}
    return {
        **terms,
        **marks,
        "attend": attend,
        "pass": passing,
        "may_be_secret": bool(form.get("may_be_secret")),
        "valid_to": form.get("valid_to"),
    }


def _as_form(rule: Rule) -> dict[str, Any]:
    """A rule as the form shows it, to be changed into its next version."""
    form = dump_rule(rule) | {"valid_from": str(context().today), "valid_to": ""}
    for threshold in rule.attend:
        form |= {f"attend_{threshold.measure}_sign": threshold.sign, f"attend_{threshold.measure}_share": str(threshold.share)}
    for threshold in rule.passing:
        form |= {f"pass_{threshold.measure}_{name}": str(getattr(threshold, name)) for name in ("base", "sign", "share")}
    return form


def _page(form: Mapping[str, Any], errors: Mapping[str, str], status: int = 200) -> ResponseReturnValue:
    given = context()
    versions = [(version, rule, in_words(rule)) for version, rule in rule_versions(given.session)]
    lists = {"kinds": RollKind, "marks": MARKS, "measures": MEASURES, "attended_by": ATTENDED_BY, "bases": BASES, "signs": SIGNS}
    return render_template("admin/vote_rules.html", versions=versions, form=form, errors=errors, today=given.today, **lists), status
