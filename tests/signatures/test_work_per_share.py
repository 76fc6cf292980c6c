"""Difficulty and target to expected hashes, against figures worked out by hand."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.signatures.language import compile_when
from sensor.signatures.located import Problems, YamlEntry, read
from sensor.signatures.take import compile_take, convert
from sensor.signatures.work import UNITS, boundary, compile_work, little_endian, packed


def entry(text: str) -> YamlEntry:
    problems = Problems("test")
    found = read(text, "test", problems)
    assert found is not None
    assert not problems.sentences
    return found


BITCOIN = compile_work(
    entry("{rules: [{use: difficulty, form: scaled, factor: 2^48/65535, divisors: {scrypt: 65536}}]}")
)


def test_difficulty_one_is_the_bitcoin_constant() -> None:
    assert BITCOIN.per_share({"difficulty": 1}, None) == Fraction(1 << 48, 65535) * UNITS // 1
    assert BITCOIN.per_share({"difficulty": 65536}, "scrypt") == BITCOIN.per_share({"difficulty": 1}, None)
    assert BITCOIN.per_share({"difficulty": 8192}, "sha256d") == pytest.approx(35184908967936 * UNITS, rel=1e-12)


@pytest.mark.parametrize(
    ("target", "hashes"),
    [
        ("b88d0600", 10000),
        ("711b0d00", 5000),
        ("bd16f4de18020000", 8_000_000),
        ("8d210000", 500054),
        ("69ba0000", 90001),
        ("7b5e0400", 15000),
    ],
)
def test_cryptonote_targets_are_little_endian(target: str, hashes: int) -> None:
    assert little_endian(target) == hashes


@pytest.mark.parametrize(
    ("target", "hashes"),
    [
        ("0x0000000112e0be826d694b2e62d01511f12a6061fbaec8bc02357593e70e52ba", 4e9),
        ("0x0112e0be826d694b2e62d01511f12a6061fbaec8bc02357593e70e52ba", 4e9),
        ("112e0be826d694b2e62d01511f12a6061fbaec8bc02357593e70e52ba", 4e9),
        ("0007ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", 8192),
    ],
)
def test_boundaries_are_numbers_whatever_zeros_are_missing(target: str, hashes: float) -> None:
    assert float(boundary(target) or 0) == pytest.approx(hashes, rel=1e-9)


def test_beam_difficulty_is_unpacked() -> None:
    assert packed(0x0A000000) == 1024


@pytest.mark.parametrize(
    "value", [0, -1, 10**400, float("inf"), float("nan"), "", "x", "9" * 100, "0x", "00000000", "g" * 8]
)
def test_nonsense_is_not_work(value: object) -> None:
    taken = convert(value, "target")
    for rule in (
        "{use: target, form: scaled}",
        "{use: target, form: boundary}",
        "{use: target, form: little-endian}",
        "{use: target, form: packed}",
    ):
        work = compile_work(entry(f"{{rules: [{rule}]}}"))
        known = work.per_share({"target": taken} if taken is not None else {}, None)
        assert known is None or known > 0


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**80), 10**80)
    | st.floats()
    | st.text(max_size=70)
    | st.from_regex(r"(0x)?[0-9a-f]{0,70}", fullmatch=True),
    lambda inner: (
        st.lists(inner, max_size=6)
        | st.dictionaries(st.sampled_from(["a", "b", "method", "params"]), inner, max_size=4)
    ),
    max_leaves=20,
)
EVERYTHING = """\
- {a: {is: [text, null, list], not: {equals: x}}}
- {a.0: {hex: [1, 64]}, b.-1: {length: 3}, params: {every: {is: text}, some: {matches: "^x"}}}
- {b: {least: 3, most: 4}, .: {where: {a: {either: [{is: map}, {one_of: [1, true, null]}]}}}}
"""


@settings(max_examples=60, deadline=None)
@given(JSON)
def test_predicates_takes_and_work_are_total(value: object) -> None:
    assert compile_when(entry(EVERYTHING))(value) in (True, False)
    take = compile_take(
        entry(
            "{login: [a, {path: b.0, matches: '(.)'}], target: a.0, difficulty: b, job: params.0, "
            "hashrate: a, session: {path: b, as: key}}"
        )
    )
    taken = take.read(value, value)
    assert all(isinstance(one, str | int | float) for one in taken.values())
    assert all(len(one) <= 256 and one.isprintable() for one in taken.values() if isinstance(one, str))
    for form in ("scaled", "boundary", "little-endian", "packed"):
        for name in ("target", "difficulty"):
            per_share = compile_work(entry(f"{{rules: [{{use: {name}, form: {form}}}]}}")).per_share(taken, None)
            assert per_share is None or 0 < per_share <= (1 << 256) * UNITS


def test_true_is_not_one_and_null_is_not_absent() -> None:
    when = compile_when(entry("{a: 1}"))
    assert when({"a": 1})
    assert when({"a": 1.0})
    assert not when({"a": True})
    assert compile_when(entry("{a: null}"))({"a": None})
    assert not compile_when(entry("{a: null}"))({})
    assert compile_when(entry("{a: {is: absent}}"))({})
