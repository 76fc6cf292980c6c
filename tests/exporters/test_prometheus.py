"""The metrics: every counter has a series, nothing seen on the network is a label, and their number has a bound."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from exporters.forms.metrics import BOUNDS, StatusCollector
from exporters.forms.series import (
    ATTRIBUTION,
    CORE,
    CORE_FAMILIES,
    CORE_UNSHOWN,
    DAEMON,
    EVIDENCE,
    INTERFACE,
    INTERFACE_UNSHOWN,
    LEDGER,
    LINE,
    LINE_FAMILIES,
    LINE_UNSHOWN,
    MALFORMED,
    METRICS,
    PREFIX,
)
from exporters.kinds.prometheus import Config
from sensor.attribution import load_books
from sensor.attribution.settings import AttributionSettings
from sensor.daemon.metrics_server import ProcessMetrics, registry
from sensor.evidence import EvidenceFiles
from sensor.ledger import Ledger, Recorder
from sensor.line.examples import dialogue_events
from sensor.line.pipeline import Pipeline
from sensor.model.events import Chunk
from sensor.model.status import STAGES, OutboxStatus, Reload, Status
from sensor.model.summary import Range
from sensor.reference.capture.packet_socket import FIGURES
from sensor.reference.counters import NAMES
from sensor.signatures import load
from tests.exporters.statuses import busy, quiet

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]
SOURCES = Path(__file__).parents[2] / "sensor"


def series(status: Status, collector: StatusCollector | None = None) -> Series:
    text = generate_latest(registry(collector or StatusCollector(lambda: status))).decode()
    found: Series = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            key = (sample.name.removeprefix(PREFIX), frozenset(sample.labels.items()))
            assert key not in found
            found[key] = sample.value
    return found


def value(found: Series, metric: str, **labels: str) -> float:
    return found[(metric, frozenset(labels.items()))]


def core_counters() -> set[str]:
    rust = SOURCES / "core" / "src" / "model" / "stats.rs"
    named = set(re.findall(r'=> "([a-z0-9_]+)"', rust.read_text()))
    return named | set(NAMES)


def line_counters() -> set[str]:
    """The names in the sources, and those that all shipped examples, whole and torn, count."""
    text = "".join(
        (SOURCES / name).read_text() for name in ("line/pipeline.py", "line/lifecycle.py", "session/session.py")
    )
    named = set(re.findall(r'(?:counters\[|found\[|_count\()"([a-z_0-9]+)"', text)) | set(
        re.findall(r'^ +"([a-z_]+)": ', text, re.MULTILINE)
    )
    named |= {f"findings_{state}" for state in ("opened", "updated", "closed")}  # sensor.records.Finding.state
    signatures = load()
    for signature in (*signatures.dialects, *signatures.nodes, *signatures.framings):
        for example in signature.header.examples:
            for gap in (0, 3):
                pipeline = Pipeline(signatures)
                stream = dialogue_events(example.dialogue, proto=example.proto)
                pipeline.step(event._replace(gap=gap) if isinstance(event, Chunk) else event for event in stream)
                pipeline.finish()
                named |= set(pipeline.counters)
    return named


@pytest.mark.parametrize("name", sorted(core_counters().difference(CORE_UNSHOWN)))
def test_every_counter_of_the_core_has_a_series_of_its_own(name: str) -> None:
    assert name in CORE or name.startswith(tuple(beginning for beginning, _, _ in CORE_FAMILIES)), (
        f"a row in exporters/forms/series.py for {name}"
    )
    before, after = series(quiet()), series(replace(quiet(), core={**quiet().core, name: 41_000_000_000}))
    moved = {
        key
        for key in after
        if before.get(key) != after[key] and not key[0].startswith(("process", "heartbeat", "start_time"))
    }
    assert len(moved) == 1, moved
    assert "core_other_total" not in {metric for metric, _ in moved}


@pytest.mark.parametrize("name", CORE_UNSHOWN)
def test_what_another_counter_of_the_core_holds_already_has_no_series(name: str) -> None:
    assert name in core_counters()
    assert series(quiet()).keys() == series(replace(quiet(), core={**quiet().core, name: 41})).keys()


def test_every_counter_of_the_line_has_a_series_of_its_own() -> None:
    names = line_counters()
    assert {
        "sessions",
        "messages",
        "messages_stratum-v1",
        "malformed_gap",
        "findings_refused",
        "readings_refused",
        "findings",
    } <= names
    families = (*(beginning for beginning, _, _ in LINE_FAMILIES), *LINE_UNSHOWN)
    assert not [name for name in names if name not in LINE and not name.startswith(families)], (
        "rows are missing in exporters/forms/series.py"
    )
    targets = [(row.metric, row.label) for row in LINE.values()]
    assert len(targets) == len(set(targets))


def test_every_counter_of_what_follows_the_line_has_a_series_of_its_own(tmp_path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/ledger.db")
    kept: dict[str, tuple[Iterable[str], Iterable[str]]] = {
        "ledger": (Recorder(ledger, time.monotonic_ns).counters, LEDGER),
        "evidence": (EvidenceFiles(tmp_path, load()).counters, EVIDENCE),
        "interface": (FIGURES, (*INTERFACE, *INTERFACE_UNSHOWN)),
        "attribution": (
            [name for name in load_books(AttributionSettings()).stats() if not name.startswith("lookups_")],
            ATTRIBUTION,
        ),
        "daemon": (daemon_counters(), DAEMON),
    }
    ledger.close()
    for owner, (counted, rows) in kept.items():
        assert set(counted) == set(rows), f"rows and counters of the {owner} differ: exporters/forms/series.py"


def daemon_counters() -> set[str]:
    """What the daemon and its intake count, by their sources."""
    text = "".join(path.read_text() for path in (SOURCES / "daemon").glob("*.py"))
    initial = re.findall(r"counters: Counter\[str\] = Counter\(([^)]*)\)", text)
    return set(re.findall(r'counters\["([a-z_]+)"\]', text)) - {"records_waiting"} | set(
        re.findall(r"([a-z_]+)=0", "".join(initial))
    )


def test_every_reason_the_framings_give_stands_at_zero_beforehand() -> None:
    text = "".join(path.read_text() for path in (SOURCES / "dialects").glob("*.py"))
    calls = r'(?:Malformed\([^()]*|_malformed\((?:offset, )?|_lose\(|_end\(ts_ns, offset, )"([a-z_]+)"'
    given = set(re.findall(calls, text)) | set(re.findall(r'else "([a-z_]+)"\)', text))
    assert given <= set(MALFORMED)
    found = series(quiet())
    assert all(value(found, "malformed_messages_total", reason=reason) == 0 for reason in MALFORMED)


def test_a_counter_without_a_row_is_shown_all_the_same() -> None:
    found = series(replace(quiet(), core={"teleported": 3}, line={"dreamt": 4}, daemon={"sneezed": 5}))
    assert value(found, "core_other_total", event="teleported") == 3
    assert value(found, "line_other_total", event="dreamt") == 4
    assert value(found, "daemon_other_total", event="sneezed") == 5


def test_what_a_status_says_is_what_is_shown() -> None:
    status = replace(
        quiet(),
        unready=("mirror0 is down",),
        start_ns=5_000_000_000,
        lag_seconds=0.5,
        core={"packets": 9, "ignored_gre": 2, "last_packet_ns": 1_500_000_000, "flows_evicted": 6},
        line={"messages_stratum-v1": 7, "malformed_gap": 8, "sessions_evicted": 1},
        interfaces={"mirror0": {"up": 0, "received": 10, "dropped": 1, "last_packet_ns": 2_000_000_000, "smelt": 6}},
        attribution={"rows": 5, "lookups_named": 4, "loaded_timestamp_seconds": 9.5},
        ledger={"record_failures": 8, "records_refused": 9},
        evidence={"file_bytes": 11},
        findings_reached={("stratum-v1", "verified"): 3},
        findings_open={"verified": 2},
        hashrate_hps={"sha256d": Range(1.0, 2.0, 3.0)},
        power_watts={"sha256d": Range(4.0, 5.0, 6.0)},
        energy_joules=7.5,
        outboxes={"webhook": OutboxStatus(depth=4, oldest_ns=3_000_000_000, deliveries={"delivered": 1}, dropped=2)},
        reloads={"config": Reload(succeeded=1, refused=2, last_succeeded=False, last_success_ns=4_000_000_000)},
    )
    found = series(status)
    assert value(found, "ready") == 0
    assert value(found, "start_time_seconds") == 5
    assert value(found, "capture_lag_seconds") == 0.5
    assert value(found, "packets_total") == 9
    assert value(found, "ignored_packets_total", reason="gre") == 2
    assert value(found, "last_packet_timestamp_seconds") == 1.5
    assert value(found, "evictions_total", table="flows") == 6
    assert value(found, "evictions_total", table="sessions") == 1
    assert value(found, "dialect_messages_total", dialect="stratum-v1") == 7
    assert value(found, "malformed_messages_total", reason="gap") == 8
    assert value(found, "capture_up", interface="mirror0") == 0
    assert value(found, "capture_received_packets_total", interface="mirror0") == 10
    assert value(found, "capture_dropped_packets_total", interface="mirror0") == 1
    assert value(found, "capture_last_packet_timestamp_seconds", interface="mirror0") == 2
    assert value(found, "capture_other_total", interface="mirror0", event="smelt") == 6
    assert value(found, "attributions_total", result="named") == 4
    assert value(found, "book_rows") == 5
    assert value(found, "books_loaded_timestamp_seconds") == 9.5
    assert value(found, "ledger_failures_total") == 8
    assert value(found, "refusals_total", table="ledger") == 9
    assert value(found, "evidence_file_bytes") == 11
    assert value(found, "findings_total", dialect="stratum-v1", grade="verified") == 3
    assert value(found, "findings_open", grade="verified") == 2
    assert [
        value(found, f"estimated_hashrate{end}_hashes_per_second", algorithm="sha256d") for end in ("_low", "", "_high")
    ] == [1, 2, 3]
    assert [value(found, f"estimated_power{end}_watts", algorithm="sha256d") for end in ("_low", "", "_high")] == [
        4,
        5,
        6,
    ]
    assert value(found, "estimated_energy_joules_total") == 7.5
    assert value(found, "outbox_records", exporter="webhook") == 4
    assert value(found, "outbox_oldest_timestamp_seconds", exporter="webhook") == 3
    assert value(found, "outbox_dropped_records_total", exporter="webhook") == 2
    assert value(found, "deliveries_total", exporter="webhook", result="delivered") == 1
    assert value(found, "reloads_total", kind="config", result="refused") == 2
    assert value(found, "reload_last_successful", kind="config") == 0
    assert value(found, "reload_last_success_timestamp_seconds", kind="config") == 4


def test_what_can_be_counted_stands_at_zero_from_the_start() -> None:
    started = {name for name, _ in series(quiet())}
    later = {name for name, _ in series(busy())}
    estimates = {name for name in METRICS if name.startswith(("estimated_hashrate", "estimated_power"))}
    by_configuration = {"attributions_total", "daemon_other_total", "policy_version", "policy_refused_total"}
    assert later - started == estimates | by_configuration
    assert all(value(series(quiet()), "heartbeat_timestamp_seconds", stage=stage) > 0 for stage in STAGES)


def test_every_metric_that_is_described_is_shown() -> None:
    more = {"more": 1}
    others = dict.fromkeys(("attribution", "ledger", "evidence", "daemon"), more)
    full = replace(busy(), core={**busy().core, **more}, line={**busy().line, **more}, interfaces={"mirror0": more})
    found = series(full) | series(replace(quiet(), **others))
    own = {name for name in METRICS if not name.startswith("http_")}
    assert own == {name for name, _ in found if not name.startswith("process_")}


def test_ten_thousand_enterprises_stay_under_500_series() -> None:
    found = series(busy(10_000))
    assert set(found) == set(series(busy(1)))
    crowded = replace(
        busy(10_000),
        dialects=tuple(f"dialect-{number}" for number in range(BOUNDS["dialect"] + 100)),
        verifying=("dialect-1", "dialect-2"),
        findings_reached={},
    )
    assert len(found) < len(series(crowded)) <= 500


def test_every_shipped_dialect_has_a_series_of_its_own() -> None:
    found = series(quiet())
    names = {dict(labels)["dialect"] for name, labels in found if name == "findings_total"}
    assert names == set(quiet().dialects)


def test_only_what_can_be_recomputed_stands_at_zero_as_verified() -> None:
    found = series(quiet())
    assert value(found, "findings_total", dialect="stratum-v1", grade="verified") == 0
    assert ("findings_total", frozenset({("dialect", "kaspa"), ("grade", "verified")})) not in found
    assert value(found, "findings_total", dialect="kaspa", grade="accepted") == 0


def test_a_label_past_its_bound_counts_as_other() -> None:
    names = [f"algorithm-{number}" for number in range(BOUNDS["algorithm"] + 5)]
    each = {name: Range(1.0, 1.0, 1.0) for name in names}
    found = series(replace(quiet(), hashrate_hps=each, power_watts=each))
    assert value(found, "estimated_power_watts", algorithm="other") == 5
    assert (
        "estimated_hashrate_hashes_per_second",
        frozenset({("algorithm", "other")}),
    ) not in found  # algorithms are never added


def test_a_series_keeps_its_meaning_when_others_come_before_it() -> None:
    many = {f"z{number}": Range(best=1.0) for number in range(BOUNDS["algorithm"])}
    statuses = iter([replace(quiet(), power_watts=many), replace(quiet(), power_watts={"a": Range(best=2.0), **many})])
    collector = StatusCollector(lambda: next(statuses))
    first, second = series(quiet(), collector), series(quiet(), collector)
    watts = {key: number for key, number in first.items() if key[0] == "estimated_power_watts"}
    assert watts.items() <= second.items()
    assert value(second, "estimated_power_watts", algorithm="other") == 2


def test_the_process_is_shown_where_the_sandbox_hides_the_boot_time() -> None:
    whole = {family.name: family for family in ProcessMetrics(registry=None).collect()}
    assert whole["process_resident_memory_bytes"].samples[0].value > 0


@pytest.mark.parametrize(
    "text", ["9469", "localhost", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:x", "::1:9469", "", "127.0.0.1:²"]
)
def test_a_place_that_is_none_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="must be address:port"):
        Config(listen=text)
