"""A process package: `process.bpmn`, `forms/*.json`, `tables/*.dmn`, `texts/*.json`, `scenarios/*.yaml`, `README.md`, as a folder or a zip
file; or a bare diagram.

What runs is frozen together: an instance keeps the diagram, the forms, the tables and the translations it was started with.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

from engine.archives import fits, unpack
from engine.decisions import DecisionTable, TableRejected, read_table
from engine.diagram import ID, MAX_BYTES, Diagram, read_diagram
from engine.errors import Unreadable
from engine.program import Program
from engine.scenario_files import Scenario, read_scenario

DIAGRAM = "process.bpmn"
MAX_PACKAGE = 1_500_000
FROZEN = (DIAGRAM, "forms/*.json", "tables/*.dmn", "texts/*.json")
KEPT = (*FROZEN, "scenarios/*.yaml")
STORY = re.compile(r"[\w.-]{1,100}")
"""What the file of a scenario may be called."""


@dataclass(frozen=True)
class Package:
    """What travels together, by path in the package: `files` are frozen into a version, `rehearsed` are the scenarios it was tried with."""

    diagram: Diagram
    files: Mapping[str, bytes] = field(default_factory=dict)
    rehearsed: Mapping[str, bytes] = field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the names and contents of the frozen files."""
        whole = hashlib.sha256()
        for name in sorted(self.files):
            whole.update(f"{name}\0{len(self.files[name])}\0".encode() + self.files[name])
        return whole.hexdigest()

    @property
    def whole(self) -> Mapping[str, bytes]:
        """All its files."""
        return {**self.files, **self.rehearsed}

    @cached_property
    def scenarios(self) -> tuple[Scenario, ...]:
        """The scenarios in the order of their files' names; raises `Unreadable`."""
        return tuple(read_scenario(_decoded(text, name), name.partition("/")[2]) for name, text in sorted(self.rehearsed.items()))

    @cached_property
    def forms(self) -> Mapping[str, Mapping[str, Any]]:
        """Forms by key: JSON Schema 2020-12 with our `x-ui`; raises `Unreadable`."""
        return {key_of(name): _form(name, text) for name, text in self.files.items() if name.startswith("forms/")}

    @cached_property
    def titles(self) -> Mapping[str, str]:
        """What the forms call the data, by name; where they differ, what the first of them says."""
        named = ((name, field) for form in reversed([*self.forms.values()]) for name, field in form["properties"].items())
        return {name: title for name, field in named if isinstance(field, dict) and isinstance(title := field.get("title"), str) and title}

    @cached_property
    def texts(self) -> Mapping[str, Mapping[str, str]]:
        """By language, what the Chinese texts of the diagram, the forms and the tables are in it; raises `Unreadable`."""
        return read_texts(self.files)

    @cached_property
    def tables(self) -> Mapping[str, DecisionTable]:
        """Decision tables by key; those that cannot be used are left to `refused`."""
        return {key: table for key, table in self._read_tables.items() if isinstance(table, DecisionTable)}

    @cached_property
    def refused(self) -> Mapping[str, TableRejected]:
        """Why decision tables cannot be used, by key."""
        return {key: error for key, error in self._read_tables.items() if isinstance(error, TableRejected)}

    @cached_property
    def _read_tables(self) -> Mapping[str, DecisionTable | TableRejected]:
        return {key_of(name): _table(name, text) for name, text in self.files.items() if name.startswith("tables/")}

    @cached_property
    def program(self) -> Program:
        """The package prepared for running."""
        return Program(self.diagram, self.tables)


def read_package(path: Path) -> Package:
    """Reads a package folder, a zip file of one, or a single diagram; raises `Unreadable`."""
    try:
        folder = path.is_dir()
    except OSError as error:
        raise Unreadable("无法读取这个路径。") from error
    if not folder:
        content = read_file(path)
        return read_archive(content) if content.startswith(b"PK") else frozen_package({DIAGRAM: content})
    return frozen_package({str(file.relative_to(path).as_posix()): read_file(file) for each in KEPT for file in sorted(path.glob(each))})


def read_archive(packed: bytes) -> Package:
    """The package in a zip file; raises `Unreadable`."""
    if len(packed) > MAX_BYTES:
        raise Unreadable(f"压缩包超过上限 {MAX_BYTES / 1e6:g} MB。")
    return frozen_package(unpack(packed, KEPT, MAX_PACKAGE))


def frozen_package(files: Mapping[str, bytes]) -> Package:
    """The package that these files make; raises `Unreadable`."""
    if DIAGRAM not in files:
        raise Unreadable(f"流程包中没有 {DIAGRAM}。")
    if sum(map(len, files.values())) > MAX_PACKAGE:
        raise Unreadable(f"流程包的文件合计超过上限 {MAX_PACKAGE / 1e6:g} MB。")
    rehearsed = {name: text for name, text in files.items() if name.startswith("scenarios/")}
    frozen = {name: text for name, text in files.items() if name not in rehearsed}
    package = Package(read_diagram(files[DIAGRAM]), frozen, rehearsed)
    _ = package.forms, package.tables, package.texts, package.scenarios
    return package


def belongs(name: str) -> bool:
    """Whether a package may hold a file of this name."""
    if not any(fits(name, pattern) for pattern in KEPT):
        return False
    return name == DIAGRAM or bool((STORY if name.startswith("scenarios/") else ID).fullmatch(key_of(name)))


def read_texts(files: Mapping[str, bytes]) -> Mapping[str, Mapping[str, str]]:
    """The translations among the files of a package, by language; raises `Unreadable`."""
    return {key_of(name): _texts(name, text) for name, text in files.items() if name.startswith("texts/")}


def read_file(path: Path) -> bytes:
    """The file's bytes, never more than a diagram may have; raises `Unreadable`."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Unreadable(f"无法读取文件“{path.name[:80]}”。") from error


def read_text(path: Path) -> str:
    """The file as UTF-8 text; raises `Unreadable`."""
    return _decoded(read_file(path), path.name)


def _decoded(text: bytes, name: str) -> str:
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable(f"文件“{name}”不是 UTF-8 文本。") from error


def key_of(name: str) -> str:
    """What a form, a table or a translation is called by: `tables/limits.dmn` is `limits`."""
    return name.partition("/")[2].rpartition(".")[0]


def _form(name: str, text: bytes) -> Mapping[str, Any]:
    try:
        form = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"表单“{name}”不是有效的 JSON。") from error
    if not isinstance(form, dict) or not isinstance(form.get("properties"), dict):
        raise Unreadable(f"表单“{name}”应当是写有 properties 的 JSON Schema。")
    return form


def _no_number(written: str) -> NoReturn:
    raise ValueError(f"{written} is not JSON")


def _texts(name: str, text: bytes) -> Mapping[str, str]:
    try:
        texts = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"译文“{name}”不是有效的 JSON。") from error
    if not isinstance(texts, dict) or not all(isinstance(translated, str) for translated in texts.values()):
        raise Unreadable(f"译文“{name}”应当是一个 JSON 对象，每项是一句中文和它的译文。")
    return texts


def _table(name: str, text: bytes) -> DecisionTable | TableRejected:
    try:
        return read_table(text)
    except TableRejected as error:
        if isinstance(error.__cause__, Unreadable):
            raise Unreadable(f"决策表“{name}”：{error.reason}。") from error
        return error
