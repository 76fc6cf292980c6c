"""A request that changes something comes from a page of our own, with the token of its own session."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.people.csrf import cross_site_refusal, csrf_refusal, csrf_token

OWN = "https://desk.example:8443"
MINE, OTHERS = "a" * 43, "b" * 43


def refused(**more: str | None) -> bool:
    given_parts = {
        "method": "POST",
        "site": "same-origin",
        "origin": OWN,
        "own_origin": OWN,
        "cookie": MINE,
        "token": csrf_token(MINE),
        **more,
    }
    return csrf_refusal(**given_parts) is not None  # type: ignore[arg-type]


def test_a_form_of_our_own_goes_through() -> None:
    assert not refused()
    assert not refused(site=None)  # over plain HTTP a browser sends Origin alone
    assert not refused(origin=None)
    assert not refused(method="GET", site="cross-site", origin="https://evil.example", token=None)


@pytest.mark.parametrize(
    "more",
    [
        {"site": "cross-site"},
        {"site": "same-site"},  # another host of the same domain
        {"site": "none"},
        {"site": ""},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://desk.example:8443"},
        {"origin": "https://desk.example"},
        {"origin": "https://desk.example:8443.evil.example"},
        {"site": None, "origin": None},
        {"token": None},
        {"token": ""},
        {"token": csrf_token(OTHERS)},
        {"token": csrf_token(MINE)[:-1]},
        {"token": f"{csrf_token(MINE)}\n"},
        {"token": "\ud800"},
        {"cookie": None},
        {"cookie": ""},
        {"cookie": OTHERS},
    ],
)
@pytest.mark.parametrize("method", ["POST", "put", "DELETE", "PATCH", "X"])
def test_a_form_of_anybody_else_is_refused(more: dict[str, str | None], method: str) -> None:
    assert refused(method=method, **more)


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_token_is_of_one_session_alone(first: str, second: str) -> None:
    assert (csrf_token(first) == csrf_token(second)) == (
        first.encode("utf-8", "backslashreplace") == second.encode("utf-8", "backslashreplace")
    )
    assert first not in csrf_token(first) or len(first) < 4


def test_the_form_of_the_sign_in_is_bound_to_our_own_pages() -> None:
    assert cross_site_refusal("POST", "same-origin", None, OWN) is None
    assert cross_site_refusal("POST", "cross-site", OWN, OWN) is not None
    assert cross_site_refusal("POST", None, "null", OWN) is not None
