"""The tables of the page: recall, false alarms, p-values of meaningless traffic. Figures and bounds, no judgement."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from statistics import fmean

from tests.evaluation.bounds import clopper_pearson, poisson_at_most, standard_error
from tests.evaluation.families import Family
from tests.evaluation.parts import Outcome
from tests.evaluation.traffic import MODELS

LEVELS = (0.05, 0.01, 0.001, 0.0001)
HALVES = ("tuning", "judging")
Rows = Sequence[Outcome]


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown."""
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    lines += [f"| {' | '.join(str(cell) for cell in row)} |" for row in rows]
    return "\n".join(lines)


def share(hits: int, trials: int) -> str:
    """A share with its interval of Clopper and Pearson."""
    if not trials:
        return "none"
    low, high = clopper_pearson(hits, trials)
    return f"{100 * hits / trials:.1f} % ({100 * low:.1f} to {100 * high:.1f}), {hits} of {trials}"


def _recall(rows: Rows) -> str:
    return share(sum(row.behaves for row in rows), len(rows))


def _macro(families: Iterable[Family], rows: Rows) -> tuple[str, str, int]:
    """The mean over families of their recall, the least, and how many families have a session."""
    own = {f.name: [row.behaves for row in rows if row.family == f.name] for f in families}
    means = {name: fmean(hits) for name, hits in own.items() if hits}
    if not means:
        return "none", "none", 0
    least = min(means, key=lambda name: means[name])
    return f"{100 * fmean(means.values()):.1f} %", f"{100 * means[least]:.1f} %, {least}", len(means)


def recall_by_family(families: Sequence[Family], rows: Rows) -> str:
    """One row a family: an hour, its opening seen or joined, without and with loss."""

    def cells(family: Family) -> Iterable[str]:
        own = [row for row in rows if row.family == family.name and row.minutes == 60]
        yield family.name
        for joined in (False, True):
            yield _recall([row for row in own if row.joined == joined and not row.lossy])
        yield _recall([row for row in own if row.lossy])
        yield str(sum(not row.thin for row in own))
        yield str(sum(row.behaves != row.reported for row in own))

    head = ("family", "opening seen", "joined", "5 % lost, both", "not thin", "reported otherwise")
    return table(head, ([*cells(family)] for family in families))


def recall_by_time(families: Sequence[Family], rows: Rows) -> str:
    """Macro-averages of both halves by the length of the capture."""

    def lines() -> Iterable[Sequence[object]]:
        for minutes in sorted({row.minutes for row in rows}):
            for joined in (False, True):
                for lossy in (False, True):
                    some = [r for r in rows if (r.minutes, r.joined, r.lossy) == (minutes, joined, lossy)]
                    if not some:
                        continue
                    cells: list[object] = [minutes, "joined" if joined else "seen", "5 %" if lossy else "none"]
                    for half in HALVES:
                        mean, least, _ = _macro([f for f in families if f.half == half], some)
                        cells += [mean, least]
                    yield [*cells, len(some)]

    head = ("minutes", "opening", "loss", "tuning half", "its least", "judging half", "its least", "sessions")
    return table(head, lines())


def recall_by(families: Sequence[Family], rows: Rows, name: str, key: Callable[[Outcome], str]) -> str:
    """Recall of an hour without loss, pooled, by some property."""
    mining = {family.name for family in families}
    some = [row for row in rows if row.family in mining and row.minutes == 60 and not row.lossy]
    keys = sorted({key(row) for row in some})

    def cells(value: str) -> Iterable[str]:
        own = [row for row in some if key(row) == value]
        yield value
        yield _recall([row for row in own if not row.joined])
        yield _recall([row for row in own if row.joined])
        yield str(sum(row.untestable is not None for row in own))

    return table((name, "opening seen", "joined", "not testable"), ([*cells(value)] for value in keys))


def false_alarms(families: Sequence[Family], rows: Rows) -> str:
    """One row a family and one of all: thin sessions, false ones, the bound of 10,000."""

    def line(name: str, own: Rows) -> Sequence[object]:
        thin = [row for row in own if row.thin]
        false = sum(row.behaves or row.reported for row in thin)
        bound = 1e4 * poisson_at_most(false) / len(thin) if thin else float("inf")
        tested = [row.grammar_p for row in thin if row.grammar_p is not None]
        low = [sum(p <= level for p in tested) for level in (*LEVELS, 1e-5)]
        return name, len(own), len(thin), false, f"{bound:.2f}", len(tested), *low

    head = ("family", "sessions", "thin", "false", "bound of 10,000 thin", "with p")
    heads = (*head, *(f"p <= {level:g}" for level in (*LEVELS, 1e-5)))
    lines = [line(f.name, [row for row in rows if row.family == f.name]) for f in families]
    names = {family.name for family in families}
    lines.append(line("**all, for this mixture of generators**", [row for row in rows if row.family in names]))
    return table(heads, lines)


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

    def lines() -> Iterable[Sequence[object]]:
        for model in MODELS:
            own = [row for row in rows if row.family == model]
            for kind, values in _kinds(own):
                yield model, kind, len(values), len(own) - len(values), *(_against(values, level) for level in LEVELS)

    head = ("model", "evidence", "with p", "without", *(f"p <= {level:g}" for level in LEVELS))
    return table(head, lines())


def _kinds(own: Rows) -> Iterable[tuple[str, list[float]]]:
    yield "grammar", [row.grammar_p for row in own if row.grammar_p is not None]
    yield "grammar, the least of all looks", [min(p for _, p in row.looks) for row in own if row.looks]
    yield "synchrony", [row.synchrony_p for row in own if row.synchrony_p is not None]
    for coin in sorted({coin for row in own for coin, _ in row.beats}):
        for real in (True, False) if coin == "XMR" else (None,):
            some = [row for row in own if real is None or row.real_blocks == real]
            name = {True: "real blocks", False: "simulated", None: "simulated"}[real]
            yield f"beat {coin}, {name}", [p for row in some for own_coin, p in row.beats if own_coin == coin]


def _against(values: Sequence[float], level: float) -> str:
    """The share, its standard error under uniformity, and how many of these it is off."""
    if not values:
        return "none"
    hits, error = sum(p <= level for p in values), standard_error(level, len(values))
    return f"{hits / len(values):.5f} +- {error:.5f} ({(hits / len(values) - level) / error:+.1f})"


def shares_counted(families: Sequence[Family], rows: Rows) -> str:
    """How often the interval of shares holds the truth, where there is one; an hour without loss."""

    def line(name: str, own: Rows) -> Sequence[object]:
        given = [(row.truth, row.shares) for row in own if row.shares is not None]
        held = sum(low <= truth <= high for truth, (low, high) in given)
        exact = sum(low == high == truth for truth, (low, high) in given)
        return name, len(own), len(given), share(held, len(given)), exact

    some = [row for row in rows if row.minutes == 60 and not row.lossy and row.behaves]
    names = {family.name for family in families}
    lines = [
        line("opening seen", [row for row in some if row.family in names and not row.joined]),
        line("joined", [row for row in some if row.family in names and row.joined]),
    ]
    return table(("sessions found", "found", "with an interval", "it holds the truth", "exact"), lines)
