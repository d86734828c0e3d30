"""Judges whether a diagram may be published: what would be misread, hang, end by accident or lose a token is refused.

Every rule has an id, names its element and says in Chinese what to mend.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain

from engine.diagram import ACTIVITIES, SUBPROCESSES, Diagram, Event, Node
from engine.expressions import ExpressionError, ExpressionRefused, compile_expression, compile_script
from engine.form_files import PERSON, form_problems, named_by_forms
from engine.handlers import Handlers
from engine.moments import parse_cycle, parse_duration, parse_instant
from engine.packages import Package
from engine.repetition import MAX_INSTANCES
from engine.soundness import Effort, judge

FAR_AHEAD = datetime(2100, 1, 1, tzinfo=UTC)
"""What works at this instant works as long as anybody uses the diagram."""


@dataclass(frozen=True)
class Problem:
    """One finding. `severity` is "error" (refused) or "warning"."""

    rule: str
    element: str
    message: str
    severity: str = "error"


def check(diagram: Diagram, *, bare: bool = False) -> tuple[Problem, ...]:
    """All problems of a diagram; `bare` leaves assignments, forms and services aside."""
    found = dict.fromkeys(_oddities(diagram))
    if any(p.rule in ("duplicate_id", "id_missing", "id_unreadable") for p in found):
        return tuple(found)
    found |= dict.fromkeys(chain.from_iterable(rule(diagram) for rule in RULES))
    if not any(p.severity == "error" for p in found):
        found |= dict.fromkeys(_soundness(diagram))
    if not bare:
        found |= dict.fromkeys(_settings(diagram))
    return tuple(found)


def check_package(package: Package, *, bare: bool = False) -> tuple[Problem, ...]:
    """All problems of a package: of its diagram, tables and forms, and settings that name a form or table it does not hold."""
    tables = tuple(Problem("table_refused", key, str(error)) for key, error in package.refused.items())
    wrong = ((key, reason) for key, form in package.forms.items() for reason in form_problems(form))
    forms = tuple(Problem("form_refused", key, f"表单“{key}”：{reason}。") for key, reason in wrong)
    missing = () if bare else tuple(_missing_files(package))
    return check(package.diagram, bare=bare) + tables + forms + missing


def publishable(problems: tuple[Problem, ...]) -> bool:
    """Whether nothing found is an error."""
    return all(p.severity != "error" for p in problems)


Rule = Callable[[Diagram], Iterator[Problem]]
RULES: list[Rule] = []


def _rule(rule: Rule) -> Rule:
    RULES.append(rule)
    return rule


def _each(d: Diagram, *kinds: str) -> Iterator[Node]:
    return (n for n in d.nodes.values() if n.kind in kinds)


def _reached(d: Diagram, scope: str) -> set[str]:
    """Nodes of a scope that a token can come to, and the event subprocesses that wait in it."""
    pending = [n.id for n in (*d.entries(scope), *(n for n in d.inside[scope] if n.triggered_by_event))]
    seen = set(pending)
    while pending:
        for target in d.onward[pending.pop()]:
            if target in d.onward and target not in seen:
                seen.add(target)
                pending.append(target)
    return seen


_ODD = {
    "duplicate_id": "编号“{element}”重复，每个元素的编号必须唯一。",
    "id_missing": "有流程、环节或连线没有编号（{written}）。",
    "id_unreadable": "编号“{element}”只能由字母、数字、下划线、点和连字符组成，不能以数字开头，不超过 100 个字符。",
    "unsupported_element": "“{label}”：不支持{written}。",
    "reference_unknown": "“{label}”引用的“{written}”在文件中没有定义。",
    "several_loops": "“{label}”同时设置了循环和多实例，只能保留一种。",
    "loop_unreadable": "“{label}”的循环次数上限“{written}”不是正整数。",
}


def _oddities(d: Diagram) -> Iterator[Problem]:
    for odd in d.oddities:
        label = d.nodes[odd.element].label if odd.element in d.nodes else odd.element
        yield Problem(odd.rule, odd.element, _ODD[odd.rule].format(element=odd.element, label=label, written=odd.written))


@_rule
def _processes(d: Diagram) -> Iterator[Problem]:
    filled = [p for p in d.processes.values() if d.inside[p.id]]
    called = {n.called for n in d.nodes.values() if n.called}
    roots = [p for p in filled if p.id not in called]
    if not filled:
        yield Problem("no_process", "", "文件中没有包含环节的流程。")
    elif not roots:
        yield Problem("call_cycle", filled[0].id, "流程互相调用，没有一个可以作为起点。")
    executable = [p for p in roots if p.executable]
    for process in executable[1:] if executable else roots[1:]:
        yield Problem("several_processes", process.id, "一个文件只能有一个主流程，其余泳池应为黑盒或被调用。")
    for process in [p for p in roots if executable and not p.executable]:
        yield Problem("not_run", process.id, f"泳池“{process.name or process.id}”没有标记为可执行，只作说明，不会运行。", "warning")
    if roots and not executable:
        yield Problem("not_executable", roots[0].id, "主流程没有标记为可执行。", "warning")


@_rule
def _flows(d: Diagram) -> Iterator[Problem]:
    for flow in d.flows.values():
        ends = [d.nodes.get(flow.source), d.nodes.get(flow.target)]
        if ends[0] is None or ends[1] is None:
            yield Problem("flow_unconnected", flow.id, f"连线“{flow.name or flow.id}”没有连接到两个环节。")
            continue
        source, target = ends[0], ends[1]
        if source.scope != target.scope:
            yield Problem("flow_crosses_scope", flow.id, f"连线“{flow.name or flow.id}”跨越了子流程边界。")
        if target.kind == "startEvent" or target.kind == "boundaryEvent":
            yield Problem("flow_into_event", target.id, f"“{target.label}”不能有进入的连线。")
        if source.kind == "endEvent":
            yield Problem("flow_out_of_end", source.id, f"结束事件“{source.label}”之后不能再有连线。")
        for end in (source, target):
            if end.event.kind == "link" and (end is source) is (end.kind == "intermediateThrowEvent"):
                yield Problem("flow_at_link", end.id, f"链接事件“{end.label}”代替了连线，这一侧不能再有连线。")
        if target.triggered_by_event or source.triggered_by_event:
            sub = target if target.triggered_by_event else source
            yield Problem("flow_at_event_subprocess", sub.id, f"事件子流程“{sub.label}”不能有连线。")


@_rule
def _starts(d: Diagram) -> Iterator[Problem]:
    for scope in [p.id for p in d.processes.values() if d.inside[p.id]]:
        starts = [n for n in d.inside[scope] if n.kind == "startEvent"]
        plain = [n for n in starts if not n.events]
        if not starts:
            yield Problem("no_start", scope, "流程没有开始事件。")
        for extra in plain[1:]:
            yield Problem("several_starts", extra.id, "流程有多个无触发条件的开始事件，只能保留一个。")
        for start in starts:
            if start.event.kind in ("error", "escalation", "cancel", "compensate"):
                yield Problem("start_event_kind", start.id, f"流程不能由{start.event.kind}事件开始，该事件只能用于事件子流程。")
    for sub in _each(d, *SUBPROCESSES):
        yield from _subprocess_starts(d, sub)


def _subprocess_starts(d: Diagram, sub: Node) -> Iterator[Problem]:
    starts = [n for n in d.inside[sub.id] if n.kind == "startEvent"]
    if not d.inside[sub.id]:
        yield Problem("empty_subprocess", sub.id, f"子流程“{sub.label}”是空的。")
    elif sub.triggered_by_event:
        if len(starts) != 1 or not starts[0].events:
            yield Problem("event_subprocess_start", sub.id, f"事件子流程“{sub.label}”必须有且只有一个带触发条件的开始事件。")
        elif starts[0].event.kind == "error" and not starts[0].interrupting:
            yield Problem("error_not_interrupting", starts[0].id, "错误开始事件必须中断主流程。")
        if sub.loop or d.boundary[sub.id]:
            yield Problem("event_subprocess_decorated", sub.id, f"事件子流程“{sub.label}”不能有循环、多实例或边界事件。")
    else:
        if len(starts) > 1:
            yield Problem("several_starts", sub.id, f"子流程“{sub.label}”有多个开始事件，只能保留一个。")
        for start in starts:
            if start.events:
                yield Problem("subprocess_start_event", start.id, f"子流程“{sub.label}”的开始事件不能带触发条件。")


@_rule
def _connections(d: Diagram) -> Iterator[Problem]:
    for scope in [s for s, nodes in d.inside.items() if nodes]:
        reached = _reached(d, scope)
        implicit = scope in d.nodes and not any(n.kind in ("startEvent", "endEvent") for n in d.inside[scope])
        for node in d.inside[scope]:
            if node.id not in reached:
                yield Problem("unreachable", node.id, f"“{node.label}”没有任何路径可以到达。")
            elif not d.outgoing[node.id] and not _may_end(node) and not implicit:
                yield Problem("dead_end", node.id, f"“{node.label}”之后没有连线，流程会在此意外结束；请连接到结束事件。")


def _may_end(node: Node) -> bool:
    throws_link = node.kind == "intermediateThrowEvent" and node.event.kind == "link"
    return node.kind == "endEvent" or node.triggered_by_event or throws_link or node.for_compensation


@_rule
def _unsupported(d: Diagram) -> Iterator[Problem]:
    for node in d.nodes.values():
        if node.kind in ("complexGateway", "adHocSubProcess"):
            yield Problem("unsupported_element", node.id, f"“{node.label}”：不支持复杂网关和即席子流程。")
        if node.for_compensation or any(e.kind == "compensate" for e in node.events):
            yield Problem("unsupported_compensation", node.id, f"“{node.label}”：不支持补偿。")
        if node.parallel_multiple:
            yield Problem("unsupported_parallel_multiple", node.id, f"“{node.label}”：不支持“全部到齐”的并行多重事件。")
        if node.instantiate:
            yield Problem("unsupported_instantiate", node.id, f"“{node.label}”：不支持由接收任务启动流程，请改用消息开始事件。")
        if len(node.events) > 1 and node.kind in ("startEvent", "boundaryEvent") and any(e.kind == "timer" for e in node.events):
            yield Problem("unsupported_multiple", node.id, f"“{node.label}”：定时不能与其他触发条件合用，请拆成多个事件。")


_PLACES = {
    "startEvent": {"none", "timer", "message", "signal", "conditional", "error", "escalation"},
    "endEvent": {"none", "message", "signal", "error", "escalation", "terminate", "cancel"},
    "intermediateCatchEvent": {"timer", "message", "signal", "conditional", "link"},
    "intermediateThrowEvent": {"none", "message", "signal", "escalation", "link"},
    "boundaryEvent": {"timer", "message", "signal", "conditional", "error", "escalation", "cancel"},
}


@_rule
def _events(d: Diagram) -> Iterator[Problem]:
    for node in _each(d, *_PLACES):
        for event in node.events or (Event("none"),):
            if event.kind == "compensate":
                continue
            if event.kind not in _PLACES[node.kind]:
                yield Problem("event_out_of_place", node.id, f"“{node.label}”：此处不能使用这种事件（{event.kind}）。")
            else:
                yield from _event(d, node, event)


def _event(d: Diagram, node: Node, event: Event) -> Iterator[Problem]:
    throwing = node.kind in ("endEvent", "intermediateThrowEvent")
    named = event.kind in ("message", "signal") or (throwing and event.kind in ("error", "escalation"))
    if named and not event.name:
        yield Problem("event_unnamed", node.id, f"“{node.label}”没有指明是哪个消息、信号、错误或升级。")
    if event.kind == "timer":
        yield from _timer(node, event)
    if event.kind == "conditional":
        yield from _expression(node.id, event.text, f"“{node.label}”的条件")
    if event.kind == "link":
        yield from _link(d, node, event)
    if event.kind == "cancel" and not _in_transaction(d, node):
        yield Problem("cancel_outside_transaction", node.id, f"“{node.label}”：取消事件只能用于事务子流程。")


def _timer(node: Node, event: Event) -> Iterator[Problem]:
    text = event.text or ""
    if not text:
        yield Problem("timer_missing", node.id, f"“{node.label}”没有写明时间。")
        return
    if text.startswith("="):
        yield from _expression(node.id, text[1:], f"“{node.label}”的时间")
        return
    try:
        if event.timer == "date":
            parse_instant(text)
        else:
            span = parse_duration(text) if event.timer == "duration" else parse_cycle(text).interval
            span.after(FAR_AHEAD)
    except (ValueError, OverflowError) as error:
        yield Problem("timer_unreadable", node.id, f"“{node.label}”的时间无法读取：{error}")
    if event.timer == "cycle" and node.kind == "intermediateCatchEvent":
        yield Problem("timer_cycle_here", node.id, f"“{node.label}”：中间事件不能使用重复周期。")


def _link(d: Diagram, node: Node, event: Event) -> Iterator[Problem]:
    other = "intermediateCatchEvent" if node.kind == "intermediateThrowEvent" else "intermediateThrowEvent"
    partners = [n for n in d.inside[node.scope] if n.kind == other and n.event == event]
    if not event.name:
        yield Problem("link_unnamed", node.id, f"链接事件“{node.label}”没有名称。")
    elif not partners:
        yield Problem("link_without_partner", node.id, f"链接事件“{event.name}”在同一层没有对应的另一端。")
    elif node.kind == "intermediateThrowEvent" and len(partners) > 1:
        yield Problem("link_ambiguous", node.id, f"链接事件“{event.name}”有多个入口，只能保留一个。")


def _in_transaction(d: Diagram, node: Node) -> bool:
    holder = d.nodes.get(node.attached_to or node.scope)
    return holder is not None and holder.kind == "transaction"


@_rule
def _boundaries(d: Diagram) -> Iterator[Problem]:
    for node in _each(d, "boundaryEvent"):
        host = d.nodes.get(node.attached_to or "")
        if host is None or host.kind not in ACTIVITIES:
            yield Problem("boundary_unattached", node.id, f"边界事件“{node.label}”没有附在任何环节上。")
        elif host.scope != node.scope:
            yield Problem("boundary_crosses_scope", node.id, f"边界事件“{node.label}”与所附环节不在同一层。")
        if not node.events:
            yield Problem("boundary_without_event", node.id, f"边界事件“{node.label}”没有触发条件。")
        if node.event.kind in ("error", "cancel") and not node.interrupting:
            yield Problem("error_not_interrupting", node.id, f"边界事件“{node.label}”：错误和取消必须中断所附环节。")
        if host and node.event.kind in ("error", "escalation") and host.kind not in (*SUBPROCESSES, "callActivity", "serviceTask"):
            yield Problem("boundary_never_fires", node.id, f"边界事件“{node.label}”永远不会触发：所附环节不会抛出错误或升级。", "warning")


@_rule
def _gateways(d: Diagram) -> Iterator[Problem]:
    for node in d.nodes.values():
        out = d.outgoing[node.id]
        if node.default and node.default not in {f.id for f in out}:
            yield Problem("default_unknown", node.id, f"“{node.label}”的默认连线不是从它出发的连线。")
        for flow in out:
            if flow.condition is None:
                continue
            if node.kind in ("parallelGateway", "eventBasedGateway", "startEvent"):
                yield Problem("condition_ignored", flow.id, f"“{node.label}”之后的连线写了条件，但此处不判断条件。")
            if flow.id == node.default:
                yield Problem("default_with_condition", flow.id, f"“{node.label}”的默认连线不能再写条件。")
            yield from _expression(flow.id, flow.condition, f"连线“{flow.name or flow.id}”的条件")
        if node.kind in ("exclusiveGateway", "inclusiveGateway") and len(out) > 1:
            for flow in out:
                if flow.condition is None and flow.id != node.default:
                    yield Problem(
                        "flow_without_condition",
                        flow.id,
                        f"“{node.label}”有多个出口，连线“{flow.name or flow.id}”既没有条件，也不是默认连线。",
                    )
        if out and all(f.condition is not None for f in out) and node.kind not in ("parallelGateway", "eventBasedGateway"):
            yield Problem("no_default", node.id, f"“{node.label}”的出口都有条件却没有默认连线；条件都不成立时流程会停住。", "warning")
        if node.kind == "eventBasedGateway":
            yield from _event_gateway(d, node)


def _event_gateway(d: Diagram, node: Node) -> Iterator[Problem]:
    if len(d.outgoing[node.id]) < 2:
        yield Problem("event_gateway_alone", node.id, f"事件网关“{node.label}”至少要有两个出口。")
    for flow in d.outgoing[node.id]:
        target = d.nodes.get(flow.target)
        catches = target is not None and target.kind in ("intermediateCatchEvent", "receiveTask")
        if target is None or not catches or target.event.kind == "link":
            yield Problem("event_gateway_target", flow.target, f"事件网关“{node.label}”之后只能是中间捕获事件或接收任务。")
        elif len(d.incoming[target.id]) > 1:
            yield Problem("event_gateway_target", target.id, f"“{target.label}”在事件网关之后，不能再有其他进入的连线。")
        elif target.loop or d.boundary.get(target.id):
            yield Problem("event_gateway_target", target.id, f"“{target.label}”在事件网关之后，不能再有循环或边界事件。")


@_rule
def _activities(d: Diagram) -> Iterator[Problem]:
    for node in _each(d, "scriptTask"):
        if not node.script:
            yield Problem("script_missing", node.id, f"脚本环节“{node.label}”没有内容。")
        else:
            try:
                compile_script(node.script)
            except ExpressionRefused as error:
                yield Problem("expression_refused", node.id, f"脚本环节“{node.label}”：{error}")
    for node in _each(d, "receiveTask"):
        if not node.reference:
            yield Problem("event_unnamed", node.id, f"接收任务“{node.label}”没有指明等待哪个消息。")
    for node in d.nodes.values():
        if node.loop is not None:
            yield from _loop(node)


def _loop(node: Node) -> Iterator[Problem]:
    loop = node.loop
    assert loop
    if loop.kind == "standard":
        if loop.condition is None and loop.maximum is None:
            yield Problem("loop_without_end", node.id, f"“{node.label}”的循环既没有条件，也没有次数上限。")
    elif loop.cardinality is None and loop.collection is None:
        yield Problem("instances_unknown", node.id, f"“{node.label}”是多实例，但没有写明数量或列表。")
    if (loop.output is None) != (loop.output_item is None):
        yield Problem("instances_output_unnamed", node.id, f"“{node.label}”要汇总结果，须同时写明每次的结果和存入的列表。")
    for text, kinds in ((loop.cardinality, (int,)), (loop.collection, (list, dict))):
        yield from _instances(node, text, kinds)
    for text in (loop.condition, loop.cardinality, loop.collection):
        if text is not None:
            yield from _expression(node.id, text, f"“{node.label}”的循环设置")


def _instances(node: Node, text: str | None, kinds: tuple[type, ...]) -> Iterator[Problem]:
    """What is written as a constant, and could never work."""
    try:
        value = compile_expression(text or "").evaluate({}, FAR_AHEAD)
    except ExpressionError:
        return
    number = value if type(value) is int else len(value) if type(value) in (list, dict) else 0
    if type(value) not in kinds or number < 0:
        yield Problem("instances_refused", node.id, f"“{node.label}”的多实例数量必须是 0 至 {MAX_INSTANCES} 项的列表或整数。")
    elif number > MAX_INSTANCES:
        yield Problem("too_many_instances", node.id, f"“{node.label}”的多实例数量超过上限 {MAX_INSTANCES}。")


_SAID = {"actor": "as", "service": "name", "status": "value", "form": "key"}
"""What a setting must say."""


@_rule
def _incomplete_settings(d: Diagram) -> Iterator[Problem]:
    for node in d.nodes.values():
        for setting, word in _SAID.items():
            if setting in node.settings and not node.settings[setting].get(word):
                yield Problem("setting_incomplete", node.id, f"“{node.label}”的设置 {setting} 没有写明 {word}。")


@_rule
def _calls(d: Diagram) -> Iterator[Problem]:
    calls: dict[str, set[str]] = {p: set() for p in d.processes}
    for node in _each(d, "callActivity"):
        if not node.called:
            yield Problem("call_missing", node.id, f"调用活动“{node.label}”没有指明调用哪个流程。")
        elif node.called not in d.processes:
            yield Problem("call_unknown", node.id, f"调用活动“{node.label}”调用的流程“{node.called}”不在文件中。")
        else:
            calls[_process_of(d, node)].add(node.called)
            if not any(not start.events for start in d.starts(node.called)):
                yield Problem("call_without_start", node.id, f"“{node.label}”调用的流程“{node.called}”没有无触发条件的开始事件。")
    for node in _each(d, "callActivity"):
        if node.called in calls and _process_of(d, node) in _called_from(calls, node.called or ""):
            yield Problem("call_cycle", node.id, f"调用活动“{node.label}”会无休止地调用自己。")


def _process_of(d: Diagram, node: Node) -> str:
    scope = node.scope
    while scope in d.nodes:
        scope = d.nodes[scope].scope
    return scope


def _called_from(calls: dict[str, set[str]], start: str) -> set[str]:
    seen, pending = {start}, [start]
    while pending:
        for called in calls.get(pending.pop(), set()) - seen:
            seen.add(called)
            pending.append(called)
    return seen


def _expression(element: str, text: str | None, what: str) -> Iterator[Problem]:
    try:
        if text is None:
            yield Problem("expression_missing", element, f"{what}没有填写。")
        else:
            compile_expression(text)
    except ExpressionRefused as error:
        yield Problem("expression_refused", element, f"{what}：{error}")


def _soundness(d: Diagram) -> Iterator[Problem]:
    """Only of a diagram that is otherwise right."""
    handlers, effort = Handlers(d), Effort()
    for node in _each(d, "endEvent"):
        for event in node.events:
            if event.kind in ("error", "cancel") and None in handlers.takers(node.scope, event):
                yield Problem(f"{event.kind}_uncaught", node.id, f"“{node.label}”抛出后，不是在所有情况下都有边界事件或事件子流程处理。")
    for scope in [s for s, nodes in d.inside.items() if nodes]:
        verdict = judge(d, scope, handlers, effort)
        for element in sorted(verdict.endless) if not _may_be_interrupted(d, scope) else ():
            yield Problem("no_way_to_end", element, f"从“{_label(d, element)}”出发永远到不了结束事件。")
        for join in sorted(verdict.hanging):
            yield Problem("join_may_hang", join, f"汇聚“{_label(d, join)}”可能等不齐所有分支，流程会卡住。")
        if not verdict.judged and not verdict.hanging:
            yield Problem("too_entangled", scope, f"“{_label(d, scope)}”的并行、汇聚和回路过于交错，无法判断是否会卡住；请用子流程拆开。")


def _label(d: Diagram, element: str) -> str:
    return d.nodes[element].label if element in d.nodes else d.processes[element].name or element


def _may_be_interrupted(d: Diagram, scope: str) -> bool:
    return any(s.interrupting for n in d.inside[scope] if n.triggered_by_event for s in d.starts(n.id))


def _settings(d: Diagram) -> Iterator[Problem]:
    for node in _each(d, "userTask", "manualTask", "task"):
        if "assign" not in node.settings:
            yield Problem("assignment_missing", node.id, f"“{node.label}”没有设置由谁办理。")
    for node in _each(d, "serviceTask"):
        if "service" not in node.settings:
            yield Problem("service_missing", node.id, f"服务环节“{node.label}”没有设置调用哪个服务。")
    for node in _each(d, "businessRuleTask"):
        if not node.decision and not node.lookup:
            yield Problem("decision_missing", node.id, f"决策环节“{node.label}”没有设置使用哪张决策表或查询。")


def _missing_files(package: Package) -> Iterator[Problem]:
    people = named_by_forms(package.forms, PERSON)
    for node in package.diagram.nodes.values():
        form = node.settings.get("form", {}).get("key")
        if form is not None and form not in package.forms:
            yield Problem("form_unknown", node.id, f"“{node.label}”使用的表单“{form}”不在流程包中。")
        if node.decision is not None and node.decision not in {**package.tables, **package.refused}:
            yield Problem("table_unknown", node.id, f"“{node.label}”使用的决策表“{node.decision}”不在流程包中。")
        yield from _unnamed_result(package, node)
        yield from _unknown_person(package.diagram, node, people)


def _unknown_person(diagram: Diagram, node: Node, people: set[str]) -> Iterator[Problem]:
    assign = node.settings.get("assign", {})
    if assign.get("unit") != "chosen":
        return
    named = assign.get("person")
    if not named:
        yield Problem("person_unnamed", node.id, f"“{node.label}”由表单中选定的人员办理，但没有写明由哪一项选定。")
    elif named not in people | _items(diagram, node):
        yield Problem("person_unknown", node.id, f"“{node.label}”由表单中选定的人员办理，但没有表单有编号为“{named}”的人员项。")


def _items(diagram: Diagram, node: Node) -> set[str]:
    """What the repetitions around a node call the one item they are at."""
    around = [node]
    while around[-1].scope in diagram.nodes:
        around.append(diagram.nodes[around[-1].scope])
    return {one.loop.item for one in around if one.loop and one.loop.item}


def _unnamed_result(package: Package, node: Node) -> Iterator[Problem]:
    table = package.tables.get(node.decision or "")
    if table and table.policy in ("COLLECT", "RULE ORDER") and not table.aggregation and not node.result:
        yield Problem("result_unnamed", node.id, f"“{node.label}”的决策表会给出多条结果，请设置结果存入哪个变量。")
