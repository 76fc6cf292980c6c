"""The table beside nDPI counts what is found, what is missed and what is called mining and is none."""

from __future__ import annotations

from tests.bench.beside_ndpi import MARKS, SHOWN_SILENT, Compared, Truth, protocols, right_of, sums, table, written

MINES = Compared("mining/a.pcap", "mining", ("Mining",), ("kaspa, KAS, accepted",), found=True, called=True)
MISSED = Compared("mining/b.pcap", "mining", ("TLS.Mining",), (), found=False, called=False)
WATCHES = Compared("ordinary/c.pcap", "nothing", ("Mining",), ("stratum, observer",), found=True, called=False)
FALSE = Compared("ordinary/d.pcap", "nothing", (), ("grin, accepted",), found=True, called=True)
NODE = Compared("mining/f.pcap", "node", ("Mining",), ("bitcoin-p2p",), found=False, called=False)
QUIET = Compared("benign/e.pcap", "nothing", ("DNS",), (), found=False, called=False)


def test_the_protocols_of_a_flow_table_are_named_once() -> None:
    text = "#flow_id,ndpi_proto,bytes\n0,TLS.Mining,4\n1,DNS,3\n2,DNS,3\n"
    assert protocols(text) == ("DNS", "TLS.Mining")
    assert protocols("#flow_id,ndpi_proto,bytes\n") == ()


def test_an_observer_is_no_false_call_and_a_miss_is_one() -> None:
    assert [row.missed for row in (MINES, MISSED, WATCHES, FALSE)] == [False, True, False, False]
    assert [row.false for row in (MINES, MISSED, WATCHES, FALSE)] == [False, False, False, True]
    assert [row.ndpi_calls for row in (MINES, MISSED, WATCHES, FALSE)] == [True, True, True, False]


def test_sums_are_those_of_the_rows() -> None:
    last = sums([MINES, MISSED, WATCHES, FALSE, NODE]).splitlines()[2:]
    assert last == [
        "| somebody mines | 2 | 2 | 1 |",
        "| a node of a currency, nobody mines | 1 | 1 | 0 |",
        "| nobody mines | 2 | 1 | 1 |",
    ]


def test_a_wrong_call_is_marked_on_the_side_that_makes_it() -> None:
    text = " ".join(table([MINES, MISSED, WATCHES, FALSE]).split())
    assert "`mining/a.pcap`: mining. nDPI: Mining. minewatch: kaspa, KAS, accepted." in text
    assert "nDPI: TLS.Mining. minewatch: nothing **(wrong)**." in text
    assert "nDPI: Mining **(wrong)**. minewatch: stratum, observer." in text
    assert "nDPI: not known. minewatch: grin, accepted **(wrong)**." in text
    assert "wrong" not in table([NODE])


def test_many_silent_captures_are_one_row() -> None:
    assert f"- {SHOWN_SILENT + 1} others: nothing." in table([MINES, *[QUIET] * (SHOWN_SILENT + 1)])
    assert "benign/e.pcap" in table([MINES, QUIET])


def test_what_is_right_comes_from_the_captures_own_words() -> None:
    stated: dict[str, Truth] = {"mining/bitcoin.pcap": "node"}
    assert right_of("mining/bitcoin.pcap", stated) == "node"
    assert [right_of(name, {}) for name in ("mining/x.pcap", "ordinary/x.pcap", "demo")] == [
        "mining",
        "nothing",
        "mining",
    ]
    assert right_of("cases/look-alikes", {}) == "nothing"
    assert right_of("cases/equihash-split", {}) == "mining"


def test_the_page_keeps_what_is_around_the_table() -> None:
    page = "before\n{}\nold\n{}\nafter\n".format(*MARKS)
    new = written(page, [MINES])
    assert new.startswith("before\n")
    assert new.endswith("after\n")
    assert "old" not in new
    assert written(new, [MINES]) == new
