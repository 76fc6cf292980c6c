"""Signing in at a provider: what it did not sign for this very sign-in is refused, and nothing is ever an error."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from sensor.people.account import UserAccount
from sensor.people.accounts import AccountPatch
from sensor.people.door import PeopleDoor, SignedIn
from sensor.people.id_token import LEEWAY_S, ExpectedToken, IdTokenError, id_claims
from sensor.people.oidc import FLOW_NS, OidcClient, OidcDoor, OidcRefused, OidcStart
from sensor.people.opening import open_oidc
from sensor.people.provider import MOST_BYTES, OidcProvider, https_fetch
from sensor.settings.config import SensorSettings
from sensor.settings.desk import OidcSettings
from sensor.settings.https import is_safe_url
from tests.people.desk import HERE, MACHINE, NOW, SUZHOU, add, audited, cookie_of
from tests.people.oidc_server import CLIENT, REDIRECT, SECRET, OidcServer


@pytest.fixture
def server() -> Iterator[OidcServer]:
    running = OidcServer()
    yield running
    running.close()


@pytest.fixture
def oidc(door: PeopleDoor, server: OidcServer) -> Iterator[OidcDoor]:
    door.accounts.add(MACHINE, UserAccount("li", "Li", "officer", frozenset({SUZHOU})), None, NOW)
    client = OidcClient(CLIENT, SECRET, REDIRECT, "preferred_username", ("RS256", "ES256"))
    opened = OidcDoor(door.store, door.trail, OidcProvider(server.issuer, https_fetch()), client)
    yield opened
    opened.close()


def now() -> int:
    return time.time_ns()


def begun(oidc: OidcDoor) -> OidcStart:
    start = oidc.begin(now())
    assert isinstance(start, OidcStart), start
    return start


def signed_in(oidc: OidcDoor, server: OidcServer) -> SignedIn | OidcRefused:
    start = begun(oidc)
    return oidc.finish(start.cookie, server.authorize(start.url), HERE, now())


def test_who_the_provider_says_it_is_has_the_session_of_his_account(
    door: PeopleDoor, oidc: OidcDoor, server: OidcServer, url: str
) -> None:
    start = begun(oidc)
    back = server.authorize(start.url)
    answer = oidc.submit_finish(start.cookie, back, HERE, now()).result(30)
    assert isinstance(answer, SignedIn)
    viewer = door.viewer_of(answer.cookie, now())
    assert viewer is not None
    assert (viewer.login, viewer.divisions) == ("li", frozenset({SUZHOU}))
    row = audited(url)[-1]
    assert (row["action"], row["objects"], row["query"]) == ("account.sign-in", ["account:li"], {"by": "provider"})
    assert server.asked.count("/keys") == 1


def test_a_call_back_is_good_once(oidc: OidcDoor, server: OidcServer) -> None:
    start = begun(oidc)
    back = server.authorize(start.url)
    assert isinstance(oidc.finish(start.cookie, back, HERE, now()), SignedIn)
    for cookie in (start.cookie, None, ""):
        assert isinstance(oidc.finish(cookie, back, HERE, now()), OidcRefused)


def test_a_call_back_of_another_browser_is_refused_and_ends_no_sign_in_that_is_under_way(
    oidc: OidcDoor, server: OidcServer
) -> None:
    """A stranger sends an officer the link that would sign him in as the stranger."""
    mine, strange = begun(oidc), begun(oidc)
    strangers = server.authorize(strange.url)
    for parameters in (
        strangers,
        {},
        {"code": "x"},
        {**strangers, "state": "A" * 43},
        {**strangers, "state": "\ud800"},
    ):
        assert isinstance(oidc.finish(mine.cookie, parameters, HERE, now()), OidcRefused)
    assert isinstance(oidc.finish(mine.cookie, server.authorize(mine.url), HERE, now()), SignedIn)


def test_a_call_back_that_is_too_late_is_refused(oidc: OidcDoor, server: OidcServer) -> None:
    start = begun(oidc)
    assert isinstance(oidc.finish(start.cookie, server.authorize(start.url), HERE, now() + FLOW_NS), OidcRefused)


def test_a_code_of_another_sign_in_is_refused_by_pkce(oidc: OidcDoor, server: OidcServer) -> None:
    mine, strange = begun(oidc), begun(oidc)
    injected = {**server.authorize(mine.url), "code": server.authorize(strange.url)["code"]}
    answer = oidc.finish(mine.cookie, injected, HERE, now())
    assert isinstance(answer, OidcRefused)
    assert "status 400" in answer.reason


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"iss": "https://evil.example"}, "another issuer"),
        ({"iss": None}, "another issuer"),
        ({"aud": "other"}, "another audience"),
        ({"aud": None}, "another audience"),
        ({"aud": ["other"]}, "another audience"),
        ({"aud": {"desk": 1}}, "another audience"),
        ({"aud": [CLIENT, "other"]}, "another authorized party"),
        ({"azp": "other"}, "another authorized party"),
        ({"nonce": "A" * 43}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"nonce": "\u2028"}, "nonce"),
        ({"exp": 1}, "expired"),
        ({"exp": None}, "expired"),
        ({"exp": "never"}, "expired"),
        ({"exp": True}, "expired"),
        ({"iat": 1}, "not made for this"),
        ({"iat": None}, "not made for this"),
        ({"iat": 99_999_999_999}, "not made for this"),
        ({"nbf": 99_999_999_999}, "not valid yet"),
        ({"sub": None}, "no subject"),
        ({"sub": ""}, "no subject"),
    ],
)
def test_a_token_that_says_anything_else_is_refused(
    oidc: OidcDoor, server: OidcServer, claims: dict[str, Any], reason: str
) -> None:
    server.claims = claims
    answer = signed_in(oidc, server)
    assert isinstance(answer, OidcRefused)
    assert reason in answer.reason
    assert not answer.provider_failed


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_algorithms_of_nobodys_key_are_refused(oidc: OidcDoor, server: OidcServer) -> None:
    """`none`, the public key taken for a shared secret, another key, another curve, one that is not configured."""
    other, curve = RSAKey.generate_key(2_048, {"kid": "k1"}), ECKey.generate_key("P-256", {"kid": "k1"})

    def by(algorithm: str, key: Any) -> Any:
        return lambda claims: jwt.encode({"alg": algorithm, "kid": "k1"}, claims, key, algorithms=[algorithm])

    for token in (
        lambda claims: f"{part({'alg': 'none'})}.{part(claims)}.",
        lambda claims: f"{part({'alg': 'none', 'kid': 'k1'})}.{part(claims)}.AA",
        server.confused,
        by("RS256", other),
        by("ES256", curve),
        by("PS256", server.key),
        lambda claims: by("RS256", server.key)(claims)[:-8] + "AAAAAAAA",
        lambda claims: f"{part({'alg': 'RS256', 'kid': 'k1', 'crit': ['x'], 'x': 1})}.{part(claims)}.AA",
    ):
        server.token = token
        answer = signed_in(oidc, server)
        assert isinstance(answer, OidcRefused)
        assert answer.reason.startswith("the token: ")


@pytest.mark.parametrize("token", [None, 7, "", "a.b.c", "a.b.c.d.e", "A" * 100_000, ["x"], {"a": 1}, "\ud800.a.b"])
def test_what_is_no_token_is_refused(oidc: OidcDoor, server: OidcServer, token: object) -> None:
    server.token = lambda _: token
    answer = signed_in(oidc, server)
    assert isinstance(answer, OidcRefused)
    assert answer.reason.startswith("the token: ")


KEY = RSAKey.generate_key(2_048, {"kid": "k1"})
KEYS = KeySet([KEY])
EXPECTED = ExpectedToken("https://id.example", CLIENT, "n" * 43, ("RS256", "HS256", "none"))
ANY_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)),
    max_leaves=8,
)
CLAIM_NAMES = st.sampled_from(["iss", "aud", "azp", "sub", "exp", "iat", "nbf", "nonce"])


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(CLAIM_NAMES, ANY_JSON, max_size=5))
def test_any_claims_that_were_signed_are_taken_or_refused(changed: dict[str, Any]) -> None:
    at = NOW // 10**9
    right = {"iss": EXPECTED.issuer, "aud": CLIENT, "sub": "1", "exp": at + 60, "iat": at, "nonce": EXPECTED.nonce}
    body = f"{part({'alg': 'RS256', 'kid': 'k1'})}.{part({**right, **changed})}"
    signature = jwt.encode({"alg": "RS256", "kid": "k1"}, right, KEY).rpartition(".")[2]
    for token in (jwt.encode({"alg": "RS256", "kid": "k1"}, right, KEY), f"{body}.{signature}"):
        try:
            claims = id_claims(token, KEYS, EXPECTED, NOW)
        except IdTokenError:
            continue
        assert claims == right


@given(st.text(max_size=300))
def test_any_text_is_a_token_that_is_refused(text: str) -> None:
    with pytest.raises(IdTokenError):
        id_claims(text, KEYS, EXPECTED, NOW)


def test_clocks_may_differ_by_as_much_as_is_said() -> None:
    at = NOW // 10**9
    for exp, iat, right in (
        (at - LEEWAY_S + 1, at, True),
        (at - LEEWAY_S, at, False),
        (at + 60, at + LEEWAY_S, True),
        (at + 60, at + LEEWAY_S + 1, False),
    ):
        claims = {"iss": EXPECTED.issuer, "aud": CLIENT, "sub": "1", "exp": exp, "iat": iat, "nonce": EXPECTED.nonce}
        token = jwt.encode({"alg": "RS256", "kid": "k1"}, claims, KEY)
        if right:
            assert id_claims(token, KEYS, EXPECTED, NOW)["sub"] == "1"
        else:
            with pytest.raises(IdTokenError):
                id_claims(token, KEYS, EXPECTED, NOW)


@pytest.mark.parametrize("claim", [None, "", "nobody", "li'--", ["li"], {"li": 1}, 7, "l" * 10_000, "\u2028"])
def test_nobody_gets_an_account_by_signing_in_elsewhere(
    oidc: OidcDoor, server: OidcServer, claim: object, url: str
) -> None:
    server.claims = {"preferred_username": claim}
    answer = signed_in(oidc, server)
    assert isinstance(answer, OidcRefused)
    assert audited(url)[-1]["objects"] == ["account:(no such account)"]


def test_a_disabled_account_stays_out(door: PeopleDoor, oidc: OidcDoor, server: OidcServer) -> None:
    door.accounts.change(MACHINE, "li", AccountPatch(disabled=True), NOW)
    assert isinstance(signed_in(oidc, server), OidcRefused)


def test_the_session_that_the_browser_had_ends(door: PeopleDoor, oidc: OidcDoor, server: OidcServer) -> None:
    add(door, "stranger")
    planted = cookie_of(door, "stranger", now())
    start = begun(oidc)
    answer = oidc.finish(start.cookie, server.authorize(start.url), HERE, now(), planted)
    assert isinstance(answer, SignedIn)
    assert answer.cookie != planted
    assert door.viewer_of(planted, now()) is None


@pytest.mark.parametrize(
    "answer",
    [
        (500, b"{}"),
        (302, b"https://evil.example/"),
        (200, b"no json"),
        (200, b"[]"),
        (200, b"[" * 100_000),
        (200, b'{"issuer":"https://evil.example"}'),
        (200, b"x" * (MOST_BYTES + 1)),
        (200, b'{"keys":[{"kty":"oct","k":"AAAA","kid":"k1"}]}'),
        (200, b'{"keys":[{"kty":"RSA","kid":"k1"}]}'),
        (200, b'{"keys":{}}'),
    ],
)
@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/keys"])
def test_a_provider_that_answers_anything_lets_nobody_in(
    oidc: OidcDoor, server: OidcServer, path: str, answer: tuple[int, bytes]
) -> None:
    server.answer = lambda asked: answer if asked == path else None
    start = oidc.begin(now())
    if isinstance(start, OidcRefused):
        assert start.provider_failed
        return
    assert isinstance(oidc.finish(start.cookie, server.authorize(start.url), HERE, now()), OidcRefused)


def test_a_provider_that_names_another_place_is_not_followed(oidc: OidcDoor, server: OidcServer) -> None:
    described = {"issuer": server.issuer, "authorization_endpoint": "http://evil.example/", "token_endpoint": "x"}
    server.answer = lambda path: (200, json.dumps(described).encode()) if "well-known" in path else None
    assert isinstance(oidc.begin(now()), OidcRefused)


def test_a_provider_that_is_away_is_said_to_be(oidc: OidcDoor, server: OidcServer) -> None:
    start = begun(oidc)
    back = server.authorize(start.url)
    server.answer = lambda path: (503, b"") if path == "/token" else None
    answer = oidc.finish(start.cookie, back, HERE, now())
    assert isinstance(answer, OidcRefused)
    assert answer.provider_failed


def test_a_key_that_was_changed_is_asked_for_but_not_for_each_wrong_token(server: OidcServer) -> None:
    clock = [0.0]
    provider = OidcProvider(server.issuer, https_fetch(), lambda: clock[0])
    provider.keys("k1")
    for number in range(20):
        provider.keys(f"unknown-{number}")
    assert server.asked.count("/keys") == 1
    clock[0] += 61
    provider.keys("k2")
    assert server.asked.count("/keys") == 2
    provider.keys("k1")
    assert server.asked.count("/keys") == 2


def test_a_provider_that_sends_drop_by_drop_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket
    import threading

    from sensor.people import provider

    monkeypatch.setattr(provider, "TIMEOUT_S", 0.5)
    listener = socket.create_server(("127.0.0.1", 0))
    ends = threading.Event()

    def drip() -> None:
        connection, _ = listener.accept()
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not ends.wait(0.05):
            try:
                connection.sendall(b"x")
            except OSError:
                break
        connection.close()

    thread = threading.Thread(target=drip)
    thread.start()
    began = time.monotonic()
    with pytest.raises(provider.ProviderError):
        https_fetch()("GET", f"http://127.0.0.1:{listener.getsockname()[1]}/", {}, None)
    assert time.monotonic() - began < 5.0
    ends.set()
    thread.join()
    listener.close()


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://id.example/realms/desk", True),
        ("http://127.0.0.1:8080/", True),
        ("http://localhost/", True),
        ("http://[::1]/", True),
        ("http://id.example/", False),
        ("http://127.0.0.1.evil.example/", False),
        ("https://user:secret@id.example/", False),
        ("ftp://id.example/", False),
        ("https://", False),
        ("https://id.example/\n", False),
        ("https://[::1", False),
        ("file:///etc/passwd", False),
    ],
)
def test_secrets_go_to_https_alone(url: str, safe: bool) -> None:
    assert is_safe_url(url) == safe


def test_a_configured_provider_is_opened_and_half_a_one_is_a_mistake(
    door: PeopleDoor, server: OidcServer, tmp_path: Path
) -> None:
    assert open_oidc(OidcSettings(), door.store, door.trail) is None
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    configured = OidcSettings(
        issuer=server.issuer, client_id=CLIENT, secret_file=str(tmp_path / "secret"), redirect_url=REDIRECT
    )
    opened = open_oidc(configured, door.store, door.trail)
    assert opened is not None
    add(door, "li")
    assert isinstance(signed_in(opened, server), SignedIn)
    opened.close()
    for wrong in (
        {"issuer": "https://id.example"},
        {"issuer": "http://id.example", "client_id": "x", "secret_file": "x", "redirect_url": REDIRECT},
        {"algorithms": ["HS256"]},
        {"algorithms": []},
    ):
        with pytest.raises(ValueError, match="oidc"):
            SensorSettings.model_validate({"people": {"oidc": wrong}})
