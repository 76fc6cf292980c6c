"""Accounts of others: an admin makes and changes them, a lead changes those of his own divisions. What may be done is
decided by `sensor/people/rules.py`; here stand lists and forms.
"""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from exporters.forms.documents.labels import N_
from exporters.forms.documents.model import Column, DocumentTable
from exporters.forms.fitting import visible
from sensor.console.blocks import ChangeForm, ConsolePage, Fact, Facts, FormField, Listing, PagePart, Sayings
from sensor.console.desk import Desk, Visit
from sensor.console.people.acting import ALL, acting_person, typed_divisions, visit_of
from sensor.console.people.forms import read_form
from sensor.console.people.gate import DoorSignIn
from sensor.console.people.tokens import end_form, end_token, live_tokens, tokens_table
from sensor.console.refusal import RefusalError
from sensor.console.web import render
from sensor.model.scope import ROLES, Role
from sensor.people.account import (
    AccountError,
    Divisions,
    UserAccount,
    language_of,
    role_of,
    within,
)
from sensor.people.accounts import AccountPatch
from sensor.people.rules import LED

PEOPLE = "/people"
NO_SUCH_PERSON = N_("There is no such account, or it is not yours to change.")
#: What can be done on the page of one account: the fields of each form.
ACTIONS: dict[str, Sequence[str]] = {
    "rights": ("role", "divisions"),
    "state": ("disabled",),
    "password": ("new",),
    "sessions": (),
    "token": ("key",),
}


def people_router(desk: Desk, sign_in: DoorSignIn) -> APIRouter:
    """The routes of accounts."""
    router = APIRouter()

    def list_page(request: Request, sentence: str = "", status: int = 200) -> Response:
        visit = visit_of(request, desk)
        return HTMLResponse(render.html(visit, _list_page(visit, sign_in, sentence)), status)

    def one_page(request: Request, login: str, sentence: str = "", status: int = 200) -> Response:
        visit = visit_of(request, desk)
        account = _seen(visit, sign_in, login)
        return HTMLResponse(render.html(visit, _person_page(visit, account, sign_in, sentence)), status)

    @router.api_route(PEOPLE, methods=["GET", "HEAD"], name="people")
    def show(request: Request) -> Response:
        return list_page(request)

    @router.api_route(PEOPLE + "/{login}", methods=["GET", "HEAD"], name="person")
    def show_one(request: Request, login: str) -> Response:
        return one_page(request, login)

    @router.post(PEOPLE, name="add-person")
    async def add(request: Request) -> Response:
        names = ("login", "name", "role", "divisions", "language", "new")
        form = await read_form(request, sign_in, names, open_to_all=False)

        def make() -> Response:
            visit, now_ns = visit_of(request, desk), sign_in.clock()
            try:
                role = role_of(form["role"])
                given = form["name"] or form["login"]
                language = language_of(form["language"])
                divisions = typed_divisions(visit, role, form["divisions"])
                fresh = UserAccount(form["login"].strip().lower(), given, role, divisions, language)
                account = sign_in.door.accounts.add(
                    acting_person(visit, sign_in.address_of(request)), fresh, form["new"], now_ns
                )
            except AccountError as error:
                return list_page(request, str(error), 400)
            return RedirectResponse(f"{PEOPLE}/{account.login}", 303)

        return await run_in_threadpool(make)

    @router.post(PEOPLE + "/{login}/{action}", name="change-person")
    async def change(request: Request, login: str, action: str) -> Response:
        if action not in ACTIONS:
            raise RefusalError(404, NO_SUCH_PERSON)
        form = await read_form(request, sign_in, ACTIONS[action], open_to_all=False)

        def act() -> Response:
            visit = visit_of(request, desk)
            account = _seen(visit, sign_in, login)
            accounts, now_ns = sign_in.door.accounts, sign_in.clock()
            by = acting_person(visit, sign_in.address_of(request))
            try:
                if action == "password":
                    accounts.set_password(by, account.login, form["new"], now_ns)
                elif action == "token":
                    end_token(visit, sign_in, account.login, form["key"], by.actor.address)
                elif action == "sessions":
                    accounts.revoke(by, account.login, now_ns)
                else:
                    accounts.change(by, account.login, _patch(visit, form), now_ns)
            except AccountError as error:
                return one_page(request, login, str(error), 400)
            return RedirectResponse(f"{PEOPLE}/{account.login}", 303)

        return await run_in_threadpool(act)

    return router


def _patch(visit: Visit, form: dict[str, str]) -> AccountPatch:
    """What a form of `rights` or `state` changes. Raises AccountError."""
    if "disabled" in form:
        return AccountPatch(disabled=form["disabled"] == "yes")
    role = role_of(form["role"])
    return AccountPatch(role=role, divisions=typed_divisions(visit, role, form["divisions"]))


def _seen(visit: Visit, sign_in: DoorSignIn, login: str) -> UserAccount:
    """An account that the viewer may see. Raises RefusalError."""
    found = next((account for account in _visible(visit, sign_in) if account.login == login), None)
    if found is None:
        raise RefusalError(404, NO_SUCH_PERSON)
    return found


def _visible(visit: Visit, sign_in: DoorSignIn) -> list[UserAccount]:
    """All accounts for an admin; for a lead readers and officers within his divisions."""
    viewer = visit.viewer
    every = sign_in.door.accounts.all()
    if viewer.role == "admin":
        return every
    return [account for account in every if account.role in LED and within(account.divisions, viewer.divisions)]


def _shown(visit: Visit, divisions: Divisions) -> str:
    if divisions == ALL:
        return visit._("all divisions")
    return ", ".join(visit.owners.name(code) or code for code in sorted(divisions))


def _state(visit: Visit, account: UserAccount) -> str:
    _ = visit._
    if account.disabled:
        return _("disabled")
    return _("has to choose a password") if account.must_change else _("active")


def _list_page(visit: Visit, sign_in: DoorSignIn, sentence: str) -> ConsolePage:
    _ = visit._
    columns = (
        Column("login", _("Login")),
        Column("name", _("Name")),
        Column("role", _("Role")),
        Column("divisions", _("Divisions"), wide=True),
        Column("state", _("State")),
        Column("signed_in", _("Last sign-in"), "moment"),
    )
    accounts = _visible(visit, sign_in)
    rows = tuple(
        (
            account.login,
            visible(account.name),
            _(render.ROLE_NAMES[account.role]),
            _shown(visit, account.divisions),
            _state(visit, account),
            visit.cells.moment(account.signed_in_ns),
        )
        for account in accounts
    )
    table = DocumentTable("people", "", columns, rows, _("No account is yours to change."))
    links = tuple({"login": visit.href(f"{PEOPLE}/{account.login}")} for account in accounts)
    top = (Sayings("", (visit.wording.recorded(_(sentence)),)),) if sentence else ()
    parts = [PagePart("list", "", (*top, Listing(table, links)))]
    if visit.viewer.role == "admin":
        parts.append(PagePart("add", _("Add somebody"), (_add_form(visit),)))
    return ConsolePage("people", _("People"), parts=tuple(parts))


def _roles(visit: Visit, roles: Sequence[Role]) -> tuple[tuple[str, str], ...]:
    return tuple((role, visit._(render.ROLE_NAMES[role])) for role in roles)


def _divisions_field(visit: Visit, value: str = "") -> FormField:
    return FormField("divisions", visit._("Divisions: codes or names, or all"), value=value, hint="320500 320200")


def _add_form(visit: Visit) -> ChangeForm:
    _ = visit._
    languages = tuple(render.LANGUAGE_NAMES.items())
    fields = (
        FormField("login", _("Login")),
        FormField("name", _("Name")),
        FormField("role", _("Role"), "choice", "officer", _roles(visit, ROLES)),
        _divisions_field(visit),
        FormField("language", _("Language"), "choice", "zh", languages),
        FormField("new", _("First password"), "password", autocomplete="new-password"),
    )
    note = _("Whoever gets it has to choose another one at the first sign-in. Admins and auditors have no divisions.")
    return ChangeForm("add", _("A new account"), PEOPLE, _("Add"), visit.token or "", fields, note=note)


def _person_page(visit: Visit, account: UserAccount, sign_in: DoorSignIn, sentence: str) -> ConsolePage:
    _ = visit._
    live = len(sign_in.door.sessions(account, sign_in.clock()))
    facts = Facts(
        "",
        (
            Fact(_("Login"), account.login, code=True),
            Fact(_("Name"), visible(account.name)),
            Fact(_("Role"), _(render.ROLE_NAMES[account.role])),
            Fact(_("Divisions"), _shown(visit, account.divisions) or "–"),
            Fact(_("State"), _state(visit, account)),
            Fact(_("Sessions"), str(live)),
        ),
    )
    top = (Sayings("", (visit.wording.recorded(_(sentence)),)),) if sentence else ()
    own = account.login == visit.viewer.login
    note = (Sayings("", (_("Nobody changes his own role, divisions or state."),)),) if own else ()
    parts = [PagePart("who", "", (*top, facts, *note))]
    tokens = live_tokens(sign_in, account.login)
    if tokens and not own:
        its = f"{PEOPLE}/{account.login}/token"
        ends = tuple(end_form(visit, token, its, hidden=(("key", token.token_id),)) for token in tokens)
        parts.append(PagePart("tokens", _("Tokens for programs"), (tokens_table(visit, tokens), *ends)))
    if not own:
        parts.append(PagePart("change", _("Change"), _forms(visit, account)))
    return ConsolePage("people", account.login, parts=tuple(parts))


def _forms(visit: Visit, account: UserAccount) -> tuple[ChangeForm, ...]:
    _, token = visit._, visit.token or ""
    roles: Sequence[Role] = ROLES if visit.viewer.role == "admin" else [role for role in ROLES if role in LED]
    action = f"{PEOPLE}/{account.login}"
    divisions = account.divisions if account.divisions == ALL else " ".join(sorted(account.divisions))
    rights = (FormField("role", _("Role"), "choice", account.role, _roles(visit, roles)),
              _divisions_field(visit, divisions))  # fmt: skip
    state, button = ("no", _("Enable")) if account.disabled else ("yes", _("Disable"))
    forms = [
        ChangeForm("rights", _("Role and divisions"), f"{action}/rights", _("Change"), token, rights),
        ChangeForm("state", _("State"), f"{action}/state", button, token, hidden=(("disabled", state),)),
        ChangeForm("sessions", _("End all sessions"), f"{action}/sessions", _("End them"), token),
    ]
    if visit.viewer.role == "admin":
        field = FormField("new", _("New password"), "password", autocomplete="new-password")
        note = _("Whoever gets it has to choose another one at the first sign-in.")
        title = _("Set a password")
        forms.append(ChangeForm("pw", title, f"{action}/password", _("Set"), token, (field,), note=note))
    return tuple(forms)
