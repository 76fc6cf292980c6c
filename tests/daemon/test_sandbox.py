"""The running daemon cannot do what it does not need: tried inside of it, by each kind of its threads."""

from __future__ import annotations

import json
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from sensor.cli.status import ask
from sensor.daemon.configuration import Configuration
from sensor.daemon.sandbox import enter
from tests.core.conftest import compiled_is_there
from tests.daemon.probe import ATTEMPTS, OUTSIDE, RESULT
from tests.daemon.sensor import Sensor, reading, running
from tests.daemon.test_live_daemon import listening
from tests.delivery.receivers import free_port

#: What older kernels cannot deny: the ABI of Landlock that can.
SINCE = {"another port": 4, "signal its parent": 6}
CAP_NET_RAW = 1 << 13


def abi_of(sensor: Sensor) -> int:
    """The Landlock in force; skips where there is none."""
    parts = str(status(sensor)["sandbox"]).split(", ")
    if parts[0].split()[0] != "Landlock" or parts[1:] != ["seccomp"]:
        pytest.skip(f"this kernel has no Landlock, or no seccomp: {parts}")
    return int(parts[0].split()[1])


def status(sensor: Sensor) -> dict[str, Any]:
    return ask(sensor.folder / "sensor-of-a-test.sock")


def threads(sensor: Sensor) -> list[dict[str, str]]:
    """What the kernel tells of each thread."""
    texts = [(task / "status").read_text() for task in Path(f"/proc/{sensor.process.pid}/task").iterdir()]
    return [dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line) for text in texts]


def serving(folder: Path, port: int, **more: Any) -> dict[str, Any]:
    if not compiled_is_there():
        pytest.skip("the compiled core is not built")
    exporters = {"eve": {"path": "eve.json"}, "prometheus": {"listen": f"127.0.0.1:{port}"}}
    return reading(folder, exporters=exporters, **more)


def test_what_a_daemon_does_not_need_is_denied_to_every_thread_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, other, port = tmp_path / "own", tmp_path / "other", free_port()
    own.mkdir()
    other.mkdir()
    (other / "file").write_text("of somebody else")
    monkeypatch.setattr("tests.daemon.sensor.WORDS", [sys.executable, "-m", "tests.daemon.probe"])
    with running(own, serving(own, port), **{OUTSIDE: str(other / "file")}) as sensor:
        sensor.ready()
        abi = abi_of(sensor)
        urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10).read()
        sensor.until(lambda: (own / RESULT).exists() and len(json.loads((own / RESULT).read_text())) == 3, 60)
        found = json.loads((own / RESULT).read_text())
        expected = {name: "PermissionError" for name in ATTEMPTS if SINCE.get(name, 0) <= abi}
        for thread in ("line", "metrics", "delivery"):
            assert {name: found[thread][name] for name in expected} == expected, thread
        assert sensor.end()[0] == 0
    assert (other / "file").read_text() == "of somebody else"
    assert not (other / "made").exists()


@pytest.mark.usefixtures("net")
def test_every_thread_is_filtered_and_none_has_a_capability_it_does_not_need(tmp_path: Path) -> None:
    with running(tmp_path, listening("compiled")) as sensor:
        sensor.ready()
        abi_of(sensor)
        for thread in threads(sensor):
            assert (thread["NoNewPrivs"], thread["Seccomp"]) == ("1", "2"), thread["Name"]
            assert int(thread["CapEff"], 16) | int(thread["CapPrm"], 16) == CAP_NET_RAW, thread["Name"]
            assert int(thread["CapBnd"], 16) & ~CAP_NET_RAW == 0, thread["Name"]
        assert "before it are not bound" not in sensor.said


def test_a_reload_that_needs_more_names_the_key_and_asks_for_a_restart(tmp_path: Path) -> None:
    own, other = tmp_path / "own", tmp_path / "other"
    own.mkdir()
    other.mkdir()
    (other / "more.yaml").write_text("{}")
    (other / "book.csv").write_text("ip,name\n")
    config = serving(own, free_port())
    with running(own, config) as sensor:
        sensor.ready()
        abi = abi_of(sensor)
        sensor.write({**config, "signatures": {"files": [str(other / "more.yaml")]}})
        sensor.reload()
        assert "signatures.files.0: " in sensor.said
        assert f"{other}/more.yaml: the sandbox does not let it be read; it takes effect only after" in sensor.said
        sources = [{"kind": "inventory", "path": str(other / "*.csv")}]
        sensor.write({**config, "attribution": {"sources": sources}})
        sensor.reload()
        assert f"attribution.sources.0.path: {other}: the sandbox does not let it be read" in sensor.said
        sensor.write({**config, "exporters": {**config["exporters"], "eve": {"path": str(other / "eve.json")}}})
        sensor.reload()
        assert f"exporters.eve.path: {other}/eve.json: the sandbox does not let it be written" in sensor.said
        if abi >= 4:
            alertmanager = {"url": "http://127.0.0.1:8099/"}
            sensor.write({**config, "exporters": {**config["exporters"], "alertmanager": alertmanager}})
            sensor.reload()
            assert "exporters.alertmanager.url: the sandbox does not let port 8099 be connected to" in sensor.said
        assert sensor.said.count("reload refused") == (4 if abi >= 4 else 3)
        sensor.write(config)
        sensor.reload()
        assert "reloaded: all" in sensor.said


def test_a_reload_takes_up_what_stands_in_the_folders_of_the_start(tmp_path: Path) -> None:
    """A book and a signature that were not there, and a configuration replaced by another file of its name."""
    (tmp_path / "book.csv").write_text("ip,name\n192.0.2.1,One\n")
    config = serving(tmp_path, free_port())
    with running(tmp_path, config) as sensor:
        sensor.ready()
        abi_of(sensor)
        book = {"kind": "inventory", "path": "book.csv"}
        new = tmp_path / "minewatch.yaml.new"
        new.write_text(json.dumps({**config, "attribution": {"sources": [book]}}))
        new.replace(sensor.file)
        (tmp_path / "eve.json").rename(tmp_path / "eve.json.1") if (tmp_path / "eve.json").exists() else None
        sensor.reload()
        assert "reloaded: all" in sensor.said, sensor.said
        assert status(sensor)["books"]["books"] == 1


def test_it_can_be_turned_off_and_says_so(tmp_path: Path) -> None:
    config = serving(tmp_path, free_port(), sandbox=False)
    with running(tmp_path, config) as sensor:
        sensor.ready()
        assert status(sensor)["sandbox"] == "off"
        assert "sandbox: off" in sensor.said
        own = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines())
        assert {thread["Seccomp"] for thread in threads(sensor)} == {own["Seccomp"]}


def test_without_the_compiled_core_it_says_that_there_is_none() -> None:
    said: list[str] = []

    class Said:
        info = warning = staticmethod(said.append)

    sandbox = enter(Configuration(), None, None, [], Said())
    assert said == ["sandbox: none: it needs the compiled core, which is not built"]
    assert sandbox.state == "none: no compiled core"
    assert sandbox.mistakes(Configuration(), lambda _key: "x") == []
