"""What Alembic runs to migrate: always over the connection, and in the transaction, that the store opened."""

from __future__ import annotations

from alembic import context

from sensor.people.schema import METADATA, VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"], target_metadata=METADATA, version_table=VERSION_TABLE
)
with context.begin_transaction():
    context.run_migrations()
