"""English is whole: every text of the pages and every sentence of the lower floors, and no Chinese but data on an English page."""

from __future__ import annotations

import ast
import io
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import select

from bpmn import shipped
from engine.packages import read_package
from governance.cases.codes import codes
from governance.organisation.models import Unit
from governance.people.models import Person
from governance.people.rules import POSTS
from tests.district import District
from tests.journeys.matters import Matter, place, reported
from web.sentences import SPLIT, _patterns, say

ROOT = Path(__file__).parents[2]
CATALOGUE = ROOT / "web" / "translations" / "en" / "LC_MESSAGES" / "messages.po"
CHINESE = re.compile("[\u3400-\u9fff]")
PLACEHOLDER = re.compile(r"%\(\w+\)s")


def english() -> Catalog:
    return read_po(io.BytesIO(CATALOGUE.read_bytes()), locale="en")


def said() -> set[str]:
    """Every text that the pages mark as one."""
    methods = [("**.py", "python"), ("templates/**.html", "jinja2")]
    keywords = {"_": None, "gettext": None, "lazy_gettext": None, "N_": None}
    found = extract_from_dir(ROOT / "web", methods, {}, keywords=keywords, directory_filter=lambda path: "frontend" not in path)
    return {message for _file, _line, message, _comments, _context in found if isinstance(message, str) and message}


def test_every_text_is_translated() -> None:
    known = {message.id: message for message in english() if message.id}
    assert said() - known.keys() == set(), "没有译文"
    assert known.keys() - said() == set(), "已不再使用"
    assert [message.id for message in known.values() if not message.string or message.fuzzy] == []
    assert [m.id for m in known.values() if sorted(PLACEHOLDER.findall(m.id)) != sorted(PLACEHOLDER.findall(m.string))] == []
    foreign = {m.id for m in known.values() if CHINESE.search(m.string)}
    assert foreign <= {text for text in known if "列：" in text or "“工作日”" in text}, "sheets keep their Chinese column names"


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


DATA_WORDS = frozenset(
    [post.name for post in POSTS.values()]
    + ["已结案", "不予受理", "已撤回", "已作废", "已并案", "居民撤回", "并案", "待受理"]
    + [
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
        "是",
        "否",
        "日期",
        "说明",
        "工作日",
        "休息日",
    ]
    + ["工作时", "紧急工作时", "自然日", "个工作日", "个工作时", "天", "小时", "分", "（代理）"]
)
"""Names, codes and column heads: data, or parts of a sentence that is known as a whole."""


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
    return any(pattern.fullmatch(text) for _template, pattern in _patterns())


def test_every_sentence_of_the_lower_floors_is_known() -> None:
    files = [*(ROOT / "governance").rglob("*.py"), ROOT / "engine" / "errors.py", ROOT / "engine" / "instances.py"]
    texts = {(path.name, text) for path in files for text in _sentences(path) if CHINESE.search(text)}
    notes = {text for _name, text in texts if re.fullmatch("(人工|导入)：7|7 7 7 小时", text) or text.startswith("(")}
    unknown = {
        (name, text)
        for name, text in texts
        if text not in DATA_WORDS | notes
        and not _is_known(text)
        and not all(_is_known(part) for part in SPLIT.split(text) if CHINESE.search(part))
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


@pytest.fixture(scope="module")
def matters(town: District) -> dict[str, Matter]:
    handled = reported(town, place(1)).accepted()
    handled.do(handle_result="escalate", work_done="已围挡。", escalation_reason="没有能力。", opinion="请网格统筹。")
    town.clock.pass_by(days=3)
    town.tick()
    return {"handled": handled, "answered": reported(town, place(4)).replied(), "vacant": reported(town, place(6))}


@pytest.fixture(scope="module")
def data(town: District) -> re.Pattern[str]:
    """Everything that is data: names, texts, forms, codes, the diagram's own words."""
    package = read_package(shipped()["issue_disposal"])
    words = {*_strings(codes()), *_strings(list(package.forms.values())), *_strings(list(package.tables.values())), *DATA_WORDS}
    words |= {node.name for node in package.diagram.nodes.values()} | {process.name or "" for process in package.diagram.processes.values()}
    words |= {settings.get("value", "") for node in package.diagram.nodes.values() for settings in node.settings.values()}
    with town.office.work() as context:
        words |= set(context.session.scalars(select(Unit.name))) | set(context.session.scalars(select(Person.name)))
    words |= {
        "楼道里的排水管漏水，从三楼一直滴到一楼，老人走路容易摔倒",
        "更换了密封圈",
        "已修好，请查看",
        "内部研判：老旧管网",
        "现场干燥",
    }
    words |= {"已围挡", "没有能力", "请网格统筹", "随产品发布", "人工", "国务院办公厅", "中文"}
    return re.compile("|".join(re.escape(word) for word in sorted(words, key=len, reverse=True) if CHINESE.search(word)))


def _foreign(page: bytes, data: re.Pattern[str]) -> list[str]:
    tree = html.fromstring(page)
    for skipped in tree.xpath("//*[@lang='zh' or contains(@class, 'brand-mark') or self::script]"):
        skipped.drop_tree()
    texts = [*tree.itertext(), *tree.xpath("//@title | //@placeholder | //@aria-label | //@alt")]
    return sorted({text.strip() for text in texts if CHINESE.search(data.sub("", text))})


def _client(town: District, username: str) -> FlaskClient:
    client = town.app().test_client()
    client.set_cookie("language", "en")
    if username:
        token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/login").get_data(as_text=True))
        assert token
        client.post("/login", data={"csrf_token": token.group(1), "username": username, "password": town.password})
    return client


def test_no_chinese_but_data_is_on_an_english_page(town: District, matters: dict[str, Matter], data: re.Pattern[str]) -> None:
    handled, answered = matters["handled"], matters["answered"]
    pages = {
        "": ["/", f"/report?place={place(1)}", f"/follow/{handled.secret}", f"/follow/{answered.secret}?new=1", "/login", "/nowhere"],
        "wangge": ["/inbox", "/inbox?box=done", "/inbox?box=started", f"/tasks/{handled.task('handle_at_tier')}"],
        "wanggeyuan06": ["/inbox", f"/tasks/{matters['vacant'].task()}"],
        "shenji": [f"/cases/{handled.case_id}", f"/cases/{answered.case_id}"],
        "lianxizhuren": [f"/cases/{handled.case_id}"],
        "guanli": [
            "/admin",
            "/admin/units",
            "/admin/people",
            "/admin/people/accounts",
            "/admin/calendar",
            "/admin/calendar?year=2030",
            "/admin/processes/incidents",
            "/admin/processes",
        ],
    }
    found = {}
    for username, addresses in pages.items():
        client = _client(town, username)
        for address in addresses:
            if foreign := _foreign(client.get(address).get_data(), data):
                found[address] = foreign
    assert found == {}


def test_refusals_are_in_english(town: District, matters: dict[str, Matter], data: re.Pattern[str]) -> None:
    client = _client(town, "wanggeyuan06")
    address = f"/tasks/{matters['vacant'].task()}"
    token = re.findall(r'name="csrf_token" value="([^"]+)"', client.get(address).get_data(as_text=True))[-1]
    answer = client.post(f"{address}/complete", data={"csrf_token": token, "accept_result": "refuse"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422 and "Please choose: 不予受理原因" in page
    assert _foreign(answer.get_data(), data) == []


@pytest.mark.parametrize(
    ("chinese", "expected"),
    [
        ("剩 2 个工作日", "2 working days left"),
        ("超期 1 个工作日 3 个工作时", "overdue by 1 working day 3 working hours"),
        ("剩 3 小时 20 分", "3 h 20 min left"),
        ("请填写处置措施；意见不能超过 1000 个字", "Please fill in: 处置措施; Opinion may have at most 1000 characters"),
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
