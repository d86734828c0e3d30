"""The shipped process packages, as data."""

from __future__ import annotations

from pathlib import Path


def shipped() -> dict[str, Path]:
    """The package folders by process key."""
    return {folder.name: folder for folder in sorted(Path(__file__).parent.iterdir()) if (folder / "process.bpmn").is_file()}
