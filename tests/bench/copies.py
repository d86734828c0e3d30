"""Fills tables with copies of rows that were really made, so that a bench has a district's amounts within a minute."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, Table, text

NUMBERS = "WITH RECURSIVE numbers(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < :n)"


def copy_rows(connection: Connection, table: Table, where: str, n: int, changed: Mapping[str, str], **given: object) -> None:
    """Adds `n` copies of the row; `changed` gives SQL for columns that differ, where `i` counts the copies from 1."""
    names = [column.name for column in table.columns]
    values = [changed.get(name, f"old.{name}") for name in names]
    source = (
        f"{NUMBERS} INSERT INTO {table.name} ({', '.join(names)}) SELECT {', '.join(values)} FROM {table.name} old, numbers WHERE {where}"
    )
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL work_mem = '64MB'")
    connection.execute(text(source), {"n": n, **given})


def minutes_after(connection: Connection, moment: str, minutes: str) -> str:
    """SQL for a moment so many minutes after a given one, as this database keeps moments."""
    if connection.dialect.name == "postgresql":
        return f"CAST({moment} AS timestamptz) + ({minutes}) * interval '1 minute'"
    return f"strftime('%Y-%m-%d %H:%M:%S.000000', {moment}, '+' || ({minutes}) || ' minutes')"
