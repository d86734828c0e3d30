"""What changed between two versions, in sentences: one for each kind of edit, none for the drawing, and never silence about the rest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from bpmn import shipped
from engine.diagram import Node
from engine.difference import difference, is_redrawn
from engine.packages import DIAGRAM, Package, frozen_package, read_package
from engine.wording import FIELDS
from governance.workflow.rules import SETTING_WORDS

DECISION = read_package(shipped()["decision_task"])
DELIBERATION = read_package(shipped()["deliberation"])
FORM = "forms/carry_out_decision.json"
LIMIT = '<wz:deadline until="=due_at" amount="3" unit="work_days" />'


def edited(package: Package, name: str, *edits: tuple[str, str]) -> Package:
    """The package with texts of one file replaced."""
    text = package.files[name].decode()
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    return frozen_package({**package.files, name: text.encode()})


def reformed(change: Any) -> Package:
    """The package with a form that `change` has worked on."""
    form = json.loads(DECISION.files[FORM])
    change(form)
    return frozen_package({**DECISION.files, FORM: json.dumps(form, ensure_ascii=False).encode()})


def said(old: Package, new: Package) -> list[str]:
    return [change.message for change in difference(old, new, SETTING_WORDS)]


def chosen_from(**ui: str) -> Package:
    person = {"type": "string", "title": "协助人", "x-ui": {"widget": "person", **ui}}
    return reformed(lambda form: form["properties"].update(helper=person))


def test_whom_a_field_offers_is_told_in_words() -> None:
    before, after = chosen_from(posts="grid_lead", among="place"), chosen_from(posts="grid_lead,community_lead", among="district")
    assert said(before, after) == [
        "表单“落实议定事项”字段“协助人”的可选岗位由“网格长”改为“网格长、社区长”",
        "表单“落实议定事项”字段“协助人”的可选范围由“事项所在的社区及其上级”改为“全区”",
    ]
    assert said(after, chosen_from(among="district")) == ["表单“落实议定事项”字段“协助人”的可选岗位“网格长、社区长”取消"]


def test_a_step_for_people_chosen_in_a_form_is_told_in_words() -> None:
    diagram = DECISION.files["process.bpmn"].decode()
    first = diagram[diagram.index("<wz:assign") : diagram.index("/>", diagram.index("<wz:assign")) + 2]
    changed = edited(DECISION, "process.bpmn", (first, '<wz:assign unit="chosen" person="helper" />'))
    assert any("改为“单位 表单中选定的人员，人员项 helper”" in told for told in said(DECISION, changed))


EDITS = {
    "renamed": (
        ('name="核查落实情况"', 'name="核实"'),
        "环节“核实”的名称由“核查落实情况”改为“核实”",
    ),
    "limit": (
        ('<wz:deadline amount="3" unit="work_days" />', '<wz:deadline amount="1" unit="calendar_days" />'),
        "环节“核查落实情况”的办理时限由“3 工作日”改为“1 自然日”",
    ),
    "limit removed": ((LIMIT, ""), "环节“落实议定事项”的办理时限“3 工作日，截止于 =due_at”取消"),
    "overdue": (
        ('<wz:deadline amount="3" unit="work_days" />', '<wz:deadline amount="3" unit="work_days" overdue="escalate" />'),
        "环节“核查落实情况”的超期处理由“按规定催办”改为“转由上级办理”",
    ),
    "finished when overdue": (
        ('<wz:deadline amount="3" unit="work_days" />', '<wz:deadline amount="3" unit="work_days" overdue="finish:pass" />'),
        "环节“核查落实情况”的超期处理由“按规定催办”改为“自动办结（落实到位）”",
    ),
    "form": (
        ('<wz:form key="check_decision" />', '<wz:form key="carry_out_decision" />'),
        "环节“核查落实情况”的表单由“check_decision”改为“carry_out_decision”",
    ),
    "actions": (('allow="transfer,communicate"', 'allow="transfer,copy"'), "环节“核查落实情况”的可用操作由“转办、沟通”改为“转办、抄送”"),
    "condition": (
        ('check_result == "pass"', 'check_result != "back"'),
        '连线“落实到位吗？”到“已落实”的条件由“check_result == "pass"”改为“check_result != "back"”',
    ),
    "flow renamed": (('name="到位"', 'name="通过"'), "连线“落实到位吗？”到“已落实”的名称由“到位”改为“通过”"),
    "kind": (
        ('bpmn:endEvent id="decision_carried_out" name="已落实">', 'bpmn:task id="decision_carried_out" name="已落实">'),
        "环节“已落实”的类型由“结束事件”改为“环节”",
    ),
    "process renamed": (('name="落实会议决定" isExecutable', 'name="落实决定" isExecutable'), "流程名称由“落实会议决定”改为“落实决定”"),
}


@pytest.mark.parametrize("kind", EDITS)
def test_an_edit_of_the_diagram_has_its_sentence(kind: str) -> None:
    edit, sentence = EDITS[kind]
    edits = [edit, ("</bpmn:endEvent>", "</bpmn:task>")] if kind == "kind" else [edit]
    assert said(DECISION, edited(DECISION, DIAGRAM, *edits)) == [sentence]


def test_a_step_put_between_two_is_named_with_its_settings_and_its_flows() -> None:
    step = (
        '<bpmn:userTask id="legal_review" name="法律审查"><bpmn:extensionElements><wz:assign post="legal_adviser" unit="convener" />'
        '<wz:deadline amount="2" unit="work_days" /></bpmn:extensionElements></bpmn:userTask>'
        '<bpmn:sequenceFlow id="reviewed" sourceRef="legal_review" targetRef="check_decision" />'
    )
    new = edited(
        DECISION,
        DIAGRAM,
        ('<bpmn:sequenceFlow id="decision_handed_over_to', step + '<bpmn:sequenceFlow id="decision_handed_over_to'),
        ('sourceRef="carry_out_decision" targetRef="check_decision"', 'sourceRef="carry_out_decision" targetRef="legal_review"'),
    )
    assert said(DECISION, new) == [
        "新增环节“法律审查”（办理人：岗位 法律顾问，单位 召集人所在的单位；办理时限：2 工作日）",
        "新增连线：“法律审查”到“核查落实情况”",
        "连线改接：原“落实议定事项”到“核查落实情况”，现“落实议定事项”到“法律审查”",
    ]
    assert said(new, DECISION)[0] == "删除环节“法律审查”"


FORM_EDITS: dict[str, tuple[Any, str]] = {
    "required field": (
        lambda form: (form["properties"].update(leader={"type": "string", "title": "联系领导"}), form["required"].append("leader")),
        "表单“落实议定事项”新增必填字段“联系领导”",
    ),
    "field": (lambda form: form["properties"].update(note={"type": "string", "title": "备注"}), "表单“落实议定事项”新增字段“备注”"),
    "field removed": (
        lambda form: form["properties"].pop("result_text") and form["required"].remove("result_text"),
        "表单“落实议定事项”删除字段“落实情况”",
    ),
    "optional": (lambda form: form["required"].remove("result_text"), "表单“落实议定事项”字段“落实情况”改为选填"),
    "longer": (
        lambda form: form["properties"]["result_text"].update(maxLength=2000),
        "表单“落实议定事项”字段“落实情况”的字数上限由“1000”改为“2000”",
    ),
    "option": (
        lambda form: form["properties"]["carry_result"]["oneOf"].append({"const": "stuck", "title": "无法落实"}),
        "表单“落实议定事项”字段“办理结果”的选项新增“无法落实”",
    ),
    "title": (lambda form: form.update(description="写明结果。"), "表单“落实议定事项”的标题、说明或显示方式有改动"),
}


@pytest.mark.parametrize("kind", FORM_EDITS)
def test_an_edit_of_a_form_has_its_sentence(kind: str) -> None:
    change, sentence = FORM_EDITS[kind]
    assert said(DECISION, reformed(change)) == [sentence]


def test_rows_of_a_decision_table_are_named_by_their_place() -> None:
    name = next(name for name in DELIBERATION.files if name.startswith("tables/"))
    text = DELIBERATION.files[name].decode()
    row = text[text.index("<rule") : text.index("</rule>") + 7] if "<rule" in text else ""
    assert row
    new = frozen_package({**DELIBERATION.files, name: text.replace(row, "", 1).encode()})
    assert [told.partition("：")[0] for told in said(DELIBERATION, new)] == ["决策表“议事规则”删除一行"]
    assert [told.partition("：")[0] for told in said(new, DELIBERATION)] == ["决策表“议事规则”新增第 1 行"]


def test_a_package_does_not_differ_from_itself_nor_by_its_drawing() -> None:
    assert said(DELIBERATION, DELIBERATION) == [] and not is_redrawn(DELIBERATION, DELIBERATION)
    moved = edited(DECISION, DIAGRAM, ('<dc:Bounds x="120"', '<dc:Bounds x="121"'))
    assert said(DECISION, moved) == [] and is_redrawn(DECISION, moved)


def test_a_file_written_in_another_order_is_not_redrawn() -> None:
    definitions = etree.fromstring(DECISION.files[DIAGRAM])
    for part in definitions.iter():
        attributes = sorted(part.attrib.items(), reverse=True)
        part.attrib.clear()
        part.attrib.update(attributes)
    plane = next(part for part in definitions.iter() if part.tag.endswith("BPMNPlane"))
    plane[:] = reversed(plane)
    written = frozen_package({**DECISION.files, DIAGRAM: etree.tostring(definitions, encoding="utf-8")})
    assert written.files[DIAGRAM] != DECISION.files[DIAGRAM] and not is_redrawn(DECISION, written)


def test_of_a_script_only_the_lines_that_differ_are_said() -> None:
    node = '<bpmn:scriptTask id="noted" name="记录"><bpmn:script>{}</bpmn:script></bpmn:scriptTask><bpmn:sequenceFlow id="decision_handed_over_to'
    old, new = (
        edited(DECISION, DIAGRAM, ('<bpmn:sequenceFlow id="decision_handed_over_to', node.format(text)))
        for text in ("tier = 5\noverdue = false", "tier = 6\noverdue = false")
    )
    assert said(old, new) == ["环节“记录”的脚本删去“tier = 5”，增加“tier = 6”"]


def test_every_part_of_a_node_is_compared() -> None:
    assert {*FIELDS, "id", "name", "settings"} == {field.name for field in fields(Node)}


def test_markup_in_names_stays_text() -> None:
    new = edited(DECISION, DIAGRAM, ('name="核查落实情况"', 'name="&lt;script&gt;alert(1)&lt;/script&gt;"'))
    assert said(DECISION, new) == ["环节“<script>alert(1)</script>”的名称由“核查落实情况”改为“<script>alert(1)</script>”"]


TEXT = st.text("甲乙ab", max_size=3)
WORDS: Mapping[str, st.SearchStrategy[Any]] = {
    "title": TEXT,
    "maxLength": st.integers(1, 9),
    "x-ui": st.dictionaries(st.sampled_from(["widget", "help"]), TEXT),
    "oneOf": st.lists(st.fixed_dictionaries({"const": st.sampled_from("abc"), "title": TEXT}), max_size=3),
}


@given(st.dictionaries(st.sampled_from(["result_text", "carry_result", "more"]), st.fixed_dictionaries({}, optional=dict(WORDS))))
def test_no_change_of_a_form_is_passed_over(fields: dict[str, Any]) -> None:
    new = reformed(lambda form: form.update(properties=fields))
    assert bool(said(DECISION, new)) == (new.forms != DECISION.forms)
