"""Who a private person is, asked for with a reason: the one page that shows it, and the row that is written before.

The name is in the answer to this one form. No address leads to it, and no list, search or export has it.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from starlette.concurrency import run_in_threadpool

from exporters.forms.documents.labels import N_
from sensor.audit.entry import AuditActor, AuditEntry
from sensor.console.address_bar import LANGUAGE, read_address_bar
from sensor.console.desk import Desk, Visit
from sensor.console.pages import single
from sensor.console.people.forms import read_form
from sensor.console.people.gate import DoorSignIn
from sensor.console.refusal import RefusalError
from sensor.console.web import render
from sensor.console.web.path_value import path_value

#: Characters of a reason.
LEAST_REASON, MOST_REASON = 4, 500
NO_REASON = N_("A name is shown for a reason, of {least} to {most} characters: write why you need it.")


def names_router(desk: Desk, sign_in: DoorSignIn) -> APIRouter:
    """The route."""
    router = APIRouter()

    @router.post("/sites/{number}/person", name="person-name")
    async def show(request: Request, number: str) -> Response:
        form = await read_form(request, sign_in, ("reason",), open_to_all=False)
        return await run_in_threadpool(
            _shown, desk, sign_in, request, path_value("number", number), form["reason"].strip()
        )

    return router


def _shown(desk: Desk, sign_in: DoorSignIn, request: Request, number: int, reason: str) -> Response:
    asked = read_address_bar(request.scope["query_string"], (LANGUAGE,))
    viewer = request.state.viewer
    language = asked.get(LANGUAGE) or viewer.language
    visit = Visit(desk, viewer, f"/sites/{number}", asked, language, request.state.token)
    person = single.person_of(visit, number)
    if not LEAST_REASON <= len(reason) <= MOST_REASON or not reason.isprintable():
        figures: dict[str, Any] = {"least": LEAST_REASON, "most": MOST_REASON}
        raise RefusalError(400, NO_REASON, **{name: str(value) for name, value in figures.items()})
    actor = AuditActor(account=viewer.login, role=viewer.role, address=sign_in.address_of(request))
    objects = [f"site:{number}", f"enterprise:{person.enterprise_id}"]
    query = {"path": request.url.path}
    sign_in.door.trail.record(AuditEntry(actor, "view", "person.name", sign_in.clock(), query, objects, why=reason))
    return HTMLResponse(render.html(visit, single.site(visit, number, named=True)).encode("utf-8", "replace"))
