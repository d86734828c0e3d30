"""Brings a database to the newest shape."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, MetaData

import migrations


def alembic_config(connection: Connection, metadata: MetaData | None = None) -> Config:
    """Alembic, set up for our migrations on this connection."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["connection"] = connection
    config.attributes["metadata"] = metadata
    return config


def upgrade(connection: Connection) -> None:
    """Upgrades to the newest migration, within the connection's transaction."""
    command.upgrade(alembic_config(connection), "head")


def downgrade(connection: Connection, revision: str = "base") -> None:
    """Takes the migrations back."""
    command.downgrade(alembic_config(connection), revision)
