"""Some of many simulated sensors in one process: each with the receiver, the inbox, the folder and the check of a real
one (`load_setup` over a configuration of its own), and a consumer of its own. What became of parcels is reported by the
real exporter. No packets are read.

python -m tests.kafka.fleet FOLDER FIRST COUNT BROKER KEY TOPIC REPORTS
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

from exporters.kinds.kafka import Config, Sender
from sensor.daemon.policy_start import FirstSetup, first_setup
from sensor.daemon.setup import ConfigurationSource, SetupError, load_setup
from sensor.ledger.reports import policies_report
from sensor.ledger.write.parts import Reporter
from sensor.model.policy import PolicyState
from sensor.model.trouble import NOBODY
from sensor.model.wire import QueuedReport, dumps, numbered
from sensor.policy.receiver import PolicyReceiver

#: How often each sensor is looked at, as a daemon does it.
LOOK_S = 0.2


class SimulatedSensor:
    """One sensor."""

    def __init__(self, folder: Path, number: int, broker: str, key: str, topic: str) -> None:
        self.sensor_id = f"edge-{number}"
        its = folder / self.sensor_id
        its.mkdir(exist_ok=True)
        path = its / "minewatch.yaml"
        path.write_text(
            f"sensor_id: {self.sensor_id}\nledger: {{url: 'sqlite:///ledger.db'}}\n"
            f"policy: {{brokers: ['{broker}'], transport: tcp, topic: {topic}, keys: ['{key}']}}\n"
        )
        first: FirstSetup = first_setup(ConfigurationSource(path))
        assert first.inbox is not None
        assert first.setup.config.policy is not None
        self.setup, self.source, self.inbox = first.setup, first.source, first.inbox
        self.receiver = PolicyReceiver(first.setup.config.policy, self.inbox, NOBODY)
        self.reported: list[PolicyState] | None = None
        self.number = 0

    def look(self) -> None:
        """Try an offer, as the daemon's reload does."""
        offer = self.receiver.offer
        if offer is None:
            return
        source = replace(self.source, layers=(self.inbox.layer(offer),))
        try:
            self.setup = load_setup(source, self.setup, same_signatures=True)
            self.source = source
            self.receiver.decide(offer, [])
        except SetupError as error:
            self.receiver.decide(offer, error.problems)

    def report(self) -> QueuedReport | None:
        """What has changed since the last one."""
        states = [replace(state, at_ns=0) for state in self.receiver.states]
        if states == self.reported:
            return None
        self.reported, self.number = states, self.number + 1
        now_ns = time.time_ns()
        key, report = policies_report(Reporter(self.sensor_id, "run"), self.receiver.states, now_ns)
        return QueuedReport(self.number, now_ns, key, numbered(dumps(report), self.number))


def main(folder: str, first: str, count: str, broker: str, key: str, topic: str, reports: str) -> None:
    """Run until killed. Says in a line how each sensor began."""
    sensors = [
        SimulatedSensor(Path(folder), number, broker, key, topic)
        for number in range(int(first), int(first) + int(count))
    ]
    begun = sorted({state.version for sensor in sensors for state in sensor.inbox.states if state.state == "in_use"})
    print(f"begun {len(sensors)} with {begun}", flush=True)
    for sensor in sensors:
        sensor.receiver.start()
    sender = Sender(Config(brokers=[broker], transport="tcp", topic=reports, timeout_s=5.0))
    waiting: list[QueuedReport] = []
    while True:
        for sensor in sensors:
            sensor.look()
            report = sensor.report()
            if report is not None:
                waiting.append(report)
        if waiting:
            try:
                sender.send_reports(waiting)
                waiting = []
            except OSError:  # sent again
                pass
        time.sleep(LOOK_S)


if __name__ == "__main__":
    main(*sys.argv[1:])
