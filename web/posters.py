"""公示 on paper: an A4 page to print and post, its letters embedded, with the code that leads back to the matter."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

import segno
from fpdf import FPDF
from fpdf.enums import WrapMode, XPos, YPos
from fpdf.fonts import TTFFont
from pylopdf_fonts_zh_cn import serif_path

MARGIN, LINE, BODY, HEAD, FOOT = 25, 9.5, 14, 22, 11
"""Millimetres and points, after the layout of official documents (GB/T 9704-2012: A4, the type of the body about 三号)."""
CODE = 32
CLOSING, OPENING = "，。、；：？！”’）》〉】」』％", "“‘（《〈【「『"
"""避头尾: GB/T 15834-2011 on where punctuation may stand."""


@dataclass(frozen=True)
class Poster:
    """What stands on the page, from top to bottom; `link` is also drawn as a code."""

    title: str
    paragraphs: tuple[str, ...]
    closing: tuple[str, ...]
    link: str
    hint: str


@lru_cache(maxsize=64)
def drawn(poster: Poster) -> bytes:
    """The page as PDF: seconds of work that anybody may ask for, and the same as long as its words are."""
    with sheet() as page:
        page.set_title(poster.title)
        page.set_font("serif", size=HEAD)
        page.multi_cell(0, LINE * 1.4, poster.title, align="C", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        page.ln(LINE)
        page.set_font("serif", size=BODY)
        for paragraph in poster.paragraphs:
            for line in lines(page, f"　　{paragraph}"):
                page.cell(0, LINE, line, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        page.ln(LINE)
        for line in poster.closing:
            page.multi_cell(0, LINE, line, align="R", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        _code(page, poster)
        return bytes(page.output())


@contextmanager
def sheet() -> Iterator[FPDF]:
    """An empty A4 page; the font is read piece by piece from a file that is closed at the end."""
    page = FPDF(format="A4")
    page.set_margins(MARGIN, MARGIN)
    page.set_auto_page_break(True, MARGIN)
    page.add_font("serif", fname=str(serif_path()))
    page.add_page()
    page.set_font("serif", size=BODY)
    try:
        yield page
    finally:
        for font in page.fonts.values():
            if isinstance(font, TTFFont):
                font.ttfont.close()


def lines(page: FPDF, text: str) -> Iterator[str]:
    """Breaks between any two characters, but no line begins with a mark that closes, nor ends with one that opens."""
    line = ""
    for character in text:
        if page.get_string_width(line + character) <= page.epw or not line:
            line += character
            continue
        at = len(line)
        while at > 1 and ((line + character)[at] in CLOSING or line[at - 1] in OPENING):
            at -= 1
        yield line[:at]
        line = line[at:] + character
    yield line


def _code(page: FPDF, poster: Poster) -> None:
    """The code never stands alone on a page, nor over the text."""
    if page.get_y() > page.h - MARGIN - CODE - LINE:
        page.add_page()
    top = page.h - MARGIN - CODE
    picture = io.BytesIO()
    segno.make(poster.link, error="m").save(picture, kind="png", scale=8, border=1)
    page.image(picture, x=MARGIN, y=top, w=CODE, h=CODE)
    page.set_font("serif", size=FOOT)
    page.set_xy(MARGIN + CODE + 4, top + CODE / 3)
    page.multi_cell(0, LINE * 0.7, f"{poster.hint}\n{poster.link}", align="L", wrapmode=WrapMode.CHAR)
