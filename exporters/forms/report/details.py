"""What is known of a finding besides its figures, a name and a text each; what is not known is left out. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from exporters.forms.amounts import quantity, rate_unit, work_symbol
from exporters.forms.documents.languages import ENGLISH, Language
from exporters.forms.documents.translations import Translate
from exporters.forms.fitting import short
from sensor.model.finding import Finding
from sensor.model.observation import Observation
from sensor.model.text import N_

#: Workers named, and lengths to which texts are cut in their middle.
MOST_WORKERS, MOST_TEXT, MOST_WORKER_TEXT = 24, 200, 400


#: Codes of a finding as the page has them.
POWER_BASES = {"device": N_("the device's efficiency"), "algorithm": N_("the algorithm's efficiency")}
CHECKSUMS = {"right": N_("checksum right"), "wrong": N_("checksum wrong")}
WALLETS = (N_("valid"), N_("format matches"), N_("account"))
ALGORITHMS = (N_("proven"), N_("stated"), N_("assumed"))
AGGREGATORS = (N_("unnamed"),)
EVIDENCE = {"spoken": N_("Evidence, spoken"), "named": N_("Evidence, named"), "behaved": N_("Evidence, behaved")}
BY_CHANCE = N_("{grade} by {signature}, {bits} bits, p = {p}")


@dataclass(frozen=True)
class Detail:
    """A name and what stands beside it; `code` for what is compared letter by letter."""

    name: str
    text: str
    code: bool = False


def details(item: Finding, language: Language = ENGLISH) -> Iterator[Detail]:
    """What is known besides; nothing stands for what is not."""
    _ = language.translate
    machine = item.device or " ".join(filter(None, (item.software, item.software_version)))
    wallet = item.wallet
    unit = rate_unit(item.work_unit)
    several = _("at least {count}").format(count=f"{item.machines_seen:,}")
    claimed, nominal = item.claimed_hashrate_hps, item.nominal_hashrate_hps
    rows = (
        (N_("Login"), item.login, True),
        (N_("Worker"), ", ".join(item.workers[:MOST_WORKERS]), True),
        (N_("Workers named"), f"{item.worker_count:,}" if item.worker_count > 1 else None, False),
        (N_("Machines behind the address"), several if item.machines_seen > 1 else None, False),
        (N_("Machine or program"), machine, False),
        (N_("Agent"), item.agent if item.agent != machine else None, True),
        (N_("Speaks for many"), item.aggregator and _(item.aggregator), False),
        (N_("Wallet"), wallet.address if wallet else None, True),
        (N_("Wallet is"), _verdict(item, _), False),
        (N_("Pool"), " · ".join(filter(None, (item.pool.name, item.pool.operator, item.pool.host))), False),
        (N_("Through proxy"), item.proxy, True),
        (N_("Pool asked for"), item.pool_host, True),
        (N_("Dialect"), _dialect(item, _), False),
        (N_("Algorithm is"), item.algorithm_basis and _(item.algorithm_basis), False),
        (N_("Withdrawn"), None if item.corrects is None else ", ".join(filter(None, item.corrects)), False),
        (N_("Work of a share"), _work(item.hashes_per_share, item), False),
        (N_("Work accepted"), _work(item.work_hashes, item), False),
        (
            N_("Claimed hashrate"),
            quantity(claimed, unit) if claimed else None,
            False,
        ),
        (N_("Hashrate in its name"), quantity(nominal, unit) if nominal else None, False),
        (N_("Donation session"), _("yes: a program's own fee, not another miner") if item.donation else None, False),
        (N_("Power rests on"), _(POWER_BASES[item.power_watts.basis]) if item.power_watts else None, False),
        (N_("Not captured"), _lost(item.capture_loss, _), False),
        (N_("Joined midstream"), _("yes: the beginning was not captured") if item.midstream else None, False),
        (N_("Became finding"), item.merged_into, True),
        (N_("Finding"), item.finding_id, True),
        *(
            (EVIDENCE.get(part.kind, f"Evidence, {part.kind}"), _evidence(part, language), False)
            for part in item.observations
        ),
    )
    for name, text, code in rows:
        if text:
            yield Detail(_(name), short(text, MOST_WORKER_TEXT if name == "Worker" else MOST_TEXT), code)


def _lost(loss: float | None, _: Translate) -> str | None:
    return _("{part} of its bytes").format(part=f"{loss:.2%}") if loss else None


def _dialect(item: Finding, _: Translate) -> str:
    if item.dialect is None:
        return _("not known")
    form = _("{dialect} over {framing}, {transport}")
    return form.format(dialect=item.dialect, framing=item.framing, transport=item.transport)


def _evidence_name(part: Observation) -> str:
    return EVIDENCE.get(part.kind, f"Evidence, {part.kind}")


def _evidence(part: Observation, language: Language) -> str:
    form = N_("{grade} by {signature}, {bits} bits") if part.p is None else BY_CHANCE
    p = "" if part.p is None else f"{part.p:.2g}"
    grade = language.grade(part.grade)
    return language.translate(form).format(grade=grade, signature=part.signature, bits=f"{part.bits:g}", p=p)


def _verdict(item: Finding, _: Translate) -> str | None:
    wallet = item.wallet
    if wallet is None:
        return None
    checksum = _(CHECKSUMS[wallet.checksum]) if wallet.checksum else None
    payout = _("paid in {coin}").format(coin=wallet.payout) if wallet.payout else None
    return ", ".join(filter(None, (_(wallet.verdict), wallet.form, checksum, payout)))


def _work(amount: float | None, item: Finding) -> str | None:
    return quantity(amount, work_symbol(item.work_unit)) if amount else None
