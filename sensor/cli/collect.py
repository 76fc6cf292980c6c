"""`minewatch collect`: from a topic of Kafka into the central ledger, until a signal ends it."""

from __future__ import annotations

import argparse
import contextlib
import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sensor.cli.frame import (
    CommandError,
    exit_on,
    flag_overrides,
    load_attribution,
    load_configuration,
    say,
    show_configuration,
)
from sensor.model.exit_codes import CONFIG, OK, RUN_ERROR
from sensor.model.text import printable
from sensor.model.time import DAY_NS

if TYPE_CHECKING:
    from sensor.collect.collector import Attribute, Collector
    from sensor.collect.group_delivery import GroupDelivery
    from sensor.collect.settings import CollectSettings
    from sensor.daemon.configuration import Configuration
    from sensor.ledger import Ledger

MISSING = "collect: there is no section collect in the configuration: it names the brokers"
REPORTS_AT_THE_CENTRE = (
    "exporters.kafka: sends what this process records of its own, and a collector records nothing of its own: it would "
    "be the sensors' reports once more; leave it out of the collectors' configuration"
)
NO_METRICS_HERE = "exporters.prometheus: is of sensors; a collector's metrics are at collect.listen"


def run(options: argparse.Namespace) -> int:
    """Collect until stopped. Raises CommandError."""
    settings = load_configuration(options, flag_overrides(options, "ledger"))
    if options.dump_config:
        return show_configuration(settings)
    if options.dead_letters is not None:
        return _list_letters(settings, options.dead_letters)
    if settings.collect is None:
        raise CommandError(CONFIG, MISSING)
    _refuse_exporters(settings)
    attribute = _attribute(settings)
    with (
        _collector(settings, settings.collect, attribute) as collector,
        _delivery(settings, settings.collect) as delivery,
        _metrics(settings.collect, collector, delivery),
    ):
        place = f"{settings.collect.versioned_topic} of {settings.collect.shown}"
        say(f"collect: {place}, group {settings.collect.group} (stop with SIGTERM or Ctrl-C)")
        with _signals(collector):
            collector.run()
    return OK


def _list_letters(settings: Configuration, most: int) -> int:
    """What was put aside, the newest first: the bodies may name persons, and stay in the ledger."""
    from sensor.ledger import Ledger, LedgerError
    from sensor.ledger.central import CentralLedger

    with exit_on(LedgerError, code=RUN_ERROR):
        ledger = Ledger.open_to_read(settings.ledger.url)
        try:
            letters = CentralLedger(ledger, 0).letters(most)
        finally:
            ledger.close()
    for letter in letters:
        place = letter.place
        where = f"{printable(place.topic, '·')} [{place.partition}] at {place.offset}"
        print(f"{where}: {printable(letter.reason, '·')} ({len(letter.body)} bytes stored)")
    if not letters:
        print("no message was put aside")
    return OK


@contextlib.contextmanager
def _collector(settings: Configuration, collect: CollectSettings, attribute: Attribute | None) -> Iterator[Collector]:
    from exporters.destination import Unusable
    from sensor.collect.collector import Collector
    from sensor.collect.source import TopicSource
    from sensor.daemon.journal import Journal
    from sensor.ledger.central import CentralLedger

    ledger = _opened(settings)
    try:
        central = CentralLedger(ledger, collect.dead_letters)
        try:
            source = TopicSource(collect, central.positions)
        except Unusable as error:
            raise CommandError(CONFIG, f"collect: {error}") from None
        yield Collector(
            ledger,
            central,
            source,
            attribute=attribute,
            letters_ns=collect.dead_letters_days * DAY_NS,
            speaker=Journal(settings.journal.level),
        )
    finally:
        ledger.close()


def _opened(settings: Configuration, name: str = "local") -> Ledger:
    from sensor.ledger import Ledger, LedgerError
    from sensor.ledger.replay import bounds_of

    with exit_on(LedgerError, code=RUN_ERROR):
        return Ledger.open(settings.ledger.url, bounds=bounds_of(settings.ledger), sensor_id=name)


def _refuse_exporters(settings: Configuration) -> None:
    """Raise CommandError for exporters that mean nothing here, or cannot be used."""
    if settings.exporters.get("kafka"):
        raise CommandError(CONFIG, REPORTS_AT_THE_CENTRE)
    if settings.exporters.get("prometheus"):
        say(NO_METRICS_HERE)


@contextlib.contextmanager
def _delivery(settings: Configuration, collect: CollectSettings) -> Iterator[GroupDelivery | None]:
    """The exporters of the configuration, run by one collector of the group at a time; None where there are none."""
    import time

    from sensor.collect.group_delivery import GroupDelivery, HostClock, delivery_name
    from sensor.daemon.journal import Journal
    from sensor.delivery.delivery import build_senders
    from sensor.intake.process import is_running, this_process

    destinations, problems = build_senders(settings.exporters, settings.output.name_persons)
    if problems:
        raise CommandError(CONFIG, *problems)
    if not destinations:
        yield None
        return
    ledger = _opened(settings, delivery_name(collect.group))
    delivery = GroupDelivery(
        ledger,
        this_process(),
        lambda: build_senders(settings.exporters, settings.output.name_persons),
        HostClock(time.monotonic_ns, time.time_ns, is_running),
        Journal(settings.journal.level),
    )
    delivery.start()
    try:
        yield delivery
    finally:
        delivery.stop()
        ledger.close()


def _attribute(settings: Configuration) -> Attribute | None:
    """By the books of this host, if it has any; else findings stay as their sensors attributed them."""
    attributor = load_attribution(settings, None)
    if attributor is None:
        return None
    return lambda finding: attributor.attribute(finding, live=True)


@contextlib.contextmanager
def _metrics(collect: CollectSettings, collector: Collector, delivery: GroupDelivery | None) -> Iterator[None]:
    if collect.listen is None:
        yield
        return
    from sensor.collect.metrics import CollectServer
    from sensor.serve.access import ServeError

    with exit_on(ServeError, code=RUN_ERROR):
        server = CollectServer(collect.listen, collector, delivery)
    server.start()
    try:
        yield
    finally:
        server.close()


@contextlib.contextmanager
def _signals(collector: Collector) -> Iterator[None]:
    """The handlers only set a mark; the batch at hand is written."""
    before = {number: signal.signal(number, lambda *_: collector.stop()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
