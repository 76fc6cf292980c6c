"""Forms that change something: where they come from, whose they are, and their fields, each declared and given once."""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from exporters.forms.documents.labels import N_
from sensor.console.people.gate import DoorSignIn
from sensor.console.refusal import RefusalError
from sensor.people.csrf import cross_site_refusal, csrf_refusal

FORM_TYPE = "application/x-www-form-urlencoded"
#: The field that has the session's token; fields of one form; characters of a value.
TOKEN = "token"
MOST_FIELDS, MOST_CHARACTERS = 64, 2_000
#: Fields of a form with a box for each row of a list.
MOST_BOXES = 128
NOT_OURS = N_("This form is not of this console, or its page is too old: open the page again.")
UNREADABLE = N_("The form cannot be read.")


async def read_form(
    request: Request,
    sign_in: DoorSignIn,
    fields: Collection[str],
    *,
    open_to_all: bool,
    boxes: re.Pattern[str] | None = None,
) -> dict[str, str]:
    """The values of a form by their names, each declared one; empty where it was not sent. Raises RefusalError: 403 for
    one that another site sent or that has no token of the session (which nobody has at the entrance, `open_to_all`),
    400 for one with other fields, or with one twice. `boxes`: fields of a form with a box for each of its rows."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != FORM_TYPE:
        raise RefusalError(400, UNREADABLE)
    try:
        most, body = MOST_FIELDS if boxes is None else MOST_BOXES, await _body(request)
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=most)
    except ValueError:
        raise RefusalError(400, UNREADABLE) from None
    values: dict[str, str] = {}
    token = None
    for name, text in pairs:
        if name == TOKEN and token is None:
            token = text
        elif name in values or is_too_long(text) or not (name in fields or (boxes and boxes.fullmatch(name))):
            raise RefusalError(400, UNREADABLE)
        else:
            values[name] = text
    refuse_foreign(request, sign_in, token, open_to_all=open_to_all)
    return {**values, **{name: values.get(name, "") for name in fields}}


def is_too_long(text: str) -> bool:
    """Whether a value has more characters than any field takes. A browser counts the end of a line as one, and sends
    two (HTML, `maxlength` and "constructing the entry list"): whoever typed all that fits must not lose it."""
    return len(text) > 2 * MOST_CHARACTERS or len(text.replace("\r\n", "\n")) > MOST_CHARACTERS


async def _body(request: Request) -> bytes:
    """The body. Raises RefusalError where the other end went away in the middle of it: no mistake of ours."""
    try:
        return await request.body()
    except ClientDisconnect:
        raise RefusalError(400, UNREADABLE) from None


def refuse_foreign(request: Request, sign_in: DoorSignIn, token: str | None, *, open_to_all: bool) -> None:
    """Raises RefusalError (403) for a form that another site sent, or without the token of its session."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    own = f"{'https' if sign_in.secure else 'http'}://{request.headers.get('host', '')}"
    if open_to_all:
        reason = cross_site_refusal(request.method, site, origin, own)
    else:
        cookie = request.cookies.get(sign_in.cookie_name)
        reason = csrf_refusal(request.method, site, origin, own, cookie, token)
    if reason is not None:
        raise RefusalError(403, NOT_OURS)
