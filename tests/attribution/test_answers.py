"""Whose an address was.

At a reassignment, behind translators, in VRFs, in books that overlap; and when nobody is named.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as bounded
from hypothesis import strategies as st

from sensor.attribution import Attributor, load_books
from sensor.attribution.settings import AttributionSettings, PointConfig
from sensor.attribution.sources.inventory import Config
from sensor.model.attribution import Attribution
from sensor.sheets.dates import moment_ns
from tests.attribution.conftest import Books

HEAD = "起始IP地址,终止IP地址,使用方式,使用日期,截止日期,单位名称,单位性质,证件号码,VRF,VLAN,用户数,单位详细地址\n"
COPPER, TIN = "91320505MADEM0002J", "91320500MADEM0004G"
INVENTORY = "kind: inventory, path: book.csv"


def at(text: str) -> int:
    return moment_ns(text, 0)[0]


NOW = at("2026-03-02 08:00:00")


def row(first: str, last: str, name: str, use: str = "静态", **said: str) -> str:
    """A line of the book; `said` are the other columns."""
    rest = (said.get(key, "") for key in ("vrf", "vlan", "many", "street"))
    return (
        ",".join(
            (first, last, use, said.get("since", ""), said.get("until", ""), name, "企业", said.get("code", ""), *rest)
        )
        + "\n"
    )


def name(answer: Attribution) -> str | None:
    """The enterprise that is named, and nothing else may name one."""
    assert (answer.enterprise is not None) == (answer.result == "named")
    assert answer.reasons
    return answer.enterprise.name if answer.enterprise else None


def test_before_during_and_after_a_reassignment_the_right_one_is_named(books: Books) -> None:
    rows = row("192.0.2.0", "192.0.2.7", "铜公司", since="2024-01-01", until="2025-06-30", code=COPPER)
    rows += row("192.0.2.0", "192.0.2.7", "锡公司", since="2025-08-01", code=TIN)
    loaded = books(INVENTORY, book_csv=HEAD + rows)
    when = {
        "2023-12-31": None,
        "2024-06-01": "铜公司",
        "2025-06-30 15:59:59": "铜公司",
        "2025-06-30 16:00:00": None,
        "2025-08-01": "锡公司",
    }
    assert {text: name(loaded.answer("192.0.2.3", 3333, at(text))) for text in when} == when  # days are those of UTC+8
    assert loaded.answer("192.0.2.3", None, at("2025-07-15")).result == "unknown"
    (why,) = {why for _, why in loaded.others("192.0.2.3", None, at("2023-01-01"))}
    assert why == "begins later"


def test_a_narrow_range_that_is_not_yet_valid_does_not_hide_the_wide_one(books: Books) -> None:
    rows = row("192.0.2.0", "192.0.2.255", "铜公司", code=COPPER) + row(
        "192.0.2.8", "192.0.2.8", "锡公司", since="2026-01-01", code=TIN
    )
    loaded = books(INVENTORY, book_csv=HEAD + rows)
    assert name(loaded.answer("192.0.2.8", None, at("2025-01-01"))) == "铜公司"
    answer = loaded.answer("192.0.2.8", None, NOW)
    assert name(answer) == "锡公司"
    assert [(claim.standing, claim.enterprise.name) for claim in answer.claims if claim.enterprise] == [
        ("answer", "锡公司"),
        ("wider", "铜公司"),
    ]


def test_behind_a_translator_two_ports_are_two_subscribers_and_no_port_is_nobody(books: Books) -> None:
    rows = row("192.0.2.0", "192.0.2.255", "宽带公司", use="NAT地址池", many="64", code=TIN)
    nat = "公网IP,起始端口,终止端口,账号,开始时间,结束时间\n"
    nat += (
        "192.0.2.9,1024,2047,a1,2026-03-02 15:00:00,2026-03-02 17:00:00\n"
        "192.0.2.9,2048,3071,a2,2026-03-02 15:00:00,2026-03-02 17:00:00\n"
    )
    accounts = "账号,单位名称,证件号码\na1,铜公司,\na2,锡店,\n"
    loaded = books(
        f"{INVENTORY}\nkind: leases, format: nat-csv, path: nat.csv\nkind: inventory, preset: customers, path: who.csv",
        book_csv=HEAD + rows,
        nat_csv=nat,
        who_csv=accounts,
    )
    assert [name(loaded.answer("192.0.2.9", port, NOW)) for port in (1024, 2047, 2048, 3071)] == [
        "铜公司",
        "铜公司",
        "锡店",
        "锡店",
    ]
    for port in (None, 80, 4000):
        answer = loaded.answer("192.0.2.9", port, NOW)
        assert (answer.result, answer.enterprise) == ("shared", None)
        assert "one of at least 2 subscribers" in answer.reasons[0]
    pool = loaded.answer("192.0.2.10", 1500, NOW)
    assert (pool.result, pool.enterprise) == ("shared", None)
    assert "one of 64 subscribers" in pool.reasons[0]
    late = loaded.answer(
        "192.0.2.9", 1500, at("2026-03-02 09:30:00")
    )  # the lease ended at 09:00 UTC: the pool alone is left
    assert (late.result, late.enterprise) == ("shared", None)


def test_an_account_that_no_book_has_names_nobody_even_inside_a_wider_range(books: Books) -> None:
    nat = (
        "公网IP,起始端口,终止端口,账号,开始时间,结束时间\n"
        "192.0.2.9,1024,2047,a7,2026-03-02 15:00:00,2026-03-02 17:00:00\n"
    )
    loaded = books(
        f"{INVENTORY}\nkind: leases, format: nat-csv, path: nat.csv",
        book_csv=HEAD + row("192.0.2.0", "192.0.2.255", "宽带公司", code=TIN),
        nat_csv=nat,
    )
    answer = loaded.answer("192.0.2.9", 1500, NOW)
    assert (answer.result, answer.enterprise) == ("unknown", None)
    assert "no customer book has that account" in answer.reasons[0]
    assert [claim.standing for claim in answer.claims] == ["shared", "wider"]


def test_accounts_that_were_given_on_are_named_by_their_time_and_disputed_ones_not_at_all(books: Books) -> None:
    nat = "公网IP,起始端口,终止端口,账号,开始时间,结束时间\n"
    nat += (
        "192.0.2.9,1,9,a1,2024-01-01 00:00:00,2026-12-31 00:00:00\n"
        "192.0.2.9,10,19,a2,2024-01-01 00:00:00,2026-12-31 00:00:00\n"
    )
    who = (
        "账号,单位名称,使用日期,截止日期\na1,铜公司,2024-01-01,2024-12-31\na1,锡公司,2025-01-01,\na2,铜公司,,\n"
        "a2,锡公司,,\n"
    )
    loaded = books(
        "kind: leases, format: nat-csv, path: nat.csv\nkind: inventory, preset: customers, path: who.csv",
        nat_csv=nat,
        who_csv=who,
    )
    assert name(loaded.answer("192.0.2.9", 5, at("2024-06-01"))) == "铜公司"
    assert name(loaded.answer("192.0.2.9", 5, NOW)) == "锡公司"
    disputed = loaded.answer("192.0.2.9", 15, NOW)
    assert (name(disputed), disputed.result) == (None, "unknown")
    assert "customer books disagree" in disputed.reasons[0]


def test_one_address_in_two_vrfs_is_two_enterprises_and_without_the_vrf_nobody(books: Books) -> None:
    rows = row("10.0.0.5", "10.0.0.5", "铜公司", vrf="red", code=COPPER) + row(
        "10.0.0.5", "10.0.0.5", "锡公司", vrf="blue", code=TIN
    )
    loaded = books(INVENTORY, book_csv=HEAD + rows)
    assert name(loaded.answer("10.0.0.5", None, NOW, vrf="red")) == "铜公司"
    assert name(loaded.answer("10.0.0.5", None, NOW, vrf="blue")) == "锡公司"
    for vrf in (None, "green"):
        assert loaded.answer("10.0.0.5", None, NOW, vrf=vrf).result == "unknown"


def test_the_observation_point_decides_between_vlans_and_an_unseen_vlan_names_nobody(books: Books) -> None:
    rows = row("10.0.0.5", "10.0.0.5", "铜公司", vlan="100", code=COPPER) + row(
        "10.0.0.5", "10.0.0.5", "锡公司", vlan="200", code=TIN
    )
    loaded = books(INVENTORY, book_csv=HEAD + rows)
    assert name(loaded.answer("10.0.0.5", None, NOW, vlan=(100,))) == "铜公司"
    assert name(loaded.answer("10.0.0.5", None, NOW, vlan=(5, 200))) == "锡公司"
    assert loaded.answer("10.0.0.5", None, NOW, vlan=(300,)).result == "unknown"
    unseen = loaded.answer("10.0.0.5", None, NOW)
    assert (unseen.result, unseen.enterprise) == ("conflict", None)


def test_a_narrower_row_of_another_vlan_takes_the_wider_holders_name_back(books: Books) -> None:
    rows = row("10.0.0.0", "10.0.0.255", "铜公司", code=COPPER) + row(
        "10.0.0.5", "10.0.0.5", "锡公司", vlan="100", code=TIN
    )
    loaded = books(INVENTORY, book_csv=HEAD + rows)
    assert name(loaded.answer("10.0.0.5", None, NOW, vlan=(100,))) == "锡公司"
    assert name(loaded.answer("10.0.0.6", None, NOW, vlan=(5,))) == "铜公司"
    answer = loaded.answer("10.0.0.5", None, NOW, vlan=(5,))
    assert (answer.result, answer.enterprise) == ("conflict", None)
    assert "10.0.0.5/32, VLAN 100 of 锡公司 (book.csv:3) is narrower" in answer.reasons[0]


def test_a_book_that_is_much_older_than_the_traffic_is_said_to_be(books: Books) -> None:
    book = HEAD + row("192.0.2.0", "192.0.2.7", "铜公司", code=COPPER)
    old = books(f"{INVENTORY}, as_of: 2024-01-01", book_csv=book).answer("192.0.2.1", None, NOW)
    assert "the book is 791 days older than what was seen" in old.reasons
    assert not [
        reason
        for reason in books(f"{INVENTORY}, as_of: 2026-02-01", book_csv=book).answer("192.0.2.1", None, NOW).reasons
        if "older" in reason
    ]


def test_a_configured_point_turns_an_interface_into_its_vrf(tmp_path: Path) -> None:
    book = HEAD + row("10.0.0.5", "10.0.0.5", "铜公司", vrf="red", code=COPPER)
    loaded = load_books(
        AttributionSettings(
            sources=_sources(tmp_path, book),
            points=[PointConfig(vrf="red", interface="eth1"), PointConfig(vrf="red", vlan=9)],
        )
    )
    assert name(loaded.answer("10.0.0.5", None, NOW, interface="eth1")) == "铜公司"
    assert name(loaded.answer("10.0.0.5", None, NOW, vlan=(9,))) == "铜公司"
    assert name(loaded.answer("10.0.0.5", None, NOW, interface="eth0")) is None


def _sources(folder: Path, book: str) -> list[Config]:
    path = folder / "book.csv"
    path.write_text(book, encoding="utf-8")
    return [Config(kind="inventory", path=str(path))]


def test_books_of_equal_weight_that_disagree_name_nobody_and_show_both(books: Books) -> None:
    one, two = row("192.0.2.0", "192.0.2.7", "铜公司", code=COPPER), row("192.0.2.0", "192.0.2.7", "锡公司", code=TIN)
    loaded = books(
        "kind: inventory, path: one.csv\nkind: inventory, path: two.csv", one_csv=HEAD + one, two_csv=HEAD + two
    )
    answer = loaded.answer("192.0.2.1", None, NOW)
    assert (answer.result, answer.enterprise, answer.site) == ("conflict", None, None)
    assert {claim.enterprise.name for claim in answer.claims if claim.enterprise} == {"铜公司", "锡公司"}
    assert {claim.standing for claim in answer.claims} == {"conflict"}
    assert "one.csv:2" in answer.reasons[0]
    assert "two.csv:2" in answer.reasons[0]


def test_a_book_that_is_believed_more_is_followed_and_the_other_is_shown(books: Books) -> None:
    one, two = row("192.0.2.0", "192.0.2.7", "铜公司", code=COPPER), row("192.0.2.0", "192.0.2.7", "锡公司", code=TIN)
    loaded = books(
        "kind: inventory, path: one.csv, strength: 0.5\nkind: inventory, path: two.csv",
        one_csv=HEAD + one,
        two_csv=HEAD + two,
    )
    answer = loaded.answer("192.0.2.1", None, NOW)
    assert name(answer) == "锡公司"
    assert [claim.standing for claim in answer.claims] == ["answer", "conflict"]
    assert any("one.csv:2 says otherwise" in reason for reason in answer.reasons)


def test_ranges_that_cross_name_nobody_where_they_cross(books: Books) -> None:
    rows = row("192.0.2.0", "192.0.2.9", "铜公司", code=COPPER) + row("192.0.2.5", "192.0.2.30", "锡公司", code=TIN)
    loaded = books(INVENTORY, book_csv=HEAD + rows)
    assert [loaded.answer(f"192.0.2.{last}", None, NOW).result for last in (4, 5, 9, 10)] == [
        "named",
        "conflict",
        "conflict",
        "named",
    ]


def test_books_that_agree_name_one_and_leave_open_premises_that_differ(books: Books) -> None:
    one = row("192.0.2.0", "192.0.2.7", "铜公司", code=COPPER, street="一号路")
    two = row("192.0.2.0", "192.0.2.7", "铜 公司（旧名）", code=COPPER, street="二号路")
    loaded = books(
        "kind: inventory, path: one.csv\nkind: inventory, path: two.csv", one_csv=HEAD + one, two_csv=HEAD + two
    )
    answer = loaded.answer("192.0.2.1", None, NOW)
    assert name(answer) == "铜公司"
    assert answer.site is None
    assert any("differ on the premises" in reason for reason in answer.reasons)
    assert answer.enterprise is not None
    assert answer.enterprise.aliases == ("铜 公司（旧名）",)


def test_a_name_without_a_code_is_the_weaker_claim_and_a_shared_name_is_not_joined(books: Books) -> None:
    rows = row("192.0.2.0", "192.0.2.0", "铜公司", code=COPPER) + row("192.0.2.1", "192.0.2.1", "铜公司")
    rows += row("192.0.2.2", "192.0.2.2", "同名公司", code=TIN) + row(
        "192.0.2.3", "192.0.2.3", "同名公司", code="91320100MADEM0005Y"
    )
    rows += row("192.0.2.4", "192.0.2.4", "同名公司")
    loaded = books(INVENTORY, book_csv=HEAD + rows)
    coded, named = loaded.answer("192.0.2.0", None, NOW), loaded.answer("192.0.2.1", None, NOW)
    assert coded.enterprise is not None
    assert named.enterprise is not None
    assert (coded.enterprise.enterprise_id, coded.enterprise.identified_by) == (COPPER, "code")
    assert (named.enterprise.enterprise_id, named.enterprise.identified_by) == (COPPER, "name")
    assert named.claims[0].strength < coded.claims[0].strength
    assert any("by its name alone" in reason for reason in named.reasons)
    alone = loaded.answer("192.0.2.4", None, NOW).enterprise
    assert alone is not None
    assert alone.uscc is None


def test_a_carriers_own_range_and_a_registrant_accuse_nobody(books: Books) -> None:
    head = "起始IP地址,终止IP地址,单位名称,单位分类\n"
    loaded = books(
        f"{INVENTORY}\nkind: registry, format: delegated, path: stats.txt\nkind: routes, path: routes.csv",
        book_csv=head + "192.0.2.0,192.0.2.255,宽带公司,1\n",
        stats_txt="apnic|CN|ipv4|198.51.100.0|256|20110811|assigned|A1\n",
        routes_csv="198.51.100.0/24,64496,Example carrier\n",
    )
    assert loaded.answer("192.0.2.4", None, NOW).result == "shared"
    answer = loaded.answer("198.51.100.1", None, NOW)
    assert (answer.result, answer.enterprise) == ("unknown", None)
    assert [(claim.source, claim.standing) for claim in answer.claims] == [
        ("registry", "context"),
        ("routes", "context"),
    ]
    assert answer.claims[1].detail == {"asn": "AS64496", "as_name": "Example carrier"}


def test_a_lease_to_a_machine_names_whoever_holds_the_range(books: Books) -> None:
    kea = "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state\n"
    kea += f"192.0.2.9,02:00:00:00:00:01,,7200,{NOW // 10**9 + 3600},1,0,0,pc9,0\n"
    loaded = books(
        f"{INVENTORY}\nkind: leases, format: kea, path: kea.csv",
        book_csv=HEAD + row("192.0.2.0", "192.0.2.255", "铜公司", code=COPPER),
        kea_csv=kea,
    )
    answer = loaded.answer("192.0.2.9", None, NOW)
    assert name(answer) == "铜公司"
    assert [(claim.standing, claim.detail.get("machine")) for claim in answer.claims] == [
        ("answer", None),
        ("machine", "02:00:00:00:00:01 pc9"),
    ]


def test_a_translator_leads_to_the_inside_address_and_its_vrf(books: Books) -> None:
    nat = "公网IP,公网端口,私网IP,开始时间,结束时间\n192.0.2.9,4000,10.0.0.5,2026-03-02 15:00:00,2026-03-02 17:00:00\n"
    nat += "192.0.2.9,4001,10.0.0.6,2026-03-02 15:00:00,2026-03-02 17:00:00\n"
    nat += "192.0.2.9,4002,192.0.2.9,2026-03-02 15:00:00,2026-03-02 17:00:00\n"
    rows = row("10.0.0.5", "10.0.0.5", "铜公司", vrf="red", code=COPPER) + row(
        "10.0.0.5", "10.0.0.5", "锡公司", code=TIN
    )
    loaded = books(
        f"{INVENTORY}\nkind: leases, format: nat-csv, inside_vrf: red, path: nat.csv",
        book_csv=HEAD + rows,
        nat_csv=nat,
    )
    answer = loaded.answer("192.0.2.9", 4000, NOW)
    assert name(answer) == "铜公司"
    assert "was translated from 10.0.0.5" in answer.reasons[0]
    assert loaded.answer("192.0.2.9", 4001, NOW).enterprise is None  # nobody has the inside address
    assert loaded.answer("192.0.2.9", 4002, NOW).enterprise is None  # a loop


def test_ipv4_inside_ipv6_is_the_same_address(books: Books) -> None:
    loaded = books(INVENTORY, book_csv=HEAD + row("192.0.2.0", "192.0.2.7", "铜公司", code=COPPER))
    assert name(loaded.answer("::ffff:192.0.2.3", None, NOW)) == "铜公司"


def test_an_answer_reads_no_file_and_asks_no_network(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = books(INVENTORY, book_csv=HEAD + row("192.0.2.0", "192.0.2.7", "铜公司", code=COPPER))

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a file or a socket was opened")

    for place in ("builtins.open", "io.open", "os.open", "socket.socket", "socket.getaddrinfo"):
        monkeypatch.setattr(place, refuse)
    answers = [loaded.answer(f"192.0.2.{last}", 4000, NOW) for last in (1, 9)]
    monkeypatch.undo()
    assert [answer.result for answer in answers] == ["named", "unknown"]


def test_every_answer_is_counted_by_its_result(books: Books) -> None:
    rows = row("192.0.2.0", "192.0.2.0", "铜公司", code=COPPER) + row("192.0.2.1", "192.0.2.1", "池", use="NAT")
    rows += (
        row("192.0.2.2", "192.0.2.2", "铜公司", code=COPPER)
        + row("192.0.2.2", "192.0.2.2", "锡公司", code=TIN)
        + row("x", "", "坏行")
    )
    loaded = books(INVENTORY, book_csv=HEAD + rows)
    for last in range(4):
        loaded.answer(f"192.0.2.{last}", None, NOW)
    figures = loaded.stats()
    assert {key: figures[key] for key in figures if key.startswith("lookups")} == {
        "lookups_named": 1,
        "lookups_shared": 1,
        "lookups_conflict": 1,
        "lookups_unknown": 1,
    }
    assert (figures["rows"], figures["rejected_rows"], figures["books"], figures["enterprises"]) == (4, 1, 1, 3)
    assert figures["loaded_timestamp_seconds"] >= figures["oldest_book_timestamp_seconds"] > 0


@pytest.fixture(scope="module")
def some(tmp_path_factory: pytest.TempPathFactory) -> Attributor:
    book = HEAD + row("192.0.2.0", "192.0.2.7", "铜公司", code=COPPER)
    return load_books(AttributionSettings(sources=_sources(tmp_path_factory.mktemp("books"), book)))


@bounded(max_examples=200, deadline=None)
@given(
    st.text(max_size=20) | st.ip_addresses().map(str),
    st.none() | st.integers(),
    st.integers(),
    st.lists(st.integers(), max_size=3),
)
def test_whatever_is_asked_there_is_an_answer(
    some: Attributor, address: str, port: int | None, at_ns: int, vlans: list[int]
) -> None:
    answer = some.answer(address, port, at_ns, vlan=tuple(vlans), interface=address, vrf=address)
    assert answer.result == "unknown"
    assert answer.reasons
