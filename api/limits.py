"""How often one address may ask for what costs much or can be guessed at."""

from __future__ import annotations

from time import time
from typing import Any

from flask import Flask, Response
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

LIMITS = {
    "signin.renew_password": "10 per minute; 60 per hour",
    "signin.enter": "30 per minute; 300 per hour",
    "public.take": "60 per minute; 600 per hour",
    "public.similar": "120 per minute",
    "public.answer": "30 per minute; 200 per hour",
    "tasks.upload": "120 per minute",
    "tasks.finish": "240 per minute",
    "tasks.put_file": "120 per minute",
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

PATIENCE = 1
"""Seconds to wait for Redis before a process counts by itself."""


def init_limits(app: Flask, redis_url: str) -> None:
    """Counts in Redis, so that all web processes count together; each by itself when there is none, or as long as it is away."""
    limiter = Limiter(
        get_remote_address,
        app=app,
        storage_uri=redis_url or "memory://",
        storage_options={"socket_connect_timeout": PATIENCE, "socket_timeout": PATIENCE} if redis_url else {},
        in_memory_fallback_enabled=bool(redis_url),
        swallow_errors=True,  # of two requests that notice at once that Redis is gone, only the first falls back
        strategy="moving-window",
    )
    for endpoint, limit in LIMITS.items():
        if endpoint in app.view_functions:
            counted: Any = limiter.limit(limit)(app.view_functions[endpoint])
            app.view_functions[endpoint] = counted

    def say_when(response: Response) -> Response:
        """Tells who asked too often when to ask again; telling everybody would ask Redis twice a request."""
        if response.status_code == 429 and limiter.current_limit:
            response.headers.setdefault("Retry-After", str(max(1, limiter.current_limit.reset_at - int(time()))))
        return response

    app.after_request(say_when)
