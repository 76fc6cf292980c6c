"""The grammar of lengths of each dialect: what a share, its answer, a job and the opening may measure, made from the
templates of its examples.

A pool writes all its messages in one style, a miner in one of its own; so the pool's style is a variant, and the
miner's ranges hold both. Knows no sessions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sensor.behaviour.spans import BRANCH_STEPS, STYLES, Style, id_digits, leaves, size_of
from sensor.behaviour.templates import TEXT_FRAMINGS, Template, templates_of
from sensor.signatures import Dialect, SignatureSet

#: Digits of an id: `null` and fixed ids among them.
MAX_ID_DIGITS = 7
#: Those of an hour.
USUAL_ID_DIGITS = 3
#: What can have any length explains nothing: answers and small pushes, and answers to shares.
WIDEST_ANSWER, WIDEST_REPLY = 100, 40
#: A text of a reply that is as long may be a hash, another each time.
LONG_TEXT = 16
#: What acknowledges a share in the framing that most dialects share.
ACKNOWLEDGED: dict[str, object] = {"id": 1, "result": True, "error": None}


@dataclass(frozen=True, slots=True)
class LengthRange:
    """A range of lengths, ids and ends of lines counted."""

    low: int
    high: int
    slack: int = 0
    usual: tuple[int, int] | None = None  # as in the example, in all styles, ids of few digits; None: all of it

    def __contains__(self, length: int) -> bool:
        return self.low <= length <= self.high

    def around(self, inner: LengthRange) -> LengthRange:
        """What a message measures that has so much around another one of these lengths."""
        usual = None if self.usual is None else (self.usual[0] + inner.low, self.usual[1] + inner.high)
        return LengthRange(self.low + inner.low, self.high + inner.high, self.slack, usual)


#: What an answer to a login may have around its job where no example shows both.
ANY_ENVELOPE = LengthRange(20, 250)


@dataclass(frozen=True, slots=True)
class LineOpening:
    """How an example begins: what the miner sends before its first share, and what the first answer may measure."""

    requests: tuple[LengthRange, ...]
    answers: tuple[LengthRange | None, ...]  # to each; None where the example shows none, or none of a constant text
    as_share: tuple[bool, ...]  # this answer is that of a share, but for the digits of its id
    first_answer: LengthRange
    envelope: LengthRange | None  # the first answer is a job and this
    share_minus_login: LengthRange | None  # where both name the miner
    login: int  # which of the requests is the last login


@dataclass(frozen=True, slots=True)
class DialectLengths:
    """One dialect in one style of its pool and one transport."""

    dialect: str
    style: Style
    transport: str  # "line" or "websocket"
    submits: tuple[LengthRange, ...]
    replies: tuple[LengthRange, ...]  # to shares, accepted, with ids of 1 digit up
    asks: tuple[LengthRange, ...]  # what else a miner sends when it works
    answers: tuple[LengthRange, ...]  # to that
    jobs: tuple[LengthRange, ...]
    targets: tuple[LengthRange, ...]
    step: int | None  # its jobs grow by branches of this
    openings: tuple[LineOpening, ...]
    coins: frozenset[str] = frozenset()  # that it pushes jobs of, as far as the signatures say


def lengths_of(dialect: Dialect, signatures: SignatureSet) -> tuple[DialectLengths, ...]:
    """Every variant; none for a dialect whose framing is not text, or whose shares or jobs no example shows."""
    if not set(dialect.framings) & set(TEXT_FRAMINGS) or dialect.generic:
        return ()
    templates = templates_of(dialect, signatures)
    transports = ["line"] if "json-lines" in dialect.framings else []
    transports += ["websocket"] if "websocket" in dialect.framings else []
    stated = (dialect.coin, *(rule.coin for rule in dialect.coins))
    mined = (coin for coin, work in signatures.wallets.coins if work.in_dialect(dialect.name))
    pushes = any(template.side == "pool" and template.kind == "job" for template in templates)
    coins = frozenset(coin for coin in (*stated, *mined) if coin and pushes)
    found = (
        replace(_variant(dialect.name, templates, style, transport), coins=coins)
        for transport in transports
        for style in STYLES
    )
    return tuple(variant for variant in found if variant.submits and variant.jobs and variant.replies)


def framed(length: int, transport: str, from_miner: bool) -> int:
    """The length with what the transport puts around a text: an LF, or a header of WebSocket (RFC 6455 section 5.2)."""
    if transport == "line":
        return length + 1
    return length + (2 if length < 126 else 4) + (4 if from_miner else 0)


def _variant(name: str, templates: tuple[Template, ...], style: Style, transport: str) -> DialectLengths:
    def miner(*kinds: str) -> tuple[LengthRange, ...]:
        return _unique(_miner_bounds(t, transport) for t in templates if t.side == "miner" and t.kind in kinds)

    def pool(found: Iterable[Template]) -> tuple[LengthRange, ...]:
        return _unique(_pool_bounds(t, style, transport) for t in found)

    def narrow(found: Iterable[Template]) -> tuple[LengthRange, ...]:
        return tuple(some for some in pool(found) if some.high - some.low <= WIDEST_ANSWER)

    jobs = [t for t in templates if t.side == "pool" and t.kind == "job"]
    jobs += [t for t in templates if t.kind == "reply" and t.job and t.answers == "getwork"]
    if not jobs:
        jobs = [t for t in templates if t.kind == "reply" and t.job]
    others = [t for t in templates if t.kind == "reply" and t.answers in ("hashrate", "getwork", "other") and not t.job]
    return DialectLengths(
        dialect=name,
        style=style,
        transport=transport,
        submits=miner("submit"),
        replies=_unique(_replies(templates, style, transport)),
        asks=miner("hashrate", "getwork", "other"),
        answers=narrow(others),
        jobs=pool(jobs),
        targets=narrow(t for t in templates if t.side == "pool" and t.kind in ("target", "other")),
        step=BRANCH_STEPS[style] if any(t.spans[style].step for t in jobs) else None,
        openings=tuple(_openings(templates, style, transport)),
    )


def _unique(found: Iterable[LengthRange]) -> tuple[LengthRange, ...]:
    return tuple(dict.fromkeys(found))


def _miner_bounds(template: Template, transport: str) -> LengthRange:
    spans = [template.spans[style] for style in STYLES]
    low, high = min(span.low for span in spans), max(span.high for span in spans)
    digits = (min(1, template.digits), MAX_ID_DIGITS if template.digits else 0)
    slack = max(span.slack for span in spans)
    usual = _usual([span.usual for span in spans], template.digits, transport, True)
    return LengthRange(
        framed(low + digits[0], transport, True), framed(high + digits[1], transport, True), slack, usual
    )


def _usual(lengths: Iterable[int], digits: int, transport: str, from_miner: bool) -> tuple[int, int]:
    """From the shortest with an id of few digits to the longest with one of more."""
    fewest, most = (1, USUAL_ID_DIGITS) if digits else (0, 0)
    lengths = list(lengths)
    return (
        framed(min(lengths) + fewest, transport, from_miner),
        framed(max(lengths) + most, transport, from_miner),
    )


def _pool_bounds(template: Template, style: Style, transport: str) -> LengthRange:
    span = template.spans[style]
    low, high = span.low + min(1, template.digits), span.high + (MAX_ID_DIGITS if template.digits else 0)
    usual = _usual([span.usual], template.digits, transport, False)
    return LengthRange(framed(low, transport, False), framed(high, transport, False), span.slack, usual)


def _replies(templates: tuple[Template, ...], style: Style, transport: str) -> Iterator[LengthRange]:
    """What answers a share that was taken: exact where nothing in it is unknown but the id."""
    answers = [t for t in templates if t.kind == "reply" and t.answers == "submit" and not t.job]
    taken = [t for t in answers if t.outcome == "accepted"]
    for template in taken:
        if _is_constant(template.value):
            yield from _exact(template.value, style, transport)
        elif (some := _pool_bounds(template, style, transport)).high - some.low <= WIDEST_REPLY:
            yield some
    if answers and not taken:
        yield from _exact(ACKNOWLEDGED, style, transport)


def _is_constant(value: Mapping[str, object]) -> bool:
    """Whether a reply has no part that could be another the next time, but for its id."""
    for parts, part in leaves(value):
        if parts in (("id",), ("jsonrpc",)):
            continue
        if isinstance(part, float | list) or (isinstance(part, str) and len(part) >= LONG_TEXT):
            return False
        if isinstance(part, int) and not isinstance(part, bool) and abs(part) >= 10:  # a code has one digit
            return False
    return True


def _exact(value: Mapping[str, object], style: Style, transport: str) -> Iterator[LengthRange]:
    """The reply as it stands, with and without its version and an error of null."""
    bare = {name: part for name, part in value.items() if name != "jsonrpc" and (name != "error" or part is not None)}
    for version in ({}, {"jsonrpc": "2.0"}):
        for error in ({}, {"error": None}):
            whole: dict[str, object] = {**bare, **version, **error}
            base = size_of(whole, style) - id_digits(whole)
            fewest, most = (1, MAX_ID_DIGITS) if "id" in value else (0, 0)
            usual = _usual([base], fewest, transport, False)
            yield LengthRange(framed(base + fewest, transport, False), framed(base + most, transport, False), 0, usual)


def _openings(templates: tuple[Template, ...], style: Style, transport: str) -> Iterator[LineOpening]:
    """The openings of all examples, without those that were cut short: that sign in as others do which subscribe, too,
    or subscribe as others do which sign in, too; where others are answered with a job, those that are not.
    """
    found: dict[LineOpening, dict[str, str]] = {}
    for number in dict.fromkeys(t.example for t in templates):
        own = [t for t in templates if t.example == number]
        opening = _opening(own, templates, style, transport)
        if opening is not None:
            head = own[: _first_share(own)]
            found[opening] = {t.kind: t.rule for t in head if t.kind in ("login", "subscribe")}
    with_job = any(opening.envelope is not None and opening.envelope.high > ANY_ENVELOPE.low for opening in found)
    for opening, rules in found.items():
        cut_short = any(rules.items() < others.items() for others in found.values())
        cut_short = cut_short or ("login" not in rules and any("login" in others for others in found.values()))
        if rules and not cut_short and (opening.envelope is not None or not with_job):
            yield opening


def _opening(own: list[Template], templates: Sequence[Template], style: Style, transport: str) -> LineOpening | None:
    """How the messages of one example begin; None if it does not begin with the miner, or the pool says nothing."""
    head = own[: _first_share(own)]
    asked = [t for t in head if t.side == "miner" and t.kind != "hashrate"]  # which may come at any time
    heard = [t for t in head if t.side == "pool" and t.outcome != "rejected"]
    if not asked or own[0].side != "miner" or not heard:
        return None
    answer = next((t for t in heard if t.kind == "reply"), heard[0])
    replies = [_answer_to(t, head) for t in asked]
    share = next((t for t in own if t.kind == "reply" and t.answers == "submit" and t.outcome == "accepted"), None)
    login = max((i for i, t in enumerate(asked) if t.kind == "login"), default=0)
    return LineOpening(
        requests=tuple(_miner_bounds(t, transport) for t in asked),
        answers=tuple(_pool_bounds(t, style, transport) if t is not None else None for t in replies),
        as_share=tuple(t is not None and share is not None and _same(t, share) for t in replies),
        first_answer=_pool_bounds(answer, style, transport),
        envelope=_envelope(answer, own, templates, style) if answer.job else None,
        share_minus_login=_share_minus_login(asked[login], own),
        login=login,
    )


def _answer_to(request: Template, head: list[Template]) -> Template | None:
    number = request.value.get("id")
    return next((t for t in head if t.kind == "reply" and "id" in t.value and t.value["id"] == number), None)


def _same(reply: Template, other: Template) -> bool:
    """Two replies with one text but for the id."""
    bare = [
        {k: v for k, v in t.value.items() if k not in ("id", "jsonrpc", "method") and v is not None}
        for t in (reply, other)
    ]
    return bare[0] == bare[1]


def _share_minus_login(login: Template, own: list[Template]) -> LengthRange | None:
    """None where a share of the example does not repeat the login."""
    submits = [t.beside_login for t in own if t.kind == "submit"]
    share = submits[0] if submits and None not in submits else None
    if share is None or login.beside_login is None:
        return None
    shares, logins = share["compact"], login.beside_login["compact"]
    # Ids differ by some digits, and the spaced style adds some bytes to the one that has more parts.
    apart = shares.usual - logins.usual
    return LengthRange(shares.low - logins.high - 3, shares.high - logins.low + 16, 0, (apart - 1, apart + 3))


def _first_share(own: list[Template]) -> int:
    return next((i for i, t in enumerate(own) if t.side == "miner" and t.kind == "submit"), len(own))


def _envelope(answer: Template, own: list[Template], templates: Sequence[Template], style: Style) -> LengthRange | None:
    """By how much the answer to a login is longer than a job: what the two texts have around the same job."""
    slack = 1 + answer.spans[style].slack
    pushed = [t for t in templates if t.kind == "job"]
    if answer.kind == "job" or not pushed:  # pushed with nothing around it, or jobs are such answers
        return LengthRange(-slack, slack)
    job = next((t for t in pushed if t in own), None)
    inner = _job_within(answer.value)
    if inner is None or job is None or not isinstance(job.value.get("params"), dict):
        # Where its example shows no push, the same answer may come again.
        return ANY_ENVELOPE if job is not None else replace(ANY_ENVELOPE, low=-slack)
    around = size_of(answer.value, style) - size_of(inner, style)
    around -= size_of(job.value, style) - size_of(job.value["params"], style)
    # Session ids of 1 to 40 bytes, once or twice (some servers repeat it in the job); up to 90 bytes of extensions.
    # Real servers add 112, 112 and 118 (a public data set of XMRig sessions).
    return LengthRange(max(20, around - 100), around + 90, 0, (around, around))


def _job_within(value: Mapping[str, object]) -> object:
    result = value.get("result")
    return result.get("job") if isinstance(result, dict) else None
