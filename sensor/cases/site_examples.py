"""Facts of sites written as data, and the proof of the weights by their own examples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from pydantic import TypeAdapter, ValidationError

from sensor.cases.site_class import SiteFacts, site_class
from sensor.signatures.sites import SiteWeights

_FACTS = TypeAdapter(SiteFacts)
_NAMES = tuple(member.name for member in fields(SiteFacts))


def facts_of(named: Mapping[str, Any]) -> SiteFacts:
    """Facts by name. ValueError with the reason for a name that is none, or a value of another kind."""
    for name in named:
        if name not in _NAMES:
            raise ValueError(f"{name} is no fact of a site; they are {', '.join(_NAMES)}")
    try:
        return _FACTS.validate_python(dict(named))
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def prove_sites(weights: SiteWeights) -> list[str]:
    """What is missing in the weights, and every example that is called otherwise, each with file and line."""
    if weights.missing:
        return [f"the weights of sites lack {', '.join(weights.missing)}"]
    failures = []
    for example in weights.examples:
        place = f"{example.file}:{example.line}"
        try:
            found = site_class(facts_of(example.facts), weights)
        except ValueError as error:
            failures.append(f"{place}: {error}")
            continue
        if found.kind != example.kind:
            failures.append(f"{place}: the site is {found.kind} ({found.confidence:g}), expected {example.kind}")
    return failures
