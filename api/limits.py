"""How often one address may ask for what costs much or can be guessed at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from math import ceil
from time import time
from typing import Any

import structlog
from flask import Flask, request
from limits import RateLimitItem, parse_many
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter
from werkzeug.exceptions import TooManyRequests

log = structlog.get_logger()
LIMITS = {
    "signin.renew_password": "10 per minute; 60 per hour",
    "signin.enter": "30 per minute; 300 per hour",
    "public.take": "60 per minute; 600 per hour",
    "public.similar": "120 per minute",
    "public.answer": "30 per minute; 200 per hour",
    "tasks.upload": "120 per minute",
    "tasks.finish": "240 per minute",
    "tasks.put_file": "120 per minute",
    "starting.take": "60 per minute; 600 per hour",
    "starting.put_file": "120 per minute",
    "api_tasks.photo": "120 per minute",
    "api_tasks.file": "120 per minute",
    "public.also": "30 per minute; 200 per hour",
    "public.follow": "120 per minute",
    "ballots.ask": "240 per minute",
    "ballots.take": "240 per minute",
    "api_votes.cast": "240 per minute",
    "deliberation.take": "60 per minute; 600 per hour",
    "deliberation.alike_ones": "120 per minute",
    "deliberation.back": "30 per minute; 200 per hour",
    "deliberation.rate": "30 per minute; 200 per hour",
    "deliberation.disagree": "30 per minute; 200 per hour",
    "deliberation.follow": "120 per minute",
    "deliberation.objection": "120 per minute",
    "deliberation.notice": "60 per minute",
    "attendance.show": "240 per minute",
    "attendance.sign": "60 per minute; 600 per hour",
    "records.put_file": "60 per minute",
    "records.sign_on_paper": "60 per minute",
    "tokens.create": "30 per minute; 300 per hour",
    "api_cases.create": "60 per minute; 600 per hour",
}
"""By endpoint. Generous, because a whole community may stand behind one address; an account has its own lock-out."""

PATIENCE, AWAY = 1, 5
"""Seconds to wait for Redis before a process counts by itself, and until it asks Redis again."""


def init_limits(app: Flask, redis_url: str) -> None:
    """Counts in Redis, so that all web processes count together; each by itself when there is none, or as long as it is away."""
    asked = Asked(redis_url)
    for endpoint, limits in LIMITS.items():
        if endpoint in app.view_functions:
            app.view_functions[endpoint] = _limited(asked, endpoint, parse_many(limits), app.view_functions[endpoint])


def _limited(asked: Asked, endpoint: str, limits: Sequence[RateLimitItem], view: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(view)
    def counted(*args: Any, **named: Any) -> Any:
        if wait := asked.too_often(limits, endpoint, request.remote_addr or "", time()):
            raise TooManyRequests(retry_after=wait)
        return view(*args, **named)

    return counted


class Asked:
    """How often each address has asked for what, in windows that move along."""

    def __init__(self, redis_url: str) -> None:
        self._alone = MovingWindowRateLimiter(MemoryStorage())
        self._together = MovingWindowRateLimiter(_redis(redis_url)) if redis_url else None
        self._away_until = 0.0

    def too_often(self, limits: Sequence[RateLimitItem], endpoint: str, address: str, now: float) -> int:
        """Counts one more time; the seconds after which this address may ask again, or none when it may now."""
        if self._together and now >= self._away_until:
            try:
                return _wait(self._together, limits, endpoint, address, now)
            except StorageError as error:
                self._away_until = now + AWAY
                log.warning("limits.redis_away", error=str(error))
        return _wait(self._alone, limits, endpoint, address, now)


def _redis(url: str) -> RedisStorage:
    return RedisStorage(url, wrap_exceptions=True, socket_connect_timeout=PATIENCE, socket_timeout=PATIENCE)


def _wait(window: MovingWindowRateLimiter, limits: Sequence[RateLimitItem], endpoint: str, address: str, now: float) -> int:
    """When to ask again is looked up only for those who must wait; for everybody, Redis would be asked twice a request."""
    reached = next((limit for limit in limits if not window.hit(limit, endpoint, address)), None)
    return max(1, ceil(window.get_window_stats(reached, endpoint, address).reset_time - now)) if reached else 0
