"""附件 and 签名: what is taken, whose it is, and that the record proves it."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import func, select, update

from engine.database import snapshot
from engine.form_files import form_problems
from engine.log import entries
from engine.schema import tasks
from engine.versions import publish
from governance.context import Actor
from governance.errors import NotFound, Refused
from governance.files.commands import PER_FORM, WAITING, add_file, drop_unnamed, take_over
from governance.files.models import FormFile
from governance.files.queries import broken_files, file_of
from governance.files.rules import Attachment, file_path, read_attachment, read_photo, read_signature
from governance.forms.rules import check_form
from governance.meetings.files import sweep_files
from governance.shelf import lay
from governance.starting.commands import begin
from governance.starting.models import Started
from governance.starting.queries import may_read
from governance.workflow.commands import complete
from tests.district import MONDAY, District
from tests.governance.meeting_world import Hall
from tests.papers import ASKED, ATTACHMENTS, KEY, PDF, SHOTS, SIGNATURE, TAKES_ALL, drawn, seal

DISTRICT, GRID, OTHER = "500199", "50019900100100001", "500199001002"


class Desk(Hall):
    """A grid worker with papers, their lead, and somebody else."""

    @property
    def worker(self) -> Actor:
        return self.holder("grid_worker", GRID)

    @property
    def lead(self) -> Actor:
        return self.holder("grid_lead", GRID)

    def bring(self, who: Actor, content: bytes = PDF, name: str = "合同.pdf", **where: Any) -> str:
        return add_file(self.context, TAKES_ALL, read_attachment(name, content), by=who.person_id, **where).value

    def begun(self, *papers: str, key: str = "k1", **data: Any) -> Started:
        return begin(self.context, self.worker, KEY, {**ASKED, "papers": list(papers), **data}, key)

    def open(self, held: Started) -> Any:
        waiting = select(tasks).where(tasks.c.instance_id == held.instance_id, tasks.c.closed_at.is_(None))
        return self.context.session.connection().execute(waiting).one()

    def sign(self, held: Started, value: str) -> None:
        complete(self.context, self.lead, self.open(held).id, {"decision": "agree", "signed": value})

    def put(self, held: Started, sent: Attachment) -> str:
        """What the lead uploads at the open task."""
        task = self.open(held)
        return add_file(self.context, TAKES_ALL, sent, by=self.lead.person_id, instance_id=held.instance_id, task_key=task.key).value


@pytest.fixture
def desk(district: District) -> Iterator[Desk]:
    """A unit of work; nothing of it is kept."""
    district.clock.at = MONDAY
    with district.office.work() as context, context.session.begin_nested() as savepoint:
        publish(context.session.connection(), context.new_id(), seal(), context.now(), by="system", reason="试行")
        yield Desk(district, context)
        savepoint.rollback()


# ---- what is a signature -------------------------------------------------------------------------------------------


def ink(sent: Attachment) -> tuple[int, int, int]:
    """The tone of the paper, that of the darkest point, and how many points are dark."""
    sheet = Image.open(io.BytesIO(sent.content))
    assert (sent.kind, sheet.format, sheet.mode) == ("png", "PNG", "L")
    points = sheet.histogram()
    return max(range(256), key=points.__getitem__), min(n for n, count in enumerate(points) if count), sum(points[:128])


@pytest.mark.parametrize(
    "content",
    [
        drawn(),
        drawn("JPEG", "#ddd", "#555"),
        drawn("PNG", (0, 0, 0, 0), "black", "RGBA"),
        drawn("WEBP", "#fff8e0", "#113388"),
        drawn(paper="black", ink="white"),
    ],
    ids=["a sheet", "grey on grey", "on nothing", "blue on yellow", "white on black"],
)
def test_a_signature_is_kept_black_on_white(content: bytes) -> None:
    paper, darkest, dark = ink(read_signature(content))
    assert paper > 245 and darkest < 10 and 500 < dark < 5000


@pytest.mark.parametrize("content", [drawn(ink=None), drawn(paper="black", ink=None), drawn("JPEG", "#eee", "#ddd")])
def test_a_blank_sheet_is_no_signature(content: bytes) -> None:
    with pytest.raises(Refused, match="签名是空白的，请签名"):
        read_signature(content)


def test_a_speck_is_no_signature() -> None:
    sheet = Image.new("L", (300, 100), 255)
    sheet.paste(0, (10, 10, 14, 14))
    out = io.BytesIO()
    sheet.save(out, "PNG")
    with pytest.raises(Refused, match="空白"):
        read_signature(out.getvalue())


@pytest.mark.parametrize("content", [b"", PDF, b"<svg onload=alert(1)>", drawn()[:60]])
def test_what_is_no_picture_is_no_signature(content: bytes) -> None:
    with pytest.raises(Refused) as refusal:
        read_signature(content)
    assert refusal.value.errors.keys() == {"file"}


# ---- what forms say ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "said"),
    [
        (ATTACHMENTS, ""),
        (SIGNATURE, ""),
        ({**ATTACHMENTS, "maxItems": 21}, "“f”是附件，最多几个应为 1 至 20"),
        ({**ATTACHMENTS, "maxItems": 0}, "“f”是附件，最多几个应为 1 至 20"),
        ({k: v for k, v in ATTACHMENTS.items() if k != "maxItems"}, "“f”是附件，最多几个应为 1 至 20"),
        ({**ATTACHMENTS, "type": "string"}, "“f”是附件，应为文字的列表"),
        ({**ATTACHMENTS, "items": {"type": "string", "enum": ["a"]}}, "“f”是附件，应为文字的列表"),
        ({**ATTACHMENTS, "items": {}}, "“f”是附件，应为文字的列表"),
        ({**SIGNATURE, "type": "array"}, "“f”是签名，应为文字"),
        ({**SIGNATURE, "oneOf": [{"const": "x"}]}, "“f”是签名，应为文字"),
    ],
)
def test_a_form_with_a_malformed_field_is_not_published(field: dict[str, Any], said: str) -> None:
    assert list(form_problems({"properties": {"f": field}})) == ([said] if said else [])


NAMED = f"{'a' * 64}/合同.pdf"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"papers": [NAMED], "signed": NAMED, "shots": [NAMED]}, {}),
        ({"papers": [NAMED], "shots": ["123"]}, {}),
        ({}, {"papers": "请上传材料"}),
        ({"papers": []}, {"papers": "材料至少上传 1 个"}),
        ({"papers": [NAMED] * 4}, {"papers": "材料最多 3 项"}),
        ({"papers": NAMED}, {"papers": "材料填写不正确"}),
        ({"papers": [1]}, {"papers": "材料填写不正确"}),
        ({"papers": ["合同.pdf"]}, {"papers": "材料填写不正确"}),
        ({"papers": [f"{'a' * 64}/../../trial-secret"]}, {"papers": "材料填写不正确"}),
        ({"papers": [f"{'A' * 64}/a.pdf"]}, {"papers": "材料填写不正确"}),
        ({"papers": [NAMED], "signed": "data:image/png;base64,xx"}, {"signed": "负责人签名填写不正确"}),
        ({"papers": [NAMED], "shots": [{"id": 1}]}, {"shots": "现场照片填写不正确"}),
    ],
)
def test_a_value_names_a_file_or_is_refused(data: dict[str, Any], said: dict[str, str]) -> None:
    papers = {**ATTACHMENTS, "minItems": 1}
    form = {
        "properties": {"papers": papers, "signed": {**SIGNATURE, "x-ui": {"widget": "signature"}}, "shots": SHOTS},
        "required": ["papers"],
    }
    try:
        assert check_form(form, data, {}, MONDAY) == data and said == {}
    except Refused as refused:
        assert refused.errors == said


def test_a_missing_signature_is_asked_for() -> None:
    with pytest.raises(Refused, match=r"^请签名$"):
        check_form({"properties": {"signed": SIGNATURE}, "required": ["signed"]}, {}, {}, MONDAY)


# ---- whose it is ---------------------------------------------------------------------------------------------------


def test_what_comes_with_a_start_becomes_the_instances(desk: Desk) -> None:
    value, shot = desk.bring(desk.worker), desk.bring(desk.worker, drawn(), "门口.png")
    assert value == f"{hashlib.sha256(PDF).hexdigest()}/合同.pdf" and shot.endswith("/门口.jpg")
    held = desk.begun(value, shots=[shot])
    session = desk.context.session
    first = entries(session.connection(), held.instance_id or 0)[0].data or {}
    assert (first["papers"], first["shots"]) == ([value], [shot])
    digest, _, name = value.partition("/")
    kept = file_of(session, held.instance_id or 0, None, digest, name)
    lay(session)
    assert file_path(desk.context.folder, kept.digest).read_bytes() == PDF
    with pytest.raises(NotFound):
        file_of(session, 0, desk.worker.person_id, digest, name)
    signed = desk.put(held, read_signature(drawn()))
    desk.sign(held, signed)
    assert held.ended == "已同意" and desk.district.findings() == []


def test_nobody_starts_with_somebody_elses_upload(desk: Desk) -> None:
    value = desk.bring(desk.lead)
    with pytest.raises(Refused, match="材料中有找不到的文件，请重新上传"):
        desk.begun(value)
    with pytest.raises(Refused, match="材料中有找不到的文件"):
        desk.begun(f"{hashlib.sha256(b'guessed').hexdigest()}/a.pdf")
    mine = desk.bring(desk.worker)
    with pytest.raises(Refused, match="材料中有找不到的文件"):
        desk.begun(mine.replace("合同", "判决"))


def test_an_upload_is_used_once_and_two_windows_have_each_their_own(desk: Desk) -> None:
    value = desk.bring(desk.worker)
    assert desk.begun(value).instance_id
    with pytest.raises(Refused, match="找不到的文件"):
        desk.begun(value, key="k2")
    assert desk.bring(desk.worker) == desk.bring(desk.worker) == value
    first, second = desk.begun(value, key="k3"), desk.begun(value, key="k4")
    assert first.instance_id != second.instance_id and desk.begun(value, key="k4").id == second.id


def test_a_task_takes_only_what_is_of_its_instance_and_fits_its_field(desk: Desk) -> None:
    one, other = desk.begun(desk.bring(desk.worker)), desk.begun(desk.bring(desk.worker), key="k2")
    elsewhere, paper = desk.put(other, read_signature(drawn())), desk.put(one, read_attachment("a.pdf", PDF))
    unsent = add_file(desk.context, TAKES_ALL, read_signature(drawn("WEBP")), by=desk.lead.person_id).value
    for wrong in (elsewhere, unsent, paper, desk.put(one, read_photo("signature.png", drawn()))):
        with pytest.raises(Refused, match="负责人签名中有找不到的文件"):
            desk.sign(one, wrong)
    with pytest.raises(Refused, match="请签名"):
        complete(desk.context, desk.lead, desk.open(one).id, {"decision": "agree"})
    desk.sign(one, desk.put(one, read_signature(drawn())))
    assert one.ended == "已同意" and other.ended is None


def test_what_comes_back_keeps_its_papers(desk: Desk) -> None:
    value = desk.bring(desk.worker)
    held = desk.begun(value)
    complete(desk.context, desk.lead, desk.open(held).id, {"decision": "return"}, opinion="补一份材料")
    back = desk.open(held)
    more = desk.bring(desk.worker, PDF + b"2", "补充.pdf", instance_id=held.instance_id, task_key=back.key)
    complete(desk.context, desk.worker, back.id, {**ASKED, "papers": [value, more]})
    assert (entries(desk.context.session.connection(), held.instance_id or 0)[-1].data or {})["papers"] == [value, more]


def test_the_same_file_again_is_the_one_there_is(desk: Desk) -> None:
    held = desk.begun(desk.bring(desk.worker))
    assert desk.put(held, read_signature(drawn())) == desk.put(held, read_signature(drawn()))
    kept = select(func.count(FormFile.id)).where(FormFile.instance_id == held.instance_id, FormFile.kind == "png")
    assert desk.context.session.scalar(kept) == 1


def test_nobody_fills_the_disk(desk: Desk) -> None:
    for number in range(PER_FORM):
        desk.bring(desk.worker, PDF + bytes([number]))
    with pytest.raises(Refused, match=f"一张表单最多上传 {PER_FORM} 次"):
        desk.bring(desk.worker, PDF + b"one more")
    assert not file_path(desk.context.folder, hashlib.sha256(PDF + b"one more").hexdigest()).exists()
    assert desk.bring(desk.lead)


def test_who_may_read_the_record_may_read_its_files(desk: Desk) -> None:
    held, session = desk.begun(desk.bring(desk.worker)), desk.context.session
    for reader in (desk.worker, desk.lead, desk.holder("auditor", DISTRICT)):
        assert may_read(session, reader, held.instance_id or 0)
    for stranger in (desk.holder(), desk.holder("system_administrator", DISTRICT)):
        assert not may_read(session, stranger, held.instance_id or 0)
    assert not may_read(session, desk.worker, 1)


# ---- what stays ----------------------------------------------------------------------------------------------------


def age(desk: Desk, *digests: str) -> None:
    """Makes files look as if they had lain there for two days."""
    for digest in digests:
        old = (desk.context.now() - timedelta(days=2)).timestamp()
        os.utime(file_path(desk.context.folder, digest), (old, old))


def test_what_no_start_comes_for_is_swept_and_what_is_named_stays(desk: Desk) -> None:
    kept, waiting = desk.bring(desk.worker), desk.bring(desk.worker, PDF + b"2", "x.pdf")
    desk.begun(kept)
    digests = [value.partition("/")[0] for value in (kept, waiting)]
    lay(desk.context.session)
    desk.district.clock.pass_by(seconds=WAITING.total_seconds() - 60)
    assert drop_unnamed(desk.context) == 0
    desk.district.clock.pass_by(minutes=2)
    assert drop_unnamed(desk.context) == 1
    age(desk, *digests)
    (desk.context.folder / "files" / ".swept").unlink(missing_ok=True)
    assert sweep_files(desk.context) >= 1
    assert [file_path(desk.context.folder, digest).exists() for digest in digests] == [True, False]
    with pytest.raises(Refused, match="找不到的文件"):
        desk.begun(waiting, key="k2")


def test_the_runner_forgets_what_nothing_came_of(district: District) -> None:
    district.clock.at = MONDAY
    with district.office.work() as context:
        desk = Desk(district, context)
        digest = desk.bring(desk.lead, PDF + b"forgotten").partition("/")[0]
    district.clock.pass_by(days=WAITING.days - 1)
    district.tick()
    kept = select(func.count(FormFile.id)).where(FormFile.digest == digest)
    with district.office.work() as context:
        assert context.session.scalar(kept) == 1
    district.clock.pass_by(days=2)
    district.tick()
    with district.office.work() as context:
        assert context.session.scalar(kept) == 0
    district.clock.at = MONDAY


def test_what_is_never_handed_in_at_a_task_is_forgotten_and_what_is_stays(desk: Desk) -> None:
    paper = desk.bring(desk.worker)
    held = desk.begun(paper)
    signed, other = desk.put(held, read_signature(drawn())), desk.put(held, read_signature(drawn("WEBP", ink="navy")))
    complete(desk.context, desk.lead, desk.open(held).id, {"decision": "agree", "signed": signed})
    desk.district.clock.pass_by(seconds=WAITING.total_seconds() + 60)
    assert drop_unnamed(desk.context) == 1
    known = desk.context.session.scalars(select(FormFile).where(FormFile.instance_id == held.instance_id)).all()
    assert {file.value for file in known} == {paper, signed} and other != signed


def test_a_form_takes_no_file_of_a_kind_that_none_of_its_fields_holds(desk: Desk) -> None:
    form: dict[str, Any] = {"properties": {"papers": ATTACHMENTS, "reason": {"type": "string", "title": "事由"}}}
    for sent, is_taken in ((read_attachment("a.pdf", PDF), True), (read_signature(drawn()), False)):
        with nullcontext() if is_taken else pytest.raises(Refused, match="这张表单不收这种文件"):
            add_file(desk.context, form, sent, by=desk.lead.person_id)


def test_two_starts_at_once_share_no_file(desk: Desk) -> None:
    value = desk.bring(desk.worker)
    held = desk.begun(value)
    with pytest.raises(NotFound):
        take_over(desk.context, desk.worker.person_id, held.instance_id or 0, {value}, KEY)


def test_what_is_brought_again_is_as_good_as_new_to_the_sweep(desk: Desk) -> None:
    digest = desk.bring(desk.worker).partition("/")[0]
    lay(desk.context.session)
    age(desk, digest)
    desk.bring(desk.worker)
    lay(desk.context.session)
    desk.context.session.execute(update(FormFile).values(digest="0" * 64))
    (desk.context.folder / "files" / ".swept").unlink(missing_ok=True)
    sweep_files(desk.context)
    assert file_path(desk.context.folder, digest).exists()


def test_the_record_tells_what_is_gone_and_what_was_changed(district: District) -> None:
    district.clock.at = MONDAY
    with district.office.work() as context:
        publish(context.session.connection(), context.new_id(), seal(), context.now(), by="system", reason="试行")
        desk = Desk(district, context)
        one = desk.begun(desk.bring(desk.worker), desk.bring(desk.worker, PDF + b"2", "附页.pdf"), reason=f"{'b' * 64}/typed.pdf")
        instance_id = one.instance_id or 0
        desk.sign(one, desk.put(one, read_signature(drawn())))
        folder = context.folder

    def said(only: int | None = None) -> list[tuple[int | None, int | None, str]]:
        with snapshot(district.office.database) as connection:
            return [(f.instance_id, f.seq, f.reason) for f in broken_files(connection, folder, only)]

    assert said() == []
    file_path(folder, hashlib.sha256(PDF).hexdigest()).write_bytes(b"%PDF-1.7 another")
    signature = file_path(folder, hashlib.sha256(read_signature(drawn()).content).hexdigest())
    signature.unlink()
    expected = [(instance_id, 1, "文件“合同.pdf”的内容与记录不符"), (instance_id, 2, "文件“signature.png”已不在")]
    assert said() == said(instance_id) == expected and said(1) == []
