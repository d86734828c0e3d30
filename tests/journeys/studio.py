"""What the editor of the process studio needs of a server, over one package in memory: the contract, and nothing of the domain."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask, Response, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from jinja2 import ChoiceLoader, DictLoader, FileSystemLoader
from werkzeug.serving import make_server

from engine.difference import difference, is_redrawn
from engine.packages import DIAGRAM, Package, frozen_package
from engine.validator import check_package

WEB = Path(__file__).parents[2] / "web"
POLICY = "default-src 'self'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data: blob:"
PAGE = """<!doctype html><html lang="{{ language }}"><meta charset="utf-8"><meta name="user" content="7">
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<title>{% block title %}{% endblock %}</title><link rel="stylesheet" href="{{ asset('dist/app.css') }}">{% block head %}{% endblock %}
<main class="page {% block page_class %}{% endblock %}">{% block content %}{% endblock %}</main></html>"""
WORDS = {
    "posts": [{"code": "grid_lead", "name": "网格长", "group": "网格"}, {"code": "joint_office", "name": "联席办派单员", "group": "区级"}],
    "units": [{"code": "place", "name": "事项所在地", "help": ""}, {"code": "convener", "name": "召集人", "help": "谁召集谁核查"}],
    "limit_units": [{"code": "work_hours", "name": "工作时"}, {"code": "work_days", "name": "工作日"}],
    "actions": [{"code": "transfer", "name": "转办"}, {"code": "urge", "name": "催办"}],
    "former_actions": [{"code": "communicate", "name": "沟通"}, {"code": "co_sign", "name": "会签"}],
    "overdue": [{"code": "escalate", "name": "转由上级办理"}, {"code": "finish", "name": "自动办结"}],
    "lookups": [{"code": "next_tier", "name": "找上一级"}],
    "checks": [{"code": "vote_terms", "name": "表决条件"}],
    "excludes": [{"code": "executor", "name": "落实人"}],
    "services": [{"code": "sms", "name": "短信平台"}],
    "statuses": ["落实中", "待核查"],
}


class Bench:
    """A draft of one package, and what the next save is answered with."""

    def __init__(self, package: Package) -> None:
        self.package = package
        self.files = {name: text.decode() for name, text in package.files.items()}
        self.revision = 7
        self.held_by: str | None = None
        self.answer: int | None = None

    def now(self) -> Package:
        return frozen_package({name: text.encode() for name, text in self.files.items()})

    def changes(self) -> list[str]:
        return [change.message for change in difference(self.package, self.now(), {})]

    def redrawn(self) -> bool:
        return is_redrawn(self.package, self.now())

    def somebody_saves(self, old: str, new: str) -> None:
        """Another person changes the diagram first."""
        self.files[DIAGRAM] = self.files[DIAGRAM].replace(old, new)
        self.revision += 1

    def problems(self) -> list[dict[str, str]]:
        found = check_package(self.now())
        return [{"rule": p.rule, "element": p.element, "message": p.message, "level": p.severity} for p in found]

    def opened(self) -> dict[str, Any]:
        held = {"name": self.held_by, "since": "2026-03-02T09:00:00+08:00"} if self.held_by else None
        return {"revision": self.revision, "name": "", "files": self.files, "may_edit": True, "held_by": held, "problems": self.problems()}

    def save(self) -> ResponseReturnValue:
        sent = request.get_json()
        if self.answer == 401:
            return "", 401
        if self.answer:
            return jsonify({"error": {"code": "refused", "message": "文件不是格式正确的 XML。"}, "by": "李四"}), self.answer
        if sent["revision"] != self.revision:
            facts = {"by": "李四", "at": "2026-03-02T09:00:00+08:00", "changes": self.changes(), **self.opened()}
            return jsonify({"error": {"code": "draft_changed", "message": ""}, **facts}), 409
        self.files.update(sent["files"])
        self.revision += 1
        return jsonify({"revision": self.revision, "saved_at": "2026-03-02T09:00:00+08:00", "problems": self.problems()})

    def hold(self) -> ResponseReturnValue:
        if request.method == "POST" and self.held_by and not request.get_json()["take_over"]:
            return jsonify({"error": {"code": "draft_held", "message": ""}, "by": self.held_by}), 423
        self.held_by = None
        return jsonify({})

    @contextmanager
    def served(self) -> Iterator[str]:
        """The editor's page at `/`, on a port of its own."""
        app = Flask("bench", static_folder=str(WEB / "static"))
        app.jinja_loader = ChoiceLoader([DictLoader({"base.html": PAGE}), FileSystemLoader(WEB / "templates")])
        app.jinja_env.globals.update(asset=lambda name: f"/static/{name}", _=str, csrf_token=lambda: "token")
        app.jinja_env.filters["say"] = str
        app.add_url_rule("/", "page", lambda: render_template("admin/studio/editor.html", **self._page()))
        app.add_url_rule("/files", "files", lambda: jsonify(self.opened()))
        app.add_url_rule("/vocabulary", "vocabulary", lambda: jsonify(WORDS))
        for elsewhere in ("form_preview", "table"):
            app.add_url_rule(f"/{elsewhere}", f"studio_forms.{elsewhere}", lambda: ("", 404), methods=["POST"])
        for elsewhere in ("play_all", "rehearse", "write"):
            app.add_url_rule(f"/{elsewhere}", f"studio_scenarios.{elsewhere}", lambda: ("", 404), methods=["POST"])
        app.add_url_rule("/<int:draft_id>/review", "studio.review", lambda draft_id: ("", 404))
        app.add_url_rule("/save", "save", self.save, methods=["POST"])
        app.add_url_rule("/hold", "hold", self.hold, methods=["POST", "DELETE"])
        app.after_request(_protect)
        server = make_server("127.0.0.1", 0, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()
            thread.join(timeout=5)

    def _page(self) -> dict[str, Any]:
        urls = {f"{name}_url": f"/{name}" for name in ("files", "save", "hold", "vocabulary")}
        return {"draft": {"id": 1, "name": "落实会议决定"}, "language": request.args.get("language", "zh-CN"), **urls}


def _protect(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    return response
