"""The tables of the page: recall, false alarms, p-values of meaningless traffic. Figures and bounds, no judgement."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Sequence
from statistics import fmean

from tests.evaluation.bounds import clopper_pearson, poisson_at_most, standard_error
from tests.evaluation.families import Family
from tests.evaluation.parts import Outcome
from tests.evaluation.traffic import MODELS

LEVELS = (0.05, 0.01, 0.001, 0.0001)
#: The grammar's level that `behaves` needs.
GRAMMAR_LEVEL = 1e-5
HALVES = ("tuning", "judging")
Rows = Sequence[Outcome]


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown."""
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    lines += [f"| {' | '.join(str(cell) for cell in row)} |" for row in rows]
    return "\n".join(lines)


def bullet(words: str) -> str:
    """An item of a list, within the columns of a document."""
    return textwrap.fill(words, 120, initial_indent="- ", subsequent_indent="  ", break_long_words=True)


def share(hits: int, trials: int) -> str:
    """A share in per cent with its interval of Clopper and Pearson."""
    if not trials:
        return "none"
    low, high = clopper_pearson(hits, trials)
    return f"{100 * hits / trials:.1f} ({100 * low:.1f}-{100 * high:.1f})"


def _recall(rows: Rows) -> tuple[object, str]:
    return len(rows), share(sum(row.behaves for row in rows), len(rows))


def recall_by_family(families: Sequence[Family], rows: Rows) -> str:
    """One row a family: an hour without loss, its opening seen or joined."""

    def line(family: Family) -> Sequence[object]:
        own = [row for row in rows if row.family == family.name and row.minutes == 60 and not row.lossy]
        seen, joined = [row for row in own if not row.joined], [row for row in own if row.joined]
        unlike = sum(row.behaves != row.reported for row in own if row.replayed)
        return family.name, *_recall(seen), *_recall(joined), sum(not row.thin for row in own), unlike

    head = ("family", "n", "opening seen, %", "n", "joined, %", "not thin", "unlike")
    return table(head, (line(family) for family in families))


def _means(families: Iterable[Family], rows: Rows) -> dict[str, float]:
    hits: dict[str, list[bool]] = {}
    for row in rows:
        hits.setdefault(row.family, []).append(row.behaves)
    return {family.name: fmean(hits[family.name]) for family in families if family.name in hits}


def recall_by_time(families: Sequence[Family], rows: Rows) -> str:
    """Macro-averages of both halves by the length of the capture."""

    def lines() -> Iterable[Sequence[object]]:
        keys = sorted({(row.minutes, row.joined, row.lossy) for row in rows})
        for minutes, joined, lossy in keys:
            some = [row for row in rows if (row.minutes, row.joined, row.lossy) == (minutes, joined, lossy)]
            means = _means(families, some)
            halves = [[means[f.name] for f in families if f.half == half and f.name in means] for half in HALVES]
            clocked = [means[f.name] for f in families if f.clocked and f.name in means]
            groups = (*halves, [*means.values()], clocked)
            cells = [f"{100 * fmean(group):.1f}" if group else "none" for group in groups]
            under = sum(mean < 0.8 for mean in means.values())
            name = "joined" if joined else "seen"
            low = fmean(row.grammar_p is not None and row.grammar_p <= GRAMMAR_LEVEL for row in some)
            loss = "5 %" if lossy else "none"
            yield minutes, name, loss, *cells, f"{under} of {len(means)}", len(some), f"{100 * low:.1f}"

    head = ("minutes", "opening", "loss", "tuning, %", "judging, %", "both, %", "with a clock, %", "under 80 %",
            "sessions", "grammar, %")  # fmt: skip
    return table(head, lines())


def recall_by(families: Sequence[Family], rows: Rows, name: str, key: Callable[[Outcome], str]) -> str:
    """Recall of an hour without loss, pooled, by some property."""
    mining = {family.name for family in families}
    some = [row for row in rows if row.family in mining and row.minutes == 60 and not row.lossy]

    def line(value: str) -> Sequence[object]:
        own = [row for row in some if key(row) == value]
        seen, joined = [row for row in own if not row.joined], [row for row in own if row.joined]
        return value, *_recall(seen), *_recall(joined), sum(row.untestable is not None for row in own)

    head = (name, "n", "opening seen, %", "n", "joined, %", "not testable")
    return table(head, (line(value) for value in sorted({key(row) for row in some})))


def false_alarms(families: Sequence[Family], rows: Rows) -> str:
    """One row a family and one of all: thin sessions, false ones, the bound of 10,000."""

    def line(name: str, own: Rows) -> Sequence[object]:
        thin = [row for row in own if row.thin]
        false = sum(row.behaves or row.reported for row in thin)
        bound = f"{1e4 * poisson_at_most(false) / len(thin):.2f}" if thin else "none"
        tested = [row.grammar_p for row in thin if row.grammar_p is not None]
        low = [sum(p <= level for p in tested) for level in (*LEVELS, GRAMMAR_LEVEL)]
        return name, len(thin), len(own) - len(thin), false, bound, len(tested), *low

    head = ("family", "thin", "fat", "false", "bound", "with p", *(f"{level:g}" for level in (*LEVELS, GRAMMAR_LEVEL)))
    lines = [line(f.name, [row for row in rows if row.family == f.name]) for f in families]
    names = {family.name for family in families}
    lines.append(line("**all of this mixture**", [row for row in rows if row.family in names]))
    return table(head, lines)


def false_by_time(families: Sequence[Family], rows: Rows) -> str:
    """False alarms by the length of the capture."""
    names = {family.name for family in families}

    def lines() -> Iterable[Sequence[object]]:
        for minutes in sorted({row.minutes for row in rows}):
            thin = [row for row in rows if row.minutes == minutes and row.family in names and row.thin]
            false = sum(row.behaves or row.reported for row in thin)
            bound = f"{1e4 * poisson_at_most(false) / len(thin):.2f}" if thin else "none"
            yield minutes, len(thin), false, bound

    return table(("minutes", "thin", "false", "bound of 10,000 thin"), lines())


def calibration(rows: Rows) -> str:
    """Of each model and each kind of evidence the share of p-values at or below each level."""
    parts = []
    for model in MODELS:
        own = [row for row in rows if row.family == model]
        lines = [
            (kind, len(values), *(_against(values, level) for level in LEVELS))
            for kind, values in _kinds(own)
            if values
        ]
        head = ("evidence", "with p", *(f"{100 * level:g} %" for level in LEVELS))
        thin = sum(row.thin for row in own)
        parts.append(f"### {model}: {len(own)} sessions, {thin} thin\n\n{table(head, lines)}")
    return "\n\n".join(parts)


def _kinds(own: Rows) -> Iterable[tuple[str, list[float]]]:
    yield "grammar", [row.grammar_p for row in own if row.grammar_p is not None]
    yield "grammar, least look", [row.least_p for row in own if row.least_p is not None]
    yield "synchrony", [row.synchrony_p for row in own if row.synchrony_p is not None]
    for coin in sorted({coin for row in own for coin, _, _ in row.beats}):
        for real in (True, False) if coin == "XMR" else (None,):
            some = [row for row in own if real is None or row.real_blocks == real]
            name = f"beat {coin}{', real' if real else ''}"
            yield name, [p for row in some for own_coin, p, _ in row.beats if own_coin == coin]
    yield "beats, counted", [p for row in own for _, _, p in row.beats]


def _against(values: Sequence[float], level: float) -> str:
    """The share in per cent, its standard error under uniformity, and how many of these it is off."""
    hits, error = sum(p <= level for p in values), standard_error(level, len(values))
    part = hits / len(values)
    return f"{100 * part:.3g}±{100 * error:.2g} ({(part - level) / error:+.1f})"


def shares_counted(families: Sequence[Family], rows: Rows) -> str:
    """How often the interval of shares holds the truth, where there is one; an hour without loss."""
    names = {family.name for family in families}
    some = [row for row in rows if row.minutes == 60 and not row.lossy and row.behaves and row.family in names]

    def line(name: str, own: Rows) -> Sequence[object]:
        given = [(row.truth, row.shares) for row in own if row.shares is not None]
        held = sum(low <= truth <= high for truth, (low, high) in given)
        exact = sum(low == high == truth for truth, (low, high) in given)
        return name, len(own), len(given), share(held, len(given)), exact

    lines = [
        line("opening seen", [row for row in some if not row.joined]),
        line("joined", [row for row in some if row.joined]),
    ]
    return table(("sessions found", "found", "with an interval", "it holds the truth, %", "exact"), lines)
