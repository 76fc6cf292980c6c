"""Messages of topics: parcels of a centre as they come, parcels that are rightly signed and hold anything, what sensors
share, and reports.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
import zlib
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path

from sensor.model.message import WireError
from sensor.model.shared_knowledge import SharedAddress, SharedBlock, SharedKnowledge
from sensor.model.shared_knowledge import dumps as dump_knowledge
from sensor.model.shared_knowledge import loads as load_knowledge
from sensor.model.wire import SensorReport, Stretch, dumps, loads
from sensor.policy.inbox import PolicyInbox
from sensor.policy.keys import PrivateKey
from sensor.policy.parcel import HEADER_BYTES, open_sealed, seal, sealed, unpack
from sensor.policy.refusal import ParcelError
from sensor.policy.settings import PolicySettings
from sensor.policy.shelf import PolicyShelf
from tests.fuzz.targets.target import BrokenPropertyError, Target
from tests.ledger.made import finding

MOST_BYTES = 1 << 20
FILES = {"policy.yaml": b"findings: {least_grade: accepted}\n", "b.csv": b"host\nmine.example\n"}


@cache
def key() -> PrivateKey:
    """The same in every process."""
    from Crypto.PublicKey import ECC

    return PrivateKey(ECC.construct(curve="Ed25519", seed=bytes(32)))


def _feed_parcel(data: bytes) -> None:
    """As a message of the topic: with an inbox that has whatever came before it in a folder of its own."""
    keys = {key().public.key_id: key().public}
    with tempfile.TemporaryDirectory() as folder:
        settings = PolicySettings(brokers=["a:1"], transport="tcp", keys=[key().public.text])
        inbox = PolicyInbox(settings, keys, "edge-1", PolicyShelf(Path(folder)), lambda: 1)
        inbox.take(data[:12], data)
        inbox.take(b"policy/all", data)
        if inbox.next_offer() is not None and data not in _parcels():
            raise BrokenPropertyError("a parcel that nobody signed is offered")


def _feed_header(data: bytes) -> None:
    """Rightly signed: the first two bytes say how long the header is, the rest is the payload."""
    length = int.from_bytes(data[:2], "big") % HEADER_BYTES
    header, payload = data[2 : 2 + length], data[2 + length :]
    keys = {key().public.key_id: key().public}
    with contextlib.suppress(ParcelError):
        parcel = open_sealed(sealed(header, payload, key()), keys, MOST_BYTES)
        files = unpack(parcel, MOST_BYTES)
        if [(name, len(content)) for name, content in files.items()] != list(parcel.header.files):
            raise BrokenPropertyError("files are not those of the header")
        if any("/" in name or name.startswith(".") for name in files):
            raise BrokenPropertyError("a file's name is a path")


def _feed_knowledge(data: bytes) -> None:
    with contextlib.suppress(WireError):
        knowledge = load_knowledge(data)
        if load_knowledge(dump_knowledge(knowledge)) != knowledge:
            raise BrokenPropertyError("what was read is not what is written")


def _feed_report(data: bytes) -> None:
    with contextlib.suppress(WireError):
        report = loads(data)
        with contextlib.suppress(ValueError):  # a number that JSON has not
            loads(dumps(report))


@cache
def _parcels() -> tuple[bytes, ...]:
    return (
        seal("policy", 1, 2, {"policy.yaml": FILES["policy.yaml"]}, key()),
        seal("tables", 7, 2, FILES, key(), group="north", sensors=("edge-*",)),
        seal("policy", 9, 2, {}, key()),
    )


def _headers() -> list[bytes]:
    payload = zlib.compress(b"".join(FILES.values()))
    values = {"kind": "policy", "version": 1, "made_ns": 2, "group": "all", "sensors": ["edge-*"]}
    files = [[name, len(content)] for name, content in FILES.items()]
    digest = {"payload_bytes": len(payload), "payload_sha256": sha256(payload).hexdigest()}
    header = json.dumps({**values, "files": files, **digest}).encode()
    return [len(header).to_bytes(2, "big") + header + payload]


def _knowledge() -> list[bytes]:
    addresses = (SharedAddress("203.0.113.7", (3333, 443), 1, 2), SharedAddress("2001:db8::1", (1,), 0, 9))
    return [dump_knowledge(SharedKnowledge("edge-1", 5, addresses, (SharedBlock("XMR", "0" * 16, 3),)))]


def _reports() -> list[bytes]:
    report = SensorReport("edge-1", "run-1", 5, (finding(1),), (Stretch(1, 2),), policies=())
    return [dumps(report).encode(), dumps(SensorReport("edge-1", "run-1", 5, began=True)).encode()]


def targets() -> Iterator[Target]:
    yield Target("parcels", _feed_parcel, lambda: list(_parcels()), 100)
    yield Target("parcel-headers", _feed_header, _headers, 200)
    yield Target("learnt", _feed_knowledge, _knowledge, 200)
    yield Target("reports", _feed_report, _reports, 100)
