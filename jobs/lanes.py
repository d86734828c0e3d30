"""Threads that wait for the outside: a few for each thing waited for, so that what is slow holds up nothing else."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field

import structlog

log = structlog.get_logger()
WIDTH = 4
"""How many wait in one lane at the same time."""


@dataclass(frozen=True)
class Lanes:
    """The lanes of one process. Its threads end with it: what they were at is done again by others."""

    taken: Counter[Hashable] = field(default_factory=Counter)
    running: set[Future[object]] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def enter(self, lane: Hashable) -> bool:
        """Takes a place in a lane, if there is one; who takes it runs or leaves."""
        with self.lock:
            if self.taken[lane] >= WIDTH:
                return False
            self.taken[lane] += 1
            return True

    def leave(self, lane: Hashable) -> None:
        with self.lock:
            self.taken[lane] -= 1

    def run(self, lane: Hashable, act: Callable[[], object]) -> None:
        """Does something in a thread of its own, and leaves the lane."""
        done: Future[object] = Future()
        self.running.add(done)
        threading.Thread(target=self._go, args=(lane, act, done), name="lane", daemon=True).start()

    def _go(self, lane: Hashable, act: Callable[[], object], done: Future[object]) -> None:
        try:
            done.set_result(act())
        except BaseException as error:
            log.error("lane.failed", error=repr(error))
            done.set_exception(error)
        finally:
            self.leave(lane)
            self.running.discard(done)

    def wait(self) -> None:
        """Until nothing runs; raises what was raised."""
        for done in list(self.running):
            done.result()
