"""Code lists of cases. The texts are the administration's own."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

import orjson


@cache
def codes() -> dict[str, Any]:
    """All code lists as shipped."""
    loaded: dict[str, Any] = orjson.loads(resources.files("governance.cases").joinpath("codes.json").read_bytes())
    return loaded


def category_name(code: str | None) -> str:
    """大类 · 小类 of a category code; the empty text for none."""
    found = next((c for c in codes()["categories"] if c["code"] == code), None)
    return f"{found['major_name']} · {found['name']}" if found else ""


CLOSED_STATUSES = ("已结案", "不予受理", "已撤回", "已作废", "已并案")
