"""附件 and 签名 at the pages, as officials, residents and attackers use them."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from PIL import Image
from sqlalchemy import select
from werkzeug.test import TestResponse

from engine.log import entries
from engine.versions import publish
from governance.cases.models import Case
from governance.files.models import FormFile
from governance.files.rules import file_path
from tests.district import District
from tests.faults.people import Client, first_task, report, sign_in
from tests.papers import ASKED, KEY, PDF, asking_residents, drawn, seal

START = f"/start/{KEY}"
MARKUP = "<img src=x onerror=alert(1)>.pdf"


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    made = District(tmp_path_factory.mktemp("files"))
    with made.office.work() as context:
        publish(context.session.connection(), context.new_id(), seal(), context.now(), by="system", reason="试行")
    yield made
    made.close()


@pytest.fixture
def worker(district: District) -> Client:
    return sign_in(district.app(), district, "wanggeyuan")


@pytest.fixture
def lead(district: District) -> Client:
    return sign_in(district.app(), district, "wangge")


def send(client: Client, to: str, page: str, content: bytes = PDF, name: str = "合同.pdf") -> TestResponse:
    return client.http.post(to, data={**client.token(page), "file": (io.BytesIO(content), name)}, buffered=True)


def brought(client: Client, content: bytes = PDF, name: str = "合同.pdf", widget: str = "attachments") -> str:
    """What a form that has just been opened may name."""
    answer = send(client, f"{START}/files/{widget}", START, content, name)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    value: str = answer.get_json()["id"]
    return value


def begun(client: Client, *papers: str, **data: Any) -> str:
    answer = client.http.post(START, data={**client.token(START), **ASKED, "papers": list(papers), **data})
    assert answer.status_code == 302, answer.get_data(as_text=True)
    return answer.headers["Location"]


def page(client: Client, address: str) -> str:
    answer = client.http.get(address)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def got(client: Client, address: str) -> TestResponse:
    """A file, read to its end."""
    return client.http.get(address, buffered=True)


def link(shown: str, name: str) -> str:
    found = re.search(rf'href="(/files/\d+/[0-9a-f]+/{re.escape(quote(name))})"', shown)
    assert found, shown
    return found.group(1)


def test_papers_and_a_signature_go_through_the_process(district: District, worker: Client, lead: Client) -> None:
    address = begun(worker, brought(worker), shots=[brought(worker, drawn(), "门口.png", "photos")])
    shown = page(worker, address)
    assert "合同.pdf" in shown and "21 字节" in shown
    answer = got(worker, link(shown, "合同.pdf"))
    assert answer.data == PDF and answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"].startswith("attachment;") and answer.mimetype == "application/pdf"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert Image.open(io.BytesIO(got(worker, link(shown, "门口.jpg")).data)).format == "JPEG"

    task = first_task(lead)
    assert link(page(lead, task), "合同.pdf")
    refused = lead.post(f"{task}/complete", task, decision="agree")
    assert refused.status_code == 422 and "请签名" in refused.get_data(as_text=True)
    blank = send(lead, f"{task}/files/signature", task, drawn(ink=None))
    assert (blank.status_code, blank.get_json()) == (422, {"error": "签名是空白的，请签名"})
    signed = send(lead, f"{task}/files/signature", task, drawn()).get_json()["id"]
    again = lead.post(f"{task}/shape", task, decision="agree", signed=signed).get_data(as_text=True)
    assert f'name="signed" value="{signed}"' in again
    done = lead.post(f"{task}/complete", task, decision="agree", signed=signed)
    assert done.status_code == 302
    shown = page(worker, address)
    assert re.search(r'<img loading="lazy" class="is-signature" src="/files/[^"]+signature.png" alt="负责人签名">', shown)
    auditor = sign_in(district.app(), district, "shenji")
    assert got(auditor, link(page(auditor, address), "signature.png")).mimetype == "image/png"
    assert "一致" in auditor.post(f"{address}/verify", address).get_data(as_text=True)
    assert district.findings() == []


def test_an_auditor_sees_that_a_file_was_changed(district: District, worker: Client) -> None:
    value = brought(worker, PDF + b"audit", "账目.pdf")
    address = begun(worker, value)
    path = file_path(district.config.data_dir, value.partition("/")[0])
    path.write_bytes(PDF)
    auditor = sign_in(district.app(), district, "shenji")
    assert "文件“账目.pdf”的内容与记录不符" in auditor.post(f"{address}/verify", address).get_data(as_text=True)
    path.unlink()
    assert "文件“账目.pdf”已不在" in auditor.post(f"{address}/verify", address).get_data(as_text=True)
    path.write_bytes(PDF + b"audit")


def test_without_a_script_files_come_with_the_form(district: District, worker: Client, lead: Client) -> None:
    sent = {**worker.token(START), **ASKED, "papers:attachments": [(io.BytesIO(PDF + bytes([n])), f"{n}.pdf") for n in range(2)]}
    answer = worker.http.post(START, data=sent)
    shown = page(worker, answer.headers["Location"])
    assert "0.pdf" in shown and "1.pdf" in shown
    task = first_task(lead)
    while "0.pdf" not in page(lead, task):
        lead.post(f"{task}/complete", task, decision="refuse", opinion="不是这件")
        task = first_task(lead)
    for content, status in ((drawn(ink=None), 422), (PDF, 422), (drawn(), 302)):
        form = {**lead.token(task), "decision": "agree", "signed:signature": (io.BytesIO(content), "s.png")}
        assert lead.http.post(f"{task}/complete", data=form).status_code == status
    assert "is-signature" in page(worker, answer.headers["Location"])


def test_nobody_reads_or_names_what_is_not_theirs(district: District, worker: Client, lead: Client) -> None:
    value = brought(worker, PDF + b"secret", "工资.pdf")
    digest, name = value.split("/")
    assert got(worker, f"/files/{value}").data == PDF + b"secret"
    assert got(lead, f"/files/{value}").status_code == 404
    stolen = lead.http.post(START, data={**lead.token(START), **ASKED, "papers": [value]})
    assert stolen.status_code == 422 and "材料中有找不到的文件，请重新上传" in stolen.get_data(as_text=True)
    address = link(page(worker, begun(worker, value)), name)
    stranger = sign_in(district.app(), district, "guanli")
    instance = address.split("/")[2]
    for client, where, status in (
        (lead, address, 200),
        (stranger, address, 404),
        (worker, f"/files/{value}", 404),
        (worker, f"/files/{instance}/{digest}/别的.pdf", 404),
        (worker, f"/files/{instance}/{'0' * 64}/{name}", 404),
        (worker, f"/files/1/{digest}/{name}", 404),
        (worker, f"/files/{instance}/..%2F..%2Ftrial-secret/{name}", 404),
        (worker, f"/files/{instance}/%00/{name}", 404),
    ):
        assert got(client, where).status_code == status, where
    assert district.app().test_client().get(address).status_code == 302


@pytest.mark.parametrize(
    ("content", "name", "widget", "said"),
    [
        (b"MZ", "a.pdf", "attachments", "只能上传 PDF、Word（docx）、Excel（xlsx）文件或图片"),
        (b"", "a.pdf", "attachments", "只能上传 PDF、Word（docx）、Excel（xlsx）文件或图片"),
        (PDF, "a.png", "photos", "只能上传 JPG、PNG 或 WEBP 照片"),
        (PDF, "a.png", "signature", "只能上传 JPG、PNG 或 WEBP 照片"),
        (PDF, "", "attachments", "请选择要上传的附件"),
    ],
)
def test_what_cannot_be_taken_gets_a_sentence(worker: Client, content: bytes, name: str, widget: str, said: str) -> None:
    answer = send(worker, f"{START}/files/{widget}", START, content, name)
    assert (answer.status_code, answer.get_json()) == (422, {"error": said})


def test_odd_addresses_take_nothing(district: District, worker: Client, lead: Client) -> None:
    begun(worker, brought(worker))
    task = first_task(lead)
    for client, to, where in (
        (worker, f"{START}/files/other", START),
        (worker, "/start/no_such/files/attachments", START),
        (worker, "/start/issue_disposal/files/attachments", START),
        (worker, f"{task}/files/attachments", START),
    ):
        assert send(client, to, where).status_code == 404, to
    lead.post(f"{task}/complete", task, decision="refuse", opinion="不同意")
    assert send(lead, f"{task}/files/signature", START, drawn()).status_code == 404


def test_markup_in_a_name_is_text(worker: Client) -> None:
    value = brought(worker, PDF, MARKUP)
    assert not set('<>:"/|?*') & set(value.partition("/")[2])
    form = {**worker.token(START), **ASKED, "papers": [f'{"a" * 64}/"><script>'], "reason": ""}
    answer = worker.http.post(START, data=form)
    assert answer.status_code == 422 and "<script>" not in answer.get_data(as_text=True).partition("<main")[2]


def test_what_comes_back_shows_its_papers_again(worker: Client, lead: Client) -> None:
    value = brought(worker, PDF + b"back", "退回.pdf")
    begun(worker, value)
    task = first_task(lead)
    while "退回.pdf" not in page(lead, task):
        lead.post(f"{task}/complete", task, decision="refuse", opinion="不是这件")
        task = first_task(lead)
    lead.post(f"{task}/complete", task, decision="return", opinion="补")
    mine = first_task(worker)
    assert f'data-photo="{value}" data-title="退回.pdf"' in page(worker, mine)
    again = worker.http.post(f"{mine}/complete", data={**worker.token(mine), **ASKED, "papers": [value]})
    assert again.status_code == 302


# ---- residents -----------------------------------------------------------------------------------------------------


def test_residents_see_what_is_public_and_bring_their_own(district: District) -> None:
    with district.office.work() as context:
        publish(context.session.connection(), context.new_id(), asking_residents(), context.now(), by="system", reason="试行")
    app = district.app()
    follow = report(app).headers["Location"].partition("?")[0]
    secret = follow.rpartition("/")[2]
    worker, resident = sign_in(app, district, "wanggeyuan"), Client(app.test_client())
    task = first_task(worker)
    told = send(worker, f"{task}/files/attachments", task, PDF + b"told", "告知书.pdf").get_json()["id"]
    inner = send(worker, f"{task}/files/attachments", task, PDF + b"inner", "内部.pdf").get_json()["id"]
    filled = {"accept_result": "supplement", "supplement_wanted": "请补充楼层。", "category": "0303", "told": told, "inner": inner}
    done = worker.post(f"{task}/complete", task, **filled)
    assert done.status_code == 302, done.get_data(as_text=True)
    shown = page(resident, follow)
    assert "告知书.pdf" in shown and "内部.pdf" not in shown
    assert got(resident, f"/follow/{secret}/files/{told}").data == PDF + b"told"
    assert got(resident, f"/follow/{secret}/files/{inner}").status_code == 404
    assert got(resident, f"/follow/{'a' * 32}/files/{told}").status_code == 404

    answer = re.search(rf'action="({follow}/tasks/\d+)"', shown)
    assert answer and 'name="proof:attachments"' in shown and 'data-signature="mine"' in shown
    sent: dict[str, Any] = {**resident.token(follow), "proof:attachments": (io.BytesIO(PDF + b"proof"), "收据.pdf")}
    sent["mine:signature"] = (io.BytesIO(drawn(ink=None)), "s.png")
    choice = re.search(r'name="(\w+)" value="(\w+)">', shown.partition('class="form-actions"')[2])
    assert choice
    sent |= {choice.group(1): choice.group(2), "supplement_text": "三楼。"}
    refused = resident.http.post(answer.group(1), data=sent)
    assert refused.status_code == 422 and "签名是空白的，请签名" in refused.get_data(as_text=True)
    proof = file_path(district.folder, hashlib.sha256(PDF + b"proof").hexdigest())
    unsigned = {"proof:attachments": (io.BytesIO(PDF + b"proof"), "收据.pdf"), **resident.token(follow), choice.group(1): choice.group(2)}
    refused = resident.http.post(answer.group(1), data=unsigned)
    assert refused.status_code == 422 and not proof.exists(), "what is refused fills no disk"
    sent |= {"proof:attachments": (io.BytesIO(PDF + b"proof"), "收据.pdf"), "mine:signature": (io.BytesIO(drawn()), "s.png")}
    assert resident.http.post(answer.group(1), data=sent | resident.token(follow)).status_code == 302
    with district.office.work() as context:
        case = context.session.scalars(select(Case).order_by(Case.id.desc())).first()
        assert case and case.instance_id
        said = entries(context.session.connection(), case.instance_id)[-1].data or {}
        case_id = case.id
        kinds = {file.value: file.kind for file in context.session.scalars(select(FormFile).where(FormFile.added_by.is_(None)))}
    assert proof.exists()
    assert [kinds[said["mine"]], *(kinds[value] for value in said["proof"])] == ["png", "pdf"]
    assert "收据.pdf" in page(worker, f"/cases/{case_id}")
