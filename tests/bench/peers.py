"""The programs that `make bench` runs: minewatch, what others use for the same, and the physical limit.

What is not installed is installed where that can be done (as root, by Debian's packages; nfstream into an environment
of its own), and left out with a word where it cannot.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.bench.measure import Tool

TOOLS = Path("build/tools")
FLOOR_SOURCE = Path(__file__).parents[3] / "shared" / "bench" / "floor.c"
FLOOR = "floor gate"
NFSTREAM = "nfstream==6.6.0"
#: Reads a capture and counts; with the library's recognition of protocols, as one who looks for mining would.
NFSTREAM_SCRIPT = """
import sys
from nfstream import NFStreamer
packets = mining = 0
for flow in NFStreamer(source=sys.argv[1], statistical_analysis=False, n_meters=1):
    packets += flow.bidirectional_packets
    mining += "Mining" in flow.application_name or "Mining" in flow.application_category_name
print("nfstream packets", packets)
print("nfstream mining flows", mining)
"""


def minewatch(workers: int) -> Tool:
    """minewatch itself, with all it does."""
    words = (sys.executable, "-m", "sensor.cli", "replay", "{}", "--eve", "{eve}", "-j", str(workers))
    return Tool("minewatch" if workers == 1 else f"minewatch -j {workers}", words, exact=True)


def peers(folder: Path) -> list[Tool]:
    """The other programs, as far as they are here; `folder` is where the floor is built."""
    install("libndpi-bin", "tcpdump", "softflowd")
    found = floors(folder)
    if shutil.which("tcpdump"):
        found.append(Tool("tcpdump -w", ("tcpdump", "-Z", "root", "-r", "{}", "-w", "/dev/null")))
    if shutil.which("ndpiReader"):
        found.append(Tool("ndpiReader", ("ndpiReader", "-i", "{}"), slow=True))
    if shutil.which("softflowd"):
        # Its records go to the port for nothing of this machine; the table has to hold all flows.
        words = ("softflowd", "-d", "-r", "{}", "-n", "127.0.0.1:9", "-m", "4000000")
        found.append(Tool("softflowd", (*words, "-p", "{folder}/pid", "-c", "{folder}/control"), slow=True))
    python = _nfstream()
    if python is not None:
        found.append(Tool("nfstream", (str(python), "-c", NFSTREAM_SCRIPT, "{}"), slow=True))
    return found


def floors(folder: Path) -> list[Tool]:
    """The physical limit in C: the headers of records alone, and a flow table with a look at the first payloads."""
    program = folder / "floor"
    if not FLOOR_SOURCE.exists() or not shutil.which("gcc"):
        print("bench: without the floor (its source or gcc is not here)", file=sys.stderr)
        return []
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["gcc", "-O3", "-march=native", "-w", "-o", str(program), str(FLOOR_SOURCE)], check=True)
    return [Tool(f"floor {mode}", (str(program), mode, "{}")) for mode in ("walkread", "gate")]


def _nfstream() -> Path | None:
    """The interpreter that has nfstream."""
    python = TOOLS / "nfstream" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(TOOLS / "nfstream")], check=True)
    probe = [str(python), "-c", "import nfstream"]
    if subprocess.run(probe, capture_output=True, check=False).returncode == 0:
        return python
    install = [str(python), "-m", "pip", "--disable-pip-version-check", "-q", "install", NFSTREAM]
    subprocess.run(install, capture_output=True, check=False)
    if subprocess.run(probe, capture_output=True, check=False).returncode == 0:
        return python
    print(f"bench: without nfstream ({NFSTREAM} cannot be installed here)", file=sys.stderr)
    return None


def install(*packages: str) -> None:
    """Install Debian packages as root, where that is possible; otherwise say what is missing."""
    if _missing(packages) and shutil.which("apt-get") and os.geteuid() == 0:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        words = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *_missing(packages)]
        for command in (["apt-get", "update", "-qq"], words):
            subprocess.run(command, check=False, env=environment, capture_output=True)
    if _missing(packages):
        print(f"bench: not installed, and cannot be here: {' '.join(_missing(packages))}", file=sys.stderr)


def _missing(packages: Sequence[str]) -> list[str]:
    """Those of these packages that are not installed."""
    return [name for name in packages if not shutil.which({"libndpi-bin": "ndpiReader"}.get(name, name))]
