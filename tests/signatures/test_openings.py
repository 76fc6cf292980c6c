"""The `openings` of a gate: alternatives, answers, what is refused; and that the shipped ones let in what they must."""

from __future__ import annotations

import pytest

from sensor.model.gate_opening import GateOpening
from sensor.signatures import load
from sensor.signatures.gates import compile_gate
from sensor.signatures.located import Problems, read

SHIPPED = load()
ADDRESS = bytes([1, 187, 203, 0, 113, 7])


def openings(text: str) -> tuple[GateOpening, ...]:
    problems = Problems("own.yaml")
    entry = read(f"openings: [{text}]", "own.yaml", problems)
    gate = compile_gate(entry)
    assert not problems.sentences
    return gate.openings


def first(stream: bytes, proto: int = 6) -> GateOpening | None:
    return next((opening for opening in SHIPPED.openings if opening.fits(proto, stream)), None)


def test_alternatives_of_a_byte_are_openings_of_their_own() -> None:
    found = openings('{bytes: "7b 09-0a,22", budget_bytes: 5}')
    assert found == (
        GateOpening(6, 0, ((0x7B, 0x7B), (9, 10)), 5),
        GateOpening(6, 0, ((0x7B, 0x7B), (0x22, 0x22)), 5),
    )


def test_an_opening_has_its_answers_and_what_it_refuses() -> None:
    (found,) = openings('{text: "A ", most_bytes: 9, answer: ["00 5a-5d", "01,05"], unless: "no such"}')
    assert found.pattern == ((0x41, 0x41), (0x20, 0x20)), "with its blank"
    answers = (((0, 0), (0x5A, 0x5D)), ((1, 1),), ((5, 5),))
    assert (found.most_bytes, found.answers, found.unless, found.waits) == (9, answers, b"no such", True)


@pytest.mark.parametrize("behind", [b'"', b"}", b" ", b"\t", b"\r", b"\n"])
def test_a_brace_and_whatever_json_has_behind_it_open(behind: bytes) -> None:
    found = first(b"{" + behind + b' "')
    assert found is not None
    assert not found.waits


@pytest.mark.parametrize("before", [b"\r\n", b"\n", b" ", b"\t", b"[", b"\xef\xbb\xbf"])
def test_what_readers_of_lines_pass_over_hides_no_brace(before: bytes) -> None:
    assert first(before + b'{"id":1}') is not None


@pytest.mark.parametrize(
    "stream", [b"[1,", b"\n\nGET", b"\xef\xbb\xbfa", b"{a", b"{\0", b"{ a", b"{{", b"{'", b"{\xa0", b"{\x0b"]
)
def test_a_brace_and_what_no_json_has_behind_it_do_not(stream: bytes) -> None:
    assert first(stream + b"xxxxxxxxxxxxxxx") is None


@pytest.mark.parametrize(
    ("stream", "waits"),
    [
        (b"CONNECT pool:3333 HTTP/1.1\r\n", False),
        (b"CONNECTED\nversion:1.2\n\n", None),
        (b"\4\1" + ADDRESS + b"\0", True),
        (b"\4\1\1\xbb\0\0\0\7anna\0pool\0", True),
        (b"\4\1\0\x25\0\x35\1\0\xe3\3\0\0", None),
        (b"\0" + bytes(range(1, 17)), True),
        (b"POST / HTTP/1.1\r\n", True),
    ],
)
def test_what_others_begin_with_as_well_waits_or_is_not_let_in(stream: bytes, waits: bool | None) -> None:
    found = first(stream)
    assert (None if found is None else found.waits) == waits
