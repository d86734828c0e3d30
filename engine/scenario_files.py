"""Reads scenario files, and writes them: what an official wrote is checked once, and every mistake gets a sentence with its place.

YAML is taken as it looks: numbers as JSON has them and true, false and null are values, everything else is the text as
written, so that `2026-03-05` and `0303` stay what they are. Nothing is dropped: an unknown or repeated word is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from engine.errors import Unreadable
from engine.expressions import brackets
from engine.moments import parse_duration, parse_instant

MAX_LETTERS = 20_000
MAX_PARTS = 20_000
MAX_DEPTH = 40
MAX_NUMBER = 10**18
WIDTH = 130
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""A package is read on each save of its draft: the loader written in C takes a tenth of the time."""
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?P<fraction>\.[0-9]+)?")
VERBS = ("complete", "wait", "message", "signal", "service", "rewind", "incident", "expect")


@dataclass(frozen=True)
class Scenario:
    """A scenario as written; what may be left out is filled in."""

    name: str
    start: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[Mapping[str, Any], ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


def read_scenario(text: str, file: str = "", *, unfinished: bool = False) -> Scenario:
    """Reads a scenario; raises `Unreadable` with a sentence that names the file and the step. An `unfinished` one may have no step."""
    try:
        return _scenario(_Yaml().read(text), unfinished)
    except _Wrong as wrong:
        raise Unreadable(f"场景文件“{file}”{wrong}。" if file else f"场景文件{wrong}。") from wrong


def read_value(text: str) -> Any:
    """What a text means where a scenario has a value; raises `Unreadable`."""
    try:
        return _Yaml().read(text)
    except _Wrong as wrong:
        raise Unreadable(f"“{text[:40]}”{wrong}。") from wrong


class _Step(dict[str, Any]):
    """A step begins a line of its own, however short it is."""


class _Dumper(yaml.SafeDumper):
    """Writes what is nested in one line where it holds no more, and steps on lines of their own."""


def _written(dumper: _Dumper, text: str) -> yaml.Node:
    """The one sign that is a line's end to a reader and not to the writer is escaped."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if "\x85" in text else None)


_Dumper.add_representer(str, _written)
_Dumper.add_representer(_Step, lambda dumper, step: dumper.represent_mapping("tag:yaml.org,2002:map", step, flow_style=False))


def write_scenario(raw: Mapping[str, Any]) -> str:
    """The file of a scenario, in the words of those that ship; raises `Unreadable` for what no file can say."""
    laid_out = {**raw, "steps": [_Step(step) for step in raw["steps"]]}
    text: str = yaml.dump(laid_out, Dumper=_Dumper, allow_unicode=True, sort_keys=False, default_flow_style=None, width=WIDTH)
    if read_scenario(text) != _scenario(raw):
        raise Unreadable("场景中有文件无法照原样记下的值。")
    return text


class _Wrong(Exception):
    """Where a scenario is wrong, and how: the rest of a sentence."""


# ---- YAML ----------------------------------------------------------------------------------------------------------


class _Yaml:
    """Turns YAML into JSON values within bounds; an alias counts as often as it is used."""

    def __init__(self) -> None:
        self.left = MAX_PARTS

    def read(self, text: str) -> Any:
        if len(text) > MAX_LETTERS:
            raise _Wrong(f"超过上限 {MAX_LETTERS} 个字符")
        if brackets(text) > MAX_DEPTH:
            raise _Wrong("括号嵌套过深")
        try:
            node = yaml.compose(text, Loader=LOADER)
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            mark = getattr(error, "problem_mark", None)
            raise _Wrong("不是有效的 YAML" + (f"：第 {mark.line + 1} 行写法有误" if mark else "")) from error
        return self.value(node, 0)

    def value(self, node: yaml.Node | None, depth: int) -> Any:
        self.left -= 1
        if self.left < 0 or depth > MAX_DEPTH:
            raise _Wrong("内容过多、嵌套过深或引用了自己")
        if isinstance(node, yaml.MappingNode) and node.tag.endswith(":map"):
            return self.mapping(node, depth + 1)
        if isinstance(node, yaml.SequenceNode) and node.tag.endswith(":seq"):
            return [self.value(item, depth + 1) for item in node.value]
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node)
        if node is None:
            return None
        raise _Wrong(f"第 {node.start_mark.line + 1} 行：不支持“{node.tag.rpartition(':')[2]}”这种写法")

    def mapping(self, node: yaml.MappingNode, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode) or key.value == "<<":
                raise _Wrong(f"第 {line} 行：冒号前面只能是一个名称")
            if key.value in found:
                raise _Wrong(f"第 {line} 行：“{key.value}”重复")
            found[key.value] = self.value(value, depth)
        return found


def _scalar(node: yaml.ScalarNode) -> Any:
    kind, text = node.tag.rpartition(":")[2], node.value
    if kind == "null":
        return None
    if kind == "bool" and text.lower() in yaml.SafeLoader.bool_values:
        return yaml.SafeLoader.bool_values[text.lower()]
    number = NUMBER.fullmatch(text) if kind in ("int", "float") else None
    if number and abs(float(text)) <= MAX_NUMBER:
        return float(text) if number["fraction"] else int(text)
    if number or kind == "binary" or (kind == "float" and text.lower().lstrip("+-") in (".nan", ".inf")):
        raise _Wrong(f"第 {node.start_mark.line + 1} 行：“{text[:40]}”不是可以使用的值")
    return text


# ---- the words -----------------------------------------------------------------------------------------------------


def _scenario(raw: Any, unfinished: bool = False) -> Scenario:
    known = _words(raw, "", ("name", "start", "steps", "facts"))
    steps = known.get("steps")
    if not isinstance(steps, list) or not (steps or unfinished):
        raise _Wrong("没有步骤：steps 应为步骤列表")
    name = _text(known["name"], "的 name ") if known.get("name") is not None else "未命名场景"
    return Scenario(
        name, _start(known.get("start")), tuple(_step(s, f"第 {n} 步") for n, s in enumerate(steps, 1)), _facts(known.get("facts"))
    )


def _words(raw: Any, where: str, allowed: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise _Wrong(f"{where}应当写明{'、'.join(allowed)}")
    for word in raw.keys() - set(allowed):
        raise _Wrong(f"{where}中的“{word}”不认识，只能写{'、'.join(allowed)}")
    return raw


def _text(raw: Any, where: str) -> str:
    if isinstance(raw, str | int | float) and not isinstance(raw, bool) and str(raw):
        return str(raw)
    raise _Wrong(f"{where}应为文字")


def _texts(raw: Any, where: str) -> list[str]:
    return [_text(item, where) for item in (raw if isinstance(raw, list) else [] if raw is None else [raw])]


def _data(raw: Any, where: str) -> dict[str, Any]:
    if raw is None or isinstance(raw, dict):
        return raw or {}
    raise _Wrong(f"{where}的 data 应为“名称: 值”")


def _actor(raw: Any, where: str) -> dict[str, Any]:
    return {
        name: _text(value, f"{where}的 by ")
        for name, value in _words(raw or {}, f"{where}的 by ", ("person", "post", "unit", "for")).items()
    }


def _start(raw: Any) -> dict[str, Any]:
    start = _words(raw or {}, "的 start ", ("at", "by", "data", "message", "signal"))
    read: dict[str, Any] = {"data": _data(start.get("data"), "的 start "), "by": _actor(start.get("by"), "的 start ")}
    if "at" in start:
        read["at"] = _measured(parse_instant, start["at"], "的 start ")
    for kind in ("message", "signal"):
        if start.get(kind) is not None:
            read[kind] = _text(start[kind], f"的 start 的 {kind} ")
    return read


def _facts(raw: Any) -> dict[str, list[dict[str, Any]]]:
    """Answers by the name of the question; a single answer is given every time."""
    if raw is not None and not isinstance(raw, dict):
        raise _Wrong("的 facts 应为“查询名称: 答复”")
    answers = {name: given if isinstance(given, list) else [given] for name, given in (raw or {}).items()}
    for name, given in answers.items():
        if not given or not all(isinstance(answer, dict) for answer in given):
            raise _Wrong(f"的 facts 中“{name}”的答复应为“名称: 值”，或这样的列表")
    return answers


def _step(raw: Any, where: str) -> dict[str, Any]:
    verbs = [verb for verb in VERBS if isinstance(raw, dict) and verb in raw]
    if len(verbs) != 1:
        raise _Wrong(f"{where}应当且只能写一个动作：{'、'.join(VERBS)}")
    verb = verbs[0]
    beside = BESIDE.get(verb, ())
    _words(raw, where, (verb, *beside))
    step: dict[str, Any] = {verb: READ[verb](raw[verb], f"{where} {verb} ")}
    if verb == "complete":
        step["data"] = _data(raw.get("data"), where)
        if not isinstance(raw.get("refused", False), bool):
            raise _Wrong(f"{where}的 refused 应为 true 或 false")
        step["refused"] = raw.get("refused", False)
    if "by" in beside:
        step["by"] = _actor(raw.get("by"), where)
    return step


def _measured(parse: Callable[[str], Any], raw: Any, where: str) -> Any:
    try:
        return parse(_text(raw, where))
    except (ValueError, OverflowError) as error:
        raise _Wrong(f"{where}：{str(error).rstrip('。')}") from error


def _named(raw: Any, where: str) -> dict[str, Any]:
    if not isinstance(raw, dict):
        return {"name": _text(raw, where), "data": {}}
    named = _words(raw, where, ("name", "data"))
    return {"name": _text(named.get("name"), f"{where}的 name "), "data": _data(named.get("data"), where)}


def _rewind(raw: Any, where: str) -> dict[str, Any]:
    rewind = _words(raw, where, ("to", "reason")) if isinstance(raw, dict) else {"to": raw}
    return {"to": _text(rewind.get("to"), f"{where}的 to ")}


def _incident(raw: Any, where: str) -> dict[str, Any]:
    return {"data": {} if raw == "resolve" else _data(_words(raw, where, ("data",)).get("data"), where)}


def _expect(raw: Any, where: str) -> dict[str, Any]:
    wanted = _words(raw, where, tuple(SEEN))
    if not wanted:
        raise _Wrong(f"{where}没有写明要核对的内容")
    return {name: SEEN[name](value, f"{where}的 {name} ") for name, value in wanted.items()}


def _finished(raw: Any, where: str) -> bool:
    if isinstance(raw, bool):
        return raw
    raise _Wrong(f"{where}应为 true 或 false")


def _incidents(raw: Any, where: str) -> list[dict[str, str]]:
    """What is not named of an incident is not compared."""
    if raw is not None and not isinstance(raw, list):
        raise _Wrong(f"{where}应为列表，每项写明 element、rule")
    return [{k: _text(v, where) for k, v in _words(item, where, ("element", "rule")).items()} for item in raw or []]


BESIDE = {"complete": ("by", "data", "refused"), "message": ("by",), "signal": ("by",), "rewind": ("by",)}
READ: dict[str, Callable[[Any, str], Any]] = {
    "complete": _text,
    "wait": lambda raw, where: _measured(parse_duration, raw, where),
    "message": _named,
    "signal": _named,
    "service": _named,
    "rewind": _rewind,
    "incident": _incident,
    "expect": _expect,
}
SEEN: dict[str, Callable[[Any, str], Any]] = {
    "open": _texts,
    "waiting": _texts,
    "overdue": _texts,
    "finished": _finished,
    "ended_at": _texts,
    "data": _data,
    "incidents": _incidents,
}
