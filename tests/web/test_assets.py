"""The built files in `web/static/dist` are what the sources say, small enough, and need nothing from outside."""

import gzip
import hashlib
import json
import re
from pathlib import Path

import pytest

WEB = Path(__file__).parents[2] / "web"
FRONTEND, DIST = WEB / "frontend", WEB / "static" / "dist"
MANIFEST = json.loads((DIST / "MANIFEST.json").read_text("utf-8"))
SCRIPTS = ["theme.js", "app.js", "diagram.js", "studio.js"]
KB = 1000


def hashes(root: Path, files: list[Path]) -> dict[str, str]:
    return {f.relative_to(root).as_posix(): hashlib.sha256(f.read_bytes()).hexdigest() for f in files if f.is_file()}


def text(name: str) -> str:
    return (DIST / name).read_text("utf-8")


def weight(*names: str) -> int:
    return sum(len(gzip.compress((DIST / name).read_bytes(), 9, mtime=0)) for name in names)


def test_sources_are_those_that_were_built():
    sources = [FRONTEND / name for name in ("package.json", "package-lock.json", "build.mjs", "trim.mjs")]
    assert hashes(FRONTEND, [*sources, *(FRONTEND / "src").rglob("*")]) == MANIFEST["inputs"], "运行 npm run build"


def test_built_files_are_untouched():
    assert hashes(DIST, [f for f in DIST.rglob("*") if f.name != "MANIFEST.json"]) == MANIFEST["outputs"]


@pytest.mark.parametrize(
    ("page", "names", "budget"),
    [
        ("inbox", ["theme.js", "app.css", "app.js", "icons.svg"], 120 * KB),
        ("case with its diagram", ["theme.js", "app.css", "app.js", "icons.svg", "diagram.js", "diagram.css"], 200 * KB),
        ("process studio", ["studio.js", "studio.css", "bpmn.woff2"], 450 * KB),
    ],
)
def test_pages_stay_light(page, names, budget):
    assert weight(*names) <= budget, page


def test_lock_names_no_registry_and_pins_are_exact():
    lock = (FRONTEND / "package-lock.json").read_text("utf-8")
    assert not re.search(r"https?://|\"resolved\"", lock)
    packages = json.loads(lock)["packages"]
    assert all("integrity" in entry for path, entry in packages.items() if path)
    pins = json.loads((FRONTEND / "package.json").read_text("utf-8"))["devDependencies"]
    assert {name: packages[f"node_modules/{name}"]["version"] for name in pins} == pins


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_obey_the_policy_of_the_pages(name):
    """No text becomes code; htmx has two such places, both replaced by app.js."""
    script = text(name)
    assert not re.search(r"\beval\(|\bnew Function\b|\bFunction\(|setTimeout\([\"'`]|document\.write\(|createElement\([\"']style", script)
    if name == "app.js":
        assert len(re.findall(r"initSecurity\(null,(\w+),\1\)", script)) == 1


@pytest.mark.parametrize("name", ["app.css", "diagram.css", "studio.css"])
def test_styles_load_nothing_from_elsewhere(name):
    urls = {url.partition("?")[0] for url in re.findall(r"url\(\s*[\"']?([^\"')]{0,40})", text(name))}
    assert all(url.startswith(("data:", "#")) for url in urls - {"", "./bpmn.woff2"})
    assert "@import" not in text(name)


def test_every_icon_asked_for_is_in_the_sprite():
    drawn = set(re.findall(r'<symbol id="([^"]+)"', text("icons.svg")))
    pages = [*(WEB / "templates").rglob("*.html"), *(FRONTEND / "src").rglob("*.js")]
    asked = {name for page in pages for name in re.findall(r"\bicon\('([a-z0-9-]+)'\)|icons\.svg#([a-z0-9-]+)", page.read_text("utf-8"))}
    assert {name for pair in asked for name in pair if name} <= drawn
    assert not re.search(r"<script|<style|\son\w+=|https?://(?!www\.w3\.org/2000/svg)", text("icons.svg"))


@pytest.mark.parametrize("folder", ["", "studio"])
def test_the_browser_side_speaks_both_languages(folder):
    sources = FRONTEND / "src" / folder
    chinese, english = re.findall(r"const (?:zh|en) = \{(.*?)\n\};", (sources / "words.js").read_text("utf-8"), re.S)
    names = [re.findall(r"^  (\w+):", part, re.M) for part in (chinese, english)]
    assert names[0] == names[1]
    speakers = [file for file in sources.glob("*.js") if "from './words.js'" in file.read_text("utf-8")]
    said = {word for file in speakers for word in re.findall(r"\bsay\(\s*'(\w+)'", file.read_text("utf-8"))}
    assert said <= set(names[0])
    for file in sources.glob("*.js"):
        strings = re.findall(r"'[^'\n]*[\u4e00-\u9fff][^'\n]*'", file.read_text("utf-8"))
        assert file.name.endswith(("words.js", "terms.js")) or not strings, (file.name, strings)


def test_licences_travel_with_what_they_cover():
    licences = text("LICENSES.txt")
    assert all(f"{name} " in licences for name in ("htmx.org", "bpmn-js", "diagram-js", "@tabler/core", "@tabler/icons"))
    assert "watermark" in licences
