"""A new process in sentences: everything that it does, in the order in which it is come to, in words that officials know."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bpmn import beginning, shipped
from engine.errors import Unreadable
from engine.packages import DIAGRAM, Package, frozen_package, read_package
from engine.wording import Change
from governance.studio.conditions import Conditions
from governance.studio.description import described
from tests.engine.test_hostile_diagrams import mutant

REQUEST = frozen_package(beginning("request", "process_1", "请假"))
SHIPPED = {key: read_package(folder) for key, folder in shipped().items()}


def said(package: Package, part: str) -> list[str]:
    return [change.message for change in described(package) if change.part == part]


def edited(*edits: tuple[str, str]) -> Package:
    text = REQUEST.files[DIAGRAM].decode()
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    return frozen_package({**REQUEST.files, DIAGRAM: text.encode()})


def test_the_steps_are_told_in_the_order_in_which_they_are_come_to() -> None:
    assert said(REQUEST, "diagram") == [
        "新建流程“请假”",
        "开始事件“提交申请” · 填写表单“申请”；之后到“审批”",
        "环节“审批” · 办理人：岗位 网格长、片区长、社区长、指挥长、负责人、联席办主任、联系领导，单位 发起人所在的单位，回避 发起人；"
        "填写表单“审批”；办理结果：“同意”、“退回修改”、“不同意”；办理时限：2 工作日；经办人记作：审批人；可用操作：转办、取回、催办、抄送；超期处理：按规定催办；之后到“同意吗？”",
        "判断“同意吗？”",
        "“同意吗？”到“已同意” · “审批结果”是“同意”",
        "“同意吗？”到“未同意” · “审批结果”是“不同意”",
        "“同意吗？”到“修改申请” · 其余情况",
        "结束事件“已同意”",
        "结束事件“未同意”",
        "环节“修改申请” · 办理人：发起人本人；填写表单“申请”；办理时限：5 工作日；可用操作：取回；超期处理：按规定催办；之后到“审批”",
    ]


def test_forms_are_told_field_by_field_as_they_are_come_to() -> None:
    assert said(REQUEST, "form") == [
        "表单“申请” · 共 3 项；没有意见栏",
        "表单“申请”的“事由” · 长文字；必填；字数上限：500",
        "表单“申请”的“开始日期” · 日期；必填",
        "表单“申请”的“结束日期” · 日期；必填",
        "表单“审批” · 共 1 项；有意见栏；须写意见的情况：“审批结果”不是“同意”",
        "表单“审批”的“审批结果” · 办理结果；必填；选项：“同意”、“退回修改”、“不同意”",
    ]


def test_decision_tables_are_told_row_by_row() -> None:
    assert said(SHIPPED["issue_disposal"], "table")[:3] == [
        "决策表“受理时限” · 依据：“紧急程度”；得出：“数量”、“单位”",
        "决策表“受理时限”第 1 行 · 依据：“紧急程度”是“P1”；得出：“数量”是“0.25”，“单位”是“紧急工作时”",
        "决策表“受理时限”第 2 行 · 依据：“紧急程度”是“P2”；得出：“数量”是“1”，“单位”是“紧急工作时”",
    ]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ('decision == "agree"', "“审批结果”是“同意”"),
        ('decision in ["agree", "refuse"]', "“审批结果”是“同意、不同意”之一"),
        ('decision not in ["agree"]', "“审批结果”不是“同意”之一"),
        ('decision != "agree" and days > 3', "“审批结果”不是“同意”，并且“days”大于“3”"),
        ("not urgent or days <= 3 or defined(reason)", "“urgent”是“否”，或者“days”不超过“3”，或者“事由”已有数据"),
        ("urgent", "“urgent”是“是”"),
        ("not defined(reason)", "“事由”还没有数据"),
        ('"a" in kinds', "“kinds”包含“a”"),
        ('"a" not in kinds', "“kinds”不包含“a”"),
        ("starter == approver", "“starter”是“approver”"),
        ('reason != ""', "“事由”不是“无”"),
        ("a and (b or c)", "“a and (b or c)”成立"),
        ("len(kinds) > 2", "“len(kinds) > 2”成立"),
        ("days >", "“days >”成立"),
        ("", "“无”成立"),
    ],
)
def test_a_condition_is_told_by_the_names_of_fields_and_options(written: str, told: str) -> None:
    assert Conditions(REQUEST).told(written) == told


def test_whoever_a_form_chooses_is_told_by_the_name_of_the_field() -> None:
    chosen = '<wz:assign unit="chosen" person="reason" />'
    assert "办理人：单位 表单中选定的人员，人员项 事由" in said(edited(('<wz:assign unit="starter_self" />', chosen)), "diagram")[-1]


def test_what_waits_and_what_is_repeated_is_told() -> None:
    """A step for each of several, and an event on it."""
    loop = (
        '<bpmn:multiInstanceLoopCharacteristics isSequential="true"><bpmn:loopDataInputRef>units</bpmn:loopDataInputRef>'
        '<bpmn:completionCondition>decision == "refuse"</bpmn:completionCondition></bpmn:multiInstanceLoopCharacteristics>'
    )
    late = (
        '<bpmn:boundaryEvent id="late" name="过期" attachedToRef="revise_request" cancelActivity="false"><bpmn:timerEventDefinition>'
        "<bpmn:timeDuration>P3D</bpmn:timeDuration></bpmn:timerEventDefinition></bpmn:boundaryEvent>"
        '<bpmn:sequenceFlow id="gone" sourceRef="late" targetRef="refused" />'
    )
    step = '<bpmn:userTask id="revise_request" name="修改申请">'
    new = edited(('<bpmn:endEvent id="agreed"', f'{late}<bpmn:endEvent id="agreed"'), (step, f"{step}{loop}"))
    told = said(new, "diagram")
    assert "多份依次办理；“units”中每项一份；提前结束的条件：“审批结果”是“不同意”" in next(
        one for one in told if one.startswith("环节“修改申请”")
    )
    assert "附着事件“过期” · 附着在“修改申请”上；时间“P3D”；不中断所附的环节；之后到“未同意”" in told


@pytest.mark.parametrize("package", SHIPPED.values(), ids=SHIPPED)
def test_nothing_is_left_out(package: Package) -> None:
    told: tuple[Change, ...] = described(package)
    drawn = [change.element for change in told if change.part == "diagram"]
    conditions = {flow.id for flow in package.diagram.flows.values() if flow.condition}
    assert package.diagram.nodes.keys() | conditions <= {*drawn}
    assert len(drawn) == len({*drawn})
    fields = [name for form in package.forms.values() for name in form["properties"]]
    assert len([one for one in told if one.part == "form"]) == len(package.forms) + len(fields)
    rows = [rule for table in package.tables.values() for rule in table.rules]
    assert len([one for one in told if one.part == "table"]) == len(package.tables) + len(rows)


def test_a_form_that_cannot_be_read_is_named_all_the_same() -> None:
    new = frozen_package({**REQUEST.files, "forms/approve.json": b'{"title": "X", "properties": {"a": []}}'})
    assert "表单“X” · 还有错误" in said(new, "form")


@settings(max_examples=300, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_whatever_can_be_read_can_be_told(data: st.DataObject) -> None:
    """Drafts are looked at before they are fit to be published."""
    with suppress(Unreadable):
        package = frozen_package({**REQUEST.files, DIAGRAM: mutant(data.draw)})
        assert package.diagram.main and described(package)


@settings(deadline=None, derandomize=True, database=None)
@given(st.text("abxin notdefined()[]\"',.<>=!&|+-*/0123_：“”", max_size=60))
def test_whatever_is_written_as_a_condition_is_told(written: str) -> None:
    assert Conditions(REQUEST).told(written)


def test_markup_in_names_stays_text() -> None:
    new = edited(('name="已同意"', 'name="&lt;script&gt;“已”&lt;/script&gt;"'))
    assert "结束事件“<script>“已”</script>”" in said(new, "diagram")
