"""People at their browsers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from playwright.sync_api import Browser, Page, expect

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    "--metrics-recording-only",
    "--mute-audio",
    "--force-color-profile=srgb",
    "--font-render-hinting=none",
    "--hide-scrollbars",
    "--disable-smooth-scrolling",  # a page that still scrolls between pressing and releasing the mouse loses the click
]
PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1280, "height": 900}
PATIENCE = 30_000
"""Milliseconds that a test waits for what must come: other tests work beside it, and their browsers."""
expect.set_options(timeout=PATIENCE / 2)


@dataclass
class Worker:
    """Somebody with an account."""

    page: Page
    home: str

    def open_first(self, step: str, title: str = "") -> None:
        """Opens the first task of this step in the inbox."""
        self.page.goto(f"{self.home}/inbox")
        row = self.page.locator("[data-row]").filter(has_text=step)
        if title:
            row = row.filter(has_text=title)
        row.first.locator("a").first.click()
        expect(self.page.locator("h1")).to_have_text(step)

    def choose(self, result: str) -> None:
        """Picks an outcome, unless a draft has; the fields it asks for appear."""
        outcome = self.page.locator(".outcome").filter(has_text=re.compile(f"^\\s*{re.escape(result)}\\s*$"))
        if not outcome.locator("input").is_checked():
            with self.page.expect_response(re.compile("/shape$")):
                outcome.click()
        expect(self.page.locator("#fields .form-actions button")).to_be_visible()

    def fill(self, **fields: str) -> None:
        """Fills fields by their name."""
        for name, value in fields.items():
            field = self.page.locator(f"#fields [name='{name}']").first
            if field.evaluate("e => e.tagName") == "SELECT":
                field.select_option(label=value)
            else:
                field.fill(value)

    def submit(self, opinion: str = "") -> None:
        if opinion:
            self.page.fill("#opinion", opinion)
        self.page.locator("#fields .form-actions button").click()
        expect(self.page).to_have_url(re.compile("/inbox"))


def sign_in(browser: Browser, home: str, username: str, password: str, viewport: dict[str, int] | None = None) -> Worker:
    page = new_page(browser, viewport)
    enter(page, home, username, password)
    return Worker(page, home)


def enter(page: Page, home: str, username: str, password: str) -> None:
    page.goto(f"{home}/login")
    page.fill("#username", username)
    page.fill("#password", password)
    page.click("main form button")
    expect(page).to_have_url(re.compile("/inbox|/cases"))


def new_page(browser: Browser, viewport: dict[str, int] | None = None) -> Page:
    context = browser.new_context(viewport=viewport or DESKTOP, locale="zh-CN")  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE)
    return context.new_page()


@dataclass
class People:
    """Everybody who works at a served district; each signs in once."""

    browser: Browser
    home: str
    password: str
    known: dict[str, Worker] = field(default_factory=dict)

    def at(self, username: str) -> Worker:
        if username not in self.known:
            self.known[username] = sign_in(self.browser, self.home, username, self.password)
        return self.known[username]

    def stranger(self, viewport: dict[str, int] | None = None) -> Page:
        """Somebody without an account."""
        return new_page(self.browser, viewport)

    def leave(self) -> None:
        for worker in self.known.values():
            worker.page.context.close()
