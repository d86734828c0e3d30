"""Chinese first, and nothing left untranslated in English."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po

from tests.district import District
from tests.faults.people import Client, first_task, report, sign_in

WEB = Path(__file__).parents[2] / "web"
CATALOGUE = WEB / "translations" / "en" / "LC_MESSAGES"
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2"), ("templates/**.html", "jinja2")]
KEYWORDS = {"_": None, "gettext": None, "lazy_gettext": None}
CHINESE = re.compile(r"[一-鿿]+")


def texts() -> set[str]:
    found = extract_from_dir(str(WEB), METHODS, keywords=KEYWORDS, directory_filter=lambda path: "frontend" not in path)
    return {message for _, _, message, _, _ in found if isinstance(message, str) and message}


def test_every_text_has_its_english() -> None:
    with (CATALOGUE / "messages.po").open("rb") as file:
        catalogue = read_po(file, locale="en")
    translated = {message.id for message in catalogue if message.id and message.string and not message.fuzzy}
    assert texts() - translated == set()
    assert not [m.id for m in catalogue if m.id and CHINESE.search(str(m.string)) and "姓名" not in str(m.id) and "类型" not in str(m.id)]


def test_the_compiled_catalogue_is_the_written_one() -> None:
    with (CATALOGUE / "messages.po").open("rb") as file:
        compiled = io.BytesIO()
        write_mo(compiled, read_po(file, locale="en"))
    compiled.seek(0)
    with (CATALOGUE / "messages.mo").open("rb") as file:
        fresh, shipped = read_mo(compiled), read_mo(file)
    assert {m.id: m.string for m in fresh} == {m.id: m.string for m in shipped}


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    made = District(tmp_path_factory.mktemp("language"))
    report(made.app())
    yield made
    made.close()


@pytest.mark.parametrize("path", ["/", "/login", "/nowhere"])
def test_public_pages_are_english_throughout(district: District, path: str) -> None:
    client = Client(district.app().test_client())
    client.post("/language", "/", language="en", next="/")
    assert leftovers(client.http.get(path).get_data(as_text=True)) == []


def test_the_frame_of_a_task_is_english(district: District) -> None:
    worker = sign_in(district.app(), district, "wanggeyuan")
    worker.post("/language", "/inbox", language="en", next="/inbox")
    page = worker.http.get(first_task(worker)).get_data(as_text=True)
    headings = re.findall(r"<h2>([^<]*)</h2>", page)
    assert len(headings) >= 4 and [h for h in headings if CHINESE.search(h)] == []


def leftovers(page: str) -> list[str]:
    """Chinese that a reader of English would see; the switch back to Chinese is meant to be."""
    body = re.sub(r'<button[^>]*lang="zh"[^>]*>.*?</button>|<span class="brand-mark".*?</span>', "", page, flags=re.S)
    return CHINESE.findall(re.sub(r"<[^>]+>", " ", body))
