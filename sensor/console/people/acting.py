"""Who acts on a page of accounts, and what he typed as divisions."""

from __future__ import annotations

from typing import Literal

from fastapi import Request

from sensor.attribution.books.divisions import DivisionError
from sensor.console.address_bar import LANGUAGE, Parameter, read_address_bar
from sensor.console.desk import Desk, Visit
from sensor.model.scope import DATA_ROLES, Role
from sensor.people.account import AccountError, Divisions, UserAccount, divisions_of_codes
from sensor.people.accounts import ActingPerson

ALL: Literal["all"] = "all"


def visit_of(request: Request, desk: Desk, *parameters: Parameter) -> Visit:
    """The visit of a request for a page of accounts; `parameters` may stand in the address bar beside the language."""
    asked = read_address_bar(request.scope["query_string"], (LANGUAGE, *parameters))
    viewer = request.state.viewer
    language = asked.get(LANGUAGE) or viewer.language
    return Visit(desk, viewer, request.url.path, asked, language, request.state.token)


def acting_person(visit: Visit, address: str) -> ActingPerson:
    """Who acts: the rules look his rights up anew."""
    viewer = visit.viewer
    return ActingPerson.signed_in(UserAccount(viewer.login, "", viewer.role, viewer.divisions), address)


def typed_divisions(visit: Visit, role: Role, text: str) -> Divisions:
    """Divisions as they are typed: codes or names, with commas or spaces between; or all. Raises AccountError."""
    typed = text.replace("，", ",").replace("、", ",").replace(",", " ").split()
    if role not in DATA_ROLES and not typed:
        return frozenset()
    if typed in ([ALL], ["全部"]):
        return ALL
    codes = []
    for each in typed:
        try:
            codes.append(visit.desk.divisions.division(each, visit.desk.year).codes[0])
        except DivisionError as error:
            raise AccountError(str(error)) from None
    return divisions_of_codes(codes)
