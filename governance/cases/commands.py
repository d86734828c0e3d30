"""Registers what is reported."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from governance.base import inserting
from governance.cases.codes import codes
from governance.cases.models import Case, CaseNumber
from governance.cases.rules import number
from governance.context import Context
from governance.errors import Refused
from governance.organisation.models import Kind, Unit
from governance.organisation.queries import nearest, upwards
from governance.privacy import is_mobile

TITLE, TEXT, ADDRESS, CONTACT = 80, 2000, 200, 40


@dataclass(frozen=True)
class Report:
    """上报: what somebody reports."""

    text: str
    place: Unit
    channel: str
    submission_key: str
    title: str = ""
    address: str = ""
    category: str | None = None
    contact_name: str = ""
    contact_mobile: str = ""
    is_confidential: bool = False
    is_self_found: bool = False
    reported_by: int | None = None

    @property
    def is_anonymous(self) -> bool:
        return not self.contact_mobile and self.reported_by is None


def register(context: Context, report: Report) -> tuple[Case, str]:
    """The case and the secret with which its reporter follows it; raises `Refused`."""
    errors = _errors(report)
    if errors:
        raise Refused(errors)
    district = nearest(upwards(context.session, report.place), Kind.DISTRICT)
    secret, now = secrets.token_urlsafe(18), context.now()
    case = Case(
        id=context.new_id(),
        number=number(district.code if district else "000000", context.today, _running_number(context)),
        channel=report.channel,
        title=report.title or _title(report.text),
        text=report.text,
        category=report.category,
        status="待受理",
        place_id=report.place.id,
        address=report.address,
        is_anonymous=report.is_anonymous,
        is_confidential=report.is_confidential,
        is_self_found=report.is_self_found,
        reported_at=now,
        reported_by=report.reported_by,
        contact_name=context.sealer.seal(report.contact_name) if report.contact_name else None,
        contact_mobile=context.sealer.seal(report.contact_mobile) if report.contact_mobile else None,
        follow_digest=digest(secret),
        submission_key=report.submission_key,
        rework_n=0,
        reopen_n=0,
        return_n=0,
        extension_n=0,
        clock_opened_at=now,
    )
    context.session.add(case)
    context.session.flush()
    return case, secret


def digest(secret: str) -> str:
    """What is stored of a follow-up link's secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _errors(report: Report) -> dict[str, str]:
    errors = {}
    if not report.text.strip():
        errors["text"] = "请写明反映的问题"
    for field, value, limit, name in (
        ("text", report.text, TEXT, "问题描述"),
        ("title", report.title, TITLE, "标题"),
        ("address", report.address, ADDRESS, "详细位置"),
        ("contact_name", report.contact_name, CONTACT, "称呼"),
    ):
        if len(value) > limit:
            errors[field] = f"{name}不能超过 {limit} 个字"
    if report.category and report.category not in {c["code"] for c in codes()["categories"]}:
        errors["category"] = "没有这个类别"
    mobile = report.contact_mobile
    if mobile and not is_mobile(mobile):
        errors["contact_mobile"] = "请填写正确的手机号码，或者留空"
    return errors


def _title(text: str) -> str:
    first = text.strip().replace("\r", "\n").split("\n")[0]
    for mark in "。！？；":
        first = first.split(mark)[0]
    return first[:30] + ("…" if len(first) > 30 else "")


def _running_number(context: Context) -> int:
    statement = inserting(context.session, CaseNumber).values(day=context.today, last=1)
    counted = statement.on_conflict_do_update(index_elements=["day"], set_={"last": CaseNumber.last + 1})
    return int(context.session.execute(counted.returning(CaseNumber.last)).scalar_one())
