"""The sections of the configuration: limits, signatures, estimates, capture, findings, ledger, bulletin, evidence,
output.

Shapes and bounds of values; knows nothing of what is done with them.
"""

from __future__ import annotations

import datetime
import re
import zoneinfo
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from sensor.model.address import parse_network
from sensor.model.ledger_url import ledger_url_mistake, shown_ledger_url
from sensor.model.limits import CoreLimits
from sensor.model.section import Section

Text = Annotated[str, Field(min_length=1)]
Activity = Literal["mining", "attempt", "observer", "probe"]
Grade = Literal["looked-up", "contacted", "named", "behaves", "speaks", "accepted", "verified"]

#: The form of a code of GB/T 2260.
REGION = r"^[1-9]\d(\d{2}){0,2}$"
#: What both cores take where nothing is configured.
CORE = CoreLimits()
Count = Annotated[int, Field(ge=1, le=1 << 32)]
Seconds = Annotated[int, Field(ge=1, le=86_400)]


class LimitSettings(Section):
    """Bounds of everything the network feeds; names and defaults are those of the core."""

    flows: Annotated[int, Field(ge=16, le=1 << 28)] = CORE.flows
    candidates: Count = CORE.candidates
    session_bytes: Annotated[int, Field(ge=256, le=1 << 30)] = CORE.session_bytes
    reorder_bytes: Annotated[int, Field(ge=1_024, le=1 << 30)] = CORE.reorder_bytes
    reorder_segments: Count = CORE.reorder_segments
    held_bytes: Count = CORE.held_bytes
    thin_flows: Annotated[int, Field(ge=0, le=1 << 28)] = CORE.thin_flows
    thin_bytes: Annotated[int, Field(ge=65_536, le=1 << 36)] = CORE.thin_bytes
    fragments: Count = CORE.fragments
    fragment_bytes: Annotated[int, Field(ge=65_536, le=1 << 32)] = CORE.fragment_bytes
    queue_events: Annotated[int, Field(ge=64, le=1 << 24)] = CORE.queue_events
    queue_bytes: Annotated[int, Field(ge=65_536, le=1 << 34)] = CORE.queue_bytes
    tcp_timeout_s: Seconds = CORE.tcp_timeout_s
    tcp_new_timeout_s: Seconds = CORE.tcp_new_timeout_s
    closed_timeout_s: Seconds = CORE.closed_timeout_s
    udp_timeout_s: Seconds = CORE.udp_timeout_s
    candidate_timeout_s: Seconds = CORE.candidate_timeout_s


class SignatureSettings(Section):
    """Signature files in addition to the shipped ones."""

    files: list[str] = Field(default_factory=list)


class NamesSettings(Section):
    """Lists of pools' hosts in addition to the shipped catalogue: one host a line, or a table with a heading (`host`,
    `operator`, `serves`, `ports`).
    """

    lists: list[str] = Field(default_factory=list)


class JournalSettings(Section):
    """The least severe sentences that the daemon writes to its journal."""

    level: Literal["error", "warning", "notice", "info"] = "info"


class StatusSettings(Section):
    """The local socket that `minewatch status` asks: `auto` (one for each sensor in the runtime folder), a path, or
    none.
    """

    socket: Text | None = "auto"


class VerifySettings(Section):
    """Shares recomputed of each session: the first ones, then one in `every`, at most `most` (0: none), of them few
    by scrypt; and at most `target_most` more where a difficulty was not seen, which their hashes tell.
    """

    first: Annotated[int, Field(ge=1, le=1_000)] = 3
    every: Count = 64
    most: Annotated[int, Field(ge=0, le=100_000)] = 32
    scrypt_most: Annotated[int, Field(ge=0, le=100_000)] = 8
    target_most: Annotated[int, Field(ge=0, le=100_000)] = 512


class EstimateSettings(Section):
    """What hashrate and power are estimated with: the level of the intervals, and watts drawn by the site for each
    watt of the machines.
    """

    level: Annotated[float, Field(gt=0.5, lt=1.0)] = 0.95
    pue: Annotated[float, Field(ge=1.0, le=5.0)] = 1.10


def _as_number(value: object) -> object:
    """A number that YAML takes for text, as it does 1e-5; anything else stays what it is."""
    if not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError:
        return value


class BehaviourSettings(Section):
    """From which chance on the lengths of an encrypted session, and its beat with the blocks of a coin, count as those
    of mining; and files with the times of blocks, by coin.
    """

    grammar_chance: Annotated[float, Field(gt=0, le=0.05), BeforeValidator(_as_number)] = 1e-5
    beat_chance: Annotated[float, Field(gt=0, le=0.05), BeforeValidator(_as_number)] = 1e-4
    blocks: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9]{2,12}$")], Text] = Field(default_factory=dict)


class EvidenceSettings(Section):
    """Files with the first packets of findings, in `folder` (none: not written); what is over a bound is not kept."""

    folder: Annotated[str, Field(min_length=1)] | None = None
    flow_bytes: Annotated[int, Field(ge=256, le=1 << 24)] = 16_384
    payload_bytes: Annotated[int, Field(ge=0, le=65_535)] = 65_535
    finding_bytes: Annotated[int, Field(ge=4_096, le=1 << 32)] = 1_048_576
    total_bytes: Annotated[int, Field(ge=65_536, le=1 << 44)] = 1_073_741_824
    memory_bytes: Annotated[int, Field(ge=65_536, le=1 << 36)] = 67_108_864
    keep_days: Annotated[float, Field(gt=0, le=36_500)] = 90.0


class OutputSettings(Section):
    """Where findings go: `eve` is a file of JSON lines, or `-`; `stats` ends it with the counters, `redact` hides
    what is inside. Without `name_persons` no event names a person, whichever exporter sends it. `language` is that of
    pages and commands, `auto` the locale's; bulletins have their own.
    """

    eve: Annotated[str, Field(min_length=1)] | None = None
    stats: bool = False
    redact: bool = False
    name_persons: bool = False
    language: Literal["auto", "zh", "en"] = "auto"


#: The kernel's memory for an interface's packets where nothing is said, and the least that the core asks for.
RING_BYTES, LEAST_RING_BYTES = 64 << 20, 4 << 20


class InterfaceSettings(Section):
    """One interface: its name, and how it is listened to. `ring_bytes` is its part of the rings' memory; without it, an
    even part.
    """

    name: Annotated[str, Field(min_length=1, max_length=15)]
    promiscuous: bool = True
    ring_bytes: Annotated[int, Field(ge=1 << 20, le=1 << 34)] | None = None
    snaplen: Annotated[int, Field(ge=0, le=262_144)] = 0  # bytes kept of a packet; 0: all
    filter: str = ""  # an expression of pcap-filter(7), or the numbers of tcpdump -ddd


class ExclusionSettings(Section):
    """What is left out right after decoding: networks, and ports of TCP and UDP."""

    networks: list[str] = Field(default_factory=list)
    ports: list[Annotated[int, Field(ge=0, le=65_535)]] = Field(default_factory=list)

    @field_validator("networks")
    @classmethod
    def _networks(cls, names: list[str]) -> list[str]:
        for name in names:
            parse_network(name)
        return names


class CaptureSettings(Section):
    """What the daemon reads: interfaces, or a folder that a rotating capture fills, or standard input to its end."""

    interfaces: list[InterfaceSettings] = Field(default_factory=list)
    ring_bytes: Annotated[int, Field(ge=1 << 20, le=1 << 38)] | None = None  # of all interfaces; none: 64 MiB for each
    cpus: list[Annotated[int, Field(ge=0, le=1_023)]] = Field(default_factory=list)
    folder: Text | None = None
    memory: Text | None = None  # where it is remembered which files of the folder were read; without it, in the folder
    stdin: bool = False
    settle_s: Annotated[int, Field(ge=1, le=86_400)] = 60  # a file that did not change for so long is finished
    exclude: ExclusionSettings = ExclusionSettings()

    @field_validator("interfaces")
    @classmethod
    def _check_names(cls, interfaces: list[InterfaceSettings]) -> list[InterfaceSettings]:
        names = [interface.name for interface in interfaces]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"the interface {name} stands here twice")
        return interfaces

    def ring_bytes_of(self, interface: InterfaceSettings) -> int:
        """The memory of an interface's rings: its own number, or an even part of what is for all."""
        if interface.ring_bytes is not None:
            return interface.ring_bytes
        if self.ring_bytes is None:
            return RING_BYTES
        stated = [other.ring_bytes for other in self.interfaces if other.ring_bytes is not None]
        sharing = len(self.interfaces) - len(stated)
        return max(LEAST_RING_BYTES, (self.ring_bytes - sum(stated)) // sharing)

    @model_validator(mode="after")
    def _check_input(self) -> CaptureSettings:
        if sum((bool(self.interfaces), self.folder is not None, self.stdin)) > 1:
            raise ValueError("interfaces, a folder and standard input are not read by one sensor: run one for each")
        return self


class AllowEntry(Section):
    """Findings that are expected: recorded in the ledger, never reported. One of the first five says which."""

    network: str | None = None  # of the miner or the pool
    domain: Text | None = None  # of the pool, and everything below it
    wallet: Text | None = None  # or account: the login, its wallet, or what stands before the rig's name
    enterprise: Text | None = None  # name or unified social credit code
    signature: Text | None = None  # dialect, or number of the signature
    reason: Text
    until: datetime.date | None = None  # the last day on which it holds, UTC

    @field_validator("network")
    @classmethod
    def _network(cls, name: str | None) -> str | None:
        return name and str(parse_network(name))

    @model_validator(mode="after")
    def _check_subject(self) -> AllowEntry:
        given = [
            name
            for name in ("network", "domain", "wallet", "enterprise", "signature")
            if getattr(self, name) is not None
        ]
        if len(given) != 1:
            raise ValueError(
                "must name one of network, domain, wallet, enterprise, signature" + (", not several" if given else "")
            )
        return self


#: The activities that are reported unless the configuration says otherwise.
REPORTED: tuple[Activity, ...] = ("mining",)


class FindingsSettings(Section):
    """When findings are reported, and which are."""

    update_s: Annotated[int, Field(ge=1, le=86_400)] = 300
    close_s: Annotated[int, Field(ge=10, le=604_800)] = 1_800
    attempt_s: Annotated[int, Field(ge=1, le=3_600)] = 60
    activities: list[Activity] = Field(default_factory=lambda: list(REPORTED))  # those that are reported
    least_grade: Grade = "speaks"
    least_confidence: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    allow: list[AllowEntry] = Field(default_factory=list)


class LedgerSettings(Section):
    """The ledger: where it is, and how much it keeps."""

    url: Text = "sqlite:////var/lib/minewatch/ledger.db"
    keep_days: Annotated[int, Field(ge=1, le=36_500)] = 400
    nodes_days: Annotated[int, Field(ge=1, le=36_500)] | None = None  # without it, keep_days
    connections_days: Annotated[int, Field(ge=1, le=36_500)] | None = None  # without it, keep_days
    events_days: Annotated[int, Field(ge=1, le=36_500)] = 365
    owners_days: Annotated[int, Field(ge=35, le=36_500)] = 3_650
    persons_days: Annotated[int, Field(ge=1, le=36_500)] = 400
    findings: Annotated[int, Field(ge=100, le=1 << 32)] = 1_000_000
    nodes: Annotated[int, Field(ge=100, le=1 << 32)] = 200_000
    connections: Annotated[int, Field(ge=100, le=1 << 32)] = 500_000
    outbox_rows: Annotated[int, Field(ge=100, le=1 << 32)] = 200_000
    outbox_bytes: Annotated[int, Field(ge=1 << 20, le=1 << 44)] = 1 << 30
    hours_days: Annotated[int, Field(ge=35, le=36_500)] = (
        62  # roll-ups by the hour are joined to days when they are older
    )
    rollup_days: Annotated[int, Field(ge=35, le=36_500)] = 3_650
    timezone: Text = "Asia/Shanghai"  # of those days, and of times in lists
    attachments: Text | None = None  # folder of cases' files; without it, beside the ledger's file

    @field_validator("url")
    @classmethod
    def _url(cls, url: str) -> str:
        mistake = ledger_url_mistake(url)
        if mistake is not None:
            raise ValueError(f"{shown_ledger_url(url)}: {mistake}")
        return url

    @field_validator("timezone")
    @classmethod
    def _zone(cls, name: str) -> str:
        try:
            zoneinfo.ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{name!r} is no time zone that is known here") from None
        return name

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The time zone."""
        return zoneinfo.ZoneInfo(self.timezone)


def _region(code: object) -> object:
    """A code as text, however YAML read it."""
    text = str(code) if isinstance(code, int) and not isinstance(code, bool) else code
    if isinstance(text, str) and not re.fullmatch(REGION, text, re.ASCII):
        raise ValueError(f"{text[:40]!r} must be the code of a division: 2, 4 or 6 digits (GB/T 2260)")
    return text


class BulletinSettings(Section):
    """The periodic summary: in which language, of which region, what a kilowatt-hour stands for, and how much must have
    been watched. Its days are those of the ledger.
    """

    language: Literal["zh", "en", "both"] = "zh"
    # GB/T 2260; 32 and 320000 are the same
    region: Annotated[Annotated[str, Field(pattern=REGION)] | None, BeforeValidator(_region)] = None
    co2_kg_per_kwh: Annotated[float, Field(ge=0.0, le=10.0)] = 0.5366
    surcharge_yuan_per_kwh: Annotated[float, Field(ge=0.0, le=1_000.0)] = 0.30
    least_watched: Annotated[float, Field(ge=0.0, le=1.0)] = 0.8
    most_projection: Annotated[float, Field(ge=1.0, le=10.0)] = 2.0
    name_persons: bool = False
