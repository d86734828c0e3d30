"""English is whole: every text of the pages and every sentence of the lower floors, and no Chinese but data on an English page."""

from __future__ import annotations

import ast
import io
import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po
from flask.testing import FlaskClient
from lxml import etree, html
from sqlalchemy import select
from werkzeug.test import TestResponse

from bpmn import beginning, shipped
from engine.packages import Package, frozen_package, read_package
from engine.schema import process_versions
from engine.versions import publish
from governance.cases.codes import codes
from governance.cases.photos import Picture
from governance.meetings.commands import add_item, note_result
from governance.meetings.decisions import Resolved, confirm, record
from governance.meetings.minutes import record_signature, write_minutes
from governance.meetings.queries import agenda
from governance.meetings.rules import Body
from governance.organisation.models import Unit
from governance.people.models import Appointment, Person
from governance.people.rules import POSTS
from governance.studio.models import Draft
from governance.studio.queries import package_of_draft
from tests.district import District
from tests.governance.meeting_world import ESTATE, Hall
from tests.journeys.matters import LEAK, Matter, addressee, place, reported
from web.codes import CODES
from web.sentences import CLAUSES, _patterns, _plain, say

ROOT = Path(__file__).parents[2]
CATALOGUE = ROOT / "web" / "translations" / "en" / "LC_MESSAGES" / "messages.po"
CHINESE = re.compile("[\u3400-\u9fff]")
PLACEHOLDER = re.compile(r"%\(\w+\)s")


def english() -> Catalog:
    return read_po(io.BytesIO(CATALOGUE.read_bytes()), locale="en")


Key = tuple[str, str | None]
"""A text and where it stands, when that makes a difference."""


def said() -> set[Key]:
    """Every text that the pages mark as one."""
    methods = [("**.py", "python"), ("templates/**.html", "jinja2")]
    keywords = {"_": None, "gettext": None, "lazy_gettext": None, "N_": None, "lazy_pgettext": ((1, "c"), 2), "pgettext": ((1, "c"), 2)}
    found = extract_from_dir(ROOT / "web", methods, {}, keywords=keywords, directory_filter=lambda path: "frontend" not in path)
    return {
        (message if isinstance(message, str) else message[-1], context) for _file, _line, message, _comments, context in found if message
    }


def test_every_text_is_translated() -> None:
    known = {(message.id, message.context or None): message for message in english() if message.id}
    assert said() - known.keys() == set(), "没有译文"
    assert known.keys() - said() == set(), "已不再使用"
    assert [message.id for message in known.values() if not message.string or message.fuzzy] == []
    assert [m.id for m in known.values() if sorted(PLACEHOLDER.findall(m.id)) != sorted(PLACEHOLDER.findall(m.string))] == []
    foreign = {m.id for m in known.values() if CHINESE.search(m.string)}
    assert foreign <= {text for text, _context in known if "列：" in text or "“工作日”" in text}, "sheets keep their Chinese column names"


def test_no_plural_is_guessed() -> None:
    assert [m.string for m in english() if "(s)" in m.string or re.search(r"\b1 \w+s\b", m.string)] == []


def test_the_code_lists_are_in_the_catalogue() -> None:
    lists = {name: value for name, value in codes().items() if name != "priorities"} | {
        "priorities": [p["name"] for p in codes()["priorities"]]
    }
    lists["categories"] = [(c["name"], c["major_name"]) for c in codes()["categories"]]
    lists["evaluation"] = {name: value for name, value in codes()["evaluation"].items() if name != "no_answer"}
    assert {text for text in _strings(lists) if CHINESE.search(text)} | {post.name for post in POSTS.values()} == CODES


# ---- processes -------------------------------------------------------------------------------------------------------


def texts_of(package: Package) -> set[str]:
    """Every Chinese text of a package that a page may show."""
    root = etree.fromstring(package.files["process.bpmn"])
    drawn = [element.get("name") for element in root.iter(etree.Element)]
    drawn += [element.get("value") for element in root.iter("{urn:wuzhang:bpmn:1}status")]
    drawn += [element.text for element in root.iter("{http://www.omg.org/spec/BPMN/20100524/MODEL}text")]
    found = [*drawn, *(table.name for table in package.tables.values()), *_labels(list(package.forms.values()))]
    return {text for text in found if text and CHINESE.search(text)}


def _labels(form: Any) -> Iterator[str]:
    """Titles and descriptions, however deep; a choice without a title is shown by its value."""
    if isinstance(form, dict):
        yield from (form[key] for key in ("title", "description") if isinstance(form.get(key), str))
        if "const" in form and "title" not in form:
            yield str(form["const"])
        yield from (str(value) for value in form.get("enum", ()))
    for part in form.values() if isinstance(form, dict) else form if isinstance(form, list) else ():
        yield from _labels(part)


SHIPPED = {key: read_package(folder) for key, folder in shipped().items()}
SHIPPED["request"] = frozen_package(beginning("request", "process_1", "request"))


@pytest.mark.parametrize("package", SHIPPED.values(), ids=SHIPPED)
def test_a_shipped_process_is_whole_in_english(package: Package) -> None:
    given = package.texts["en"]
    assert texts_of(package) - given.keys() == set(), "没有译文"
    assert given.keys() - texts_of(package) == set(), "已不再使用"
    assert [text for text, translated in given.items() if not translated.strip() or CHINESE.search(translated)] == []


def test_a_status_reads_the_same_wherever_it_is_shown() -> None:
    catalogue = {message.id: message.string for message in english() if not message.context}
    given = read_package(shipped()["issue_disposal"]).texts["en"]
    assert {text: given[text] for text in codes()["case_status"] if text in given and given[text] != catalogue[text]} == {}


def test_the_compiled_catalogue_is_that_of_the_text() -> None:
    compiled = io.BytesIO()
    write_mo(compiled, english())
    fresh, kept = (read_mo(io.BytesIO(content)) for content in (compiled.getvalue(), CATALOGUE.with_suffix(".mo").read_bytes()))
    assert {m.id: m.string for m in kept if m.id} == {m.id: m.string for m in fresh if m.id}, "运行 pybabel compile"


def test_every_text_on_a_template_is_marked() -> None:
    """What remains of a template without its code and without the marked texts holds no Chinese."""
    left = {}
    for path in (ROOT / "web" / "templates").rglob("*.html"):
        plain = re.sub(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|<span class=\"brand-mark\".*?</span>", "", path.read_text("utf-8"), flags=re.S)
        left |= {path.name: CHINESE.findall(plain)} if CHINESE.search(plain) else {}
    assert left == {}


COLUMNS = frozenset(
    [
        "户数",
        "编码",
        "名称",
        "上级编码",
        "小区编码",
        "外部编码",
        "类型",
        "姓名",
        "手机",
        "单位编码",
        "代理",
        "岗位",
        "业主编号",
        "面积",
        "是",
        "否",
        "日期",
        "说明",
        "工作日",
        "休息日",
    ]
)
"""The heads of the sheets' columns and what stands in them."""
PARTS = frozenset(["工作时", "紧急工作时", "自然日", "个工作日", "个工作时", "天", "小时", "分", "（代理）"])
"""Parts of sentences that are known as a whole."""


def _sentences(path: Path) -> Iterator[str]:
    """The Chinese texts of a module; what is filled in reads 7. Docstrings count when they are what an error says."""
    tree = ast.parse(path.read_text("utf-8"))
    silent = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    silent |= {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node) if part is not node}
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and (ast.get_docstring(node) or "").endswith("。"):
            yield str(ast.get_docstring(node))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent:
            yield node.value
        elif isinstance(node, ast.JoinedStr) and id(node) not in silent:
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "7" for part in node.values)


def _is_known(text: str) -> bool:
    return text in CODES or text in _plain() or any(pattern.fullmatch(text) for _template, pattern in _patterns())


def test_every_sentence_of_the_lower_floors_is_known() -> None:
    files = [*(ROOT / "governance").rglob("*.py"), *(ROOT / "engine").glob("*.py")]
    texts = {(path.name, text) for path in files for text in _sentences(path) if CHINESE.search(text)}
    notes = {text for _name, text in texts if re.fullmatch("(人工|导入)：7|7 7 7 小时", text) or text.startswith("(")}
    unknown = {
        (name, text)
        for name, text in texts
        if text not in COLUMNS | PARTS | notes
        and not _is_known(text)
        and not all(_is_known(part) for part in CLAUSES.split(text) if CHINESE.search(part))
    }
    assert unknown == set()


# ---- pages in English ------------------------------------------------------------------------------------------------


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from chain.from_iterable(map(_strings, value.values()))
    elif isinstance(value, list | tuple):
        yield from chain.from_iterable(map(_strings, value))


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    made = District(tmp_path_factory.mktemp("town"))
    yield made
    made.close()


WRITTEN = {
    "measures": "更换了密封圈。",
    "reply_text": "已修好，请查看。",
    "work_done": "已围挡。",
    "escalation_reason": "没有能力。",
    "supplement_wanted": "请问是几单元？",
    "assessment": "管网老化。",
}
"""What people wrote."""
MEETING = (
    *(
        "三月居民代表会议",
        "社区会议室",
        "三号楼加装电梯",
        "临时的议题",
        "原则同意",
        "记录甲",
        "记录乙",
        "更换水管",
        "3 栋居民代表",
        "5 栋居民代表",
    ),
)


@pytest.fixture(scope="module")
def matters(town: District) -> dict[str, Matter]:
    """One at each kind of place that a case comes to."""
    handled, street, office = (reported(town, place(n)).accepted() for n in (1, 2, 3))
    for matter, tier in ((handled, ""), (street, "assess_at_street"), (office, "assess_at_street")):
        while not tier or tier not in matter.open():
            matter.do(handle_result="escalate", work_done="已围挡。", escalation_reason="没有能力。", opinion="请网格统筹。")
            tier = tier or "handle_at_tier"
    office.do(assess_result="escalate", assessment="管网老化。", escalation_reason="没有能力。")
    town.clock.pass_by(days=3)
    town.tick()
    refused = reported(town, place(7))
    refused.do(
        accept_result="refuse",
        category="0205",
        refuse_reason="违法违俗",
        told_route="已说明",
        reply_text="已修好，请查看。",
        opinion="请网格统筹。",
    )
    return {
        "handled": handled,
        "street": street,
        "office": office,
        "answered": reported(town, place(4)).replied(),
        "asked": reported(town, place(5)).do(accept_result="supplement", category="0205", supplement_wanted="请问是几单元？"),
        "vacant": reported(town, place(6)),
        "graded": reported(town, place(8)).do(accept_result="accept", category="0205"),
        "refused": refused,
    }


@pytest.fixture(scope="module")
def data(town: District) -> re.Pattern[str]:
    """The names of people and places, and what people wrote."""
    with town.office.work() as context:
        words = {*context.session.scalars(select(Unit.name)), *context.session.scalars(select(Person.name))}
    words |= {*MEETING, "王**", "李**", "张**", "王秀英", "李国庆", "张小梅"}
    words |= {text.rstrip("。？") for text in (LEAK, *WRITTEN.values(), "内部研判：老旧管网。", "现场干燥。", "请网格统筹。", "已说明。")}
    return re.compile("|".join(re.escape(word) for word in sorted(words, key=len, reverse=True)))


def _foreign(page: bytes, data: re.Pattern[str]) -> list[str]:
    tree = html.fromstring(page)
    for skipped in tree.xpath("//*[@lang='zh' or contains(@class, 'brand-mark') or self::script]"):
        skipped.drop_tree()
    texts = [*tree.itertext(), *tree.xpath("//@title | //@placeholder | //@aria-label | //@alt | //@label | //@data-title")]
    mine = (text.strip() for text in texts if CHINESE.search(data.sub("", text)))
    return sorted({text for text in mine if not text.startswith("Excel or CSV with the columns")})


def _client(town: District, username: str) -> FlaskClient:
    client = town.app().test_client()
    client.set_cookie("language", "en")
    if username:
        _post(client, "/login", "/login", username=username, password=town.password)
    return client


def _post(client: FlaskClient, address: str, page: str, **data: str) -> TestResponse:
    token = re.findall(r'name="csrf_token" value="([^"]+)"', client.get(page).get_data(as_text=True))[-1]
    return client.post(address, data={"csrf_token": token, **data}, headers={"Referer": f"http://localhost{page}"})


@pytest.fixture(scope="module")
def meetings(town: District, matters: dict[str, Matter]) -> dict[str, int]:
    """A draft, and a meeting that has come as far as its decisions."""
    now = town.clock.at
    with town.office.work() as context:
        hall = Hall(town, context)
        draft, held, lead = hall.draft(Body.OWNERS, 3, ESTATE), hall.opened(), hall.holder()
        add_item(context, lead, held.id, "临时的议题")
        note_result(context, lead, held.id, agenda(context.session, held.id)[0].id, "原则同意")
        for version, text in enumerate(("记录甲", "记录乙")):
            written = write_minutes(context, lead, held.id, text, version)
            record_signature(context, lead, held.id, written.id, hall.roll(held)[0].id, Picture(b"", 1, 1))
        resolved = Resolved("更换水管", str(hall.unit("500199-D01").id), context.today + timedelta(days=9))
        confirm(context, lead, held.id, record(context, lead, held.id, resolved).id)
        found = {"draft": draft.id, "open": held.id}
    town.clock.at = now
    return found


def test_no_chinese_but_data_is_on_an_english_page(
    town: District, matters: dict[str, Matter], meetings: dict[str, int], data: re.Pattern[str]
) -> None:
    reporters = [f"/follow/{matter.secret}" for matter in matters.values()]
    pages = {
        "": ["/", f"/report?place={place(1)}", *reporters, f"{reporters[0]}?new=1", f"{reporters[0]}?thanks=1", "/login", "/nowhere"],
        "wangge": ["/inbox", "/inbox?box=done", "/inbox?box=started", "/inbox?q=nothing", "/inbox?overdue=1", "/password", "/cases"],
        "wanggeyuan06": ["/inbox"],
        "shenji": ["/cases", *(f"/cases/{matter.case_id}" for matter in matters.values())],
        "shequ": [
            "/meetings",
            "/meetings?scope=unit&level=grid",
            "/meetings/new",
            *(f"/meetings/{meetings['draft']}{part}" for part in ("", "/edit", "/attendees", "/notice", "/live", "/minutes")),
            *(f"/meetings/{meetings['open']}{part}" for part in ("", "/notice", "/live", "/minutes", "/decisions", "/files")),
        ],
        "jiedao": [f"/meetings/{meetings['open']}"],
        "lianxizhuren": ["/inbox", f"/cases/{matters['handled'].case_id}"],
        "guanli": [
            "/admin",
            "/admin/units",
            "/admin/people",
            "/admin/people/accounts",
            "/admin/people/vacancies",
            _person(town),
            "/admin/calendar",
            "/admin/calendar?year=2030",
            "/admin/vote-rules",
            "/admin/vote-rules?from=OWNER_ORD",
            "/rolls",
            "/votes",
            "/ballots",
            "/admin/meetings",
            "/admin/processes/incidents",
            "/admin/tasks",
            "/admin/processes",
            _version(town),
        ],
    }
    found = {}
    for username, addresses in pages.items():
        client = _client(town, username)
        for address in addresses:
            if foreign := _foreign(client.get(address).get_data(), data):
                found[address] = foreign
    assert found == {}


def _person(town: District) -> str:
    with town.office.work() as context:
        return f"/admin/people/{context.session.scalars(select(Appointment.person_id).where(Appointment.post == 'grid_lead')).first()}"


def _version(town: District) -> str:
    with town.office.work() as context:
        version = context.session.scalar(select(process_versions.c.id).where(process_versions.c.key == "issue_disposal"))
        return f"/admin/processes/{version}"


STEPS = {
    "vacant": "accept_case",
    "graded": "grade_case",
    "handled": "handle_at_tier",
    "street": "assess_at_street",
    "office": "dispatch_case",
}


@pytest.mark.parametrize("name", STEPS)
def test_a_task_is_in_english_whatever_is_chosen(town: District, matters: dict[str, Matter], data: re.Pattern[str], name: str) -> None:
    """The page, its form for each outcome, who is next, and what is refused."""
    matter = matters[name]
    task = matter.task(STEPS[name])
    client, address = _client(town, addressee(town, task)), f"/tasks/{task}"
    page = client.get(address)
    assert page.status_code == 200
    found = {"page": _foreign(page.get_data(), data)}
    buttons = html.fromstring(page.get_data()).xpath("//input[@data-shapes]")
    assert buttons
    for button in buttons:
        chosen = {button.get("name"): button.get("value")}
        for part in ("shape", "foresee", "complete"):
            answer = _post(client, f"{address}/{part}", address, **chosen)
            assert answer.status_code in (200, 302, 422), part
            found[f"{part} {chosen}"] = _foreign(answer.get_data() or b"<p></p>", data)
            if answer.status_code == 302:
                return
    assert {where: foreign for where, foreign in found.items() if foreign} == {}


def test_what_was_done_is_said_in_english(town: District, data: re.Pattern[str]) -> None:
    matter = reported(town, place(9))
    client, address = _client(town, addressee(town, matter.task())), f"/tasks/{matter.task()}"
    filled = {"accept_result": "on_spot", "category": "0205", "measures": WRITTEN["measures"], "reply_text": WRITTEN["reply_text"]}
    seen = _post(client, f"{address}/foresee", address, **filled)
    assert _foreign(seen.get_data(), data) == []
    assert _post(client, f"{address}/complete", address, **filled, opinion="现场干燥。").status_code == 302
    assert "“Accept and register” done: Settle on the spot." in (page := client.get("/inbox")).get_data(as_text=True)
    assert _foreign(page.get_data(), data) == []
    auditor = _client(town, "shenji")
    proof = _post(auditor, f"/cases/{matter.case_id}/verify", f"/cases/{matter.case_id}")
    assert "The record is whole" in proof.get_data(as_text=True)


def test_the_diagram_is_drawn_in_the_language_of_the_reader(town: District, matters: dict[str, Matter]) -> None:
    address = f"/cases/{matters['handled'].case_id}/diagram.bpmn"
    client = _client(town, "shenji")
    for client_address in (address, f"{_version(town)}/diagram.bpmn"):
        client = _client(town, "shenji" if client_address == address else "guanli")
        answer = client.get(client_address)
        names = [element.get("name", "") for element in etree.fromstring(answer.get_data()).iter(etree.Element)]
        assert "Accept and register" in names and not any(CHINESE.search(name) for name in names)
        assert answer.headers["Content-Language"] == "en" and "Cookie" in answer.headers["Vary"]
        client.set_cookie("language", "zh")
        assert client.get(client_address).get_data() == read_package(shipped()["issue_disposal"]).files["process.bpmn"]


def test_refusals_are_in_english(town: District, matters: dict[str, Matter], data: re.Pattern[str]) -> None:
    client = _client(town, "wanggeyuan06")
    address = f"/tasks/{matters['vacant'].task()}"
    answer = _post(client, f"{address}/complete", address, accept_result="refuse")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422 and "Please choose: Reason for refusal" in page
    assert _foreign(answer.get_data(), data) == []
    stranger = _client(town, "")
    answer = _post(stranger, "/report", f"/report?place={place(1)}", text="", contact_mobile="1", key="k")
    assert answer.status_code == 422 and _foreign(answer.get_data(), data) == []
    follow = f"/follow/{matters['asked'].secret}"
    answer = _post(stranger, f"{follow}/tasks/{matters['asked'].task()}", follow, supplement_result="supplied")
    assert answer.status_code == 422 and _foreign(answer.get_data(), data) == []


@pytest.mark.parametrize(
    ("chinese", "expected"),
    [
        ("剩 2 个工作日", "2 working days left"),
        ("超期 1 个工作日 3 个工作时", "overdue by 1 working day 3 h"),
        ("剩 3 小时 20 分", "3 h 20 min left"),
        (
            "请填写处置措施和结果；意见不能超过 1000 个字",
            "Please fill in: What was done, and the result; Opinion may have at most 1000 characters",
        ),
        ("临江社区第三网格网格长须回避", "Grid lead of 临江社区第三网格 must stand aside"),
        ("剩 1 个工作时 5 分", "1 working hour 5 min left"),
        ("公共设施 · 排水管网", "Public facilities · Drains and sewers"),
        (
            "回放到第 3 步时与记录不一致：查询“grid”没有记录在案的答复",
            "The replay differs from the record at step 3: No answer to the lookup “grid” is on record",
        ),
        ("受理登记", "Accept and register"),
        (
            "环节“受理登记”的办理时限由“3 工作日，截止于 =due_at”改为“1 工作日，截止于 =due_at”",
            "Step “Accept and register” · Time limit changed from “3 working days, until =due_at” to “1 working day, until =due_at”",
        ),
        (
            "环节“受理登记” · 办理人：岗位 网格员、网格长，单位 所在街道，回避 发起人；填写表单“受理登记”；办理结果：“受理”、“不予受理”；"
            "办理时限：3 工作日；超期处理：按规定催办；之后到“受理登记”、“看现场”",
            "Step “Accept and register” · Handled by: post Grid worker, Grid lead, unit The subdistrict, without Started by; "
            "form “Accept and register” is filled in; Outcome: “Accept”, “Not accepted”; Time limit: 3 working days; "
            "When overdue: Reminders as the rules say; then to “Accept and register”, “看现场”",
        ),
        (
            "“受理登记”到“看现场” · “办理结果”是“受理、不予受理”之一，并且“days”大于“3”",
            "“Accept and register” to “看现场” · “Outcome” is one of “Accept, Not accepted”, and “days” is more than “3”",
        ),
        (
            "表单“受理登记”的“问题类别” · 目录选择；选填；必填的情况：“办理结果”不是“受理”；选项：“受理”、“不予受理”；填写提示“照实填”",
            "Form “Accept and register”, field “Category” · from a list; optional; required when “Outcome” is not “Accept”; "
            "choices: “Accept”, “Not accepted”; hint “照实填”",
        ),
        (
            "决策表“受理时限”第 2 行 · 依据：“紧急程度”任意，“级别”是“3”；得出：“数量”是“1”",
            "Decision table “Acceptance limits”, row 2 · looks at: any “Priority”, “级别” is “3”; gives: “数量” is “1”",
        ),
        (
            "待办应为 “受理登记”、“看现场”，实际为 无。",
            "Open tasks should be “Accept and register”, “看现场” and are none.",
        ),
        ("子流程“受理登记” · 属于“受理登记”", "Subprocess “Accept and register” · part of “Accept and register”"),
        ("数据“问题类别”应为 3，实际没有填写。", "Data “Category”: expected 3, found nothing."),
        ("环节“受理登记”的办理时限“3 工作日”取消", "Step “Accept and register” · Time limit “3 working days” removed"),
        (
            "环节“受理登记”的可用操作由“转办、沟通”改为“转办、抄送”",
            "Step “Accept and register” · Allowed actions changed from “Hand on, Consult” to “Hand on, Copy”",
        ),
        (
            "新增环节“看现场”（办理人：岗位 网格长，单位 所在街道；办理时限：2 工作日）",
            "Step “看现场” added (Handled by: post Grid lead, unit The subdistrict; Time limit: 2 working days)",
        ),
        ("新增连线：“看现场”到“受理登记”，条件“a == 1”", "Line added: “看现场” to “Accept and register”, with the condition “a == 1”"),
        ("表单“落实议定事项”字段“落实情况”改为选填", "Form “Carry out the decision” · Field “What was done” is now optional"),
        ("表单“落实议定事项”的字段顺序有调整", "Form “Carry out the decision” · The order of the fields changed"),
        ("决策表“T”第 2 行由“任意，3”改为“任意，5”", "Decision table “T” · row 2 changed from “any, 3” to “any, 5”"),
        ("环节“记录”的脚本删去“f(5，6)”，增加“f(6)”", "Step “记录” · Script: “f(5，6)” removed, “f(6)” added"),
        (
            "“受理登记”的时间无法读取：“P7X”不是 ISO 8601 时长（例如 P7D、PT2H）。",
            "The time of “Accept and register” cannot be read: “P7X” is not an ISO 8601 duration (such as P7D or PT2H).",
        ),
        (
            "流程包存在问题，不能发布：“受理登记”没有设置由谁办理。；表单“a”：“b”的 x-ui 的 visible ：表达式有误：“c ==”的写法有误。",
            "The process package has problems and cannot be published: “Accept and register” does not say who shall do it."
            " Form “a”: visible of x-ui of “b”: The expression is wrong: “c ==” is not well formed.",
        ),
        (
            "决策表不能使用：规则“r1”的输入第 2 列：“<”写法有误，内容没有写完。",
            "The decision table cannot be used: Rule “r1” · input column 2: “<” is not well written, it is not complete.",
        ),
        (
            "场景文件“a.yaml”第 3 步 wait ：“P7X”不是 ISO 8601 时长（例如 P7D、PT2H）。",
            "Scenario file “a.yaml”: wait of step 3: “P7X” is not an ISO 8601 duration (such as P7D or PT2H).",
        ),
        ("将产生待办“受理登记”、“看现场”", "It will open “Accept and register”, “看现场”"),
        ("他说“好的”，再看看、再等等", "他说“好的”，再看看、再等等"),
        (
            "导入表中有错误，未写入任何内容：第 3 行没有“长官”这个岗位",
            "The sheet has errors; nothing was written: row 3: There is no post “长官”",
        ),
        ("谁也没见过的话", "谁也没见过的话"),
    ],
)
def test_a_sentence_is_recognised_by_its_pattern(town: District, chinese: str, expected: str) -> None:
    with town.app().test_request_context(headers={"Cookie": "language=en"}):
        assert say(chinese) == expected


@pytest.mark.parametrize("endless", ["剩 " * 600, "由“" * 300 + "甲”改为“乙”" * 300, "甲：乙；" * 200, "甲，" * 500])
def test_whatever_people_write_is_read_to_its_end(town: District, endless: str) -> None:
    """Sentences hold sentences, but not for ever."""
    with town.app().test_request_context(headers={"Cookie": "language=en"}):
        assert all(word in say(endless) for word in CHINESE.findall(endless)[-2:])


# ---- the studio in English -------------------------------------------------------------------------------------------

Edits = tuple[tuple[str, str, str], ...]
"""The file, what stands there, and what takes its place; nothing stands for the whole file, and nothing in its place removes it."""
SLOWER = ("process.bpmn", '<wz:deadline amount="4" unit="work_hours" />', '<wz:deadline amount="2" unit="work_days" />')
ADDED = """<bpmn:userTask id="look" name="看现场"><bpmn:extensionElements><wz:assign post="grid_worker" unit="first_receiver" />
<wz:form key="grade_case" /><wz:deadline amount="1" unit="work_days" /></bpmn:extensionElements></bpmn:userTask>
<bpmn:sequenceFlow id="looked" sourceRef="look" targetRef="grade_outcome" />"""
BETWEEN = 'id="grade_case_to_grade_outcome" sourceRef="grade_case" targetRef="'
CHANGED: Edits = (
    SLOWER,
    ("process.bpmn", '<wz:form key="sign_explanation" />', '<wz:form key="rectify" />'),
    ("forms/sign_explanation.json", "", ""),
    ("process.bpmn", f"<bpmn:sequenceFlow {BETWEEN}grade_outcome", f"{ADDED}<bpmn:sequenceFlow {BETWEEN}look"),
    ("process.bpmn", '<wz:actions allow="transfer,withdraw,urge,communicate" />', '<wz:actions allow="transfer,copy" />'),
    ("forms/grade_case.json", '"maxLength": 20', '"maxLength": 30'),
    ("forms/grade_case.json", '"title": "自办"', '"title": "逐级"'),
)
BROKEN: Edits = (
    ("process.bpmn", '<wz:assign post="grid_worker,grid_lead,community_worker,command_centre" unit="first_receiver" />', ""),
    (
        "process.bpmn",
        '<wz:assign post="grid_worker,grid_lead,community_worker" unit="place" />',
        '<wz:assign post="nobody" unit="nowhere" />',
    ),
    ("process.bpmn", ">P3D<", ">three days<"),
    ("process.bpmn", ">grade_result == ", ">grade_result = "),
    ("process.bpmn", 'targetRef="mediate_case"', 'targetRef="nowhere"'),
    ("process.bpmn", '<wz:form key="rework_case" />', '<wz:form key="" />'),
    ("forms/sign_explanation.json", "", ""),
    ("forms/grade_case.json", '"maxLength": 20', '"maxLength": "long", "maximal": 3'),
    ("tables/tier_limits.dmn", '<text>"P1"</text>', '<text>，"P1"</text>'),
)


def _drafted(town: District, designer: FlaskClient, edits: Edits) -> str:
    """The address of a draft of the process of issues, so edited."""
    address = _post(designer, _version(town).replace("processes/", "studio/from/"), "/admin/processes").headers["Location"]
    held = designer.get(f"{address}/files.json").get_json()
    files: dict[str, str | None] = {}
    for name, old, new in edits:
        text = files.get(name, held["files"][name])
        assert isinstance(text, str) and old in text, old
        files[name] = text.replace(old, new) if old else None
    token = re.findall(r'name="csrf_token" value="([^"]+)"', designer.get("/admin/processes").get_data(as_text=True))[-1]
    sent = {"revision": held["revision"], "files": files}
    answer = designer.post(f"{address}/files", json=sent, headers={"X-CSRFToken": token, "Referer": "http://localhost/"})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return str(address)


def _ran(town: District, designer: FlaskClient, address: str, page: str) -> list[str]:
    """The pages of a run that a form begins: all its results, and those of one kind."""
    answer = _post(designer, address, page, last="200")
    assert answer.status_code == 302, answer.get_data(as_text=True)
    run = answer.headers["Location"]
    assert "hx-get" in designer.get(run).get_data(as_text=True)
    town.tick()
    endings = re.findall(r"ending=(\w+)#", designer.get(run).get_data(as_text=True))
    assert endings
    cases = re.findall(rf"{run}/cases/\d+", designer.get(run).get_data(as_text=True))
    return [run, f"{run}?ending={endings[0]}", *cases[:3]]


def test_the_studio_is_in_english(town: District, matters: dict[str, Matter], data: re.Pattern[str]) -> None:
    """What changed, what is wrong, what past cases would do, who can come along to a new version."""
    written = re.compile(f"{data.pattern}|看现场|随产品发布|特急，任一级")
    designer, town.clock.at = _client(town, "liucheng"), town.clock.at + timedelta(days=1)
    changed, broken = _drafted(town, designer, CHANGED), _drafted(town, designer, BROKEN)
    pages = ["/admin/processes", changed, f"{changed}/review", f"{broken}/review", f"{changed}/rehearsals"]
    pages += _ran(town, designer, f"{changed}/rehearsals", f"{changed}/rehearsals")
    old = int(_version(town).rpartition("/")[2])
    with town.office.work() as context:
        new = publish(
            context.session.connection(), context.new_id(), _package(context, changed), context.now(), by="test", reason="trial"
        ).id
    target = f"/admin/studio/to/{new}"
    pages += [f"/admin/studio/compare/{old}/{new}", target, *_ran(town, designer, target, target)]
    shown = {page: designer.get(page).get_data() for page in pages}
    assert {page: foreign for page in pages if (foreign := _foreign(shown[page], written))} == {}
    told = shown[f"{changed}/review"].decode()
    for sentence in (
        "Step “Grade and categorise” · Time limit changed from “4 working hours” to “2 working days”",
        "Step “看现场” added (Handler: post Grid worker",
        "Form “Sign the explanation” removed",
    ):
        assert sentence in told


def _package(context: Any, address: str) -> Package:
    return package_of_draft(context.session.get_one(Draft, int(address.rpartition("/")[2])))
