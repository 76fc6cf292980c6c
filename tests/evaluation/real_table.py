"""The table of real sessions and of recorded ones: what minewatch says of each, its relations and p-values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.evaluation import hidden, runs
from tests.evaluation.bursts import Profile
from tests.evaluation.tables import bullet


def text(profiles: Sequence[Profile], folder: Path) -> str:
    """The table, or nothing where the files are not at hand."""
    if not hidden.FOLDER.is_dir():
        return ""
    return "\n".join(bullet(words) for words in (*_real(profiles, folder), *_recorded(folder)))


def _real(profiles: Sequence[Profile], folder: Path) -> Iterator[str]:
    openssl = next(
        p for p in profiles if (p.client, p.server, p.suite, p.named) == ("openssl", "openssl", "tls13", False)
    )
    for real in hidden.sessions():
        path = folder / "real.pcap"
        hidden.to_pcap(real, openssl, path)
        answers = runs.ask([path], {}, folder)
        path.unlink()
        minutes = (real.segments[-1][0] - real.segments[0][0]) / 60
        name = f"{real.name}{', in clear, put into TLS' if real.clear else ''}"
        if answers.failures:
            yield f"{name}: {answers.failures[0]}"
        for address, row in answers.sessions.items():
            yield _line(name, row, address in answers.reported)
        if not answers.sessions and not answers.failures:
            yield f"{name}: {minutes:.1f} minutes, not among the thin sessions"


def _recorded(folder: Path) -> Iterator[str]:
    path = hidden.FOLDER / "sessions.pcap"
    if not path.is_file():
        return
    names = hidden.recorded_kinds(path)
    answers = runs.ask([path], {}, folder)
    for failure in answers.failures:
        yield f"sessions.pcap: {failure}"
    for row in answers.every:
        port = row.server.rsplit(":", 1)[-1]
        yield _line(f"sessions.pcap, {names.get(port, port)}", row, None)


def _line(name: str, row: runs.Judged, reported: bool | None) -> str:
    relations = "; ".join(f"{part} ({detail}, p {p:.2g})" for part, detail, p in row.relations) or "none"
    beats = ", ".join(f"{coin} {answer} {p:.2g}" for coin, answer, p, _ in row.beats) or "none"
    shares = f"{row.shares[0]:g} to {row.shares[1]:g}" if row.shares else "not counted"
    records = " and ".join(str(number) for number in row.records)
    grammar = "none" if row.grammar_p is None else f"{row.grammar_p:.2g}"
    verdict = f"behaves: {'yes' if row.behaves else 'no'}"
    if reported is not None:
        verdict += f", reported: {'yes' if reported else 'no'}"
    untestable = f"; not testable: {row.untestable}" if row.untestable else ""
    return (
        f"{name}: {row.seconds / 60:.1f} minutes, {records} records, grammar p {grammar} "
        f"({', '.join(row.dialects) or 'no dialect'}), beat {beats}, {verdict}, shares {shares}; "
        f"relations: {relations}{untestable}"
    )
