"""Where the stores of a desk stand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sensor.audit.chain import Algorithm
from sensor.ledger.store.beside import StorePlace
from sensor.ledger.store.errors import LedgerError
from sensor.ledger.store.opening import parsed_url

#: Why a desk in PostgreSQL is not copied into a folder.
POSTGRESQL = (
    "of PostgreSQL one dump has ledger, accounts (schema minewatch_people) and audit (minewatch_audit) together: "
    "pg_dump -Fc, and afterwards a copy of the folder ledger.attachments; ledger move copies them into files"
)


@dataclass(frozen=True, slots=True)
class DeskPlaces:
    """Of one ledger: itself, and what belongs to it."""

    ledger: StorePlace
    people: StorePlace
    audit: StorePlace
    attachments: Path | None = None  # a folder of files, each named by its SHA-256
    algorithm: Algorithm = "sha256"  # by which new rows of the audit are chained

    @property
    def every(self) -> tuple[StorePlace, ...]:
        """All stores, the audit last: so its copy has a row of every change that is in the others."""
        return self.ledger, self.people, self.audit

    def refuse_servers(self) -> None:
        """Raises LedgerError where a store is no file."""
        if not all(place.is_sqlite for place in self.every):
            raise LedgerError(POSTGRESQL)


def file_of_place(place: StorePlace) -> Path:
    """The file of a store that is one."""
    return Path(str(parsed_url(place.url).database))


def place_of_file(what: str, path: Path) -> StorePlace:
    """A store that is this file."""
    return StorePlace(what, f"sqlite:///{path.absolute()}")
