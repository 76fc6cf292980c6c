"""What Alembic runs to migrate: always over the connection, and in the transaction, that the ledger opened."""

from __future__ import annotations

from alembic import context

from sensor.ledger.store.schema import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
