"""The table of real sessions and of recorded ones: what minewatch says of each, its relations and p-values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.evaluation import hidden, runs
from tests.evaluation.bursts import Profile
from tests.evaluation.tables import table

HEAD = (
    "session",
    "minutes",
    "records",
    "grammar p",
    "beat",
    "behaves",
    "reported",
    "dialects",
    "shares",
    "relations",
    "not testable",
)


def text(profiles: Sequence[Profile], folder: Path) -> str:
    """The table, or nothing where the files are not at hand."""
    if not hidden.FOLDER.is_dir():
        return ""
    rows = [*_real(profiles, folder), *_recorded(folder)]
    return table(HEAD, rows)


def _real(profiles: Sequence[Profile], folder: Path) -> Iterator[Sequence[object]]:
    openssl = next(
        p for p in profiles if (p.client, p.server, p.suite, p.named) == ("openssl", "openssl", "tls13", False)
    )
    for real in hidden.sessions():
        path = folder / "real.pcap"
        hidden.to_pcap(real, openssl, path)
        answers = runs.ask([path], (), folder)
        path.unlink()
        minutes = (real.segments[-1][0] - real.segments[0][0]) / 60
        name = f"{real.name}{', in clear, put into TLS' if real.clear else ''}"
        if answers.failures:
            yield name, f"{minutes:.1f}", *([answers.failures[0]] + [""] * 8)
        for address, row in answers.sessions.items():
            yield _line(name, row, address in answers.reported)
        if not answers.sessions and not answers.failures:
            yield name, f"{minutes:.1f}", *(["not among the thin sessions"] + [""] * 8)


def _recorded(folder: Path) -> Iterator[Sequence[object]]:
    path = hidden.FOLDER / "sessions.pcap"
    if not path.is_file():
        return
    names = hidden.recorded_kinds(path)
    answers = runs.ask([path], (), folder)
    for failure in answers.failures:
        yield "sessions.pcap", "", failure, *([""] * 8)
    for row in answers.every:
        port = str(row["server"]).rsplit(":", 1)[-1]
        reported = str(row["miner"]) in answers.reported
        yield _line(f"sessions.pcap, {names.get(port, port)}", row, reported)


def _line(name: str, row: dict[str, Any], reported: bool) -> Sequence[object]:
    relations = "; ".join(f"{r['name']} ({r['detail']}, {r['p']:.2g})" for r in row["relations"])
    beats = ", ".join(f"{coin} {p:.2g}" for coin, p in row["beat"].items())
    shares = f"{row['shares'][0]:g} to {row['shares'][1]:g}" if row["shares"] else ""
    return (
        name,
        f"{(row['last_ns'] - row['first_ns']) / 6e10:.1f}",
        " + ".join(str(number) for number in row["records"]),
        "none" if row["grammar_p"] is None else f"{row['grammar_p']:.2g}",
        beats,
        row["behaves"],
        reported,
        ", ".join(row["dialects"]),
        shares,
        relations.replace("|", "/"),
        row["untestable"] or "",
    )
