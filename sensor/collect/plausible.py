"""What of a record cannot be, whoever sent it: it would spoil the sums that it is in, fill the ledger, or be refused by
the database together with the messages beside it. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address

from sensor.ledger.store.amounts import WHOLE, totals
from sensor.ledger.store.records import column_text
from sensor.model.condition import Condition
from sensor.model.coverage import union
from sensor.model.finding import Finding
from sensor.model.message import MOST_INTEGER
from sensor.model.record import Record
from sensor.model.time import DAY_NS, HOUR_NS
from sensor.model.wire import SensorReport, can_add_up

#: No connection lasts longer; and the hours in which a finding's connections were there: each is a row.
LONGEST_NS, MOST_HOURS = 5 * 366 * DAY_NS, 10 * 366 * 24
#: Of shares, connections and bytes a finding has fewer; so many of them at the same hour of the same miner add up
#: within the 64 bits of a column: 1 << 15.
MOST_COUNT = 1 << 48
#: Machines, in a column of 32 bits.
MOST_MACHINES, MOST_PORT = (1 << 31) - 1, (1 << 16) - 1


def why_impossible(report: SensorReport) -> str | None:
    """Why a report cannot be true; None: nothing speaks against it."""
    if not _are_texts((*report.ended, *report.suppressed)):
        return "it has a name that is no text"
    return next((why for why in map(_why, report.records) if why is not None), None)


def _why(record: Record) -> str | None:
    if not can_add_up(record):
        return "a record has a figure that is no measure of anything"
    if not _are_times((record.first_ns, record.last_ns)):
        return "a time is out of range"
    if isinstance(record, Condition):
        return None if _are_texts((record.condition_id, record.sensor_id)) else "it has a name that is no text"
    if isinstance(record, Finding):
        return _why_finding(record)
    if not _are_texts((record.node_id, record.protocol)):
        return "it has a name that is no text"
    return None if _are_addresses((record.key.src_ip, record.key.dest_ip)) else "an address is none"


def _why_finding(finding: Finding) -> str | None:
    names = (finding.finding_id, finding.dialect, finding.coin, finding.algorithm, finding.work_unit)
    if not _are_texts((*names, *(flow.key.community_id for flow in finding.flows))):
        return "it has a name that is no text"
    if not _are_addresses((finding.miner_ip, finding.pool_ip)):
        return "an address is none"
    if not 0 <= (finding.pool_port or 0) <= MOST_PORT:
        return "a port is out of range"
    is_counted = all(0 <= count < MOST_COUNT for count in totals(finding)[:WHOLE])  # what is added to others' counts
    if not is_counted or not 0 <= finding.machines_seen <= MOST_MACHINES:
        return "a count is beyond all measure"
    moments = ((flow.first_ns, flow.last_ns) for flow in finding.flows)
    if not all(_are_times(pair) for pair in moments):
        return "a time is out of range"
    if any(abs(flow.key.flow_id) > MOST_INTEGER for flow in finding.flows):
        return "the number of a connection is out of range"
    return "its connections lasted longer than any" if _lasts_too_long(finding) else None


def _lasts_too_long(finding: Finding) -> bool:
    """Whether connections lasted what none does, or were there in more hours than anybody watched."""
    spans = [(flow.first_ns, flow.last_ns) for flow in finding.flows]
    if any(last_ns - first_ns > LONGEST_NS for first_ns, last_ns in spans):
        return True
    there = union(spans) or union([(finding.first_ns, finding.last_ns)])
    return sum((span.to_ns - 1) // HOUR_NS - span.from_ns // HOUR_NS + 1 for span in there) > MOST_HOURS


def _are_texts(names: Iterable[str | None]) -> bool:
    """Whether every database takes these names as they are."""
    return all(name is None or column_text(name) == name for name in names)


def _are_addresses(texts: Iterable[str | None]) -> bool:
    try:
        return all(text is None or ip_address(text) for text in texts)
    except ValueError:
        return False


def _are_times(moments_ns: Iterable[int]) -> bool:
    return all(0 <= moment_ns <= MOST_INTEGER for moment_ns in moments_ns)
