"""Brings a database to the newest shape."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData

import migrations


def alembic_config(connection: Connection, metadata: MetaData | None = None) -> Config:
    """Alembic, set up for our migrations on this connection."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["connection"] = connection
    config.attributes["metadata"] = metadata
    return config


def revision(connection: Connection) -> str | None:
    """The migration that a database has; None when it is empty."""
    return MigrationContext.configure(connection).get_current_revision()


def is_known(revision: str) -> bool:
    """Whether a database with this migration can be brought up to date."""
    return revision in {script.revision for script in _scripts().walk_revisions()}


def is_current(connection: Connection) -> bool:
    """Whether there is nothing left to migrate."""
    return revision(connection) == _scripts().get_current_head()


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(Path(migrations.__file__).parent)


def upgrade(connection: Connection) -> None:
    """Upgrades to the newest migration, within the connection's transaction."""
    command.upgrade(alembic_config(connection), "head")


def downgrade(connection: Connection, revision: str = "base") -> None:
    """Takes the migrations back."""
    command.downgrade(alembic_config(connection), revision)
