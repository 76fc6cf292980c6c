"""A finding in which nothing was spoken, in every form that leaves: what is not known is shown as such, and
each part of its evidence with its bits.
"""

from __future__ import annotations

import dataclasses
import io
import json
from typing import Any

import jsonschema
import pytest
import stix2
from rich.console import Console

from exporters.forms import alert, stix
from exporters.forms.event import dumps, encode
from exporters.forms.report.page import PageContent, write
from exporters.forms.syslog import SyslogFormat
from exporters.forms.table import Run, render
from exporters.kinds import webhook
from exporters.redaction.finding import redacted
from sensor.daemon.totals import FindingTotals
from sensor.model.evidence import Grade
from sensor.model.finding import Finding
from sensor.model.observation import KINDS
from sensor.model.quantities import Power
from sensor.model.record import event_id
from sensor.model.wire import dump_record, load_record
from tests.exporters.statuses import quiet
from tests.exporters.test_eve import SCHEMA, VALIDATOR
from tests.exporters.test_prometheus import series, value
from tests.line.hints import MINER, behaved, named, subject
from tests.line.test_unspoken import replayed
from tests.session.dialogue import events
from tests.session.test_pipeline import SHARE

(NAMED,) = replayed([], named())
(LOOKED_UP,) = replayed([], named(of=subject(None, None), grade=Grade.LOOKED_UP))
(CONTACTED,) = replayed([], named(of=subject(port=None), grade=Grade.CONTACTED))
(BEHAVED,) = replayed([], behaved())
(SPOKEN,) = replayed(events(SHARE), named(), behaved())
MERGED = dataclasses.replace(NAMED, merged_into=SPOKEN.finding_id)
ALL = [NAMED, LOOKED_UP, CONTACTED, BEHAVED, SPOKEN, MERGED]
SILENT = [finding for finding in ALL if finding.dialect is None]
ids = ["named", "looked-up", "contacted", "behaved", "spoken", "merged"]


def event(finding: Finding) -> Any:
    return json.loads(dumps(encode(finding)))


def table(findings: list[Finding], width: int) -> str:
    console = Console(file=io.StringIO(), width=width)
    render(console, findings, [], [], Run("compiled", 1, 1, 1, 1, 1, 1.0, 0.0))
    return str(console.file.getvalue())  # type: ignore[attr-defined]


def page(*findings: Finding) -> str:
    return "".join(write(PageContent(list(findings), [], [], ["a.pcap"], {}, {}, 0.0, "maker")))


@pytest.mark.parametrize("finding", ALL, ids=ids)
def test_the_event_is_valid_and_lists_every_part_with_its_bits(finding: Finding) -> None:
    VALIDATOR.validate(event(finding))
    parts = [(part["kind"], part["bits"]) for part in event(finding)["mining"]["observations"]]
    assert parts == [(part.kind, part.bits) for part in finding.observations]


def test_the_schema_has_every_kind() -> None:
    assert set(SCHEMA["$defs"]["observation"]["properties"]["kind"]["enum"]) == set(KINDS)


def test_the_event_has_null_or_nothing_for_what_is_not_known() -> None:
    whole = event(LOOKED_UP)
    assert (whole["src_ip"], whole["vlan"], whole["pcap_filename"]) == (MINER, [7], "example")
    assert not {"dest_ip", "dest_port", "src_port", "proto", "flow_id", "community_id"} & set(whole)
    assert (whole["alert"]["signature_id"], whole["alert"]["severity"]) == (None, 3)
    nulls = ("dialect", "framing", "transport", "login", "capture_loss", "midstream", "direction_basis", "work_unit")
    assert {name: whole["mining"][name] for name in nulls} == dict.fromkeys(nulls)
    assert event(NAMED)["dest_port"] == 3333


def test_merged_into_stands_in_the_last_event_alone() -> None:
    assert event(MERGED)["mining"]["merged_into"] == SPOKEN.finding_id
    assert all("merged_into" not in event(finding)["mining"] for finding in ALL if finding is not MERGED)
    with pytest.raises(jsonschema.ValidationError, match="was expected"):
        VALIDATOR.validate(event(dataclasses.replace(MERGED, state="opened")))


def test_a_spoken_finding_without_a_connection_is_refused_by_the_schema() -> None:
    wrong = event(SPOKEN)
    del wrong["dest_port"]
    assert not VALIDATOR.is_valid(wrong)


def test_what_was_learnt_makes_another_event() -> None:
    surer = replayed([], named(bits=5.0))[0]
    assert len({event_id(finding) for finding in (*ALL, surer)}) == len(ALL) + 1
    (alone,) = replayed(events(SHARE))
    assert event_id(SPOKEN) != event_id(alone)


@pytest.mark.parametrize("width", [60, 120, 220])
def test_the_table_shows_it_and_calls_it_no_mining(width: int) -> None:
    text = table(SILENT, width)
    assert "Nothing spoken: 5 findings" in text
    assert "Mining" not in text
    assert "None" not in text
    assert "dialect not" in text
    assert "Mining: 1 finding. Nothing spoken: 5 findings" in " ".join(table(ALL, 120).split())


def test_the_page_shows_it_and_a_name_alone_is_no_miner() -> None:
    text = page(*ALL)
    assert "4.1 bits" in text
    assert "6 bits, p = 0.003" in text
    assert "dialect not known" in text
    assert "pool&#39;s address not known" in text
    assert ">None<" not in text
    assert "No mining found" in page(NAMED, LOOKED_UP, CONTACTED)
    assert "1 address behaves like a miner" in page(BEHAVED)


@pytest.mark.parametrize("finding", SILENT, ids=[name for name in ids if name != "spoken"])
def test_alerts_messages_and_bundles_claim_nothing(finding: Finding) -> None:
    alert_event = alert.encode(finding, 0, {})
    assert alert_event["labels"]["dialect"] == "unknown"  # type: ignore[index]
    assert "was not heard to mine" in alert_event["annotations"]["summary"]  # type: ignore[index]
    message = SyslogFormat("daemon", "host", "32473", 65_536).encode(finding).decode()
    assert "dialect=" not in message
    assert webhook.encode(finding)
    text = stix.dumps(stix.encode([finding]))
    assert stix2.parse(text, allow_custom=False)
    assert not [text for text in (str(alert_event), message.partition("{")[0], text) if "None" in text]


def test_a_bundle_names_no_pool_whose_address_is_not_known() -> None:
    assert "indicator" not in stix.dumps(stix.encode([LOOKED_UP]))
    assert "network-traffic:dst_port" not in stix.dumps(stix.encode([CONTACTED]))


def test_names_are_redacted_wherever_they_stand() -> None:
    (found,) = replayed([], named("rack07-13.inside.example"))
    assert "rack07" in str(found)
    assert "rack07" not in str(redacted(found))


def test_it_is_the_same_after_the_wire() -> None:
    assert [load_record(dump_record(finding)) for finding in ALL] == ALL


def test_metrics_say_unknown_for_the_dialect() -> None:
    totals = FindingTotals()
    totals.add([dataclasses.replace(finding, state="opened") for finding in (NAMED, BEHAVED)], {})
    status = dataclasses.replace(quiet(), findings_reached=dict(totals.reached), findings_open=totals.open_by_grade)
    found = series(status)
    assert value(found, "findings_total", dialect="unknown", grade="named") == 1
    assert value(found, "findings_total", dialect="unknown", grade="behaves") == 1
    assert value(found, "findings_open", grade="named") == 1


def test_energy_that_moves_with_a_merge_is_counted_once() -> None:
    totals, joules = FindingTotals(), 3.6e6
    before = dataclasses.replace(SPOKEN, finding_id="a", state="opened", energy_kwh=Power(1.0, 2.0, 3.0, "device"))
    after = dataclasses.replace(before, finding_id="b", energy_kwh=Power(2.0, 3.0, 4.0, "device"))
    gone = dataclasses.replace(before, state="closed", energy_kwh=None, merged_into="b")
    totals.add([before], {})
    totals.add([after, gone], {})
    assert totals.energy_joules == 3.0 * joules
    assert sum(totals.open_by_grade.values()) == 1
