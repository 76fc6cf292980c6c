"""The ledger: what was found, kept in a database, and the outbox that the exporters deliver from.

Everything of a step of the line is recorded in one transaction, before anything leaves; delivery follows by cursors of
its own. It knows records and SQL, no network and no exporter. SQLite unless a URL names another database. What is asked
of it goes through one `LedgerReader`.
"""

from sensor.ledger.lease import LeaseHeldError, LeaseLostError, LedgerLease
from sensor.ledger.ledger import Ledger
from sensor.ledger.outbox import Backlog, QueuedEvent
from sensor.ledger.read.findings import StoredFinding
from sensor.ledger.read.reader import LedgerReader
from sensor.ledger.recorder import Recorder
from sensor.ledger.store.bounds import LedgerBounds
from sensor.ledger.store.errors import LedgerError

__all__ = [
    "Backlog",
    "LeaseHeldError",
    "LeaseLostError",
    "Ledger",
    "LedgerBounds",
    "LedgerError",
    "LedgerLease",
    "LedgerReader",
    "QueuedEvent",
    "Recorder",
    "StoredFinding",
]
