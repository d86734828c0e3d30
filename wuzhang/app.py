"""Puts the floors together into one web application."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from flask import Flask

import web
import wuzhang.models  # noqa: F401
from api import init_api
from api.limits import init_limits
from api.signin import login_manager
from api.work import Outside, init_work
from engine.database import DISCREET
from governance.privacy import Sealer
from web import csrf, init_web
from wuzhang.config import Config

IDLE = timedelta(minutes=30)
MAX_REQUEST = 95_000_000
"""Nine photos of 10 MB, and the form."""


def create_app(config: Config, now: Callable[[], datetime] = lambda: datetime.now(UTC), *, limited: bool = True) -> Flask:
    """The application, ready to serve; `limited` says whether an address may ask only so often."""
    app = Flask("web", root_path=web.__path__[0])
    app.config.update(
        SECRET_KEY=config.secret_key,
        SQLALCHEMY_DATABASE_URI=config.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=dict(DISCREET),
        PERMANENT_SESSION_LIFETIME=IDLE,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=config.public_url.startswith("https://"),
        WTF_CSRF_TIME_LIMIT=None,
        MAX_CONTENT_LENGTH=MAX_REQUEST,
        SEND_FILE_MAX_AGE_DEFAULT=timedelta(days=365),
        BABEL_DEFAULT_TIMEZONE="Asia/Shanghai",
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    init_work(app, Outside(Sealer(config.secret_key), config.data_dir, config.public_url, now))
    login_manager.init_app(app)
    init_web(app)
    for calls in init_api(app):
        csrf.exempt(calls)
    if limited:
        init_limits(app, config.redis_url)
    return app
