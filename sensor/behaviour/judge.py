"""Whether a session behaves as mining: the grammar of its lengths, and a second kind of evidence beside it.

Every part is in the result with its number, whether it counted or not. What does not behave is listed and never
reported. Knows results only.
"""

from __future__ import annotations

from dataclasses import dataclass

from sensor.behaviour.block_beat import BlockBeat
from sensor.behaviour.chances import fisher
from sensor.behaviour.grammar import GrammarResult
from sensor.behaviour.synchrony import Synchrony
from sensor.model.text import N_

#: Chances from which on the grammar, and a beat beside it, count.
GRAMMAR_CHANCE, BEAT_CHANCE = 1e-5, 1e-4
#: Answered shares from which on their gaps can be judged, and the chances of gaps as even and as uneven that are too
#: low for a search without memory. Vardiff makes gaps uneven at first.
LEAST_SHARES, TOO_EVEN, TOO_UNEVEN = 5, 0.01, 0.001
#: The chance of a ladder of branches from which on it stands beside gaps. Ids that grow in answers alone do not: 9 of
#: 150 sessions of a work queue with ids and acknowledgements of true had them, and gaps without memory.
SECOND_EQUATION = 0.01
#: The chance of constants as close in another protocol of the same structure, from which on they count. Of 360 joined
#: sessions of other JSON-RPC 226 had the grammar and a digit that question and answer grew by; of 540 that were seen
#: from the beginning 3 have such a chance of 0.01, none of 0.005.
CONSTANTS_CHANCE = 0.003
#: The same beside a beat, by the dialects that push jobs of its coin, for sessions that were joined and for those seen
#: from the beginning. Wallets at nodes follow blocks in JSON-RPC: of 1,505 of the evaluation's that were joined 1,071
#: had the grammar and a beat, 5 of these a chance of 0.1, none of 0.08; of 2,204 seen from the beginning one had 0.002.
CONSTANTS_BESIDE_BEAT = {False: 0.08, True: 0.0015}

#: What is said of an opening that was not seen, and of one that was.
OPENING = (N_("not seen"), N_("seen, and it fits"))


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Chances from which on the grammar, and a beat beside it, count."""

    grammar: float = GRAMMAR_CHANCE
    beat: float = BEAT_CHANCE


USUAL = Thresholds()


@dataclass(frozen=True, slots=True)
class BehaviourPart:
    """A kind of evidence with its number."""

    name: str
    detail: str
    p: float | None
    counts: bool


@dataclass(frozen=True, slots=True)
class Behaviour:
    """The judgement of one session."""

    behaves: bool
    dialects: tuple[str, ...]
    p: float  # of the grammar, after search and looks
    parts: tuple[BehaviourPart, ...]
    coin: str | None = None  # whose blocks it follows
    shares: tuple[int, int] = (0, 0)  # answered: at least, at most


def judge_behaviour(
    grammar: GrammarResult,
    beat: BlockBeat | None = None,
    synchrony: Synchrony | None = None,
    thresholds: Thresholds = USUAL,
    constants_of_coin: float | None = None,
) -> Behaviour:
    """`behaves` needs the grammar, constants that other protocols of this structure do not have, and one more of: the
    opening, a digit that question and answer grow by at once, a beat, gaps of shares without memory. The grammar by
    itself is that of any protocol with questions, answers and pushes, and so are the opening and the digit. Gaps alone
    are no second kind: a device that reports at random in one length, is acknowledged in one length and gets settings
    of one length has them, too. They count beside a ladder of branches. Synchrony is listed and never counts.
    Beside a beat more protocols' constants count, but of the dialects that mine its coin alone: wallets follow blocks
    in JSON-RPC, too, and among thirty dialects there is one that their lengths fit.
    """
    constants_p = _constants_chance(grammar)
    parts = [
        BehaviourPart(N_("grammar"), grammar.untestable or "", grammar.p, grammar.p <= thresholds.grammar),
        BehaviourPart(N_("constants"), "", constants_p, constants_p <= CONSTANTS_CHANCE),
        BehaviourPart(N_("opening"), OPENING[grammar.opening], None, grammar.opening),
        BehaviourPart(N_("roll-over"), _roll_over(grammar), None, grammar.roll_over),
        _gaps(grammar),
    ]
    follows = False
    if beat is not None:
        beside = 1.0 if constants_of_coin is None else constants_of_coin
        follows = beat.answer == "follows" and beat.p <= thresholds.beat
        form = N_("{answer} {coin}, {count} blocks; constants {constants} by its dialects")
        detail = form.format(answer=beat.answer, coin=beat.coin, count=beat.blocks, constants=f"{beside:.2g}")
        parts.append(BehaviourPart(N_("beat"), detail, beat.p, follows))
        follows = follows and beside <= CONSTANTS_BESIDE_BEAT[grammar.opening]
    if synchrony is not None:
        pairs = N_("{count} pairs of flows of this server").format(count=synchrony.pairs)
        detail = synchrony.untestable or pairs
        parts.append(BehaviourPart(N_("synchrony"), detail, synchrony.p, False))
    specific = parts[1].counts and any(part.counts for part in parts[2:])
    return Behaviour(
        behaves=parts[0].counts and (specific or follows),
        dialects=grammar.dialects,
        p=grammar.p,
        parts=tuple(parts),
        coin=beat.coin if beat is not None and beat.answer == "follows" else None,
        shares=grammar.answered,
    )


def _constants_chance(grammar: GrammarResult) -> float:
    """Of constants as close, and of a ladder of branches, which no other protocol has."""
    ladders = [part.p for part in grammar.relations if part.name == "branches"]
    return fisher([grammar.constants_p, *ladders]) if ladders else grammar.constants_p


def _roll_over(grammar: GrammarResult) -> str:
    if grammar.requests_by_digits is None:
        return N_("none")
    grew = N_("question and answer grew by a digit after {count} shares")
    return grew.format(count=grammar.requests_by_digits)


def _gaps(grammar: GrammarResult) -> BehaviourPart:
    even, uneven = grammar.gaps_p
    random = grammar.answered[0] >= LEAST_SHARES and even >= TOO_EVEN and uneven >= TOO_UNEVEN
    second = any(part.p <= SECOND_EQUATION for part in grammar.relations if part.name == "branches")
    form = N_("{count} answered shares; as even {even}, as uneven {uneven}")
    detail = form.format(count=grammar.answered[0], even=f"{even:.2g}", uneven=f"{uneven:.2g}")
    return BehaviourPart(N_("gaps"), detail, min(1.0, 2 * min(even, uneven)), random and second)
