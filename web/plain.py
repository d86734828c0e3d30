"""The trail in plain words for residents: no internal opinions, no names, nothing of how offices argue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from governance.cases.models import Case
from governance.inbox.queries import Mark
from web.language import gettext as _


@dataclass(frozen=True)
class PlainStep:
    """One thing a resident may know."""

    at: datetime
    words: str
    detail: str = ""


def plain_steps(marks: Sequence[Mark], case: Case) -> list[PlainStep]:
    """What happened, as a resident understands it, the first first."""
    steps = [PlainStep(case.reported_at, _("您反映的问题已收到，编号 %(number)s。", number=case.number))]
    for mark in marks:
        if words := _words(mark):
            steps.append(PlainStep(mark.at, words, str(mark.data.get("reply_text") or "")))
    if case.closed_at:
        steps.append(PlainStep(case.closed_at, _("事项已办结归档：%(code)s。", code=case.close_code or case.status)))
    return steps


def _words(mark: Mark) -> str:
    if mark.kind == "complete" and mark.name:
        who = mark.post or mark.person
        return _("%(who)s已完成“%(step)s”。", who=who, step=mark.name)
    if mark.kind == "rewind":
        return _("事项退回重新办理。")
    return ""
