"""`make bench-daemon`: the whole daemon on a busy cable. How long from packet to alert, how scrapes do, and what a hundred reloads cost.

In a namespace of its own: background traffic at BENCH_DAEMON_PPS packets a second (100000) for BENCH_DAEMON_S seconds (60), new miners all
the while, a webhook that notes when each is told, scrapes, 100 reloads of which every third is broken, and the event file rotated.
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
from tests.bench.live import FOLDER, MIRROR, SENDER, run
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
        sys.exit(f"bench-daemon: SKIPPED: needs root and {', '.join(missing) or 'network namespaces'} (make debian-packages)")
    capture = make(MIXED, FOLDER)
    name = f"minewatch-daemon-{os.getpid()}"
    run("ip", "netns", "add", name)
    inside = ["ip", "netns", "exec", name]
    try:
        run(*inside, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
        run(*inside, "ip", "link", "add", SENDER, "type", "veth", "peer", "name", MIRROR)
        for end in ("lo", SENDER, MIRROR):
            run(*inside, "ip", "link", "set", end, "up")
        subprocess.run([*inside, sys.executable, "-m", "tests.bench.daemon", "inside", str(capture)], check=True)
    finally:
        run("ip", "netns", "del", name)


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
        sensor = subprocess.Popen([sys.executable, "-m", "sensor.cli", "run", "-c", str(folder / "minewatch.yaml")], stderr=log)
    while "reload" not in scrape()[0]:
        time.sleep(0.2)
    background = subprocess.Popen(
        ["tcpreplay", "-q", "-K", "--loop=0", f"--duration={SECONDS}", f"--pps={RATE}", "-i", SENDER, str(capture)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    sent_s, scrapes, broken = during(folder, sensor)
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


def during(folder: Path, sensor: subprocess.Popen[bytes]) -> tuple[dict[str, float], list[float], int]:
    """New miners, reloads, rotations and scrapes while the background runs: when each miner was sent, seconds of scrapes, broken reloads."""
    conversation = next(one for one in yaml.safe_load(VECTORS.read_text()) if one["name"] == "btc-1")
    into = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    into.bind((SENDER, 0))
    good, sent_s, scrapes, broken = (folder / "minewatch.yaml").read_text(), {}, [], 0
    began, reloads = time.time(), 0
    while time.time() - began < SECONDS - 1:
        number = len(sent_s)
        login = f"rack07-{10_000 + number}"
        frames.MINER = (f"198.51.100.{1 + number % 250}", 20_000 + number % 40_000)
        said = [("CS".index(line[0]), line[2:].replace(LOGIN, LOGIN.replace("rack07-13", login)).encode() + b"\n")
                for line in conversation["said"].splitlines()]  # fmt: skip
        sent_s[login] = time.time()
        for frame in frames._frames(said, frames.Way()):
            into.send(frame)
        if time.time() - began > reloads * (SECONDS - 2) / RELOADS and reloads < RELOADS:
            reloads += 1
            broken += reloads % 3 == 0
            (folder / "minewatch.yaml").write_text(good + "\nfindings:\n  update_s: soon\n" if reloads % 3 == 0 else good)
            if reloads % 10 == 0 and (folder / "eve.json").exists():
                (folder / "eve.json").rename(folder / f"eve.json.{reloads}")
            sensor.send_signal(signal.SIGHUP)
        scrapes.append(scrape()[1])
        time.sleep(0.1)
    (folder / "minewatch.yaml").write_text(good)
    return sent_s, scrapes, broken


def scrape() -> tuple[str, float]:
    began = time.perf_counter()
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{METRICS}/metrics", timeout=5) as answer:
            return answer.read().decode(), time.perf_counter() - began
    except OSError:
        return "", time.perf_counter() - began


def report(folder: Path, sent_s: dict[str, float], scrapes: list[float], broken: int, packets: int) -> None:
    text = scrape()[0]

    def value(name: str) -> float:
        return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(f"minewatch_{name}"))

    waits = [Told.at_s[login] - at_s for login, at_s in sent_s.items() if login in Told.at_s]
    lines = sum(len(path.read_text().splitlines()) for path in folder.glob("eve.json*"))
    delivered = value('deliveries_total{exporter="eve",result="delivered"}')
    log = (folder / "log").read_text()
    print(json.dumps({
        "background packets": packets,
        "kernel drops": value("kernel_dropped_packets_total"),
        "events dropped": value("events_dropped_total"),
        "miners sent, told": [len(sent_s), len(waits)],
        "packet to alert s": {"p50": round(statistics.median(waits), 3), "p99": round(quantile(waits, 0.99), 3), "most": round(max(waits), 3)},
        "scrape s": {"p50": round(statistics.median(scrapes), 4), "p99": round(quantile(scrapes, 0.99), 4)},
        "series": sum(1 for line in text.splitlines() if line.startswith("minewatch_")),
        "reloads taken up": value('reloads_total{kind="config",result="success"}') - 1,
        "reloads refused": value('reloads_total{kind="config",result="refused"}'),
        "broken ones given": broken,
        "refused with file and line": len(re.findall(r"reload refused: .*minewatch\.yaml:\d+: findings", log)),
        "lines written, events delivered": [lines, delivered],
        "lag s": value("capture_lag_seconds"),
    }, indent=1))  # fmt: skip


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


if __name__ == "__main__":
    inside(Path(sys.argv[2])) if sys.argv[1:2] == ["inside"] else main()
