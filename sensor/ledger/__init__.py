"""The ledger: what was found, kept in a database, and the outbox that the exporters deliver from.

Everything of a step of the line is recorded in one transaction, before anything leaves; delivery follows by cursors of its own. It knows
records and SQL, no network and no exporter. SQLite unless a URL names another database.
"""

from sensor.ledger.bounds import Bounds
from sensor.ledger.database import LedgerError
from sensor.ledger.ledger import Entry, Ledger
from sensor.ledger.outbox import Backlog, Event
from sensor.ledger.write.recorder import Recorder

__all__ = ["Backlog", "Bounds", "Entry", "Event", "Ledger", "LedgerError", "Recorder"]
