"""Answers of the interface: a page of a list, or one record, as bytes that are always the same for the same records,
with their tag (RFC 9110 section 8.8.3), and a row in the audit before they are sent."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence

from starlette.requests import Request
from starlette.responses import Response

from sensor.audit.entry import MOST_OBJECTS, MOST_PARTS, AuditActor, AuditEntry
from sensor.audit.trail import AuditTrail
from sensor.console.address_bar import AFTER, read_address_bar
from sensor.console.desk import Desk, Visit
from sensor.console.interface.endpoints import LIMIT, PAGE_RECORDS, Endpoint
from sensor.console.interface.records import JsonRecord, basis_record
from sensor.console.listing import empty_reason
from sensor.console.refusal import RefusalError
from sensor.console.web.undisturbed import undisturbed
from sensor.ledger.read.lists.cut import ListCut

#: Nobody but the program that asked may keep an answer, and it has to ask again before it uses it.
CACHING = {"Cache-Control": "private, no-cache", "Vary": "Authorization"}
BAD_VALUE = "{name} cannot be {value}."


class ProgramAnswers:
    """Makes them."""

    def __init__(self, desk: Desk, trail: AuditTrail, clock: Callable[[], int]) -> None:
        self._desk, self._trail, self._clock = desk, trail, clock

    def answer(self, request: Request, endpoint: Endpoint, in_path: Sequence[object]) -> Response:
        """The answer to a request that was let in. Raises RefusalError, LedgerError, AuditError."""
        asked = read_address_bar(request.scope["query_string"], endpoint.asked, of_a_form=False)

        def attempt() -> tuple[Visit, JsonRecord, list[str]]:
            viewer = request.state.viewer
            visit = Visit(self._desk, viewer, request.url.path, asked, viewer.language)
            if endpoint.single is None:
                return visit, *_page(visit, endpoint)
            record = {"basis": basis_record(visit), "record": endpoint.single(visit, *in_path)}
            return visit, record, [str(each) for each in in_path]

        visit, body, identities = undisturbed(attempt)
        behind = body.get("next")
        data = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8", "replace")
        self._witness(request, visit, endpoint, identities)
        headers = {"ETag": _tag(request.state.token_id, data), **CACHING}
        if _has(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        if behind is not None:
            headers["Link"] = f'<{behind}>; rel="next"'
        return Response(data, media_type="application/json", headers=headers)

    def _witness(self, request: Request, visit: Visit, endpoint: Endpoint, identities: Sequence[str]) -> None:
        """Write down who is about to see what, and wait until it is on the disk. Raises AuditError."""
        viewer, key = visit.viewer, request.state.token_id
        actor = AuditActor(account=viewer.login, role=viewer.role, address=request.state.address)
        shown = [f"{endpoint.kind}:{identity}" for identity in identities]
        objects = [f"key:{key}", *shown][: MOST_OBJECTS * MOST_PARTS]
        action = endpoint.name.replace("-", ".", 1)
        entry = AuditEntry(actor, "call", action, self._clock(), {"path": visit.path, **visit.asked.written}, objects)
        self._trail.record(entry)


def _page(visit: Visit, endpoint: Endpoint) -> tuple[JsonRecord, list[str]]:
    """The page that was asked for, and what is in it."""
    if endpoint.all_at_once is not None:
        found = endpoint.all_at_once(visit)
        return _envelope(visit, found, None), [str(record["sensor_id"]) for record in found]
    assert endpoint.listed is not None
    assert endpoint.encode is not None
    of, after, most = endpoint.listed(visit), visit.asked.get(AFTER), visit.asked.get(LIMIT) or PAGE_RECORDS
    try:
        rows = of.read(ListCut(after, most + 1))
    except ValueError:  # a key of another list
        raise RefusalError(400, BAD_VALUE, name=AFTER.name, value=str(visit.asked.written[AFTER.name])) from None
    shown = rows[:most]
    keys = [of.key_of(row) for row in shown]
    behind = None if len(rows) <= most else visit.here(after=f"{keys[-1].rank}.{keys[-1].name}")
    return _envelope(visit, [endpoint.encode(visit, row) for row in shown], behind), [key.name for key in keys]


def _envelope(visit: Visit, records: list[JsonRecord], behind: str | None) -> JsonRecord:
    filters = {name: text for name, text in visit.asked.written.items() if name not in (AFTER.name, LIMIT.name)}
    empty = None if records else empty_reason(visit)
    return {"basis": basis_record(visit), "filters": filters, "records": records, "empty": empty, "next": behind}


def _tag(token_id: str, data: bytes) -> str:
    """A strong tag of one token's bytes: no two tokens have the same, whatever they see."""
    digest = hashlib.sha256(b"%s\0%s" % (token_id.encode(), data)).hexdigest()
    return f'"{digest[:40]}"'


def _has(request: Request, tag: str) -> bool:
    """Whether the program has these bytes already (RFC 9110 section 13.1.2: compared weakly)."""
    given = ",".join(request.headers.getlist("if-none-match"))
    return tag in {each.strip().removeprefix("W/") for each in given.split(",")}
