"""One command carried out on an instance under lock: decided in memory, then stored and told to the domain, or an incident and no more.

What the domain decides (who, until when, what a lookup answers) is asked of its `World` once and recorded as facts.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, true

from engine.errors import StepFailed
from engine.expressions import ExpressionError
from engine.holding import Held
from engine.incidents import Incidents
from engine.log import Command, Data, dumps, entries, loads, storable
from engine.machine import Machine
from engine.plans import MOVES
from engine.replay import carry_out, past
from engine.rows import Standing
from engine.schema import incidents
from engine.tree import node_of
from engine.versions import programs
from engine.world import CANCELLED, FINISHED, Advance, Assignment, Opening


class Execution(Incidents):
    """Moves an instance by one command."""

    def _carry_out(self, held: Held, command: Command) -> Advance:
        answers: list[list[Any]] = []
        machine = self._machine(held, command.at, answers)
        before = Standing.of(machine)
        try:
            carry_out(machine, command, lambda seq: self._past(held, seq))
            openings = [self._opening(held, machine, t.key) for t in machine.open() if t.key not in before.open]
            assigned = [(opening, self._assign(opening)) for opening in openings]
        except StepFailed as failed:
            return self._stop(held, command, failed)
        facts = dict(command.facts)
        if answers:
            facts["answers"] = answers
        if assigned:
            facts["opened"] = {opening.key: assignment.as_fact() for opening, assignment in assigned}
        logged = Command(**{**command.__dict__, "facts": facts})
        return self._store(held, logged, machine, before, assigned)

    def _machine(self, held: Held, now: datetime, answers: list[list[Any]]) -> Machine:
        def lookup(key: str, name: str, data: Data) -> Data:
            answer = storable(self.world.lookup(name, data, now))
            answers.append([key, name, answer])
            return answer

        if held.state is None:
            return Machine(held.package.program, now, lookup)
        return Machine.restore(held.package.program, loads(held.state), held.advanced_at, lookup)

    def _past(self, held: Held, seq: int) -> tuple[Data, datetime]:
        return past(programs(self.connection), held.version_id, entries(self.connection, held.id), seq)

    def _opening(self, held: Held, machine: Machine, key: str) -> Opening:
        task = machine.tree.tasks[key]
        node = node_of(task)
        assert node
        return Opening(held.id, held.business_key, key, node.id, node.label, node.settings, machine.visible_to(task), machine.now)

    def _assign(self, opening: Opening) -> Assignment:
        try:
            return self.world.assign(opening)
        except ExpressionError as error:
            raise StepFailed(opening.element, "expression_refused", f"“{opening.name}”的设置：{error}") from error

    def _store(
        self,
        held: Held,
        command: Command,
        machine: Machine,
        before: Standing,
        assigned: list[tuple[Opening, Assignment]],
        **changes: Any,
    ) -> Advance:
        after = Standing.of(machine)
        closed = before.open - after.open
        if closed:
            self._close(held.id, closed, command)
        opened = self._open(assigned)
        self._rearm(held.id, before.due, after.due)
        self._send(held.id, machine, command.at)
        status = (CANCELLED if command.kind == "cancel" else FINISHED) if machine.finished else held.status
        state = None if machine.finished else dumps(machine.state())
        self._record(held, command, status=status, state=state, ended_at=command.at if machine.finished else None, **changes)
        if held.has_incident:
            settled: ColumnElement[bool] = incidents.c.task_key.in_(before.gone(after))
            if command.kind not in MOVES:
                settled |= incidents.c.task_key == command.task_key
            self._resolve(held.id, true() if machine.finished or command.kind == "rewind" else settled)
        advance = Advance(
            held.id,
            held.business_key,
            held.version_id,
            held.revision + 1,
            command.kind,
            command.at,
            status,
            machine.data,
            opened,
            tuple(t.element for t in machine.open()),
            tuple(held.package.diagram.nodes[t.element].settings for t in machine.open()),
            tuple(sorted(closed)),
            tuple(machine.ended_at),
            said=command.data,
        )
        self.world.advanced(advance)
        return advance

    def _stays(self, held: Held, command: Command) -> Advance:
        """What a command brought that moved no token."""
        return Advance(held.id, held.business_key, held.version_id, held.revision + 1, command.kind, command.at, held.status, held.data)
