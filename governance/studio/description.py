"""A whole process in sentences, for whoever approves a new one: its steps in the order in which they are come to, its forms, its tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lxml import etree

from engine.diagram import GATEWAYS, Diagram, Event, Flow, Loop, Node, parse_safely
from engine.packages import Package, key_of
from engine.wording import AMONG, OFFER, REMINDED, SETTINGS, Change, Words, called, ends_of, shown, title_of, written
from governance.calendar.rules import LABELS
from governance.forms.rules import Field, fields, has_opinion
from governance.studio.conditions import Conditions, usable_forms
from governance.studio.vocabulary import CHECK_NAMES, LOOKUP_NAMES
from governance.workflow.rules import SETTING_WORDS, words

WIDGETS = {
    "text": "短文字",
    "textarea": "长文字",
    "number": "数字",
    "date": "日期",
    "datetime": "日期和时间",
    "choice": "单选",
    "tap": "单选",
    "rate": "单选",
    "multichoice": "多选",
    "checkbox": "是否",
    "outcome": "办理结果",
    "unit": "单位",
    "person": "人员",
    "location": "位置",
    "codes": "目录选择",
    "photos": "照片",
    "attachments": "附件",
    "signature": "签名",
}
EVENTS = {
    "message": "消息",
    "signal": "信号",
    "error": "错误",
    "escalation": "升级",
    "link": "链接",
    "conditional": "条件",
    "timer": "时间",
    "terminate": "全部终止",
    "cancel": "取消",
    "compensate": "补偿",
}
LOOPS = {"parallel": "多份同时办理", "sequential": "多份依次办理", "standard": "重复办理"}
TOLD_APART = frozenset(["assign", "form", "overdue", "check"])
"""Settings that have a sentence of their own."""
LIMIT_UNITS = {unit.value: name for unit, name in LABELS.items()}
TEXT, TEXTS = re.compile('"([^"]*)"'), re.compile('"[^"]*"(, *"[^"]*")*')
"""A text as tables write it, and several."""
AFTER = " · "
"""What stands between a part and what is said of it."""


def described(package: Package) -> tuple[Change, ...]:
    """Everything that a process does, in sentences."""
    return tuple(_Description(package).sentences())


class _Description:
    def __init__(self, package: Package) -> None:
        self.package, self.diagram = package, package.diagram
        self.words, self.conditions = Words(SETTING_WORDS, package, package), Conditions(package)
        self.forms = usable_forms(package)
        self.nodes = list(_in_order(package.diagram))

    def sentences(self) -> Iterator[Change]:
        main = self.diagram.main
        yield Change("diagram", "", f"新建流程“{shown(main.name or main.id)}”")
        for node in self.nodes:
            clauses = "；".join(self._clauses(node))
            yield Change("diagram", node.id, f"{called(node)}{AFTER}{clauses}" if clauses else called(node))
            yield from (Change("diagram", flow.id, told) for flow in self.diagram.outgoing[node.id] if (told := self._flow(node, flow)))
        yield from self._forms()
        yield from self._tables()
        for language, texts in sorted(self.package.texts.items()):
            yield Change("text", language, f"译文（{language}）共 {len(texts)} 条")

    # ---- the diagram ----

    def _clauses(self, node: Node) -> Iterator[str]:
        yield from self._place(node)
        yield from map(self._event, node.events)
        if node.kind == "boundaryEvent" and not node.interrupting:
            yield "不中断所附的环节"
        if "assign" in node.settings:
            yield f"{SETTINGS['assign']}：{self._assigned(node.settings['assign'])}"
        yield from self._filled(node)
        yield from self._settings(node)
        yield from self._work(node)
        yield from self._onward(node)

    def _place(self, node: Node) -> Iterator[str]:
        if node.scope in self.diagram.nodes:
            yield f"属于“{shown(self.diagram.nodes[node.scope].label)}”"
        elif node.scope != self.diagram.main.id:
            yield f"属于“{shown(self.diagram.processes[node.scope].name or node.scope)}”"
        if node.lane:
            yield f"泳道“{shown(node.lane)}”"
        if host := self.diagram.nodes.get(node.attached_to or ""):
            yield f"附着在“{shown(host.label)}”上"

    def _event(self, event: Event) -> str:
        what = EVENTS.get(event.kind, event.kind)
        if event.kind == "conditional" and event.text:
            return f"{what}：{self.conditions.told(event.text)}"
        named = event.name or event.text
        return f"{what}“{shown(named)}”" if named else what

    def _assigned(self, setting: Mapping[str, str]) -> str:
        named = {"person": self.conditions.title(setting["person"])} if "person" in setting else {}
        return self.words.setting("assign", {**setting, **named})

    def _filled(self, node: Node) -> Iterator[str]:
        key = node.settings.get("form", {}).get("key", "")
        if not key:
            return
        yield f"填写表单“{title_of(self.package.forms.get(key), key)}”"
        for field in fields(self.forms[key]) if key in self.forms else ():
            if field.widget == "outcome":
                yield f"办理结果：{_titles(field)}"

    def _settings(self, node: Node) -> Iterator[str]:
        for name, kept in node.settings.items():
            if name not in TOLD_APART and (left := {key: text for key, text in kept.items() if key != "overdue"}):
                yield f"{SETTINGS.get(name, name)}：{self.words.setting(name, left)}"
        if deadline := node.settings.get("deadline"):
            yield f"{SETTINGS['overdue']}：{self.words.overdue(node) if 'overdue' in deadline else REMINDED}"
        for check in words(node.settings.get("check", {}).get("name", "")):
            yield f"{SETTINGS['check']}：{CHECK_NAMES.get(check, check)}"

    def _work(self, node: Node) -> Iterator[str]:
        """What a step does by itself, and how often."""
        if node.called:
            known = self.diagram.processes.get(node.called)
            yield f"调用流程“{shown(known.name or known.id if known else node.called)}”"
        if node.decision:
            table = self.package.tables.get(node.decision)
            yield f"决策表“{shown(table.name if table else node.decision)}”"
        if node.lookup:
            yield f"查询“{shown(LOOKUP_NAMES.get(node.lookup, node.lookup))}”"
        if node.result:
            yield f"结果记作“{shown(node.result)}”"
        if node.reference:
            yield f"消息“{shown(node.reference)}”"
        if node.script:
            yield f"脚本“{shown(node.script)}”"
        if node.loop:
            yield from self._loop(node.loop)

    def _loop(self, loop: Loop) -> Iterator[str]:
        yield LOOPS[loop.kind]
        if loop.collection:
            yield f"“{self.conditions.title(loop.collection)}”中每项一份"
        if loop.cardinality:
            yield f"份数“{shown(loop.cardinality)}”"
        if loop.condition:
            told = self.conditions.told(loop.condition)
            yield f"继续的条件：{told}" if loop.kind == "standard" else f"提前结束的条件：{told}"
        if loop.maximum:
            yield f"最多 {loop.maximum} 次"
        if loop.output:
            yield f"结果记作“{shown(loop.output)}”"

    def _onward(self, node: Node) -> Iterator[str]:
        """Where it goes from here, as far as no flow has a sentence by itself."""
        plain = [flow for flow in self.diagram.outgoing[node.id] if not self._flow(node, flow)]
        follow = "、".join(f"“{shown(self.diagram.nodes[flow.target].label)}”" for flow in plain if flow.target in self.diagram.nodes)
        if follow:
            yield f"看哪一个先到：{follow}" if node.kind == "eventBasedGateway" else f"之后到{follow}"

    def _flow(self, node: Node, flow: Flow) -> str:
        """A way out that is taken under a condition, or when no other is."""
        if flow.condition:
            told = self.conditions.told(flow.condition)
        elif flow.id == node.default and node.kind in GATEWAYS:
            told = "其余情况"
        else:
            return ""
        return f"{ends_of(self.diagram, flow)}{AFTER}{told}"

    # ---- forms and tables ----

    def _forms(self) -> Iterator[Change]:
        used = dict.fromkeys(node.settings["form"]["key"] for node in self.nodes if node.settings.get("form", {}).get("key"))
        forms = self.package.forms
        for key in [*(key for key in used if key in forms), *(key for key in forms if key not in used)]:
            name = title_of(forms[key], key)
            told = self._form(forms[key], name) if key in self.forms else (f"表单“{name}”{AFTER}还有错误",)
            yield from (Change("form", key, sentence) for sentence in told)

    def _form(self, form: Mapping[str, Any], name: str) -> Iterator[str]:
        opinion = "；".join(["有意见栏", *self._opinion(form)]) if has_opinion(form) else "没有意见栏"
        yield f"表单“{name}”{AFTER}共 {len(fields(form))} 项；{opinion}"
        for field in fields(form):
            yield f"表单“{name}”的“{shown(field.title)}”{AFTER}{'；'.join(self._field(field, form))}"

    def _opinion(self, form: Mapping[str, Any]) -> Iterator[str]:
        if isinstance(asked := form.get("x-ui", {}).get("opinion"), str):
            yield f"须写意见的情况：{self.conditions.told(asked)}"

    def _field(self, field: Field, form: Mapping[str, Any]) -> Iterator[str]:
        schema = form["properties"][field.name]
        yield WIDGETS.get(field.widget, field.widget)
        yield "必填" if field.is_required else "选填"
        if field.required:
            yield f"必填的情况：{self.conditions.told(field.required)}"
        if field.visible:
            yield f"显示的情况：{self.conditions.told(field.visible)}"
        if field.choices:
            yield f"选项：{_titles(field)}"
        for code, what in (("maxLength", "字数上限"), ("minimum", "最小值"), ("maximum", "最大值"), ("maxItems", "最多几项")):
            if code in schema and (code != "maxLength" or field.widget in ("text", "textarea")):
                yield f"{what}：{shown(schema[code])}"
        if field.posts:
            yield f"{OFFER['posts']}：{self.words.listed(field.posts)}"
        if field.among:
            yield f"{OFFER['among']}：{AMONG.get(field.among, field.among)}"
        if field.is_public:
            yield "反映人可以看到"
        if field.help:
            yield f"填写提示“{shown(field.help)}”"

    def _tables(self) -> Iterator[Change]:
        for name, text in self.package.files.items():
            if name.startswith("tables/"):
                key = key_of(name)
                yield from (Change("table", key, told) for told in _table(text, key))


def _titles(field: Field) -> str:
    return _quoted(shown(choice.title) for choice in field.choices)


def _table(text: bytes, key: str) -> Iterator[str]:
    """The columns of a table, then its rows as they are written."""
    parts = list(parse_safely(text).iter(etree.Element))
    of = {local: [part for part in parts if etree.QName(part).localname == local] for local in ("decision", "input", "output", "rule")}
    name = shown(next((part.get("name") for part in of["decision"] if part.get("name")), key))
    given, found = ([_column(part) for part in of[local]] for local in ("input", "output"))
    yield f"决策表“{name}”{AFTER}依据：{_quoted(given)}；得出：{_quoted(found)}"
    for number, rule in enumerate(of["rule"], 1):
        cells = [written(cell) for cell in rule.iterchildren("{*}inputEntry", "{*}outputEntry")]
        asked = [_is(column, cell) for column, cell in zip(given, cells, strict=False)]
        answered = [_is(column, cell) for column, cell in zip(found, cells[len(given) :], strict=False)]
        yield f"决策表“{name}”第 {number} 行{AFTER}依据：{'，'.join(asked)}；得出：{'，'.join(answered)}"


def _is(column: str, cell: str) -> str:
    """What a cell says, texts without their quotation marks."""
    if cell in ("", "-"):
        return f"“{column}”任意"
    told = "、".join(LIMIT_UNITS.get(text, text) for text in TEXT.findall(cell)) if TEXTS.fullmatch(cell) else cell
    return f"“{column}”是“{shown(told)}”"


def _column(part: etree._Element) -> str:
    return shown(part.get("label") or part.get("name") or written(part))


def _quoted(names: Iterable[str]) -> str:
    return "、".join(f"“{name}”" for name in names)


# ---- the order in which they are come to -------------------------------------------------------------------------


def _in_order(diagram: Diagram) -> Iterator[Node]:
    """The nodes of the main process along its flows, what a subprocess holds after it; then those of the other processes."""
    told: set[str] = set()
    for scope in (diagram.main.id, *(id for id in diagram.processes if id != diagram.main.id)):
        yield from _along(diagram, scope, told)


def _along(diagram: Diagram, scope: str, told: set[str]) -> Iterator[Node]:
    inside = [node.id for node in diagram.inside.get(scope, ())]
    if not inside:
        return
    reached = _reached(diagram, [node.id for node in diagram.entries(scope)])
    for id in [*(id for id in reached if diagram.nodes[id].scope == scope), *(id for id in inside if id not in reached)]:
        if id in told:  # in a draft two may have the same id, or none
            continue
        told.add(id)
        yield diagram.nodes[id]
        yield from _along(diagram, id, told)


def _reached(diagram: Diagram, entries: Iterable[str]) -> dict[str, None]:
    """What can be come to, each after everything that leads to it but for ways back; ways out in the order in which they are drawn."""
    left: list[str] = []
    seen: set[str] = set()

    def visit(id: str) -> None:
        if id not in seen and id in diagram.nodes:
            seen.add(id)
            for after in reversed(diagram.onward[id]):
                visit(after)
            left.append(id)

    for entry in reversed([*entries]):
        visit(entry)
    return dict.fromkeys(reversed(left))
