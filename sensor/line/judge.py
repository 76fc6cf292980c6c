"""From a finished session to graded contributions: which dialect it was, how sure that is, and why, one contribution
for each login.

Sans-IO. Knows the evidence ladder; does not join flows (sensor/line/join.py does) and knows nothing of how a finding
leaves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from sensor.estimate import Exposure
from sensor.line.activity import flow_activity
from sensor.line.dialect_name import DialectName, name_of
from sensor.line.flow_facts import FlowFacts, is_host
from sensor.line.flow_summary import flow_exposure, flow_summary, flow_trace, trace_without_work
from sensor.line.verdict import Verdict, grade_of, raised
from sensor.model.evidence import Evidence, Grade
from sensor.model.finding import Activity, Wallet
from sensor.model.flow import FlowSummary
from sensor.model.naming import AlgorithmBasis
from sensor.model.observation import Observation
from sensor.model.quantities import UNKNOWN_WAIT
from sensor.model.text import N_
from sensor.session.account import Account, without_work
from sensor.session.distinct import Distinct
from sensor.session.jobs import KnownAlgorithm
from sensor.session.matched_messages import Sighting
from sensor.session.ranking import rank
from sensor.session.reading import Reading
from sensor.session.session import Session
from sensor.signatures.model import Dialect, SignatureSet
from sensor.signatures.wallet_forms import WalletBook
from sensor.wallets import donation_software, fits, identify, mined_coin

MAX_EVIDENCE = 8
#: Why a login is nobody's.
DONATES = N_("a donation session of {software}, not another miner")
#: How strong the evidence of an attempt is called (keys of signatures/weights).
ATTEMPTS = frozenset({"refused", "unanswered", "quoted"})


@dataclass(slots=True)
class Spoken:
    """One login in one flow: what a finding is joined from."""

    dialect: Dialect
    spoken_as: DialectName  # what it is called: while several dialects fit, their family
    observation: Observation  # with its grade and its weight
    score: int
    reasons: tuple[str, ...]
    account: Account
    flow: FlowSummary
    coin: str | None
    algorithm: str | None
    algorithm_basis: AlgorithmBasis | None
    jobs: int
    job_work: tuple[int, int] | None
    gap_bytes: int
    seen_bytes: int
    evidence: list[Evidence]
    names: Distinct
    exposure: Exposure
    activity: Activity = "mining"
    endpoint: str | None = None  # the pool's name as the miner speaks it
    wallet: Wallet | None = None
    donation: bool = False

    @property
    def miner_ip(self) -> str:
        """The miner's end of the connection."""
        return self.flow.key.src_ip

    @property
    def pool_ip(self) -> str:
        """The pool's end, and its port below."""
        return self.flow.key.dest_ip

    @property
    def pool_port(self) -> int:
        """The port of the pool's end."""
        return self.flow.key.dest_port

    @property
    def grade(self) -> Grade:
        """How strong it is."""
        return self.observation.grade


class _Judged(NamedTuple):
    """One flow: how it is read, what that is called, and how sure it is to be mining."""

    reading: Reading
    spoken_as: DialectName
    verdict: Verdict
    facts: FlowFacts


def judge(session: Session, facts: FlowFacts) -> list[Spoken]:
    """The contributions of one flow; empty if nothing in it was mining."""
    reading = best_reading(session)
    if reading is None or not (is_host(facts.opened.orig_addr) and is_host(facts.opened.resp_addr)):
        return []
    verdict = grade_of(reading, session, facts)
    if verdict is None:
        return []
    spoken_as = name_of(reading.dialect, session.rivals_of(reading), has_foreign_jobs=reading.has_foreign_jobs)
    if spoken_as.is_open:
        grade, strength, reasons = verdict
        verdict = (grade, strength, (*reasons, spoken_as.reason))
    if session.remark is not None:
        verdict = (*verdict[:2], (*verdict[2], session.remark))
    accounts = [account for account in reading.logins.accounts if _is_heard(account, reading)]
    if not accounts:
        anonymous = reading.logins.find(None)
        accounts = [anonymous or Account(None, facts.first_ns, facts.last_ns)]
    judged = _Judged(reading, spoken_as, verdict, facts)
    return [
        _whose(_contribution(judged, account, session.signatures), session.wallets, reading.jobs.proven)
        for account in accounts
    ]


def _is_heard(account: Account, reading: Reading) -> bool:
    """Whether a login was heard in this flow. Of those known from before at least the latest is the flow's."""
    if account.shares.submitted:
        return True
    return account.login is not None and (not reading.carried or account is reading.logins.latest)


def best_reading(session: Session) -> Reading | None:
    """What the miner sends counts before what the pool answers; then the weight of all that was recognised; then the
    lower id.
    """
    candidates = [reading for reading in session.readings if reading.miner_confirms or reading.pool_confirms]
    return max(candidates, key=rank, default=None)


def _contribution(judged: _Judged, account: Account, signatures: SignatureSet) -> Spoken:
    reading, spoken_as, verdict, facts = judged
    activity = flow_activity(reading, account, verdict[1], facts)
    mined = None if spoken_as.is_open else reading.jobs.mined(account)
    algorithm = mined.name if mined is not None else None
    scaled = not spoken_as.is_open and reading.dialect.work.has_scale(algorithm)
    grade, strength, reasons = raised(reading, account, mined, verdict, scaled=scaled)
    if activity == "attempt":
        grade, strength = Grade.CONTACTED, strength if strength in ATTEMPTS else "refused"
    flow = flow_summary(reading, account, facts)
    flow.dialect = spoken_as.name
    exposure = flow_exposure(reading, account, facts, signatures)
    flow.trace = flow_trace(reading, account, facts, exposure, algorithm)
    job_work = reading.jobs.latest
    if spoken_as.is_open:  # which dialect it goes on in is not known, nor how long one waits for a share
        exposure.wait_seconds = UNKNOWN_WAIT
        flow.trace = flow.trace and replace(flow.trace, state=None)
    if not scaled:
        account, exposure, job_work = without_work(account), exposure.without_work(), None
        flow.trace = flow.trace and trace_without_work(flow.trace, exposure)
    evidence = _evidence(reading, account, spoken_as.name, grade, flow.key.community_id)
    observation = Observation(
        kind="spoken",
        grade=grade,
        signature=spoken_as.name,
        bits=signatures.weights.of("spoken", strength),
        time_ns=evidence[0].time_ns if evidence else flow.first_ns,
        detail={"strength": strength},
    )
    return Spoken(
        dialect=reading.dialect,
        observation=observation,
        score=reading.score,
        reasons=reasons,
        account=account,
        flow=flow,
        spoken_as=spoken_as,
        coin=None if spoken_as.is_open else _named_coin(reading, account, mined),
        algorithm=algorithm,
        algorithm_basis=mined.basis if mined is not None else None,
        jobs=reading.jobs.count,
        job_work=job_work,
        gap_bytes=facts.gap_bytes,
        seen_bytes=facts.seen_bytes,
        evidence=evidence,
        names=reading.logins.names,
        exposure=exposure,
        activity=activity,
        endpoint=reading.depth.endpoint,
    )


def _named_coin(reading: Reading, account: Account, mined: KnownAlgorithm | None) -> str | None:
    """The coin that the login, a job or the dialect names, but not that of a habit."""
    habit = reading.dialect.coin if mined is None or mined.basis != "assumed" else None
    return account.coin or reading.jobs.coin or habit


def _whose(contribution: Spoken, book: WalletBook, proven: str | None) -> Spoken:
    """What follows from the login: wallet, donation, and the coin where that follows."""
    login, dialect = contribution.account.login, contribution.dialect
    if login is None:
        return contribution
    software = donation_software(login, contribution.flow.agent, dialect.name, book)
    if software is not None:
        contribution.donation = True
        contribution.activity = "mining" if contribution.activity == "probe" else contribution.activity  # it is brief
        contribution.wallet = Wallet(None, "account")
        contribution.reasons = (*contribution.reasons, DONATES.format(software=software))
        return contribution
    contribution.wallet = identify(login, book).wallet
    named = next((rule.coin for rule in dialect.coins if rule.login is not None and rule.login.search(login)), None)
    if contribution.coin is not None and contribution.coin == named and contribution.wallet.checksum == "wrong":
        contribution.coin = None
        contribution.reasons = (
            *contribution.reasons,
            N_("the login looks like a wallet of {coin}, but its check characters are wrong").format(coin=named),
        )
    if contribution.account.payout is not None:
        contribution.wallet = replace(contribution.wallet, payout=contribution.account.payout.upper())
    if contribution.spoken_as.is_open or dialect.generic:
        return contribution
    sure = proven if contribution.algorithm_basis != "proven" else contribution.algorithm
    if (
        contribution.coin is not None
        and sure is not None
        and book.work_of(contribution.coin)
        and not fits(contribution.coin, dialect.name, sure, book)
    ):
        contribution.coin = None  # the wallet is paid, something else is mined
    if contribution.algorithm is not None or not dialect.work.by_algorithm:
        coin = mined_coin(contribution.wallet, dialect.name, contribution.algorithm, book)
        contribution.coin = contribution.coin or coin
    return contribution


def _evidence(reading: Reading, account: Account, signature: str, grade: Grade, flow: str) -> list[Evidence]:
    mine = [sighting for sighting in reading.sightings if sighting.login in (None, account.login)]
    evidence = [_piece(sighting, signature, grade, flow) for sighting in mine]
    return sorted(evidence, key=evidence_order)[:MAX_EVIDENCE]


def _piece(sighting: Sighting, signature: str, grade: Grade, flow: str) -> Evidence:
    own = Grade.ACCEPTED if sighting.accepted else Grade.SPEAKS if sighting.confirms else Grade.BEHAVES
    own = Grade.VERIFIED if sighting.proof else own
    return Evidence(
        grade=min(own, grade),
        signature=signature,
        time_ns=sighting.ts_ns,
        flow=flow,
        direction="miner" if sighting.from_miner else "pool",
        offset=sighting.offset,
        excerpt=sighting.excerpt,
        detail={"message": sighting.name, **sighting.detail},
    )


def evidence_order(piece: Evidence) -> tuple[int, int, str, str, int, str]:
    """Best first, then earliest; the rest only makes the order total."""
    return (-piece.grade, piece.time_ns, piece.flow, piece.direction, piece.offset, str(piece.detail.get("message")))
