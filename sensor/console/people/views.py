"""Lists with their filters, kept by an account under a name.

What is sent is the name of a route and filters. Both are looked up and read as the page itself reads them; where the
answer leads to is made from them, never taken from the form.
"""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from exporters.forms.documents.labels import N_
from sensor.console.address_bar import AFTER, FORMAT, LANGUAGE, read_address_bar
from sensor.console.people.forms import read_form
from sensor.console.people.gate import DoorSignIn
from sensor.console.refusal import RefusalError
from sensor.console.web.app import PAGES
from sensor.model.scope import Viewer
from sensor.people.account import AccountError, UserAccount
from sensor.people.accounts import ActingPerson
from sensor.people.views import PersonalViews, SavedView

NO_LIST = N_("There is no such list.")
NOT_SAVED = N_("The view cannot be saved: it needs a name of up to 60 characters, and an account has at most 32 views.")
#: What is no part of a view: it is of one moment, or of the reader.
NOT_OF_A_VIEW = (AFTER.name, FORMAT.name, LANGUAGE.name)


def views_router(sign_in: DoorSignIn, views: PersonalViews) -> APIRouter:
    """The routes."""
    router = APIRouter()

    @router.post("/views", name="save-view")
    async def save(request: Request) -> Response:
        form = await read_form(request, sign_in, ("name", "route", "query"), open_to_all=False)
        path, query = list_address(form["route"], form["query"])
        viewer, by = _acting(request, sign_in)
        view = SavedView(form["name"], form["route"], query)
        try:
            await run_in_threadpool(views.save, by, viewer.login, view, sign_in.clock())
        except AccountError:
            raise RefusalError(400, NOT_SAVED) from None
        return RedirectResponse(f"{path}?{query}" if query else path, 303)

    @router.post("/views/remove", name="remove-view")
    async def remove(request: Request) -> Response:
        form = await read_form(request, sign_in, ("name",), open_to_all=False)
        viewer, by = _acting(request, sign_in)
        await run_in_threadpool(views.remove, by, viewer.login, form["name"], sign_in.clock())
        return RedirectResponse("/overview", 303)

    return router


def list_address(route: str, query: str) -> tuple[str, str]:
    """The path of a list, and filters as it reads them. Raises RefusalError for what is no list, or not its filters."""
    for name, path, _maker, parameters in PAGES:
        if name == route and AFTER in parameters:
            asked = read_address_bar(query.encode("ascii", "replace"), parameters)
            written = {name: text for name, text in asked.written.items() if name not in NOT_OF_A_VIEW}
            return path, urlencode(written)
    raise RefusalError(400, NO_LIST)


def _acting(request: Request, sign_in: DoorSignIn) -> tuple[Viewer, ActingPerson]:
    viewer: Viewer = request.state.viewer
    account = UserAccount(viewer.login, "", viewer.role, viewer.divisions)
    return viewer, ActingPerson.signed_in(account, sign_in.address_of(request))
