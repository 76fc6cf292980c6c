"""Parcels, keys and an inbox for tests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from sensor.policy.inbox import PolicyInbox
from sensor.policy.keys import PrivateKey
from sensor.policy.parcel import key_of, seal, sealed
from sensor.policy.settings import PolicySettings
from sensor.policy.shelf import PolicyShelf

KEY, FOREIGN = PrivateKey.generate(), PrivateKey.generate()
KEYS = {KEY.public.key_id: KEY.public}
MADE_NS = 1_700_000_000_000_000_000
POOLS = b"""kind: pools
name: own
description: x
references: [y]
pools: [{suffix: pool.example, name: Own, operator: Own, source: z, confidence: high}]
examples: [{host: pool.example, name: Own}]
"""
POLICY = {"policy.yaml": b"findings:\n  least_grade: accepted\n"}


def settings_of(**more: Any) -> PolicySettings:
    """A section `policy` with the test's key."""
    return PolicySettings(**{"brokers": ["127.0.0.1:9"], "transport": "tcp", "keys": [KEY.public.text], **more})


def parcel(version: int = 1, files: Mapping[str, bytes] = POLICY, key: PrivateKey = KEY, **more: Any) -> bytes:
    """A parcel of policy."""
    return seal(more.pop("kind", "policy"), version, MADE_NS, files, key, **more)


def header(**changed: Any) -> dict[str, Any]:
    """The header of a parcel of policy without files, as its values."""
    usual = {
        "kind": "policy",
        "version": 1,
        "made_ns": MADE_NS,
        "group": "all",
        "sensors": [],
        "files": [],
        "payload_bytes": 0,
        "payload_sha256": sha256(b"").hexdigest(),
    }
    return {**usual, **changed}


def signed(values: object, payload: bytes = b"") -> bytes:
    """A parcel with whatever header, rightly signed."""
    if isinstance(values, dict) and payload:
        values = {**values, "payload_bytes": len(payload), "payload_sha256": sha256(payload).hexdigest()}
    return sealed(json.dumps(values).encode(), payload, KEY)


class Sensor:
    """An inbox over a folder, which can be begun anew."""

    def __init__(self, folder: Path, sensor_id: str = "edge-1", **settings: Any) -> None:
        self.folder, self.sensor_id, self.settings = folder, sensor_id, settings_of(**settings)
        self.begin()

    def begin(self) -> None:
        """The process starts, with all that is stored."""
        self.start()
        self.offers = self.inbox.stored()
        for offer in self.offers:
            self.inbox.resume(offer)

    def start(self) -> None:
        """The process starts."""
        shelf = PolicyShelf(self.folder / "policy")
        self.inbox = PolicyInbox(self.settings, KEYS, self.sensor_id, shelf, lambda: MADE_NS)

    def take(self, body: bytes | None, key: str = key_of("policy", "all"), *, history: bool = False) -> None:
        """A message comes."""
        self.inbox.take(key.encode(), body, history=history)

    def settle(self, *broken: int) -> list[int]:
        """Try all offers, of which those with these versions cannot be loaded; the versions that were tried."""
        tried = []
        while (offer := self.inbox.next_offer()) is not None:
            version = offer.parcel.header.version
            tried.append(version)
            if version in broken:
                self.inbox.refuse(offer, "policy: policy.yaml:1: cannot be loaded")
            else:
                self.inbox.accept(offer)
        return tried

    @property
    def in_use(self) -> dict[str, int]:
        """Versions by kind."""
        return {state.kind: state.version for state in self.inbox.states if state.state != "refused"}

    @property
    def refused(self) -> dict[str, str | None]:
        """Reasons by kind."""
        return {state.kind: state.reason for state in self.inbox.states if state.state == "refused"}
