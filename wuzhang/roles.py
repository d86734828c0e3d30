"""The application's own database role on PostgreSQL: it works with the data and cannot touch the record.

It owns nothing, so that it can neither change tables nor switch off their triggers; what belongs to the record it may
read and append to. Tables are made and changed by their owner, with `wuzhang init`.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

from engine.schema import RECORD
from wuzhang.models import metadata

READ, APPEND, WORK = "SELECT", "SELECT, INSERT", "SELECT, INSERT, UPDATE, DELETE"


class RoleRefused(Exception):
    """A role that cannot be the application's; the message says why."""


def grant(connection: Connection, role: str) -> None:
    """Gives the role exactly what the application needs, and takes what it had beyond that; raises `RoleRefused`."""
    if connection.dialect.name != "postgresql":
        raise RoleRefused("只有 PostgreSQL 有数据库角色；SQLite 请用文件权限。")
    _must_be_apart(connection, role)
    name = connection.dialect.identifier_preparer.quote(role)
    connection.exec_driver_sql(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {name}")
    connection.exec_driver_sql(f"REVOKE CREATE ON SCHEMA public FROM {name}, PUBLIC")
    connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA public TO {name}")
    connection.exec_driver_sql(f"GRANT {READ} ON alembic_version TO {name}")
    for table in metadata.sorted_tables:
        connection.exec_driver_sql(f"GRANT {APPEND if table in RECORD else WORK} ON {table.name} TO {name}")


def granted(connection: Connection) -> list[str]:
    """The roles that have been made the application's; after a migration they need rights on what is new."""
    if connection.dialect.name != "postgresql":
        return []
    others = "grantee <> grantor AND grantee <> 'PUBLIC'"
    inserting = f"table_schema = 'public' AND table_name = 'commands' AND privilege_type = 'INSERT' AND {others}"
    return list(connection.scalars(text(f"SELECT grantee FROM information_schema.role_table_grants WHERE {inserting}")))


def _must_be_apart(connection: Connection, role: str) -> None:
    query = text(
        "SELECT r.rolsuper AS almighty, pg_has_role(r.oid, c.relowner, 'MEMBER') AS owner "
        "FROM pg_roles r, pg_class c WHERE r.rolname = :role AND c.oid = 'commands'::regclass"
    )
    found = connection.execute(query, {"role": role}).one_or_none()
    if found is None:
        raise RoleRefused(f"没有数据库角色“{role}”。请先由管理员建立：CREATE ROLE {role} LOGIN PASSWORD '…'。")
    if found.almighty or found.owner:
        raise RoleRefused(f"“{role}”是超级用户或表的所有者，触发器和权限都约束不了它。请另建一个角色。")
