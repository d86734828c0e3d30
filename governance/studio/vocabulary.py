"""What whoever draws a process picks from: everything the district can do and ask, by code and by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from governance.calendar.rules import LABELS as LIMIT_UNITS
from governance.people.rules import POSTS
from governance.workflow.rules import ACTIONS, ACTOR_NAMES, OFFERED_ACTIONS, OVERDUE, UNIT_RULES

LOOKUP_NAMES = {
    "first_tier": "最低一级有人任职的层级",
    "next_tier": "上一级有人任职的层级",
    "lower_tier": "下一级有人任职的层级",
    "street": "所在街道",
    "suggest_department": "类别对应的责任部门",
    "draw_sample": "是否抽中核查",
    "liaison_leader": "联系领导",
    "count_opinions": "会签、票签计票",
    "open_vote": "开始表决",
    "close_vote": "结束表决并计票",
    "open_notice": "开始公示",
    "close_notice": "结束公示",
    "turn_into_case": "转为事项办理",
    "start_implementation": "交办落实任务",
    "count_evaluations": "汇总居民评价",
    "carry_out_change": "流程变更生效",
}
CHECK_NAMES = {
    "vote_terms": "表决的条件",
    "notice_terms": "公示的期限",
    "topic_decision": "议题的审查意见",
    "implementation_plan": "落实任务的安排",
}


def vocabulary() -> Mapping[str, list[dict[str, Any]]]:
    """The lists by their subject, each entry with its code and its Chinese name."""
    return {
        "posts": [{"code": post.code, "name": post.name, "group": post.unit.label} for post in POSTS.values()],
        "units": list(_coded(UNIT_RULES)),
        "limit_units": [{"code": unit.value, "name": name} for unit, name in LIMIT_UNITS.items()],
        "actions": list(_coded({code: name for code, name in ACTIONS.items() if code in OFFERED_ACTIONS})),
        "former_actions": list(_coded({code: name for code, name in ACTIONS.items() if code not in OFFERED_ACTIONS})),
        "overdue": list(_coded(OVERDUE)),
        "lookups": list(_coded(LOOKUP_NAMES)),
        "checks": list(_coded(CHECK_NAMES)),
        "excludes": list(_coded(ACTOR_NAMES)),
    }


def _coded(names: Mapping[str, str]) -> Iterator[dict[str, str]]:
    return ({"code": code, "name": name} for code, name in names.items())
