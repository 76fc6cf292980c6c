"""Case work: forms become the commands of `sensor/cases/commands.py`, as options of the command line do.

Each change has a row in the audit before it is tried, and is one step of the case's history. A form that is refused
comes back with what stood in it.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from exporters.forms.documents.labels import N_
from exporters.redaction.persons import without_names
from sensor.audit.entry import AuditEntry
from sensor.audit.trail import account_actor
from sensor.cases import commands as verbs
from sensor.cases.commands import AssignCase, CaseCommand, MoveCase
from sensor.cases.file_kinds import kind_of, served_name
from sensor.cases.states import CaseError, NoSuchCaseError
from sensor.cases.steps import command_facts
from sensor.console.address_bar import LANGUAGE, WEEK, read_address_bar
from sensor.console.casework import bulk
from sensor.console.casework.bulk import BulkAnswer
from sensor.console.casework.forms import ACTIONS, STEPS, RefusedForm
from sensor.console.casework.reading import command_of_form, steps_of
from sensor.console.casework.sentences import refusal_text
from sensor.console.desk import Desk, Visit
from sensor.console.office import CaseOffice
from sensor.console.pages import cases as pages
from sensor.console.pages.chosen import answers_page
from sensor.console.people.forms import TOKEN, read_form, refuse_foreign
from sensor.console.people.gate import DoorSignIn
from sensor.console.people.uploads import read_upload
from sensor.console.refusal import RefusalError
from sensor.console.web import render
from sensor.console.web.furniture import SANDBOXED
from sensor.console.web.witness import PageView, Witness
from sensor.ledger.casework import changed_facts
from sensor.ledger.store.attachments import AttachmentError
from sensor.ledger.store.beside import StoreError
from sensor.ledger.store.errors import LedgerError
from sensor.ledger.write.casework import CaseStep
from sensor.model.casework import CaseAttachment
from sensor.model.summary import Case
from sensor.people.account import UserAccount
from sensor.people.assignment import check_assignee, check_assigning

CASES = "/cases"
#: Files that are read at once: each is in memory while it comes in.
MOST_UPLOADS = 4
NOT_WRITTEN_NOW = N_("The ledger cannot be written just now, and nothing was changed. Try again in a moment.")
TOO_MANY_UPLOADS = N_("Too many files come in at once: try again in a moment.")
DAMAGED_FILE = N_("The file is gone, or is not what was attached: it is not handed out.")


def casework_router(desk: Desk, sign_in: DoorSignIn, office: CaseOffice, witness: Witness) -> APIRouter:
    """The routes of case work."""
    router, work = APIRouter(), _CaseDesk(desk, sign_in, office, witness)
    uploads = asyncio.Semaphore(MOST_UPLOADS)

    @router.post(CASES, name="work-on-cases")
    async def work_on_cases(request: Request) -> Response:
        form = await read_form(request, sign_in, bulk.FIELDS, open_to_all=False, boxes=bulk.BOX)
        return await run_in_threadpool(work.several, request, form)

    @router.post(CASES + "/{number}/attachments", name="attach")
    async def attach(request: Request, number: str) -> Response:
        case_id = case_number(number)

        def admit(token: str) -> None:
            refuse_foreign(request, sign_in, token or None, open_to_all=False)

        await run_in_threadpool(work.case_of, work.visit(request, case_id), case_id)
        if uploads.locked():
            raise RefusalError(503, TOO_MANY_UPLOADS)
        async with uploads:
            try:
                form = await read_upload(request, (STEPS, "why", "file"), admit)
            except CaseError as error:
                return await run_in_threadpool(work.refused_page, request, case_id, "attach", error, {})
            return await run_in_threadpool(work.attach, request, case_id, form.values, (form.file_name, form.content))

    @router.post(CASES + "/{number}/attachments/remove", name="remove-attachment")
    async def remove(request: Request, number: str) -> Response:
        case_id = case_number(number)
        form = await read_form(request, sign_in, (STEPS, "number", "why"), open_to_all=False)
        return await run_in_threadpool(work.single, request, case_id, "remove", form)

    @router.api_route(CASES + "/{number}/attachments/{place}", methods=["GET", "HEAD"], name="attachment")
    def attachment(request: Request, number: str, place: str) -> Response:
        return work.handed_out(request, case_number(number), case_number(place))

    @router.post(CASES + "/{number}/{action}", name="work-on-case")
    async def work_on_case(request: Request, number: str, action: str) -> Response:
        case_id = case_number(number)
        if action not in ACTIONS:
            raise RefusalError(404, pages.NO_CASE)
        form = await read_form(request, sign_in, (STEPS, *ACTIONS[action]), open_to_all=False)
        return await run_in_threadpool(work.single, request, case_id, action, form)

    return router


def case_number(text: str) -> int:
    """The number in a path. Raises RefusalError for what is none: there is no such case."""
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise RefusalError(404, pages.NO_CASE)
    return int(text)


class _CaseDesk:
    """What the routes do, each in a thread."""

    def __init__(self, desk: Desk, sign_in: DoorSignIn, office: CaseOffice, witness: Witness) -> None:
        self._desk, self._sign_in, self._office, self._witness = desk, sign_in, office, witness

    def visit(self, request: Request, case_id: int | None) -> Visit:
        """The visit of a form: its page is that of the case, or the list."""
        asked = read_address_bar(request.scope["query_string"], (LANGUAGE, WEEK))
        viewer = request.state.viewer
        path = CASES if case_id is None else f"{CASES}/{case_id}"
        language = asked.get(LANGUAGE) or viewer.language
        return Visit(self._desk, viewer, path, asked, language, request.state.token)

    def case_of(self, visit: Visit, case_id: int) -> Case:
        """A case of the viewer's divisions. Raises RefusalError where there is none."""
        found = visit.reader.case(case_id)
        if found is None:
            raise RefusalError(404, pages.NO_CASE)
        return found

    def single(self, request: Request, case_id: int, action: str, form: Mapping[str, str]) -> Response:
        """A form of one case: its page, where it was done, else the form again."""
        visit = self.visit(request, case_id)
        case = self.case_of(visit, case_id)
        try:
            given = [command_of_form(visit, action, form)]
            self._command(request, visit, case, given, steps_of(form))
        except (CaseError, LedgerError) as error:
            return self.refused_page(request, case_id, action, error, form)
        return RedirectResponse(visit.href(visit.path, done=action), 303)

    def attach(self, request: Request, case_id: int, form: Mapping[str, str], file: tuple[str, bytes]) -> Response:
        """A file for a case."""
        visit, (name, content) = self.visit(request, case_id), file
        why = form.get("why", "")
        try:
            facts: dict[str, str | int] = {"kind": kind_of(content, name), "size_bytes": len(content)}

            def act(who: str, now_ns: int) -> CaseStep:
                clerk, scope = self._office.clerk, visit.scope
                steps = steps_of(form)
                return clerk.attach(case_id, content, name, who, now_ns, why=why, steps=steps, scope=scope)

            self._audited(request, case_id, "case.attach", facts, why, act)
        except (CaseError, LedgerError) as error:
            return self.refused_page(request, case_id, "attach", error, form)
        return RedirectResponse(visit.href(visit.path, done="attach"), 303)

    def handed_out(self, request: Request, case_id: int, number: int) -> Response:
        """A file, as a download and nothing else. Raises RefusalError where there is none, or another one."""
        visit = self.visit(request, case_id)
        case = self.case_of(visit, case_id)
        file = self._present(visit, case, number)
        files = self._office.clerk.files
        if files is None:
            raise RefusalError(404, pages.NO_CASE)
        try:
            content = files.read(file.sha256)
        except AttachmentError as error:
            print(f"minewatch: console: {error}", file=sys.stderr, flush=True)
            raise RefusalError(500, DAMAGED_FILE) from None
        name = served_name(without_names(file.name, case.enterprise, case.site, persons=False), file.kind)
        asked = {"attachment": str(number), "sha256": file.sha256}
        self._witness.saw(PageView(visit.viewer, "attachment", visit.path, asked, (), name))
        disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
        headers = {"Content-Disposition": disposition, "Content-Security-Policy": SANDBOXED}
        return Response(content, media_type="application/octet-stream", headers=headers)

    def several(self, request: Request, form: dict[str, str]) -> Response:
        """One command to several cases: those for which it is not allowed stay as they are."""
        visit = self.visit(request, None)
        answers = []
        chosen = bulk.chosen_cases(form)
        for case_id, steps in chosen.items():
            try:
                command = bulk.command_of(form, visit.viewer.login)
                found = visit.reader.case(case_id)
                if found is None:
                    raise NoSuchCaseError(case_id)
                self._command(request, visit, found, [command], steps)
                answers.append(BulkAnswer(case_id))
            except NoSuchCaseError:
                answers.append(BulkAnswer(case_id, visit._(pages.NO_CASE), there=False))
            except CaseError as error:
                answers.append(BulkAnswer(case_id, refusal_text(visit, error)))
            except StoreError:
                raise
            except LedgerError as error:
                print(f"minewatch: console: {error}", file=sys.stderr, flush=True)
                answers.append(BulkAnswer(case_id, visit._(NOT_WRITTEN_NOW)))
        page = answers_page(visit, answers, bulk.way_back(form))
        named = tuple(str(each.case_id) for each in answers if each.there)
        self._witness.saw(PageView(visit.viewer, "cases", CASES, {"do": form["do"]}, named))
        return HTMLResponse(render.html(visit, page).encode("utf-8", "replace"))

    def refused_page(
        self, request: Request, case_id: int, action: str, error: Exception, form: Mapping[str, str]
    ) -> Response:
        """The case as it is now, with the form as it was sent and why it was not done."""
        if isinstance(error, StoreError):  # the audit: what cannot be audited is not shown, either
            raise error
        if isinstance(error, NoSuchCaseError):
            raise RefusalError(404, pages.NO_CASE)
        visit, status = self.visit(request, case_id), 400
        if isinstance(error, CaseError):
            sentence = refusal_text(visit, error)
            status = 409 if error.sentence == verbs.CHANGED_SINCE else 400
        else:
            print(f"minewatch: console: {error}", file=sys.stderr, flush=True)
            sentence, status = visit._(NOT_WRITTEN_NOW), 503
        given = {name: text for name, text in form.items() if name != TOKEN}
        page = pages.case(visit, case_id, RefusedForm(action, sentence, given))
        self._witness.saw(PageView(visit.viewer, "case", visit.path, visit.asked.written, ()))
        return HTMLResponse(render.html(visit, page).encode("utf-8", "replace"), status)

    def _present(self, visit: Visit, case: Case, number: int) -> CaseAttachment:
        found = [each for each in visit.reader.attachments(case) if each.number == number and each.removed_ns is None]
        if not found:
            raise RefusalError(404, pages.NO_CASE)
        return found[0]

    def _command(
        self, request: Request, visit: Visit, case: Case, given: Sequence[CaseCommand], steps: int | None
    ) -> CaseStep:
        """Check who assigns what to whom, and do it. Raises CaseError, LedgerError."""
        for command in given:
            if isinstance(command, AssignCase):
                self._check_assignment(visit, case, command)
        command = given[0]
        moves = isinstance(command, MoveCase)
        action = "case.set" if moves else f"case.{verbs.KINDS[type(command)]}"

        def act(who: str, now_ns: int) -> CaseStep:
            return self._office.clerk.command(case.case_id, given, who, now_ns, steps=steps, scope=visit.scope)

        return self._audited(request, case.case_id, action, command_facts(given), command.why, act)

    def _audited(
        self,
        request: Request,
        case_id: int,
        action: str,
        facts: Mapping[str, str | int],
        why: str,
        act: Callable[[str, int], CaseStep],
    ) -> CaseStep:
        """A row before it is tried, and one after it. Raises CaseError, LedgerError."""
        viewer, now_ns = request.state.viewer, self._desk.clock()
        actor = account_actor(viewer.login, viewer.role, self._sign_in.address_of(request))
        entry = AuditEntry(actor, "change", action, now_ns, facts, [f"case:{case_id}"], why=why)
        with self._sign_in.door.trail.change(entry) as pending:
            done = act(f"account:{viewer.login}", now_ns)
            pending.before, pending.after = changed_facts(done)
        return done

    def _check_assignment(self, visit: Visit, case: Case, command: AssignCase) -> None:
        viewer, desk = visit.viewer, self._desk
        by = UserAccount(viewer.login, "", viewer.role, viewer.divisions)
        check_assigning(by, command.assignee, case.work.assignee)
        if command.assignee is not None:
            division = case.site.division if case.site is not None else None
            check_assignee(self._office.accounts(), command.assignee, division, desk.divisions, desk.year)
