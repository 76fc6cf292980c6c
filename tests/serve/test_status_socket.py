"""The local socket of a sensor's status: what it says is what the metrics say, who may open it may read it, and no
socket of another process is taken.
"""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from exporters.forms.status import encode
from exporters.forms.status_screen import screen
from sensor.cli.status import ask
from sensor.model.time import SECOND_NS
from sensor.serve.access import ServeError
from sensor.serve.status_socket import MAX_PATH_BYTES, StatusSocket, default_path, folders
from tests.exporters.statuses import busy, quiet

ROOT = Path(__file__).parents[2]


def test_what_is_asked_for_is_what_the_status_says(tmp_path: Path) -> None:
    status = busy()
    document = encode(status, status.start_ns + 90 * SECOND_NS)
    served = StatusSocket(tmp_path / "one.sock", lambda: document)
    served.start()
    try:
        assert ask(tmp_path / "one.sock") == json.loads(json.dumps(document))
        assert stat.S_IMODE((tmp_path / "one.sock").stat().st_mode) == 0o660
    finally:
        served.close()
    assert not (tmp_path / "one.sock").exists()


def test_a_socket_of_a_process_that_is_gone_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "one.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    served = StatusSocket(path, dict)
    served.start()
    try:
        assert ask(path) == {}
    finally:
        served.close()


def test_a_socket_that_is_served_is_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "one.sock"
    first = StatusSocket(path, lambda: {"first": True})
    first.start()
    try:
        with pytest.raises(ServeError, match="another process serves its own there"):
            StatusSocket(path, dict)
        assert ask(path) == {"first": True}
    finally:
        first.close()


def test_what_is_not_a_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "one.sock"
    path.write_text("an operator's file")
    with pytest.raises(ServeError, match="cannot be served there"):
        StatusSocket(path, dict)
    assert path.read_text() == "an operator's file"


def test_a_path_that_is_too_long_is_said(tmp_path: Path) -> None:
    with pytest.raises(ServeError, match="longer than"):
        StatusSocket(tmp_path / ("x" * MAX_PATH_BYTES), dict)


def test_the_default_is_the_folder_that_systemd_gives(tmp_path: Path) -> None:
    given = tmp_path / "run"
    assert default_path("here", tmp_path, {"RUNTIME_DIRECTORY": str(given)}) == given / "here.sock"
    assert given in folders(tmp_path, {"RUNTIME_DIRECTORY": str(given)})
    long = tmp_path / ("y" * MAX_PATH_BYTES)
    assert default_path("here", tmp_path, {"RUNTIME_DIRECTORY": str(long)}).parent != long


def test_the_screen_says_what_is_not_known(tmp_path: Path) -> None:  # noqa: ARG001
    unknown = replace(quiet(), watched_today_seconds=None)
    text = screen(encode(unknown, unknown.start_ns + SECOND_NS))
    assert "today: not known" in text
    assert "no packet yet" in text
    assert "none: no address has a holder" in text
    assert all(len(line) > 12 for line in text.splitlines())
    full = screen(encode(busy(), busy().start_ns + SECOND_NS))
    assert "algorithm-0 2 TH/s (1–3), 2 kW" in full


def asked(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "RUNTIME_DIRECTORY": str(folder)}
    command = [sys.executable, "-m", "sensor.cli", "status", *words]
    return subprocess.run(command, env=variables, text=True, capture_output=True, check=False, timeout=60)


def test_the_command_prints_a_screen_or_json_and_says_who_does_not_answer(tmp_path: Path) -> None:
    served = StatusSocket(tmp_path / "one.sock", lambda: encode(replace(quiet(), watched_today_seconds=None), 1))
    served.start()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "dead.sock"))
    try:
        done = asked(tmp_path)
        assert done.returncode == 0
        assert done.stdout.startswith("minewatch   0.1.0, compiled engine")
        assert f"{tmp_path}/dead.sock: no sensor answers there any more" in done.stderr
        answer = json.loads(asked(tmp_path, "--json", "--socket", str(tmp_path / "one.sock")).stdout)
        (status,) = answer["sensors"]
        assert status["capture"]["loss"] is None
        assert status["coverage"]["watched_seconds"] is None
    finally:
        served.close()
    nobody = asked(tmp_path, "--socket", str(tmp_path / "nobody.sock"))
    assert nobody.returncode == 1
    assert nobody.stderr == f"minewatch: {tmp_path}/nobody.sock: no such file or directory\n"
