"""为什么在我这里: the rule of the diagram, the posts, the unit, and whatever happened on the way to somebody who can do it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask_babel import lazy_gettext

from engine.packages import Package
from governance.people.rules import POSTS
from governance.workflow.assignment import CHOSEN, REPORTER, STARTER_SELF
from governance.workflow.rules import ESCALATE, outcomes_alone, overdue_of, value_finished_with, words
from web.language import gettext as _
from web.language import listed
from web.sentences import say

RULES = {
    "place": lazy_gettext("从问题所在的地方起，逐级向上找设有这个岗位的单位。"),
    "matter": lazy_gettext("从提出议事的单位起，逐级向上找设有这个岗位的单位。"),
    "tier": lazy_gettext("由当前这一级的责任人办理。"),
    "street": lazy_gettext("由问题所在的街道办理。"),
    "district": lazy_gettext("由区一级办理。"),
    "liaison_leader": lazy_gettext("由联系本区的领导办理。"),
    "lead_unit": lazy_gettext("由派单时确定的主办单位办理。"),
    "co_unit": lazy_gettext("由请来协办的单位办理。"),
    "own_task": lazy_gettext("由交办时确定的责任单位办理。"),
    "settler": lazy_gettext("从办理这件事的单位起确定办理人。"),
    "starter": lazy_gettext("从发起人所在的单位起，逐级向上找设有这个岗位的单位。"),
    "dispatcher": lazy_gettext("由派单的一方办理。"),
    "first_receiver": lazy_gettext("首问首接：由最先受理的一方负责到底。"),
}
NAMED = 4
"""More posts than these are no longer an explanation."""
DEPUTY = "（代理）"
ON_THE_WAY = ("空缺", "须回避", "就是原办理人", "代为办理", "联席办主任", "转由上级办理", "改派")


def once_overdue(package: Package, element: str) -> str:
    """What becomes of a step that is not done in time; nothing where people are only reminded."""
    node = package.diagram.nodes.get(element)
    if node is None:
        return ""
    if overdue_of(node.settings) == ESCALATE:
        return _("超期后自动转由上级办理")
    value = value_finished_with(node.settings)
    titles = outcomes_alone(package.forms.get(node.settings.get("form", {}).get("key", ""), {"properties": {}})) if value else {}
    return _("超期后自动办结为“%(outcome)s”", outcome=say(titles.get(value, value))) if value else ""


def reasons(name: str, assign: Mapping[str, str], found: Sequence[str]) -> list[str]:
    """Plain sentences: rule, posts, who was passed over, who it came to, whether a deputy. `found` is what the assignment noted."""
    if assign.get("unit") in (REPORTER, STARTER_SELF, CHOSEN):
        return [say(step) + _("。") for step in found]
    posts, rule = [say(POSTS[post].name) for post in words(assign.get("post", ""))], RULES.get(assign.get("unit", "place"))
    told = [_("按规定，“%(step)s”由%(posts)s办理。", step=say(name), posts=listed(posts))] if len(posts) <= NAMED else []
    told += [str(rule)] if rule else []
    told += [_("办过前面有关环节的人须回避。")] if assign.get("exclude") else []
    told += [say(step) + _("。") for step in found if step.endswith(ON_THE_WAY)]
    holders = [step for step in found if not step.endswith(ON_THE_WAY)]
    if holders:
        told.append(_("所以由%(who)s办理。", who=listed(say(holder.removesuffix(DEPUTY)) for holder in holders)))
    return told + [_("%(post)s现由代理人履职。", post=say(holder.removesuffix(DEPUTY))) for holder in holders if holder.endswith(DEPUTY)]
