"""A process whose forms hold files: papers and photos come with the request, the lead signs; and what people upload."""

from __future__ import annotations

import io
import json
from typing import Any

from PIL import Image, ImageDraw

from bpmn import beginning, shipped
from engine.packages import Package, frozen_package, read_package

KEY = "process_seal"
PDF = b"%PDF-1.7 the contract"
ATTACHMENTS = {
    "type": "array",
    "title": "材料",
    "items": {"type": "string", "maxLength": 200},
    "maxItems": 3,
    "x-ui": {"widget": "attachments", "prefill": "papers"},
}
SIGNATURE = {"type": "string", "title": "负责人签名", "maxLength": 200, "x-ui": {"widget": "signature", "required": "decision == 'agree'"}}
SHOTS = {
    "type": "array",
    "title": "现场照片",
    "items": {"type": "string", "maxLength": 40},
    "maxItems": 9,
    "x-ui": {"widget": "photos", "prefill": "shots"},
}
TAKES_ALL: dict[str, Any] = {"properties": {"papers": ATTACHMENTS, "shots": SHOTS, "signed": SIGNATURE}}
ASKED = {"reason": "租赁合同用印", "from_date": "2026-03-09", "to_date": "2026-03-13"}


def seal(**fields: Any) -> Package:
    """The template with papers that must be there, photos that may, and a signature; `fields` are added to its first form."""
    files = dict(beginning("request", KEY, "用印申请"))
    request, approve = json.loads(files["forms/request.json"]), json.loads(files["forms/approve.json"])
    request["properties"] |= {"papers": ATTACHMENTS, "shots": SHOTS, **fields}
    request["required"].append("papers")
    approve["properties"]["signed"] = SIGNATURE
    changed = {"forms/request.json": json.dumps(request).encode(), "forms/approve.json": json.dumps(approve).encode()}
    return frozen_package({name: content for name, content in files.items() if not name.startswith("scenarios/")} | changed)


def asking_residents() -> Package:
    """A case's process: the first step may hold a public paper and an inner one, the reporter brings papers and signs."""
    files = dict(read_package(shipped()["issue_disposal"]).files)
    first, asked = json.loads(files["forms/accept_case.json"]), json.loads(files["forms/supplement_report.json"])
    inner, own = {**ATTACHMENTS, "x-ui": {"widget": "attachments"}}, {**SIGNATURE, "x-ui": {"widget": "signature"}}
    first["properties"] |= {"told": {**inner, "x-ui": {"widget": "attachments", "public": True}}, "inner": inner}
    asked["properties"] |= {"proof": ATTACHMENTS, "mine": own}
    changed = {"forms/accept_case.json": json.dumps(first).encode(), "forms/supplement_report.json": json.dumps(asked).encode()}
    return frozen_package(files | changed)


def drawn(kind: str = "PNG", paper: str | tuple[int, ...] = "white", ink: str | None = "black", mode: str = "RGB") -> bytes:
    """A sheet, signed unless there is no ink."""
    sheet = Image.new(mode, (300, 100), paper)
    if ink:
        ImageDraw.Draw(sheet).line([(20, 80), (120, 20), (200, 80), (280, 30)], fill=ink, width=4)
    out = io.BytesIO()
    sheet.save(out, kind)
    return out.getvalue()
