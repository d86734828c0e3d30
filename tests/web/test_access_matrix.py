"""Bar 4: who asks × what is asked for × somebody else's case. Made from the app's own map: a new route must be classified here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import func, select
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from bpmn import beginning
from engine.packages import frozen_package
from engine.schema import commands, process_versions, tasks
from engine.versions import publish
from governance.cases.models import Case, Photo
from governance.context import Context
from governance.deliberation.commands import Suggestion, suggest
from governance.files.commands import add_file
from governance.files.models import FormFile
from governance.files.rules import Attachment, read_attachment
from governance.identity.commands import issue_token, open_account
from governance.identity.models import Account
from governance.meetings.commands import add_item, give_notice
from governance.meetings.decisions import Resolved, record
from governance.meetings.files import attach
from governance.meetings.minutes import write_minutes
from governance.meetings.models import AgendaItem, Attendee, Decision, Meeting, MeetingFile, Minutes
from governance.meetings.queries import agenda
from governance.organisation.models import Kind
from governance.organisation.queries import nearest, of_kind, place, upwards
from governance.people.commands import add_person, appoint
from governance.people.models import Appointment
from governance.people.queries import appointments_of
from governance.people.rules import POSTS
from governance.rolls.queries import KEEPERS
from governance.starting.commands import begin
from governance.studio.commands import draft_version
from governance.studio.runs import Choice, begin_rehearsal
from tests.district import District
from tests.faults.people import PLACE
from tests.faults.people import Client as Page
from tests.governance.meeting_world import Hall
from tests.papers import TAKES_ALL

ADMINISTRATOR, DESIGNER, AUDITOR = "system_administrator", "process_designer", "auditor"
OPEN, SECRET, OWN, CASE, TASK, MEETING = "open", "secret", "own", "case", "task", "meeting"
"""For everybody; behind a secret link; about whoever asks; about a case, a task, a meeting. A tuple names the posts that may ask."""
ADMIN, READERS, MAKERS = (ADMINISTRATOR,), (ADMINISTRATOR, AUDITOR), (ADMINISTRATOR, DESIGNER)
ACCESS: dict[str, str | tuple[str, ...]] = {
    **dict.fromkeys(
        ("static", "api-docs.openapi_json", "public.home", "signin.login", "signin.enter", "signin.language", "tokens.create"), OPEN
    ),
    **dict.fromkeys(
        ("public.ask", "public.take", "public.places", "public.similar", "public.also", "public.place_qr", "api_cases.create"), OPEN
    ),
    **dict.fromkeys(
        [
            f"deliberation.{name}"
            for name in ("index", "ask", "places", "alike_ones", "take", "show", "back", "rate", "disagree", "qr", "photo", "notice")
        ],
        OPEN,
    ),
    **dict.fromkeys(("deliberation.follow", "deliberation.take_back", "deliberation.objection"), SECRET),
    **dict.fromkeys(("public.follow", "public.photo", "public.qr", "public.answer", "public.file", "interventions.take_back"), SECRET),
    **dict.fromkeys(
        (
            "inbox.show",
            "inbox.news",
            "cases.index",
            "matters.index",
            "signin.leave",
            "signin.password",
            "signin.renew_password",
            "signin.act_as",
        ),
        OWN,
    ),
    **dict.fromkeys(("api_tasks.index", "api_units.index"), OWN),
    **dict.fromkeys(
        ("cases.show", "cases.diagram", "cases.state", "cases.photo", "cases.prove", "api_cases.show", "api_cases.timeline"), CASE
    ),
    **dict.fromkeys(("matters.show", "matters.notice", "matters.diagram", "matters.state", "matters.photo", "matters.prove"), CASE),
    **dict.fromkeys(("interventions.contact", "interventions.order", "files.show"), CASE),
    **dict.fromkeys(
        ("tasks.show", "tasks.finish", "tasks.shape", "tasks.next_people", "tasks.take", "tasks.give_back", "tasks.take_back"), TASK
    ),
    **dict.fromkeys(("tasks.hand_on", "tasks.upload", "tasks.put_file", "tasks.diagram", "tasks.state"), TASK),
    **dict.fromkeys(("urging.press", "copies.ask", "copies.send", "copies.seek", "copies.read"), TASK),
    **dict.fromkeys(("api_beside.urge", "api_beside.recipients", "api_beside.copy", "api_beside.read"), TASK),
    **dict.fromkeys(("starting.index", "starting.ask", "starting.take", "starting.shape", "starting.put_file", "files.own"), OWN),
    **dict.fromkeys(("starting.everybodys", "starting.show", "starting.diagram", "starting.state", "starting.prove"), (AUDITOR,)),
    **dict.fromkeys(("attendance.show", "attendance.sign"), SECRET),
    **dict.fromkeys(("meetings.index", "meetings.new", "meetings.add"), OWN),
    **dict.fromkeys(("meetings.show", "meetings.edit", "meetings.change", "meetings.notice", "meetings.notify", "meetings.qr"), MEETING),
    **dict.fromkeys(("meetings.put_item", "meetings.take_item_off", "meetings.write_result", "meetings.advance"), MEETING),
    **dict.fromkeys(("meetings.call_off", "room.attendees", "room.put_people", "room.put_staff", "room.take_off"), MEETING),
    **dict.fromkeys(("room.live", "room.news", "room.check", "records.minutes", "records.write", "records.sign"), MEETING),
    **dict.fromkeys(("records.sign_on_paper", "records.put_file", "records.files", "records.file"), MEETING),
    **dict.fromkeys(("records.decisions", "records.put_decision", "records.hand_over", "records.take_back"), MEETING),
    **dict.fromkeys(("meeting_rules.show", "meeting_rules.change"), ADMIN),
    **dict.fromkeys(("tasks.hand_on", "tasks.upload"), TASK),
    **dict.fromkeys(("api_tasks.show", "api_tasks.claim", "api_tasks.release", "api_tasks.finish", "api_tasks.foresee"), TASK),
    **dict.fromkeys(
        ("api_tasks.to_whom", "api_tasks.to_name", "api_tasks.transfer", "api_tasks.withdraw", "api_tasks.photo", "api_tasks.file"), TASK
    ),
    **dict.fromkeys(("instances.index", "instances.show", "instances.log", "instances.state"), READERS),
    **dict.fromkeys(("instances.suspend", "instances.resume", "instances.cancel", "instances.rewind"), ADMIN),
    **dict.fromkeys(("processes.show", "processes.version", "processes.diagram", "processes.export"), (*MAKERS, AUDITOR)),
    **dict.fromkeys(("admin.show", "studio.new", "studio.bring", "studio.change", "studio.edit", "studio.submit"), MAKERS),
    **dict.fromkeys(("studio.withdraw", "studio.restore", "studio.rebase", "studio.discard", "studio.retire"), MAKERS),
    **dict.fromkeys(("studio_calls.words", "studio_calls.files", "studio_calls.save", "studio_calls.hold", "studio_calls.let_go"), MAKERS),
    **dict.fromkeys(("studio.review", "studio.diagram", "studio.download", "studio.compare", "studio.choose"), (*MAKERS, AUDITOR)),
    **dict.fromkeys(("studio_runs.rehearse", "studio_runs.cancel", "studio_runs.move", "studio_runs.undo_moves"), MAKERS),
    **dict.fromkeys(("studio_runs.moves", "studio_runs.preview"), MAKERS),
    **dict.fromkeys(("studio_runs.rehearsals", "studio_runs.show", "studio_runs.progress", "studio_runs.diagram"), (*MAKERS, AUDITOR)),
    "studio_case.show": (*MAKERS, AUDITOR),
    **dict.fromkeys(("studio_forms.form_preview", "studio_forms.table"), MAKERS),
    **dict.fromkeys(("studio_scenarios.play_all", "studio_scenarios.rehearse", "studio_scenarios.write"), MAKERS),
    **dict.fromkeys(("processes.incidents", "processes.retry", "mending.show", "mending.people", "mending.choose"), ADMIN),
    **dict.fromkeys(("unattended.show", "unattended.ask", "unattended.people", "unattended.hand"), ADMIN),
    **dict.fromkeys(("calendar.show", "calendar.change_day", "calendar.bring", "calendar.seed"), ADMIN),
    **dict.fromkeys(("people.show", "people.add", "people.bring", "people.vacant", "people.users", "people.one", "people.change"), ADMIN),
    **dict.fromkeys(("people.give_post", "people.end", "people.let_in", "people.change_account"), ADMIN),
    **dict.fromkeys(("units.show", "units.like", "units.add", "units.bring", "units.rename", "units.close"), ADMIN),
}
ACCESS |= {
    **dict.fromkeys(("vote_rules.show", "vote_rules.add"), ADMIN),
    **dict.fromkeys(("rolls.index", "rolls.create", "rolls.show", "rolls.bring", "rolls.end"), (ADMINISTRATOR, *KEEPERS)),
    **dict.fromkeys(("votes.index", "votes.show", "votes.live", "votes.slips", "votes.paper", "votes.box"), (ADMINISTRATOR, *KEEPERS)),
    **dict.fromkeys(("votes.attended", "votes.entrust", "votes.take_back", "api_votes.show"), (ADMINISTRATOR, *KEEPERS)),
    **dict.fromkeys(("ballots.ask", "ballots.take", "api_votes.cast"), SECRET),
    **dict.fromkeys(("ballots.mine", "ballots.ask_here", "ballots.take_here"), OWN),
}
WIDE = {"joint_office", "joint_office_lead", "district_leader", AUDITOR}
"""To these no case of the district is foreign: they may read it, and must not do other people's tasks."""
READING = {"cases.show", "cases.diagram", "cases.state", "cases.photo", "cases.prove", "api_cases.show", "api_cases.timeline"} | {
    *("api_tasks.show", "api_tasks.to_whom", "api_tasks.to_name", "interventions.contact", "interventions.order", "files.show"),
    *("api_beside.recipients", "urging.press", "api_beside.urge"),
    *("matters.show", "matters.notice", "matters.diagram", "matters.state", "matters.photo", "matters.prove"),
    *("meetings.show", "meetings.notice", "meetings.qr", "room.live", "room.news"),
    *("records.minutes", "records.decisions", "records.files", "records.file"),
}
RESIDENT, KEY = "resident", "process_leave"
MARK = "MARKED-9f3c"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
FILLED = {"data": {"category": "0303", "accept_result": "accept"}}
BODIES = {
    **dict.fromkeys(("api_tasks.finish", "api_tasks.foresee"), FILLED),
    "api_tasks.transfer": {"person": "1", "reason": "x"},
    "api_tasks.withdraw": {"reason": "x"},
    "api_beside.urge": {"words": "x"},
    "api_beside.copy": {"people": ["1"], "words": "x"},
    "api_tasks.photo": {"picture": PIXEL},
    "api_tasks.file": {"name": "a.png", "content": PIXEL},
    "api_cases.create": {"text": "路灯不亮", "place": PLACE},
    "tokens.create": {"username": "x", "password": "x"},
    "api_votes.cast": {"choice": "yes"},
    **{f"instances.{action}": {"reason": "x"} for action in ("suspend", "resume", "cancel")},
    "instances.rewind": {"reason": "x", "to": 1},
}
FORM = {
    "category": "0303",
    "accept_result": "accept",
    "reason": "x",
    "instruction": "x",
    "days": "3",
    "person": "1",
    "text": "x",
    "name": "x",
    "password": "Long enough 1",
    "username": "xx",
    "kind": "work",
    "date": "2026-03-03",
    "year": "2026",
    "post": "auditor",
}


@dataclass
class World:
    """Somebody else's case, and everybody whom it does not concern."""

    district: District
    app: Flask
    ids: dict[str, Any]
    number: str
    callers: dict[str, Account | None]
    tokens: dict[str, str]

    def ask(self, caller: str, rule: Rule, method: str) -> TestResponse:
        client, account = self.app.test_client(), self.callers[caller]
        with self.app.test_request_context():
            path = self.app.url_map.bind("").build(rule.endpoint, {name: self.ids[name] for name in rule.arguments}, method=method)
        headers = {"If-Match": '"1"'}
        if account and rule.rule.startswith("/api/"):
            headers["Authorization"] = f"Bearer {self.tokens[caller]}"
        elif account:
            with client.session_transaction() as session:
                session["_user_id"], session["_fresh"] = f"{account.id}.{account.stamp}", True
        if rule.rule.startswith("/api/"):
            return client.open(
                path, method=method, headers=headers, json=BODIES.get(rule.endpoint) if method == "POST" else None, buffered=True
            )
        return client.open(path, method=method, headers=headers, data=FORM if method == "POST" else None, buffered=True)

    def written(self) -> tuple[object, ...]:
        """What must not have changed of the case."""
        with self.district.office.work() as context:
            case = context.session.get(Case, self.ids["case_id"])
            assert case
            mine = commands.c.instance_id == case.instance_id
            photos = context.session.scalar(select(func.count()).select_from(Photo).where(Photo.case_id == case.id))
            files = context.session.scalar(select(func.count()).select_from(FormFile))
            held = context.session.execute(select(tasks.c.claimed_by, tasks.c.closed_at).where(tasks.c.id == self.ids["task_id"])).one()
            meeting = context.session.get_one(Meeting, self.ids["meeting_id"])
            counted = [
                context.session.scalar(select(func.count()).select_from(kind).where(kind.meeting_id == meeting.id))
                for kind in (AgendaItem, Attendee, Minutes, MeetingFile, Decision)
            ]
            held = (*held, meeting.closed_at, meeting.cancelled_at, *counted)
            return (context.session.scalar(select(func.count()).select_from(commands).where(mine)), photos, files, *held)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    district = District(tmp_path_factory.mktemp("matrix"))
    app = district.app()
    image = BytesIO()
    Image.new("RGB", (8, 8)).save(image, "JPEG")
    for text in ("别人的另一件事", MARK):
        resident, page = Page(app.test_client()), f"/report?place={PLACE}"
        sent: dict[str, Any] = {"text": f"楼道漏水 {text}", "place": PLACE, "photos": (BytesIO(image.getvalue()), "a.jpg")}
        answer = resident.http.post("/report", data={**resident.token(page), **sent})
        assert answer.status_code == 302, answer.get_data(as_text=True)
    app.config["WTF_CSRF_ENABLED"] = False
    with district.office.work() as context:
        session = context.session
        case = session.scalars(select(Case).where(Case.text.contains(MARK))).one()
        task = session.scalar(select(tasks.c.id).where(tasks.c.instance_id == case.instance_id))
        building, photo = place(session, PLACE), session.scalars(select(Photo).where(Photo.case_id == case.id)).one()
        account = session.scalars(select(Account)).first()
        assert building and account
        for number, post in enumerate(code for code in POSTS if code not in set(session.scalars(select(Appointment.post)))):
            far = next(u for u in of_kind(session, POSTS[post].unit) if not building.path.startswith(u.path))
            person = add_person(session, context.new_id(), f"在岗者{number}", f"1390000000{number}")
            appoint(session, context.new_id(), person, post, far, date(2026, 1, 1))
            open_account(session, context.new_id(), person, f"zaigang{number}", "Long enough 1")
        appointment = appointments_of(session, account.person_id, context.today)[0]
        community = nearest(upwards(session, building), Kind.COMMUNITY)
        assert community
        designer = Hall(district, context).holder(DESIGNER, "500199")
        matter, _secret = suggest(context, Suggestion(community, f"加装电梯 {MARK}", MARK, MARK, "a topic", MARK))
        ids = {
            "case_id": case.id,
            "matter_id": matter.id,
            "reference": matter.number,
            "notice_id": 1,
            "task_id": task,
            "instance_id": case.instance_id,
            "photo_id": photo.id,
            **_file(context, case, account.person_id),
            "secret": "a" * 32,
            "person_id": account.person_id,
            "appointment_id": appointment.id,
            "unit_id": building.id,
            "action": "enable",
            "incident_id": 1,
            "vote_id": 1,
            "book_id": 1,
            "number": 1,
            "code": PLACE,
            "filename": "dist/app.js",
            "version_id": (
                version_id := session.scalar(select(process_versions.c.id).where(process_versions.c.key == "issue_disposal")) or 0
            ),
            "old_id": version_id,
            "new_id": version_id,
            "draft_id": (draft_id := draft_version(context, designer, version_id).id),
            "key": KEY,
            "started_id": _request(Hall(district, context)),
            "run_id": begin_rehearsal(context, designer, draft_id, Choice(last=1)).id,
            **_meeting(Hall(district, context)),
            "step": "open",
            "mark": "here",
            "body": "owners",
        }
        callers: dict[str, Account | None] = {RESIDENT: None}
        tokens = {}
        session.flush()
        for account in session.scalars(select(Account).order_by(Account.id)):
            held = appointments_of(session, account.person_id, context.today)
            near = any(POSTS[a.post].sees == "subtree" and building.path.startswith(a.unit.path) for a in held)
            for post in {a.post for a in held} if not near or {a.post for a in held} <= WIDE else ():
                if post not in callers and len({a.post for a in held}) == 1:
                    _ = account.person
                    callers[post] = account
                    tokens[post] = issue_token(session, account, context.new_id(), context.now())
        session.flush()
        number = case.number
        session.expunge_all()
    yield World(district, app, ids, number, callers, tokens)
    district.close()


def _file(context: Context, case: Case, person_id: int) -> dict[str, str]:
    """A paper of the case, as its record would name it."""
    sent = read_attachment("a.pdf", f"%PDF-{MARK}".encode())
    value = add_file(context, TAKES_ALL, sent, by=person_id, instance_id=case.instance_id).value
    return dict(zip(("digest", "name"), value.split("/"), strict=True)) | {"widget": "attachments"}


def _request(hall: Hall) -> int:
    """What a grid worker has asked for, in a process that everybody may start."""
    context, filled = hall.context, {"reason": MARK, "from_date": "2026-03-09", "to_date": "2026-03-13"}
    package = frozen_package(beginning("request", KEY, "请假"))
    publish(context.session.connection(), context.new_id(), package, context.now(), by="system", reason="试行")
    return begin(context, hall.holder("grid_worker", "50019900100100001"), KEY, filled, "k1").id


def _meeting(hall: Hall) -> dict[str, int]:
    """A meeting about what must not be known outside, with something of everything in it."""
    context, held, lead = hall.context, hall.draft(), hall.holder()
    add_item(context, lead, held.id, MARK)
    give_notice(context, lead, held.id)
    for one in hall.roll(held):
        one.signed_in_at = context.now()
    held.opened_at = context.now()
    version = write_minutes(context, lead, held.id, MARK, 0)
    file = attach(context, lead, held.id, Attachment("a.pdf", "pdf", f"%PDF-{MARK}".encode()))
    unit = str(hall.unit("500199-D01").id)
    decision = record(context, lead, held.id, Resolved(MARK, unit, context.today + timedelta(days=9)))
    item, attendee = agenda(context.session, held.id)[0], hall.roll(held)[0]
    return {
        "meeting_id": held.id,
        "item_id": item.id,
        "attendee_id": attendee.id,
        "minutes_id": version.id,
        "file_id": file.id,
        "decision_id": decision.id,
    }


def rules(app: Flask) -> list[tuple[Rule, str]]:
    return [(rule, method) for rule in app.url_map.iter_rules() for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"})]


def test_every_route_is_classified(world: World) -> None:
    assert {rule.endpoint for rule in world.app.url_map.iter_rules()} == set(ACCESS)


def test_everybody_is_there(world: World) -> None:
    assert set(world.callers) == {RESIDENT, *POSTS}


def test_nobody_reaches_what_is_not_theirs(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    before, wrong, cells = world.written(), [], 0
    for caller, account in world.callers.items():
        for rule, method in rules(world.app):
            access = ACCESS[rule.endpoint]
            if (caller in WIDE and rule.endpoint in READING) or caller in access or (access == OPEN and account):
                continue
            answer, cells = world.ask(caller, rule, method), cells + 1
            said, where = answer.get_data(as_text=True) if answer.mimetype != "image/jpeg" else MARK, answer.headers.get("Location", "")
            turned_away = answer.status_code == 401 or (answer.status_code == 302 and where.startswith("/login"))
            if access == OPEN:
                right = answer.status_code < 500
            elif account is None and access != SECRET:
                right = turned_away
            elif access == OWN:
                right = answer.status_code < 500
            else:
                right = answer.status_code in (403, 404)
            told = caller not in WIDE and not rule.endpoint.startswith("deliberation.") and (MARK in said or world.number in said)
            if not right or told:
                wrong.append(f"{caller} {method} {rule.rule}: {answer.status_code}{' tells' if told else ''}")
    with capsys.disabled():
        print(f"\n{len(world.callers)} callers × {len(rules(world.app))} routes: {cells} cells")
    assert wrong == []
    assert world.written() == before
