"""The real captures against their ground truth, flow by flow: dialect, sides, login, agent and every share; and
silence in the others.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from exporters.forms.event import dumps, encode
from sensor.intake import engine
from sensor.line.pipeline import Pipeline
from sensor.model.finding import Finding
from sensor.model.flow import FlowSummary
from sensor.model.node import Node
from sensor.model.quantities import Shares
from sensor.signatures import load

CAPTURES = Path(__file__).parents[3] / "shared" / "captures"
pytestmark = [pytest.mark.shared, pytest.mark.skipif(not CAPTURES.is_dir(), reason="the real captures are not here")]

SIGNATURES = load()
SCHEMA = jsonschema.Draft202012Validator(
    json.loads((Path(__file__).parents[2] / "exporters" / "forms" / "eve.schema.json").read_text())
)
TRUTH: list[dict[str, Any]] = json.loads((CAPTURES / "ground_truth.json").read_text()) if CAPTURES.is_dir() else []
DIALECTS = {
    "getblocktemplate": "getblocktemplate",
    "getwork": "getwork",
    "stratum v1": "stratum-v1",
    "eth-proxy": "ethproxy",
    "cryptonote": "cryptonote",
    "zcash": "equihash",
}
NODES = {
    "Bitcoin": "bitcoin-p2p",
    "Monero": "monero-levin",
    "Ethereum devp2p": "devp2p-rlpx",
    "Ethereum discv4": "devp2p-discv4",
}


def records(path: Path, name: engine.Name) -> list[Finding | Node]:
    try:
        loaded = engine.load(name)
    except engine.EngineError as error:
        pytest.skip(str(error))
    core = loaded.core_of(SIGNATURES, {"workers": 1, "flows": 65_536})
    pipeline = Pipeline(SIGNATURES)
    loaded.attach(core, str(path))
    core.finish()
    while not core.finished:
        pipeline.step(core.poll(1024, 100))
    core.close()
    return pipeline.finish()


def told(dialect: str, words: dict[str, str]) -> str | None:
    return next((name for start, name in words.items() if dialect.startswith(start)), None)


@pytest.mark.parametrize("name", ["reference", "compiled"])
@pytest.mark.parametrize("capture", TRUTH, ids=[Path(one["file"]).name for one in TRUTH])
def test_every_flow_is_what_it_is(capture: dict[str, Any], name: engine.Name) -> None:
    found = records(CAPTURES / capture["file"], name)
    for record in found:
        SCHEMA.validate(json.loads(dumps(encode(record))))
    flows: dict[tuple[str, str], list[FlowSummary]] = {}
    for finding in found:
        for flow in finding.flows if isinstance(finding, Finding) else ():
            key = flow.key
            flows.setdefault((f"{key.src_ip}:{key.src_port}", f"{key.dest_ip}:{key.dest_port}"), []).append(flow)
    nodes = {
        frozenset([f"{n.key.src_ip}:{n.key.src_port}", f"{n.key.dest_ip}:{n.key.dest_port}"]): n
        for n in found
        if isinstance(n, Node)
    }
    for truth in capture["flows"]:
        if truth["gray"]:
            continue
        ends = (truth["client"], truth["server"])
        if told(truth["dialect"], NODES):
            if truth["payload_identifiable"]:
                assert nodes.pop(frozenset(ends)).protocol == told(truth["dialect"], NODES)
        elif told(truth["dialect"], DIALECTS):
            _compare(flows.pop(ends, []), truth)
    assert not nodes
    assert not flows


def _compare(flows: list[FlowSummary], truth: dict[str, Any]) -> None:
    logins = truth.get("all_logins") or [truth.get("login")]
    assert {flow.login for flow in flows} == set(logins), truth
    total = Shares()
    for flow in flows:
        assert flow.dialect == told(truth["dialect"], DIALECTS), truth
        assert flow.agent == truth.get("agent"), truth
        total.add(flow.shares)
    counts = (total.submitted, total.accepted, total.rejected)
    assert counts == (truth["shares_submitted"], truth["shares_accepted"], truth["shares_rejected"]), truth


def test_the_work_of_the_real_shares_is_that_of_their_targets() -> None:
    def work(file: str) -> list[tuple[Any, Any]]:
        return [
            (f.hashes_per_share, f.work_hashes)
            for f in records(CAPTURES / "mining" / file, "reference")
            if isinstance(f, Finding)
        ]

    assert work("peafowl__ethereum.pcap") == [
        (pytest.approx(4e9), pytest.approx(36e9)),
        (pytest.approx(4e9), pytest.approx(4e9)),
    ]
    assert work("nicehash__dwarf_s.pcapng") == [(pytest.approx(2e9), pytest.approx(2e9))]
    assert work("nesfit__xmr.suprnova.cc.pcapng") == [(10_000, 50_000)]
    assert work("nesfit__zec-eu.suprnova.cc.pcapng") == [
        (pytest.approx(3956.36, abs=0.01), pytest.approx(29178.18, abs=0.01))
    ]


@pytest.mark.parametrize("name", ["reference", "compiled"])
def test_nothing_in_the_other_captures_is_mining(name: engine.Name) -> None:
    seen: list[str] = []
    for path in sorted((CAPTURES / "benign").iterdir()):
        try:
            seen.extend(f"{path.name}: {one}" for one in records(path, name))
        except engine.SourceError:
            continue
    assert seen == []
