"""Notices on paper."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest
from fpdf import FPDF
from hypothesis import given
from hypothesis import strategies as st

from web.posters import CLOSING, OPENING, Poster, drawn, lines, sheet

POSTER = Poster(
    "公　示", ("《加装电梯》（编号 1）已形成决议。" * 40,), ("临江社区", "2026年3月16日"), "https://example.org/deliberation/1", "扫码"
)


@pytest.fixture(scope="module")
def page() -> Iterator[FPDF]:
    with sheet() as made:
        yield made


@given(st.text(alphabet="公示期自起至止，。“”（）《》a 1", max_size=300))
def test_no_line_begins_with_what_closes_or_ends_with_what_opens(page: FPDF, text: str) -> None:
    broken = list(lines(page, text))
    assert "".join(broken) == text
    for line, following in pairwise(broken):
        assert len(line) == 1 or (following[0] not in CLOSING and line[-1] not in OPENING)


def test_the_letters_are_in_the_file() -> None:
    whole = drawn(POSTER)
    assert whole.startswith(b"%PDF") and b"/FontFile3" in whole and re.search(rb"/BaseFont /\w+\+NotoSerifSC", whole)


def test_a_page_that_anybody_may_ask_for_is_drawn_once() -> None:
    assert drawn(POSTER) is drawn(replace(POSTER))
