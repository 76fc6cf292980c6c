"""An encrypted session that behaves as mining, as evidence: every part with its number, and the lengths it rests on.
Pure.
"""

from __future__ import annotations

from sensor.behaviour.session_trace import GrammarLook
from sensor.line.flow_facts import TCP, address_text, community_id
from sensor.line.judged_session import JudgedSession
from sensor.model.evidence import Evidence, Grade
from sensor.model.observation import Behaved, Observation, ObservationPoint, Subject
from sensor.model.text import endpoint_text
from sensor.model.time import SECOND_NS
from sensor.signatures.weights import WeightTable

#: What recognised it, and its strength in signatures/weights.
SIGNATURE, STRENGTH = "line-grammar", "grammar"
#: Records shown of a session, the first.
SHOWN_RECORDS = 160
MAX_EXCERPT = 160
SENDERS = ("miner", "pool")


def behaved(judged: JudgedSession, weights: WeightTable) -> Behaved | None:
    """The hint of a session; None where it does not behave as mining."""
    behaviour, opened = judged.behaviour, judged.opened
    if not behaviour.behaves:
        return None
    client, server = judged.ends
    session = community_id(TCP, client, server)
    subject = Subject(
        address_text(client[0]), address_text(server[0]), server[1], ObservationPoint(opened.source, opened.vlans)
    )
    look = min(judged.looks, key=lambda each: each.grammar.p)
    detail: dict[str, object] = {"session": session, "dialects": ", ".join(behaviour.dialects)}
    if behaviour.coin is not None:
        detail["coin"] = behaviour.coin
    bits = weights.of("behaved", STRENGTH)
    observation = Observation("behaved", Grade.BEHAVES, SIGNATURE, bits, judged.last_ns, behaviour.p, detail)
    evidence = Evidence(
        Grade.BEHAVES, SIGNATURE, judged.first_ns, session, "miner", 0, _excerpt(look), session_detail(judged)
    )
    return Behaved(subject, observation, (evidence,), judged.first_ns, judged.last_ns)


def session_detail(judged: JudgedSession) -> dict[str, object]:
    """All that the looks at a session gave, as plain values."""
    behaviour = judged.behaviour
    look = min(judged.looks, key=lambda each: each.grammar.p)
    trace = judged.looks[-1].trace
    start_ns = trace.times_ns[0] if len(trace) else judged.first_ns
    rows = zip(trace.times_ns[:SHOWN_RECORDS], trace.directions, trace.lengths, strict=False)
    return {
        "p": behaviour.p,
        "dialects": list(behaviour.dialects),
        "looks": [{"at_s": each.at_s, "records": each.records, "p": each.grammar.p} for each in judged.looks],
        "relations": [
            {
                "name": each.name,
                "detail": each.detail,
                "p": each.p,
                "lengths": list(each.lengths),
                "sent_by": each.sent_by,
            }
            for each in look.grammar.relations
        ],
        "parts": [
            {"name": part.name, "detail": part.detail, "p": part.p, "counts": part.counts} for part in behaviour.parts
        ],
        "tests": look.grammar.tried,
        "answered_shares": list(behaviour.shares),
        "beats": [
            {"coin": own.coin, "answer": counted.answer, "blocks": own.blocks, "p": own.p, "p_counted": counted.p}
            | ({"blocks_of": list(judged.taught[own.coin])} if own.coin in judged.taught else {})
            | ({} if own.waits_s is None else {"waits_s": [round(wait, 3) for wait in own.waits_s]})
            for own, counted in zip(judged.beats, judged.adjusted, strict=True)
        ],
        "lengths": [[round((at - start_ns) / SECOND_NS, 1), SENDERS[side], length] for at, side, length in rows],
    }


def session_record(judged: JudgedSession) -> dict[str, object]:
    """A session as `minewatch calibrate --sessions` writes it: who, when, and what its looks gave but for lengths."""
    client, server = (endpoint_text(address_text(address), port) for address, port in judged.ends)
    look = min(judged.looks, key=lambda each: each.grammar.p)
    untestable = judged.synchrony is None or judged.synchrony.untestable is not None
    detail = session_detail(judged)
    del detail["lengths"]
    return {
        "miner": client,
        "server": server,
        "first_ns": judged.first_ns,
        "last_ns": judged.last_ns,
        "seen": list(judged.records),
        "midstream": judged.opened.midstream,
        "ended": judged.ended,
        "behaves": judged.behaviour.behaves,
        "coin": judged.behaviour.coin,
        "untestable": look.grammar.untestable,
        "synchrony_p": None if untestable or judged.synchrony is None else judged.synchrony.p,
        **detail,
    }


def _excerpt(look: GrammarLook) -> str:
    return "; ".join(f"{each.name}: {each.detail}" for each in look.grammar.relations)[:MAX_EXCERPT]
