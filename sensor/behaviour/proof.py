"""Proves the grammar of lengths of each dialect from its own examples: every message has a length that the grammar
allows, and of dialects without a grammar it is said why.
"""

from __future__ import annotations

from collections.abc import Iterator

from sensor.behaviour.dialect_lengths import WIDEST_REPLY, DialectLengths, LengthRange, framed, lengths_of
from sensor.behaviour.spans import size_of
from sensor.behaviour.templates import TEXT_FRAMINGS, Template, templates_of
from sensor.signatures import Dialect, SignatureSet


def grammar_failures(dialect: Dialect, signatures: SignatureSet) -> Iterator[tuple[str, int, str, str]]:
    """File, line and name of each example with a message whose length its dialect's grammar does not allow, and what is
    wrong."""
    templates = templates_of(dialect, signatures)
    for variant in lengths_of(dialect, signatures):
        for template in templates:
            length = framed(size_of(template.value, variant.style), variant.transport, template.side == "miner")
            places = _places(template, variant)
            if places is not None and not any(length in some for some in places):
                example = dialect.header.examples[template.example]
                what = f"{template.rule} has {length} bytes, which the grammar of lengths does not allow"
                yield example.file, example.line, example.name, what


def without_grammar(dialect: Dialect, signatures: SignatureSet) -> str | None:
    """Why a dialect has no grammar; None if it has one."""
    if dialect.generic:
        return "it is of no one program"
    if not set(dialect.framings) & set(TEXT_FRAMINGS):
        return "its messages are no lines of text"
    if lengths_of(dialect, signatures):
        return None
    kinds = {template.kind for template in templates_of(dialect, signatures)}
    return (
        "its examples show no share" if "submit" not in kinds else "its examples show no job, or no answer to a share"
    )


def _places(template: Template, variant: DialectLengths) -> tuple[LengthRange, ...] | None:
    """Where the message's length has to be; None where the grammar says nothing of it."""
    if template.answers == "login":
        return None
    span = template.spans[variant.style]
    taken = (template.kind, template.answers, template.outcome) == ("reply", "submit", "accepted")
    if taken and span.high - span.low <= WIDEST_REPLY:  # others say a text of their own, as of a block found
        return variant.replies
    by_kind = {"submit": variant.submits, "job": variant.jobs, "hashrate": variant.asks, "getwork": variant.asks}
    return by_kind.get(template.kind)
