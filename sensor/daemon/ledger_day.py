"""How long this sensor has listened on the ledger's day, as its status says it. Asked of the ledger now and then."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sensor.ledger import Ledger, LedgerError
from sensor.model.time import SECOND_NS, day_of, midnight_ns


@dataclass(slots=True)
class LedgerDay:
    """The day that is on, in the ledger's time zone."""

    ledger_url: str = ""  # without its password
    sensor_id: str = ""
    began_ns: int = 0
    watched_seconds: float | None = None  # None: not known

    def look(self, ledger: Ledger, zone: str, now_ns: int) -> None:
        """Ask the ledger. Never raises LedgerError: what it cannot say is not known."""
        self.ledger_url = ledger.engine.url.render_as_string(hide_password=True)
        self.sensor_id = ledger.reporter.sensor_id
        place = ZoneInfo(zone)
        self.began_ns = midnight_ns(day_of(now_ns, place), place)
        try:
            self.watched_seconds = ledger.reader.listened_seconds(self.sensor_id, self.began_ns, now_ns + 1)
        except LedgerError:
            self.watched_seconds = None

    def watched_with(self, open_seconds: float, now_ns: int) -> float | None:
        """How long this sensor has listened today, with the time that the ledger does not have yet."""
        if self.watched_seconds is None:
            return None
        return min(self.watched_seconds + open_seconds, max(0.0, (now_ns - self.began_ns) / SECOND_NS))
