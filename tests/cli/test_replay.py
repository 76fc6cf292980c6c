"""`minewatch replay` as a user runs it: what is found, where it is written, and that the way in does not change what
comes out.
"""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import re
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import metadata
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
import lz4.frame
import pytest
import zstandard

from sensor.model.version import VERSION
from tests.cli.conftest import ROOT, Run
from tests.demo.miners import BTC, ETC, RVN, XMR, Counts

Demo = tuple[Path, dict[str, Counts]]


def events(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in data.splitlines()]


def nameless(data: bytes) -> list[dict[str, Any]]:
    """Event lines without the name of their source."""

    def drop(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: drop(item) for key, item in value.items() if key != "pcap_filename"}
        return [drop(item) for item in value] if isinstance(value, list) else value

    return [drop(event) for event in events(data)]


def as_pcapng(pcap: bytes) -> bytes:
    """The same packets as a pcapng file of one section and one interface (microseconds)."""

    def block(kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)

    blocks = [
        block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)),
        block(1, struct.pack("<HHI", 1, 0, 262_144)),
    ]
    at = 24
    while at < len(pcap):
        seconds, micros, captured, original = struct.unpack_from("<IIII", pcap, at)
        time = seconds * 1_000_000 + micros
        head = struct.pack("<IIIII", 0, time >> 32, time & 0xFFFFFFFF, captured, original)
        blocks.append(block(6, head + pcap[at + 16 : at + 16 + captured]))
        at += 16 + captured
    return b"".join(blocks)


def test_the_demo_has_exactly_the_miners_and_shares_that_were_played(run: Run, demo: Demo) -> None:
    path, truth = demo
    done = run("replay", path, "--eve", "-")
    assert done.returncode == 0, done.stderr
    found = events(done.stdout)
    flows = {
        flow["login"]: flow["shares"]
        for event in found
        if event["event_type"] == "mining"
        for flow in event["mining"]["flows"]
    }
    assert {login: (s["submitted"], s["accepted"], s["rejected"]) for login, s in flows.items()} == {
        k: tuple(v) for k, v in truth.items()
    }
    mining = [event for event in found if event["event_type"] == "mining"]
    assert {event["src_ip"] for event in mining} == {f"198.51.100.{last}" for last in (23, 77, 130, 142, 171)}
    assert [event["mining"]["login"] for event in mining if event["mining"]["grade"] == "verified"] == ["museum.stick"]
    (proxied,) = [event["mining"] for event in mining if event["mining"]["proxy"]]
    assert (proxied["proxy"], proxied["pool"]["host"], proxied["coin"]) == (
        "203.0.113.9:1080",
        "pool.example.test:5555",
        "RVN",
    )
    assert [event["event_type"] for event in found].count("node") == 1


def test_two_replays_are_byte_identical_and_so_are_one_and_two_workers(run: Run, demo: Demo) -> None:
    first = run("replay", demo[0], "--eve", "-").stdout
    assert first
    assert run("replay", demo[0], "--eve", "-").stdout == first
    assert run("replay", demo[0], "--eve", "-", "-j", "2").stdout == first


def test_the_letters_of_suricata_mean_the_same(run: Run, demo: Demo, tmp_path: Path) -> None:
    first = run("replay", demo[0], "--eve", "-").stdout
    done = run("-r", demo[0], "-l", tmp_path)
    assert done.returncode == 0
    assert (tmp_path / "eve.json").read_bytes() == first


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("d.pcap.gz", gzip.compress),
        ("d.bin", lambda data: gzip.compress(data[:50_000]) + gzip.compress(data[50_000:])),
        ("d.pcap.zst", zstandard.compress),
        ("d.cap", lambda data: zstandard.compress(data[:70_000]) + zstandard.compress(data[70_000:])),
        ("d.pcap.xz", lzma.compress),
        ("d.pcap.bz2", bz2.compress),
        ("d.pcap.lz4", lz4.frame.compress),
        ("d.dat", lambda data: bz2.compress(data[:70_000]) + bz2.compress(data[70_000:])),
        ("d.pcapng", as_pcapng),
    ],
)
def test_the_container_does_not_matter(
    run: Run, demo: Demo, tmp_path: Path, name: str, pack: Callable[[bytes], bytes]
) -> None:
    plain = nameless(run("replay", demo[0], "--eve", "-").stdout)
    (tmp_path / name).write_bytes(pack(demo[0].read_bytes()))
    done = run("replay", name, "--eve", "-")
    assert done.returncode == 0, done.stderr
    assert nameless(done.stdout) == plain


def test_standard_input_gives_the_same(run: Run, demo: Demo) -> None:
    plain = nameless(run("replay", demo[0], "--eve", "-").stdout)
    assert nameless(run("replay", "-", "--eve", "-", stdin=demo[0].read_bytes()).stdout) == plain
    for pack in (gzip.compress, lzma.compress, bz2.compress, lz4.frame.compress):
        assert nameless(run("replay", "-", "--eve", "-", stdin=pack(demo[0].read_bytes())).stdout) == plain


def test_directories_are_read_in_order_and_only_their_captures(run: Run, demo: Demo, tmp_path: Path) -> None:
    data = demo[0].read_bytes()
    folder = tmp_path / "in" / "deeper"
    folder.mkdir(parents=True)
    (tmp_path / "in" / "notes.txt").write_text("no capture")
    (tmp_path / "in" / "a.pcap").write_bytes(data)
    (folder / "b.pcap.gz").write_bytes(gzip.compress(data))
    (folder / "c.pcap.XZ").write_bytes(lzma.compress(data))
    (folder / "d.pcap.bz2").write_bytes(bz2.compress(data))
    (folder / "e.cap.lz4").write_bytes(lz4.frame.compress(data))
    (folder / "e.lz4").write_bytes(lz4.frame.compress(data))
    done = run("replay", "in", "--eve", "-", "-v")
    assert done.returncode == 0, done.stderr
    assert len([event for event in events(done.stdout) if event["event_type"] == "mining"]) == len(
        [event for event in nameless(run("replay", demo[0], "--eve", "-").stdout) if event["event_type"] == "mining"]
    )


def test_a_file_named_twice_is_read_once(run: Run, demo: Demo) -> None:
    assert run("replay", demo[0], demo[0], "--eve", "-").stdout == run("replay", demo[0], "--eve", "-").stdout


def test_a_capture_cut_into_files_counts_no_share_twice_and_loses_none(run: Run, demo: Demo, tmp_path: Path) -> None:
    data, at, cuts = demo[0].read_bytes(), 24, [24]
    while at < len(data):
        at += 16 + int.from_bytes(data[at + 8 : at + 12], "little")
        if at - cuts[-1] > 300_000 or at == len(data):
            cuts.append(at)
    for number, (start, end) in enumerate(pairwise(cuts)):
        (tmp_path / f"part{number}.pcap").write_bytes(data[:24] + data[start:end])
    whole = [
        event["mining"]["shares"] for event in events(run("replay", demo[0], "--eve", "-").stdout) if "mining" in event
    ]
    parts = [
        event["mining"]["shares"]
        for event in events(run("replay", "part*.pcap", "--eve", "-").stdout)
        if "mining" in event
    ]
    assert parts == whole


def test_with_events_on_standard_output_nothing_else_goes_there(run: Run, demo: Demo) -> None:
    done = run("replay", demo[0], "none.pcap", "--eve", "-")
    assert done.returncode == 1
    assert all(line.startswith(b"{") for line in done.stdout.splitlines())


def test_quiet_prints_nothing(run: Run, demo: Demo) -> None:
    done = run("replay", demo[0], "--quiet", "--eve", "out.json", MINEWATCH_ENGINE="reference")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.parametrize("columns", [80, 120, 200])
def test_the_table_fits_its_width_and_cuts_no_address(run: Run, demo: Demo, columns: int) -> None:
    text = run("replay", demo[0], COLUMNS=str(columns)).stdout.decode()
    assert max(map(len, text.splitlines())) <= columns
    for wanted in (
        "198.51.100.23",
        "203.0.113.40:3333",
        "198.51.100.77",
        "203.0.113.88:10128",
        "198.51.100.130",
        "192.0.2.61:1010",
    ):
        assert wanted in text
    assert "\x1b" not in text
    assert "engine" in text.splitlines()[-1]


def test_no_mining_is_said_and_is_no_error(run: Run, tmp_path: Path, demo: Demo) -> None:
    (tmp_path / "quiet.pcap").write_bytes(demo[0].read_bytes()[:24])
    done = run("replay", "quiet.pcap")
    assert (done.returncode, done.stdout.decode().splitlines()[0]) == (0, "No mining found.")


def test_a_reader_that_goes_away_is_no_traceback(demo: Demo) -> None:
    line = f"{sys.executable} -m sensor.cli replay {demo[0]} --eve - | head -c 1"
    done = subprocess.run(
        ["bash", "-c", line], capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=60, check=False
    )
    assert b"Traceback" not in done.stderr
    assert b"BrokenPipe" not in done.stderr


@pytest.mark.parametrize("engine", ["auto", "reference"])
def test_an_interrupt_ends_at_once_even_when_the_input_is_silent(demo: Demo, engine: str, tmp_path: Path) -> None:
    line = [sys.executable, "-m", "sensor.cli", "replay", "-", "--engine", engine, "--eve", str(tmp_path / "out.json")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MINEWATCH_ENGINE": ""}
    with subprocess.Popen(
        line,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        # a job in the background of a shell starts with interrupts ignored, and its children inherit that
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as child:
        assert child.stdin
        assert child.stderr
        child.stdin.write(demo[0].read_bytes()[:40_000])
        child.stdin.flush()
        time.sleep(1.5)
        child.send_signal(signal.SIGINT)
        assert child.wait(timeout=10) == 130
        assert b"Traceback" not in child.stderr.read()


def test_version_names_the_engine(run: Run) -> None:
    assert b"engine reference" in run("version", MINEWATCH_ENGINE="reference").stdout
    assert run("-V").stdout == run("version").stdout


def test_check_of_the_defaults_and_the_dump(run: Run) -> None:
    done = run("check", "--configuration-only", MINEWATCH_ENGINE="reference")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"ok       configuration      built-in configuration, ")
    assert b"\nok, as user " in done.stdout
    assert b"limits:" in run("--dump-config").stdout


def test_signatures_are_listed_and_proved(run: Run) -> None:
    listed = run("signatures", "list")
    assert listed.returncode == 0
    for dialect in (b"stratum-v1", b"cryptonote", b"ethproxy", b"ethereum-stratum", b"equihash"):
        assert dialect in listed.stdout
    assert run("signatures", "test").returncode == 0


def test_the_command_and_the_package_have_one_version() -> None:
    assert metadata.version("minewatch") == VERSION


def test_redacted_events_tell_no_rack_and_no_whole_wallet(run: Run, demo: Demo) -> None:
    schema = json.loads((ROOT / "exporters" / "forms" / "eve.schema.json").read_text())
    plain = run("replay", demo[0], "--eve", "-").stdout
    hidden = run("replay", demo[0], "--eve", "-", "--set", "output.redact=true").stdout
    assert len(plain.splitlines()) == len(hidden.splitlines())
    for secret in ("rack01-01", "rack02-02", BTC, XMR, ETC, RVN):
        assert secret.encode() in plain
        assert secret.encode() not in hidden
    for event in events(hidden):
        jsonschema.validate(event, schema)
    proxied = next(event for event in events(hidden) if event["src_ip"] == "198.51.100.142")
    assert (proxied["mining"]["proxy"], proxied["mining"]["pool"]["host"]) == (
        "203.0.113.9:1080",
        "pool.example.test:5555",
    )
    assert [event.get("mining", {}).get("shares") for event in events(hidden)] == [
        event.get("mining", {}).get("shares") for event in events(plain)
    ]


def written(run: Run, tmp_path: Path, path: Path, *words: str) -> tuple[str, str]:
    """The page and the bundle of one replay."""
    run("replay", path, "--report", "page.html", "--stix", "bundle.json", "--quiet", *words)
    return (tmp_path / "page.html").read_text(), (tmp_path / "bundle.json").read_text()


def test_page_and_bundle_are_the_same_at_every_replay_and_tell_the_same_shares(
    run: Run, demo: Demo, tmp_path: Path
) -> None:
    path, truth = demo
    page, bundle = written(run, tmp_path, path)
    assert written(run, tmp_path, path) == written(run, tmp_path, path, "-j", "2") == (page, bundle)
    told = re.findall(r'<h4>Shares</h4>\n<p class="value">([0-9]+) sent</p>', page)
    assert sorted(map(int, told)) == sorted(counts.submitted for counts in truth.values())
    assert page.startswith("<!DOCTYPE html>")
    assert page.endswith("</html>\n")


def test_a_redacted_page_and_bundle_tell_no_rack_and_no_whole_wallet(run: Run, demo: Demo, tmp_path: Path) -> None:
    for open_text, text in zip(
        written(run, tmp_path, demo[0]), written(run, tmp_path, demo[0], "--set", "output.redact=true"), strict=True
    ):
        assert "rack01" in open_text
        assert "rack01" not in text
        assert "bc1q42muwdd8qnsmvkl0zvqlrp8jv2txksr5kxnccr" not in text


def test_a_page_on_standard_output_is_alone_there(run: Run, demo: Demo) -> None:
    done = run("replay", demo[0], "--report", "-")
    assert done.stdout.startswith(b"<!DOCTYPE html>")
    assert done.stdout.endswith(b"</html>\n")


def test_a_table_of_parquet_has_the_same_events(run: Run, demo: Demo, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    for name in ("a", "b"):
        done = run(
            "replay",
            demo[0],
            "-q",
            "--eve",
            f"{name}.json",
            "--parquet",
            f"{name}.parquet",
            "--set",
            "output.stats=true",
        )
        assert done.returncode == 0, done.stderr
    rows = parquet.read_table(tmp_path / "a.parquet").to_pylist()
    assert [row["event"] for row in rows] == (tmp_path / "a.json").read_text().splitlines()
    assert sum(row["event_type"] == "mining" for row in rows) == 8
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_a_table_of_parquet_that_cannot_be_written_is_said(run: Run, demo: Demo) -> None:
    pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    for target, code, sentence in (
        ("-", 2, "minewatch: --parquet -: it needs a file, for it is no text\n"),
        ("none/x", 1, "minewatch: --parquet none/x: cannot be written: no such file or directory\n"),
        ("/dev/full", 1, "minewatch: --parquet /dev/full: cannot be written: no space left on device\n"),
    ):
        done = run("replay", demo[0], "-q", "--parquet", target)
        assert (done.returncode, done.stderr.decode()) == (code, sentence)


def test_without_its_library_a_table_of_parquet_is_refused_before_anything_is_read(
    run: Run, demo: Demo, tmp_path: Path
) -> None:
    (tmp_path / "pyarrow.py").write_text("raise ImportError('not here')")
    done = run("replay", demo[0], "--parquet", "x", "--eve", "y", PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}")
    wanted = b"minewatch: --parquet x: pyarrow is not installed: pip install 'minewatch[parquet]'\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", wanted)
    assert not (tmp_path / "y").exists()
