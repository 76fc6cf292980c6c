"""Excerpts never show a secret; rig names are what stands behind the wallet."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.dialects.excerpt import MAX_EXCERPT, excerpt
from sensor.dialects.rig import rig_of


@pytest.mark.parametrize(
    "value",
    [
        {"method": "mining.authorize", "params": ["a.b", "hunter2"]},
        {"method": "login", "params": {"login": "a", "pass": "hunter2"}},
        {"method": "x", "Password": "hunter2", "params": [{"PASS": "hunter2"}]},
    ],
)
def test_secrets_are_blanked(value: dict[str, object]) -> None:
    text = excerpt(value, [("params", 1)])
    assert "hunter2" not in text
    assert "***" in text


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.text(max_size=9),
        st.recursive(st.text() | st.floats() | st.none(), lambda s: st.lists(s) | st.dictionaries(st.text(), s)),
    )
)
def test_excerpts_are_short_and_printable(value: dict[str, object]) -> None:
    text = excerpt(value, [("params", 1)])
    assert len(text) <= MAX_EXCERPT
    assert text.isprintable()


def test_deep_values_give_an_excerpt_all_the_same() -> None:
    value: dict[str, object] = {}
    for _ in range(5_000):
        value = {"a": value}
    assert excerpt(value, [("a", "a")])


@pytest.mark.parametrize(
    ("login", "rig"),
    [
        ("0x0fccfff9e61a230ff380530c6827caf4759337c6.rig2", "rig2"),
        ("kvetak.worker1", "worker1"),
        ("0x9c99d212f7e5daa18ab50810e0fd255d1f04303b/kvetak.worker1/someone@mail", "kvetak.worker1"),
        ("DOGE:DLhmZzxuTKAVHPW9r7LzLYB7SqSNv2mtF4.basement#ab-12", "basement"),
        ("wallet.rig+5000", "rig"),
        ("kaspa:qprg.pool1", "pool1"),
        ("account", None),
        ("someone@mail.example", None),
        ("wallet/some@mail", None),
        ("a.", None),
        (None, None),
    ],
)
def test_the_rig_is_told_from_the_login(login: str | None, rig: str | None) -> None:
    assert rig_of(login) == rig
