"""Votes at the pages: the rule, the roll, the slip in somebody's hand, the staff's numbers, the result; and over the interface."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from lxml import html
from sqlalchemy import select

from governance.identity.commands import issue_token
from governance.identity.models import Account
from governance.organisation.models import Kind
from governance.organisation.queries import of_kind
from governance.voting.codes import voting_code
from governance.voting.commands import call_vote, close_vote
from tests.deliberations import jpeg, suggested
from tests.district import District
from tests.faults.people import Client, sign_in
from tests.votes import owners, residents, sheet

CHINESE = re.compile("[\u3400-\u9fff]")


@dataclass
class Polls:
    """A district whose community lead keeps rolls and runs votes."""

    district: District
    app: Flask
    lead: Client

    def book(self, kind: str, lines: list[str]) -> str:
        """A roll opened and filled at the pages; its address."""
        place, unit = ("community", "临江社区")
        opened = self.lead.post("/rolls", "/rolls", kind=kind, place_kind=place, unit=unit, name="名册", valid_from="2026-01-01")
        assert opened.status_code == 302, opened.get_data(as_text=True)
        address = str(opened.headers["Location"])
        brought = self.bring(address, sheet(lines))
        assert brought.status_code == 302, brought.get_data(as_text=True)
        return address

    def bring(self, address: str, content: bytes) -> Any:
        sent: dict[str, Any] = {**self.lead.token(address), "file": (io.BytesIO(content), "roll.csv")}
        return self.lead.http.post(f"{address}/import", data=sent)

    def vote(self, rule: str, book: str, **changed: Any) -> int:
        """A vote that has begun; the clock moves."""
        starts = self.district.clock() + timedelta(days=17)
        terms = {
            "vote_rule": rule,
            "roll_book": book.rpartition("/")[2],
            "vote_question": "是否同意更换电梯？",
            "vote_starts_at": starts.isoformat(),
            "vote_ends_at": (starts + timedelta(days=2)).isoformat(),
            **changed,
        }
        with self.district.office.work() as context:
            vote_id = call_vote(context, terms, matter_id=None, stage="resolution").id
        self.district.clock.at = starts
        self.lead = sign_in(self.app, self.district, "shequ")
        return int(vote_id)

    def slip(self, vote_id: int, number: int) -> str:
        return f"/vote/{voting_code(self.district.office.sealer, vote_id, number)}"

    def close(self, vote_id: int) -> None:
        self.district.clock.pass_by(days=2)
        with self.district.office.work() as context:
            close_vote(context, vote_id)
        self.lead = sign_in(self.app, self.district, "shequ")


@pytest.fixture(scope="module")
def polls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Polls]:
    district = District(tmp_path_factory.mktemp("polls"))
    app = district.app()
    yield Polls(district, app, sign_in(app, district, "shequ"))
    district.close()


def text_of(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status, answer.get_data(as_text=True)
    return str(answer.get_data(as_text=True))


def test_a_resident_votes_with_the_slip_and_no_account(polls: Polls) -> None:
    vote_id = polls.vote("RESIDENT_MEETING", polls.book("residents", residents(3)))
    slips = text_of(polls.lead.http.get(f"/votes/{vote_id}/slips"))
    mine = polls.slip(vote_id, 2)
    assert mine in slips and slips.count("data:image/svg+xml") == 3
    voter = Client(polls.app.test_client())
    page = text_of(voter.http.get(mine))
    assert "是否同意更换电梯？" in page and "到会的人数须超过全体的 1/2" in page and "居**" in page and "居民2" not in page
    asked = text_of(voter.post(mine, mine, choice="yes"))
    assert "确认投票" in asked and "确认后不能更改" in asked
    assert "已投票" not in text_of(voter.http.get(mine)), "nothing is cast before it is confirmed"
    assert voter.post(mine, mine, choice="yes", confirm="1").status_code == 302
    done = text_of(voter.http.get(mine))
    assert "已投票" in done and "确认投票" not in done
    again = voter.http.post(mine, data={**voter.token("/report"), "choice": "no", "confirm": "1"})
    assert "这一票已经投过了" in text_of(again, 409)
    assert text_of(voter.http.get(mine[:-3] + "AAA"), 404)
    seen = text_of(polls.lead.http.get(f"/votes/{vote_id}"))
    assert "已投票 1 人，共 3 人" in seen and "到会的人数占全体 1/3 &gt; 1/2 ✗" in seen
    assert mine not in text_of(polls.lead.http.get(f"/votes/{vote_id}/slips"))
    assert "已投票 1 人" in text_of(polls.lead.http.get(f"/votes/{vote_id}/turnout"))
    polls.close(vote_id)
    assert "参与未达到规定比例" in text_of(voter.http.get(mine))
    assert "未达到法定人数" in text_of(polls.lead.http.get("/votes"))


def test_staff_enters_paper_mandates_and_who_has_come(polls: Polls) -> None:
    vote_id = polls.vote("OWNER_ORD", polls.book("owners", owners("80", "90.5", "100")))
    page, lead = f"/votes/{vote_id}", polls.lead
    assert lead.post(f"{page}/paper", page, number="1", choice="yes").status_code == 302
    assert "这一票已经投过了" in text_of(lead.post(f"{page}/paper", page, number="1", choice="yes"), 409)
    stayed = text_of(lead.post(f"{page}/paper", page, number="甲", choice="no"), 409)
    assert "请填写名册上的序号" in stayed and "录入纸质选票" in stayed and 'value="no" selected' in stayed
    assert lead.post(f"{page}/mandates", page, principal="2", proxy_number="3").status_code == 302
    assert "每人最多接受 1 人委托" not in text_of(lead.http.get(page))
    assert "已委托" in text_of(lead.http.get(page))
    mine = polls.slip(vote_id, 3)
    assert "委托您投票" in text_of(lead.http.get(mine))
    assert lead.post(mine, mine, choice="no", number="2", confirm="1").status_code == 302
    assert "这一票已经投过了" in text_of(lead.post(f"{page}/mandates/2/withdraw", page), 409)
    assert lead.post(f"{page}/attended", page, numbers="3，1").status_code == 302
    seen = text_of(lead.http.get(f"{page}?left=1"))
    assert "面积 170.50 / 270.50 平方米" in seen and "到会未投票" in seen
    assert "第 1 号" not in text_of(lead.http.get(f"{page}?q=3-301"))


def test_the_box_of_a_secret_vote_at_the_page(polls: Polls) -> None:
    vote_id = polls.vote("RESIDENT_MEETING", polls.book("residents", residents(3)), is_secret=True)
    page, lead = f"/votes/{vote_id}", polls.lead
    assert lead.post(f"{page}/paper", page, number="1").status_code == 302
    shown = text_of(lead.http.get(page))
    assert "秘密表决，计票前只显示参与情况" in shown and "占全体" not in shown
    assert "不能多于领出而未清点的 1 张" in text_of(lead.post(f"{page}/box", page, box_yes="2"), 409)
    assert lead.post(f"{page}/box", page, box_yes="1").status_code == 302
    polls.close(vote_id)
    assert "同意 1 人" in text_of(polls.lead.http.get(page))


def test_who_is_signed_in_finds_the_votes_that_wait(polls: Polls) -> None:
    vote_id = polls.vote("PARTY_MEETING", polls.book("party_members", [*residents(2), "党员,,,,,wangge"]))
    member = sign_in(polls.app, polls.district, "wangge")
    assert f"/ballots/{vote_id}" in text_of(member.http.get("/ballots"))
    here = f"/ballots/{vote_id}"
    assert "确认投票" in text_of(member.post(here, here, choice="yes"))
    assert member.post(here, here, choice="yes", confirm="1").status_code == 302
    assert "已投票" in text_of(member.http.get(here))
    assert text_of(polls.lead.http.get(here), 404)


def test_a_sheet_is_refused_line_by_line_and_a_foreign_roll_is_not_there(polls: Polls) -> None:
    address = polls.book("residents", residents(2))
    refused = text_of(polls.bring(address, sheet(["张三,12,,,,", ",,,,,"])), 422)
    assert "第 2 行：手机号码应为 7 至 15 位数字，或者留空" in refused and "居**" in refused
    assert "请选择要导入的文件" in text_of(polls.lead.post(f"{address}/import", address), 422)
    assert "请选择单位级别" in text_of(polls.lead.post("/rolls", "/rolls", kind="residents"), 422)
    assert "有效期填写不正确" in text_of(polls.lead.post(f"{address}/end", address, valid_to="soon"), 422)
    assert polls.lead.post(f"{address}/end", address, valid_to="2027-01-01").status_code == 302
    with polls.district.office.work() as context:
        other = next(u for u in of_kind(context.session, Kind.COMMUNITY) if u.name != "临江社区").name
    away = polls.lead.post("/rolls", "/rolls", kind="residents", place_kind="community", unit=other, name="名册")
    assert away.status_code == 403


def test_the_lead_of_another_community_sees_neither_roll_nor_vote(polls: Polls) -> None:
    book = polls.book("residents", residents(2))
    vote_id = polls.vote("RESIDENT_MEETING", book)
    other = sign_in(polls.app, polls.district, "shequ02")
    for address in (book, f"/votes/{vote_id}", f"/votes/{vote_id}/slips", f"/votes/{vote_id}/turnout"):
        assert text_of(other.http.get(address), 404)
    for act in ("paper", "box", "attended", "mandates", "mandates/1/withdraw"):
        sent = other.http.post(f"/votes/{vote_id}/{act}", data={**other.token("/rolls"), "number": "1", "principal": "1", "choice": "yes"})
        assert sent.status_code == 404, act
    assert book not in text_of(other.http.get("/rolls")) and f"/votes/{vote_id}" not in text_of(other.http.get("/votes"))


def test_a_rule_is_changed_by_a_new_version_and_nonsense_is_refused_at_the_field(polls: Polls) -> None:
    administrator = sign_in(polls.app, polls.district, "guanli")
    page = "/admin/vote-rules?from=RESIDENT_REPS"
    tree = html.fromstring(text_of(administrator.http.get(page)))
    assert tree.xpath("//h2[contains(., '居民代表会议')]/span[contains(., '待法务确认')]")
    form = dict(tree.xpath("//form[@id='new']")[0].form_values())
    marks = {
        name: [value for key, value in tree.xpath("//form[@id='new']")[0].form_values() if key == name]
        for name in ("participating", "present")
    }
    assert form["attend_heads_share"] == "2/3" and form["pass_heads_base"] == "present" and len(marks["present"]) == 5
    refused = administrator.http.post("/admin/vote-rules", data={**form, **marks, "attend_heads_share": "4/3", "proxy_limit": "-1"})
    said = text_of(refused, 422)
    assert "参与条件的比例须大于 0、不超过 1" in said and "每人受托的人数不能是负数" in said
    day = str((polls.district.clock() + timedelta(days=1)).date())
    sent = administrator.http.post(
        "/admin/vote-rules", data={**form, **marks, "attend_heads_share": "3/4", "unconfirmed": "", "valid_from": day}
    )
    assert sent.status_code == 302, text_of(sent)
    assert "到会的人数须达到全体的 3/4" in text_of(administrator.http.get("/admin/vote-rules"))


def test_a_program_hands_in_a_ballot_and_reads_how_a_vote_stands(polls: Polls) -> None:
    vote_id = polls.vote("RESIDENT_MEETING", polls.book("residents", residents(2)))
    calls, code = polls.app.test_client(), polls.slip(vote_id, 1).rpartition("/")[2]
    cast = f"/api/v1/votes/{code}/ballots"
    assert calls.post(cast, json={"choice": "invalid"}).status_code == 422
    assert calls.post(cast, json={"choice": "yes"}).get_json() == {"vote_id": str(vote_id)}
    again = calls.post(cast, json={"choice": "yes"})
    assert (again.status_code, again.get_json()["type"]) == (409, "urn:wuzhang:problem:already-voted")
    assert calls.post("/api/v1/votes/nobody/ballots", json={"choice": "yes"}).status_code == 404
    with polls.district.office.work() as context:
        account = context.session.scalars(select(Account).where(Account.username == "shequ")).one()
        bearer = {"Authorization": f"Bearer {issue_token(context.session, account, context.new_id(), context.now())}"}
    seen = calls.get(f"/api/v1/votes/{vote_id}", headers=bearer).get_json()
    assert (seen["returned"]["heads"], seen["outlook"], seen["tally"]["yes"]["heads"]) == (1, "open", 1)
    polls.close(vote_id)
    with polls.district.office.work() as context:
        account = context.session.scalars(select(Account).where(Account.username == "shequ")).one()
        bearer = {"Authorization": f"Bearer {issue_token(context.session, account, context.new_id(), context.now())}"}
    closed = calls.get(f"/api/v1/votes/{vote_id}", headers=bearer).get_json()
    assert (closed["result"], closed["conditions"][0]) == ("no_quorum", {"words": "到会的人数占全体 1/2 > 1/2", "holds": False})


def test_the_pages_of_a_vote_are_in_english(polls: Polls) -> None:
    vote_id = polls.vote("OWNER_ORD", polls.book("owners", owners("80", "90")))
    lead = polls.lead
    lead.http.set_cookie("language", "en")
    for address in (f"/votes/{vote_id}", f"/votes/{vote_id}/slips", polls.slip(vote_id, 1), "/rolls", "/votes"):
        tree = html.fromstring(text_of(lead.http.get(address)))
        for skipped in tree.xpath("//*[@lang='zh' or contains(@class, 'brand-mark') or self::script or contains(@class, 'menu')]"):
            skipped.drop_tree()
        left = {text.strip() for text in tree.itertext() if CHINESE.search(text.replace("临江社区", ""))}
        assert left == set(), address


def test_what_was_handed_in_on_paper_is_kept_with_its_picture(polls: Polls) -> None:
    topic = suggested(polls.district).accepted().proposed().consulted().called("社区党员名册", "PARTY_MEETING")
    page, keeper = f"/votes/{topic.vote().id}", sign_in(polls.app, polls.district, "shuji")
    sent: dict[str, Any] = {**keeper.token(page), "number": "4", "choice": "yes", "photo": (io.BytesIO(jpeg()), "ballot.jpg")}
    assert keeper.http.post(f"{page}/paper", data=sent).status_code == 302
    link = re.search(rf'href="(/matters/{topic.id}/photos/\d+)"', text_of(keeper.http.get(page)))
    assert link and keeper.http.get(link.group(1), buffered=True).mimetype == "image/jpeg"
    assert polls.app.test_client().get(link.group(1)).status_code == 302
    broken: dict[str, Any] = {**keeper.token(page), "number": "5", "choice": "yes", "photo": (io.BytesIO(b"%PDF"), "ballot.jpg")}
    assert "只能上传 JPG、PNG 或 WEBP 照片" in text_of(keeper.http.post(f"{page}/paper", data=broken), 409)
