"""Writes rules, calls votes on a frozen roll, takes ballots, closes.

Whoever hands in a ballot holds the vote's row for share, whoever closes it alone; on SQLite the write lock does both. One conditional
update of the roll entry decides whether the vote is open and who is first; only where it changed nothing is the reason asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import bindparam, case, delete, func, insert, literal, select, update

from governance.calendar.rules import SHANGHAI, first_day, moment_told
from governance.context import Actor, Context
from governance.errors import NotFound, Refused
from governance.privacy import is_mobile
from governance.rolls.models import RollBook, RollMember
from governance.rolls.queries import hold_book
from governance.rolls.rules import RollKind
from governance.voting.codes import read_code
from governance.voting.errors import (
    AlreadyVoted,
    BallotsUnreadable,
    CountDiffers,
    GivenToProxy,
    NotOnRoll,
    PaperIsSecret,
    VoteClosed,
    VoteEnded,
    VoteNotBegun,
    VoteStillOpen,
    VoteVoid,
)
from governance.voting.models import Ballot, Channel, Mandate, RollEntry, Status, Vote, VoteRule
from governance.voting.queries import count, digest, dump_tally, entry_proxy, load_tally, missing, rule_on, stored_rule, vote
from governance.voting.rules import (
    Choice,
    Result,
    Rule,
    Tally,
    Verdict,
    contradictions,
    dump_rule,
    judge,
    read_rule,
    shipped_rules,
    summary,
)

LONGEST_QUESTION = 500
LONGEST_PAPER = 64
MOST_MARKED = 1000


# ---- rules -------------------------------------------------------------------------------------------------------


def seed_rules(context: Context) -> int:
    """Enters the shipped rules of which there is no version yet. Returns how many."""
    known = set(context.session.scalars(select(VoteRule.code)))
    missing = [rule for rule in shipped_rules() if rule.code not in known]
    for rule in missing:
        _write(context, rule, None)
    context.session.flush()
    return len(missing)


def write_rule(context: Context, actor: Actor, terms: Mapping[str, Any]) -> Rule:
    """A new version of a rule from a day on, or a new rule; raises `Refused` at what cannot be read or cannot be meant."""
    rule = read_rule(terms)
    wrong = contradictions(rule)
    if rule.valid_from < context.today:
        wrong.setdefault("valid_from", "起始日期不能早于今天")
    of_code = VoteRule.code == rule.code
    if context.session.scalar(select(VoteRule.id).where(of_code, VoteRule.valid_from == rule.valid_from)):
        wrong.setdefault("valid_from", "从这一天起已有一个版本，请换一个起始日期")
    if wrong:
        raise Refused(wrong)
    _write(context, rule, actor.person_id)
    context.session.flush()
    return rule


def _write(context: Context, rule: Rule, by: int | None) -> None:
    version = VoteRule(
        id=context.new_id(),
        code=rule.code,
        terms=_dumped(rule),
        valid_from=rule.valid_from,
        valid_to=rule.valid_to,
        written_at=context.now(),
        written_by=by,
    )
    context.session.add(version)


def _dumped(rule: Rule) -> str:
    return orjson.dumps(dump_rule(rule)).decode()


# ---- calling -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Terms:
    """A vote that may be called."""

    rule: Rule
    book: RollBook
    question: str
    starts_at: datetime
    ends_at: datetime
    is_secret: bool
    heads: int
    area_dm2: int | None


def check_terms(context: Context, terms: Mapping[str, Any]) -> None:
    """Whether a vote may be called so; raises `Refused` with the fields of the form."""
    _read_terms(context, terms)


def call_vote(context: Context, terms: Mapping[str, Any], *, matter_id: int | None, stage: str, instance_id: int | None = None) -> Vote:
    """Calls a vote and freezes its roll; raises `Refused`."""
    read, session = _read_terms(context, terms), context.session
    called = Vote(
        id=context.new_id(),
        matter_id=matter_id,
        instance_id=instance_id,
        stage=stage,
        question=read.question,
        unit_id=read.book.unit_id,
        book_id=read.book.id,
        rule=_dumped(read.rule),
        starts_at=read.starts_at,
        ends_at=read.ends_at,
        is_secret=read.is_secret,
        total_heads=read.heads,
        total_area_dm2=read.area_dm2,
        status=Status.CALLED,
        called_at=context.now(),
    )
    session.add(called)
    session.flush()
    frozen = select(
        literal(called.id),
        RollMember.number,
        RollMember.name,
        RollMember.household,
        RollMember.heads,
        RollMember.area_dm2,
        RollMember.person_id,
        literal(False),
    )
    columns = ["vote_id", "number", "name", "household", "heads", "area_dm2", "person_id", "is_returned"]
    session.execute(insert(RollEntry).from_select(columns, frozen.where(RollMember.book_id == read.book.id).order_by(RollMember.number)))
    return called


def _read_terms(context: Context, terms: Mapping[str, Any]) -> Terms:
    """Everything that is wrong at once."""
    wrong: dict[str, str] = {}
    today, is_secret = context.today, terms.get("is_secret") in (True, "true")
    rule = rule_on(context.session, str(terms.get("vote_rule") or ""), today)
    if rule is None:
        wrong["vote_rule"] = "没有这条表决规则，或者它今天无效"
    elif contradictions(rule):
        wrong["vote_rule"] = f"表决规则“{rule.name}”自相矛盾，请先修改规则"
    question = str(terms.get("vote_question") or "").strip()
    if not 1 <= len(question) <= LONGEST_QUESTION:
        wrong["vote_question"] = f"表决事项应为 1 至 {LONGEST_QUESTION} 个字"
    starts, ends = (_instant(terms.get(name)) for name in ("vote_starts_at", "vote_ends_at"))
    if starts is None:
        wrong["vote_starts_at"] = "表决开始时间填写不正确"
    elif rule and starts.astimezone(SHANGHAI).date() < (earliest := first_day(today, rule.notice_days)):
        wrong["vote_starts_at"] = f"须提前 {rule.notice_days} 天通知，最早可从 {earliest} 开始表决"
    if ends is None:
        wrong["vote_ends_at"] = "表决截止时间填写不正确"
    elif starts and ends <= starts:
        wrong["vote_ends_at"] = "表决截止时间应晚于开始时间"
    elif ends <= context.now():
        wrong["vote_ends_at"] = "表决截止时间应晚于现在"
    if is_secret and rule and rule.needs_area:
        wrong["is_secret"] = "按面积计票的表决，选票上的面积会暴露投票人，不能秘密表决"
    elif is_secret and rule and not rule.may_be_secret:
        wrong["is_secret"] = f"“{rule.name}”的规则没有规定可以秘密表决"
    book = _book(context, terms.get("roll_book"))
    heads, area = _weigh(context, book, rule, is_secret, wrong)
    if wrong or rule is None or book is None or starts is None or ends is None:
        raise Refused(wrong)
    return Terms(rule, book, question, starts, ends, is_secret, heads, area)


def _instant(value: Any) -> datetime | None:
    try:
        return moment_told(value).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _book(context: Context, named: Any) -> RollBook | None:
    text = str(named or "")
    found = context.session.get(RollBook, int(text)) if text.isascii() and text.isdecimal() and len(text) < 19 else None
    day = context.today
    return found if found and found.valid_from <= day and (found.valid_to is None or day <= found.valid_to) else None


def _weigh(context: Context, book: RollBook | None, rule: Rule | None, is_secret: bool, wrong: dict[str, str]) -> tuple[int, int | None]:
    """Heads and area of a book; notes what keeps it from being voted on."""
    if book is None:
        wrong["roll_book"] = "没有这本名册，或者它今天无效"
        return 0, None
    hold_book(context.session, book.id, to_change=False)
    mine = RollMember.book_id == book.id
    sums = select(func.count(), func.sum(RollMember.heads), func.sum(RollMember.area_dm2), func.count(RollMember.area_dm2))
    members, heads, area, measured = context.session.execute(sums.where(mine)).one()
    if not members:
        wrong["roll_book"] = "名册里还没有人"
    elif rule and rule.roll_kind != book.kind:
        wrong["roll_book"] = f"“{rule.name}”应使用{RollKind(rule.roll_kind).label}"
    elif rule and rule.needs_area and measured < members:
        first = context.session.scalar(select(func.min(RollMember.number)).where(mine, RollMember.area_dm2.is_(None)))
        wrong["roll_book"] = f"第 {first} 号没有登记面积，共 {members - measured} 人没有，不能按面积计票"
    elif is_secret and heads != members:
        wrong["roll_book"] = "秘密表决要求一人一票，名册中有人不止一票"
    return int(heads or 0), int(area) if area is not None and measured == members else None


# ---- handing in --------------------------------------------------------------------------------------------------

_NOW = bindparam("now", type_=Vote.ends_at.type)
_OPEN = (Vote.id == bindparam("of_vote"), Vote.status == Status.CALLED, Vote.starts_at <= _NOW, Vote.ends_at > _NOW)
_HELD = select(Vote.id, Vote.is_secret).where(*_OPEN).with_for_update(read=True).subquery("held")
_MINE = (RollEntry.vote_id == _HELD.c.id, RollEntry.number == bindparam("of_number"), RollEntry.is_returned.is_(False))
_HANDED: dict[str, Any] = {name: bindparam(name) for name in ("channel", "paper", "entered_by")}
_HANDED |= {"is_returned": True, "returned_at": case((_HELD.c.is_secret, None), else_=_NOW)}
_FIRST = update(RollEntry).where(*_MINE, RollEntry.proxy.is_(None)).values(_HANDED).returning(RollEntry.returned_at)
_FIRST_BY_PROXY = update(RollEntry).where(*_MINE, RollEntry.proxy == bindparam("of_proxy")).values(_HANDED).returning(RollEntry.returned_at)


def cast_by_code(context: Context, code: str, choice: str, *, for_number: int | None = None) -> int:
    """The holder of a voting code votes, or hands in the ballot of somebody whose written mandate the holder has; returns the vote's id."""
    vote_id, number = read_code(context.sealer, code)
    _cast(context, vote_id, number, choice, Channel.ONLINE, for_number)
    return vote_id


def cast_by_account(context: Context, actor: Actor, vote_id: int, choice: str, *, for_number: int | None = None) -> None:
    """Somebody who is signed in and on the roll votes, or hands in the ballot of a principal."""
    mine = select(RollEntry.number).where(RollEntry.vote_id == vote_id, RollEntry.person_id == actor.person_id)
    number = context.session.scalar(mine)
    if number is None:
        raise NotOnRoll
    _cast(context, vote_id, number, choice, Channel.ACCOUNT, for_number)


def cast_on_paper(context: Context, actor: Actor, vote_id: int, number: int, choice: str, paper: str = "") -> None:
    """Staff enters a paper ballot; `paper` refers to its photo. With a mandate on file it is the proxy's."""
    found = vote(context.session, vote_id, actor)
    if found.is_secret:
        raise PaperIsSecret
    if choice not in set(Choice):
        raise Refused({"choice": "请选择同意、反对、弃权或无效"})
    entry = context.session.get(RollEntry, (vote_id, number), populate_existing=True)
    if entry is None:
        raise NotOnRoll
    channel = Channel.PROXY if entry.proxy else Channel.PAPER
    _hand_in(context, vote_id, number, channel, choice, proxy=entry.proxy, paper=paper[:LONGEST_PAPER] or None, by=actor.person_id)


def take_paper(context: Context, actor: Actor, vote_id: int, number: int) -> None:
    """A voter of a secret vote is given a paper ballot, which goes into the box: the entry is marked, and nothing else known of it."""
    if not vote(context.session, vote_id, actor).is_secret:
        raise Refused({"number": "公开表决的纸质选票请直接录入"})
    entry = context.session.get(RollEntry, (vote_id, number), populate_existing=True)
    _hand_in(context, vote_id, number, Channel.PAPER, None, proxy=entry.proxy if entry else None, by=actor.person_id)


def count_box(context: Context, actor: Actor, vote_id: int, counts: Mapping[str, int]) -> None:
    """What was found in the box of a secret vote, never more than was handed out; raises `Refused`."""
    session, found = context.session, _held(context, actor, vote_id)
    if not found.is_secret:
        raise Refused({"number": "公开表决的纸质选票请直接录入"})
    _check_open(found, context.now())
    if set(counts) - set(Choice) or any(n < 0 for n in counts.values()):
        raise Refused({"counts": "各项票数应为不小于零的整数"})
    left = missing(session, vote_id)
    if sum(counts.values()) > left:
        raise Refused({"counts": f"票箱里的选票不能多于领出而未清点的 {left} 张"})
    ballots = [_ballot(context, vote_id, None, Choice(choice), sealed=True) for choice, n in counts.items() for _ in range(n)]
    if ballots:
        session.execute(insert(Ballot), ballots)


def mark_attended(context: Context, actor: Actor, vote_id: int, numbers: Collection[int]) -> int:
    """Notes who has come to the meeting; returns how many had not been noted before."""
    _check_open(_held(context, actor, vote_id), context.now(), begun=False)
    if len(numbers) > MOST_MARKED:
        raise Refused({"numbers": f"一次最多登记 {MOST_MARKED} 人"})
    new = (RollEntry.vote_id == vote_id, RollEntry.number.in_(numbers), RollEntry.attended_at.is_(None))
    marked: Any = context.session.execute(update(RollEntry).where(*new).values(attended_at=context.now()))
    return int(marked.rowcount)


def _cast(context: Context, vote_id: int, number: int, choice: str, channel: Channel, for_number: int | None) -> None:
    if choice not in (Choice.YES, Choice.NO, Choice.ABSTAIN):
        raise Refused({"choice": "请选择同意、反对或弃权"})
    if for_number is None or for_number == number:
        _hand_in(context, vote_id, number, channel, choice)
    else:
        _hand_in(context, vote_id, for_number, Channel.PROXY, choice, proxy=entry_proxy(number))


def _hand_in(
    context: Context,
    vote_id: int,
    number: int,
    channel: Channel,
    choice: str | None,
    *,
    proxy: str | None = None,
    paper: str | None = None,
    by: int | None = None,
) -> None:
    """The one door for ballots: the first who marks the entry while the vote is open has voted."""
    connection = context.session.connection()
    now = context.now()
    said = {"of_vote": vote_id, "of_number": number, "now": now, "channel": channel.value, "paper": paper, "entered_by": by}
    marked = connection.execute(_FIRST_BY_PROXY, said | {"of_proxy": proxy}) if proxy else connection.execute(_FIRST, said)
    first = marked.one_or_none()
    if first is None:
        raise _why_not(context, vote_id, number, proxy, now)
    if choice is not None:
        is_secret = first.returned_at is None  # only a secret vote keeps no instant
        connection.execute(insert(Ballot), _ballot(context, vote_id, number, Choice(choice), sealed=is_secret))


def _ballot(context: Context, vote_id: int, number: int | None, choice: Choice, *, sealed: bool) -> dict[str, Any]:
    """A ballot to be stored; every sealed one is as long as any other."""
    said = context.sealer.seal_without_time(f"{vote_id:019d}:{choice.value:<7}") if sealed else choice.value
    return {"vote_id": vote_id, "id": context.chance(63), "number": None if sealed else number, "choice": said}


def _check_open(held: Vote, now: datetime, *, begun: bool = True) -> None:
    if held.status != Status.CALLED:
        raise VoteVoid if held.status == Status.VOID else VoteClosed
    if begun and now < held.starts_at:
        raise VoteNotBegun
    if now >= held.ends_at:
        raise VoteEnded


def _why_not(context: Context, vote_id: int, number: int, proxy: str | None, now: datetime) -> Exception:
    """Why a ballot of the instant `now` marked no entry."""
    held = context.session.get(Vote, vote_id, populate_existing=True)
    if held is None:
        return NotOnRoll()
    _check_open(held, now)
    asked = select(RollEntry.is_returned, RollEntry.proxy).where(RollEntry.vote_id == vote_id, RollEntry.number == number)
    entry = context.session.execute(asked).one_or_none()
    if entry is None or (proxy and entry.proxy != proxy):
        return NotOnRoll()
    return AlreadyVoted() if entry.is_returned else GivenToProxy()


def _held(context: Context, actor: Actor, vote_id: int) -> Vote:
    """A vote the actor keeps, its row for this transaction alone."""
    found = vote(context.session, vote_id, actor)
    context.session.refresh(found, with_for_update=True)
    return found


# ---- mandates ----------------------------------------------------------------------------------------------------


def give_mandate(
    context: Context,
    actor: Actor,
    vote_id: int,
    principal: int,
    *,
    proxy_number: int | None = None,
    proxy_name: str = "",
    proxy_mobile: str = "",
    paper: str = "",
) -> Mandate:
    """Staff enters a written mandate (书面委托): the proxy is on the roll, or named with a mobile number. Raises `Refused`."""
    session = context.session
    found = _held(context, actor, vote_id)
    _check_open(found, context.now(), begun=False)
    limit = stored_rule(found.rule).proxy_limit
    if not limit:
        raise Refused({"proxy": "这次表决的规则不允许委托他人"})
    entry = session.get(RollEntry, (vote_id, principal), populate_existing=True)
    if entry is None:
        raise Refused({"principal": f"名册中没有第 {principal} 号"})
    if entry.is_returned:
        raise Refused({"principal": f"第 {principal} 号已经投票，不能再委托"})
    if entry.proxy:
        raise Refused({"principal": f"第 {principal} 号已经委托了他人，请先撤回"})
    proxy, name = _proxy(context, vote_id, principal, proxy_number, proxy_name, proxy_mobile)
    held = session.scalar(select(func.count()).select_from(Mandate).where(Mandate.vote_id == vote_id, Mandate.proxy == proxy)) or 0
    if held >= limit:
        raise Refused({"proxy": f"每人最多接受 {limit} 人委托，此人已有 {held} 人"})
    given = Mandate(
        vote_id=vote_id,
        principal=principal,
        proxy=proxy,
        proxy_name=name,
        paper=paper[:LONGEST_PAPER] or None,
        given_at=context.now(),
        entered_by=actor.person_id,
    )
    session.add(given)
    entry.proxy = proxy
    session.flush()
    return given


def _proxy(context: Context, vote_id: int, principal: int, number: int | None, name: str, mobile: str) -> tuple[str, str]:
    """Who holds a mandate, and the name, sealed."""
    if number is not None:
        entry = context.session.get(RollEntry, (vote_id, number), populate_existing=True)
        if entry is None:
            raise Refused({"proxy": f"名册中没有第 {number} 号"})
        if number == principal:
            raise Refused({"proxy": "不能委托自己"})
        if entry.proxy:
            raise Refused({"proxy": f"第 {number} 号自己已委托他人，不能再接受委托"})
        return entry_proxy(number), entry.name
    if not 1 <= len(name) <= 40 or not is_mobile(mobile):
        raise Refused({"proxy": "请填写受托人的序号，或者姓名和手机"})
    return f"person:{context.sealer.sign(mobile.encode()).hex()[:40]}", context.sealer.seal(name)


def withdraw_mandate(context: Context, actor: Actor, vote_id: int, principal: int) -> None:
    """The principal takes the mandate back, as long as nobody has voted under it; raises `AlreadyVoted`."""
    session = context.session
    found = _held(context, actor, vote_id)
    _check_open(found, context.now(), begun=False)
    given, entry = session.get(Mandate, (vote_id, principal)), session.get(RollEntry, (vote_id, principal), populate_existing=True)
    if given is None or entry is None:
        raise NotFound
    if entry.is_returned:
        raise AlreadyVoted
    session.delete(given)
    entry.proxy = None
    session.flush()


# ---- closing -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """How a vote ended."""

    vote_id: int
    result: Result
    summary: str
    digest: str
    tally: Tally
    verdict: Verdict


def keep_vote(context: Context, matter_id: int, vote_id: int | None) -> None:
    """Of the votes on a matter that are not counted yet only this one goes on; the others are void."""
    open_yet = (Vote.matter_id == matter_id) & (Vote.status != Status.CLOSED)
    goes_on = case((Vote.id == vote_id, Status.CALLED.value), else_=Status.VOID.value)
    context.session.execute(update(Vote).where(open_yet).values(status=goes_on))


def close_vote(context: Context, vote_id: int) -> Outcome:
    """Counts and announces, once; asked again it says the same. Raises `NotFound`, `VoteVoid`, `VoteStillOpen`, what counting raises."""
    session = context.session
    held = select(Vote).where(Vote.id == vote_id).with_for_update().execution_options(populate_existing=True)
    found = session.scalar(held)
    if found is None:
        raise NotFound
    rule = stored_rule(found.rule)
    if found.status == Status.CLOSED:
        tally = load_tally(found.tally or "{}")
        return Outcome(vote_id, Result(found.result or ""), found.summary or "", found.digest or "", tally, judge(rule, tally))
    if found.status == Status.VOID:
        raise VoteVoid
    outstanding = select(RollEntry.number).where(RollEntry.vote_id == vote_id, RollEntry.is_returned.is_(False)).limit(1)
    if context.now() < found.ends_at and session.scalar(outstanding) is not None:
        raise VoteStillOpen
    if found.is_secret:
        _open_box(context, vote_id)
    tally = count(session, found)
    verdict = judge(rule, tally)
    found.status, found.closed_at = Status.CLOSED, context.now()
    found.result, found.summary, found.tally = verdict.result.value, summary(rule, tally), dump_tally(tally)
    session.flush()
    found.digest = digest(session, found)
    session.flush()
    return Outcome(vote_id, verdict.result, found.summary, found.digest, tally, verdict)


def _open_box(context: Context, vote_id: int) -> None:
    """Opens a secret vote's ballots and writes them anew in the order of fresh chance, and the roll in its own order.

    So nothing that a database keeps of rows, when and by which transaction they were written and where they lie, joins a ballot with
    an entry any more. A ballot that was handed out and is not in the box is invalid.
    """
    session = context.session
    lost = missing(session, vote_id)
    if lost < 0:
        raise CountDiffers
    sealed = session.scalars(select(Ballot.choice).where(Ballot.vote_id == vote_id))
    choices = [_opened(context, vote_id, text) for text in sealed] + [Choice.INVALID] * lost
    session.execute(delete(Ballot).where(Ballot.vote_id == vote_id))
    shuffled = sorted((context.chance(63), choice.value) for choice in choices)
    if shuffled:
        session.execute(insert(Ballot), [{"vote_id": vote_id, "id": id, "number": None, "choice": choice} for id, choice in shuffled])
    columns = RollEntry.__table__.columns
    roll = session.execute(select(*columns).where(RollEntry.vote_id == vote_id).order_by(RollEntry.number)).mappings().all()
    session.execute(delete(RollEntry).where(RollEntry.vote_id == vote_id))
    session.execute(insert(RollEntry), [dict(row) for row in roll])


def _opened(context: Context, vote_id: int, sealed: str) -> Choice:
    of_vote, _, choice = context.sealer.unseal(sealed).partition(":")
    if of_vote != f"{vote_id:019d}":
        raise BallotsUnreadable
    return Choice(choice.strip())
