"""Whether a request that changes something comes from a page of our own. Pure.

Two things must hold. The browser says that the page that sent it is of the same origin: `Sec-Fetch-Site`
(w3.org/TR/fetch-metadata), or where that is not sent, as over plain HTTP, `Origin` (RFC 6454). And the form has the
token of the session, which is made of the session's secret: who has the one from the database alone cannot make it.
"""

from __future__ import annotations

import hashlib
import hmac

#: Methods that change nothing (RFC 9110 section 9.2.1).
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_LABEL = b"minewatch-csrf/1"


def csrf_token(cookie: str) -> str:
    """The token for the forms of a session."""
    return hmac.new(cookie.encode("utf-8", "backslashreplace"), _LABEL, hashlib.sha256).hexdigest()


def cross_site_refusal(method: str, site: str | None, origin: str | None, own_origin: str) -> str | None:
    """Why a request is refused by where it comes from; None where it may go on. `site` and `origin` are the values of
    `Sec-Fetch-Site` and `Origin`, None where a header is not there; `own_origin` is `scheme://host[:port]` as the
    browser has it. For forms of those who have no session yet, as that of the sign-in, this is all there is."""
    if method.upper() in SAFE:
        return None
    if site is not None and site.strip().lower() != "same-origin":
        return "it comes from another site"
    if origin is not None and origin.strip().lower() != own_origin.lower():
        return "it comes from another origin"
    if site is None and origin is None:
        return "it does not say where it comes from"
    return None


def csrf_refusal(
    method: str, site: str | None, origin: str | None, own_origin: str, cookie: str | None, token: str | None
) -> str | None:
    """Why a request of a session is refused; None where it may go on."""
    if method.upper() in SAFE:
        return None
    reason = cross_site_refusal(method, site, origin, own_origin)
    if reason is not None:
        return reason
    if not cookie or not token:
        return "the token of the session is missing"
    right = hmac.compare_digest(csrf_token(cookie).encode(), token.encode("utf-8", "backslashreplace"))
    return None if right else "the token is not that of the session"
