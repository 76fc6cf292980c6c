"""The interface as OpenAPI 3.1 describes it, made from its table and from the schemas of its records."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from sensor.console.address_bar import AFTER, SINCE, UNTIL, Parameter
from sensor.console.interface.endpoints import ENDPOINTS, LIMIT, MOST_RECORDS, PAGE_RECORDS, Endpoint
from sensor.console.interface.schemas import (
    TEXT,
    Schema,
    component_schemas,
    listed,
    nullable,
    reference,
    whole,
)
from sensor.console.web.problem import BASE, CONTENT_TYPE

VERSION = "1.0.0"
ABOUT = (
    "The lists of the minewatch console, read only. A token sees what its account sees, at most its own divisions, and "
    "no person's name. Keys may be added; a key never changes its meaning, and none goes, as long as the path says v1. "
    "What is not known is null, never 0."
)
IN_PATH: dict[str, tuple[str, Schema]] = {
    "key": ("Its identity", TEXT),
    "number": ("Its number", {"type": "integer", "minimum": 0}),
    "address": ("An address, IPv4 or IPv6, spelled in any way", TEXT),
}
#: Status, and when it is the answer.
REFUSALS = {
    "400": "A parameter that there is not, or a value that it cannot have.",
    "401": "No token, or one that is not good any more.",
    "403": "The token is not for this.",
    "404": "There is none, or it is not the token's to see.",
    "429": "The token asked too often; Retry-After says for how many seconds to wait.",
    "503": "The ledger cannot be read just now, or the audit not written.",
}


@cache
def description() -> bytes:
    """The document."""
    return (json.dumps(_document(), ensure_ascii=False, indent=1) + "\n").encode()


def _document() -> dict[str, Any]:
    paths = {f"{BASE}{endpoint.path}": {"get": _operation(endpoint)} for endpoint in ENDPOINTS}
    bearer = {"type": "http", "scheme": "bearer", "description": "minewatch people tokens add"}
    return {
        "openapi": "3.1.0",
        "info": {"title": "minewatch", "version": VERSION, "description": ABOUT},
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {"schemas": component_schemas(), "securitySchemes": {"token": bearer}},
    }


def _operation(endpoint: Endpoint) -> Schema:
    refusals = {
        status: {"description": text, "content": {CONTENT_TYPE: {"schema": reference("problem")}}}
        for status, text in REFUSALS.items()
        if status != "404" or not endpoint.is_list
    }
    answer: Schema = {
        "description": endpoint.summary,
        "headers": {
            "ETag": {"description": "Of these bytes, for this token.", "schema": TEXT},
            **({"Link": {"description": 'rel="next"', "schema": TEXT}} if endpoint.listed is not None else {}),
        },
        "content": {"application/json": {"schema": _body(endpoint)}},
    }
    asked = [_in_query(parameter) for parameter in endpoint.asked]
    fresh = {"name": "If-None-Match", "in": "header", "schema": TEXT, "description": "A tag of before."}
    return {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "security": [{"token": [endpoint.scope]}],
        "parameters": [*_in_path(endpoint), *asked, fresh],
        "responses": {"200": answer, "304": {"description": "As it was."}, **refusals},
    }


def _body(endpoint: Endpoint) -> Schema:
    record = reference(endpoint.record)
    if not endpoint.is_list:
        return whole({"basis": reference("basis"), "record": record})
    reasons = ["no-division", "not-yours", "not-watched", "nothing-found", None]
    return whole(
        {
            "basis": reference("basis"),
            "filters": {"type": "object", "additionalProperties": TEXT, "description": "As they were understood."},
            "records": listed(record),
            "empty": {"enum": reasons, "description": "Why there is none; null where there are some."},
            "next": {**nullable(TEXT), "description": "Where the next page is; null on the last one."},
        }
    )


def _in_path(endpoint: Endpoint) -> list[Schema]:
    names = [piece.strip("{}") for piece in endpoint.path.split("/") if piece.startswith("{")]
    return [
        {"name": name, "in": "path", "required": True, "description": IN_PATH[name][0], "schema": IN_PATH[name][1]}
        for name in names
    ]


def _in_query(parameter: Parameter) -> Schema:
    schema: Schema = dict(TEXT)
    if parameter.choices:
        schema["enum"] = [value for value, _ in parameter.choices]
    elif parameter in (SINCE, UNTIL):
        schema["format"] = "date"
    elif parameter is LIMIT:
        schema = {"type": "integer", "minimum": 1, "maximum": MOST_RECORDS, "default": PAGE_RECORDS}
    elif parameter is AFTER:
        schema["description"] = "Where a page begins, as `next` of the page before has it."
    if parameter.hint:
        schema["examples"] = [parameter.hint]
    return {"name": parameter.name, "in": "query", "description": parameter.title or parameter.name, "schema": schema}
