"""Parts of the studio on a page of their own: the sources as modules, a draft that only this page knows, the real server behind."""

from __future__ import annotations

import json
from dataclasses import dataclass
from mimetypes import guess_type
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page, Route, expect

from bpmn import shipped
from engine.packages import read_package
from tests.journeys.browser import DESKTOP, Worker
from web.policy import POLICY

SOURCES = Path(__file__).parents[2] / "web" / "frontend" / "src"
ADDRESS = "/studio-bench"
POLICY_HERE = POLICY + "; style-src-attr 'unsafe-inline'"
DRAFT = """
import { mount } from '/bench-src/studio/%(part)s.js';
class Draft extends EventTarget {
  constructor(files) { super(); this.files = new Map(Object.entries(files)); this.problems = []; this.vocabulary = {}; this.readOnly = %(locked)s; }
  get(path) { return this.files.get(path); }
  set(path, text) { this.files.set(path, text); this.tell(path); }
  remove(path) { this.files.delete(path); this.tell(path); }
  async typed() { return new Map(); }
  paths() { return [...this.files.keys()].sort(); }
  tell(path) { this.dispatchEvent(new CustomEvent('changed', { detail: { path } })); }
}
window.draft = new Draft(await (await fetch('/bench-src/files.json')).json());
window.part = mount(document.querySelector('[data-studio] > section'), window.draft);
document.documentElement.dataset.bsTheme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
document.documentElement.dataset.ready = '';
"""
PAGE = """<!doctype html><html lang="%(language)s"><head><meta charset="utf-8"><title>bench</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="csrf-token" content="%(token)s">
<link rel="stylesheet" href="/static/dist/app.css">
<link rel="stylesheet" href="/bench-src/studio/forms.css"><link rel="stylesheet" href="/bench-src/studio/tables.css">
<link rel="stylesheet" href="/bench-src/studio/scenarios.css">
<script src="/bench-src/theme.js" type="module"></script><script src="/bench-src/main.js" type="module"></script></head>
<body><main class="page studio-page"><h1>bench</h1>
<div data-studio data-preview-url="/admin/studio/form-preview" data-table-url="/admin/studio/table"
  data-play-url="/admin/studio/scenarios/play" data-dry-run-url="/admin/studio/scenarios/dry-run"
  data-scenario-url="/admin/studio/scenarios/file"><section></section></div></main></body></html>"""


@dataclass
class Bench:
    """One part of the studio, with the files of a shipped process."""

    page: Page

    def text(self, path: str) -> str | None:
        found: str | None = self.page.evaluate("path => draft.get(path)", path)
        return found

    def form(self, key: str) -> dict[str, Any]:
        held: dict[str, Any] = json.loads(self.text(f"forms/{key}.json") or "null")
        return held

    def paths(self) -> list[str]:
        found: list[str] = self.page.evaluate("draft.paths()")
        return found


def files_of(process: str) -> dict[str, str]:
    return {name: content.decode() for name, content in read_package(shipped()[process]).files.items()}


def bench(
    worker: Worker, part: str, files: dict[str, str], *, language: str = "zh-CN", locked: bool = False, viewport: Any = DESKTOP
) -> Bench:
    """Opens a part with these files."""
    page = worker.page
    page.goto(f"{worker.home}/admin")
    token = page.locator("[name=csrf_token]").first.get_attribute("value")
    made = {
        ADDRESS: PAGE % {"language": language, "token": token},
        "/bench-src/main.js": DRAFT % {"part": part, "locked": json.dumps(locked)},
        "/bench-src/files.json": json.dumps(files),
    }

    def answer(route: Route) -> None:
        path = urlsplit(route.request.url).path
        body = made.get(path) or (SOURCES / path.removeprefix("/bench-src/")).read_text("utf-8")
        kind = guess_type(path)[0] or "text/html"
        route.fulfill(body=body, content_type=f"{kind}; charset=utf-8", headers={"Content-Security-Policy": POLICY_HERE})

    page.unroute_all()
    page.route(lambda url: urlsplit(url).path == ADDRESS or urlsplit(url).path.startswith("/bench-src/"), answer)
    page.set_viewport_size(viewport)
    page.goto(worker.home + ADDRESS)
    expect(page.locator("html")).to_have_attribute("data-ready", "")
    return Bench(page)
