"""The house as a whole: what ships, what must not be in it, what is documented."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = ("engine", "bpmn", "governance", "api", "jobs", "web", "migrations", "wuzhang")
NOT_SHIPPED = re.compile(r"^web/frontend/")


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    build = "import hatchling.build, sys; print(hatchling.build.build_wheel(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", build, str(out)], cwd=ROOT, check=True, capture_output=True)
    return next(out.glob("*.whl"))


def test_every_file_of_a_floor_is_in_the_wheel(wheel: Path) -> None:
    wanted = {name for name in tracked() if name.split("/")[0] in FLOORS and not NOT_SHIPPED.match(name)}
    shipped = set(zipfile.ZipFile(wheel).namelist())
    assert wanted - shipped == set()
    assert not [name for name in shipped if "node_modules" in name]


def test_the_wheel_runs_from_another_directory(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    code = "from wuzhang.cli import main; main(['init'])"
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(site), "WUZHANG_DATA_DIR": str(tmp_path / "data"), "LANG": "C.UTF-8"}
    run = subprocess.run([sys.executable, "-P", "-c", code], cwd=tmp_path, env=environ, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "data" / "wuzhang.db").exists()


def test_nothing_names_a_machine_or_a_registry() -> None:
    paths = re.compile(r"(?<![\w.])/(root|home|work|opt)/\w|pypi\.org|pythonhosted|registry\.npmjs|npmmirror")
    texts = [name for name in tracked() if not name.startswith("web/static/dist/") and name != "tests/test_house.py"]
    found = []
    for name in texts:
        try:
            text = (ROOT / name).read_text()
        except UnicodeDecodeError:
            continue
        found += [f"{name}: {match.group()}" for match in paths.finditer(text)]
    assert found == []


def test_every_setting_is_documented() -> None:
    from wuzhang.config import PREFIX, SETTINGS

    table = (ROOT / "docs" / "configuration.md").read_text()
    assert [name for name in SETTINGS if PREFIX + name not in table] == []


def test_every_command_is_documented() -> None:
    from wuzhang.cli import main

    text = (ROOT / "docs" / "commands.md").read_text()
    names = [f"{name} {sub}" for name, group in main.commands.items() if hasattr(group, "commands") for sub in group.commands]
    names += [name for name, command in main.commands.items() if not hasattr(command, "commands")]
    assert [name for name in names if f"wuzhang {name}" not in text] == []


def test_the_floors_are_the_packages_that_ship() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert set(settings["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) == set(FLOORS)
