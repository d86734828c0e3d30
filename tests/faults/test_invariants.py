"""The invariants see what is broken: each is shown a record in which it does not hold."""

from __future__ import annotations

import sqlite3
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select

from engine.database import open_database
from engine.versions import publish
from governance.cases.models import Case
from governance.cases.photos import add_photo, read_picture
from governance.workflow.world import instances
from jobs.runner import Runner
from tests.district import District
from tests.engine.durable import package
from tests.faults.invariants import INVARIANTS, Acknowledged, Record, broken
from tests.faults.storm.house import caller
from tests.faults.test_full import png
from tests.journeys.matters import place, reported

Sound = tuple[Path, bytes, list[Acknowledged], Counter[str]]
ANY = "(SELECT min(instance_id) FROM commands WHERE kind = 'complete')"
BREAKING: dict[str, str] = {
    "chains_are_whole_and_replay_gives_the_state": f"DELETE FROM commands WHERE instance_id = {ANY} AND seq = 2",
    "what_is_sealed_is_so_still": "DELETE FROM checkpoints",
    "a_completed_task_is_a_command_and_the_reverse": "UPDATE tasks SET outcome = 'cancelled' WHERE outcome = 'completed'",
    "open_tasks_are_addressed_and_closed_ones_are_not": "DELETE FROM task_candidates",
    "a_claimed_task_is_its_claimers_alone": "UPDATE task_candidates SET principal = principal || '9'",
    "cases_and_instances_belong_to_each_other": "UPDATE cases SET instance_id = NULL",
    "every_instance_began_with_its_start": "UPDATE commands SET kind = 'claim' WHERE kind = 'start'",
    "timers_run_for_running_instances": "UPDATE instances SET status = 'cancelled'",
    "a_timer_fires_once": "UPDATE commands SET kind = 'timer', task_key = 'x#1', facts = '{\"due\":\"1\"}'",
    "a_reminder_comes_once": 'UPDATE commands SET data = \'["",{"deadline_stage":"red","deadline_task":"x"}]\', kind = \'notice\'',
    "what_is_over_is_at_rest": "UPDATE tasks SET closed_at = NULL WHERE instance_id IN (SELECT id FROM instances WHERE status = 'finished')",
    "a_key_acts_once": "UPDATE commands SET idempotency_key = 'k' WHERE seq = 1",
    "incidents_are_marked": "UPDATE instances SET has_incident = 1",
    "numbers_have_no_gap": "DELETE FROM cases WHERE number LIKE '%0002'",
    "a_case_follows_its_instance": "UPDATE cases SET status = '已结案'",
    "photos_lie_where_the_record_says": "UPDATE photos SET digest = 'ab' || substr(digest, 3)",
    "what_was_sent_was_answered_once": "UPDATE outbox SET done_at = NULL, due_at = created_at",
    "what_was_acknowledged_is_there_once": "DELETE FROM photos",
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Sound:
    """A district in which everything that an invariant speaks of has happened once."""
    folder = tmp_path_factory.mktemp("sound")
    district, asked = District(folder), Counter[str]()
    refused = {"refuse_reason": "已进入诉讼仲裁复议纪检信访渠道", "told_route": "等待法院判决。", "reply_text": "请按诉讼程序办理。"}
    reported(district, place(1)).do(opinion="已经立案", accept_result="refuse", category="0102", **refused)
    reported(district, place(2)).do(accept_result="supplement", category="0202", supplement_wanted="请问是哪一盏？")
    reported(district, place(3)).take("wanggeyuan03")
    api = district.app().test_client()
    told = api.post("/api/v1/cases", json={"text": "路灯不亮。", "place": place(1)}, headers={"Idempotency-Key": "k"}).json
    with district.office.work() as context:
        version = publish(context.session.connection(), context.new_id(), package(caller("sms")), context.now(), by="t", reason="t")
        instances(context).start(version, {}, {"person": "1"}, business_key="service")
    Runner(district.office.database, district.office.context, district.clock, lambda call: asked.update([str(call.id)]) or {}).tick()
    photo = _photo(district)
    district.tick()
    public = district.office.signer.public
    district.close()
    return folder, public, [Acknowledged("report", "路灯不亮。", "k", told or {}), photo], asked


def _photo(district: District) -> Acknowledged:
    with district.office.work() as context:
        case = context.session.scalars(select(Case)).first()
        assert case
        return Acknowledged("photo", "", "", {"id": str(add_photo(context, case, read_picture(png())).id)})


def examined(folder: Path, sound: Sound, statement: str = "") -> list[str]:
    """What is broken in a copy of the record after this has been done to it behind the product's back."""
    home, public, told, asked = sound
    with sqlite3.connect(home / "wuzhang.db") as kept, sqlite3.connect(folder / "copy.db") as copy:
        kept.backup(copy)
        copy.executescript(
            "DROP TRIGGER commands_keep; DROP TRIGGER commands_freeze; DROP TRIGGER checkpoints_keep; PRAGMA foreign_keys = OFF"
        )
        copy.execute(statement)
    kept.close()
    copy.close()
    engine = open_database(f"sqlite:///{folder / 'copy.db'}")
    with engine.connect() as connection:
        found = broken(Record(connection, home, [public], told, asked))
    engine.dispose()
    return found


def test_a_sound_record_has_nothing_broken(tmp_path: Path, sound: Sound) -> None:
    assert examined(tmp_path, sound) == []


def test_every_invariant_is_put_to_the_test() -> None:
    assert {invariant.__name__ for invariant in INVARIANTS} == set(BREAKING)


@pytest.mark.parametrize("name", list(BREAKING))
def test_what_is_broken_is_seen(name: str, tmp_path: Path, sound: Sound) -> None:
    assert [said for said in examined(tmp_path, sound, BREAKING[name]) if said.startswith(f"{name}: ")]
