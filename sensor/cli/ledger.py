"""The words about the ledger: `ledger list`, `show`, `set`, `export`.

Arguments, sentences and exit codes; what they mean is the ledger's.
"""

from __future__ import annotations

import argparse
import dataclasses
import getpass
import sys
import time
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sensor.cases import states as cases
from sensor.cases.states import CaseError
from sensor.daemon import configuration
from sensor.ledger import Ledger, LedgerError
from sensor.ledger.replay import bounds_of
from sensor.ledger.store.database import exists
from sensor.model.exit_codes import CONFIG, OK, RUN_ERROR, USAGE
from sensor.model.summary import NS, Case
from sensor.settings.document import ConfigError

if TYPE_CHECKING:
    from sensor.daemon.configuration import Configuration
    from sensor.model.summary import Summary

DAY_NS, HOUR_NS = 86_400 * NS, 3_600 * NS
#: Without dates, what is shown is of so many days up to the newest entry.
DAYS = 7
#: The newest findings that are looked through for a bundle.
MOST_SHARED = 100_000


def say(sentence: str) -> None:
    """One sentence for the operator."""
    print(f"minewatch: {sentence}", file=sys.stderr)


def ledger_word(options: argparse.Namespace) -> int:
    """`minewatch ledger ACTION`."""
    overrides = [*options.overrides, *([f"ledger.url={options.ledger}"] if options.ledger else [])]
    try:
        chosen = configuration.load(options.config, overrides)
    except ConfigError as error:
        for problem in error.problems:
            say(problem)
        return CONFIG
    if options.dump_config:
        print(chosen.dump(), end="")
        return OK
    if not exists(chosen.ledger.url):
        say(f"there is no ledger at {chosen.ledger.url} (ledger.url, or --ledger)")
        return RUN_ERROR
    action = {"list": _list, "show": _show, "set": _set, "export": _export}[options.action]
    try:
        ledger = Ledger.open(chosen.ledger.url, bounds=bounds_of(chosen.ledger))
        try:
            return action(options, chosen, ledger)
        finally:
            ledger.close()
    except LedgerError as error:
        say(str(error))
        return RUN_ERROR
    except (CaseError, ValueError) as error:
        say(f"ledger {options.action}: {error}")
        return USAGE


def _list(options: argparse.Namespace, chosen: Configuration, ledger: Ledger) -> int:
    now_ns = time.time_ns()
    wanted = None if options.state is None else cases.parse_state(options.state)
    found = [
        one
        for one in ledger.reader.cases()
        if one.state == wanted or (wanted is None and (options.all or one.state in cases.OPEN))
    ]
    if options.overdue:
        found = [one for one in found if one.overdue(now_ns)]
    found.sort(key=lambda one: (not one.overdue(now_ns), one.due_ns or 1 << 62, one.case_id))
    zone = chosen.ledger.zone
    head = ("case", "state", "since", "due", "last seen", "whose")
    table = [
        (
            str(one.case_id),
            one.state,
            _day(one.since_ns, zone),
            _due(one, now_ns, zone),
            _time(one.last_ns, zone),
            _whose(one),
        )
        for one in found
    ]
    _print([head, *table] if table else [])
    late = sum(one.overdue(now_ns) for one in found)
    print(f"{len(found)} {'case' if len(found) == 1 else 'cases'}, {late} overdue")
    return OK


def _show(options: argparse.Namespace, chosen: Configuration, ledger: Ledger) -> int:
    if not options.what.isdigit():
        return _show_address(options.what, chosen, ledger)
    case = ledger.reader.case(int(options.what))
    if case is None:
        say(f"there is no case {options.what}")
        return RUN_ERROR
    zone = chosen.ledger.zone
    print(f"Case {case.case_id}: {case.state} ({cases.NAMES[case.state]}), {_whose(case)}")
    print(
        f"  mining seen {_time(case.first_ns, zone)} to {_time(case.last_ns, zone)}; due {_due(case, time.time_ns(), zone)}"
    )
    mining = ledger.reader.case_addresses(case)
    print(
        f"  {len(mining)} {'address' if len(mining) == 1 else 'addresses'}: {', '.join(mining[:20])}{' ...' if len(mining) > 20 else ''}"
    )
    _show_site(case, chosen, ledger)
    print("History")
    for change in case.changes:
        print(f"  {_time(change.at_ns, zone)}  {change.state}, {_printable(change.who)}: {_printable(change.why)}")
    print(f"  it can go to {', '.join(cases.FOLLOWS[case.state])}")
    return OK


def _show_site(case: Case, chosen: Configuration, ledger: Ledger) -> None:
    """What the case's last days of mining amount to."""
    end_ns = -(-case.last_ns // HOUR_NS) * HOUR_NS
    told = ledger.reader.summary(end_ns - DAYS * DAY_NS, end_ns)
    if case.site_id in told.sites:
        found = told.sites[case.site_id].site_class
        print(f"  {found.kind}, {found.confidence:.0%} sure: {'; '.join(found.reasons)}")
    lines = [line for line in told.lines if line.case_id == case.case_id]
    for algorithm in sorted({line.algorithm or "" for line in lines}):
        mine = [line for line in lines if (line.algorithm or "") == algorithm]
        kwh, rate = sum(line.energy_kwh.best for line in mine) / DAYS, sum(line.hashrate_hps.best for line in mine)
        machines = sum(line.machines for line in mine)
        print(
            f"  {algorithm or 'algorithm not known'}: at least {machines} machines, {rate:.3g} {mine[0].work_unit}/s, {kwh:.3g} kWh a day"
        )
    print(f"  (the {DAYS} days to {_time(end_ns, chosen.ledger.zone)})")


def _show_address(address: str, chosen: Configuration, ledger: Ledger) -> int:
    zone = chosen.ledger.zone
    entries = ledger.reader.findings(address)
    if not entries:
        say(f"{address}: no case has this number, and no finding this address")
        return RUN_ERROR
    print(f"{address}: {len(entries)} {'finding' if len(entries) == 1 else 'findings'}")
    for first, last, answer in ledger.reader.address_owners(address):
        name = answer.enterprise.name if answer.enterprise else answer.result
        print(f"  {_time(first, zone)} to {_time(last, zone)}: {_printable(name)}")
    for entry in entries[:40]:
        one = entry.finding
        what = ", ".join(text for text in (one.dialect, one.algorithm, one.coin) if text)
        print(
            f"  {_time(one.first_ns, zone)} to {_time(one.last_ns, zone)}  {one.miner_ip} at {one.pool_ip} port {one.pool_port}: "
            f"{_printable(what)}, {one.grade.label}, {one.shares.submitted} shares, {one.state}"
            + (f" (not told: {_printable(entry.suppressed)})" if entry.suppressed else "")
        )
    for case in ledger.reader.cases():
        if case.address == address:
            print(f"  case {case.case_id}: {case.state}")
    return OK


def _set(options: argparse.Namespace, _: Configuration, ledger: Ledger) -> int:
    wanted = cases.parse_state(options.state)
    if not options.why.strip():
        raise CaseError("--why must say something")
    who = (options.who or getpass.getuser()).strip()
    before = ledger.set_case(options.case, wanted, time.time_ns(), who=who, why=options.why.strip())
    print(f"case {options.case}: {before} -> {wanted}")
    if wanted == "false-alarm":
        case = ledger.reader.case(options.case)
        assert case is not None
        print(
            "From now on its findings are kept and not told. To have that in the configuration as well (findings.allow):\n"
        )
        print(allow_entry(case, ledger.reader.case_addresses(case), options.why.strip()), end="")
    return OK


def allow_entry(case: Case, addresses: list[str], why: str) -> str:
    """The entries of the allow-list that a false alarm becomes, as YAML."""
    import yaml

    reason = f"{why} (case {case.case_id})"
    if case.enterprise is not None:
        entries: list[dict[str, str]] = [{"enterprise": case.enterprise.uscc or case.enterprise.name, "reason": reason}]
    else:
        entries = [{"network": address, "reason": reason} for address in addresses]
    return yaml.safe_dump({"findings": {"allow": entries}}, allow_unicode=True, sort_keys=False)


def _export(options: argparse.Namespace, chosen: Configuration, ledger: Ledger) -> int:
    from exporters.forms import mining_list

    from_ns, to_ns = _period(options, chosen.ledger.zone, ledger)
    told: Summary = dataclasses.replace(
        ledger.reader.summary(from_ns, to_ns), cases=tuple(ledger.reader.cases())
    )  # as they stand now
    target = None if options.to in (None, "-") else Path(options.to)
    form = options.format or ("json" if target is not None and target.suffix.lower() == ".json" else "csv")
    if form == "stix":
        text = _bundle(ledger, from_ns, to_ns)
    else:
        text = (mining_list.as_json if form == "json" else mining_list.as_csv)(
            told, chosen.ledger.zone, options.persons
        )
    if target is None:
        sys.stdout.buffer.write(text.encode())
        sys.stdout.flush()
        return OK
    try:
        target.write_bytes(text.encode())
    except OSError as error:
        say(f"--to {target}: cannot be written: {(error.strerror or str(error)).lower()}")
        return RUN_ERROR
    print(
        f"{target}: {len(told.lines)} rows, {_time(from_ns, chosen.ledger.zone)} to {_time(to_ns, chosen.ledger.zone)}"
    )
    return OK


def _bundle(ledger: Ledger, from_ns: int, to_ns: int) -> str:
    """The findings of a period, those that are muted left out, as a STIX bundle."""
    from exporters.forms import stix

    return stix.dumps(stix.encode(ledger.reader.reported_findings(from_ns, to_ns, MOST_SHARED)))


def _period(options: argparse.Namespace, zone: tzinfo, ledger: Ledger) -> tuple[int, int]:
    """From and to, in nanoseconds."""
    newest = ledger.reader.newest_ns() or time.time_ns()
    to_ns = -(-newest // HOUR_NS) * HOUR_NS if options.until is None else _moment(options.until, zone)
    from_ns = to_ns - DAYS * DAY_NS if options.since is None else _moment(options.since, zone)
    if from_ns >= to_ns:
        raise ValueError("--from must lie before --until")
    return from_ns, to_ns


def _moment(text: str, zone: tzinfo) -> int:
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no date: YYYY-MM-DD, or YYYY-MM-DDTHH:MM") from None
    return int((when if when.tzinfo else when.replace(tzinfo=zone)).timestamp()) * NS


def _whose(case: Case) -> str:
    site = case.site
    where = " ".join(part for part in (site.division_name or site.division, site.address) if part) if site else ""
    name = case.enterprise.name if case.enterprise else case.address or f"site {case.site_id}"
    return _printable(f"{name}, {where}" if where else name)


def _due(case: Case, now_ns: int, zone: tzinfo) -> str:
    return "-" if case.due_ns is None else _day(case.due_ns, zone) + (" overdue" if case.overdue(now_ns) else "")


def _printable(text: str) -> str:
    from exporters.forms.fitting import visible

    return visible(text)


def _day(ns: int, zone: tzinfo) -> str:
    return f"{datetime.fromtimestamp(ns // NS, zone):%Y-%m-%d}"


def _time(ns: int, zone: tzinfo) -> str:
    return f"{datetime.fromtimestamp(ns // NS, zone):%Y-%m-%d %H:%M}"


def _print(table: list[Any]) -> None:
    """Columns as wide as they must be."""
    from rich.cells import cell_len

    widths = [max(cell_len(row[at]) for row in table) for at in range(len(table[0]))] if table else []
    for row in table:
        print(
            "  ".join(text + " " * (width - cell_len(text)) for text, width in zip(row, widths, strict=True)).rstrip()
        )
