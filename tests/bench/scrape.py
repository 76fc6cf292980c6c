"""How long a scrape takes: the whole way over a socket, with a full status, alone and beside a thread that keeps Python
busy.

    python -m tests.bench.scrape [--scrapes 500]

Prints the median, the 99th percentile and the slowest in milliseconds, and what one scrape weighs. To pass: p99 at
most 200 ms.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from urllib.request import urlopen

from exporters.kinds.prometheus import Config
from sensor.daemon.metrics_server import MetricsServer
from tests.exporters.statuses import busy

LIMIT_MS = 200.0


def scrape(url: str, count: int) -> tuple[list[float], bytes]:
    """Milliseconds of each scrape in order of length, and the last one's text."""
    taken, text = [], b""
    for _ in range(count):
        start = time.perf_counter()
        with urlopen(url) as answer:
            text = answer.read()
        taken.append((time.perf_counter() - start) * 1e3)
    return sorted(taken), text


def compute(stop: threading.Event) -> None:
    """What the line does to a scrape at the worst: Python without a pause."""
    while not stop.is_set():
        sum(number * number for number in range(10_000))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scrapes", type=int, default=500)
    arguments = parser.parse_args()
    status = busy(10_000)
    server = MetricsServer(Config(listen="127.0.0.1:0"), lambda: status)
    server.start()
    passed = True
    for name in ("alone", "beside a busy line"):
        stop = threading.Event()
        if name != "alone":
            threading.Thread(target=compute, args=(stop,), daemon=True).start()
        taken, text = scrape(f"http://127.0.0.1:{server.port}/metrics", arguments.scrapes)
        stop.set()
        series = sum(not line.startswith(b"#") for line in text.splitlines())
        p99 = taken[int(len(taken) * 0.99)]
        passed &= p99 <= LIMIT_MS
        shown = f"p50 {taken[len(taken) // 2]:.1f} ms, p99 {p99:.1f} ms, slowest {taken[-1]:.1f} ms"
        print(f"{name}: {shown}; {series} series, {len(text):,} bytes")
    server.close()
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
