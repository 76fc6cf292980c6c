"""How long this sensor has listened on the ledger's day, as its status says it. Asked of the ledger now and then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sensor.ledger import Ledger, LedgerError
from sensor.model.time import SECOND_NS, moment


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
        self.began_ns = _midnight_ns(now_ns, ZoneInfo(zone))
        try:
            self.watched_seconds = ledger.reader.listened_seconds(self.sensor_id, self.began_ns, now_ns + 1)
        except LedgerError:
            self.watched_seconds = None

    def watched_with(self, open_seconds: float, now_ns: int) -> float | None:
        """How long this sensor has listened today, with the time that the ledger does not have yet."""
        if self.watched_seconds is None:
            return None
        return min(self.watched_seconds + open_seconds, max(0.0, (now_ns - self.began_ns) / SECOND_NS))


def _midnight_ns(now_ns: int, zone: ZoneInfo) -> int:
    """When the day of `now_ns` began there. Where a change of clocks left out midnight, the day begins at its first
    moment."""
    day = moment(now_ns, zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    began = datetime.fromtimestamp(day.timestamp(), zone)
    return int((began if began.date() == day.date() else day + timedelta(hours=1)).timestamp()) * SECOND_NS
