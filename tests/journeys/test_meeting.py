"""A residents' representatives' meeting, from the draft to a decision that is somebody's task."""

from __future__ import annotations

import re
from datetime import timedelta

from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from engine.schema import tasks
from governance.meetings.decisions import Resolved, confirm, record
from governance.meetings.minutes import write_minutes
from governance.meetings.models import Decision, Meeting
from governance.meetings.rules import Body
from tests.district import District
from tests.governance.meeting_world import Hall
from tests.journeys.browser import DESKTOP, PHONE, People
from tests.journeys.test_general import AXE, FINDINGS, TARGETS

NAMES = "王秀英 5678 3 栋居民代表\n李国庆 1234 5 栋居民代表\n张小梅 4321 6 栋居民代表"
PARTS = ("", "/notice", "/live", "/minutes", "/decisions", "/files")


def fits(page: Page) -> bool:
    """Whether nothing has to be scrolled to from the side."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_a_meeting_from_its_draft_to_a_task(chromium: Browser, district: District) -> None:
    with district.served() as home:
        people = People(chromium, home, district.password)
        page = people.at("shequ").page
        page.goto(f"{home}/meetings")
        page.get_by_role("link", name="召集会议").first.click()
        page.select_option("#body", label="居民代表会议")
        page.fill("#title", "三月居民代表会议")
        page.fill("#starts_at", "2026-03-09T09:00")
        page.fill("#place", "社区会议室")
        page.get_by_role("button", name="保存草稿").click()
        page.fill("#text", "三号楼加装电梯")
        page.get_by_role("button", name="列入", exact=True).click()
        page.get_by_role("link", name="编排名单").click()
        page.fill("#people", NAMES)
        page.locator("form").filter(has_text="每人一行").get_by_role("button", name="列入名单").click()
        page.get_by_role("link", name="概况与议程").click()
        page.get_by_role("button", name="发出通知").click()
        expect(page.locator("main")).to_contain_text("应到 3，实到 0，未达到法定人数（2/3，即 2 人），还差 2 人")
        with district.office.work() as context:
            held = context.session.scalars(select(Meeting)).one()
            where, secret = f"{home}/meetings/{held.id}", context.sealer.unseal(held.sealed_secret)
            district.clock.at = held.starts_at - timedelta(minutes=30)

        page.goto(f"{where}/live")
        for name, code in (("王**", "5678"), ("李**", "1234")):
            phone = people.stranger(PHONE)
            phone.goto(f"{home}/meeting/{secret}")
            wanted = phone.locator("#attendee option").filter(has_text=name).get_attribute("value")
            phone.select_option("#attendee", wanted)
            phone.fill("#code", code)
            assert fits(phone)
            phone.get_by_role("button", name="签到").click()
            expect(phone.locator("main")).to_contain_text("已签到")
            phone.context.close()
        expect(page.locator(".quorum")).to_have_class(re.compile("is-met"), timeout=10_000)  # nobody has reloaded the page
        expect(page.locator(".quorum-words")).to_have_text("应到 3，实到 2，已达到法定人数（2/3，即 2 人）")
        page.get_by_role("button", name="开会", exact=True).click()

        page.get_by_role("link", name="会议记录").click()
        page.fill("#text", "会议同意加装电梯。")
        page.get_by_role("button", name="保存为第 1 版").click()
        page.get_by_role("link", name="议定事项").click()
        page.fill("#text", "征求低层住户意见")
        page.select_option("#unit", label="区住房城乡建委")
        page.fill("#due_on", "2026-03-31")
        page.get_by_role("button", name="记下", exact=True).click()
        page.get_by_role("button", name="确认交办").click()
        expect(page.locator("table")).to_contain_text("落实中")
        with district.office.work() as context:
            decision = context.session.scalars(select(Decision)).one()
            task = tasks.c.instance_id == decision.instance_id
            assert context.session.scalar(select(tasks.c.element).where(task)) == "carry_out_decision"

        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        for part in PARTS:
            page.goto(f"{where}{part}")
            assert fits(page), part
        people.leave()


def test_everybody_can_use_the_pages_of_a_meeting(chromium: Browser, district: District) -> None:
    """Targets large enough and no serious findings, on a phone and on a desk, light and dark."""
    with district.office.work() as context:
        hall = Hall(district, context)
        draft, held, lead = hall.draft(Body.JOINT, 1), hall.opened(), hall.holder()
        for version, text in enumerate(("记录甲", "记录乙")):
            write_minutes(context, lead, held.id, text, version)
        resolved = Resolved("更换水管", str(hall.unit("500199-D01").id), context.today + timedelta(days=9))
        confirm(context, lead, held.id, record(context, lead, held.id, resolved).id)
        record(context, lead, held.id, resolved)
        addresses = [f"/meetings/{draft.id}{part}" for part in ("", "/edit", "/attendees")]
        addresses += [f"/meetings/{held.id}{part}" for part in PARTS] + ["/meetings", "/meetings/new", f"/meeting/{hall.secret(held)}"]
    with district.served() as home:
        page = People(chromium, home, district.password).at("shequ").page
        found = {}
        for address in addresses:
            page.set_viewport_size(PHONE)  # type: ignore[arg-type]
            page.goto(f"{home}{address}")
            small = page.evaluate(TARGETS)
            page.evaluate(AXE)
            findings = [small] if small else []
            for viewport, scheme in ((PHONE, "light"), (DESKTOP, "dark")):
                page.set_viewport_size(viewport)  # type: ignore[arg-type]
                page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
                expect(page.locator("html")).to_have_attribute("data-bs-theme", scheme)
                page.evaluate("Promise.allSettled(document.getAnimations().map(one => one.finished))")
                findings += page.evaluate(FINDINGS, ["color-contrast"] if scheme == "dark" else [])
            if findings:
                found[address] = findings
        page.context.close()
    assert found == {}
