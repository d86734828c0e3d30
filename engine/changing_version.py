"""迁移: a running instance comes to another version of its process, or goes back. Where it stands there, `moves.py` says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from engine.errors import Erased, NoSuchInstance, StepFailed, Unanswered, WrongVersion
from engine.execution import Execution
from engine.holding import Held
from engine.log import Command, entries, legible
from engine.machine import Machine
from engine.moves import Moved, asked_again, moved, returned
from engine.plans import Plan, undoable
from engine.relocation import Relocation
from engine.replay import replay
from engine.rows import Standing
from engine.statements import READ_INSTANCE
from engine.versions import Version, package_of, programs
from engine.world import RUNNING, SUSPENDED, Actor, Advance, Assignment, Opening


@dataclass(frozen=True)
class Prospect:
    """What a move to another version would bring: tasks that go on, by their old and new keys, those that open with who would
    do them, and those that would no longer be needed; or the `refusal`."""

    kept: tuple[tuple[str, str], ...] = ()
    opened: tuple[tuple[Opening, Assignment], ...] = ()
    closed: tuple[str, ...] = ()
    refusal: Unanswered | Erased | None = None


@dataclass(frozen=True)
class _Going:
    before: Machine
    moved: Moved
    assigned: list[tuple[Opening, Assignment]]


class ChangingVersion(Execution):
    """Previews, moves and takes moves back."""

    def preview_move(self, instance_id: int, version: Version, plan: Plan) -> Prospect:
        """What a move would bring, or why it cannot be; writes nothing. Raises what a move raises, save `Unanswered`, `Erased`."""
        held = self._read(READ_INSTANCE, instance_id)
        if held is None:
            raise NoSuchInstance
        try:
            going = self._going(held, version, plan, self.now())
        except (Unanswered, Erased) as refusal:
            return Prospect(refusal=refusal)
        open_before = {task.key for task in going.before.open()}
        kept = tuple(sorted((old, new) for old, new in going.moved.kept.items() if old in open_before))
        return Prospect(kept, tuple(going.assigned), tuple(sorted(open_before - going.moved.kept.keys())))

    def move(self, instance_id: int, version: Version, plan: Plan, actor: Actor, reason: str, *, revision: int | None = None) -> Advance:
        """Moves an instance to another version of its process: it stands where its history, walked there by the plan, comes to.

        Open tasks and timers that go on keep their rows, claims and instants. Raises `Unanswered`, `Erased`,
        `WrongVersion`, `PlanRefused`, `InstanceAtRest`, `StaleRevision`.
        """
        held = self.hold_instance(instance_id, revision)
        now = self.now()
        going = self._going(held, version, plan, now)
        said = {"from": held.version_id, "to": version.id, "digest": version.digest, "plan": plan.as_data()}
        command = Command("move", now, actor, said, opinion=legible(reason))
        there = replace(held, version_id=version.id, package=package_of(self.connection, version.id, version.digest))
        if held.state is None:
            self._record(held, command, version_id=version.id)
            return self._stays(there, command)
        machine, kept, was = going.moved.machine, going.moved.kept, Standing.of(going.before)
        before, relocation = was.renamed(kept), Relocation(self.connection, held.id)
        facts = relocation.leave(was.open, before.gone(Standing.of(machine)), kept, plan.renamed)
        if going.assigned:
            facts["opened"] = {opening.key: assignment.as_fact() for opening, assignment in going.assigned}
        relocation.rename(kept, plan.renamed, there.package)
        relocation.withdraw(_asking(machine), now)
        return self._store(there, replace(command, facts=facts), machine, before, going.assigned, version_id=version.id)

    def undo_move(self, instance_id: int, actor: Actor, reason: str, *, seq: int | None = None, revision: int | None = None) -> Advance:
        """Takes an instance back to the version it was moved from, as it was; `seq` says which move is meant.

        Raises `NothingToUndo`, `Erased`.
        """
        held = self.hold_instance(instance_id, revision)
        self._permit(held, RUNNING, SUSPENDED)
        log = entries(self.connection, held.id)
        move = undoable(log, seq)
        if move.data is None:
            raise Erased(move.seq)
        now, version_id, kept = self.now(), move.data["from"], move.facts.get("kept", {})
        said = {"move": move.seq, "from": held.version_id, "to": version_id}
        command = Command("undo_move", now, actor, said, opinion=legible(reason))
        here = replace(held, version_id=version_id, package=package_of(self.connection, version_id))
        if held.state is None:
            self._record(held, command, version_id=version_id)
            return self._stays(here, command)
        there = self._machine(held, now, [])
        was = replay(programs(self.connection), version_id, log[: move.seq - 1])
        machine = returned(was.snapshot(), was.program, there, now)
        machine.sent = asked_again(machine, there, kept)
        relocation, back = Relocation(self.connection, held.id), _inverse(kept)
        relocation.rename(back, _inverse(move.data["plan"]["renamed"]), here.package)
        relocation.withdraw(_asking(machine), now)
        for task in relocation.reopen(move.facts.get("closed", {})):
            self._hand_back(task)
        advance = self._store(here, command, machine, Standing.of(there).renamed(back), [], version_id=version_id)
        relocation.reopen_incidents(move.facts.get("settled", ()), move.facts.get("stopped_at", {}))
        return advance

    def _going(self, held: Held, version: Version, plan: Plan, at: datetime) -> _Going:
        """Where an instance would stand on another version, and who would do what opens there."""
        self._permit(held, RUNNING, SUSPENDED)
        target = package_of(self.connection, version.id, version.digest)
        if version.id == held.version_id or target.diagram.main.id != held.package.diagram.main.id:
            raise WrongVersion
        plan.check(held.package.diagram, target.diagram)
        before, log = self._machine(held, at, []), entries(self.connection, held.id)
        result = moved(before, target.program, log, plan, at)
        there = replace(held, version_id=version.id, package=target)
        new = [task.key for task in result.machine.open() if task.key not in result.kept.values()]
        try:
            openings = [self._opening(there, result.machine, key) for key in new]
            return _Going(before, result, [(opening, self._assign(opening)) for opening in openings])
        except StepFailed as failed:
            raise Unanswered(held.revision, failed.element, failed.rule, failed.message) from failed


def _asking(machine: Machine) -> set[str]:
    """The services whose answers an instance waits for."""
    return {waiting.element for waiting in machine.waiting() if waiting.kind == "service"}


def _inverse(names: Mapping[str, str]) -> dict[str, str]:
    return {new: old for old, new in names.items()}
