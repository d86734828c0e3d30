"""What the process of a matter asks of the domain: answers to its lookups, checks of its forms, what follows its steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, literal, select, update

from engine.errors import InstanceAtRest, NothingWaits
from engine.plans import BACK, MOVES
from engine.world import CANCELLED, SUSPENDED, SYSTEM, Advance
from governance.base import inserting
from governance.calendar.queries import working_calendar
from governance.calendar.rules import Unit as LimitUnit
from governance.calendar.rules import moment_told
from governance.cases.commands import Report, register
from governance.cases.models import Case
from governance.context import Context
from governance.deliberation.commands import is_owed
from governance.errors import Refused
from governance.intake.commands import RESOLUTION_ASSIGNED, begin
from governance.matters.models import ImplementationTask, Matter, MatterEvaluation, Objection, PublicNotice, Support
from governance.matters.queries import RESOLUTION, implementation_tasks
from governance.matters.rules import follow
from governance.organisation.queries import way_up
from governance.rolls.models import RollBook
from governance.rolls.queries import books_of
from governance.voting.commands import call_vote, check_terms, close_vote, keep_vote
from governance.workflow.commands import Desk, checks
from governance.workflow.world import CASE_CLOSED, answers, carries, follows, instances

Data = Mapping[str, Any]
TURNING = BACK | MOVES | {"cancel"}
"""Commands after which a process may wait for something else than before, though nobody decided anything."""
LEAST_NOTICE = 7
"""公示 in days: 四议两公开 documents; 民法典 and the rules of owners' meetings ask for no more."""
SATISFIED, DISSATISFIED = 4, 2
CHANNEL = "议事决议转办"
DELIVERED, OWN_TASK = "implementation_delivered", "carry_out_task"


# ---- the row follows the instance --------------------------------------------------------------------------------


@follows("matter")
def follow_matter(context: Context, advance: Advance) -> None:
    """Brings the matter up to its instance, and an objection up to the answer it has been given."""
    matter = context.session.get_one(Matter, int(advance.business_key.rpartition(":")[2]), populate_existing=True)
    matter.instance_id = advance.instance_id
    if advance.stopped:
        return
    statuses = tuple(settings["status"]["value"] for settings in advance.open_settings if "status" in settings)
    follow(matter, advance.data, statuses, advance.status, advance.at)
    if advance.kind in TURNING:
        _let_go(context, matter, advance)
    _keep_answers(context, matter, advance)
    _note_done(context, matter, advance)
    if matter.outcome == "merged":
        _hand_support_on(context, matter)
    context.session.flush()


def _note_done(context: Context, matter: Matter, advance: Advance) -> None:
    """The n-th task that a unit carries out itself is the n-th thing it was asked for."""
    finished = [int(key.rpartition("#")[2]) for key in advance.closed if key.startswith(f"{OWN_TASK}#")]
    if advance.kind != "complete" or not finished or advance.said.get("task_result") != "done":
        return
    own = [task for task in implementation_tasks(context.session, matter.id) if task.case_id is None]
    for task in (own[number - 1] for number in finished if number <= len(own)):
        task.settled_at = advance.at


def _let_go(context: Context, matter: Matter, advance: Advance) -> None:
    """What a process taken back does not wait for any more is over: votes, notices. What was delivered says so once again."""
    goes_on, session = advance.status != CANCELLED, context.session
    keep_vote(context, matter.id, int(advance.data["vote_id"]) if goes_on and "vote_id" in advance.data else None)
    kept = int(advance.data["notice_id"]) if goes_on and "notice_id" in advance.data else None
    gone = (PublicNotice.matter_id == matter.id) & PublicNotice.closed_at.is_(None) & PublicNotice.id.is_distinct_from(kept)
    session.execute(update(PublicNotice).where(gone).values(closed_at=advance.at))
    settled = (ImplementationTask.matter_id == matter.id) & ImplementationTask.settled_at.is_not(None)
    delivered = session.scalar(
        select(Case.instance_id).join(ImplementationTask, ImplementationTask.case_id == Case.id).where(settled).limit(1)
    )
    if goes_on and delivered is not None:
        instances(context).promise(delivered, CASE_CLOSED, {})


def _hand_support_on(context: Context, matter: Matter) -> None:
    """Whoever supported a matter supports the one it went into; who supports both is one voice."""
    into = context.session.scalar(select(Matter.id).where(Matter.number == matter.merged_into))
    moved = select(literal(into), Support.voice, Support.name, Support.household, Support.given_at).where(Support.matter_id == matter.id)
    given = inserting(context.session, Support).from_select(["matter_id", "voice", "name", "household", "given_at"], moved)
    context.session.execute(given.on_conflict_do_nothing())


def _keep_answers(context: Context, matter: Matter, advance: Advance) -> None:
    if "objection_result" not in advance.said:
        return
    for one in advance.data.get("objection_answers") or ():
        mine = (Objection.matter_id == matter.id) & (Objection.number == one["objection_n"]) & Objection.answered_at.is_(None)
        answered = {"is_upheld": one["result"] == "upheld", "answer": one["answer"], "answered_at": advance.at}
        context.session.execute(update(Objection).where(mine).values(answered))


# ---- votes -------------------------------------------------------------------------------------------------------


@checks("vote_terms")
def vote_terms(context: Context, held: Desk, data: Data) -> dict[str, str]:
    """A vote is called on a roll of the matter's own unit, or of one above it, under terms that the law allows."""
    if data.get("call_result") != "call":
        return {}
    if str(data.get("roll_book")) not in {str(book.id) for book in rolls_for(context, held.data)}:
        return {"roll_book": "请从本议题可用的名册中选择"}
    try:
        check_terms(context, data)
    except Refused as refused:
        return refused.errors
    return {}


def rolls_for(context: Context, data: Data) -> Sequence[RollBook]:
    """The books on which a vote about a matter can be called."""
    above = [station.id for station in way_up(context.session, data["matter_unit"])]
    return books_of(context.session, above, context.today)


@answers("open_vote", acts=True)
def open_vote(context: Context, data: Data) -> dict[str, Any]:
    matter = _matter(context, data)
    vote = call_vote(context, data, matter_id=matter.id, stage=str(data["vote_stage"]), instance_id=matter.instance_id)
    return {"vote_id": str(vote.id), "vote_closes_at": vote.ends_at.isoformat()}


@answers("close_vote", acts=True)
def announce_vote(context: Context, data: Data) -> dict[str, Any]:
    """The log keeps the digest of the roll and the ballots, so that nobody can change them unseen."""
    outcome = close_vote(context, int(data["vote_id"]))
    return {"vote_result": outcome.result.value, "vote_summary": outcome.summary, "vote_digest": outcome.digest}


# ---- public notices ----------------------------------------------------------------------------------------------


@answers("open_notice", acts=True)
def open_notice(context: Context, data: Data) -> dict[str, Any]:
    """民法典 art. 201, 203: the day it is posted does not count, and a last day that is a rest day rolls."""
    matter, posted = _matter(context, data), _instant(data["posted_at"])
    notice = PublicNotice(
        id=context.new_id(),
        matter_id=matter.id,
        kind=str(data.get("notice_kind") or RESOLUTION),
        text=str(data.get("resolution_text" if data.get("notice_kind") == RESOLUTION else "result_text") or ""),
        place=str(data.get("notice_place") or ""),
        posted_at=posted,
        ends_at=working_calendar(context.session).add(posted, int(data["notice_days"]), LimitUnit.CALENDAR_DAYS),
    )
    context.session.add(notice)
    context.session.flush()
    return {"notice_id": str(notice.id), "notice_ends_at": notice.ends_at.isoformat()}


@answers("close_notice", acts=True)
def close_notice(context: Context, data: Data) -> dict[str, Any]:
    over = (PublicNotice.id == int(data["notice_id"])) & PublicNotice.closed_at.is_(None)
    context.session.execute(update(PublicNotice).where(over).values(closed_at=context.now()))
    return {}


@checks("notice_terms")
def notice_terms(context: Context, held: Desk, data: Data) -> dict[str, str]:
    """A notice counts in full: it cannot have been up before there was anything to post."""
    least = int(held.data.get("publish_days") or LEAST_NOTICE)
    wrong = {"notice_days": f"公示期不得少于 {least} 日"} if int(data.get("notice_days") or least) < least else {}
    if moment_told(data["posted_at"]) < held.task["opened_at"].replace(second=0, microsecond=0):
        wrong["posted_at"] = "张贴时间不能早于交办张贴的时间"
    return wrong


# ---- what is examined --------------------------------------------------------------------------------------------


@checks("topic_decision")
def topic_decision(context: Context, held: Desk, data: Data) -> dict[str, str]:
    """What has found enough support may be refused only for what the law forbids; what is merged needs something to go into."""
    matter, result = _matter(context, held.data), data.get("topic_result")
    if result == "merge":
        named = select(Matter.id).where(Matter.number == data.get("merged_into"), Matter.id != matter.id, Matter.closed_at.is_(None))
        if context.session.scalar(named) is None:
            return {"merged_into": "没有这个编号的在办议题"}
    if result == "reject" and data.get("reject_reason") not in NEGATIVE_LIST and is_owed(context, matter):
        return {"reject_reason": "附议已达到法定比例，除违法违规、私人纠纷、超出自治范围外应当受理"}
    return {}


NEGATIVE_LIST = ("违法违规", "属私人纠纷", "超出自治范围")


@answers("turn_into_case", acts=True)
def turn_into_case(context: Context, data: Data) -> dict[str, Any]:
    """The suggestion was a trouble to be dealt with: its link goes on to follow the case."""
    matter, unseal = _matter(context, data), context.sealer.unseal
    report = Report(
        text=matter.problem,
        title=matter.title,
        place=matter.unit,
        channel=CHANNEL,
        submission_key=f"matter:{matter.id}",
        category=str(data.get("category") or "") or None,
        contact_name=unseal(matter.contact_name) if matter.contact_name else "",
        contact_mobile=unseal(matter.contact_mobile) if matter.contact_mobile else "",
        reported_by=matter.suggested_by,
    )
    case, _ = register(context, report)
    case.follow_digest = matter.follow_digest
    begin(context, case, SYSTEM)
    return {"case_number": case.number}


# ---- what comes of it --------------------------------------------------------------------------------------------


MOST_TASKS = 50


@checks("implementation_plan")
def implementation_plan(_context: Context, held: Desk, _data: Data) -> dict[str, str]:
    """A resolution is carried out by so many things at once as somebody can still watch."""
    planned = held.data.get("implementation_tasks") or ()
    return {"task_title": f"一次最多交办 {MOST_TASKS} 项"} if len(planned) >= MOST_TASKS else {}


@answers("start_implementation", acts=True)
def start_implementation(context: Context, data: Data) -> dict[str, Any]:
    """One row for each thing to be done; those to be done as cases begin at the dispatch."""
    matter = _matter(context, data)
    before, own = len(implementation_tasks(context.session, matter.id)), []
    for number, item in enumerate(data["implementation_tasks"], before + 1):
        due, unit_id = _instant(item["due"]), int(item["unit"])
        row = ImplementationTask(matter_id=matter.id, number=number, title=str(item["title"])[:200], unit_id=unit_id, due_at=due)
        if item["how"] == "case":
            row.case_id = _begin_case(context, matter, row).id
        else:
            own.append(item | {"number": number})
        context.session.add(row)
    context.session.flush()
    return {"case_tasks_n": len(data["implementation_tasks"]) - len(own), "own_tasks": own}


def _begin_case(context: Context, matter: Matter, task: ImplementationTask) -> Case:
    report = Report(
        text=f"{task.title}\n{matter.number}《{matter.title}》",
        title=task.title[:80],
        place=matter.unit,
        channel=CHANNEL,
        submission_key=f"matter:{matter.id}:{task.number}",
    )
    case, _ = register(context, report)
    begin(context, case, SYSTEM, event=RESOLUTION_ASSIGNED)
    return case


@carries(CASE_CLOSED)
def note_delivery(context: Context, case_instance_id: int) -> None:
    """A case that a resolution asked for is closed; when the last one is, the matter's process goes on."""
    case = context.session.scalar(select(Case).where(Case.instance_id == case_instance_id))
    task = context.session.scalar(select(ImplementationTask).where(ImplementationTask.case_id == case.id)) if case else None
    matter = context.session.get_one(Matter, task.matter_id) if task else None
    if case is None or task is None or matter is None or matter.instance_id is None:
        return
    instances(context).hold_instance(matter.instance_id)
    task.settled_at = task.settled_at or case.closed_at
    context.session.flush()
    if all(one.settled_at for one in implementation_tasks(context.session, matter.id) if one.case_id):
        _send(context, matter.instance_id, DELIVERED, {})


@answers("count_evaluations")
def count_evaluations(context: Context, data: Data) -> dict[str, Any]:
    mine, given = MatterEvaluation.matter_id == int(data["matter_id"]), MatterEvaluation.satisfaction
    counted = select(func.count(), func.count().filter(given >= SATISFIED), func.count().filter(given <= DISSATISFIED)).where(mine)
    evaluations, satisfied, dissatisfied = context.session.execute(counted).one()
    return {"evaluations_n": evaluations, "satisfied_n": satisfied, "dissatisfied_n": dissatisfied}


# ---- cases that were handed over ---------------------------------------------------------------------------------


@carries("resolution_reached")
def tell_resolution(context: Context, instance_id: int) -> None:
    """The case whose subject was handed over goes on with the resolution."""
    _tell(context, instance_id, "resolution_reached", lambda matter: {"resolution_text": matter.resolution_text or ""})


@carries("deliberation_declined")
def tell_refusal(context: Context, instance_id: int) -> None:
    """The case whose subject was not taken up goes on without."""
    _tell(context, instance_id, "deliberation_declined", lambda matter: {"declined_reason": matter.reply_text or ""})


def _tell(context: Context, instance_id: int, message: str, words: Callable[[Matter], dict[str, str]]) -> None:
    matter = context.session.scalars(select(Matter).where(Matter.instance_id == instance_id)).one()
    case = context.session.get(Case, matter.case_id) if matter.case_id else None
    if case is not None and case.instance_id is not None:
        _send(context, case.instance_id, message, words(matter))


def _send(context: Context, instance_id: int, message: str, data: Data) -> None:
    """Hands a message in, unless it is too late for it; an instance that is suspended is tried again."""
    try:
        instances(context).message(instance_id, message, data, SYSTEM)
    except InstanceAtRest as error:
        if error.status == SUSPENDED:
            raise
    except NothingWaits:
        return


def _matter(context: Context, data: Data) -> Matter:
    return context.session.get_one(Matter, int(data["matter_id"]))


def _instant(text: object) -> datetime:
    return moment_told(text).astimezone(UTC)
