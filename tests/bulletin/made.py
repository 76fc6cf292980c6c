"""Summaries for tests: any that a ledger might give, and one of each thing, as a document."""

from __future__ import annotations

import dataclasses
from datetime import date
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from exporters.forms.documents.bulletin import document as bulletin
from exporters.forms.documents.model import Document
from sensor.attribution.books.divisions import Divisions
from sensor.bulletin.aggregate import Frame, figures
from sensor.bulletin.owners import OwnerDisplay
from sensor.bulletin.period import week_of
from sensor.model.attribution import Enterprise, Site
from sensor.model.coverage import Coverage, ListeningSpan, SensorCoverage
from sensor.model.evidence import Grade
from sensor.model.figures import Figures, MeterCheck, Rates, Reason
from sensor.model.range import Range
from sensor.model.rates import MiningTimes
from sensor.model.summary import Case, Line, SiteClass, SiteSummary, Summary
from sensor.model.unproven import Unlisted, Unproven

PERIOD = week_of("2026-W10", ZoneInfo("Asia/Shanghai"), date(2026, 3, 10))
RATES = Rates(0.5366, 0.30)
HOUR = 3_600_000_000_000
DIVISIONS = Divisions()
ALGORITHMS = ("sha256d", "etchash", "rx/0", "equihash/200,9", None)


def line(number: int, kwh: float = 10.0, **changes: object) -> Line:
    """One line of a week."""
    given: dict[str, object] = {
        "address": f"192.0.2.{number}", "site_id": number, "algorithm": "sha256d", "work_unit": "hashes",
        "coins": ("BTC",), "pools": ("pool.example",), "dialects": ("stratum-v1",), "grade": Grade.ACCEPTED,
        "machines": 1, "first_ns": PERIOD.from_ns, "last_ns": PERIOD.to_ns - HOUR,
        "seconds": 3600.0, "sessions": 1, "shares": 10, "accepted": 9, "work_hashes": 1e15,
        "hashes": Range(8e14, 1e15, 1.3e15, 1e28), "energy_kwh": Range(0.8 * kwh, kwh, 1.5 * kwh, kwh * kwh / 100),
        "stream_bytes": 4000, "capture_loss": 0.0, "new": False, "case_id": None, "sensors": ("edge",),
        "times": MiningTimes(3600.0, 7 * 86_400.0, 1.0),
    }  # fmt: skip
    whole = {**given, **changes}
    return Line(**{"address_new": whole["new"], **whole})  # type: ignore[arg-type]


def watched(from_ns: int, to_ns: int, part: float = 1.0, sensor: str = "edge") -> Coverage:
    """A period of which one sensor listened to the first part."""
    stretches = (ListeningSpan(from_ns, from_ns + int(part * (to_ns - from_ns))),) if part else ()
    return Coverage(from_ns, to_ns, (SensorCoverage(sensor, stretches),))


def site(
    number: int, category: str | None = "enterprise", division: str = "320505", name: str | None = None
) -> SiteSummary:
    """One site."""
    whose = Enterprise(f"name:{number}", name or f"某单位{number}", None, category)
    kind = SiteClass("mine", 0.9, ("many machines",))
    return SiteSummary(number, whose, Site(f"某路{number}号", division, None), kind, PERIOD.from_ns, PERIOD.to_ns)


def summary(
    lines: list[Line],
    sites: list[SiteSummary],
    gone: tuple[Line, ...] = (),
    cases: tuple[Case, ...] = (),
    before: bool = False,
    part: float = 1.0,
    unobserved: tuple[Line, ...] = (),
) -> Summary:
    """A week with these lines, of which so much was watched."""
    period = PERIOD.before if before else PERIOD
    coverage = watched(period.from_ns, period.to_ns, part)
    places = {one.site_id: one for one in sites}
    return Summary(period.from_ns, period.to_ns, tuple(lines), gone, places, cases, coverage, 0.01, (), unobserved)


def frame(region: str | None = None, name_persons: bool = False) -> Frame:
    """A bulletin's frame."""
    return Frame(PERIOD, region, OwnerDisplay(DIVISIONS, 2026, name_persons), RATES)


def unproven(whose: SiteSummary, name: str) -> Unproven:
    """A finding to be checked at a site."""
    ends = (f"192.0.2.{100 + whose.site_id}", whose.enterprise, whose.site, "198.51.100.9:443", name)
    return Unproven(*ends, None, 0.97, 3.4e-9, PERIOD.from_ns, PERIOD.to_ns)


@st.composite
def summaries(draw: st.DrawFn, before: bool = False) -> Summary:
    """Any summary of a few lines: addresses that mine by several algorithms, sites with and without owners, persons
    among them."""
    categories = draw(
        st.lists(st.sampled_from(("enterprise", "individual", "university", None)), min_size=1, max_size=4)
    )
    divisions = ("320505", "320302", "110105")
    sites = [site(number, category, draw(st.sampled_from(divisions))) for number, category in enumerate(categories, 1)]
    owner = st.none() | st.integers(1, len(sites))
    lines = []
    places = draw(st.lists(st.tuples(st.integers(1, 6), owner, st.sampled_from(ALGORITHMS)), max_size=10, unique=True))
    for address, site_id, algorithm in places:
        kwh = draw(st.floats(0, 1e6))
        unit = "solutions" if algorithm == "equihash/200,9" else "hashes"
        more = {
            "site_id": site_id,
            "algorithm": algorithm,
            "work_unit": unit,
            "new": draw(st.booleans()),
            "machines": draw(st.integers(1, 9)),
        }
        lines.append(line(address, kwh, grade=draw(st.sampled_from(Grade)), shares=draw(st.integers(0, 99)), **more))
    return summary(lines, sites, before=before)


def everything(name: str = "某单位") -> Figures:
    """A bulletin with one of each thing there can be; `name` stands wherever a book or the network may put one."""
    sites = [
        site(1, "enterprise", "320505", name),
        site(2, "individual", "320302", f"张三 {name}"),
        site(3, "university", "320102", f"大学 {name}"),
    ]
    case = Case(
        1,
        "notified",
        PERIOD.from_ns,
        PERIOD.from_ns,
        PERIOD.from_ns + HOUR,
        1,
        None,
        sites[0].enterprise,
        sites[0].site,
        PERIOD.from_ns,
        PERIOD.to_ns,
    )
    unknown = Case(
        2, "new", PERIOD.from_ns, PERIOD.from_ns, None, None, "192.0.2.4", None, None, PERIOD.from_ns, PERIOD.to_ns
    )
    lines = [
        line(1, 100.0, case_id=1, pools=(name,), coins=(name, "BTC")),
        line(2, 20.0, algorithm="rx/0", coins=("XMR",), new=True),
        line(3, 5.0, algorithm="equihash/200,9", work_unit="solutions", coins=("ZEC",), grade=Grade.VERIFIED),
        line(4, 1.0, site_id=None, algorithm=None, coins=(), grade=Grade.BEHAVES, case_id=2),
    ]
    gone_site = site(5, "government", "320102", f"机关 {name}")
    gone = (line(5, 7.0, site_id=5),)
    now = dataclasses.replace(
        summary(lines, [*sites, gone_site], gone, (case, unknown)),
        to_check=tuple(unproven(each, name) for each in sites),
        unlisted=(Unlisted(sites[0].site, 3),),
    )
    before = summary([line(1, 90.0), line(5, 7.0, site_id=5)], [*sites, gone_site], before=True)
    reasons = (Reason("within-load", {"low": 40.0, "high": 71.5}), Reason("flat", {"evenness": 93.0}))
    meters = (
        MeterCheck(
            name,
            "consistent",
            reasons,
            210.0,
            Range(80, 100, 150),
            frame().owners.of(sites[0]),
            1.0,
            0.93,
            Range(400, 600, 800),
        ),
        MeterCheck("另一块表", "not-comparable", (Reason("no-mining"),), None, None),
    )
    days = [
        (day.first, Range(10.0 * number, 12.0 * number, 20.0 * number)) for number, day in enumerate(PERIOD.days(), 1)
    ]
    return figures(now, before, days, frame(), meters)


def document(language: str, name: str = "某单位") -> Document:
    """The same as a document."""
    return bulletin(everything(name), language, "0")
