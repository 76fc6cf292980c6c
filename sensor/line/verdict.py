"""How sure a session is to be mining: its grade, how strong the evidence is, and why. Sans-IO; knows the ladder of
evidence, and no findings.
"""

from __future__ import annotations

from collections.abc import Iterable

from sensor.dialects.stream.message import DEFAULT_FRAMING
from sensor.line.flow_facts import FlowFacts
from sensor.model.evidence import Grade
from sensor.model.text import N_, printable
from sensor.model.time import SECOND_NS
from sensor.session.account import Account
from sensor.session.jobs import KnownAlgorithm
from sensor.session.reading import Reading
from sensor.session.session import Session

#: Half of the lines of a mining direction being something else is too much for a mining session.
MAX_FOREIGN_SHARE = 0.5
#: So many shares acknowledged by the other side, each under its own request, are no text that quotes a session.
SURE_SHARES = 2
#: Of a direction that is seen alone: how often its acknowledgement numbers must have moved, and in how long a time, for
#: somebody to have answered it. A sign-in that is answered moves them twice, each answered share once more. Who sends
#: three packets in another's name hears no answer, and knows no number to acknowledge.
LEAST_ADVANCES, LEAST_ANSWERED_NS = 3, 30 * SECOND_NS
#: What a whole handshake weighs; less is the beginning of one.
WHOLE_HANDSHAKE = 50

#: Framings of the web, in which a few miners speak a dialect of lines.
WEB = frozenset({"http", "websocket"})

#: Reasons that most findings have.
MINER_SAID, POOL_ANSWERED = N_("the miner said {names}"), N_("the pool answered {names}")
ACKNOWLEDGED = N_("{accepted} of {sent} shares were acknowledged")
#: Reasons that are the same of every session.
QUOTED = N_("one side sent what both sides of a session send: a log or a copy of one")
AT_A_STRETCH = N_("shares and jobs came in stretches, as they stand in a log")
ONE_DIRECTION = N_("only one direction was captured; it said {names}")

#: The grade, how strong the evidence is (a key of signatures/weights), and why.
Verdict = tuple[Grade, str, tuple[str, ...]]


def grade_of(reading: Reading, session: Session, facts: FlowFacts) -> Verdict | None:
    """The verdict of a whole flow; None if what was read is no mining."""
    miner, pool = reading.miner, 1 - reading.miner
    if reading.dialect.sizes_only:
        if reading.score <= 0:
            return None  # what followed refuted it
        strength = "by-sizes" if reading.score >= WHOLE_HANDSHAKE else "by-opening"
        return (
            Grade.BEHAVES,
            strength,
            (
                N_("{title}: elsewhere by sizes and first bytes, the content is encrypted").format(
                    title=reading.dialect.header.title
                ),
            ),
        )
    sent = _names(reading.miner_confirms)
    answered = _pool_words(reading.pool_confirms)
    if reading.miner_confirms and reading.pool_confirms:
        lines = session.messages[miner] + session.foreign[miner]
        accepted = sum(account.shares.accepted for account in reading.logins.accounts)
        if lines and session.foreign[miner] / lines > MAX_FOREIGN_SHARE and accepted < SURE_SHARES:
            return None
        if session.turns.quoted(miner):
            return Grade.BEHAVES, "quoted", (QUOTED,)
        if session.turns.at_a_stretch:
            return Grade.BEHAVES, "quoted", (AT_A_STRETCH,)
        return Grade.SPEAKS, "speaks", (MINER_SAID.format(names=sent), answered)
    if reading.dialect.framing == DEFAULT_FRAMING and facts.carriage.framing in WEB:
        return None  # what asks a web service in the words of a dialect of lines is no attempt at a pool
    speaker, silent = (miner, pool) if reading.miner_confirms else (pool, miner)
    if session.foreign[speaker] or _both_roles(session, speaker):
        return (
            # quoted text: mails, pages and rule files carry other lines, or both sides' messages; a miner does not
            None
        )
    confirms = reading.miner_confirms or reading.pool_confirms
    submitted = sum(account.shares.submitted for account in reading.logins.accounts)
    several = len(confirms) >= 2 or submitted >= LEAST_ADVANCES
    if several and _is_unseen(facts, silent) and was_answered(facts, speaker):
        return Grade.SPEAKS, "one-direction", (ONE_DIRECTION.format(names=_names(confirms)),)
    if speaker == pool:
        return Grade.BEHAVES, "pool-only", (N_("{reason}; the miner was not heard").format(reason=answered),)
    if reading.refused:
        return Grade.BEHAVES, "refused", (N_("attempt: {names} was refused").format(names=sent),)
    if session.messages[pool] or session.spoiled[pool]:
        return Grade.BEHAVES, "refused", (N_("attempt: {names} was not answered in kind").format(names=sent),)
    return Grade.BEHAVES, "unanswered", (N_("attempt: {names} was not answered").format(names=sent),)


def _is_unseen(facts: FlowFacts, direction: int) -> bool:
    """Whether not a packet of a direction was captured; of an open flow that was joined in its middle, not a byte."""
    joined = facts.paths is None and facts.opened.midstream
    return facts.packets[direction] == 0 or (joined and facts.seen[direction] + facts.missed[direction] == 0)


def was_answered(facts: FlowFacts, speaker: int) -> bool:
    """Whether somebody answered a direction that is seen alone: its own acknowledgements say so, over some time."""
    advances, _ = facts.acks[speaker]
    return advances >= LEAST_ADVANCES and facts.last_ns - facts.first_ns >= LEAST_ANSWERED_NS


def raised(
    reading: Reading, account: Account, mined: KnownAlgorithm | None, verdict: Verdict, *, scaled: bool
) -> Verdict:
    """The flow's verdict with what this login's shares add to it."""
    grade, strength, reasons = verdict
    shares = account.shares
    if grade is Grade.SPEAKS and shares.accepted:
        grade, strength = Grade.ACCEPTED, "accepted"
        sent = max(shares.submitted, shares.accepted)
        reasons = (*reasons, ACKNOWLEDGED.format(accepted=shares.accepted, sent=sent))
    if grade >= Grade.SPEAKS and shares.verified:
        grade, strength = Grade.VERIFIED, "verified"
        form = (
            N_("the work of {count} share was recomputed: {algorithm} hashes below the target")
            if shares.verified == 1
            else N_("the work of {count} shares was recomputed: {algorithm} hashes below the target")
        )
        reasons = (*reasons, form.format(count=shares.verified, algorithm=reading.jobs.proven))
    if reading.carried:
        reasons = (*reasons, N_("login and difficulty are known from what was seen of the connection before"))
    if account.refused:
        reasons = (*reasons, N_("the login was refused"))
    if account.shares.submitted and not scaled and mined is None:
        unknown = N_("the algorithm is not known, and with it what a share of this difficulty is worth")
        reasons = (*reasons, unknown)
    elif account.shares.submitted and not scaled and mined is not None:
        unknown = N_("what a difficulty means for {algorithm} is not known").format(algorithm=printable(mined.name))
        reasons = (*reasons, unknown)
    elif account.work_unknown:
        unknown = N_("the difficulty of {count} accepted shares was not seen").format(count=account.work_unknown)
        reasons = (*reasons, unknown)
    return grade, strength, reasons


def _both_roles(session: Session, direction: int) -> bool:
    """Whether one direction sends what only miners send and also what only pools send."""
    readings = session.readings
    as_miner = any(reading.miner == direction and reading.miner_confirms for reading in readings)
    return as_miner and any(reading.miner != direction and reading.pool_confirms for reading in readings)


def _names(names: Iterable[str]) -> str:
    return ", ".join(sorted({name.partition("/")[0] for name in names}))


def _pool_words(names: Iterable[str]) -> str:
    """What the pool did: a name with a slash is the answer to a miner's message, others were sent unasked."""
    answers = {name for name in names if "/" in name}
    sent = set(names) - answers
    if answers and sent:
        return N_("the pool answered {names} and sent {others}").format(names=_names(answers), others=_names(sent))
    if sent:
        return N_("the pool sent {names}").format(names=_names(sent))
    return POOL_ANSWERED.format(names=_names(answers))
