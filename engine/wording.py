"""What the parts of a process are called, for the people who read about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree

from engine.diagram import GATEWAYS, SUBPROCESSES, Diagram, Flow, Node
from engine.packages import Package

KINDS = dict.fromkeys(GATEWAYS, "判断") | dict.fromkeys(SUBPROCESSES, "子流程")
KINDS |= {"startEvent": "开始事件", "endEvent": "结束事件", "boundaryEvent": "附着事件", "callActivity": "调用流程"}
KINDS |= {"intermediateCatchEvent": "等待事件", "intermediateThrowEvent": "发出事件"}
TASKS = {"task": "环节", "userTask": "人工办理", "manualTask": "线下办理", "scriptTask": "脚本", "businessRuleTask": "决策"}
TASKS |= {"serviceTask": "外部服务", "sendTask": "发送消息", "receiveTask": "接收消息"}
SETTINGS = {
    "assign": "办理人",
    "form": "表单",
    "deadline": "办理时限",
    "overdue": "超期处理",
    "status": "办理状态",
    "actions": "可用操作",
    "actor": "经办人记作",
    "clock": "计时",
    "check": "完成前的核对",
    "decision": "决策表",
    "lookup": "查询",
    "service": "外部服务",
}
FIELDS = {
    "kind": "类型",
    "scope": "所在的子流程",
    "events": "事件",
    "attached_to": "附着的环节",
    "interrupting": "是否中断环节",
    "loop": "多人或循环办理",
    "default": "默认出口",
    "called": "调用的流程",
    "script": "脚本",
    "decision": "决策表",
    "lookup": "查询",
    "result": "结果记作",
    "reference": "引用",
    "triggered_by_event": "是否由事件触发",
    "instantiate": "是否启动流程",
    "for_compensation": "是否用于补偿",
    "parallel_multiple": "是否等齐全部事件",
    "lane": "泳道",
}
OVERDUE = ("deadline", "overdue")
REMINDED = "按规定催办"
"""What becomes of an overdue step when nothing else is said."""
PARTS = {"post": "岗位", "unit": "单位", "person": "人员项", "exclude": "回避", "factor": "倍数", "until": "截止于"}
OFFER = {"posts": "可选岗位", "among": "可选范围"}
AMONG = {"place": "事项所在的社区及其上级", "district": "全区", "places": "本社区的网格和楼栋", "neighbours": "上级、本级和区级部门"}
"""Where the units or people are that a field offers."""
LONGEST = 120
"""Characters of a value that are shown."""


@dataclass(frozen=True)
class Change:
    """One change. `part` is diagram, form, table or text; `element` is the node, the flow, or the file's key."""

    part: str
    element: str
    message: str


class Words:
    """The codes in the settings of two packages as words."""

    def __init__(self, words: Mapping[str, str], new: Package, old: Package) -> None:
        self._words = words
        self._forms = {**old.forms, **new.forms}

    def setting(self, name: str, setting: Mapping[str, str]) -> str:
        """A setting's value as a person would say it."""
        if len(setting) == 1:
            key, value = next(iter(setting.items()))
            return self.listed(value, key)
        told, left = [], dict(setting)
        if name == "deadline" and {"amount", "unit"} <= left.keys():
            told.append(f"{self.listed(left.pop('amount'))} {self.listed(left.pop('unit'))}")
        return "，".join([*told, *(f"{PARTS.get(key, key)} {self.listed(value, key)}" for key, value in left.items())])

    def overdue(self, node: Node) -> str:
        """What becomes of an overdue step; an outcome that finishes it is called as on its form."""
        kind, _, value = node.settings["deadline"]["overdue"].partition(":")
        fields = self._forms.get(node.settings.get("form", {}).get("key", ""), {"properties": {}})["properties"].values()
        title = next((title for field in fields if isinstance(field, dict) and (title := options_of(field).get(value))), value)
        return f"{self._word(kind)}（{shown(title)}）" if value else self._word(kind)

    def listed(self, value: str, key: str = "") -> str:
        """The codes of a list in words; what a code means may depend on the attribute that holds it."""
        return shown(value) if value.startswith("=") else shown("、".join(self._word(code.strip(), key) for code in value.split(",")))

    def _word(self, code: str, key: str = "") -> str:
        return self._words.get(f"{key}:{code}", self._words.get(code, code))


def shown(value: object) -> str:
    """A value as a sentence quotes it, never too long."""
    text = {None: "无", "": "无", True: "是", False: "否"}.get(value, str(value)) if isinstance(value, str | bool | None) else str(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def called(node: Node) -> str:
    """A node by what it is and its name."""
    return f"{kind_of(node)}“{shown(node.label)}”"


def kind_of(node: Node) -> str:
    """What a node is, in a word."""
    return KINDS.get(node.kind, "环节")


def ends_of(diagram: Diagram, flow: Flow) -> str:
    """Between which nodes a flow is."""
    source, target = (shown(diagram.nodes[end].label if end in diagram.nodes else end) for end in (flow.source, flow.target))
    return f"“{source}”到“{target}”"


def options_of(field: Mapping[str, Any]) -> dict[str, str]:
    """The titles of a field's options by their values."""
    listed = field.get("oneOf")
    options = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return {str(one.get("const")): title_of(one, str(one.get("const"))) for one in options}


def title_of(schema: Any, key: str) -> str:
    """What a form, a field or an option is called."""
    title = schema.get("title") if isinstance(schema, dict) else None
    return shown(title if isinstance(title, str) and title else key)


def written(element: etree._Element) -> str:
    """What stands in an element."""
    return " ".join(str(text).strip() for text in element.itertext()).strip()
