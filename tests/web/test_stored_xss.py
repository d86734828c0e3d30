"""Bar 4: what people store is shown as text, on every page, whatever it says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from lxml import etree, html

from engine.diagram import BPMN, Diagram
from engine.packages import DIAGRAM, Package
from tests.faults.people import Client, sign_in
from tests.payloads import PAYLOADS
from tests.poisoned import Poisoned, poisoned
from web.drawing import drawing
from web.language import COOKIE
from web.texts import at_hand

TELLING = [p for p in PAYLOADS if "<" in p or '"' in p]
"""Cannot stand in a page as they are."""
NEVER = {"iframe", "object", "embed", "base", "style", "marquee", "math", "template", "video", "audio", "animate", "set"}
DRAWN = "http://www.omg.org/spec"
ADDRESSES = ("href", "src", "action", "formaction", "hx-get", "hx-post", "{http://www.w3.org/1999/xlink}href")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Poisoned]:
    with poisoned(tmp_path_factory.mktemp("poisoned")) as made:
        yield made


def test_the_corpus_is_large() -> None:
    assert len(set(PAYLOADS)) == len(PAYLOADS) >= 60


@pytest.mark.parametrize("language", ["zh", "en"])
def test_nothing_that_was_stored_becomes_part_of_a_page(world: Poisoned, language: str, capsys: pytest.CaptureFixture[str]) -> None:
    wrong, shown, count = [], set(), 0
    for username, paths in world.pages.items():
        client = sign_in(world.app, world.district, username) if username else Client(world.app.test_client())
        client.http.set_cookie(COOKIE, language)
        for path in paths:
            answer, count = client.http.get(path), count + 1
            said = answer.get_data(as_text=True)
            assert answer.status_code in (200, 404) and answer.mimetype == "text/html", (path, answer.status_code)
            assert answer.headers["Content-Security-Policy"].count("script-src 'self';") == 1
            wrong += [f"{path}: {found}" for found in (*_raw(said), *_parts(said))]
            text = html.fromstring(said).text_content() + " ".join(html.fromstring(said).xpath("//@value | //@label | //@title"))
            shown |= {p for p in PAYLOADS if p in text}
    with capsys.disabled():
        print(f"\n{len(PAYLOADS)} payloads on {count} pages, {len(shown)} of them seen as text")
    assert wrong == [], "\n".join(map(str, wrong))
    assert len(shown) > 75


def _raw(said: str) -> list[str]:
    return [f"{payload!r} as it is" for payload in TELLING if payload in said]


def _parts(said: str) -> Iterator[str]:
    for element in html.fromstring(said).iter(etree.Element):
        if element.tag in NEVER:
            yield f"<{element.tag}>"
        if element.tag == "script" and (element.text or not str(element.get("src", "")).startswith("/static/dist/")):
            yield "a script of theirs"
        if element.tag in ("link", "use") and not str(element.get("href", "")).startswith("/static/"):
            yield f"<{element.tag} {element.attrib}>"
        for name, value in element.attrib.items():
            address = str(value).strip().lower()
            if str(name).startswith(("on", "hx-on", "hx-vals", "data-hx", "style")):
                yield f"{name}={value}"
            if name in ADDRESSES and not address.startswith(("/", "#", "tel:")):
                yield f"{name}={value}"


def test_other_answers_are_not_taken_for_pages(world: Poisoned) -> None:
    worker, administrator = sign_in(world.app, world.district, "wanggeyuan"), sign_in(world.app, world.district, "guanli")
    case = next(path for path in world.pages["wanggeyuan"] if path.startswith("/cases/"))
    version = next(path for path in world.pages["guanli"] if path.startswith("/admin/processes/") and path[-1].isdecimal())
    for client, path, kind in (
        (worker, f"{case}/diagram.bpmn", "application/xml"),
        (worker, f"{case}/diagram.json", "application/json"),
        (administrator, f"{version}/diagram.bpmn", "application/xml"),
        (worker, "/api/v1/openapi.json", "application/json"),
    ):
        answer = client.http.get(path)
        assert (answer.status_code, answer.mimetype, answer.headers["X-Content-Type-Options"]) == (200, kind, "nosniff")
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]


def test_a_drawing_with_odd_places_and_names_is_still_sent(world: Poisoned) -> None:
    spaces = f'xmlns="{BPMN}" xmlns:di="{DRAWN}/BPMN/20100524/DI" xmlns:dc="{DRAWN}/DD/20100524/DC"'
    odd = f"""<definitions {spaces}><task id="t" name="事项"/><di:BPMNShape bpmnElement="t">
        <dc:Bounds x="nan" y="1e999" width="x" height=""/><di:BPMNLabel><dc:Bounds x="inf"/></di:BPMNLabel></di:BPMNShape></definitions>"""
    package = Package(Diagram({}, {}, {}), {DIAGRAM: odd.encode(), "texts/en.json": '{"事项": " "}'.encode()})
    with world.app.test_request_context(headers={"Cookie": f"{COOKIE}=en"}):
        assert at_hand(package) and drawing(package).status_code == 200
