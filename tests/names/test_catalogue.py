"""What a listed name may say: miners' hosts name a pool, web sites never do; suffixes are of whole labels."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.model.domain import host_text, registrable
from sensor.model.evidence import Grade
from sensor.names.catalogue import LONG_NS, listed, looked_up, seen_in_connection, shown_by_certificate
from sensor.signatures import SignatureError, load
from sensor.signatures.pools import SERVES, may_serve_stratum
from tests.session.dialogue import shipped

ROWS = shipped().pools.rows
STRATUM = sorted(suffix for suffix, row in ROWS.items() if row.serves == "stratum")
OTHERS = sorted(suffix for suffix, row in ROWS.items() if row.serves != "stratum")
OWN = """kind: pools
name: own
description: x
references: [y]
pools:
  - {suffix: %s, name: Own, operator: Own, serves: %s, source: z, confidence: high}
examples: [{host: %s, name: Own}]
"""


def best(host: str, port: int = 443, lasted_ns: int = 1 << 60) -> Grade | None:
    found = listed(shipped().pools, host)
    return None if found is None else seen_in_connection(found, "sent", port, lasted_ns).grade


def test_every_shipped_row_says_what_it_serves() -> None:
    for file in ("pools.yaml", "browser-miners.yaml"):
        text = (Path(__file__).parents[2] / "signatures" / "pools" / file).read_text()
        rows = [row for row in text.splitlines() if row.startswith("  - {suffix:")]
        assert rows
        assert all(any(f" serves: {value}, " in row for value in SERVES) for row in rows)


@pytest.mark.parametrize("host", STRATUM)
def test_a_host_for_miners_is_no_domain_and_its_web_names_name_nobody(host: str) -> None:
    assert may_serve_stratum(host)
    assert best(host) is Grade.NAMED
    for visited in (f"www.{host}", f"api.{host}", f"dashboard.{host}"):
        assert best(visited) is Grade.LOOKED_UP
    for visited in (registrable(host), f"www.{registrable(host)}"):
        assert best(visited) in (None, Grade.LOOKED_UP)


@pytest.mark.parametrize("host", OTHERS)
def test_what_may_have_a_web_site_is_never_more_than_looked_up(host: str) -> None:
    row = ROWS[host]
    for port in (*row.ports, *row.tls_ports, 443):
        assert best(host, port) is Grade.LOOKED_UP
        assert best(f"eu1.{host}", port) in (Grade.LOOKED_UP, Grade.NAMED)  # a longer row may know it


@given(st.sampled_from(STRATUM), st.text("abcz-9", min_size=1, max_size=8))
def test_a_suffix_is_of_whole_labels(host: str, text: str) -> None:
    beside = listed(shipped().pools, f"{text}{host}")
    assert beside is None or f"{text}{host}".endswith(f".{beside.row.suffix}")
    assert best(f"{host}.{text}") is None


def test_a_port_that_is_listed_or_ten_minutes_are_needed() -> None:
    found = listed(shipped().pools, "gulf.moneroocean.stream")
    assert found is not None
    grade = [seen_in_connection(found, "sent", port, ns).grade for port, ns in ((20_128, 0), (8_443, LONG_NS))]
    assert grade == [Grade.NAMED, Grade.CONTACTED]
    assert seen_in_connection(found, "sent", 8_443, LONG_NS + 1).grade is Grade.NAMED
    assert looked_up(found).grade is Grade.LOOKED_UP


def test_a_certificate_with_a_web_site_among_its_names_names_nobody() -> None:
    pools = shipped().pools
    alone = shown_by_certificate(pools, ("pool.supportxmr.com",))
    assert alone is not None
    assert alone.is_stratum
    for beside in ("www.supportxmr.com", "supportxmr.com", "shop.example", "*.supportxmr.com"):
        found = shown_by_certificate(pools, ("pool.supportxmr.com", beside))
        assert found is not None
        assert not found.is_stratum
    assert shown_by_certificate(pools, ("shop.example",)) is None
    assert shown_by_certificate(pools, ()) is None


def test_the_services_for_browsers_are_old_and_only_ever_looked_up() -> None:
    rows = [row for row in ROWS.values() if row.table == "browser-miners"]
    assert len(rows) >= 40
    assert {(row.serves, row.stale) for row in rows} == {("web", True)}
    assert {"Coinhive", "CoinImp", "Crypto-Loot", "JSEcoin", "WebMinePool"} <= {row.operator for row in rows}
    found = listed(shipped().pools, "ws012.coinhive.com")
    assert found is not None
    assert looked_up(found).strength == "stale"
    assert seen_in_connection(found, "sent", 443, 1 << 60) == (Grade.LOOKED_UP, "stale")


@pytest.mark.parametrize(
    ("host", "serves", "sentence"),
    [
        ("mine.pool.example", "stratums", "own.yaml:6: pools[0].serves: must be one of stratum, web, both; did you"),
        ("pool.example", "stratum", "own.yaml:6: pools[0].serves: pool.example may have a web site"),
        ("www.pool.example", "stratum", "own.yaml:6: pools[0].serves: www.pool.example may have a web site"),
        ("pool.co.uk", "stratum", "own.yaml:6: pools[0].serves: pool.co.uk may have a web site"),
    ],
)
def test_a_wrong_value_is_refused_with_file_and_row(host: str, serves: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(OWN % (host, serves, host))
    with pytest.raises(SignatureError) as caught:
        load([path])
    assert any(sentence in problem for problem in caught.value.problems), caught.value.problems


def test_a_row_that_does_not_say_may_have_a_web_site(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text((OWN % ("mine.pool.example", "both", "mine.pool.example")).replace("serves: both, ", ""))
    assert load([path]).pools.rows["mine.pool.example"].serves == "both"


@given(st.binary(max_size=300))
def test_no_bytes_make_a_name_raise(name: bytes) -> None:
    host = host_text(name)
    assert host == host.lower()
    assert not host or "." in host
    registrable(host)
    listed(shipped().pools, host)
    shipped().resolvers.hides(host)


def test_a_domain_is_what_somebody_registered() -> None:
    assert registrable("a.b.pool.example") == "pool.example"
    assert registrable("eu.pool.co.uk") == "pool.co.uk"
    assert registrable("solohash.co.uk") == "solohash.co.uk"
    assert [registrable(host) for host in ("co.uk", "uk", "", "..")] == ["", "", "", ""]
    assert [host_text(name) for name in (b"203.0.113.5", b"localhost", b"-a.example", b"A.Example.")] == [
        *("", "", "", "a.example"),
    ]


def test_resolvers_are_found_by_whole_labels() -> None:
    table = shipped().resolvers
    assert table.failures() == []
    assert table.hides("mozilla.cloudflare-dns.com") == "doh"
    assert table.hides("notcloudflare-dns.com") is None


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("hides: doh", "hides: dns"), ":6: resolvers[0].hides: must be one of doh, ech"),
        (("host: r.example, hides", "host: example, hides"), ":6: resolvers[0]: host must be a host name of at least"),
        (("examples: [{host: r.example, hides: doh}]\n", ""), "examples is missing"),
        (("source: z, ", ""), "source is missing"),
    ],
)
def test_a_mistake_in_a_table_of_resolvers_has_its_place(
    change: tuple[str, str], sentence: str, tmp_path: Path
) -> None:
    head = "kind: resolvers\nname: own\ndescription: x\nreferences: [y]\nresolvers:\n"
    row = "  - {host: r.example, hides: doh, source: z, confidence: high}\n"
    path = tmp_path / "own.yaml"
    path.write_text((head + row + "examples: [{host: r.example, hides: doh}]\n").replace(*change))
    with pytest.raises(SignatureError) as caught:
        load([path])
    assert any(sentence in problem for problem in caught.value.problems), caught.value.problems
