"""Bulletins: a form begins one, its page says how far it is, and its files are handed out. Each beginning and each file
has a row in the audit before it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from exporters.forms.documents.labels import N_
from sensor.audit.entry import AuditActor, AuditEntry, Plain
from sensor.bulletin.period import PeriodError, chosen_period
from sensor.console.bulletins.making import BulletinOrder
from sensor.console.bulletins.press import BulletinPress, OrderedBulletin, PressBusyError
from sensor.console.bulletins.shown import AGAIN, BULLETINS, bulletin_page, bulletins_page, file_name
from sensor.console.desk import Desk, Visit
from sensor.console.listing import CONTENT_TYPES
from sensor.console.people.acting import visit_of
from sensor.console.people.forms import read_form
from sensor.console.people.gate import DoorSignIn
from sensor.console.refusal import RefusalError
from sensor.console.web import render
from sensor.console.web.furniture import SANDBOXED
from sensor.model.time import day_of

NO_BULLETIN = N_("There is no such bulletin, or it is there no more.")
NO_PERIOD = N_(
    "This is no period: a week is like 2026-W10, days are like 2026-03-02, the first before the last, ten years at "
    "most, from 1971 to 2200."
)
NO_LANGUAGE = N_("A bulletin is Chinese or English.")
#: A page that was made here is handed out as a file, and never drawn on this host.
UNDRAWN = "application/octet-stream"


def bulletins_router(desk: Desk, sign_in: DoorSignIn, press: BulletinPress) -> APIRouter:
    """The routes."""
    router, work = APIRouter(), _BulletinDesk(desk, sign_in, press)

    @router.api_route(BULLETINS, methods=["GET", "HEAD"], name="bulletins")
    def listed(request: Request) -> Response:
        return work.listed(request)

    @router.post(BULLETINS, name="start-bulletin")
    async def start(request: Request) -> Response:
        form = await read_form(request, sign_in, ("week", "from", "to", "language"), open_to_all=False)
        return await run_in_threadpool(work.start, request, form)

    @router.api_route(BULLETINS + "/{key}", methods=["GET", "HEAD"], name="bulletin")
    def shown(request: Request, key: str) -> Response:
        return work.shown(request, key)

    @router.api_route(BULLETINS + "/{key}/{form}", methods=["GET", "HEAD"], name="bulletin-file")
    def handed_out(request: Request, key: str, form: str) -> Response:
        return work.handed_out(request, key, form)

    return router


class _BulletinDesk:
    """What the routes do, each in a thread."""

    def __init__(self, desk: Desk, sign_in: DoorSignIn, press: BulletinPress) -> None:
        self._desk, self._sign_in, self._press = desk, sign_in, press

    def listed(
        self, request: Request, given: Mapping[str, str] | None = None, refused: str = "", status: int = 200
    ) -> Response:
        """The viewer's, and the form."""
        visit = visit_of(request, self._desk)
        found = self._press.of(visit.viewer, visit.scope)
        page = bulletins_page(visit, found, given, visit._(refused) if refused else "")
        return HTMLResponse(render.html(visit, page).encode("utf-8", "replace"), status)

    def start(self, request: Request, form: Mapping[str, str]) -> Response:
        """Begin the one of a form, and lead to its page; else the form again."""
        visit = visit_of(request, self._desk)
        try:
            order = self._order(visit, form)
            begun = self._press.begin(order, lambda its: self._note(request, visit, its, "bulletin.start", {}))
        except PeriodError:
            return self.listed(request, form, NO_PERIOD, 400)
        except PressBusyError as error:
            return self.listed(request, form, str(error), 409)
        return RedirectResponse(visit.href(f"{BULLETINS}/{begun.key}"), 303)

    def shown(self, request: Request, key: str) -> Response:
        """How far one is."""
        visit = visit_of(request, self._desk, AGAIN)
        page = bulletin_page(visit, self._present(visit, key))
        return HTMLResponse(render.html(visit, page).encode("utf-8", "replace"))

    def handed_out(self, request: Request, key: str, form: str) -> Response:
        """A file, as a download and nothing else."""
        visit = visit_of(request, self._desk)
        its = self._present(visit, key)
        content = its.files.get(form)
        if content is None:
            raise RefusalError(404, NO_BULLETIN)
        facts = {"form": form, "sha256": hashlib.sha256(content).hexdigest()}
        self._note(request, visit, its, "bulletin.export", facts)
        disposition = f"attachment; filename*=UTF-8''{quote(file_name(its.order, form), safe='')}"
        headers = {"Content-Disposition": disposition, "Content-Security-Policy": SANDBOXED}
        return Response(content, media_type=CONTENT_TYPES.get(form, UNDRAWN), headers=headers)

    def _present(self, visit: Visit, key: str) -> OrderedBulletin:
        found = self._press.find(key, visit.viewer, visit.scope)
        if found is None:
            raise RefusalError(404, NO_BULLETIN)
        return found

    def _order(self, visit: Visit, form: Mapping[str, str]) -> BulletinOrder:
        """What a form asks for. Raises PeriodError."""
        week, first, last = (form[name].strip() or None for name in ("week", "from", "to"))
        if week is not None and (first is not None or last is not None):
            raise PeriodError("a week, or days")
        zone = visit.desk.zone
        period = chosen_period(week, first, last, zone, day_of(visit.now_ns, zone))
        language = form["language"] or visit.language
        if language not in render.LANGUAGE_NAMES:
            raise RefusalError(400, NO_LANGUAGE)
        return BulletinOrder(period, language, visit.viewer, visit.reader)

    def _note(
        self, request: Request, visit: Visit, its: OrderedBulletin, action: str, facts: Mapping[str, Plain]
    ) -> None:
        """Write its row, and wait until it is on the disk. Raises AuditError."""
        viewer, order = visit.viewer, its.order
        actor = AuditActor(account=viewer.login, role=viewer.role, address=self._sign_in.address_of(request))
        period = {"first": str(order.period.first), "last": str(order.period.last), "language": order.language}
        query = {"path": request.url.path, **period, **facts}
        now_ns = self._sign_in.clock()
        self._sign_in.door.trail.record(AuditEntry(actor, "export", action, now_ns, query, [f"bulletin:{its.key}"]))
