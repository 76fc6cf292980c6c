"""The entrance: signing in and out, and the own account. Somebody else's choice of a password has to be changed before
anything else is shown.
"""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from exporters.forms.documents.labels import N_
from exporters.forms.documents.model import Column, DocumentTable
from exporters.forms.documents.translations import HTML_LANGUAGES
from sensor.console.address_bar import LANGUAGE, AskedValues, read_address_bar
from sensor.console.blocks import ChangeForm, ConsolePage, Fact, Facts, FormField, PagePart, Sayings
from sensor.console.desk import Desk, Visit
from sensor.console.language import SHOWN_LANGUAGES, console_translator
from sensor.console.people.forms import read_form
from sensor.console.people.gate import ACCOUNT, ENTRANCE, DoorSignIn, OpenSession
from sensor.console.people.tokens import OWN_TOKENS, live_tokens
from sensor.console.refusal import RefusalError
from sensor.console.web import render
from sensor.people.account import AccountError, language_of
from sensor.people.accounts import AccountPatch, ActingPerson
from sensor.people.csrf import csrf_token
from sensor.people.door import SignedIn

REFUSED = {
    "wrong": N_("This login and this password do not belong together, or the account is disabled."),
    "locked": N_("Too many failed attempts: try again in {seconds} s."),
    "busy": N_("Many sign in just now: try again in {seconds} s."),
}
DONE = {
    "password": N_("The password was changed. All other sessions ended."),
    "sessions": N_("All other sessions ended."),
    "language": N_("The language was changed."),
}
NOT_SIGNED_IN = N_("Nobody is signed in.")
NO_PASSWORD = N_("The present password is another one, or there were too many attempts.")
NOT_TWICE = N_("The new password was not written the same way twice.")
MUST_CHANGE = N_("Somebody else chose this password. Choose one of your own: nothing else is shown before.")


def entrance_router(desk: Desk, sign_in: DoorSignIn) -> APIRouter:
    """The routes of the entrance."""
    router = APIRouter()

    @router.api_route("/sign-in", methods=["GET", "HEAD"], name="sign-in")
    def show(request: Request) -> Response:
        asked = read_address_bar(request.scope["query_string"], (LANGUAGE,))
        found = sign_in.session(request)
        if found is not None:
            return RedirectResponse(ACCOUNT if found.account.must_change else "/", 303)
        return _entrance(sign_in, asked.get(LANGUAGE) or SHOWN_LANGUAGES[0])

    @router.post("/sign-in", name="enter")
    async def enter(request: Request) -> Response:
        asked = read_address_bar(request.scope["query_string"], (LANGUAGE,))
        form = await read_form(request, sign_in, ("login", "password"), open_to_all=True)
        former = request.cookies.get(sign_in.cookie_name)
        login, password, now_ns = form["login"], form["password"], sign_in.clock()
        future = sign_in.door.submit_sign_in(login, password, sign_in.address_of(request), now_ns, former)
        answer = await asyncio.wrap_future(future)
        if isinstance(answer, SignedIn):
            response: Response = RedirectResponse(ACCOUNT if answer.account.must_change else "/", 303)
            sign_in.give(response, answer.cookie)
            return response
        language = asked.get(LANGUAGE) or SHOWN_LANGUAGES[0]
        sentence = console_translator(language)(REFUSED[answer.reason]).format(seconds=answer.retry_s)
        response = _entrance(sign_in, language, sentence, 403 if answer.reason == "wrong" else 429)
        if answer.retry_s:
            response.headers["Retry-After"] = str(answer.retry_s)
        return response

    @router.post("/sign-out", name="sign-out")
    async def leave(request: Request) -> Response:
        await read_form(request, sign_in, (), open_to_all=False)
        cookie = request.cookies.get(sign_in.cookie_name)
        await run_in_threadpool(sign_in.door.sign_out, cookie, sign_in.address_of(request), sign_in.clock())
        response = RedirectResponse(ENTRANCE, 303)
        sign_in.take_away(response)
        return response

    _own_account(router, desk, sign_in)
    return router


def _own_account(router: APIRouter, desk: Desk, sign_in: DoorSignIn) -> None:
    def page(request: Request, sentence: str = "", status: int = 200) -> Response:
        found = _opened(request, sign_in)
        visit = Visit(
            desk, found.account.viewer, ACCOUNT, AskedValues(), found.account.language, csrf_token(found.cookie)
        )
        return HTMLResponse(render.html(visit, _account_page(visit, found, sign_in, sentence)), status)

    async def refused(request: Request, sentence: str) -> Response:
        return await run_in_threadpool(page, request, sentence, 400)

    @router.api_route(ACCOUNT, methods=["GET", "HEAD"], name="account")
    def show(request: Request) -> Response:
        read_address_bar(request.scope["query_string"], ())
        return page(request)

    @router.post("/account/password", name="own-password")
    async def password(request: Request) -> Response:
        form = await read_form(request, sign_in, ("present", "new", "again"), open_to_all=False)
        found = await run_in_threadpool(_opened, request, sign_in)
        new, address, now_ns = form["new"], sign_in.address_of(request), sign_in.clock()
        if new != form["again"]:
            return await refused(request, NOT_TWICE)
        if not await run_in_threadpool(sign_in.door.confirm, found.account, form["present"], address, now_ns):
            return await refused(request, NO_PASSWORD)
        by = ActingPerson.signed_in(found.account, address)
        try:
            await run_in_threadpool(
                sign_in.door.accounts.set_password, by, found.account.login, new, now_ns, found.cookie
            )
        except AccountError as error:
            return await refused(request, str(error))
        return await run_in_threadpool(page, request, DONE["password"])

    @router.post("/account/language", name="own-language")
    async def language(request: Request) -> Response:
        form = await read_form(request, sign_in, ("language",), open_to_all=False)
        found = await run_in_threadpool(_opened, request, sign_in)
        by = ActingPerson.signed_in(found.account, sign_in.address_of(request))
        try:
            patch = AccountPatch(language=language_of(form["language"]))
            await run_in_threadpool(sign_in.door.accounts.change, by, found.account.login, patch, sign_in.clock())
        except AccountError as error:
            return await refused(request, str(error))
        return await run_in_threadpool(page, request, DONE["language"])

    @router.post("/account/sessions", name="own-sessions")
    async def sessions(request: Request) -> Response:
        await read_form(request, sign_in, (), open_to_all=False)
        found = await run_in_threadpool(_opened, request, sign_in)
        by, login = ActingPerson.signed_in(found.account, sign_in.address_of(request)), found.account.login

        def end_others() -> None:
            sign_in.door.accounts.revoke(by, login, sign_in.clock(), keep_session=found.cookie)

        await run_in_threadpool(end_others)
        return await run_in_threadpool(page, request, DONE["sessions"])


def _opened(request: Request, sign_in: DoorSignIn) -> OpenSession:
    """The session of a request. Raises RefusalError where there is none."""
    found = sign_in.session(request)
    if found is None:
        raise RefusalError(401, NOT_SIGNED_IN)
    return found


def _entrance(sign_in: DoorSignIn, language: str, sentence: str = "", status: int = 200) -> Response:
    names = [(key, HTML_LANGUAGES[key], render.LANGUAGE_NAMES[key]) for key in SHOWN_LANGUAGES]
    page = render.environment().get_template("sign_in.html")
    text = page.render(
        lang=HTML_LANGUAGES[language],
        _=console_translator(language),
        style_path=render.style_path(),
        languages=names,
        current_language=language,
        sentence=sentence,
        has_provider=sign_in.has_provider,
    )
    return HTMLResponse(text, status)


def _account_page(visit: Visit, found: OpenSession, sign_in: DoorSignIn, sentence: str) -> ConsolePage:
    _, account = visit._, found.account
    facts = Facts(
        "",
        (
            Fact(_("Login"), account.login, code=True),
            Fact(_("Name"), account.name),
            Fact(_("Role"), _(render.ROLE_NAMES[account.role])),
            Fact(_("Divisions"), render.scope_text(visit)),
            *_tokens_fact(visit, sign_in, found),
        ),
    )
    sayings = [visit.wording.recorded(_(sentence))] if sentence else []
    sayings += [_(MUST_CHANGE)] if account.must_change else []
    top = (Sayings("", tuple(sayings)), facts) if sayings else (facts,)
    parts = [PagePart("own", "", top), PagePart("password", _("Password"), (_password_form(visit),))]
    if not account.must_change:
        parts += [
            PagePart("sessions", _("Sessions"), (_sessions_table(visit, found, sign_in), _end_form(visit))),
            PagePart("language", _("Language"), (_language_form(visit, account.language),)),
        ]
    return ConsolePage("account", _("My account"), parts=tuple(parts))


def _tokens_fact(visit: Visit, sign_in: DoorSignIn, found: OpenSession) -> tuple[Fact, ...]:
    """Where the tokens of an account are made, if it may have any."""
    if not visit.viewer.sees_data or found.account.must_change:
        return ()
    count = len(live_tokens(sign_in, found.account.login))
    return (Fact(visit._("Tokens for programs"), str(count), OWN_TOKENS),)


def _password_form(visit: Visit) -> ChangeForm:
    _ = visit._
    fields = (
        FormField("present", _("Present password"), "password", autocomplete="current-password"),
        FormField("new", _("New password"), "password", autocomplete="new-password"),
        FormField("again", _("The new one again"), "password", autocomplete="new-password"),
    )
    note = _("12 characters or more. All other sessions end.")
    title = _("Change the password")
    return ChangeForm("pw", title, "/account/password", _("Change"), visit.token or "", fields, note=note)


def _sessions_table(visit: Visit, found: OpenSession, sign_in: DoorSignIn) -> DocumentTable:
    _ = visit._
    columns = (
        Column("begun", _("Begun"), "moment"),
        Column("used", _("Last used"), "moment"),
        Column("address", _("Signed in from")),
        Column("this", _("This one")),
    )
    rows = tuple(
        (
            visit.cells.moment(row.created_ns),
            visit.cells.moment(row.seen_ns),
            row.address,
            _("yes") if row.digest == found.row.digest else "",
        )
        for row in sign_in.door.sessions(found.account, sign_in.clock())
    )
    return DocumentTable("sessions", "", columns, rows, "")


def _end_form(visit: Visit) -> ChangeForm:
    _ = visit._
    return ChangeForm("end", _("End all other sessions"), "/account/sessions", _("End them"), visit.token or "")


def _language_form(visit: Visit, language: str) -> ChangeForm:
    _ = visit._
    choices = tuple((key, render.LANGUAGE_NAMES[key]) for key in SHOWN_LANGUAGES)
    field = FormField("language", _("Language"), "choice", language, choices)
    title = _("Language of the pages")
    return ChangeForm("lang", title, "/account/language", _("Change"), visit.token or "", (field,))
