"""A district in which every text that somebody can store is hostile: names, reports, opinions, forms, the diagram itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any

from flask import Flask
from lxml import etree
from sqlalchemy import select

from engine.packages import DIAGRAM, frozen_package
from engine.schema import incidents, tasks
from engine.versions import latest_version, package_of, publish
from governance.calendar.commands import set_day
from governance.calendar.models import DayKind
from governance.cases.models import Case
from governance.organisation.models import Unit
from governance.people.models import Person
from tests.district import District
from tests.faults.people import PLACE, Client, sign_in
from tests.payloads import PAYLOADS

SHORT = [p for p in PAYLOADS if len(p) <= 40]
PLAIN = ("/", "/password", "/admin", "/report/places", "/admin/people/vacancies", "/admin/people/accounts", "/admin/processes", "/cases")
ECHO = "%22%3E%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E"


@dataclass
class Poisoned:
    """What there is to look at, by whom."""

    district: District
    app: Flask
    pages: Mapping[str, list[str]]

    def telling(self) -> Iterator[tuple[str, list[str]]]:
        """One page of each kind that shows much of what was stored."""
        for username, paths in self.pages.items():
            plain = [path for path in paths if ECHO not in path and path.partition("?")[0] not in PLAIN]
            yield username, list({path.split("/")[1] + path.split("/")[-1].rstrip("0123456789")[:8]: path for path in plain}.values())


@contextmanager
def poisoned(folder: Path) -> Iterator[Poisoned]:
    district = District(folder)
    _publish(district)
    _rename(district)
    app = district.app()
    half = len(PAYLOADS) // 2
    secrets = [_reported(app, texts) for texts in (PAYLOADS[:half], PAYLOADS[half:])]
    with district.office.work() as context:
        cases = context.session.scalars(select(Case).order_by(Case.id)).all()
        open_tasks = [context.session.scalar(select(tasks.c.id).where(tasks.c.instance_id == case.instance_id)) for case in cases]
        case_id, instance_id, above = cases[0].id, cases[0].instance_id, cases[0].place.parent_id
        person_id = context.session.scalar(select(Person.id).where(Person.name.in_(SHORT)))
        version = latest_version(context.session.connection(), "issue_disposal").id
        stopped = {
            "element": SHORT[0],
            "rule": SHORT[1],
            "message": PAYLOADS[8],
            "command": "{}",
            "attempts": 1,
            "opened_at": context.now(),
        }
        context.session.execute(incidents.insert().values(id=context.new_id(), instance_id=instance_id, **stopped))
    worker, page = sign_in(app, district, "wanggeyuan"), f"/tasks/{open_tasks[0]}"
    opinion = "\n".join(PAYLOADS)[:1_000]
    handed_in = worker.post(f"{page}/complete", page, category="0303", accept_result="accept", opinion=opinion)
    assert handed_in.status_code == 302, handed_in.get_data(as_text=True)
    places = f"/report/places?above={above}"
    pages = {
        "": ["/", f"/report?place={PLACE}", places, *(f"/follow/{s}?new=1" for s in secrets), f"/login?next={ECHO}", f"/nowhere/{ECHO}"],
        "wanggeyuan": [
            *(f"/tasks/{open_tasks[1]}?back={ECHO}", page, f"/cases/{case_id}", "/inbox", "/inbox?box=done", "/cases", "/password"),
            *(f"/inbox?q={ECHO}&next={ECHO}", f"/cases?q={ECHO}&status={ECHO}", f"/inbox?box=started&after={ECHO}"),
        ],
        "guanli": [
            *(
                "/admin",
                "/admin/units",
                f"/admin/units?above={above}",
                "/admin/people",
                f"/admin/people?q={ECHO}",
                f"/admin/people/{person_id}",
            ),
            *("/admin/people/accounts", "/admin/people/vacancies", "/admin/calendar", "/admin/processes", f"/admin/processes/{version}"),
            *("/admin/processes/incidents", "/admin/units/like?post=building_lead&unit=%3C"),
        ],
    }
    yield Poisoned(district, app, pages)
    district.close()


def _publish(district: District) -> None:
    """The shipped process once more, with other names for everything that has one."""
    names = cycle(PAYLOADS)
    with district.office.work() as context:
        connection = context.session.connection()
        shipped = package_of(connection, latest_version(connection, "issue_disposal").id)
        files = {name: text for name, text in shipped.files.items() if not name.startswith("texts/")}
        root = etree.fromstring(files[DIAGRAM])
        for element in root.iter(etree.Element):
            if "name" in element.attrib and etree.QName(element).localname in (
                "userTask",
                "process",
                "endEvent",
                "startEvent",
                "subProcess",
            ):
                element.set("name", _xml(next(names)))
        files[DIAGRAM] = etree.tostring(root)
        for name in [name for name in files if name.startswith("forms/")]:
            files[name] = json.dumps(_titled(json.loads(files[name]), names)).encode()
        publish(connection, context.new_id(), frozen_package(files), context.now(), by="x", reason=PAYLOADS[3])


def _titled(part: Any, names: Iterator[str]) -> Any:
    if isinstance(part, dict):
        return {
            key: next(names) if key in ("title", "description") and isinstance(value, str) else _titled(value, names)
            for key, value in part.items()
        }
    return [_titled(below, names) for below in part] if isinstance(part, list) else part


def _xml(text: str) -> str:
    return "".join(c for c in text if c.isprintable() or c == " ")


def _rename(district: District) -> None:
    with district.office.work() as context:
        for names, rows in (
            (PAYLOADS, context.session.scalars(select(Unit).where(Unit.kind != "department"))),
            (SHORT, context.session.scalars(select(Person))),
        ):
            for row, name in zip(rows, cycle(names), strict=False):
                row.name = name[:80]
        for day, note in enumerate(PAYLOADS):
            set_day(context.session, date(2026, 4, 1) + timedelta(day), DayKind.WORK, note, by="x")


def _reported(app: Flask, texts: list[str]) -> str:
    resident, page = Client(app.test_client()), f"/report?place={PLACE}"
    place = re.search(r'name="place" value="(\d+)"', resident.http.get(page).get_data(as_text=True))
    assert place
    told = {"text": "\n".join(texts), "address": texts[0], "contact_name": texts[1][:40], "contact_mobile": "13900000000"}
    answer = resident.post("/report", page, place=place.group(1), **told)
    assert answer.status_code == 302, answer.get_data(as_text=True)
    return answer.headers["Location"].rpartition("/")[2].partition("?")[0]
