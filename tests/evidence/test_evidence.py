"""Evidence files: readable by Wireshark, good for a replay, without secrets, within their bounds."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import time
from io import BytesIO
from pathlib import Path

import dpkt
import pytest

from sensor.dialects.excerpt import SECRET_KEYS
from sensor.evidence import EvidenceBounds, EvidenceFiles, EvidenceKeeper
from sensor.intake import engine
from sensor.line.examples import dialogue_events
from sensor.line.pipeline import Pipeline
from sensor.line.replay import replay
from sensor.model.events import Chunk, Close, Event, Open
from sensor.model.finding import Finding
from tests.exporters.test_lines import small_disk
from tests.session.dialogue import events, only, shipped

SESSION = """
C {"id":1,"method":"mining.subscribe","params":["cgminer/4.11.1"]}
S {"id":1,"result":[[["mining.notify","ae6812eb4cd7735a302a8a9dd95cf71f"]],"08000002",4],"error":null}
C {"id":2,"method":"mining.authorize","params":["wallet.rig","hunter2"]}
S {"id":2,"result":true,"error":null}
S {"id":null,"method":"mining.set_difficulty","params":[1024]}
S {"id":null,"method":"mining.notify","params":["bf","4d16b6f85af6e2198f44ae2a6de67f78487ae5611b77c6c0440b921e00000000","01","02",[],"20000002","1c2ac4af","504e86b9",true]}
C {"id":4,"method":"mining.submit","params":["wallet.rig","bf","00000001","504e86ed","b2957c02"]}
S {"id":4,"result":true,"error":null}
"""  # noqa: E501
LIMITS = {"workers": 1}


def written(folder: Path, stream: list[Event], finding: Finding, bounds: EvidenceBounds | None = None) -> EvidenceFiles:
    files = EvidenceFiles(folder, shipped(), bounds or EvidenceBounds())
    files.add(stream)
    files.keep([finding])
    return files


def packets(path: Path) -> list[tuple[float, bytes]]:
    return list(dpkt.pcapng.Reader(BytesIO(path.read_bytes())))


def replayed(path: Path) -> list[Finding]:
    return replay([str(path)], shipped(), engine.load("auto"), LIMITS).findings


def test_a_replay_of_the_evidence_gives_the_same_finding(tmp_path: Path) -> None:
    finding = only(SESSION)
    files = written(tmp_path, events(SESSION), finding)
    (again,) = replayed(files.path(finding.finding_id))
    assert (again.dialect, again.login, again.agent, again.grade) == (
        finding.dialect,
        finding.login,
        finding.agent,
        finding.grade,
    )
    assert again.shares == finding.shares
    assert again.flows[0].key.community_id == finding.flows[0].key.community_id
    assert again.finding_id == finding.finding_id
    assert b"hunter2" not in files.path(finding.finding_id).read_bytes()


def test_the_evidence_of_every_dialect_holds_no_secret_and_of_those_in_json_lines_can_be_replayed(
    tmp_path: Path,
) -> None:
    compared = 0
    for number, example in enumerate(
        example for header in shipped().headers for example in header.examples if not example.counter
    ):
        stream = list(dialogue_events(example.dialogue, flow=number, proto=example.proto))
        pipeline = Pipeline(shipped())
        pipeline.step(stream)
        for finding in (one for one in pipeline.finish() if isinstance(one, Finding)):
            files = written(tmp_path / str(number), stream, finding)
            path = files.path(finding.finding_id)
            if not path.exists():
                continue
            data = path.read_bytes()
            for name in SECRET_KEYS:
                assert f'"{name}":"x"'.encode() not in data
            if (
                finding.framing == "json-lines"
                and finding.transport == "tcp"
                and example.dialogue[0].data.startswith(b"{")
            ):
                assert finding.dialect in {one.dialect for one in replayed(path)}, example.name
                compared += 1
    assert compared > 30


def test_wireshark_reads_it_and_finds_every_checksum_right(tmp_path: Path) -> None:
    if shutil.which("tshark") is None:
        pytest.skip("tshark is not installed (make debian-packages)")
    for family in (4, 6):
        stream = events(SESSION)
        opened = stream[0]
        assert isinstance(opened, Open)
        if family == 6:
            network = b"\x20\x01\x0d\xb8" + b"\0" * 11
            stream[0] = opened._replace(orig_addr=network + b"\1", resp_addr=network + b"\2")
        pipeline = Pipeline(shipped())
        pipeline.step(stream)
        (finding,) = pipeline.finish()
        assert isinstance(finding, Finding)
        files = written(tmp_path / str(family), stream, finding)
        fields = [
            "-e",
            "tcp.checksum.status",
            "-e",
            "tcp.len",
            "-e",
            "tcp.analysis.lost_segment",
            "-e",
            "_ws.malformed",
        ]
        options = ["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-T", "fields"]
        shown = subprocess.run(
            ["tshark", "-r", str(files.path(finding.finding_id)), *options, *fields],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
        rows = [line.split("\t") for line in shown]
        assert len(rows) == 8
        assert {row[0] for row in rows} == {"1"}  # good
        assert sum(int(row[1]) for row in rows) == sum(len(one.data) for one in stream if isinstance(one, Chunk))
        assert {cell for row in rows for cell in row[2:]} == {""}


def test_payload_is_cut_where_it_is_asked_for_and_lengths_stay_true(tmp_path: Path) -> None:
    finding = only(SESSION)
    files = written(tmp_path, events(SESSION), finding, EvidenceBounds(payload_bytes=0))
    data = files.path(finding.finding_id).read_bytes()
    assert b"mining." not in data
    for _, frame in packets(files.path(finding.finding_id)):
        assert len(frame) == 54
        assert int.from_bytes(frame[16:18], "big") > 40  # the IP header tells the length that was


def test_a_secret_cut_by_a_chunk_is_blanked_all_the_same(tmp_path: Path) -> None:
    cut: list[Event] = []
    for event in events(SESSION):
        if isinstance(event, Chunk):
            cut += [
                event._replace(offset=event.offset + at, data=event.data[at : at + 5])
                for at in range(0, len(event.data), 5)
            ]
        else:
            cut.append(event)
    finding = only(SESSION)
    files = written(tmp_path, cut, finding)
    payload = b"".join(frame[54:] for _, frame in packets(files.path(finding.finding_id)))
    assert b"hunter2" not in payload
    assert b"*******" in payload


def test_flows_that_become_no_finding_are_forgotten_when_there_is_no_room() -> None:
    keeper = EvidenceKeeper(flow_bytes=1_000, memory_bytes=20_000)
    for number in range(200):
        keeper.add(_renumbered(events(SESSION), number))
    counters = keeper.counters
    assert counters["bytes_held"] <= 20_000
    assert counters["flows_forgotten"] > 150
    assert counters["flows_held"] + counters["flows_forgotten"] == 200


def test_a_flow_is_kept_to_its_bound_and_given_once() -> None:
    stream = events(SESSION)
    keeper = EvidenceKeeper(flow_bytes=100, memory_bytes=1_000_000)
    keeper.add(stream)
    finding = only(SESSION)
    (kept,) = keeper.take(finding)
    assert kept.size == 100
    assert keeper.take(finding) == []
    assert (keeper.counters["bytes_held"], keeper.counters["flows_taken"]) == (0, 1)


def test_a_long_flow_is_written_while_it_is_open() -> None:
    stream = [event for event in events(SESSION) if not isinstance(event, Close)]
    keeper = EvidenceKeeper(flow_bytes=10_000, memory_bytes=1_000_000)
    keeper.add(stream)
    finding = dataclasses.replace(only(SESSION), state="opened")
    assert keeper.take(dataclasses.replace(finding, last_ns=finding.first_ns)) == []
    assert len(keeper.take(dataclasses.replace(finding, last_ns=finding.first_ns + 120_000_000_000))) == 1


def test_several_connections_of_a_finding_share_its_file_within_its_bound(tmp_path: Path) -> None:
    files = EvidenceFiles(tmp_path, shipped(), EvidenceBounds(finding_bytes=8_000))
    finding = only(SESSION)
    for number in range(10):
        stream = _renumbered(events(SESSION), number)
        files.add(stream)
        pipeline = Pipeline(shipped())
        pipeline.step(stream)
        (one,) = pipeline.finish()
        assert isinstance(one, Finding)
        files.keep([dataclasses.replace(one, finding_id=finding.finding_id)])
    size = files.path(finding.finding_id).stat().st_size
    assert 4_000 < size <= 8_000
    assert files.counters["flows_written"] > 1
    assert files.counters["flows_written"] + files.counters["flows_over_bound"] == 10
    assert files.counters["file_bytes"] == size
    assert len(replayed(files.path(finding.finding_id))[0].flows) == files.counters["flows_written"]


def test_old_files_go_and_then_the_oldest_until_all_fit(tmp_path: Path) -> None:
    files = EvidenceFiles(tmp_path, shipped(), EvidenceBounds(keep_days=1, total_bytes=25_000))
    now = time.time()
    for age in range(5):
        path = files.path(f"finding{age}")
        path.write_bytes(b"x" * 10_000)
        os.utime(path, (now - age * 40_000, now - age * 40_000))
    files.prune(int(now * 1e9))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["finding0.pcapng", "finding1.pcapng"]
    assert (files.counters["files_deleted"], files.counters["file_bytes"]) == (3, 20_000)


def test_a_full_disk_costs_evidence_and_nothing_else(tmp_path: Path) -> None:
    with small_disk(tmp_path, 64) as folder:
        files = EvidenceFiles(folder, shipped())
        (folder / "ballast").write_bytes(b"x" * (60 * 1024))
        files.add(events(SESSION))
        finding = only(SESSION)
        files.keep([finding])
        assert files.counters["write_failures"] + files.counters["flows_written"] == 1
        (folder / "more").touch()
        for number in range(30):
            stream = _renumbered(events(SESSION), number)
            files.add(stream)
            pipeline = Pipeline(shipped())
            pipeline.step(stream)
            files.keep(
                [
                    dataclasses.replace(one, finding_id=f"f{number}")
                    for one in pipeline.finish()
                    if isinstance(one, Finding)
                ]
            )
        assert files.counters["write_failures"] > 0
        assert files.trouble is not None
        for path in folder.glob("*.pcapng"):
            assert not path.stat().st_size or packets(path)


def test_a_name_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    assert EvidenceFiles(tmp_path, shipped()).path("../../etc/passwd").parent == tmp_path


def _renumbered(stream: list[Event], number: int) -> list[Event]:
    """The same conversation as another flow."""
    found: list[Event] = []
    for event in stream:
        if isinstance(event, Open):
            found.append(event._replace(flow=number, orig_port=20_000 + number))
        elif isinstance(event, Chunk | Close):
            found.append(event._replace(flow=number))
        else:
            found.append(event)
    return found
