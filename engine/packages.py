"""A process package on disk: `process.bpmn` and `scenarios/*.yaml`; or a bare diagram file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.diagram import MAX_BYTES, Diagram, read_diagram
from engine.errors import Unreadable
from engine.machine import Program
from engine.scenarios import Scenario, read_scenario


@dataclass(frozen=True)
class Package:
    """What travels and is frozen together: the diagram and the scenarios that prove them."""

    diagram: Diagram
    scenarios: tuple[Scenario, ...] = ()

    def program(self) -> Program:
        """The package prepared for running."""
        return Program(self.diagram)


def read_package(path: Path) -> Package:
    """Reads a package folder or a single diagram; raises `Unreadable`."""
    if not path.is_dir():
        return Package(read_diagram(read_file(path)))
    diagram = path / "process.bpmn"
    if not diagram.is_file():
        raise Unreadable(f"流程包“{path.name}”中没有 process.bpmn。")
    scenarios = tuple(read_scenario(read_text(file)) for file in sorted(path.glob("scenarios/*.yaml")))
    return Package(read_diagram(read_file(diagram)), scenarios)


def read_file(path: Path) -> bytes:
    """The file's bytes, never more than a diagram may have; raises `Unreadable`."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Unreadable(f"无法读取文件“{path.name}”。") from error


def read_text(path: Path) -> str:
    """The file as UTF-8 text; raises `Unreadable`."""
    try:
        return read_file(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable(f"文件“{path.name}”不是 UTF-8 文本。") from error
