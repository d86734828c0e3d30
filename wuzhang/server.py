"""Serves the pages, with the in-process runner beside them unless workers do that."""

from __future__ import annotations

import sys
import threading
from typing import Any

import click
from flask import Flask
from waitress import create_server

from wuzhang.app import create_app
from wuzhang.config import Config
from wuzhang.office import Office

SWITCH = 0.001
"""Seconds after which a busy thread lets another one go on: with Python's five, requests that only wait for the database stand in line
behind one that computes."""


def serve_web(office: Office) -> None:
    """Serves until interrupted."""
    sys.setswitchinterval(SWITCH)
    config, stop = office.config, threading.Event()
    runner = threading.Thread(target=office.runner.run, args=(stop,), name="runner", daemon=True)
    server = web_server(config, create_app(config))
    if not config.redis_url:
        runner.start()
    click.echo(f"五长智治已启动：http://{config.host}:{config.port}")
    try:
        server.run()
    except KeyboardInterrupt:
        click.echo("正在停止…")
    finally:
        stop.set()
        server.close()
        if runner.ident:
            runner.join(timeout=10)


def web_server(config: Config, app: Flask) -> Any:
    """What listens. Who asks is told by the connection, or by the proxy before us: whatever others say of it is thrown away."""
    trusted = {"trusted_proxy": config.proxy, "trusted_proxy_headers": {"x-forwarded-for"}} if config.proxy else {}
    return create_server(
        app, host=config.host, port=config.port, threads=config.threads, ident=None, clear_untrusted_proxy_headers=True, **trusted
    )
