"""Answers where a question lies at a border: no port, the beginning of time, as many claims as are shown, two inside
addresses behind one port, an interface alone.
"""

from __future__ import annotations

import pytest

from sensor.attribution.answer.explanation import MOST_CLAIMS
from sensor.sheets.dates import ALWAYS
from tests.attribution.conftest import Books
from tests.attribution.test_answers import COPPER, HEAD, INVENTORY, NOW, TIN, name, row
from tests.attribution.test_answers import at as moment

NAT = "公网IP,起始端口,终止端口,账号,开始时间,结束时间\n"
INSIDE = {"one_csv": "10.0.0.5", "two_csv": "10.0.0.6"}
TIMES = "2026-03-02 15:00:00,2026-03-02 17:00:00"


@pytest.mark.parametrize("port", [None, -1, 65_536, 10**9, "1"])
def test_a_port_that_is_none_is_no_low_port_either(books: Books, port: int | None) -> None:
    loaded = books(
        "kind: leases, format: nat-csv, path: nat.csv\nkind: inventory, preset: customers, path: who.csv",
        nat_csv=NAT + f"192.0.2.9,0,1023,a1,{TIMES}\n192.0.2.9,1024,65535,a2,{TIMES}\n",
        who_csv="账号,单位名称,证件号码\na1,铜公司,\na2,锡公司,\n",
    )
    assert [name(loaded.answer("192.0.2.9", known, NOW)) for known in (0, 1, 65_535)] == ["铜公司", "铜公司", "锡公司"]
    assert (loaded.answer("192.0.2.9", port, NOW).result, name(loaded.answer("192.0.2.9", port, NOW))) == (
        "shared",
        None,
    )


def test_at_the_beginning_of_time_who_came_later_is_not_named(books: Books) -> None:
    rows = row("192.0.2.0", "192.0.2.7", "铜公司", until="2025-06-30", code=COPPER)
    rows += row("192.0.2.0", "192.0.2.7", "锡公司", since="2025-08-01", code=TIN)
    loaded = books(INVENTORY, book_csv=HEAD + rows)
    times = (ALWAYS - 1, ALWAYS, ALWAYS + 1, NOW, 1 << 80)
    assert [name(loaded.answer("192.0.2.1", None, at)) for at in times] == ["铜公司"] * 3 + ["锡公司"] * 2


@pytest.mark.parametrize("more", [0, 1, 3])
def test_of_many_claims_some_are_shown_and_the_rest_is_counted(books: Books, more: int) -> None:
    number = MOST_CLAIMS + more
    rows = "".join(row("192.0.2.0", f"192.0.2.{100 + wide}", "铜公司", code=COPPER) for wide in range(number))
    answer = books(INVENTORY, book_csv=HEAD + rows).answer("192.0.2.1", None, NOW)
    assert name(answer) == "铜公司"
    assert len(answer.claims) == MOST_CLAIMS
    unseen = [reason for reason in answer.reasons if reason.endswith("more claims are not shown")]
    assert unseen == ([f"{more} more claims are not shown"] if more else [])


def test_two_inside_addresses_behind_one_port_name_nobody(books: Books) -> None:
    head = "公网IP,公网端口,私网IP,开始时间,结束时间\n"
    rows = row("10.0.0.5", "10.0.0.5", "铜公司", code=COPPER) + row("10.0.0.6", "10.0.0.6", "锡公司", code=TIN)
    sources = "kind: leases, format: nat-csv, path: one.csv\nkind: leases, format: nat-csv, path: two.csv"
    inside = {name: f"{head}192.0.2.9,4000,{address},{TIMES}\n" for name, address in INSIDE.items()}
    loaded = books(f"{INVENTORY}\n{sources}", book_csv=HEAD + rows, **inside)
    answer = loaded.answer("192.0.2.9", 4000, NOW)
    assert name(answer) is None
    assert answer.result == "conflict"
    same = dict.fromkeys(INSIDE, f"{head}192.0.2.9,4000,10.0.0.5,{TIMES}\n")
    assert name(books(f"{INVENTORY}\n{sources}", book_csv=HEAD + rows, **same).answer("192.0.2.9", 4000, NOW)) == (
        "铜公司"
    )


def test_the_time_of_loading_is_in_seconds(books: Books) -> None:
    loaded = books(INVENTORY, book_csv=HEAD + row("192.0.2.0", "192.0.2.7", "铜公司", code=COPPER))
    assert loaded.stats()["loaded_timestamp_seconds"] == loaded.loaded_ns / 1e9


def test_an_inside_address_that_no_book_has_is_named_as_such(books: Books) -> None:
    head = "公网IP,公网端口,私网IP,开始时间,结束时间\n"
    loaded = books("kind: leases, format: nat-csv, path: nat.csv", nat_csv=f"{head}192.0.2.9,4000,10.0.0.5,{TIMES}\n")
    inside, outside = loaded.answer("192.0.2.9", 4000, NOW), loaded.answer("192.0.2.10", 4000, NOW)
    assert (name(inside), name(outside)) == (None, None)
    assert "no book has the inside address at that time" in inside.reasons
    assert "no book has this address at that time" in outside.reasons


def test_a_narrower_row_of_another_interface_takes_the_wider_holders_name_back(books: Books) -> None:
    head = "起始IP地址,终止IP地址,使用方式,单位名称,证件号码,接口\n"
    rows = f"10.0.0.0,10.0.0.255,静态,铜公司,{COPPER},\n10.0.0.5,10.0.0.5,静态,锡公司,{TIN},eth1\n"
    loaded = books(INVENTORY, book_csv=head + rows)
    assert name(loaded.answer("10.0.0.5", None, NOW, interface="eth1")) == "锡公司"
    assert name(loaded.answer("10.0.0.6", None, NOW, interface="eth0")) == "铜公司"
    answer = loaded.answer("10.0.0.5", None, NOW, interface="eth0")
    assert (answer.result, name(answer)) == ("conflict", None)
    assert "is narrower" in answer.reasons[0]


def test_of_one_address_fewer_ports_are_narrower_and_as_many_are_not(books: Books) -> None:
    loaded = books(
        "kind: leases, format: nat-csv, path: nat.csv",
        nat_csv=NAT + "".join(f"192.0.2.9,{ports},a{ports[:3]},{TIMES}\n" for ports in ("1024,3071", "2048,3071")),
    )
    claims, rows = loaded.claims, loaded.index.covering(4, int.from_bytes(bytes((192, 0, 2, 9))))
    wide = {row: loaded.index.port_last[row] - loaded.index.port_first[row] for row in rows}
    assert sorted(wide.values()) == [1_023, 2_047]
    for inner in rows:
        for outer in rows:
            assert claims.narrower(inner, outer) == (wide[inner] < wide[outer])


def test_a_claim_has_the_ends_that_its_row_has(books: Books) -> None:
    rows = row("192.0.2.0", "192.0.2.0", "铜公司", code=COPPER)
    rows += row("192.0.2.1", "192.0.2.1", "锡公司", since="2025-01-01", until="2027-01-01", code=TIN)
    loaded = books(INVENTORY, book_csv=HEAD + rows)
    (always,), (some,) = (loaded.answer(f"192.0.2.{last}", None, NOW).claims for last in (0, 1))
    assert (always.valid_from_ns, always.valid_until_ns) == (None, None)
    assert (some.valid_from_ns, some.valid_until_ns) == (
        moment("2024-12-31 16:00:00"),  # days are those of UTC+8, the last one whole
        moment("2027-01-01 16:00:00"),
    )
