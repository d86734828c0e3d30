"""The same work, spread over workers: the broker carries wake-ups and nothing else, the tables say what is due.

A wake-up that is lost, doubled or late changes nothing: the next one, or a worker's own poll, finds the same rows.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from time import monotonic
from typing import Any

from celery import Celery
from celery.signals import worker_ready, worker_shutting_down
from kombu.transport.redis import Channel, Transport

from jobs.runner import Runner

WAKING, SELDOM = 0.3, 5.0
"""Seconds between two wake-ups: of what people wait for, and of what can wait."""
STALE = 2.0
"""Seconds after which a wake-up that nobody has heard is dropped: the next ones say the same."""
POLL = timedelta(seconds=5)
"""How often a worker looks by itself, whatever the broker does."""
AT_ONCE = 20.0
"""Seconds after which a task that finds ever more to do lets others have their turn."""
SLOW = "slow"
QUEUES = {"timers": "due", "reminders": "due", "outbox": "outbox", "calendar": SLOW, "record": SLOW, "studio": SLOW, "files": SLOW}
"""Which queue carries the wake-ups of which step; every worker watches them all."""


class WakeUpChannel(Channel):
    """Gives back nothing that was not done: a worker that tried to while its broker was away would end."""

    do_restore = False


class WakeUps(Transport):
    """Redis as a carrier of what may be lost."""

    Channel = WakeUpChannel


def make_queue(redis_url: str, open_runner: Callable[[], Runner]) -> Celery:
    """The Celery application: a task for each step of the runner, woken by beat; `open_runner` gives the calling process its own."""
    queue = Celery("wuzhang", broker=redis_url)
    queue.conf.update(
        broker_transport=f"{__name__}:{WakeUps.__name__}",
        task_ignore_result=True,
        task_default_queue="due",
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        timezone="UTC",
        beat_schedule={
            name: {
                "task": f"wuzhang.{name}",
                "schedule": SELDOM if carrier == SLOW else WAKING,
                "options": {"queue": carrier, "expires": STALE},
            }
            for name, carrier in QUEUES.items()
        },
    )
    for name in QUEUES:
        _declare(queue, name, open_runner)
    return queue


def _declare(queue: Celery, name: str, open_runner: Callable[[], Runner]) -> None:
    def woken() -> None:
        begun = monotonic()
        while open_runner().steps[name]() and monotonic() - begun < AT_ONCE:
            continue

    queue.task(woken, name=f"wuzhang.{name}")


def work(queue: Celery, open_runner: Callable[[], Runner], processes: int) -> None:
    """A worker until it is told to stop. It looks at the tables by itself, too, so that a lost broker delays nothing beyond a poll."""
    stop = threading.Event()

    def begin(**_: Any) -> None:
        threading.Thread(target=lambda: open_runner().run(stop, POLL), name="poll", daemon=True).start()

    def end(**_: Any) -> None:
        stop.set()

    worker_ready.connect(begin, weak=False)
    worker_shutting_down.connect(end, weak=False)
    watched = ",".join(dict.fromkeys(QUEUES.values()))
    alone = ["--without-mingle", "--without-gossip"]  # workers have nothing to say to each other
    queue.worker_main(["worker", "--loglevel=WARNING", f"--concurrency={processes}", f"--queues={watched}", *alone])


def beat(queue: Celery) -> None:
    """Sends wake-ups until it is told to stop; two of them do no harm."""
    queue.Beat(loglevel="WARNING", scheduler_cls="celery.beat:Scheduler").run()
