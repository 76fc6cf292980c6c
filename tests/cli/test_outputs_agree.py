"""One miner's figures are the same in all seven outputs, over random ledgers: event, terminal, page, `ledger show`,
`ledger export`, bulletin, metrics; and what they rest on: seen, projected or not observed, over how much time."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from rich.console import Console

from exporters.forms import event, table
from exporters.forms.amounts import DIGITS, NARROW_DIGITS, quantity
from exporters.forms.metrics import StatusCollector
from exporters.forms.report import overview, panels
from exporters.forms.report.strips import TimeAxis
from sensor.cli.main import main
from sensor.daemon.totals import FindingTotals
from sensor.ledger import Ledger
from sensor.model.finding import Finding
from sensor.model.work import miners
from tests.cli.watched_miners import LedgerPlan, MinerPlan, Mining, Piece, ledger_plans, tell
from tests.exporters.statuses import quiet

#: What four digits, and six, may be off.
FOUR, SIX = 6e-4, 6e-6
ENDS = ("low", "best", "high")
Row = dict[str, Any]
Key = tuple[str, str | None]  # address, algorithm


@dataclasses.dataclass
class Outputs:
    """What the outputs of a ledger say, by address and algorithm."""

    findings: dict[Key, list[Finding]]
    shown: dict[Key, Row]
    shown_text: dict[str, str]
    exported: dict[Key, Row]
    bulletin: dict[Key, Row]
    sheet: dict[Key, Row]
    facts: dict[str, Any]


def outputs_of(folder: Path, plan: LedgerPlan, capsys: pytest.CaptureFixture[str]) -> Outputs:
    """Everything that the commands say of a ledger of this plan."""
    url = f"sqlite:///{folder / 'ledger.db'}"
    tell(url, plan)
    ledger = Ledger.open(url)
    stored = [entry.finding for entry in ledger.reader.findings()]
    ledger.close()
    findings: dict[Key, list[Finding]] = defaultdict(list)
    for one in stored:
        findings[one.miner_ip, one.algorithm].append(one)
    shown, texts = {}, {}
    for address in sorted({address for address, _ in findings}):
        answer = json.loads(printed_by(capsys, "ledger", "show", address, "--json", "--ledger", url))
        figures = answer["figures"]
        for row in figures["algorithms"]:
            shown[address, row["algorithm"]] = {
                **row,
                **{name: figures[name] for name in figures if name != "algorithms"},
            }
        texts[address] = printed_by(capsys, "ledger", "show", address, "--ledger", url)
    week = ("--from", "2023-11-20", "--until", "2023-11-26")
    rows = csv.DictReader(
        io.StringIO(printed_by(capsys, "ledger", "export", *week, "--ledger", url).removeprefix("\ufeff"))
    )
    exported = {(row["ip"], row["algorithm"] or None): row for row in rows}
    printed_by(capsys, "bulletin", "--week", "2023-W47", "--ledger", url, "--lang", "en", "-o", str(folder),
         "--format", "json", "--format", "csv")  # fmt: skip
    whole = json.loads((folder / "bulletin-2023-W47.en.json").read_text(encoding="utf-8"))
    blocks = {block["key"]: block for section in whole["sections"] for block in section["blocks"]}
    listed = {(row["address"], algorithm_of(row["algorithm"])): row for row in blocks["addresses"]["rows"]}
    facts = {one["key"]: one["value"] for one in blocks["headline"]["facts"]}
    return Outputs(findings, shown, texts, exported, listed, sheet_of(folder), facts)


def sheet_of(folder: Path) -> dict[Key, Row]:
    """The list of addresses of the bulletin's CSV, its figures as JSON has them."""
    rows: dict[str, Row] = defaultdict(dict)
    for line in csv.DictReader(io.StringIO((folder / "bulletin-2023-W47.en.csv").read_text(encoding="utf-8-sig"))):
        if line["table"] == "addresses":
            ranged = {"low": line["low"], "best": line["value"], "high": line["high"], "note": line["note"]}
            rows[line["row"]][line["column"]] = ranged if line["low"] else line["value"]
    return {(row["address"], algorithm_of(row["algorithm"])): row for row in rows.values()}


def algorithm_of(text: str) -> str | None:
    return None if text == "not known" else text


def printed_by(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    assert main(list(words)) == 0
    return capsys.readouterr().out


#: A miner of which no share of known work was seen, beside time at unknown work: there is only an upper bound.
BOUND_ALONE = LedgerPlan(
    (
        MinerPlan(
            (
                Mining(
                    start_h=12.0,
                    pieces=(Piece(7.0, 0.1, 184, False), Piece(0.0, 1.7, 0, True), Piece(0.0, 0.1, 432, False)),
                    algorithm="sha256d",
                    priced=True,
                    records=3,
                ),
            ),
            owned=False,
            sensors=2,
        ),
    ),
    watched=1.0,
)


#: Without shrinking, which takes minutes: plans are small.
@settings(
    max_examples=15,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@example(plan=BOUND_ALONE)
@given(plan=ledger_plans)
def test_all_seven_outputs_have_the_same_figures(capsys: pytest.CaptureFixture[str], plan: LedgerPlan) -> None:
    with tempfile.TemporaryDirectory() as folder:
        outputs = outputs_of(Path(folder), plan, capsys)
    assert outputs.shown.keys() == outputs.exported.keys() == outputs.bulletin.keys() == outputs.sheet.keys()
    assert outputs.shown.keys() == outputs.findings.keys()
    for key, row in outputs.shown.items():
        ledger_outputs_agree(row, outputs.exported[key], outputs.bulletin[key], outputs.sheet[key])
        findings_agree(row, outputs.findings[key])
        text_agrees(row, outputs.shown_text[key[0]])
    metrics_agree(outputs)


def close(value: Any, wanted: Any, rel: float = FOUR) -> None:
    """Two figures in different digits are the same; what one does not know, the other does not."""
    if wanted is None:
        assert value in (None, "", "unknown"), value
    else:
        assert float(value) == pytest.approx(wanted, rel=rel, abs=1e-6)  # documents have six decimals


def ledger_outputs_agree(shown: Row, exported: Row, listed: Row, sheet: Row) -> None:
    """`ledger show`, the mining list and the bulletin, JSON and CSV."""
    assert int(exported["shares"]) == listed["shares"] == int(sheet["shares"]) == shown["shares"]
    assert int(exported["machines_at_least"]) == shown["machines_at_least"]
    for name, columns in (("hashrate_hps", "hashrate"), ("energy_kwh", "energy_kwh")):
        for end in ENDS:
            wanted = shown[name] and shown[name][end]
            close(exported[f"{columns}_{end}"], wanted)
            for row in (listed, sheet):
                close(row[name][end] if isinstance(row.get(name), dict) else row.get(name), wanted)
    close(exported["power_kw"], shown["power_watts"] and shown["power_watts"]["best"] / 1e3)
    power = listed["power_watts"]
    close(power["best"] if isinstance(power, dict) else power, shown["power_watts"] and shown["power_watts"]["best"])
    hours = {"hours_mining": "mining_seconds", "unknown_hours": "unknown_work_seconds",
             "unknown_energy_hours": "unknown_energy_seconds", "assumed_hours": "assumed_rate_seconds"}  # fmt: skip
    in_export = {
        "hours_mining": "hours_mining",
        "unknown_hours": "hours_of_unknown_work",
        "unknown_energy_hours": "hours_of_unknown_energy",
        "assumed_hours": "hours_at_assumed_rate",
    }
    for column, name in hours.items():
        close(listed[column] or 0.0, shown[name] / 3_600)
        close(exported[in_export[column]], shown[name] / 3_600)
    # Seen, a lower bound, or not known.
    lower = {"energy_kwh": shown["energy_is_lower_bound"], "hashrate_hps": shown["hashrate_is_lower_bound"]}
    for name, bound in lower.items():
        if isinstance(listed[name], dict):
            assert listed[name].get("at_least", False) == bound
            assert (sheet[name]["note"] == "at least") == bound
    kinds = {(True, True): "at least", (True, False): "seen"}
    assert exported["energy"] == kinds.get((shown["energy_kwh"] is not None, lower["energy_kwh"]), "unknown")
    projections_agree(shown, exported, listed)


def projections_agree(shown: Row, exported: Row, listed: Row) -> None:
    """Each projects what was seen to its period where it was watched, and over what time is said."""
    seconds, period = float(exported["hours_observed"]) * 3_600, float(exported["hours_of_period"]) * 3_600
    seen, projected = shown["energy_kwh"], exported["projected_kwh_best"]
    if projected:
        close(projected, seen["best"] * max(1.0, min(period / seconds, 2.0)), rel=2 * FOUR)
        assert listed["projected_kwh"]["best"] == pytest.approx(float(projected))
    elif seen is not None:
        assert listed["projected_kwh"] == "not-projected"
    assert listed["hours_observed"] == pytest.approx(seconds / 3_600, rel=FOUR)
    assert (shown["projected_kwh"] is not None) == (seen is not None and shown["watched_part"] >= 0.8)


def findings_agree(shown: Row, its: list[Finding]) -> None:
    """Event, terminal and page, of the findings that the ledger has of a miner."""
    encoded = [event.encode(one)["mining"] for one in its]
    assert sum(one["shares"]["submitted"] for one in encoded) == shown["shares"]  # type: ignore[index]
    kwh = [one["energy_kwh"] for one in encoded]  # type: ignore[index]
    if any(kwh):
        assert sum(one["best"] for one in kwh if one) == pytest.approx(shown["energy_kwh"]["best"], rel=FOUR)
    else:
        assert shown["energy_kwh"] is None
    assert sum(one["unknown_seconds"] for one in encoded) == pytest.approx(shown["unknown_work_seconds"], abs=0.01)  # type: ignore[index]
    assert sum(one["assumed_seconds"] for one in encoded) == pytest.approx(shown["assumed_rate_seconds"], abs=0.01)  # type: ignore[index]
    (miner,) = miners(its)
    rate, power = shown["hashrate_hps"], shown["power_watts"]
    for figure, wanted in ((miner.rates.hashrate_hps, rate), (miner.rates.power_watts, power)):
        assert (figure is None) == (wanted is None)
        if figure is not None:
            assert [figure.low, figure.best, figure.high] == pytest.approx([wanted[end] for end in ENDS], rel=FOUR)
    assert miner.seconds == pytest.approx(shown["mining_seconds"], abs=1.0)
    if rate is not None:
        assert miner.partial == shown["hashrate_is_lower_bound"]
    if len(its) == 1:
        hashrate = encoded[0]["hashrate_hps"]  # type: ignore[index]
        assert (hashrate is None) == (rate is None)
        if rate is not None:
            assert [hashrate[end] for end in ENDS] == pytest.approx([rate[end] for end in ENDS], rel=5e-3)
            assert hashrate["best"] == pytest.approx(rate["best"], rel=FOUR)
    pictures_agree(shown, its)


def pictures_agree(shown: Row, its: list[Finding]) -> None:
    """Terminal and page as they are read."""
    terminal, rate, power = printed(its), shown["hashrate_hps"], shown["power_watts"]
    sums = [one for one in overview.sums(its) if one.about.startswith("hashrate")]
    if rate is None:
        assert "unknown" in terminal or not shown["shares"]
        assert not sums
        return
    if not rate["best"]:
        assert "< " in terminal
        return
    (whole,) = sums
    assert same_text(whole.best, rate["best"], "H/s")
    assert ("at least" in whole.about) == shown["hashrate_is_lower_bound"]
    if power is not None:
        (watts,) = [one for one in overview.sums(its) if one.name.startswith("Power")]
        assert same_text(watts.best, power["best"], "W")
    if len(its) == 1:
        panel = panels.panel(1, its[0], TimeAxis(((its[0].first_ns, its[0].last_ns),)))
        assert same_text(panel.rate.removeprefix("≥ "), rate["best"], "H/s")
        assert panel.rate.startswith("≥ ") == shown["hashrate_is_lower_bound"]
        assert ("≥ " in terminal) == shown["hashrate_is_lower_bound"]
    written = [text.rpartition(" ")[0] for text in texts_of(rate["best"], "H/s")]
    assert any(text in terminal for text in written)


def same_text(text: str, value: float, unit: str) -> bool:
    """Whether a text shows the value, as far as its digits go."""
    return text in texts_of(value, unit)


def texts_of(value: float, unit: str) -> set[str]:
    """How a value that is only known in four digits may read: with three, or where its bounds are close with four."""
    return {
        quantity(value * factor, unit, count)
        for factor in (1 - FOUR, 1 - FOUR / 4, 1.0, 1 + FOUR / 4, 1 + FOUR)
        for count in (DIGITS, NARROW_DIGITS)
    }


def printed(its: list[Finding]) -> str:
    """What `replay` prints of findings."""
    console = Console(file=io.StringIO(), width=200, color_system=None)
    table.render(console, its, (), (), table.Run("compiled", 1, 1, 0, 0, 0, 0.0, 0.0))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def text_agrees(shown: Row, text: str) -> None:
    """`ledger show` for people."""
    name = shown["algorithm"] or "algorithm not known"
    (line,) = [line for line in text.splitlines() if line.startswith(f"  {name}: at least ")]
    least = "at least " if shown["hashrate_is_lower_bound"] else ""
    if shown["hashrate_hps"] is None:
        assert "hashrate unknown" in line
    else:
        best = shown["hashrate_hps"]["best"]
        assert any(f"hashrate {least}{text} (" in line for text in texts_of(best, "H/s"))
    assert ("nothing is projected" in text) == (shown["watched_part"] < 0.8)


def metrics_agree(outputs: Outputs) -> None:
    """The gauges of a daemon that has these findings open."""
    totals = FindingTotals()
    totals.add([one for its in outputs.findings.values() for one in its], {})
    hashrate, power = totals.sums()
    partial = any(row["hashrate_is_lower_bound"] for row in outputs.shown.values())
    assert (totals.unknown > 0) == partial
    status = dataclasses.replace(quiet(), hashrate_hps=hashrate, power_watts=power)
    gauges = {
        (sample.name, sample.labels["algorithm"]): sample.value
        for family in StatusCollector(lambda: status).collect()
        for sample in family.samples
        if "algorithm" in sample.labels
    }
    for name, gauge in (("hashrate_hps", "hashrate_hashes_per_second"), ("power_watts", "power_watts")):
        wanted: dict[str, float] = defaultdict(float)
        for (_, algorithm), row in outputs.shown.items():
            if row[name] is not None:
                wanted[algorithm or "unknown"] += row[name]["best"]
        found = {
            algorithm: value for (metric, algorithm), value in gauges.items() if metric.endswith(f"_estimated_{gauge}")
        }
        assert found == pytest.approx(dict(wanted), rel=FOUR)
