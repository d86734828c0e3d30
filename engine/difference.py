"""What changed between two versions of a process, in sentences for the people who approve it.

Positions on the drawing are no change of the process; whatever else differs has a sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree

from engine.diagram import Diagram, Node, parse_safely
from engine.packages import DIAGRAM, Package, key_of
from engine.wording import (
    AMONG,
    FIELDS,
    KINDS,
    OFFER,
    OVERDUE,
    REMINDED,
    SETTINGS,
    TASKS,
    Change,
    Words,
    called,
    ends_of,
    kind_of,
    options_of,
    shown,
    title_of,
    written,
)

DRAWING = "http://www.omg.org/spec/BPMN/20100524/DI"


def difference(old: Package, new: Package, words: Mapping[str, str]) -> tuple[Change, ...]:
    """All changes from `old` to `new`; `words` says what the codes in settings are called."""
    said = Words(words, new, old)
    return (
        *_processes(old.diagram, new.diagram),
        *_nodes(old.diagram, new.diagram, said),
        *_flows(old.diagram, new.diagram),
        *_forms(old.forms, new.forms, said),
        *_tables(old.files, new.files),
        *_texts(old.texts, new.texts),
    )


def is_redrawn(old: Package, new: Package) -> bool:
    """Whether something on the drawing is of another place, size or look; how the file is laid out is no matter."""
    before, after = (package.files.get(DIAGRAM, b"") for package in (old, new))
    return before != after and _drawn(before) != _drawn(after)


def _drawn(xml: bytes) -> frozenset[tuple[object, ...]]:
    """What is drawn: of each shape and line its parts, in their order, and what they say."""
    parts = (part for kind in ("BPMNShape", "BPMNEdge") for part in parse_safely(xml).iter(f"{{{DRAWING}}}{kind}"))
    return frozenset(tuple((el.tag, frozenset(el.attrib.items())) for el in part.iter() if el.attrib) for part in parts)


def _told(what: str, before: object, after: object) -> str:
    if before in (None, ""):
        return f"{what}设为“{shown(after)}”"
    if after in (None, ""):
        return f"{what}“{shown(before)}”取消"
    return f"{what}由“{shown(before)}”改为“{shown(after)}”"


def _processes(old: Diagram, new: Diagram) -> Iterator[Change]:
    for id, process in old.processes.items():
        if id not in new.processes:
            yield Change("diagram", id, f"删除流程“{shown(process.name or id)}”")
    for id, process in new.processes.items():
        before = old.processes.get(id)
        if before is None:
            yield Change("diagram", id, f"新增流程“{shown(process.name or id)}”")
            continue
        if before.name != process.name:
            yield Change("diagram", id, _told("流程名称", before.name, process.name))
        if before.executable != process.executable:
            yield Change("diagram", id, f"流程“{shown(process.name or id)}”{_told('能否运行', before.executable, process.executable)}")


def _nodes(old: Diagram, new: Diagram, words: Words) -> Iterator[Change]:
    for id, node in old.nodes.items():
        if id not in new.nodes:
            yield Change("diagram", id, f"删除{called(node)}")
    for id, node in new.nodes.items():
        before = old.nodes.get(id)
        if before is None:
            settings = "；".join(f"{SETTINGS.get(name, name)}：{said}" for name, (_, said) in _settings(node, words).items())
            yield Change("diagram", id, f"新增{called(node)}" + (f"（{settings}）" if settings else ""))
        elif before != node:
            yield from (Change("diagram", id, f"{kind_of(node)}“{shown(node.label)}”的{told}") for told in _node(before, node, words))


def _node(old: Node, new: Node, words: Words) -> Iterator[str]:
    if old.name != new.name:
        yield _told("名称", old.name, new.name)
    for name, word in FIELDS.items():
        before, after = getattr(old, name), getattr(new, name)
        if before == after:
            continue
        if name == "script" and before and after:
            yield from _script(before, after)
        elif name == "kind":
            yield _told(word, *((TASKS | KINDS).get(kind, kind) for kind in (before, after)))
        else:
            yield _told(word, _part(before), _part(after))
    kept, given = _settings(old, words), _settings(new, words)
    for name in sorted(kept.keys() | given.keys()):
        missing = None, REMINDED if name == "overdue" else None
        (before, said_before), (after, said_after) = kept.get(name, missing), given.get(name, missing)
        if before != after:
            yield _told(SETTINGS.get(name, name), said_before, said_after)


def _settings(node: Node, words: Words) -> dict[str, tuple[Mapping[str, str] | None, str | None]]:
    """The settings as they are written and as a person would say them; what becomes of an overdue step is one by itself."""
    written = {name: {key: text for key, text in kept.items() if (name, key) != OVERDUE} for name, kept in node.settings.items()}
    said: dict[str, tuple[Mapping[str, str] | None, str | None]] = {
        name: (kept, words.setting(name, kept)) for name, kept in written.items()
    }
    if code := node.settings.get("deadline", {}).get("overdue"):
        said["overdue"] = {"then": code}, words.overdue(node)
    return said


def _script(old: str, new: str) -> Iterator[str]:
    """Only the lines that differ: most of a long script stays as it was."""
    before, after = old.splitlines(), new.splitlines()
    gone = [f"删去“{shown(line)}”" for line in before if line not in after]
    come = [f"增加“{shown(line)}”" for line in after if line not in before]
    yield f"脚本{'，'.join(gone + come)}" if gone or come else "脚本的行序或空白有调整"


def _part(value: Any) -> object:
    """Events and loops as their filled in parts."""
    if isinstance(value, tuple):
        return "；".join(str(_part(one)) for one in value)
    if hasattr(value, "__dataclass_fields__"):
        return "，".join(str(part) for part in vars(value).values() if part not in (None, False))
    return value


def _flows(old: Diagram, new: Diagram) -> Iterator[Change]:
    for id, flow in old.flows.items():
        if id not in new.flows:
            yield Change("diagram", id, f"删除连线：{ends_of(old, flow)}")
    for id, flow in new.flows.items():
        before = old.flows.get(id)
        if before is None:
            ends = ends_of(new, flow)
            told = f"新增连线：{ends}，条件“{shown(flow.condition)}”" if flow.condition else f"新增连线：{ends}"
            yield Change("diagram", id, told)
            continue
        if (before.source, before.target) != (flow.source, flow.target):
            yield Change("diagram", id, f"连线改接：原{ends_of(old, before)}，现{ends_of(new, flow)}")
        for what, was, now in (("名称", before.name, flow.name), ("条件", before.condition, flow.condition)):
            if was != now:
                yield Change("diagram", id, f"连线{ends_of(new, flow)}的{_told(what, was, now)}")


def _forms(old: Mapping[str, Mapping[str, Any]], new: Mapping[str, Mapping[str, Any]], words: Words) -> Iterator[Change]:
    for key, form in old.items():
        if key not in new:
            yield Change("form", key, f"删除表单“{title_of(form, key)}”")
    for key, form in new.items():
        before = old.get(key)
        if before is None:
            yield Change("form", key, f"新增表单“{title_of(form, key)}”")
        elif before != form:
            yield from (Change("form", key, f"表单“{title_of(form, key)}”{told}") for told in _form(before, form, words))


def _form(old: Mapping[str, Any], new: Mapping[str, Any], words: Words) -> Iterator[str]:
    kept, given = old["properties"], new["properties"]
    yield from (f"删除字段“{title_of(field, name)}”" for name, field in kept.items() if name not in given)
    must_before, must = set(old.get("required", ())), set(new.get("required", ()))
    for name, field in given.items():
        title = title_of(field, name)
        if name not in kept:
            yield f"新增必填字段“{title}”" if name in must else f"新增字段“{title}”"
            continue
        if (name in must) != (name in must_before):
            yield f"字段“{title}”改为{'必填' if name in must else '选填'}"
        if kept[name] != field:
            yield from (f"字段“{title}”的{told}" for told in _field(kept[name], field, words))
    if list(kept) != list(given) and kept.keys() == given.keys():
        yield "的字段顺序有调整"
    if any(old.get(name) != new.get(name) for name in (old.keys() | new.keys()) - {"properties", "required"}):
        yield "的标题、说明或显示方式有改动"


def _field(old: Any, new: Any, words: Words) -> Iterator[str]:
    if not isinstance(old, dict) or not isinstance(new, dict):
        yield "写法有改动"
        return
    named = {"title": "名称", "type": "类型", "maxLength": "字数上限", "minimum": "最小值", "maximum": "最大值"}
    for name, word in named.items():
        if old.get(name) != new.get(name):
            yield _told(word, old.get(name), new.get(name))
    yield from _offered(old, new, words)
    old, new = _without_offer(old), _without_offer(new)
    before, after = options_of(old), options_of(new)
    yield from (f"选项删除“{shown(before[option])}”" for option in before if option not in after)
    yield from (f"选项新增“{shown(after[option])}”" for option in after if option not in before)
    yield from (_told("选项", before[option], after[option]) for option in after if option in before and before[option] != after[option])
    if any(old.get(name) != new.get(name) for name in (old.keys() | new.keys()) - named.keys() - {"oneOf"}):
        yield "填写要求或显示方式有改动"
    if old.get("oneOf") != new.get("oneOf") and before == after:
        yield "选项的顺序或写法有改动"


def _offered(old: Mapping[str, Any], new: Mapping[str, Any], words: Words) -> Iterator[str]:
    """Whom or what a field offers."""
    for name, what in OFFER.items():
        before, after = (str(ui.get(name, "")) if isinstance(ui := field.get("x-ui"), dict) else "" for field in (old, new))
        if before != after:
            yield _told(what, *((words.listed(text) if text and name == "posts" else AMONG.get(text, text)) for text in (before, after)))


def _without_offer(field: Mapping[str, Any]) -> Mapping[str, Any]:
    ui = field.get("x-ui")
    return {**field, "x-ui": {word: said for word, said in ui.items() if word not in OFFER}} if isinstance(ui, dict) else field


def _tables(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> Iterator[Change]:
    before, after = ({key_of(name): _table(text) for name, text in files.items() if name.startswith("tables/")} for files in (old, new))
    yield from (Change("table", key, f"删除决策表“{before[key].name}”") for key in before if key not in after)
    for key, table in after.items():
        if key not in before:
            yield Change("table", key, f"新增决策表“{table.name}”")
        elif before[key] != table:
            yield from (Change("table", key, f"决策表“{table.name}”{told}") for told in _rows(before[key], table))


@dataclass(frozen=True)
class _Table:
    name: str
    head: tuple[str, ...]
    rows: Mapping[str, str]


def _table(text: bytes) -> _Table:
    """The columns and rows of a table as they are written, rows by id."""
    name, head = "", list[str]()
    rows: dict[str, str] = {}
    for element in parse_safely(text).iter(etree.Element):
        local = etree.QName(element).localname
        if local == "decision":
            name = str(element.get("name") or element.get("id") or "")
        elif local == "rule":
            rows[element.get("id") or str(len(rows))] = "，".join(written(entry) or "任意" for entry in element.iterchildren(etree.Element))
        elif local in ("decisionTable", "input", "output", "inputExpression"):
            own = (f"{key!s}={value!s}" for key, value in element.items() if key != "id")
            head.append(" ".join((local, *sorted(own), "" if local == "decisionTable" else written(element))))
    return _Table(shown(name), tuple(head), rows)


def _rows(old: _Table, new: _Table) -> Iterator[str]:
    if old.name != new.name:
        yield f"原名“{old.name}”"
    if old.head != new.head:
        yield "的列或命中方式有改动"
    yield from (f"删除一行：{shown(row)}" for id, row in old.rows.items() if id not in new.rows)
    for place, (id, row) in enumerate(new.rows.items(), 1):
        if id not in old.rows:
            yield f"新增第 {place} 行：{shown(row)}"
        elif old.rows[id] != row:
            yield f"第 {place} 行由“{shown(old.rows[id])}”改为“{shown(row)}”"
    if [id for id in old.rows if id in new.rows] != [id for id in new.rows if id in old.rows]:
        yield "的行序有调整"


def _texts(old: Mapping[str, Mapping[str, str]], new: Mapping[str, Mapping[str, str]]) -> Iterator[Change]:
    for language in sorted(old.keys() | new.keys()):
        before, after = old.get(language, {}), new.get(language, {})
        count = sum(before.get(text) != after.get(text) for text in before.keys() | after.keys())
        if count:
            yield Change("text", language, f"译文（{language}）有 {count} 处改动")
