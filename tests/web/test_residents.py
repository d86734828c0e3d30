"""What residents see and do without an account, and what they must not see."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import select

from engine.log import entries
from governance.cases.models import Case
from governance.organisation.models import Unit
from tests.district import District
from tests.faults.people import Client, sign_in
from tests.journeys.matters import Matter, place, reported

WORDS = "楼道里的排水管漏水，从三楼一直滴到一楼。"


@pytest.fixture
def district(tmp_path: Path) -> Iterator[District]:
    made = District(tmp_path)
    yield made
    made.close()


def picture(colour: str) -> io.BytesIO:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(out, "PNG")
    return io.BytesIO(out.getvalue())


def place_id(district: District, code: str) -> str:
    with district.office.work() as context:
        return str(context.session.scalar(select(Unit.id).where(Unit.code == code)))


def cases(district: District) -> int:
    with district.office.work() as context:
        return len(context.session.scalars(select(Case)).all())


def test_going_back_and_sending_the_same_again_makes_no_second_case(district: District) -> None:
    resident, where = Client(district.app().test_client()), place_id(district, place(1))
    first = resident.post("/report", "/report", text=WORDS, place=where)
    again = resident.post("/report", "/report", text=WORDS, place=where)
    assert cases(district) == 1 and again.headers["Location"] == first.headers["Location"].partition("?")[0]
    other = resident.post("/report", "/report", text=WORDS + "还在漏。", place=where)
    assert other.status_code == 302 and cases(district) == 2


def test_everything_that_is_missing_is_said_at_once(district: District) -> None:
    page = Client(district.app().test_client()).post("/report", "/report").get_data(as_text=True)
    assert "请写明反映的问题" in page and "请选择问题所在的位置" in page and page.count('aria-invalid="true"') == 2


def test_a_neighbour_joins_a_report_instead_of_making_another(district: District) -> None:
    known = reported(district, place(1), WORDS)
    neighbour, where = Client(district.app().test_client()), place_id(district, place(1))
    similar = neighbour.post("/report/similar", "/report", text=WORDS, place=where).get_data(as_text=True)
    assert f'value="{known.case_id}"' in similar
    for _ in range(2):
        answer = neighbour.post("/report/also", "/report", text=WORDS, place=where, same_as=str(known.case_id))
        assert answer.status_code == 302
    assert cases(district) == 1 and repeats(district, known) == 1
    assert "已记下您也遇到了这件事" in neighbour.http.get("/").get_data(as_text=True)


def repeats(district: District, matter: Matter) -> int:
    with district.office.work() as context:
        instance_id = context.session.get_one(Case, matter.case_id).instance_id
        assert instance_id
        return sum(e.task_key == "reported_again" for e in entries(context.session.connection(), instance_id))


@pytest.mark.parametrize("said", ["完全不相干的另一件事情，说的是路灯。", ""])
def test_only_what_was_offered_can_be_joined(district: District, said: str) -> None:
    known = reported(district, place(1), WORDS)
    stranger, where = Client(district.app().test_client()), place_id(district, place(1))
    assert stranger.post("/report/also", "/report", text=said, place=where, same_as=str(known.case_id)).status_code == 404
    assert repeats(district, known) == 0


def photos_of(page: str) -> set[str]:
    return set(re.findall(r"/photos/(\d+)", page))


def test_a_reporter_never_sees_pictures_that_were_not_handed_in(district: District) -> None:
    matter = reported(district, place(1)).accepted()
    worker = sign_in(district.app(), district, "loudong")
    task = f"/tasks/{matter.task()}"
    sent = worker.http.post(f"{task}/photos", data={**worker.token(task), "file": (picture("#123"), "a.png")})
    draft = sent.get_json()["id"]
    resident = district.app().test_client()
    assert photos_of(resident.get(f"/follow/{matter.secret}").get_data(as_text=True)) == set()
    assert resident.get(f"/follow/{matter.secret}/photos/{draft}").status_code == 404
    done = {"handle_result": "settled", "measures": "换了水管。", "photos_after": draft, "contacted_reporter_at": "2026-03-02T09:00"}
    assert worker.post(f"{task}/complete", task, **done).status_code == 302
    assert photos_of(resident.get(f"/follow/{matter.secret}").get_data(as_text=True)) == {draft}
    with resident.get(f"/follow/{matter.secret}/photos/{draft}") as sent:
        assert sent.status_code == 200 and sent.mimetype == "image/jpeg"


def test_what_an_anonymous_reporter_is_promised_is_true(district: District) -> None:
    resident, where = Client(district.app().test_client()), place_id(district, place(1))
    follow = resident.post("/report", "/report", text=WORDS, place=where).headers["Location"]
    assert "匿名反映由社区代为核查评价" in resident.http.get(follow).get_data(as_text=True)


def test_a_page_sent_twice_with_other_words_is_another_report(district: District) -> None:
    resident, where = Client(district.app().test_client()), place_id(district, place(1))
    token = resident.token("/report")
    for text in (WORDS, "楼下的井盖不见了。"):
        assert resident.http.post("/report", data={**token, "text": text, "place": where}).status_code == 302
    assert cases(district) == 2


def test_no_more_pictures_than_nine_whatever_they_are_called(district: District) -> None:
    resident, where = Client(district.app().test_client()), place_id(district, place(1))
    many = {f"photos{n or ''}": (picture("#123"), "a.png") for n in range(10)}
    answer = resident.http.post("/report", data={**resident.token("/report"), "text": WORDS, "place": where, **many})
    assert answer.status_code == 422 and "照片最多 9 张" in answer.get_data(as_text=True) and cases(district) == 0


def test_nobody_elses_pictures_are_looked_at_on_staff_pages(district: District) -> None:
    matter = reported(district, place(1))
    stranger = Client(district.app().test_client())
    sent = stranger.http.post(f"/tasks/{matter.task()}/photos", data={**stranger.token("/report"), "file": (io.BytesIO(b"x"), "a.png")})
    assert sent.status_code == 302 and sent.headers["Location"].startswith("/login")


@pytest.mark.parametrize("path", ["/report?place={}", "/report/places?above={}", "/places/{}/qr.svg"])
def test_a_number_of_any_length_is_no_error_of_ours(district: District, path: str) -> None:
    assert district.app().test_client().get(path.format("9" * 5_000)).status_code in (200, 404)
