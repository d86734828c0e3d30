"""The shipped process packages, as data, and what a new one may begin as."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import quoteattr

HERE = Path(__file__).parent
TEMPLATES = ("request", "blank")
"""申请—审批: somebody asks, the lead of their unit decides. 空白: a start, one step and an end, with room to go on."""


def shipped() -> dict[str, Path]:
    """The package folders by process key."""
    return {folder.name: folder for folder in sorted(HERE.iterdir()) if (folder / "process.bpmn").is_file()}


def beginning(template: str, key: str, name: str) -> Mapping[str, bytes]:
    """The files that a new process of this key and name begins as."""
    folder = HERE / "templates" / template
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.*")) if path.is_file()}
    drawn = files["process.bpmn"].decode().format(key=quoteattr(key), name=quoteattr(name))
    return files | {"process.bpmn": drawn.encode()}
