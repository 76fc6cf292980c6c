"""A sensor's status as one screen of text, from the JSON object of `exporters/forms/status.py`.

Pure. Whatever is not known is said to be; whatever came from the network is stripped of control characters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from exporters.forms.amounts import counted, digits, duration, percent, prefixed, quantity, rate_unit, size
from exporters.forms.fitting import visible

Json = Mapping[str, Any]
#: Characters of the first column.
LABEL_WIDTH = 12


def screen(status: Json) -> str:
    """The lines of the screen, each with its label."""
    rows = [
        ("minewatch", _head(status)),
        *(("trouble", text) for text in status["troubles"]),
        *_capture(status["capture"]),
        ("flows", _flows(status["flows"])),
        *_findings(status["findings"]),
        ("coverage", _coverage(status["coverage"])),
        ("ledger", _ledger(status["ledger"])),
        *_exporters(status["exporters"]),
        ("books", _books(status["books"])),
        ("signatures", _signatures(status["signatures"])),
        *_policy(status["policy"]),
        ("sandbox", status["sandbox"]),
        ("reloads", "; ".join(_reload(name, reload) for name, reload in status["reloads"].items())),
    ]
    if status["certificate_until"]:
        rows.append(("certificate", f"of the metrics, until {_minute(status['certificate_until'])}"))
    return "\n".join(f"{label:<{LABEL_WIDTH}}{visible(text)}" for label, text in rows if text)


def _head(status: Json) -> str:
    state = "ready" if status["ready"] else "NOT READY"
    up = duration(status["uptime_seconds"])
    return f"{status['version']}, {status['engine']} engine, sensor {status['sensor_id']}: {state}, up {up}"


def _capture(capture: Json) -> Iterator[tuple[str, str]]:
    for name, figures in capture["interfaces"].items():
        received, dropped = figures.get("received", 0), figures.get("dropped", 0)
        loss = f" ({percent(dropped / received)})" if received else ""
        state = "up" if figures.get("up", 1) else "DOWN"
        packets = f"{counted(figures.get('packets', 0), 'packet')}, {size(figures.get('bytes', 0))}"
        yield "capture", f"{name} {state}: {packets}, {dropped:,} dropped by the kernel{loss}"
    if not capture["interfaces"]:
        files = capture["captures_read"]
        read = f", {counted(files, 'capture')} read" if files is not None else ""
        yield "capture", f"{counted(capture['packets'], 'packet')}, {size(capture['bytes'])}{read}"
    age_s = capture["last_packet_age_seconds"]
    last = "no packet yet" if age_s is None else f"last packet {duration(age_s)} ago"
    dropped = f", {counted(capture['events_dropped'], 'event')} dropped" if capture["events_dropped"] else ""
    yield "lag", f"{capture['lag_seconds']:.1f} s, {last}{dropped}"


def _flows(flows: Json) -> str:
    refused = f", {flows['candidates_refused']:,} refused" if flows["candidates_refused"] else ""
    evicted = f", {flows['evicted']:,} given up" if flows["evicted"] else ""
    return (
        f"{flows['now']:,} of {_bound(flows['most'])}{evicted}; candidates {flows['candidates']:,} of "
        f"{_bound(flows['most_candidates'])}{refused}; {counted(flows['sessions'], 'session')} read"
    )


def _bound(most: int | None) -> str:
    return "?" if most is None else f"{most:,}"


def _findings(findings: Json) -> Iterator[tuple[str, str]]:
    grades = ", ".join(f"{count:,} {grade}" for grade, count in findings["by_grade"].items())
    silent = f"; {findings['suppressed']:,} of them not reported" if findings["suppressed"] else ""
    yield "findings", f"{findings['open']:,} open{f': {grades}' if grades else ''}{silent}"
    for name, bounds in findings["hashrate_hps"].items():
        watts = findings["power_watts"].get(name)
        power = f", {quantity(watts['best'], 'W')}" if watts else ", power unknown"
        yield "", f"{visible(name)} {_bounds(bounds)}{power}"
    if findings["unknown_work"]:
        yield "", f"at least: {counted(findings['unknown_work'], 'finding')} of unknown work"


def _bounds(bounds: Json) -> str:
    scale, prefix = prefixed(bounds["best"])
    low, best, high = (digits(bounds[end] / scale) for end in ("low", "best", "high"))
    return f"{best} {prefix}{rate_unit(None)} ({low}–{high})"


def _coverage(coverage: Json) -> str:
    if coverage["watched_seconds"] is None:
        return "today: not known"
    part = "" if coverage["part"] is None else f" ({percent(coverage['part'])})"
    return f"today {duration(coverage['watched_seconds'])} of {duration(coverage['day_seconds'])} watched{part}"


def _ledger(ledger: Json) -> str:
    waiting = ledger.get("records_waiting", 0)
    written = counted(ledger.get("records_recorded", 0), "record")
    return f"{ledger['url']}: {written} written, {waiting:,} waiting"


def _exporters(exporters: Json) -> Iterator[tuple[str, str]]:
    for name, its in exporters.items():
        age_s = its["oldest_age_seconds"]
        oldest = f", the oldest for {duration(age_s)}" if age_s else ""
        refused = f", {its['refused']:,} refused" if its["refused"] else ""
        dropped = f", {its['dropped']:,} given up" if its["dropped"] else ""
        trouble = f"; {its['trouble']}" if its["trouble"] else ""
        yield (
            "exporter",
            (f"{name}: {its['waiting']:,} waiting{oldest}, {its['delivered']:,} delivered{refused}{dropped}{trouble}"),
        )
    if not exporters:
        yield "exporters", "none: findings are in the ledger, and are told to nobody"


def _books(books: Json) -> str:
    if not books:
        return "none: no address has a holder"
    rows = f"{books.get('books', 0):,.0f} books, {books.get('rows', 0):,.0f} rows"
    rejected = books.get("rejected_rows", 0)
    return rows + (f", {rejected:,.0f} rows cannot be used" if rejected else "")


def _signatures(signatures: Json) -> str:
    tables = ", ".join(f"{table['name']} {_age(table['age_days'])}" for table in signatures["tables"])
    return f"{signatures['dialects']} dialects; tables: {tables}"


def _policy(policy: Json | None) -> Iterator[tuple[str, str]]:
    if policy is None:
        return
    if policy["trouble"]:
        yield "policy", f"no parcels are read: {policy['trouble']}"
    for parcel in policy["parcels"]:
        version = f"{parcel['kind']} {parcel['version'] or '?'}"
        reason = f": {parcel['reason']}" if parcel["reason"] else ""
        yield "policy", f"{version} {parcel['state'].replace('_', ' ')} since {_minute(parcel['at'])}{reason}"
    if not policy["parcels"] and not policy["trouble"]:
        yield "policy", "no parcel yet"


def _age(days: int | None) -> str:
    return "undated" if days is None else "of today" if days <= 0 else f"{days} d old"


def _reload(name: str, reload: Json) -> str:
    when = _minute(reload["last_success"]) if reload["last_success"] else "never"
    return f"{name} of {when}" if reload["last_succeeded"] else f"{name} REFUSED, that of {when} is in force"


def _minute(text: str) -> str:
    return text[:16].replace("T", " ") + " UTC"
