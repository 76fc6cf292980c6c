"""`make bench-daemon`: the whole daemon on a busy cable. How long from packet to alert, how scrapes do, and what a
hundred reloads cost.

In a namespace of its own, over BENCH_DAEMON_PPS packets a second of background (100000): for BENCH_DAEMON_S seconds
(60) new miners, a webhook that notes when each is told, and scrapes; then 100 reloads, of which every third is
broken, while the event file is rotated.
"""

from __future__ import annotations

import http.server
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

import yaml

from tests.bench.captures import MIXED, make
from tests.bench.live import FOLDER, MIRROR, SENDER, cable
from tests.dialects import frames

SECONDS, RATE = int(os.environ.get("BENCH_DAEMON_S", "60")), int(os.environ.get("BENCH_DAEMON_PPS", "100000"))
RELOADS = 100
#: After the last packet: what is on its way arrives.
AFTER_S = 5
VECTORS = Path(__file__).parents[1] / "dialects" / "vectors.yaml"
LOGIN = "bc1q42muwdd8qnsmvkl0zvqlrp8jv2txksr5kxnccr.rack07-13"
WEBHOOK, METRICS = 18_080, 18_081


def main() -> None:
    """Make the namespace, and measure inside."""
    missing = [name for name in ("ip", "tcpreplay") if not shutil.which(name)]
    if os.geteuid() != 0 or missing:
        sys.exit(
            f"bench-daemon: SKIPPED: needs root and {', '.join(missing) or 'network namespaces'} (make debian-packages)"
        )
    capture = make(MIXED, FOLDER)
    with cable() as words:
        subprocess.run([*words, sys.executable, "-m", "tests.bench.daemon", "inside", str(capture)], check=True)


class Told(http.server.BaseHTTPRequestHandler):
    """The webhook: when each login was told first."""

    at_s: dict[str, float] = {}  # noqa: RUF012 (one for all requests)

    def do_POST(self) -> None:
        now_s = time.time()
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        for login in re.findall(r"rack07-\d+", body):
            self.at_s.setdefault(login, now_s)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing is said."""


def inside(capture: Path) -> None:
    """Everything at once, for the given time; then the figures."""
    folder = Path(tempfile.mkdtemp(prefix="minewatch-bench-"))
    (folder / "secret").write_text("a secret of thirty-two characters")
    (folder / "minewatch.yaml").write_text(yaml.safe_dump(config()))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", WEBHOOK), Told)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with (folder / "log").open("wb") as log:
        sensor = subprocess.Popen(
            [sys.executable, "-m", "sensor.cli", "run", "-c", str(folder / "minewatch.yaml")], stderr=log
        )
    while "reload" not in scrape()[0]:
        time.sleep(0.2)
    background = subprocess.Popen(
        ["tcpreplay", "-q", "-K", "--loop=0", f"--pps={RATE}", "-i", SENDER, str(capture)],
        stdout=subprocess.PIPE,
        text=True,
    )
    sent_s, scrapes = mining()
    broken = reloading(folder, sensor)
    background.send_signal(signal.SIGINT)
    told = background.communicate()[0]
    time.sleep(AFTER_S)
    report(folder, sent_s, scrapes, broken, int(re.findall(r"Successful packets: +(\d+)", told)[0]))
    sensor.send_signal(signal.SIGTERM)
    sensor.wait(20)
    shutil.rmtree(folder)


def config() -> dict[str, Any]:
    return {
        "capture": {"interfaces": [{"name": MIRROR}]},
        "findings": {"update_s": 10},
        "ledger": {"url": "sqlite:///ledger.db"},
        "exporters": {
            "eve": {"path": "eve.json"},
            "webhook": {"url": f"http://127.0.0.1:{WEBHOOK}/", "secret_file": "secret"},
            "prometheus": {"listen": f"127.0.0.1:{METRICS}"},
        },
    }


def mining() -> tuple[dict[str, float], list[float]]:
    """New miners and scrapes while the background runs: when each miner was sent, and seconds of each scrape."""
    conversation = next(one for one in yaml.safe_load(VECTORS.read_text()) if one["name"] == "btc-1")
    into = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    into.bind((SENDER, 0))
    sent_s: dict[str, float] = {}
    scrapes: list[float] = []
    began = time.time()
    while time.time() - began < SECONDS:
        login = f"rack07-{10_000 + len(sent_s)}"
        frames.MINER = (f"198.51.100.{1 + len(sent_s) % 250}", 20_000 + len(sent_s) % 40_000)
        text = conversation["said"].replace(LOGIN, LOGIN.replace("rack07-13", login))
        said = [("CS".index(line[0]), line[2:].encode() + b"\n") for line in text.splitlines()]
        sent_s[login] = time.time()
        for frame in frames._frames(said, frames.Way()):
            into.send(frame)
        scrapes.append(scrape()[1])
        time.sleep(0.1)
    into.close()
    return sent_s, scrapes


def reloading(folder: Path, sensor: subprocess.Popen[bytes]) -> int:
    """A hundred reloads one after the other, every third with a broken file, and the event file rotated; how many
    were broken.
    """
    good = (folder / "minewatch.yaml").read_text()
    for number in range(1, RELOADS + 1):
        broken = number % 3 == 0
        (folder / "minewatch.yaml").write_text(good.replace("update_s: 10", "update_s: soon") if broken else good)
        if number % 10 == 0 and (folder / "eve.json").exists():
            (folder / "eve.json").rename(folder / f"eve.json.{number}")
        sensor.send_signal(signal.SIGHUP)
        last = time.monotonic() + 30
        while value(scrape()[0], 'reloads_total{kind="config"') < number + 1 and time.monotonic() < last:
            time.sleep(0.05)
    (folder / "minewatch.yaml").write_text(good)
    return RELOADS // 3


def scrape() -> tuple[str, float]:
    began = time.perf_counter()
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{METRICS}/metrics", timeout=5) as answer:
            return answer.read().decode(), time.perf_counter() - began
    except OSError:
        return "", time.perf_counter() - began


def report(folder: Path, sent_s: dict[str, float], scrapes: list[float], broken: int, packets: int) -> None:
    text = scrape()[0]
    waits = [Told.at_s[login] - at_s for login, at_s in sent_s.items() if login in Told.at_s]
    lines = sum(len(path.read_text().splitlines()) for path in folder.glob("eve.json*"))
    delivered = value(text, 'deliveries_total{exporter="eve",result="delivered"}')
    log = (folder / "log").read_text()
    print(json.dumps({
        "background packets": packets,
        "kernel drops": value(text, "kernel_dropped_packets_total"),
        "events dropped": value(text, "events_dropped_total"),
        "miners sent, told": [len(sent_s), len(waits)],
        "packet to alert s": spread(waits),
        "scrape s": spread(scrapes),
        "series": sum(1 for line in text.splitlines() if line.startswith("minewatch_")),
        "reloads taken up": value(text, 'reloads_total{kind="config",result="success"}') - 1,
        "reloads refused": value(text, 'reloads_total{kind="config",result="refused"}'),
        "broken ones given": broken,
        "refused with file and line": len(re.findall(r"reload refused: .*minewatch\.yaml:\d+: findings", log)),
        "lines written, events delivered": [lines, delivered],
        "lag s": value(text, "capture_lag_seconds"),
    }, indent=1))  # fmt: skip


def value(text: str, name: str) -> float:
    """The sum of a metric's series that begin so."""
    return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(f"minewatch_{name}"))


def spread(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    return {
        "p50": round(statistics.median(ordered), 3),
        "p99": round(ordered[int(0.99 * len(ordered))], 3),
        "most": round(ordered[-1], 3),
    }


if __name__ == "__main__":
    inside(Path(sys.argv[2])) if sys.argv[1:2] == ["inside"] else main()
