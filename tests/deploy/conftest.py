"""Programs of Debian that the tests of deploy/ run: a test skips, and says so, where one is missing."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from exporters.kinds.prometheus import Config
from sensor.daemon.metrics_server import MetricsServer
from sensor.model.status import Status

DEPLOY = Path(__file__).parents[2] / "deploy"
#: Debian's package for each program.
PACKAGES = {
    "promtool": "prometheus",
    "prometheus": "prometheus",
    "amtool": "prometheus-alertmanager",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "logrotate": "logrotate",
    "systemd-analyze": "systemd",
    "systemd-sysusers": "systemd",
    "systemd-tmpfiles": "systemd",
    "dpkg-deb": "dpkg",
    "lintian": "lintian",
    "unshare": "util-linux",
    "setpriv": "util-linux",
    "openssl": "openssl",
    "setcap": "libcap2-bin",
}
Run = Callable[..., subprocess.CompletedProcess[str]]
Spawn = Callable[..., None]


def program(name: str) -> str:
    """The path of a program; skips the test where there is none."""
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"{name} is not here: apt-get install {PACKAGES[name]}")
    return found


def run(name: str, *arguments: str | Path, text: str | None = None) -> subprocess.CompletedProcess[str]:
    """One program to its end, with its output and what it complained about as one text in `stdout`."""
    command = [program(name), *map(str, arguments)]
    return subprocess.run(
        command, input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=False
    )


def debian_python() -> str | None:
    """Debian's interpreter, if it is of the version that the package is made for: that of .venv."""
    ask = "import sys; print(*sys.version_info[:2])"
    if not Path("/usr/bin/python3").exists():
        return None
    said = subprocess.run(["/usr/bin/python3", "-c", ask], capture_output=True, text=True, check=True).stdout.split()
    return "/usr/bin/python3" if said == [str(part) for part in sys.version_info[:2]] else None


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        return int(bound.getsockname()[1])


def wait_for(what: Callable[[], bool], seconds: float = 60) -> bool:
    """Whether it comes true in time; a refused connection is a no."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if what():
                return True
        except OSError:
            pass
        time.sleep(0.2)
    return False


def metric_names(expression: str) -> set[str]:
    """The names of metrics in a query, labels and functions left out."""
    bare = re.sub(r'"[^"]*"', "", expression)
    bare = re.sub(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", "", bare)
    return set(re.findall(r"(?:[a-z]+:)?\b(?:minewatch|process)_[a-z0-9_]+(?::[a-z0-9_]+)?", bare))


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Debian package, made from the tree as it stands."""
    return built(tmp_path_factory.mktemp("package"))


def built(output: Path, *options: str) -> Path:
    """A package; skips where there is no compiled core."""
    program("dpkg-deb")
    command = [sys.executable, DEPLOY / "debian" / "build.py", "--output", output, *options]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if "compiled core is not here" in made.stderr:
        pytest.skip(made.stderr.strip())
    assert made.returncode == 0, made.stderr
    return Path(made.stdout.strip())


def machine_output(folder: Path, package: Path, script: str, files: Sequence[Path]) -> str:
    """What a script says on a machine of its own (`machine.sh`) with the package installed and systemd as process 1;
    skips where none can be made."""
    if os.geteuid() != 0 or not Path("/lib/systemd/systemd").exists() or debian_python() is None:
        pytest.skip("only root of a Debian host can make a machine with systemd in it")
    alone = ("--mount", "--pid", "--fork", "--cgroup", "--uts", "--ipc", "--net")
    machine = Path(__file__).parent / "machine.sh"
    command = [program("unshare"), *alone, "sh", machine, folder, package, script, *files]
    ran = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=200)
    if ran.returncode == 77 or "unshare failed" in ran.stdout or "systemd does not come up here" in ran.stdout:
        pytest.skip("a machine of its own cannot be made here")
    return ran.stdout


def answers_in(output: str) -> dict[str, str]:
    """Lines of the form `== NAME ANSWER`."""
    lines = [line[3:] for line in output.splitlines() if line.startswith("== ")]
    return dict(line.partition(" ")[::2] for line in lines)


@pytest.fixture
def spawn(tmp_path: Path) -> Iterator[Spawn]:
    """Starts programs that go on running, and ends exactly those."""
    running: list[subprocess.Popen[bytes]] = []

    def start(name: str, *arguments: str | Path) -> None:
        command = [program(name), *map(str, arguments)]
        with (tmp_path / f"{name}.log").open("wb") as log:
            running.append(subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=tmp_path))

    yield start
    for process in running:
        process.terminate()
    for process in running:
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[], Status]], MetricsServer]]:
    """Serves the metrics of a status on a free loopback port."""
    servers: list[MetricsServer] = []

    def start(source: Callable[[], Status]) -> MetricsServer:
        servers.append(MetricsServer(Config(listen="127.0.0.1:0"), source))
        servers[-1].start()
        return servers[-1]

    yield start
    for server in servers:
        server.close()
