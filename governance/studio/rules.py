"""What a draft may hold, and what the domain has against a process beyond what the engine has."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import timedelta

from engine.diagram import Node
from engine.form_files import PERSON, form_problems, named_by_forms
from engine.log import dumps
from engine.packages import Package, belongs
from engine.scenarios import MAX_STEPS, Deadlines, Played, play
from engine.validator import Problem, check_package
from engine.versions import thaw
from governance.calendar.rules import Unit as LimitUnit
from governance.errors import Refused
from governance.forms.rules import fields
from governance.people.rules import POSTS
from governance.workflow.assignment import CHOSEN, REPORTER, RULES, STARTER, STARTER_SELF
from governance.workflow.commands import CHECKS
from governance.workflow.rules import ESCALATE, FINISH, outcomes_alone, overdue_of, words
from governance.workflow.world import LOOKUPS

HOLD = timedelta(minutes=3)
"""How long nobody else may edit after the last sign of life of whoever does."""
AT_A_STRETCH = timedelta(minutes=10)
"""Edits of one person within this time are one revision."""
MAX_REVISIONS = 100
REASON = 500
FARTHEST = timedelta(days=366)

Files = Mapping[str, bytes]
Edits = Mapping[str, str | None]
"""By path, what a file says now; None when it is gone."""


def edited(files: Files, edits: Edits) -> Files:
    """The files after the edits; raises `Refused` for a name that is none of a package's."""
    if odd := next((name for name in edits if not belongs(name)), None):
        raise Refused({"files": f"流程包中不能有名为“{odd[:80]}”的文件"})
    kept = {name: text for name, text in files.items() if name not in edits}
    try:
        return kept | {name: text.encode() for name, text in edits.items() if text is not None}
    except UnicodeEncodeError as error:
        raise Refused({"files": "文件中有无法保存的字符"}) from error


def stored(files: Files) -> str:
    """The files as a draft keeps them."""
    return dumps({name: text.decode() for name, text in files.items()})


def files_of(kept: str) -> Files:
    """The files that a draft keeps."""
    return thaw(kept)


def problems_of(package: Package) -> tuple[Problem, ...]:
    """Everything that is wrong with a package, by the engine's rules and by the domain's."""
    return (*check_package(package), *dict.fromkeys((*_unknown(package), *_overdue(package))))


def played_scenarios(package: Package, deadlines: Deadlines) -> Mapping[str, Played]:
    """What became of the scenarios, by their files; together they may take so many steps as one alone."""
    played, left = dict[str, Played](), MAX_STEPS
    for file, scenario in zip(sorted(package.rehearsed), package.scenarios, strict=True):
        played[file] = play(package.program, scenario, deadlines, left, package.titles)
        left = max(0, left - played[file].cost)
    return played


def failed_scenarios(package: Package, deadlines: Deadlines) -> Mapping[str, str]:
    """The scenarios that do not pass, their names by their files."""
    return {file: played.name for file, played in played_scenarios(package, deadlines).items() if not played.passed}


def _unknown(package: Package) -> Iterator[Problem]:
    """Settings that name what the district does not know: nobody could do such a task."""
    for node in package.diagram.nodes.values():
        named = node.settings.get
        assign, limit, check = named("assign", {}), named("deadline", {}).get("unit", ""), named("check", {}).get("name", "")
        for post in _beyond(words(assign.get("post", "")), {*POSTS, REPORTER}):
            yield Problem("post_unknown", node.id, f"“{node.label}”的办理岗位“{post}”不存在。")
        for rule in _beyond([assign.get("unit", "")], {*RULES, REPORTER}):
            yield Problem("unit_rule_unknown", node.id, f"“{node.label}”的办理单位规则“{rule}”不存在。")
        for unit in _beyond([limit], set(LimitUnit)):
            yield Problem("limit_unit_unknown", node.id, f"“{node.label}”的时限单位“{unit}”不存在。")
        for name in _beyond([check], CHECKS):
            yield Problem("check_unknown", node.id, f"“{node.label}”的核对“{name}”不存在。")
        for name in _beyond([node.lookup or ""], LOOKUPS):
            yield Problem("lookup_unknown", node.id, f"“{node.label}”的查询“{name}”不存在。")
        if node.kind == "userTask" and "form" not in node.settings:
            yield Problem("form_missing", node.id, f"“{node.label}”没有设置表单。")

        form = package.forms.get(named("form", {}).get("key", ""), {"properties": {}})
        if assign.get("unit") == REPORTER and named_by_forms({"": form}, PERSON):
            yield Problem("person_for_reporter", node.id, f"“{node.label}”由反映人办理，表单中不能有人员项。")
        yield from _perhaps_nobody(package, node) if assign.get("unit") == CHOSEN else ()

    for key in (key for key, form in package.forms.items() if STARTER in form["properties"]):
        yield Problem("field_reserved", key, f"表单“{key}”中不能有编号为 starter 的项，它记着发起人。")
    for key, form in ((key, form) for key, form in package.forms.items() if not any(form_problems(form))):
        posts = (post for field in fields(form) for post in words(field.posts))
        yield from (Problem("post_unknown", key, f"表单“{key}”的可选岗位“{post}”不存在。") for post in _beyond(posts, POSTS))


def _perhaps_nobody(package: Package, node: Node) -> Iterator[Problem]:
    """Forms that may leave open who is to do a step."""
    person = node.settings["assign"].get("person", "")
    for key, form in package.forms.items():
        if person in named_by_forms({key: form}, PERSON) and person not in form.get("required", ()):
            title, named = form["properties"][person].get("title", person), form.get("title", key)
            said = f"“{node.label}”由“{title}”中选定的人员办理，表单“{named}”中这一项可以不填：没有选人，流程就停在这里。"
            yield Problem("person_optional", node.id, said, "warning")


def _overdue(package: Package) -> Iterator[Problem]:
    """What diagrams have done with overdue tasks and could not be done."""
    for node in package.diagram.nodes.values():
        if chosen := overdue_of(node.settings):
            yield from _not_escalated(node) if chosen == ESCALATE else _not_finished(package, node, chosen)


def _not_escalated(node: Node) -> Iterator[Problem]:
    limit = node.settings["deadline"]
    if node.settings.get("assign", {}).get("unit") in (REPORTER, STARTER_SELF, CHOSEN):
        yield Problem("overdue_without_superior", node.id, f"“{node.label}”由指定的个人办理，不能转由上级办理。")
    if "until" in limit:
        yield Problem("overdue_until", node.id, f"“{node.label}”直接给出截止时刻，没有时限可以重新计算，不能转由上级办理。")
    elif "amount" not in limit:
        yield Problem("overdue_without_limit", node.id, f"“{node.label}”设了超期处理，但没有设办理时限。")


def _not_finished(package: Package, node: Node, chosen: str) -> Iterator[Problem]:
    kind, _, value = chosen.partition(":")
    if kind != FINISH or not value:
        yield Problem("overdue_unknown", node.id, f"“{node.label}”的超期处理“{chosen}”不存在。")
        return
    form = package.forms.get(node.settings.get("form", {}).get("key", ""), {"properties": {}})
    if not any(form_problems(form)) and value not in outcomes_alone(form):
        yield Problem("overdue_outcome", node.id, f"“{node.label}”不能自动办结为“{value}”：表单没有这个结果，或者还须填写别的内容。")
    if not {"amount", "until"} & node.settings["deadline"].keys():
        yield Problem("overdue_without_limit", node.id, f"“{node.label}”设了超期处理，但没有设办理时限。")
    actor = node.settings.get("actor", {}).get("as")
    if actor and any(other.settings.get("assign", {}).get("unit") == actor for other in package.diagram.nodes.values()):
        yield Problem("overdue_nobody", node.id, f"“{node.label}”不能自动办结：有环节要找“{actor}”的单位，自动办结没有办理人。")


def _beyond(named: Iterable[str], known: Container[str]) -> Iterator[str]:
    """What is named, is not computed, and is not known."""
    return (name for name in named if name and not name.startswith("=") and name not in known)
