"""Events of names for tests: look-ups, hellos, certificates and connections of a miner and a pool's end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sensor.line.examples import EPOCH_NS
from sensor.line.lifecycle import ReportingSettings
from sensor.line.pipeline import Pipeline
from sensor.model.encrypted import (
    AddressNamed,
    ClientHello,
    DnsAnswer,
    EncryptedClose,
    EncryptedOpen,
    Records,
    ServerCertificate,
    ServerHello,
    SessionKind,
)
from sensor.model.events import Event
from sensor.model.finding import Finding
from sensor.model.time import SECOND_NS
from tests.session.dialogue import shipped

MINER, OTHER, POOL, RESOLVER = (
    bytes([198, 51, 100, 10]),
    bytes([198, 51, 100, 11]),
    bytes([203, 0, 113, 5]),
    bytes([192, 0, 2, 53]),
)
STRATUM, SITE = "pool.supportxmr.com", "www.supportxmr.com"
#: A listed port of that host, and one that is not.
LISTED, UNLISTED = 443, 8_443
TLS_1_2, TLS_1_3 = 0x0303, 0x0304


def at(seconds: float) -> int:
    return EPOCH_NS + int(seconds * SECOND_NS)


def opened(
    flow: int = 1,
    port: int = LISTED,
    *,
    at_s: float = 0,
    client: bytes = MINER,
    server: bytes = POOL,
    kind: SessionKind = "tls",
    midstream: bool = False,
) -> EncryptedOpen:
    ends = (client, 40_000 + flow, server, port)
    basis = "first-seen" if midstream else "syn"
    return EncryptedOpen(flow, at(at_s), kind, *ends, basis, midstream, at(at_s), (7,), "iface:eth0")


def hello(sni: str = STRATUM, flow: int = 1, *, at_s: float = 0, direction: int = 0) -> ClientHello:
    return ClientHello(flow, at(at_s), direction, sni.encode(), (), (TLS_1_3, TLS_1_2), 9, "j3", "j4", 300)


def chosen(version: int = TLS_1_3, flow: int = 1, *, at_s: float = 0) -> ServerHello:
    return ServerHello(flow, at(at_s), 1, version, 0x1301, b"")


def certificate(*names: str, flow: int = 1, at_s: float = 0) -> ServerCertificate:
    return ServerCertificate(flow, at(at_s), 1, tuple(name.encode() for name in names), b"", b"", False, 0, 1)


def records(at_s: float, flow: int = 1) -> Records:
    return Records(flow, at(at_s), (0, 0), ())


def over(at_s: float, flow: int = 1) -> EncryptedClose:
    return EncryptedClose(flow, at(at_s), "fin", (9, 9), 0)


def session(
    sni: str = STRATUM, port: int = LISTED, *, lasts_s: float = 30, flow: int = 1, at_s: float = 0, **ends: bytes
) -> list[Event]:
    """A whole session of TLS 1.3 with a name, or none."""
    return [
        opened(flow, port, at_s=at_s, **ends),  # type: ignore[arg-type]
        hello(sni, flow, at_s=at_s),
        chosen(flow=flow, at_s=at_s),
        over(at_s + lasts_s, flow),
    ]


def answer(
    name: str = STRATUM, *addresses: bytes, at_s: float = 0, ttl_s: int = 60, client: bytes = MINER
) -> DnsAnswer:
    return DnsAnswer(at(at_s), client, RESOLVER, name.encode(), addresses or (POOL,), ttl_s, (7,), "iface:eth0")


def with_addresses(stream: Iterable[Event]) -> Iterator[Event]:
    """The same events, and before a name what a core says of the addresses that answer to it."""
    ends: dict[int, EncryptedOpen] = {}
    for event in stream:
        if isinstance(event, EncryptedOpen):
            ends[event.flow] = event
        if isinstance(event, DnsAnswer):
            yield AddressNamed(event.ts_ns, event.name, event.addresses)
        if isinstance(event, ClientHello) and event.sni and event.flow in ends:
            server = ends[event.flow].orig_addr if event.direction else ends[event.flow].resp_addr
            yield AddressNamed(event.ts_ns, event.sni, (server,))
        yield event


def line(*, live: bool = False) -> Pipeline:
    return Pipeline(shipped(), reporting=ReportingSettings() if live else None)


def heard(stream: Iterable[Event]) -> tuple[list[Finding], dict[str, int]]:
    """What a replay of these events finds, and what it counts."""
    pipeline = line()
    pipeline.step(with_addresses(stream))
    found = [record for record in pipeline.finish() if isinstance(record, Finding)]
    return found, pipeline.counters


def grades(*stream: Event) -> dict[tuple[str | None, int | None], str]:
    """The grade of each pool's end that is found."""
    return {(found.pool_ip, found.pool_port): found.grade.label for found in heard(stream)[0]}
