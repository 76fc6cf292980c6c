"""Lines in files are events: over rotation, a full disk and a crash. Sockets take whole lines too."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.destination import Refused, Unreachable
from exporters.kinds.eve import Config, Sender
from exporters.transports.lines import LineFile, LineSocket
from tests.ledger.made import finding


@contextlib.contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """A file system of its own that is soon full."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting a small file system needs root")
    command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "minewatch-test", str(folder)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("tmpfs cannot be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def numbers(*paths: Path) -> list[str]:
    return [json.loads(line)["mining"]["finding_id"] for path in paths for line in path.read_text().splitlines()]


def test_lines_written_are_events_over_many_rotations(tmp_path: Path) -> None:
    path = tmp_path / "eve.json"
    sender = Sender(Config(path=str(path)))
    for number in range(65):
        sender.send([finding(2 * number), finding(2 * number + 1)])
        if number % 7 == 3:
            path.rename(tmp_path / f"eve.json.{number:03}")
            if number % 2:
                sender.reopen()  # as after SIGHUP; without it the rename itself is noticed
    sender.close()
    assert numbers(*sorted(tmp_path.glob("eve.json.*")), path) == [f"finding-{number}" for number in range(130)]


def test_a_full_disk_leaves_no_half_line_and_is_over_when_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path, 256) as folder:
        ballast = folder / "ballast"
        ballast.write_bytes(b"x" * 220_000)
        sender = Sender(Config(path=str(folder / "eve.json")))
        batches = [[finding(10 * batch + one) for one in range(10)] for batch in range(6)]
        written = 0
        try:
            for batch in batches:
                sender.send(batch)
                written += 10
        except OSError as error:
            assert error.errno == errno.ENOSPC  # noqa: PT017 (how far it came counts as well)
        assert 0 < written < 60
        assert len(numbers(folder / "eve.json")) == written
        ballast.unlink()
        for batch in batches[written // 10 :]:
            sender.send(batch)
        assert numbers(folder / "eve.json") == [f"finding-{number}" for number in range(60)]
        sender.close()


@given(
    st.lists(st.binary(min_size=1, max_size=20).filter(lambda line: b"\n" not in line), max_size=5),
    st.binary(max_size=30),
)
def test_what_a_crash_left_of_a_line_is_cut_off(
    tmp_path_factory: pytest.TempPathFactory, whole: list[bytes], rest: bytes
) -> None:
    path = tmp_path_factory.mktemp("lines") / "eve.json"
    before = b"".join(line + b"\n" for line in whole)
    path.write_bytes(before + rest.replace(b"\n", b" "))
    lines = LineFile(str(path))
    lines.write([b"next"])
    lines.close()
    assert path.read_bytes() == before + b"next\n"


def test_a_file_is_not_for_everybody_and_a_wrong_place_is_an_error_of_the_world(tmp_path: Path) -> None:
    lines = LineFile(str(tmp_path / "eve.json"))
    lines.write([b"x"])
    lines.close()
    assert (tmp_path / "eve.json").stat().st_mode & 0o007 == 0
    with pytest.raises(OSError, match="No such file"):
        LineFile(str(tmp_path / "none" / "eve.json")).write([b"x"])
    with pytest.raises(IsADirectoryError):
        LineFile(str(tmp_path)).write([b"x"])


def test_standard_output_gets_lines_and_stays_open(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    lines = LineFile("-")
    lines.write([b"one", b"two"])
    lines.close()
    lines.write([b"three"])
    assert capfdbinary.readouterr().out == b"one\ntwo\nthree\n"


def test_a_stream_socket_gets_lines_also_after_its_reader_came_back(tmp_path: Path) -> None:
    path = str(tmp_path / "eve.sock")
    lines = LineSocket(path, stream=True, timeout_s=1)
    with pytest.raises(Unreachable, match=r"eve\.sock"):
        lines.write([b"x"])
    for _ in range(2):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
            server.bind(path)
            server.listen()
            with contextlib.suppress(Unreachable):
                lines.write([b"one", b"two"])
                reader, _ = server.accept()
                with reader:
                    assert reader.recv(100) == b"one\ntwo\n"
        Path(path).unlink()
        with contextlib.suppress(Unreachable):
            lines.write([b"gone"])
    lines.close()


def test_a_datagram_socket_gets_one_line_each_and_refuses_what_is_too_long(tmp_path: Path) -> None:
    path = str(tmp_path / "eve.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(path)
        sender = Sender(Config(path=path, filetype="unix_dgram"))
        sender.send([finding(1)])
        sender.send([finding(2)])
        assert [json.loads(server.recv(100_000))["mining"]["finding_id"] for _ in range(2)] == [
            "finding-1",
            "finding-2",
        ]
        lines = LineSocket(path, stream=False, timeout_s=1)
        with pytest.raises(Refused):
            lines.write([b"x" * 10_000_000])
        lines.close()
        sender.close()
