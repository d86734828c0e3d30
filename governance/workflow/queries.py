"""What administrators read of the flow."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import RowMapping, select

from engine.schema import incidents
from engine.schema import instances as instance_rows
from governance.cases.models import Case
from governance.context import Context


def open_incidents(context: Context) -> Sequence[RowMapping]:
    """异常: what a diagram could not go on with, the oldest first."""
    query = (
        select(incidents, Case.number, Case.title)
        .join(instance_rows, instance_rows.c.id == incidents.c.instance_id)
        .outerjoin(Case, Case.instance_id == incidents.c.instance_id)
        .where(incidents.c.resolved_at.is_(None))
        .order_by(incidents.c.id)
    )
    return list(context.session.connection().execute(query).mappings())
