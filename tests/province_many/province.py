"""A province from its draw to what is found of it: made, fed, judged, measured."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from sensor.cli.frame import load_attribution
from sensor.daemon.configuration import load
from sensor.ledger import Ledger
from tests.province_many import books
from tests.province_many.bulletins import judge_bulletin, make_bulletin
from tests.province_many.centre import CentreRun, ProvinceCentre
from tests.province_many.judged import Judgement, judge
from tests.province_many.measured import PageTime, page_times, sizes, whole_bytes
from tests.province_many.roster import Roster, make_roster
from tests.province_many.truth import ManyTruth


@dataclass
class ProvinceFound:
    """All that is to be said of one province."""

    roster: Roster
    run: CentreRun
    judgement: Judgement
    bulletin_s: dict[str, float] = field(default_factory=dict)
    pages: list[PageTime] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)
    bytes_: int = 0
    overview_s: float = 0.0


def find(
    url: str,
    folder: Path,
    size: tuple[int, int, int],
    seed: str,
    *,
    dark_days: tuple[int, int] | None = None,
    said: Callable[[str], object] = lambda _: None,
) -> ProvinceFound:
    """Sensors, addresses, days: through a ledger that is empty."""
    sensors, addresses, days = size
    roster = make_roster(sensors, addresses, days, seed, dark_days)
    section = books.write(roster, folder / "books")
    path = folder / "centre.yaml"
    path.write_text(yaml.safe_dump({"attribution": section, "ledger": {"url": url}}, allow_unicode=True))
    attributor = load_attribution(load(path), None)
    assert attributor is not None
    ledger = Ledger.open(url)
    try:
        centre = ProvinceCentre(ledger, roster, seed, lambda one: attributor.attribute(one, live=True))
        run = centre.feed(said)
        truth = ManyTruth(roster, centre.wires)
        begun = time.monotonic()
        found = ProvinceFound(roster, run, judge(ledger, truth))
        said(f"judged in {time.monotonic() - begun:.0f} s: {found.judgement.misses[:5]}")
        _bulletins(found, url, folder / "bulletins", truth)
        if ledger.engine.dialect.name == "postgresql":
            found.sizes, found.bytes_ = sizes(ledger.engine), whole_bytes(ledger.engine)
        found.pages = page_times(ledger, roster.end_ns)
        return found
    except Exception:
        said(traceback.format_exc())
        raise
    finally:
        ledger.close()


def _bulletins(found: ProvinceFound, url: str, folder: Path, truth: ManyTruth) -> None:
    weeks = list(truth.weeks())
    for before, period in zip([None, *weeks], [*weeks, None], strict=True):
        period = period or truth.whole()
        made = make_bulletin(url, period, truth, folder)
        found.bulletin_s[period.name] = made.seconds
        found.judgement.misses += judge_bulletin(made, before if period.name != "all" else None, truth)
