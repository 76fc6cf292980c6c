"""The shapes of the interface's records, as JSON Schema: those of the command line's answers where they are the same,
and what lists have beside them."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

from sensor.console.interface.records import without_officers

Schema = dict[str, Any]
REFERENCE = "#/components/schemas/"


def reference(name: str) -> Schema:
    """A schema by its name."""
    return {"$ref": f"{REFERENCE}{name}"}


def nullable(schema: Schema) -> Schema:
    """The same, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def listed(schema: Schema) -> Schema:
    """A list of it."""
    return {"type": "array", "items": schema}


def whole(properties: Schema, description: str = "") -> Schema:
    """An object that has all of these."""
    head: Schema = {"type": "object", "properties": properties, "required": list(properties)}
    return {**head, "additionalProperties": False, **({"description": description} if description else {})}


TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
NUMBER: Schema = {"type": "number"}
PART: Schema = {"type": "number", "minimum": 0, "maximum": 1}
MAYBE_COUNT, MAYBE_NUMBER, MAYBE_TEXT = nullable(COUNT), nullable(NUMBER), nullable(TEXT)
TIME, BOUNDS = reference("time"), nullable(reference("bounds"))
OWNER: Schema = {"enterprise": nullable(reference("enterprise")), "site": nullable(reference("site"))}
SEEN_AND_FIGURES: Schema = {"seen": reference("seen"), "figures": reference("figures_with_total")}


def _answers() -> Schema:
    """The definitions of the command line's answers, with references as OpenAPI has them."""
    text = resources.files("sensor.answers").joinpath("answers.schema.json").read_text(encoding="utf-8")
    definitions: Schema = json.loads(text.replace('"#/$defs/', f'"{REFERENCE}'))["$defs"]
    return definitions


def _extended(base: Schema, properties: Schema) -> Schema:
    """An object with more in it."""
    return whole({**base["properties"], **properties})


@cache
def component_schemas() -> Schema:
    """All schemas of the interface by their names."""
    answers = _answers()
    found: Schema = {}
    change = without_officers(answers["change"]["properties"])
    found["case"] = whole(without_officers(answers["case"]["properties"]))
    found |= {
        "problem": _problem(),
        "basis": _basis(),
        "amounts": _amounts(),
        "change": whole(change, "Who made it is in the audit, and is not said here."),
        "seen": whole(
            {"addresses": COUNT, "grade": reference("grade"), "first_seen": TIME, "last_seen": TIME}, "Of all time."
        ),
        "figures_with_total": _extended(answers["figures"], {"total": nullable(reference("amounts"))}),
    }
    found |= _records(answers)
    while missing := _named_in(found) - found.keys():
        found |= {name: answers[name] for name in sorted(missing)}
    return found


def _named_in(schemas: Schema) -> set[str]:
    """The schemas to which these refer."""
    pieces = json.dumps(schemas).split(f'"{REFERENCE}')[1:]
    return {piece.partition('"')[0] for piece in pieces}


def _records(answers: Schema) -> Schema:
    address = {"address": TEXT, "site_id": MAYBE_COUNT, **OWNER, "pools": listed(TEXT), **SEEN_AND_FIGURES}
    return {
        "finding": _extended(
            answers["finding"],
            {"watched_seconds": NUMBER, "capture_loss": MAYBE_NUMBER, "site_id": MAYBE_COUNT, "case": MAYBE_COUNT}
            | OWNER,
        ),
        "whole_case": _extended(
            whole(without_officers(answers["case"]["properties"])),
            {
                "addresses": listed(TEXT),
                "site_class": nullable(reference("site_class")),
                "figures": reference("figures_with_total"),
                "history": listed(reference("change")),
                "can_go_to": listed(reference("state")),
            },
        ),
        "listed_enterprise": whole(
            {"enterprise": reference("enterprise"), "sites": listed(reference("site")),
             "case_states": listed(reference("state")), **SEEN_AND_FIGURES}
        ),
        "listed_site": whole(
            {"site_id": COUNT, **OWNER, "site_class": nullable(reference("site_class")), **SEEN_AND_FIGURES}
        ),
        "listed_address": whole(address),
        "whole_address": whole(
            {**address, "seen": nullable(reference("seen")), "owners": listed(reference("owner")),
             "newest_findings": listed(TEXT)}
        ),
        "listed_sensor": _sensor(answers["sensor"]["properties"]),
        "shared": answers["shared"],
        "week_figures": _week(),
    }  # fmt: skip


def _problem() -> Schema:
    body = {"type": TEXT, "title": TEXT, "status": {"type": "integer"}, "detail": TEXT, "parameter": TEXT}
    needed = ["type", "title", "status", "detail"]
    return {"type": "object", "properties": body, "required": needed, "description": "RFC 9457."}


def _basis() -> Schema:
    members = {
        "from": TIME,
        "until": TIME,
        "time_zone": TEXT,
        "watched_seconds": {**NUMBER, "description": "In which at least one sensor listened."},
        "period_seconds": NUMBER,
        "watched_part": {**PART, "description": "Of the sensors' time."},
        "watched_enough": {"type": "boolean", "description": "Enough to go beyond what was seen."},
    }
    return whole(members, "What figures rest on. What was not watched is not known to be quiet.")


def _amounts() -> Schema:
    members = {
        "machines_at_least": COUNT,
        "mining_seconds": NUMBER,
        "power_watts": {**BOUNDS, "description": "While it mined; null: not known."},
        "energy_kwh": {**BOUNDS, "description": "Of what was seen; null: not known."},
        "energy_is_lower_bound": {"type": "boolean"},
        "projected_kwh": {**BOUNDS, "description": "Of the whole week; null: too little was watched, or not known."},
    }
    return whole(members)


def _sensor(answered: Schema) -> Schema:
    names = (
        *("sensor_id", "kind", "state", "first_report", "last_report", "retired_at"),
        *("clock_offset_ms", "clock_note", "policies"),
    )
    day = whole({"day": {"type": "string", "format": "date"}, "watched_seconds": NUMBER})
    members = {name: answered[name] for name in names}
    return whole({**members, "watched_seconds": NUMBER, "watched_part": PART, "days": listed(day)})


def _week() -> Schema:
    counts = ("organisations", "persons", "sites", "addresses", "new_addresses")
    division = whole(
        {"division": MAYBE_TEXT, "division_name": MAYBE_TEXT, "sites": COUNT, "addresses": COUNT,
         "total": nullable(reference("amounts"))}
    )  # fmt: skip
    members = {"week": TEXT, **dict.fromkeys(counts, MAYBE_COUNT), "figures": reference("figures_with_total")}
    return whole({**members, "divisions": listed(division)}, "Counts are null where nobody listened.")
