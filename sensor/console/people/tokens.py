"""Tokens for programs: whoever sees data makes those of his own account, and sees each secret once. An admin, and a
lead of its divisions, end those of others (`accounts.py`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from exporters.forms.documents.labels import N_
from exporters.forms.documents.model import Column, DocumentTable
from exporters.forms.fitting import visible
from sensor.console.blocks import ChangeForm, ConsolePage, Fact, Facts, FormField, PagePart, Sayings
from sensor.console.desk import Desk, Visit
from sensor.console.people.acting import acting_person, typed_divisions, visit_of
from sensor.console.people.forms import read_form
from sensor.console.people.gate import DoorSignIn
from sensor.console.refusal import RefusalError
from sensor.console.web import render
from sensor.people.account import AccountError
from sensor.people.tokens import SCOPES, ApiToken

OWN_TOKENS = "/account/tokens"
#: What a token can be for, as the form asks for each.
SCOPE_TITLES = {
    "read:findings": N_("Findings"),
    "read:cases": N_("Cases"),
    "read:owners": N_("Organisations, sites, addresses"),
    "read:figures": N_("Figures of a week"),
    "read:sensors": N_("Sensors"),
}
DAYS = "90"
NO_SUCH_TOKEN = N_("There is no such token, or it is not yours to end.")
NO_DAYS = N_("A token is good for 1 to 366 days.")


def tokens_router(desk: Desk, sign_in: DoorSignIn) -> APIRouter:
    """The routes of one's own tokens."""
    router = APIRouter()

    def page(request: Request, parts: Sequence[PagePart] = (), status: int = 200) -> Response:
        visit = visit_of(request, desk)
        return HTMLResponse(render.html(visit, _page(visit, sign_in, parts)), status)

    @router.api_route(OWN_TOKENS, methods=["GET", "HEAD"], name="own-tokens")
    def show(request: Request) -> Response:
        return page(request)

    @router.post(OWN_TOKENS, name="add-token")
    async def add(request: Request) -> Response:
        form = await read_form(
            request, sign_in, ("label", "divisions", "days", *map(_field, SCOPES)), open_to_all=False
        )

        def make() -> Response:
            visit = visit_of(request, desk)
            try:
                token, secret = _add(visit, sign_in, form, sign_in.address_of(request))
            except AccountError as error:
                sentence = visit.wording.recorded(visit._(str(error)))
                return page(request, [PagePart("no", "", (Sayings("", (sentence,)),))], 400)
            return page(request, [_fresh_part(visit, token, secret)])

        return await run_in_threadpool(make)

    @router.post(OWN_TOKENS + "/{key}", name="end-token")
    async def end(request: Request, key: str) -> Response:
        await read_form(request, sign_in, (), open_to_all=False)

        def act() -> Response:
            visit = visit_of(request, desk)
            end_token(visit, sign_in, visit.viewer.login, key, sign_in.address_of(request))
            return RedirectResponse(OWN_TOKENS, 303)

        return await run_in_threadpool(act)

    return router


def _field(scope: str) -> str:
    return scope.replace(":", "-")


def _add(visit: Visit, sign_in: DoorSignIn, form: dict[str, str], address: str) -> tuple[ApiToken, str]:
    """Make the token of a form. Raises AccountError."""
    viewer, days = visit.viewer, form["days"].strip()
    if not (days.isascii() and days.isdigit() and len(days) <= 3):
        raise AccountError(NO_DAYS)
    divisions = typed_divisions(visit, viewer.role, form["divisions"]) or None
    scopes = [scope for scope in SCOPES if form[_field(scope)] == "yes"]
    by = acting_person(visit, address)
    return sign_in.door.tokens.add(by, viewer.login, form["label"], scopes, divisions, int(days), sign_in.clock())


def end_token(visit: Visit, sign_in: DoorSignIn, login: str, token_id: str, address: str) -> None:
    """End a token of an account that the viewer may see. Raises RefusalError."""
    if token_id not in {token.token_id for token in live_tokens(sign_in, login)}:
        raise RefusalError(404, NO_SUCH_TOKEN)
    sign_in.door.tokens.revoke(acting_person(visit, address), token_id, sign_in.clock())


def live_tokens(sign_in: DoorSignIn, login: str) -> list[ApiToken]:
    """Those that are good for something now."""
    return [token for token in sign_in.door.tokens.of(login) if token.is_live(sign_in.clock())]


def _page(visit: Visit, sign_in: DoorSignIn, parts: Sequence[PagePart]) -> ConsolePage:
    _ = visit._
    tokens = live_tokens(sign_in, visit.viewer.login)
    forms = tuple(end_form(visit, token, f"{OWN_TOKENS}/{token.token_id}") for token in tokens)
    listed = PagePart("list", _("Tokens that are good now"), (tokens_table(visit, tokens), *forms))
    return ConsolePage("account", _("Tokens for programs"), parts=(*parts, listed, _add_part(visit)))


def tokens_table(visit: Visit, tokens: Iterable[ApiToken]) -> DocumentTable:
    """Tokens without their secrets."""
    _ = visit._
    columns = (
        Column("token", _("Token")),
        Column("label", _("What for")),
        Column("scopes", _("Reads"), wide=True),
        Column("divisions", _("Divisions"), wide=True),
        Column("ends", _("Until"), "moment"),
    )
    rows = tuple(
        (
            token.token_id,
            visible(token.label),
            ", ".join(_(SCOPE_TITLES[scope]) for scope in SCOPES if scope in token.scopes),
            divisions_text(visit, token),
            visit.cells.moment(token.expires_ns),
        )
        for token in tokens
    )
    return DocumentTable("tokens", "", columns, rows, _("No token is good now."))


def divisions_text(visit: Visit, token: ApiToken) -> str:
    """The divisions of a token by name."""
    if isinstance(token.divisions, str):
        return visit._("all divisions")
    return ", ".join(visit.owners.name(code) or code for code in sorted(token.divisions))


def end_form(visit: Visit, token: ApiToken, action: str, *, hidden: tuple[tuple[str, str], ...] = ()) -> ChangeForm:
    """The form that ends a token."""
    title = visit._("Token {token}").format(token=token.token_id)
    key = f"end-{token.token_id}"
    return ChangeForm(key, title, action, visit._("End it"), visit.token or "", hidden=hidden)


def _fresh_part(visit: Visit, token: ApiToken, secret: str) -> PagePart:
    _ = visit._
    sentence = _("Copy it now: it is shown this once, and stored nowhere.")
    facts = Facts("", (Fact(_("Token {token}").format(token=token.token_id), secret, code=True),))
    return PagePart("fresh", _("The new token"), (Sayings("", (sentence,)), facts))


def _add_part(visit: Visit) -> PagePart:
    _ = visit._
    answers = (("no", _("no")), ("yes", _("yes")))
    fields = (
        FormField("label", _("What for")),
        *(FormField(_field(scope), _(title), "choice", "no", answers) for scope, title in SCOPE_TITLES.items()),
        FormField("divisions", _("Only these divisions; without any, all of yours"), hint="320500"),
        FormField("days", _("Good for so many days"), value=DAYS),
    )
    note = _("It reads in your name what you may see, and no more. It ends with your account.")
    form = ChangeForm("add-token", _("A new token"), OWN_TOKENS, _("Make it"), visit.token or "", fields, note=note)
    return PagePart("add", "", (form,))
