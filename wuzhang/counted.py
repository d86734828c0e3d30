"""Whether closed votes still are what the log has announced: nobody changes a ballot, a roll or a result unseen."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from engine.audit import Finding
from engine.log import loads
from engine.schema import commands
from governance.errors import GovernanceError
from governance.voting.models import Status, Vote
from governance.voting.queries import recount

COUNTED, DIGEST = "close_vote", "vote_digest"


def broken_votes(connection: Connection) -> Iterator[Finding]:
    """Votes that were changed after they had been counted, and those that the log announced and that are gone."""
    session = Session(connection)
    announced = _announced(connection)
    for vote in session.scalars(select(Vote).where(Vote.status == Status.CLOSED).order_by(Vote.id)).all():
        instance_id, seq = announced.pop(vote.digest or "", (None, None))
        if instance_id != vote.instance_id:
            yield Finding(vote.instance_id, None, f"表决 {vote.id} 的结果与流程记录中宣布的不符")
        elif not _agrees(session, vote):
            yield Finding(vote.instance_id, seq, f"表决 {vote.id} 的选票、名册或结果在计票之后有改动")
    for instance_id, seq in announced.values():
        yield Finding(instance_id, seq, "宣布过的表决已不在，或者已不是原样")


def _announced(connection: Connection) -> dict[str, tuple[int | None, int | None]]:
    """Where the log announced which digest; a process that was taken back may have announced it twice."""
    said = select(commands.c.instance_id, commands.c.seq, commands.c.facts).where(commands.c.facts.contains(f'"{DIGEST}"'))
    return {
        answer[DIGEST]: (row.instance_id, row.seq)
        for row in connection.execute(said)
        for _key, name, answer in loads(row.facts).get("answers", ())
        if name == COUNTED
    }


def _agrees(session: Session, vote: Vote) -> bool:
    try:
        return recount(session, vote.id).agrees
    except (GovernanceError, ValueError):
        return False
