"""What a roll book is, and how a sheet becomes its members. Knows no database."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from governance.errors import SheetRejected
from governance.privacy import is_mobile
from governance.sheets import Row

MOST_PROBLEMS = 100
REQUIRED = ("姓名",)
_AREA = re.compile(r"([0-9]{1,7})(?:\.([0-9]{1,2}))?", re.ASCII)


class RollKind(StrEnum):
    """Whose book it is."""

    OWNERS = "owners"
    HOUSEHOLDS = "households"
    RESIDENTS = "residents"
    REPRESENTATIVES = "representatives"
    PARTY_MEMBERS = "party_members"
    COMMITTEE = "committee"

    @property
    def label(self) -> str:
        return LABELS[self]


LABELS = {
    RollKind.OWNERS: "业主名册",
    RollKind.HOUSEHOLDS: "户代表名册",
    RollKind.RESIDENTS: "居民名册",
    RollKind.REPRESENTATIVES: "居民代表名册",
    RollKind.PARTY_MEMBERS: "党员名册",
    RollKind.COMMITTEE: "委员名册",
}
BY_HOUSEHOLD = (RollKind.OWNERS, RollKind.HOUSEHOLDS)
"""Books in which every line is a home."""


@dataclass(frozen=True)
class Listed:
    """A member as a sheet gives it; `area_dm2` is the area in hundredths of a square metre, so that sums are exact everywhere."""

    line: int
    name: str
    mobile: str
    household: str
    area_dm2: int | None
    username: str


def read_members(kind: RollKind, rows: Sequence[Row]) -> list[Listed]:
    """The members of a sheet, one a voter: rows with the same 业主编号 are one buyer, whose areas add up. Raises `SheetRejected`.

    When all the properties of a buyer are not measured yet, the buyer's area is unknown.
    """
    problems: list[tuple[int, str]] = []
    found: dict[object, Listed] = {}
    homes: dict[str, int] = {}
    users: dict[str, int] = {}
    for row in rows:
        try:
            listed = _read(kind, row)
            _once(homes, listed.household if kind in BY_HOUSEHOLD else "", listed.line, "户号")
            key: object = (row["业主编号"] if kind is RollKind.OWNERS else "") or row.line
            if key not in found:
                _once(users, listed.username, listed.line, "用户名")
            found[key] = _joined(found[key], listed) if key in found else listed
        except ValueError as wrong:
            problems.append((row.line, str(wrong)))
        if len(problems) >= MOST_PROBLEMS:
            problems.append((row.line, "错误过多，其后各行未检查。"))
            break
    if problems:
        raise SheetRejected(tuple(problems))
    if not found:
        raise SheetRejected(((2, "名册里没有任何人。"),))
    return list(found.values())


def _read(kind: RollKind, row: Row) -> Listed:
    name, mobile, household = row["姓名"], row["手机"].replace(" ", ""), row["户号"]
    if not 1 <= len(name) <= 40:
        raise ValueError("姓名应为 1 至 40 个字")
    if mobile and not is_mobile(mobile):
        raise ValueError("手机号码应为 7 至 15 位数字，或者留空")
    if kind in BY_HOUSEHOLD and not household:
        raise ValueError("没有填写户号")
    if len(household) > 80:
        raise ValueError("户号不能超过 80 个字")
    return Listed(row.line, name, mobile, household, _area(row["面积"]) if kind is RollKind.OWNERS else None, row["用户名"])


def _area(text: str) -> int | None:
    """128.5 square metres are 12850."""
    if not text:
        return None
    found = _AREA.fullmatch(text)
    area = int(found[1] + (found[2] or "").ljust(2, "0")) if found else 0
    if not area:
        raise ValueError(f"面积“{text[:20]}”应为大于零的平方米数，最多两位小数")
    return area


def _once(seen: dict[str, int], text: str, line: int, label: str) -> None:
    if text and text in seen:
        raise ValueError(f"{label}与第 {seen[text]} 行重复")
    seen[text] = line


def _joined(first: Listed, other: Listed) -> Listed:
    """Another property of the same buyer; one that is not measured leaves the sum unknown."""
    if other.name != first.name:
        raise ValueError(f"业主编号与第 {first.line} 行相同，姓名却不同")
    area = None if first.area_dm2 is None or other.area_dm2 is None else first.area_dm2 + other.area_dm2
    household = f"{first.household}、{other.household}"
    if len(household) > 80:
        household = f"{household[:78]}……"
    return replace(first, area_dm2=area, household=household, mobile=first.mobile or other.mobile)
