"""The page of a replay: the same bytes for the same packets, bounded, harmless whatever the names are, and readable
by everybody.
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporters.forms.documents.page import style
from exporters.forms.report import gaps, overview, strips
from exporters.forms.report.page import MOST_FULL, MOST_ROWS, PageContent, write
from exporters.forms.table import Trouble
from sensor.model.attribution import Attribution, Claim, Enterprise, Site
from sensor.model.evidence import Evidence, Grade
from sensor.model.finding import Finding
from sensor.model.node import Node
from sensor.model.quantities import Interval, Power, ShareTimeline
from sensor.reference.counters import NAMES
from tests.exporters import browser
from tests.ledger.made import BEGAN, SECOND, TEXT, finding, flow

RUNS = "document.documentElement.setAttribute('data-ran',1)"
NASTY = (
    f"<script>{RUNS}</script>",
    f'"><img src=x onerror="{RUNS}">',
    f"'><svg onload={RUNS}>",
    f"</style><script>{RUNS}</script>",
    "=cmd|' /C calc'!A0",
    "line\nbreak\r\x00\x1b[31m",
    "\u202eevil\u202c\u200f\u2066",
    "{{ 7*7 }}{% raw %}",
    "\ud800 &amp; & <b>",
    "</title></head>",
)
VOID = {"meta", "br", "img", "link", "hr", "input", "rect"}


class Tree(HTMLParser):
    """Elements and attributes of a page; every one must be closed in its turn."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: Counter[str] = Counter()
        self.attributes: list[tuple[str, str]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.attributes if key == name]


def page(
    findings: list[Finding], nodes: tuple[Node, ...] = (), counters: Mapping[str, int] | None = None, **more: object
) -> str:
    lines = {"messages": 3, "messages_unknown": 1, "malformed_not_json": 2}
    moved = (
        {"packets": 10, "segments": 8, "ignored_ethertype": 2, "bytes": 999, "last_packet_ns": BEGAN}
        if counters is None
        else counters
    )
    seen = PageContent(findings, nodes, (), ("a.pcap",), moved, lines, 0.0, "minewatch 0, test engine")
    return "".join(write(dataclasses.replace(seen, **more)))  # type: ignore[arg-type]


def full(text: str = "plain", number: int = 1) -> Finding:
    """A finding that has everything, with this text wherever the network or a book may put one."""
    company = Enterprise("1", text, "91320500MA1EXAMPLE", "enterprise", text, "code", (text,))
    claim = Claim(
        "inventory", f"/x/{text}", BEGAN, 0.9, text, "answer", text, company, Site(text, "320500", text), text
    )
    answer = Attribution("10.0.0.1", 1, BEGAN, "named", company, Site(text, "320500", text), (claim,), (text,))
    evidence = Evidence(Grade.VERIFIED, text, BEGAN, text, "miner", 77, text, {"message": text, "proof": text})
    link = dataclasses.replace(
        flow(number), login=text, worker=text, agent=text, source=text, transport=text, client=text
    )
    return finding(
        number,
        (link,),
        login=text,
        worker=text,
        workers=(text,),
        agent=text,
        software=text,
        device=text,
        coin=text,
        algorithm=text,
        dialect=text,
        reasons=(text,),
        estimate_notes=(text,),
        pool_host=text,
        proxy=text,
        aggregator=text,
        evidence=[evidence],
        attribution=answer,
        grade=Grade.VERIFIED,
        timeline=ShareTimeline(BEGAN, SECOND, (1, 0, 2)),
        hashrate_hps=Interval(0.5e14, 1e14, 2e14, 0.95),
        claimed_hashrate_hps=1.1e14,
        power_watts=Power(2e3, 3e3, 4e3, "device"),
        energy_kwh=Power(0.1, 0.2, 0.3, "device"),
    )


@pytest.mark.parametrize("text", NASTY)
def test_a_name_is_text_and_nothing_else_wherever_it_stands(text: str) -> None:
    trouble = Trouble(text, text, 3, 4)
    made = page([full(text)], troubles=(trouble,), sources=(text,))
    made.encode("utf-8")
    tree, plain = Tree(made), Tree(page([full()], troubles=(Trouble("a", "b", 3, 4),)))
    assert tree.elements == plain.elements
    assert not [name for name, _ in tree.attributes if name.startswith("on") or name in ("src", "style")]
    said = "".join(tree.text)
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200e\u200f\x00\x1b]", made)
    assert "49" not in said or "7*7" not in text
    assert "".join(tree.text).count("Replay report") == 1


@pytest.mark.parametrize("text", NASTY)
def test_a_name_is_text_in_chinese_too(text: str) -> None:
    html = page([full(text)], language="zh", sources=(text,))
    tree, plain = Tree(html), Tree(page([full()], language="zh"))
    assert tree.elements == plain.elements == Tree(page([full()])).elements
    assert not [name for name, _ in tree.attributes if name.startswith("on") or name in ("src", "style")]
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200e\u200f\x00\x1b]", html)
    assert tree.values("lang") == ["zh-Hans-CN"]


@settings(max_examples=25, deadline=None)
@given(TEXT, st.integers(0, 2**63 - 1), st.floats(0, 1e300), st.floats(0, 1e300))
def test_any_text_time_and_amount_gives_a_well_formed_page(text: str, time_ns: int, low: float, high: float) -> None:
    odd = dataclasses.replace(
        full(text), first_ns=time_ns, hashrate_hps=Interval(low, max(low, high / 2), max(low, high), 0.95)
    )
    made = page([dataclasses.replace(odd, timeline=ShareTimeline(time_ns, 1, (0,)), claimed_hashrate_hps=high)])
    made.encode("utf-8")
    assert Tree(made).elements["script"] == 0


def test_chromium_runs_nothing_of_what_names_hold(tmp_path: Path) -> None:
    made = page([full(text, number) for number, text in enumerate(NASTY, 1)], sources=NASTY)
    for unguarded in (made, browser.POLICY.sub("", made)):
        assert "data-ran" not in browser.dom(unguarded, tmp_path).partition("<head>")[0]
    control = browser.POLICY.sub("", made).replace("</body>", f"<script>{RUNS}</script></body>")
    assert "data-ran" in browser.dom(control, tmp_path).partition("<head>")[0]


@pytest.mark.parametrize(
    ("width", "flags"), [(1280, ()), (390, browser.DARK)], ids=["light, desktop", "dark, telephone"]
)
def test_an_accessibility_checker_has_nothing_against_it(tmp_path: Path, width: int, flags: tuple[str, ...]) -> None:
    others = [finding(number, grade=grade) for number, grade in enumerate((*Grade, *(Grade.SPEAKS,) * MOST_FULL), 2)]
    assert browser.violations(page([full(), *others]), tmp_path, *flags, width=width) == []


def test_the_keyboard_meets_everything_in_the_order_of_the_page() -> None:
    tree = Tree(page([full(number=number) for number in range(1, MOST_FULL + 3)]))
    places = tree.values("id")
    assert len(places) == len(set(places))
    assert {one.removeprefix("#") for one in tree.values("href")} <= set(places)
    assert {name for value in tree.values("aria-labelledby") for name in value.split()} <= set(places)
    assert set(tree.values("tabindex")) <= {"0"}
    assert tree.values("href")[0] == "#content"


def test_nothing_is_loaded_and_no_script_is_needed() -> None:
    made = page([full()])
    assert "default-src 'none'" in made
    assert str(style()) in made
    assert not re.search(r"(?:src|href)\s*=\s*[\"'](?!#)|url\(|@import", made)


def test_however_many_findings_there_are_the_page_opens_and_all_are_counted() -> None:
    one = full()
    many = [
        dataclasses.replace(one, finding_id=f"{number:05}", miner_ip=f"10.1.{number >> 8}.{number & 255}")
        for number in range(65_000)
    ]
    made = page(many)
    tree = Tree(made)
    assert len(made) < 4_000_000
    assert tree.elements["article"] == MOST_FULL
    assert tree.elements["tr"] < MOST_ROWS + 8 * MOST_FULL
    said = "".join(tree.text)
    assert "65,000 addresses mine at 1 pool" in said
    assert f"And {65_000 - MOST_FULL - MOST_ROWS:,} more" in said
    assert "65,000 findings" in said


@pytest.mark.parametrize(("language", "instead"), [("en", "a private person"), ("zh", "个人")])
def test_a_person_is_not_named(language: str, instead: str) -> None:
    given_name = "Zhang San of the third floor"
    one = full()
    assert one.attribution is not None
    person = Enterprise("name:1", given_name, None, "individual")
    claim = dataclasses.replace(
        one.attribution.claims[0], enterprise=person, reason=f"rented to {given_name}", subscriber="acct-7781"
    )
    answer = dataclasses.replace(one.attribution, enterprise=person, claims=(claim,), reasons=(f"{given_name} has it",))
    made = page([dataclasses.replace(one, attribution=answer)], language=language)
    assert given_name not in made
    assert "acct-7781" not in made
    assert instead in made


def test_attempts_are_not_called_mining() -> None:
    tried = finding(1, grade=Grade.BEHAVES)
    assert overview.headline([tried]) == "1 address behaves like a miner"
    assert overview.headline([tried, finding(2)]) == "1 address mines at 1 pool"
    assert overview.headline([]) == "No mining found"
    assert "nobody spoke a mining dialect" in page([])


def test_hashrates_of_different_algorithms_are_never_added() -> None:
    rate = Interval(1e12, 2e12, 3e12, 0.95)
    some = [
        finding(number, algorithm=name, hashrate_hps=rate)
        for number, name in enumerate(("sha256d", "sha256d", "scrypt"))
    ]
    assert [(one.name, one.best, one.ends) for one in overview.sums(some)] == [
        ("sha256d, 2 findings", "4 TH/s", "2 TH/s – 6 TH/s"),
        ("scrypt, 1 finding", "2 TH/s", "1 TH/s – 3 TH/s"),
    ]


def test_what_was_not_understood_is_told_by_its_reason() -> None:
    counters = {
        "packets": 100,
        "segments": 60,
        "excluded": 1,
        "ignored_ethertype": 30,
        "ignored_brand_new": 9,
        "flows_opened": 5,
    }
    lines = {
        "messages": 8,
        "messages_unknown": 3,
        "malformed_not_json": 2,
        "malformed_gap": 4,
        "replies": 6,
        "replies_unmatched": 2,
    }
    told = {row.text: row.count for group in gaps.groups({**counters, "flows_evicted": 7}, lines) for row in group.rows}
    assert told["neither IPv4 nor IPv6 (ARP, LLDP, ...)"] == "30"
    assert told["brand new"] == "9"
    assert told["messages that no dialect knows"] == "3"
    assert told["a line that is no JSON"] == "2"
    assert told["bytes the capture missed"] == "4"
    assert told["answers whose question was not seen"] == "2"
    assert told["connections forgotten because the table was full"] == "7"


@given(
    st.lists(
        st.tuples(st.integers(0, 2**62), st.integers(0, 2**40)).map(lambda one: (one[0], one[0] + one[1])), max_size=40
    )
)
def test_instants_keep_their_order_whatever_is_cut_out(times: list[tuple[int, int]]) -> None:
    axis = strips.time_axis(times)
    assert len(axis.cuts) <= strips.MOST_CUTS
    instants = sorted(instant for one in times for instant in one)
    places = [axis.place(instant) for instant in instants]
    assert places == sorted(places)
    assert all(0 <= place <= strips.WIDTH for place in places)


def test_every_counter_of_the_core_that_tells_of_something_missed_has_words() -> None:
    assert {name.removeprefix("ignored_") for name in NAMES if name.startswith("ignored_")} == set(gaps.IGNORED)
    told = (
        "_evicted",
        "_refused",
        "_spent",
        "_conflicts",
        "_window",
        "bad_ip_checksum",
        "bad_l4_checksum",
        "events_dropped",
        "kernel_dropped",
    )
    assert {name for name in NAMES if name.endswith(told)} <= set(gaps.LIMITS)
