"""The pages of matters: the board of those who work on them, and what everybody may see and do."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import event

from api.work import db
from tests.deliberations import ESTATE, Topic, suggested
from tests.district import District
from tests.faults.people import Client, sign_in
from tests.journeys.matters import addressee

SECRETS = ("李桂芳", "1390000", "何建国", "13700000001", "预算没有公开")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    made = District(tmp_path_factory.mktemp("town"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def app(town: District) -> Flask:
    return town.app()


@pytest.fixture(scope="module")
def posted(town: District) -> Topic:
    """A matter whose resolution is on public notice, and objected to."""
    topic = suggested(town).supported(3).accepted().proposed().consulted()
    topic.called("社区党员名册", "PARTY_MEETING").voted(20).announced()
    return topic.called("居民代表名册", "RESIDENT_REPS").voted(40).announced().resolved().posted().objected("预算没有公开")


def read(app: Flask, path: str) -> str:
    answer = app.test_client().get(path)
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)


def test_everybody_sees_what_is_decided_and_nobody_who_spoke(app: Flask, posted: Topic) -> None:
    for path in ("/deliberation", f"/deliberation/{posted.number}", f"/deliberation/mine/{posted.secret}"):
        page = read(app, path)
        assert "三号楼加装电梯" in page and not [secret for secret in SECRETS if secret in page], path
    page = read(app, f"/deliberation/{posted.number}")
    assert "已有 3 人附议" in page and "同意三号楼加装电梯。" in page and "公示期内可以提出异议" in page


def test_the_staff_see_masked_names_and_the_words_of_an_objection(app: Flask, town: District, posted: Topic) -> None:
    task = posted.task("answer_objection")
    page = sign_in(app, town, addressee(town, task)).http.get(f"/tasks/{task}").get_data(as_text=True)
    assert "预算没有公开" in page and "何**" in page and "李**" in page
    assert "何建国" not in page and "13700000001" not in page


def test_the_notice_is_printed(app: Flask, posted: Topic) -> None:
    address = re.search(r'href="(/deliberation/\w+/notices/\d+\.pdf)"', read(app, f"/deliberation/{posted.number}"))
    assert address
    answer = app.test_client().get(address.group(1))
    assert answer.mimetype == "application/pdf" and answer.get_data().startswith(b"%PDF")


def test_a_suggestion_says_what_is_missing_where_it_is_missing(app: Flask) -> None:
    client = Client(app.test_client())
    answer = client.post("/deliberation/suggest", "/deliberation/suggest", title="", problem="有", wish="x" * 2001, contact_mobile="1")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422 and "请选择这是哪里的事" in page
    place = re.search(r'<option value="(\d+)" ?>滨江街道', page)
    assert place
    sent = {"title": "", "problem": "有", "wish": "x" * 2001, "contact_mobile": "1", "place": place.group(1)}
    page = client.post("/deliberation/suggest", "/deliberation/suggest", **sent).get_data(as_text=True)
    for said in ("请填写议题名称，不超过 80 个字", "请填写您的建议，不超过 2000 个字", "请填写正确的手机号码，或者留空"):
        assert said in page


def test_what_is_not_open_is_refused_with_a_sentence(app: Flask, posted: Topic) -> None:
    client, page = Client(app.test_client()), f"/deliberation/{posted.number}"
    who = {"name": "王芳", "mobile": "13900001111", "household": "1栋101"}
    for action, more in (("support", {}), ("evaluate", {"satisfaction": "5"})):
        answer = client.post(f"{page}/{action}", page, **who, **more)
        assert answer.status_code == 409 and "这件议题现在不在这一步" in answer.get_data(as_text=True)


def test_the_board_counts_by_tier_and_stage_and_asks_no_more_for_more(app: Flask, town: District, posted: Topic) -> None:
    suggested(town, ESTATE, "更换门禁")
    worker = sign_in(app, town, "shuji")
    few = statements(app, lambda: worker.http.get("/matters"))
    for n in range(8):
        suggested(town, title=f"议题{n}")
    assert statements(app, lambda: worker.http.get("/matters")) <= few + 2
    page = worker.http.get("/matters?tier=community&stage=suggestion").get_data(as_text=True)
    assert re.search(r'<th scope="row">社区事</th><td><a href="[^"]*" aria-current="true">8</a>', page) and "更换门禁" not in page


def statements(app: Flask, ask: object) -> int:
    """How many statements a request takes."""
    counted: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        counted.append(statement)

    with app.app_context():
        event.listen(db.engine, "after_cursor_execute", note)
        ask()  # type: ignore[operator]
        event.remove(db.engine, "after_cursor_execute", note)
    return len(counted)
