"""What is known of a finding besides its figures, a name and a text each; what is not known is left out. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from exporters.forms.amounts import quantity, rate_unit, work_symbol
from exporters.forms.fitting import short
from sensor.model.finding import Finding
from sensor.model.observation import Observation

#: Workers named, and lengths to which texts are cut in their middle.
MOST_WORKERS, MOST_TEXT, MOST_WORKER_TEXT = 24, 200, 400


@dataclass(frozen=True)
class Detail:
    """A name and what stands beside it; `code` for what is compared letter by letter."""

    name: str
    text: str
    code: bool = False


def details(item: Finding) -> Iterator[Detail]:
    """What is known besides; nothing stands for what is not."""
    machine = item.device or " ".join(filter(None, (item.software, item.software_version)))
    wallet = item.wallet
    unit = rate_unit(item.work_unit)
    rows = (
        ("Login", item.login, True),
        ("Worker", ", ".join(item.workers[:MOST_WORKERS]), True),
        ("Workers named", f"{item.worker_count:,}" if item.worker_count > 1 else None, False),
        ("Machines behind the address", f"at least {item.machines_seen:,}" if item.machines_seen > 1 else None, False),
        ("Machine or program", machine, False),
        ("Agent", item.agent if item.agent != machine else None, True),
        ("Speaks for many", item.aggregator, False),
        ("Wallet", wallet.address if wallet else None, True),
        ("Wallet is", _verdict(item), False),
        ("Pool", " · ".join(filter(None, (item.pool.name, item.pool.operator, item.pool.host))), False),
        ("Through proxy", item.proxy, True),
        ("Pool asked for", item.pool_host, True),
        ("Dialect", _dialect(item), False),
        ("Algorithm is", item.algorithm_basis, False),
        ("Withdrawn", None if item.corrects is None else ", ".join(filter(None, item.corrects)), False),
        ("Work of a share", _work(item.hashes_per_share, item), False),
        ("Work accepted", _work(item.work_hashes, item), False),
        ("Claimed hashrate", quantity(item.claimed_hashrate_hps, unit) if item.claimed_hashrate_hps else None, False),
        (
            "Hashrate in its name",
            quantity(item.nominal_hashrate_hps, unit) if item.nominal_hashrate_hps else None,
            False,
        ),
        ("Donation session", "yes: a program's own fee, not another miner" if item.donation else None, False),
        ("Power rests on", f"the {item.power_watts.basis}'s efficiency" if item.power_watts else None, False),
        ("Not captured", f"{item.capture_loss:.2%} of its bytes" if item.capture_loss else None, False),
        ("Joined midstream", "yes: the beginning was not captured" if item.midstream else None, False),
        ("Became finding", item.merged_into, True),
        ("Finding", item.finding_id, True),
        *(
            (f"Evidence, {part.kind}", f"{part.grade.label} by {part.signature}, {_weight(part)}", False)
            for part in item.observations
        ),
    )
    for name, text, code in rows:
        if text:
            yield Detail(name, short(text, MOST_WORKER_TEXT if name == "Worker" else MOST_TEXT), code)


def _dialect(item: Finding) -> str:
    return "not known" if item.dialect is None else f"{item.dialect} over {item.framing}, {item.transport}"


def _weight(part: Observation) -> str:
    return f"{part.bits:g} bits" + ("" if part.p is None else f", p = {part.p:.2g}")


def _verdict(item: Finding) -> str | None:
    wallet = item.wallet
    if wallet is None:
        return None
    checksum = f"checksum {wallet.checksum}" if wallet.checksum else None
    return ", ".join(
        filter(None, (wallet.verdict, wallet.form, checksum, f"paid in {wallet.payout}" if wallet.payout else None))
    )


def _work(amount: float | None, item: Finding) -> str | None:
    return quantity(amount, work_symbol(item.work_unit)) if amount else None
