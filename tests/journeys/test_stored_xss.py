"""The same hostile district in a real browser: nothing of it runs, nothing even tries."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser

from tests.journeys.browser import enter, new_page
from tests.poisoned import poisoned

WATCH = """
window.tried = [];
document.addEventListener('securitypolicyviolation', e => tried.push(`${e.violatedDirective} ${e.blockedURI} ${e.sample}`));
window.alert = () => tried.push('alert');
"""


def test_nothing_runs(chromium: Browser, tmp_path: Path) -> None:
    with poisoned(tmp_path) as world, world.district.served() as home:
        wrong, dialogs = [], []
        for username, paths in world.telling():
            page = new_page(chromium)
            page.add_init_script(WATCH)
            page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
            if username:
                enter(page, home, username, world.district.password)
            for path in paths:
                page.goto(home + path)
                if page.locator("[data-diagram]").count():
                    page.locator(".djs-container svg").first.wait_for()
                wrong += [f"{path}: {tried}" for tried in page.evaluate("window.tried")]
                for node in page.query_selector_all("[onerror], [onload], [onmouseover], [onfocus], iframe, object, embed, base"):
                    wrong.append(f"{path}: {node.evaluate('e => e.outerHTML')[:80]}")
            page.context.close()
        assert wrong == [] and dialogs == []
