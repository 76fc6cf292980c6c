"""The console's routes as an OpenAPI document, made from the router itself: what schemathesis makes requests from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.routing import APIRoute

from sensor.console.web.app import PAGES

#: Answers that are in order; a server's error is never one.
ANSWERS = ("200", "303", "400", "401", "403", "404", "405", "409", "413", "414", "421", "429", "431", "503")
#: Fields of the forms that are sent with the session's token. Others, of which some end the session or lock the account
#: out, are sent without, and are to be refused.
FORMS: dict[str, tuple[str, ...]] = {
    "enter": ("login", "password"),
    "own-language": ("language",),
    "add-person": ("login", "name", "role", "divisions", "language", "new"),
    "person-name": ("reason",),
    "start-bulletin": ("week", "from", "to", "language"),
    "save-view": ("name", "route", "query"),
    "remove-view": ("name",),
}
IN_PATH = re.compile(r"{(\w+)}")


def description(routes: list[APIRoute], token: str, there: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The document; `token` is that of the session whose forms are sent, `there` has by the names of pieces of paths
    what the ledger really has."""
    asked = {route: parameters for route, _path, _maker, parameters in PAGES}
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        for method in sorted(route.methods & {"GET", "POST"}):
            operation: dict[str, Any] = {
                "operationId": f"{method}-{route.name}",
                "parameters": [
                    *({"name": name, "in": "path", "required": True, "schema": _piece(there.get(name, ()))}
                      for name in IN_PATH.findall(route.path)),
                    *({"name": parameter.name, "in": "query", "schema": _schema(parameter.choices)}
                      for parameter in asked.get(route.name, ())),
                ],
                "responses": {code: {"description": "in order"} for code in ANSWERS},
            }  # fmt: skip
            if route.name in FORMS:
                operation["requestBody"] = _body(FORMS[route.name], token)
            paths.setdefault(route.path, {})[method.lower()] = operation
    return {"openapi": "3.0.3", "info": {"title": "console", "version": "0"}, "paths": paths}


def _schema(choices: Any) -> dict[str, Any]:
    """Values of a parameter: any text, and of a closed set those as well."""
    named = [value for value, _title in choices]
    return {"anyOf": [{"type": "string", "enum": named}, {"type": "string"}]} if named else {"type": "string"}


def _piece(there: Sequence[str]) -> dict[str, Any]:
    """A piece of a path: what is there, and any text."""
    anything = {"type": "string", "minLength": 1}
    return {"anyOf": [{"type": "string", "enum": list(there)}, anything]} if there else anything


def _body(fields: tuple[str, ...], token: str) -> dict[str, Any]:
    texts = {name: {"type": "string"} for name in fields}
    schema = {
        "type": "object",
        "properties": {**texts, "token": {"type": "string", "enum": [token]}},
        "required": ["token"],
        "additionalProperties": False,
    }
    return {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": schema}}}
