"""Matters that are moved on by commands, as residents and officials would."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from typing import Any

from PIL import Image
from sqlalchemy import func, select

from engine.log import loads
from engine.plans import Plan
from engine.schema import instances, tasks
from engine.versions import Version
from engine.world import SYSTEM
from governance.cases.models import Case
from governance.cases.photos import add_photo, read_picture
from governance.deliberation.commands import Resident, Suggestion, evaluate, object_to, suggest, support, withdraw
from governance.matters.models import ImplementationTask, Matter, MatterEvaluation
from governance.matters.queries import implementation_tasks, support_of
from governance.matters.rules import Backing
from governance.organisation.models import Kind, Unit
from governance.rolls.models import RollBook
from governance.voting.codes import voting_code
from governance.voting.commands import cast_by_code
from governance.voting.models import Vote
from governance.workflow.commands import complete
from governance.workflow.world import instances as instances_of
from tests.district import District
from tests.journeys.matters import Matter as CaseMatter
from tests.journeys.matters import addressed_actor, place, reported

COMMUNITY, ESTATE = "500199001001", "500199001001-E1"
_numbers = itertools.count(1)


@dataclass
class Topic:
    """A matter under deliberation."""

    district: District
    id: int
    number: str
    secret: str

    # ---- what residents do ----------------------------------------------------------------------------------

    def supported(self, people: int, *, again: bool = False) -> Topic:
        """So many people, each from a home of their own; `again` leaves out those who have."""
        for n in range(self.supporters() if again else 0, people):
            with self.district.office.work() as context:
                support(context, self._matter(context), Resident("李桂芳", f"1390000{n:04d}", f"{n + 1}栋101"))
        return self

    def supporters(self) -> int:
        with self.district.office.work() as context:
            return support_of(context.session, [self.id]).get(self.id, Backing()).people

    def evaluations(self) -> int:
        mine = select(func.count()).select_from(MatterEvaluation).where(MatterEvaluation.matter_id == self.id)
        with self.district.office.work() as context:
            return context.session.scalar(mine) or 0

    def withdrawn(self, reason: str) -> Topic:
        with self.district.office.work() as context:
            withdraw(context, self._matter(context), reason)
        return self

    def objected(self, text: str = "预算没有公开") -> Topic:
        with self.district.office.work() as context:
            object_to(context, self._matter(context), Resident("何建国", "13700000001"), text, f"objection-{next(_numbers)}")
        return self

    def evaluated(self, *satisfactions: int) -> Topic:
        for n, satisfaction in enumerate(satisfactions):
            with self.district.office.work() as context:
                evaluate(context, self._matter(context), Resident("李桂芳", f"1390000{n:04d}"), satisfaction, "")
        return self

    # ---- what officials do ----------------------------------------------------------------------------------

    def do(self, element: str, opinion: str = "", **data: Any) -> Topic:
        """Whoever it is addressed to finishes the open task of an element."""
        task = self.task(element)
        with self.district.office.work() as context:
            advance = complete(context, addressed_actor(context, task), task, data, opinion=opinion)
        assert advance.stopped is None, advance.stopped
        return self

    def accepted(self, **data: Any) -> Topic:
        return self.do("examine_topic", topic_result="accept", topic_title="三号楼加装电梯", **data)

    def proposed(self, budget: int = 480_000) -> Topic:
        plan = {"plan": "一单元外侧加装一部电梯。", "budget": budget, "funding": "居民分摊与财政补助"}
        self.do("draft_proposal", proposal_result="legal", **plan)
        return self.do("give_legal_opinion", legal_opinion="程序合法，应公示分摊方案。", legal_result="lawful")

    def consulted(self, *results: str) -> Topic:
        for result in results or ("agreed",):
            minutes = {"held_at": self.local(), "participants": "居委会、业委会、物业、一楼住户", "minutes": "各方意见已记录。"}
            agreed = {"plan": "缩小井道，补偿一楼采光。"} if result == "agreed" else {}
            self.do("hold_consultation", consultation_result=result, **minutes, **agreed)
        return self

    def called(self, book: str, rule: str, *, notice: int = 0, days: int = 7, **terms: Any) -> Topic:
        starts = self.district.clock.at + timedelta(days=notice + 1 if notice else 0)
        question = {"vote_rule": rule, "roll_book": self.book(book), "vote_question": "是否同意三号楼加装电梯？"}
        period = {"vote_starts_at": starts.isoformat(), "vote_ends_at": (starts + timedelta(days=days)).isoformat()}
        calling = next(element for element in self.open() if element.startswith("call_"))
        return self.do(calling, call_result="call", **{**question, **period, **terms})

    def voted(self, yes: int, no: int = 0, abstain: int = 0) -> Topic:
        """The first so many of the roll vote yes, and so on; then the period runs out and the vote is closed."""
        vote = self.vote()
        self.district.clock.at = max(self.district.clock.at, vote.starts_at)
        choices = ["yes"] * yes + ["no"] * no + ["abstain"] * abstain
        for number, choice in enumerate(choices, 1):
            with self.district.office.work() as context:
                cast_by_code(context, voting_code(context.sealer, vote.id, number), choice)
        self.district.clock.at = vote.ends_at
        self.district.tick()
        return self

    def rewound(self, to: int) -> Topic:
        """Taken back to where it was after command `to`."""
        with self.district.office.work() as context:
            instances_of(context).rewind(self._matter(context).instance_id or 0, to, SYSTEM, "有误")
        return self

    def moved(self, version: Version, plan: Plan) -> Topic:
        """On another version of its process, as far as the plan lets its history come."""
        with self.district.office.work() as context:
            instances_of(context).move(self._matter(context).instance_id or 0, version, plan, SYSTEM, "换版")
        return self

    def moved_back(self) -> Topic:
        with self.district.office.work() as context:
            instances_of(context).undo_move(self._matter(context).instance_id or 0, SYSTEM, "有误")
        return self

    def cancelled(self) -> Topic:
        with self.district.office.work() as context:
            instances_of(context).cancel(self._matter(context).instance_id or 0, SYSTEM, "有误")
        return self

    def announced(self, decision: str = "adopted", **data: Any) -> Topic:
        return self.do("confirm_result", decision=decision, vote_minutes="唱票、计票、监票人签字。", **data)

    def resolved(self, text: str = "同意三号楼加装电梯。") -> Topic:
        return self.do("draft_resolution", resolution_text=text, resolution_result="submit")

    def posted(self, days: int = 7, at: str = "") -> Topic:
        where = {"notice_place": "三号楼公示栏", "posted_at": at or self.local(), "notice_days": days}
        return self.do("post_notice", notice_result="posted", notice_photos=[self.picture()], **where)

    def planned(self, *hows: str) -> Topic:
        """One thing to be done for each of these ways, and the last one finishes the plan."""
        for n, how in enumerate(hows, 1):
            due = (self.district.clock.at + timedelta(days=30)).isoformat()
            item = {"task_title": f"第{n}项：施工与公示", "task_unit": department(self.district), "task_due": due, "task_how": how}
            self.do("plan_implementation", plan_result="done" if n == len(hows) else "add", **item)
        return self

    def delivered(self) -> list[bool]:
        with self.district.office.work() as context:
            return [task.settled_at is not None for task in implementation_tasks(context.session, self.id)]

    def cases(self) -> list[CaseMatter]:
        """The cases by which the resolution is carried out."""
        with self.district.office.work() as context:
            mine = select(ImplementationTask.case_id).where(ImplementationTask.matter_id == self.id)
            return [CaseMatter(self.district, case.id, "") for case in context.session.scalars(select(Case).where(Case.id.in_(mine)))]

    def published(self, at: str = "") -> Topic:
        told = {
            "result_text": "电梯已投入使用。",
            "result_photos": [self.picture()],
            "notice_place": "三号楼",
            "posted_at": at or self.local(),
        }
        return self.do("publish_result", publish_result="published", **told)

    def noticed(self) -> Topic:
        """The period of the notice runs out."""
        self.district.clock.at += timedelta(days=12)
        self.district.tick()
        return self

    # ---- what is asked --------------------------------------------------------------------------------------

    @property
    def row(self) -> Matter:
        with self.district.office.work() as context:
            found = self._matter(context)
            context.session.expunge(found)
            return found

    def open(self) -> list[str]:
        """The elements of the open tasks."""
        query = select(tasks.c.element).join(instances, instances.c.id == tasks.c.instance_id)
        with self.district.office.work() as context:
            mine = query.where(instances.c.business_key == f"matter:{self.id}", tasks.c.closed_at.is_(None))
            return list(context.session.connection().scalars(mine.order_by(tasks.c.id)))

    def steps(self) -> int:
        """How many commands it has taken."""
        with self.district.office.work() as context:
            mine = select(instances.c.revision).where(instances.c.business_key == f"matter:{self.id}")
            return context.session.connection().scalar(mine) or 0

    def data(self) -> Mapping[str, Any]:
        with self.district.office.work() as context:
            state = context.session.connection().scalar(select(instances.c.state).where(instances.c.business_key == f"matter:{self.id}"))
        found: Mapping[str, Any] = loads(state)["data"]
        return found

    def task(self, element: str) -> int:
        query = select(tasks.c.id).join(instances, instances.c.id == tasks.c.instance_id)
        with self.district.office.work() as context:
            mine = query.where(instances.c.business_key == f"matter:{self.id}", tasks.c.element == element, tasks.c.closed_at.is_(None))
            found = context.session.connection().scalars(mine.order_by(tasks.c.id)).first()
        assert found, (element, self.open())
        return int(found)

    def vote(self) -> Vote:
        with self.district.office.work() as context:
            found = context.session.scalars(select(Vote).where(Vote.matter_id == self.id).order_by(Vote.id.desc())).first()
            assert found
            context.session.expunge(found)
            return found

    def book(self, name: str) -> str:
        mine = select(RollBook.id).where(RollBook.unit_id == self.row.unit_id, RollBook.name == name)
        with self.district.office.work() as context:
            return str(context.session.scalars(mine).one())

    def picture(self) -> str:
        with self.district.office.work() as context:
            return str(add_photo(context, self._matter(context), read_picture(jpeg())).id)

    def local(self) -> str:
        return self.district.clock.at.isoformat()

    def _matter(self, context: Any) -> Matter:
        found: Matter = context.session.get_one(Matter, self.id)
        return found


def waiting_case(district: District) -> CaseMatter:
    """A case whose subject is handed over, and whose clock stands."""
    case = reported(district, place())
    case.do(accept_result="accept", category="0108")
    handed = {"category": "0108", "priority": "P4", "deliberation_topic": "三号楼加装电梯", "grade_result": "deliberate"}
    return case.do(opinion="请居民会议商议。", **handed)


def suggested(district: District, code: str = COMMUNITY, title: str = "三号楼加装电梯", case: int | None = None) -> Topic:
    with district.office.work() as context:
        unit = context.session.scalars(select(Unit).where(Unit.code == code)).one()
        handed = context.session.get_one(Case, case) if case else None
        suggestion = Suggestion(unit, title, "老人上下楼困难。", "加装一部电梯。", f"topic-{next(_numbers)}", case=handed)
        matter, secret = suggest(context, suggestion)
        return Topic(district, matter.id, matter.number, secret or "")


def carried_out(case: CaseMatter) -> None:
    """A case that a resolution asked for, from the dispatch to its end, each step by somebody to whom it is addressed."""
    at = case.district.clock.at.isoformat()
    with case.district.office.work() as context:
        photo = str(add_photo(context, context.session.get_one(Case, case.case_id), read_picture(jpeg())).id)
    filled: dict[str, dict[str, Any]] = {
        "dispatch_case": {
            "lead_unit": department(case.district),
            "dispatch_due": (case.district.clock.at + timedelta(days=20)).isoformat(),
            "dispatch_result": "dispatch",
        },
        "acknowledge_case": {"acknowledge_result": "acknowledge"},
        "contact_reporter": {"contacted_reporter_at": at, "contact_note": "已联系。", "contact_result": "reached"},
        "undertake_case": {"measures": "已完成。", "photos_after": [photo], "contacted_reporter_at": at, "undertake_result": "settled"},
        "check_by_dispatcher": {"site_checked": True, "check_note": "属实。", "check_result": "pass"},
        "reply_to_reporter": {"reply_mode": "public", "reply_text": "已完成。", "replied_at": at, "reply_result": "replied"},
        "evaluate_for_reporter": {"confirm_note": "已核查。", "confirm_result": "solved"},
        "close_case": {"close_code": "已解决", "close_summary": "决议已落实。", "close_result": "close"},
    }
    while steps := case.open():
        case.do(step=steps[0], **filled[steps[0]])
    case.district.tick()


def department(district: District) -> str:
    """The first department there is."""
    with district.office.work() as context:
        return str(context.session.scalars(select(Unit.id).where(Unit.kind == Kind.DEPARTMENT).order_by(Unit.code)).first())


def jpeg() -> bytes:
    """A very small picture."""
    image = BytesIO()
    Image.new("RGB", (8, 8)).save(image, "JPEG")
    return image.getvalue()
