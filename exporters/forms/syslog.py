"""Events as syslog messages (RFC 5424), the event's JSON as text. Knows no transport."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

from rfc5424logging import Rfc5424SysLogHandler

from exporters.destination import Refused
from exporters.forms.event import CERTAIN, PROBABLE, dumps, encode, event_type, severity
from sensor.model.audit_head import AuditAnchor
from sensor.model.condition import Condition
from sensor.model.finding import Finding
from sensor.model.record import Record, event_id
from sensor.model.time import LAST_SECOND

FACILITIES = {
    "kern": 0,
    "user": 1,
    "mail": 2,
    "daemon": 3,
    "auth": 4,
    "syslog": 5,
    "authpriv": 10,
    **{f"local{number}": 16 + number for number in range(8)},
}
#: What a message that is too long loses, step by step: all but the newest connections, and so on.
SHORTENED = (
    *(("mining", "flows", 128), ("mining", "flows", 32), ("mining", "flows", 8), ("mining", "flows", 1)),
    *(("attribution", "claims", 2), ("mining", "evidence", 1), ("mining", "workers", 4)),
    *(
        ("mining", "flows", 0),
        ("mining", "evidence", 0),
        ("mining", "workers", 0),
        ("attribution", "claims", 0),
        ("mining", "reasons", 0),
    ),
)
#: The identity of a message that carries the head of the audit's chain.
ANCHOR = "audit-anchor"
LEVELS = {CERTAIN: "ALERT", PROBABLE: "WARNING"}


class SyslogFormat:
    """Turns records into messages of at most `message_bytes`. Without a `hostname` they have the system's."""

    def __init__(self, facility: str, hostname: str | None, enterprise: str, message_bytes: int) -> None:
        self._handler = Rfc5424SysLogHandler(
            stream=io.BytesIO(),  # never written to: only the message is made by it
            facility=FACILITIES[facility],
            hostname=hostname,
            appname="minewatch",
            procid="-",
            enterprise_id=enterprise,
            utc_timestamp=True,
            msg_as_utf8=False,  # ASCII; the mark of UTF-8 would stand in the way of JSON parsers
        )
        self._sd_id = f"minewatch@{enterprise}"
        self._most_bytes = message_bytes

    def encode(self, record: Record) -> bytes:
        """The message without framing. Raises Refused if it cannot be made short enough."""
        event = encode(record)
        message = self._message(record, dumps(event))
        for shorter in _shortened(event):
            if len(message) <= self._most_bytes:
                break
            message = self._message(record, dumps(shorter))
        if len(message) > self._most_bytes:
            raise Refused(f"longer than message_bytes ({self._most_bytes}) even without its lists")
        return message

    def encode_anchor(self, anchor: AuditAnchor) -> bytes:
        """The head of the audit's chain as a message: its line as the text."""
        data = {"chain": anchor.head.chain, "rows": str(anchor.head.rows)}
        return self._built(anchor.text, "NOTICE", anchor.head.at_ns, ANCHOR, data)

    def _message(self, record: Record, text: str) -> bytes:
        level = LEVELS.get(severity(record.grade), "NOTICE") if isinstance(record, Finding) else "NOTICE"
        return self._built(text, level, record.last_ns, event_type(record), _data(record))

    def _built(self, text: str, level: str, at_ns: int, kind: str, data: dict[str, str]) -> bytes:
        created = min(max(0, at_ns) / 1e9, float(LAST_SECOND))
        line = logging.makeLogRecord({"name": "minewatch", "msg": text, "levelname": level, "created": created})
        line.msgid = kind
        line.structured_data = {self._sd_id: data}
        built = self._handler.build_msg(line)
        assert isinstance(built, bytes)
        return built


def _data(record: Record) -> dict[str, str]:
    """What collectors filter by without reading JSON."""
    data = {"event_id": event_id(record)}
    if isinstance(record, Finding):
        data |= {
            "finding_id": record.finding_id,
            "state": record.state,
            "grade": record.grade.label,
            "miner": record.miner_ip,
        }
        data |= {"correction": "yes"} if record.corrects is not None else {}
        data |= {"dialect": record.dialect} if record.dialect is not None else {}
        data |= {"pool": f"{record.pool_ip}:{record.pool_port}"} if record.pool_port is not None else {}
    elif isinstance(record, Condition):
        data |= {"condition_id": record.condition_id, "condition": record.name, "state": record.state}
    else:
        data |= {"node_id": record.node_id, "protocol": record.protocol}
    return data


def _shortened(event: dict[str, object]) -> Iterator[dict[str, object]]:
    """The event without its longest lists, one after another; `flow_count` still says how many there were."""
    for section, key, limit in SHORTENED:
        part = event.get(section)
        if isinstance(part, dict) and len(part.get(key) or ()) > limit:
            event = {**event, section: {**part, key: part[key][len(part[key]) - limit :]}}
            yield event
