"""附件 and 签名 in the browser: brought on a phone, signed with a finger, kept through a reload, shown in the record."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from engine.versions import publish
from tests.district import District
from tests.faults.people import first_task, report, sign_in
from tests.journeys.browser import PHONE, People
from tests.journeys.test_general import AXE, FINDINGS
from tests.papers import KEY, PDF, asking_residents, drawn, seal

DONE = ".photo[data-state=done]"
SIGNED = ".signature[data-state=done] input[type=hidden]"
INK = "e => { const d = e.getContext('2d').getImageData(0, 0, e.width, e.height).data; let n = 0; for (let i = 0; i < d.length; i += 4) n += d[i] < 128; return n; }"


@pytest.fixture
def papers(tmp_path: Path) -> dict[str, Path]:
    made = {"contract": tmp_path / "租赁合同.pdf", "sheet": tmp_path / "签名.png", "odd": tmp_path / "run.exe"}
    for name, content in (("contract", PDF), ("sheet", drawn()), ("odd", b"MZ\x90")):
        made[name].write_bytes(content)
    return made


def stroke(page: Page, sheet: Locator) -> None:
    """Draws across a sheet."""
    sheet.scroll_into_view_if_needed()
    box = sheet.bounding_box()
    assert box
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    for step in range(1, 8):
        page.mouse.move(box["x"] + 20 + step * 25, box["y"] + 20 + (step % 2) * 40, steps=4)
    page.mouse.up()


def test_papers_are_brought_signed_and_shown(chromium: Browser, district: District, papers: dict[str, Path]) -> None:
    with district.office.work() as context:
        publish(context.session.connection(), context.new_id(), seal(), context.now(), by="system", reason="试行")
    with district.served() as home:
        people = People(chromium, home, district.password)
        asking = people.at("wanggeyuan").page
        asking.set_viewport_size(PHONE)
        asking.goto(f"{home}/start/{KEY}")
        for name, value in (("reason", "租赁合同用印"), ("from_date", "2026-03-09"), ("to_date", "2026-03-13")):
            asking.fill(f"[name={name}]", value)
        asking.get_by_role("button", name="提交").click()
        expect(asking.locator("[data-field=papers] .error")).to_have_text("请上传材料")
        asking.set_input_files("#f-papers", papers["odd"])
        expect(asking.locator(".photo-state")).to_have_text("只能上传 PDF、Word（docx）、Excel（xlsx）文件或图片")
        asking.get_by_role("button", name="移除：run.exe").click()
        asking.set_input_files("#f-papers", papers["contract"])
        asking.set_input_files("#f-shots", papers["sheet"])
        expect(asking.locator(DONE)).to_have_count(2)
        asking.wait_for_timeout(900)
        asking.goto(f"{home}/start/{KEY}")
        expect(asking.locator(DONE)).to_have_count(2)
        expect(asking.locator(".photo-name")).to_have_text("租赁合同.pdf")
        asking.get_by_role("button", name="提交").click()
        expect(asking.locator(".notice")).to_contain_text("已提交")
        expect(asking.locator(".facts .kept-file")).to_contain_text("租赁合同.pdf")
        assert asking.locator(".facts img").evaluate("e => e.decode().then(() => e.naturalWidth)") == 300
        with asking.expect_download() as saved:
            asking.locator(".facts .kept-file a").click()
        assert saved.value.suggested_filename == "租赁合同.pdf" and saved.value.path().read_bytes() == PDF

        lead = people.at("wangge")
        lead.page.set_viewport_size(PHONE)
        lead.open_first("审批")
        task = lead.page.url
        lead.choose("同意")
        sheet = lead.page.locator(".signature canvas")
        assert sheet.evaluate(INK) == 0
        lead.page.locator("#fields .form-actions button").click()
        expect(lead.page.locator("[data-field=signed] .error")).to_have_text("请签名")
        stroke(lead.page, sheet)
        expect(lead.page.locator(SIGNED)).to_have_count(1)
        ink = sheet.evaluate(INK)
        assert ink > 500
        lead.page.wait_for_timeout(900)
        lead.page.goto(task)
        expect(lead.page.locator(".draft-note")).to_be_visible()
        expect(lead.page.locator(SIGNED)).to_have_count(1)
        lead.page.wait_for_function(f"min => ({INK})(document.querySelector('.signature canvas')) > min", arg=ink - 50)
        assert lead.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        lead.page.evaluate(AXE)
        assert lead.page.evaluate(FINDINGS, []) == []
        lead.page.get_by_role("button", name="清除重写").click()
        assert sheet.evaluate(INK) == 0 and lead.page.locator(SIGNED).count() == 0
        lead.page.set_input_files("#f-signed", papers["odd"])
        expect(lead.page.locator(".signature-acts")).to_contain_text("这个文件不是可以识别的图片")
        lead.page.set_input_files("#f-signed", papers["sheet"])
        expect(lead.page.locator(SIGNED)).to_have_count(1)
        lead.page.get_by_role("button", name="清除重写").click()
        stroke(lead.page, sheet)
        lead.submit()

        asking.reload()
        shown = asking.locator(".trail img.is-signature")
        assert shown.evaluate("e => e.decode().then(() => e.naturalWidth)") == 900
        assert asking.evaluate("document.documentElement.scrollWidth <= innerWidth")
        people.leave()
    assert district.findings() == []


def test_a_resident_signs_and_a_refusal_loses_nothing(chromium: Browser, district: District, papers: dict[str, Path]) -> None:
    with district.office.work() as context:
        publish(context.session.connection(), context.new_id(), asking_residents(), context.now(), by="system", reason="试行")
    app = district.app()
    follow = report(app).headers["Location"].partition("?")[0]
    worker = sign_in(app, district, "wanggeyuan")
    task = first_task(worker)
    asked = worker.post(f"{task}/complete", task, accept_result="supplement", supplement_wanted="请补充楼层。", category="0303")
    assert asked.status_code == 302
    with district.served() as home:
        people = People(chromium, home, district.password)
        page = people.stranger(PHONE)
        page.goto(f"{home}{follow}")
        sheet = page.locator(".signature canvas")
        stroke(page, sheet)
        ink = sheet.evaluate(INK)
        assert ink > 500
        page.get_by_role("button", name="提交补充").click()
        expect(page.locator(".alert-danger")).to_contain_text("请填写补充说明")
        page.wait_for_function(f"min => ({INK})(document.querySelector('.signature canvas')) > min", arg=ink - 50)
        page.fill("[name=supplement_text]", "三楼。")
        page.set_input_files("#f-proof", papers["contract"])
        page.get_by_role("button", name="提交补充").click()
        expect(page.locator(".alert-success")).to_contain_text("谢谢")
        assert page.evaluate("Object.keys(localStorage).filter(key => key.includes('ask-'))") == []
        reader = people.at("wanggeyuan").page
        reader.goto(f"{home}/cases")
        reader.locator("main a[href*='/cases/']").first.click()
        expect(reader.locator(".trail .kept-file")).to_contain_text("租赁合同.pdf")
        assert reader.locator(".trail img.is-signature").evaluate("e => e.decode().then(() => e.naturalWidth)") == 900
        people.leave()
