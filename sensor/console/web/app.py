"""The application: every route behind its rule, every answer in its frame.

`make_app` is all that a server needs. Whoever signs people in gives a `SignIn` and routers of its own; a route without
a rule in `rules.RULES` is refused, whoever added it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Sequence
from urllib.parse import quote

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from exporters.forms.documents.labels import N_
from sensor.console.address_bar import LANGUAGE, AskedValues, Parameter, read_address_bar
from sensor.console.blocks import ConsolePage, DownloadFile
from sensor.console.desk import Desk, Visit
from sensor.console.language import console_translator
from sensor.console.pages import cases, finding, findings, nodes, overview, owners, search, sensors, shared, single
from sensor.console.personal import PersonalDesk
from sensor.console.refusal import RefusalError
from sensor.console.web import render
from sensor.console.web.furniture import Furniture
from sensor.console.web.path_value import NOT_THERE, path_value
from sensor.console.web.problem import ProgramRefusalError, is_of_programs, problem
from sensor.console.web.rules import RULES
from sensor.console.web.signin import ProgramGate, SignIn
from sensor.console.web.undisturbed import undisturbed
from sensor.console.web.witness import PageView, Witness
from sensor.ledger.store.beside import StoreError
from sensor.ledger.store.errors import LedgerError
from sensor.model.scope import Viewer

#: Makes a page of a visit, and of what stands in its path.
Maker = Callable[..., ConsolePage | DownloadFile]
#: Route, path, maker, and what may stand in the address bar.
PAGES: tuple[tuple[str, str, Maker, Sequence[Parameter]], ...] = (
    ("overview", "/overview", overview.overview, overview.OVERVIEW_ASKED),
    ("search", "/search", search.search, search.SEARCH_ASKED),
    ("enterprises", "/enterprises", owners.enterprises, owners.ENTERPRISES_ASKED),
    ("enterprise", "/enterprises/{key}", single.enterprise, single.SINGLE_ASKED),
    ("sites", "/sites", owners.sites, owners.SITES_ASKED),
    ("site", "/sites/{number}", single.site, single.SINGLE_ASKED),
    ("addresses", "/addresses", owners.addresses, owners.ADDRESSES_ASKED),
    ("address", "/addresses/{address}", single.address, single.SINGLE_ASKED),
    ("findings", "/findings", findings.findings, findings.FINDINGS_ASKED),
    ("finding", "/findings/{key}", finding.finding, finding.FINDING_ASKED),
    ("capture", "/findings/{key}/capture", finding.capture, finding.FINDING_ASKED),
    ("cases", "/cases", cases.cases, cases.CASES_ASKED),
    ("case", "/cases/{number}", cases.case, cases.CASE_ASKED),
    ("pools", "/pools", owners.pools, owners.POOLS_ASKED),
    ("shared", "/shared", shared.shared, shared.SHARED_ASKED),
    ("nodes", "/nodes", nodes.nodes, nodes.NODES_ASKED),
    ("sensors", "/sensors", sensors.sensors, sensors.SENSORS_ASKED),
)
NOT_YOURS = N_("Your role does not see this page.")
NOT_SIGNED_IN = N_("Nobody is signed in.")
NOT_WRITTEN = N_("Accounts or audit cannot be read or written just now. What must be audited is not done without.")
NO_LEDGER = N_("Its service may be starting or being brought up to date: try again in a moment.")


def make_app(
    desk: Desk,
    sign_in: SignIn,
    *,
    hosts: Collection[str],
    secure: bool = False,
    routers: Sequence[APIRouter] = (),
    witness: Witness | None = None,
    programs: ProgramGate | None = None,
    personal: PersonalDesk | None = None,
) -> ASGIApp:
    """The console of a desk, with the pages of whoever signs people in; `witness` sees each page before it is sent,
    `programs` lets programs in by their tokens (without it, none), `personal` has what accounts keep for themselves."""
    return Furniture(router_of(desk, sign_in, routers, witness, programs, personal), hosts, secure=secure)


def router_of(
    desk: Desk,
    sign_in: SignIn,
    routers: Sequence[APIRouter] = (),
    witness: Witness | None = None,
    programs: ProgramGate | None = None,
    personal: PersonalDesk | None = None,
) -> FastAPI:
    """The application without its furniture: a test reads its routes."""

    async def admitted(request: Request) -> None:
        await _admit(request, sign_in, programs)

    app = FastAPI(
        title="minewatch console", docs_url=None, redoc_url=None, openapi_url=None, dependencies=[Depends(admitted)],
        redirect_slashes=False,
    )  # fmt: skip
    for route, path, maker, parameters in PAGES:
        shown = _endpoint(desk, route, maker, parameters, witness, personal)
        app.add_api_route(path, shown, methods=["GET", "HEAD"], name=route)
    app.add_api_route("/", _start, methods=["GET", "HEAD"], name="start")
    app.add_api_route("/health", _health, methods=["GET", "HEAD"], name="health")
    app.add_api_route("/style-{digest}.css", _style, methods=["GET", "HEAD"], name="style")
    for router in routers:
        app.include_router(router)
    _handle_errors(app, desk, sign_in)
    return app


async def _admit(request: Request, sign_in: SignIn, programs: ProgramGate | None) -> None:
    """The one place where a route meets its rule. Raises RefusalError."""
    route = request.scope.get("route")
    rule = RULES.get(getattr(route, "name", ""))
    if rule is None:
        raise RefusalError(404, NOT_THERE)
    if rule.public:
        return
    if rule.scope:
        if programs is None:
            raise RefusalError(404, NOT_THERE)
        viewer: Viewer | None = await run_in_threadpool(programs.admit, request, rule.scope)
    else:
        viewer = await run_in_threadpool(sign_in.viewer, request)
    if viewer is None:
        raise RefusalError(401, NOT_SIGNED_IN)
    request.state.viewer = viewer
    if not rule.admits(viewer):
        raise RefusalError(403, NOT_YOURS)


def _endpoint(
    desk: Desk,
    route: str,
    maker: Maker,
    parameters: Sequence[Parameter],
    witness: Witness | None,
    personal: PersonalDesk | None,
) -> Callable[[Request], Response]:
    def endpoint(request: Request) -> Response:
        asked = read_address_bar(request.scope["query_string"], parameters)
        places = [path_value(name, text) for name, text in request.path_params.items()]

        def attempt() -> tuple[Visit, ConsolePage | DownloadFile]:
            token, viewer = getattr(request.state, "token", None), request.state.viewer
            visit = Visit(desk, viewer, request.url.path, asked, _language(asked, viewer), token, personal)
            return visit, maker(visit, *places)

        visit, page = undisturbed(attempt)
        if witness is not None:
            witness.saw(_view(visit, route, page))
        if isinstance(page, DownloadFile):
            headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(page.name)}"}
            return Response(page.data, media_type=page.content_type, headers=headers)
        return HTMLResponse(render.html(visit, page).encode("utf-8", "replace"))

    return endpoint


def _view(visit: Visit, route: str, page: ConsolePage | DownloadFile) -> PageView:
    if isinstance(page, DownloadFile):
        identities, name = page.identities, page.name
    else:
        identities, name = () if page.listing is None else page.listing.identities, None
    return PageView(visit.viewer, route, visit.path, visit.asked.written, identities, name)


def _language(asked: AskedValues, viewer: Viewer) -> str:
    return asked.get(LANGUAGE) or viewer.language


def _start(request: Request) -> Response:
    """Where a viewer begins: at the first page that is his."""
    read_address_bar(request.scope["query_string"], ())
    viewer: Viewer = request.state.viewer
    for route, path, _title in render.NAVIGATION:
        is_there = route not in render.SIGNED_IN_ONLY or getattr(request.state, "token", None) is not None
        if is_there and RULES[route].admits(viewer):
            return RedirectResponse(path, 303)
    raise RefusalError(403, N_("None of these pages is for your role."))


def _health() -> Response:
    return PlainTextResponse("ok\n")


def _style(digest: str) -> Response:
    if render.style_path() != f"/style-{digest}.css":
        raise RefusalError(404, NOT_THERE)
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(render.style_sheet(), media_type="text/css; charset=utf-8", headers=headers)


def _handle_errors(app: FastAPI, desk: Desk, sign_in: SignIn) -> None:
    def page(request: Request, status: int, sentence: str, **figures: str) -> Response:
        if is_of_programs(request):
            headers = {"Allow": "GET, HEAD"} if status == 405 else None
            return problem(status, sentence.format(**figures), headers, figures.get("name"))
        viewer: Viewer | None = getattr(request.state, "viewer", None)
        language = _asked_language(request) or (viewer.language if viewer is not None else "zh")
        text = render.translated(sentence, figures, console_translator(language))
        back = "/" if viewer is not None else None
        content = render.error_html(status, text, language, banner=desk.banner, way_back=back)
        return HTMLResponse(content, status)

    def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, RefusalError)
        if isinstance(error, ProgramRefusalError):
            return problem(error.status, str(error), error.headers)
        if error.status == 401 and sign_in.entrance is not None and request.method in ("GET", "HEAD"):
            return RedirectResponse(sign_in.entrance, 303)
        return page(request, error.status, error.sentence, **error.figures)

    def unreadable(request: Request, error: Exception) -> Response:
        print(f"minewatch: console: {error}", file=sys.stderr, flush=True)  # the page says no path
        return page(request, 503, NO_LEDGER)

    def unknown(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        status = error.status_code if error.status_code in render.STATUS_TITLES else 404
        answer = page(request, status, NOT_THERE if status == 404 else N_("This page is only read."))
        if status == 405:  # RFC 9110 section 15.5.6
            answer.headers["Allow"] = (error.headers or {}).get("Allow", "GET, HEAD")
        return answer

    def failed(request: Request, error: Exception) -> Response:  # noqa: ARG001 (its trace is in the journal)
        return page(request, 500, N_("What went wrong stands in the journal of the console."))

    app.add_exception_handler(RefusalError, refused)

    def unwritable(request: Request, error: Exception) -> Response:
        print(f"minewatch: console: {error}", file=sys.stderr, flush=True)
        return page(request, 503, NOT_WRITTEN)

    app.add_exception_handler(StoreError, unwritable)
    app.add_exception_handler(LedgerError, unreadable)
    app.add_exception_handler(HTTPException, unknown)
    app.add_exception_handler(Exception, failed)


def _asked_language(request: Request) -> str | None:
    text = request.query_params.get(LANGUAGE.name)
    return text if text in ("zh", "en") else None
