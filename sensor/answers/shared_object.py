"""What several sensors, addresses or sites have in common, as JSON."""

from __future__ import annotations

from sensor.answers.owner_object import enterprise_object
from sensor.answers.values import bounds, instant
from sensor.ledger.read.lists.shared import CHOSEN_BY_SENDER, ListedShared
from sensor.ledger.read.lists.shared_rates import SharedRate


def shared_object(found: ListedShared) -> dict[str, object]:
    """A name with all that has it; persons are never joined by who they are."""
    return {
        "by": found.by,
        "name": found.name,
        "enterprise": enterprise_object(found.enterprise, persons=False),
        "is_hint": found.by in CHOSEN_BY_SENDER,
        "sensors": found.sensors or None,
        "sensor_names": list(found.sensor_names),
        "addresses": found.seen.addresses,
        "sites": found.seen.sites or None,
        "enterprises": found.enterprises or None,
        "addresses_of_nobody": found.unnamed,
        "findings": found.findings,
        "grade": found.seen.grade.label,
        "least_grade": found.least_grade.label,
        "first_seen": instant(found.seen.first_ns),
        "last_seen": instant(found.seen.last_ns),
        "rates": None if found.rates is None else [_rate(rate) for rate in found.rates],
    }


def _rate(rate: SharedRate) -> dict[str, object]:
    return {
        "algorithm": rate.algorithm,
        "work_unit": rate.work_unit,
        "hashrate_hps": bounds(rate.hashrate_hps),
        "hashrate_is_lower_bound": rate.unrated > 0,
        "findings_without_rate": rate.unrated,
    }
