"""Chinese first, English by choice."""

from __future__ import annotations

from collections.abc import Iterable

from flask import request
from flask_babel import gettext as translated

LANGUAGES = {"zh": "中文", "en": "English"}
COOKIE = "language"


def choose_language() -> str:
    """The language the reader chose; Chinese when they chose none."""
    chosen = request.cookies.get(COOKIE, "zh")
    return chosen if chosen in LANGUAGES else "zh"


def listed(words: Iterable[str]) -> str:
    """The words, one after the other."""
    return gettext("、").join(words)


def gettext(text: str, /, **values: object) -> str:
    """The text in the reader's language."""
    return str(translated(text, **values))


def N_(text: str) -> str:
    """Marks a text for the catalogue."""
    return text
