"""The course of a case in plain words for residents: no internal opinions, no names of persons, nothing of how offices argue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import lazy_gettext

from engine.plans import lasting
from governance.cases.models import Case
from governance.forms.rules import fields
from governance.inbox.queries import Mark, Stage
from web.language import gettext as _
from web.sentences import say
from web.trail import Named, steps

STATUS = {
    "已受理": lazy_gettext("已经受理，正在确定由谁办理。"),
    "处置中": lazy_gettext("%(unit)s正在办理。"),
    "待签收": lazy_gettext("已交%(unit)s办理。"),
    "退单审核中": lazy_gettext("正在重新确定由哪个单位办理。"),
    "延期审批中": lazy_gettext("这件事需要更长时间，正在申请延期。"),
    "挂账": lazy_gettext("这件事一时办不了，已登记在册，会定期跟进。"),
    "转议事中": lazy_gettext("这件事需要居民一起商量，已转入议事。"),
    "待核查": lazy_gettext("已办理，正在核查办得怎么样。"),
    "返工中": lazy_gettext("核查没有通过，%(unit)s正在重新办理。"),
    "待反馈": lazy_gettext("正在准备给您的答复。"),
    "待评价": lazy_gettext("社区正在核查办得怎么样。"),
    "回访中": lazy_gettext("正在向您回访，核实办理情况。"),
    "整改中": lazy_gettext("正在督促责任单位整改。"),
}
ASKED = {"待补充": lazy_gettext("还需要您补充一些情况。"), "待评价": lazy_gettext("已经答复您，请您评价。")}
ANSWERED = {"supplement": lazy_gettext("您已补充情况。"), "evaluation": lazy_gettext("您已评价，谢谢。")}
CLOSED = {
    "不予受理": lazy_gettext("这件事按规定不予受理，原因请看答复。"),
    "已撤回": lazy_gettext("您已撤回，不再办理。"),
    "已并案": lazy_gettext("这件事与另一件相同，已合并办理。"),
}


@dataclass(frozen=True)
class PlainStep:
    """One thing a resident may know."""

    at: datetime
    words: str


def public_photos(marks: Iterable[Mark]) -> set[int]:
    """The pictures that reporters may see of what was done."""
    done = ((mark, field) for mark in lasting(marks) if mark.kind == "complete" for field in fields(mark.form))
    meant = [(mark, field) for mark, field in done if field.is_public and field.widget == "photos"]
    return {int(id) for mark, field in meant for id in mark.data.get(field.name) or () if str(id).isdecimal()}


def public_files(marks: Sequence[Mark]) -> list[Named]:
    """The files that reporters may see of what was done, each once, under the names of their fields."""
    shown = (
        filled for step in steps([mark for mark in lasting(marks) if mark.kind == "complete"]) for filled in step.filled if filled.is_public
    )
    return list({file.value: file for filled in shown for file in filled.files}.values())


def plain_steps(stages: Sequence[Stage], marks: Sequence[Mark], case: Case, units: Mapping[int, str]) -> list[PlainStep]:
    """What happened, as a resident understands it, the first first; the same words are not said twice in a row."""
    told = [PlainStep(stage.at, _stage(stage, units)) for stage in stages]
    told += [PlainStep(mark.at, _answer(mark)) for mark in marks if mark.kind == "complete" and mark.by == "reporter"]
    steps = [PlainStep(case.reported_at, _("已收到您反映的问题，编号 %(number)s。", number=case.number))]
    for step in sorted(told, key=lambda step: step.at):
        if step.words and step.words != steps[-1].words:
            steps.append(step)
    if case.closed_at:
        filed = _("事项已办结归档：%(code)s。", code=say(case.close_code or case.status))
        steps.append(PlainStep(case.closed_at, str(CLOSED.get(case.status) or filed)))
    return steps


def _stage(stage: Stage, units: Mapping[int, str]) -> str:
    if stage.is_reporters:
        return str(ASKED.get(stage.status, ""))
    where = next((units[id] for id in stage.units if id in units), _("工作人员"))
    return str(STATUS[stage.status]) % {"unit": where} if stage.status in STATUS else ""


def _answer(mark: Mark) -> str:
    """What the reporter did: an evaluation says how content they are, anything else tells more about the matter."""
    return str(ANSWERED["evaluation" if "satisfaction" in mark.form["properties"] else "supplement"])
