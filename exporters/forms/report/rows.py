"""Rows of a page's tables: nodes, connections of a finding, claims about its address. Pure; no person is named."""

from __future__ import annotations

from exporters.forms import cells
from exporters.forms.amounts import duration
from exporters.forms.documents.languages import ENGLISH, Language
from exporters.forms.fitting import short
from sensor.model.attribution import Attribution
from sensor.model.flow import FlowSummary
from sensor.model.node import Node
from sensor.model.text import N_, endpoint_text, file_name
from sensor.model.time import SECOND_NS, day_text, second_text

#: Texts are cut in their middle.
MOST_TEXT, MOST_NAME = 200, 80
#: What a claim about an address is worth for the answer.
STANDINGS = {
    "answer": N_("the answer rests on it"),
    "agrees": N_("agrees"),
    "wider": N_("a wider range"),
    "conflict": N_("contradicts"),
    "shared": N_("several holders"),
    "machine": N_("names the machine"),
    "context": N_("context"),
}
#: What stands for a person, in a sentence.
A_PERSON = N_("a private person")


def node(item: Node) -> dict[str, str]:
    """A row about a node."""
    key = item.key
    return {
        "from": endpoint_text(short(key.src_ip, MOST_TEXT), key.src_port),
        "to": endpoint_text(short(key.dest_ip, MOST_TEXT), key.dest_port),
        "what": short(" ".join(filter(None, (item.protocol, item.network))), MOST_NAME),
        "agent": short(item.agent or "", MOST_NAME),
        "sure": f"{item.confidence:.0%}",
        "since": second_text(item.first_ns),
    }


def connection(flow: FlowSummary) -> dict[str, str]:
    """A row about a connection of a finding."""
    key, counted = flow.key, flow.shares
    return {
        "from": endpoint_text(short(key.src_ip, MOST_TEXT), key.src_port),
        "to": endpoint_text(short(key.dest_ip, MOST_TEXT), key.dest_port),
        "since": second_text(flow.first_ns),
        "lasted": duration((flow.last_ns - flow.first_ns) / SECOND_NS),
        "shares": f"{counted.submitted:,} / {counted.accepted:,} / {counted.rejected:,}",
        "vlan": ", ".join(map(str, flow.vlans)),
        "transport": short(flow.transport, MOST_NAME),
        "source": short(file_name(flow.source), MOST_NAME),
        "flow": short(key.community_id, MOST_NAME),
    }


def claim_row(answer: Attribution, number: int, language: Language = ENGLISH) -> dict[str, str]:
    """A row about a claim of an answer, by its place."""
    claim, _ = answer.claims[number], language.translate
    name = claim.enterprise.name if claim.enterprise else ""
    return {
        "standing": _(STANDINGS[claim.standing]),
        "name": _(A_PERSON) if claim.enterprise and claim.enterprise.individual else short(name, MOST_NAME),
        "premises": cells.premises(claim.site)[:MOST_TEXT],
        "source": short(f"{claim.source}, {file_name(claim.place)}", MOST_NAME),
        "as_of": day_text(claim.as_of_ns) if claim.as_of_ns is not None else "",
        "strength": f"{claim.strength:.2f}",
        "allocation": short(claim.allocation, MOST_NAME),
        "reason": short(language.recorded(claim.reason), 400),
    }
