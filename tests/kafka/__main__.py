"""`make kafka`: real brokers and real PostgreSQL, killed in turn; how fast collectors are; what a long outage costs.
Each part is a scenario that fails if anything is lost, doubled or out of order; the figures go to docs/collect.md and
docs/policy.md.

    python -m tests.kafka [killed] [speed] [away] [secured] [policy] [--quick] [--write]
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from exporters.kinds.kafka import Config, Sender
from sensor.delivery.delivery import Delivery, build_senders
from sensor.ledger import Ledger, LedgerBounds
from sensor.ledger.reports import record_reports
from sensor.ledger.write.parts import Reporter
from sensor.model.wire import QueuedReport, dumps, loads, numbered
from tests.collect.brokers import messages_of
from tests.kafka.broker import Broker, NoBrokerError, broker
from tests.kafka.centre import Centre, differences, ends_of, wait
from tests.kafka.page import write_figures
from tests.kafka.parcels import policy
from tests.kafka.secured import secured
from tests.kafka.sensor import BEGAN_NS
from tests.kafka.stream import steps
from tests.ledger.servers import postgres_server

Figures = dict[str, str]
#: Between two steps of a sensor: the streams are to last longer than all the killing.
PAUSE_S = "0.25"
#: How long the broker and PostgreSQL are away.
AWAY_S = 5.0


def killed(folder: Path, quick: bool) -> Figures:
    """Three sensors, two collectors; a collector, the broker and PostgreSQL are killed in turn."""
    miners, count = (20, 220) if quick else (40, 400)
    figures: Figures = {}
    with (
        broker() as brokers,
        postgres_server() as server,
        Centre(folder, server.url, brokers.place, "killed") as centre,
        sensor_processes(folder, brokers, miners, count) as sensors,
    ):
        create(server.url)
        centre.start()
        centre.start()
        centre.wait_for(miners)
        begun = time.monotonic()
        centre.processes[0].kill()
        time.sleep(1)  # in which something comes into each of its partitions
        ends = ends_of(brokers.place, "killed.v1")
        wait(lambda: all(centre.places()[number] >= end for number, end in ends.items()), "partitions stand")
        figures["a collector killed (kill -9), the other has its partitions after"] = (
            f"{time.monotonic() - begun:.1f} s"
        )
        centre.start()
        time.sleep(2)
        brokers.kill()
        time.sleep(AWAY_S)
        begun = time.monotonic()
        brokers.start()
        centre.resumed()
        figures[f"the broker killed for {AWAY_S:g} s, from its start on"] = f"{time.monotonic() - begun:.1f} s"
        time.sleep(2)
        server.kill()
        time.sleep(AWAY_S)
        begun = time.monotonic()
        server.start()
        centre.resumed()
        figures[f"PostgreSQL killed for {AWAY_S:g} s, from its start on"] = f"{time.monotonic() - begun:.1f} s"
        assert all(process.poll() is None for process in sensors), "the streams ended before the last one was killed"
        for process in sensors:
            assert process.wait(900) == 0
        end = sum(ends_of(brokers.place, "killed.v1").values())
        centre.wait_for(end)
        centre.stop()
        figures["reports in the topic"] = f"{end:,}"
        figures["sent again by sensors and left out"] = f"{end - 3 * (miners * count + 1):,}"
        together = f"sqlite:///{folder}/together.db"
        one_ledger(together, miners, count)
        found = differences(server.url, together)
        assert not found, found
        figures["beside one ledger that was told the same"] = "every row equal"
    return figures


@contextlib.contextmanager
def sensor_processes(folder: Path, brokers: Broker, miners: int, count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Three sensors, each of which sees half of the miners of the one before."""
    processes = [
        subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.kafka.sensor", str(folder), str(number), brokers.place, "killed"),
                *(str(number * miners // 2), str(miners), str(count), PAUSE_S),
            ],
            stdout=subprocess.DEVNULL,
        )
        for number in range(3)
    ]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


def speed(_: Path, quick: bool) -> Figures:
    """How many reports a second collectors take into PostgreSQL."""
    figures: Figures = {}
    sizes = {"updates": (2_000, 10), "new": (20_000, 1)} if quick else {"updates": (5_000, 40), "new": (50_000, 1)}
    with broker() as brokers, postgres_server() as server:
        for name, (miners, count) in sizes.items():
            total = produce(brokers, name, miners, count)
            for collectors in (1, 2):
                with tempfile.TemporaryDirectory() as scratch:
                    database = f"{name}{collectors}"
                    url = new_database(server.url, database)
                    create(url)
                    with Centre(Path(scratch), url, brokers.place, name, database) as centre:
                        begun = time.monotonic()
                        for _ in range(collectors):
                            centre.start()
                        centre.wait_for(total)
                        seconds = time.monotonic() - begun
                    what = f"{total:,} reports of {miners:,} findings, {collectors} collector(s), with their start"
                    figures[what] = f"{seconds:.0f} s: {total / seconds:,.0f} reports a second"
    return figures


def away(folder: Path, quick: bool) -> Figures:
    """200,000 reports are recorded while the broker is down; none is lost, and the order by key stays."""
    miners, count, seconds = (1_000, 20, 20.0) if quick else (5_000, 40, 300.0)
    figures: Figures = {}
    with broker() as brokers:
        ledger = Ledger.open(
            f"sqlite:///{folder}/away.db", sensor_id="edge-0", run_id="run-0", bounds=LedgerBounds(outbox_rows=1 << 20)
        )
        senders, problems = build_senders({"kafka": [Config(brokers=[brokers.place], transport="tcp", topic="away")]})
        assert not problems
        delivery = Delivery(ledger, senders)
        delivery.start()
        ledger.begin(BEGAN_NS)
        wait(lambda: not ledger.reports.backlog("kafka").depth, "the first report is not delivered")
        brokers.kill()
        begun = time.monotonic()
        for step, found in enumerate(steps(0, range(miners), count)):
            for start in range(0, len(found), 500):
                ledger.record(found[start : start + 500], BEGAN_NS + step)
        figures["recorded beside it"] = f"{miners * count:,} reports in {time.monotonic() - begun:.0f} s"
        time.sleep(max(0.0, seconds - (time.monotonic() - begun)))
        figures["broker down"] = f"{time.monotonic() - begun:.0f} s"
        assert ledger.reports.backlog("kafka").depth == miners * count
        brokers.start()
        begun = time.monotonic()
        wait(lambda: not ledger.reports.backlog("kafka").depth, "reports stay")
        figures["delivered after its start in"] = f"{time.monotonic() - begun:.0f} s"
        delivery.stop(5)
        ledger.close()
        newest: dict[str, int] = defaultdict(int)
        numbers: set[int] = set()
        for message in messages_of([brokers.place], "away.v1", sum(ends_of(brokers.place, "away.v1").values())):
            report = loads(message.value())
            key = message.key().decode()
            assert report.number > newest[key] or report.number in numbers, f"{key}: {report.number} is out of order"
            newest[key] = max(newest[key], report.number)
            numbers.add(report.number)
        assert numbers == set(range(1, miners * count + 2)), "reports are missing"
        figures["lost, out of order by key"] = "none"
    return figures


def produce(brokers: Broker, topic: str, miners: int, count: int) -> int:
    """Put the reports of a sensor into a topic; how many."""
    sender = Sender(Config(brokers=[brokers.place], transport="tcp", topic=topic, timeout_s=30.0))
    reporter = Reporter("edge-0", "run-0")
    number, page = 0, []
    for step, found in enumerate(steps(0, range(miners), count)):
        for key, report in record_reports(found, {}, reporter, BEGAN_NS + step):
            number += 1
            page.append(QueuedReport(number, BEGAN_NS, key, numbered(dumps(report), number)))
            if len(page) == 2_000:
                sender.send_reports(page)
                page = []
    if page:
        sender.send_reports(page)
    sender.close()
    return number


def one_ledger(url: str, miners: int, count: int) -> None:
    """Tell one ledger what all sensors told theirs."""
    for number in range(3):
        ledger = Ledger.open(url, sensor_id=f"edge-{number}", run_id=f"run-{number}")
        ledger.begin(BEGAN_NS)
        first = number * miners // 2
        for step, found in enumerate(steps(number, range(first, first + miners), count)):
            ledger.record(found, BEGAN_NS + step)
        ledger.close()


def create(url: str) -> None:
    """Make the tables, so that no time is of that."""
    Ledger.open(url).close()


def new_database(url: str, name: str) -> str:
    """A database beside another."""
    from sqlalchemy import create_engine, text

    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return url.replace("/postgres?", f"/{name}?")


SCENARIOS = {"killed": killed, "speed": speed, "away": away, "secured": secured, "policy": policy}


def main() -> int:
    """Run the scenarios; 1 if one of them failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.kafka")
    parser.add_argument("scenarios", nargs="*", choices=[*SCENARIOS, []])
    parser.add_argument("--quick", action="store_true", help="a tenth of it")
    parser.add_argument(
        "--write", action="store_true", help="write the figures into docs/collect.md and docs/policy.md"
    )
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is ended
    failed, found = False, {}
    for name in options.scenarios or SCENARIOS:
        with tempfile.TemporaryDirectory(prefix="minewatch-kafka-") as folder:
            before = os.getloadavg()[0]
            try:
                figures = SCENARIOS[name](Path(folder), options.quick)
            except NoBrokerError as error:
                print(f"NOT MEASURED: {name}: {error}", file=sys.stderr)
                return 1
            except AssertionError as error:
                print(f"FAILED: {name}: {error}", file=sys.stderr)
                failed = True
                continue
        found[name] = {**figures, "load of the machine before": f"{before:.1f}"}
        for what, figure in found[name].items():
            print(f"{name}: {what}: {figure}", flush=True)
    if options.write and found:
        write_figures(found)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
