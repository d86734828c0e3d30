"""The shipped process packages, as data."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import quoteattr


def shipped() -> dict[str, Path]:
    """The package folders by process key."""
    return {folder.name: folder for folder in sorted(Path(__file__).parent.iterdir()) if (folder / "process.bpmn").is_file()}


def blank(key: str, name: str) -> bytes:
    """The diagram that a new process begins as: a start, one step and an end, with room to go on."""
    drawn = (Path(__file__).parent / "blank.bpmn").read_text(encoding="utf-8")
    return drawn.format(key=quoteattr(key), name=quoteattr(name)).encode()
