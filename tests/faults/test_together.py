"""What residents and officials do to a matter and a roll at the same instant."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import func, select

from governance.context import Context
from governance.deliberation.commands import NotOpen, Resident, support
from governance.rolls.commands import import_members
from governance.rolls.models import RollBook
from governance.voting.commands import call_vote
from governance.voting.models import RollEntry
from governance.workflow.commands import complete
from tests.deliberations import suggested
from tests.district import District
from tests.journeys.matters import addressed_actor
from tests.votes import residents, sheet

Act = Callable[[Context], Any]


def together(district: District, *acts: Act) -> list[Any]:
    """Everybody at once, each in a transaction of their own; what came of it."""
    start, found = threading.Barrier(len(acts)), dict.fromkeys(range(len(acts)))

    def run(number: int, act: Act) -> None:
        start.wait()
        try:
            with district.office.work() as context:
                found[number] = act(context)
        except Exception as error:
            found[number] = error

    threads = [threading.Thread(target=run, args=numbered) for numbered in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return list(found.values())


def test_no_voice_is_lost_in_a_merger(district: District) -> None:
    one, other = suggested(district).supported(5), suggested(district, title="装电梯")
    task = one.task("examine_topic")
    merged = {"topic_result": "merge", "merged_into": other.number, "reply_text": "已并入。"}

    def merge(context: Context) -> None:
        complete(context, addressed_actor(context, task), task, merged)

    def back(topic: Any, n: int, context: Context) -> None:
        support(context, topic._matter(context), Resident("李桂芳", f"1390000{n:04d}", f"{n + 1}栋101"))

    both = [partial(back, other, n) for n in range(3)]
    late = [partial(back, one, n) for n in range(5, 9)]
    merging, *rest = together(district, merge, *both, *late)
    assert merging is None and one.row.outcome == "merged"
    thanked = sum(said is None for said in rest[3:])
    assert all(said is None or isinstance(said, NotOpen) for said in rest[3:])
    assert other.supporters() == 5 + thanked


def test_a_roll_is_frozen_whole(district: District) -> None:
    topic = suggested(district).accepted().proposed().consulted()
    book, task = int(topic.book("社区党员名册")), topic.task("call_review_vote")
    period = {"vote_starts_at": topic.district.clock.at, "vote_ends_at": topic.district.clock.at + timedelta(days=1)}
    terms = {"vote_rule": "PARTY_MEETING", "roll_book": str(book), "vote_question": "是否同意？", **period}

    def bring(n: int, context: Context) -> int:
        keeper = addressed_actor(context, task)
        return import_members(context, keeper, context.session.get_one(RollBook, book), sheet(residents(n)))

    def call(context: Context) -> tuple[int, int]:
        called = call_vote(context, terms, matter_id=None, stage="review")
        frozen = select(func.count()).select_from(RollEntry).where(RollEntry.vote_id == called.id)
        return called.total_heads, context.session.scalar(frozen) or 0

    first, second, *calls = together(district, partial(bring, 300), partial(bring, 200), call, call, call)
    assert (first, second) == (300, 200)
    assert all(heads == frozen for heads, frozen in calls)


@pytest.mark.parametrize("page", ["deliberation.back", "deliberation.rate", "deliberation.disagree", "deliberation.take"])
def test_what_anybody_may_send_is_limited(page: str) -> None:
    from api.limits import LIMITS

    assert page in LIMITS
