"""Sortable identifiers made by us: milliseconds since 2020 in the high bits, chance in the low ones."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
CHANCE_BITS = 22

Chance = Callable[[int], int]
"""Gives a number of so many bits."""


def new_id(now: datetime, chance: Chance = secrets.randbits) -> int:
    """A positive 63-bit id; of two made in different milliseconds the later is the greater."""
    milliseconds = int((now - EPOCH).total_seconds() * 1000)
    return max(milliseconds, 0) << CHANCE_BITS | chance(CHANCE_BITS)


def first_id_after(moment: datetime) -> int:
    """The least id that can be made after this moment's millisecond."""
    return new_id(moment + timedelta(milliseconds=1), lambda _: 0)
