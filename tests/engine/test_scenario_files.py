"""A scenario that is written reads as it was: every shipped one, and whatever values somebody may type."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpmn import shipped
from engine.errors import Unreadable
from engine.packages import read_package
from engine.scenario_files import read_scenario, read_value, write_scenario

NUMBERS = st.integers(-(10**18), 10**18) | st.floats(-1e15, 1e15).filter(lambda n: n == 0 or abs(n) > 1e-3)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc_中文0-1: #'\"", min_size=1, max_size=8), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("key", shipped())
def test_what_ships_is_written_as_it_reads(key: str) -> None:
    package = read_package(shipped()[key])
    for text in package.rehearsed.values():
        assert read_scenario(write_scenario(read_value(text.decode()))) == read_scenario(text.decode())


@given(VALUES)
def test_every_value_comes_back(value: Any) -> None:
    raw = {"name": "任何值", "steps": [{"complete": "a", "data": {"x": value}}]}
    assert read_scenario(write_scenario(raw)).steps[0]["data"] == {"x": value}


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 10**19, 1e300])
def test_what_no_file_can_say_is_refused(value: Any) -> None:
    with pytest.raises(Unreadable):
        write_scenario({"name": "过大", "steps": [{"complete": "a", "data": {"x": value}}]})


def test_typed_values_are_taken_as_they_look() -> None:
    typed = {"3": 3, "1.5": 1.5, "true": True, "null": None, "0303": "0303", "'3'": "3", "2026-03-05": "2026-03-05", "[a, 1]": ["a", 1]}
    assert {text: read_value(text) for text in typed} == typed
    for text in ("{", "*a", "&a [*a]", ".inf", "[" * 100):
        with pytest.raises(Unreadable):
            read_value(text)
