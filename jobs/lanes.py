"""Threads that wait for the outside: a few for each thing waited for, so that what is slow holds up nothing else."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

log = structlog.get_logger()
WIDTH = 4
"""How many wait in one lane at the same time."""


@dataclass(frozen=True)
class Lanes:
    """The lanes of one process. Its threads end with it: what they were at is done again by others."""

    taken: Counter[str] = field(default_factory=Counter)
    running: set[threading.Thread] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def enter(self, lane: str) -> bool:
        """Takes a place in a lane, if there is one; who takes it runs or leaves."""
        with self.lock:
            if self.taken[lane] >= WIDTH:
                return False
            self.taken[lane] += 1
            return True

    def leave(self, lane: str) -> None:
        with self.lock:
            self.taken[lane] -= 1

    def run(self, lane: str, act: Callable[[], object]) -> None:
        """Does something in a thread of its own, and leaves the lane."""
        thread = threading.Thread(target=self._go, args=(lane, act), name=f"lane {lane}", daemon=True)
        self.running.add(thread)
        thread.start()

    def _go(self, lane: str, act: Callable[[], object]) -> None:
        try:
            act()
        except BaseException as error:
            log.error("lane.failed", lane=lane, error=repr(error))
        finally:
            self.leave(lane)
            self.running.discard(threading.current_thread())

    def wait(self) -> None:
        """Until nothing runs."""
        for thread in list(self.running):
            thread.join()
