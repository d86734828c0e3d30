"""Runs migrations on the connection it is given."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=context.config.attributes.get("metadata"), render_as_batch=True, compare_type=True)
with context.begin_transaction():
    context.run_migrations()
