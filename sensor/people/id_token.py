"""What a provider says of who signed in: its ID token, looked at as OpenID Connect Core 1.0 section 3.1.3.7 asks.

Pure: the keys of the provider and the time are handed in. Every mistake is one error; nothing else is ever raised.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from joserfc import jwt
from joserfc.jwk import KeySet

from sensor.model.time import SECOND_NS

#: Of a token, bytes at most: who parses without a bound can be made to work (Authlib CVE-2025-61920).
MOST_BYTES = 16_384
#: Clocks differ by so much, and a token that is older than this was not made for this sign-in, in seconds.
LEEWAY_S, OLDEST_S = 120, 900
FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)
#: Algorithms that are taken if they are configured: of keys of which the provider alone has the private half.
ASYMMETRIC = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"})


class IdTokenError(Exception):
    """A token that proves nothing; why, for the journal."""


class ExpectedToken(NamedTuple):
    """What a token has to say."""

    issuer: str
    client_id: str
    nonce: str
    algorithms: Sequence[str]


def id_claims(token: object, keys: KeySet, expected: ExpectedToken, now_ns: int) -> Mapping[str, Any]:
    """What a token says, once it is proven. Raises IdTokenError."""
    if not isinstance(token, str) or len(token) > MOST_BYTES or not FORM.fullmatch(token):
        raise IdTokenError("no token of three parts")
    algorithms = [name for name in expected.algorithms if name in ASYMMETRIC]
    try:
        claims = jwt.decode(token, keys, algorithms=algorithms).claims
    except Exception as error:  # whatever a library raises for bytes from outside
        raise IdTokenError(f"its signature: {type(error).__name__}") from None
    if not isinstance(claims, dict):
        raise IdTokenError("no claims")
    _check_parties(claims, expected)
    _check_times(claims, now_ns // SECOND_NS)
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode("utf-8", "replace"), expected.nonce.encode()):
        raise IdTokenError("another sign-in's nonce")
    return claims


def _check_parties(claims: Mapping[str, Any], expected: ExpectedToken) -> None:
    if claims.get("iss") != expected.issuer:
        raise IdTokenError("another issuer")
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience
    if not isinstance(audiences, list) or expected.client_id not in audiences:
        raise IdTokenError("another audience")
    party = claims.get("azp")
    if (len(audiences) > 1 or party is not None) and party != expected.client_id:
        raise IdTokenError("another authorized party")
    if not isinstance(claims.get("sub"), str) or not claims["sub"]:
        raise IdTokenError("no subject")


def _check_times(claims: Mapping[str, Any], now_s: int) -> None:
    expires, issued = _seconds(claims.get("exp")), _seconds(claims.get("iat"))
    if expires is None or now_s >= expires + LEEWAY_S:
        raise IdTokenError("expired")
    if issued is None or issued > now_s + LEEWAY_S or issued < now_s - OLDEST_S:
        raise IdTokenError("not made for this sign-in")
    not_before = _seconds(claims.get("nbf", 0))
    if not_before is None or not_before > now_s + LEEWAY_S:
        raise IdTokenError("not valid yet")


def _seconds(value: object) -> float | None:
    """A moment of a claim; None for what is none."""
    right = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e12
    return float(value) if right and isinstance(value, int | float) else None
