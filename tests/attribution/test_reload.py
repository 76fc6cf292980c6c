"""Reloading is atomic: the new books are whole or refused, and the old object answers as before."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path
from typing import Literal

import pytest

from sensor.attribution import AttributionError, Attributor, load_books, settings
from sensor.attribution.index.ranges import address_text
from sensor.attribution.settings import AttributionSettings
from sensor.attribution.sources.inventory import Config
from sensor.model.finding import Finding
from sensor.sheets.dates import moment_ns
from tests.attribution.conftest import Books
from tests.session.dialogue import run, shipped

HEAD = "first,last,organisation,valid_from,valid_until\n"


def book(count: int) -> str:
    return HEAD + "".join(f"192.0.2.{last},,Copper,,\n" for last in range(count))


def test_a_book_that_lost_more_than_half_of_its_rows_is_refused_and_the_old_one_goes_on(books: Books) -> None:
    old = books("kind: inventory, path: book.csv", book_csv=book(10))
    with pytest.raises(AttributionError, match="4 rows, 10 before: more than half are gone"):
        books("kind: inventory, path: book.csv", old, book_csv=book(4))
    assert old.answer("192.0.2.9", None, 0).result == "named"
    assert (
        books("kind: inventory, path: book.csv", old, book_csv=book(5)).answer("192.0.2.9", None, 0).result == "unknown"
    )
    allowed = books("kind: inventory, path: book.csv, allow_shrink: true", old, book_csv=book(4))
    assert allowed.stats()["rows"] == 4


def test_every_problem_of_every_source_is_told_at_once(books: Books) -> None:
    sources = (
        "kind: inventory, path: none.csv\nkind: leases, format: kea, path: x.csv\nkind: inventory, path: none*.csv"
    )
    with pytest.raises(AttributionError) as caught:
        books(sources, x_csv="a\n")
    assert [problem.split(": ")[0].rpartition(":")[2] for problem in caught.value.problems] == ["3", "4", "5"]


def test_a_pattern_reads_all_its_files(books: Books) -> None:
    loaded = books(
        "kind: inventory, path: '*.csv'", a_csv=HEAD + "192.0.2.1,,Copper,,\n", b_csv=HEAD + "192.0.2.2,,Tin,,\n"
    )
    assert [loaded.answer(f"192.0.2.{last}", None, 0).result for last in (1, 2, 3)] == ["named", "named", "unknown"]


def test_how_far_a_book_is_read_is_told_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "book.csv"
    path.write_text(HEAD + "".join(f"10.0.{number // 256}.{number % 256},,Copper,,\n" for number in range(5_000)))
    told: list[tuple[str, int, int]] = []
    load_books(
        AttributionSettings(sources=[Config(kind="inventory", path=str(path))]), None, lambda *one: told.append(one)
    )
    assert len(told) >= 3
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)
    assert told[-1] == (str(path), path.stat().st_size, path.stat().st_size)


def test_every_source_is_found_by_its_file_and_described() -> None:
    """A file with a configuration and a `load`, and its part of the README: a source needs nothing else."""
    folder = Path(settings.__file__).parent
    described = (folder / "README.md").read_text(encoding="utf-8")
    files = {path.stem for path in (folder / "sources").glob("[!_]*.py")}
    assert files
    assert set(settings.kinds()) == files
    for kind in files:
        source = settings.module(kind)
        keys = source.Config.model_fields
        assert keys["kind"].annotation == Literal[kind]
        assert set(source.Config.FILE_KEYS) <= set(keys)
        assert callable(source.load)
        assert f"kind: {kind}," in described
        assert not [key for key in keys if f"`{key}" not in described and f"{key}:" not in described]


def finding() -> Finding:
    from sensor.line.examples import dialogue_events

    example = next(
        example for header in shipped().headers for example in header.examples if header.name == "stratum-v1"
    )
    return next(
        one
        for one in run(dialogue_events(example.dialogue, flow=1, proto=example.proto))[0]
        if isinstance(one, Finding)
    )


def with_flows(made: Finding, *flows: tuple[int, int]) -> Finding:
    """The finding with connections of these ports and times."""
    (flow, *_) = made.flows
    changed = [
        dataclasses.replace(flow, key=dataclasses.replace(flow.key, src_port=port), first_ns=at_ns, last_ns=at_ns)
        for port, at_ns in flows
    ]
    return dataclasses.replace(made, flows=changed)


def test_a_finding_of_several_connections_is_named_only_where_they_agree(books: Books) -> None:
    made = finding()
    ports = (
        "first,last,organisation,port_first,port_last\n"
        + f"{made.miner_ip},,Copper,1,999\n{made.miner_ip},,Tin,1000,1999\n"
    )
    loaded = books("kind: inventory, path: book.csv", book_csv=ports)
    agreed = loaded.attribute(with_flows(made, (10, 5), (20, 6))).attribution
    assert agreed is not None
    assert agreed.enterprise is not None
    assert (agreed.result, agreed.enterprise.name) == ("named", "Copper")
    apart = loaded.attribute(with_flows(made, (10, 5), (1500, 6))).attribution
    assert apart is not None
    assert (apart.result, apart.enterprise) == ("conflict", None)
    assert "different holders (Copper, Tin)" in apart.reasons[0]
    half = loaded.attribute(with_flows(made, (10, 5), (3000, 6))).attribution
    assert half is not None
    assert (half.result, half.enterprise) == ("shared", None)


def test_connections_of_one_computed_translator_are_those_of_different_inside_addresses(books: Books) -> None:
    made = finding()
    sources = f"""kind: nat, inside: 100.64.0.1-100.64.0.14, outside: {made.miner_ip}, dynamic_factor: 2
        kind: inventory, path: book.csv"""
    loaded = books(sources, book_csv="first,last,organisation\n100.64.0.1,,Copper\n100.64.0.2,,Tin\n")
    same = loaded.attribute(with_flows(made, (1024, 5), (1025, 6))).attribution
    assert same is not None
    assert same.enterprise is not None
    assert same.enterprise.name == "Copper"
    apart = loaded.attribute(with_flows(made, (1024, 5), (5056, 6))).attribution
    assert apart is not None
    assert (apart.result, apart.enterprise) == ("conflict", None)


def test_an_account_that_changes_hands_during_a_connection_names_nobody(books: Books) -> None:
    made = finding()
    nat = f"outside,inside,account,begin,end\n{made.miner_ip},,a1,2024-01-01,2030-01-01\n"
    who = "account,organisation,valid_from,valid_until\na1,Copper,2024-01-01,2025-06-30\na1,Tin,2025-07-01,\n"
    sources = "kind: leases, format: nat-csv, path: nat.csv\nkind: inventory, preset: customers, path: who.csv"
    loaded = books(sources, nat_csv=nat, who_csv=who)
    (flow, *_) = made.flows
    long = dataclasses.replace(flow, first_ns=moment_ns("2025-06-01", 0)[0], last_ns=moment_ns("2025-08-01", 0)[0])
    answer = loaded.attribute(dataclasses.replace(made, flows=[long])).attribution
    assert answer is not None
    assert (answer.result, answer.enterprise) == ("conflict", None)


def test_live_connections_are_seen_on_their_interface(books: Books) -> None:
    made = finding()
    (flow, *_) = made.flows
    book = f"first,last,organisation,interface\n{made.miner_ip},,Copper,eth1\n{made.miner_ip},,Tin,eth2\n"
    loaded = books("kind: inventory, path: book.csv", book_csv=book)
    for interface, expected in (("eth1", "Copper"), ("eth2", "Tin"), ("eth3", None)):
        seen = dataclasses.replace(made, flows=[dataclasses.replace(flow, source=interface)])
        answer = loaded.attribute(seen, live=True).attribution
        assert answer is not None
        assert (answer.enterprise and answer.enterprise.name) == expected
    answer = loaded.attribute(made).attribution
    assert answer is not None
    assert answer.result == "conflict"


def test_ranges_that_cross_beyond_reason_are_one_sentence_with_a_line(books: Books) -> None:
    rng = random.Random("crossing")
    rows = [(begin, begin + rng.randrange(1 << 20)) for begin in (rng.randrange(1 << 20) for _ in range(4_000))]
    book = HEAD + "".join(
        f"{address_text(4, 10 << 24 | first)},{address_text(4, 10 << 24 | last)},Copper,,\n" for first, last in rows
    )
    with pytest.raises(AttributionError, match=r"book\.csv:\d+: ranges cross each other beyond reason"):
        books("kind: inventory, path: book.csv", book_csv=book)


def test_it_is_the_miners_side_that_is_asked_for_whichever_end_it_is(books: Books) -> None:
    made = finding()
    loaded = books("kind: inventory, path: book.csv", book_csv=f"first,last,organisation\n{made.pool_ip},,Pool Ltd\n")
    answer = loaded.attribute(made).attribution
    assert answer is not None
    assert (answer.address, answer.enterprise) == (made.miner_ip, None)


def test_the_holder_of_a_proxy_that_carries_for_others_is_not_called_the_miner(books: Books) -> None:
    made = finding()
    loaded = books("kind: inventory, path: book.csv", book_csv=f"first,last,organisation\n{made.miner_ip},,Proxy Ltd\n")
    carried = dataclasses.replace(
        made, flows=[dataclasses.replace(flow, client="203.0.113.9:4000") for flow in made.flows]
    )
    answer = loaded.attribute(carried).attribution
    assert answer is not None
    assert (answer.result, answer.enterprise) == ("shared", None)
    assert "carried for 203.0.113.9:4000" in answer.reasons[0]


def carried_by_a_proxy(books: Books, *clients: str, proxies: str) -> tuple[str, str | None]:
    """What is said of a finding whose connections begin with these PROXY headers."""
    carried = finding()
    rows = f"first,last,organisation\n{carried.miner_ip},,Proxy Ltd\n203.0.113.9,,Miner Ltd\n203.0.113.10,,Other Ltd\n"
    loaded = books("kind: inventory, path: book.csv", book_csv=rows)
    listed = Attributor(loaded.books, proxies=[proxies])
    flows = [dataclasses.replace(carried.flows[0], client=client) for client in clients]
    answer = listed.attribute(dataclasses.replace(carried, flows=flows)).attribution
    assert answer is not None
    return answer.result, answer.enterprise and answer.enterprise.name


def test_whom_a_listed_proxy_states_is_named_and_whom_another_sender_states_is_not(books: Books) -> None:
    own = f"{finding().miner_ip}/32"
    assert carried_by_a_proxy(books, "203.0.113.9:4000", proxies=own) == ("named", "Miner Ltd")
    assert carried_by_a_proxy(books, "203.0.113.9:4000", "203.0.113.9:4001", proxies=own) == ("named", "Miner Ltd")
    assert carried_by_a_proxy(books, "203.0.113.9:4000", proxies="192.0.2.0/24") == ("shared", None)
    assert carried_by_a_proxy(books, "203.0.113.9:4000", "203.0.113.10:4000", proxies=own) == ("shared", None)
    assert carried_by_a_proxy(books, "no address", proxies=own) == ("shared", None)
