"""Sentences that the lower floors make, in the reader's language. They come in Chinese and are recognised by their pattern."""

from __future__ import annotations

import re
from functools import cache

from flask_babel import get_locale

from web.language import gettext as _

SPLIT = re.compile("([；：])")
PLACEHOLDER = re.compile(r"%\((\w+)\)s")


def say(sentence: str) -> str:
    """The sentence as the reader reads it; one that nobody knows stays as it is."""
    if str(get_locale()) == "zh":
        return sentence
    return _known(sentence) or "".join(_known(part) or part for part in SPLIT.split(sentence))


def _known(sentence: str) -> str | None:
    for text, pattern in _patterns():
        if match := pattern.fullmatch(sentence):
            return _(text, **{name: say(value) for name, value in match.groupdict().items()})
    return None


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """The wordiest first, so that a sentence is not taken for a shorter one with more to fill in."""
    texts = sorted(SENTENCES, key=lambda text: -len(PLACEHOLDER.sub("", text)))
    return tuple((text, re.compile(PLACEHOLDER.sub(r"(?P<\1>.+?)", _escaped(text)), re.S)) for text in texts)


def _escaped(text: str) -> str:
    return "".join(part if PLACEHOLDER.fullmatch(part) else re.escape(part) for part in re.split(r"(%\(\w+\)s)", text))


def N_(text: str) -> str:
    """Marks a text for the catalogue."""
    return text


SENTENCES = (N_("反映人"), N_("系统"))
