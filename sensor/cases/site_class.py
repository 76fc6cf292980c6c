"""The kind of place a site is: a mine, a data centre with mining tenants, intruded hosts, a household, a proxy.

A pure function: facts in, a class with its confidence and reasons out. Each fact speaks for or against classes with a
weight in bits of evidence; the confidence is the winner's share of all of them. The weights are judgement, kept in one
place to be argued about.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from sensor.model.summary import Kind, SiteClass

KINDS: tuple[Kind, ...] = ("mine", "hosting", "intruded", "household", "proxy")
#: Below this nothing is called by a name.
LEAST_CONFIDENCE = 0.5
#: Machines from which a place is no hobby; unrelated enterprises from which one wallet is a campaign.
MANY_MACHINES, CAMPAIGN = 20, 3
#: Payees from which a place can have tenants.
LEAST_TENANTS = 2
#: Shares of hours from which it runs day and night, and below which it is a sideline.
ALWAYS, SELDOM = 0.9, 0.4
#: The share of a site's addresses that mine, from which it is what the site is for, and below which it is a corner of
#: it.
MOST_OF_IT, CORNER = 0.5, 0.1
KILOWATTS_OF_A_MINE, KILOWATTS_OF_A_HOME = 20.0, 5.0
INSTITUTIONS = frozenset({"government", "university", "institution", "school", "hospital"})
DATA_CENTRES = frozenset({"data-centre", "idc", "hosting"})


@dataclass(frozen=True)
class SiteFacts:
    """What was seen of one site in a period."""

    machines: int = 0
    asics: int = 0  # of the machines whose class is known
    gpus: int = 0
    cpus: int = 0
    wallets: int = 0  # different ones, accounts too
    campaign: int = 0  # other enterprises that the most common of its wallets mines at
    addresses: int = 0  # that mine
    allocated: int | None = None  # of the site in all, if the books say
    active_share: float = 0.0  # hours with mining of the hours from its first to its last
    power_watts: float | None = None
    aggregator: bool = False  # a proxy or gateway speaks for many machines
    carries: bool = False  # the addresses carry for others: a proxy, and no machine of its own was seen
    category: str | None = None  # of the enterprise, as the books have it


@dataclass(frozen=True)
class Indication:
    """One reason, and how much it speaks for each kind, in bits."""

    reason: str
    bits: dict[Kind, float]


def site_class(facts: SiteFacts) -> SiteClass:
    """The class of a site, "unclear" where the facts do not decide."""
    indications = [*_machines(facts), *_wallets(facts), *_extent(facts), *_owner(facts)]
    possible = [kind for kind in KINDS if _may_be(kind, facts)]
    scores = {kind: sum(indication.bits.get(kind, 0.0) for indication in indications) for kind in possible}
    weights = {kind: 2.0**score for kind, score in scores.items()}
    best = max(possible, key=lambda kind: weights[kind])
    confidence = weights[best] / math.fsum(weights.values())
    if confidence < LEAST_CONFIDENCE:
        reasons = tuple(indication.reason for indication in indications)
        return SiteClass("unclear", round(1.0 - confidence, 3), reasons or ("too little was seen",))
    supporting = [indication for indication in indications if indication.bits.get(best, 0.0) > 0]
    supporting.sort(key=lambda indication: -indication.bits[best])
    opposing = [f"but {indication.reason}" for indication in indications if indication.bits.get(best, 0.0) < 0]
    return SiteClass(best, round(confidence, 3), (*(indication.reason for indication in supporting), *opposing))


def _may_be(kind: Kind, facts: SiteFacts) -> bool:
    """Whether a kind has what it cannot be without, however much else speaks for it."""
    if kind == "hosting":  # tenants are others than the owner: two who are paid, or a book that says so
        return facts.wallets >= LEAST_TENANTS or facts.category in DATA_CENTRES
    if kind == "household":  # an organisation's line is no home's
        return facts.category in (None, "individual")
    if kind == "proxy":
        return facts.carries or facts.aggregator
    return True


def _machines(facts: SiteFacts) -> Iterator[Indication]:
    """How many, and of which kind."""
    classified = facts.asics + facts.gpus + facts.cpus
    if facts.machines >= MANY_MACHINES:
        yield Indication(f"{facts.machines} machines", {"mine": 3, "hosting": 1, "proxy": 1, "household": -4})
    elif facts.machines <= 3:
        yield Indication(
            f"{facts.machines} {'machine' if facts.machines == 1 else 'machines'}",
            {"household": 1.5, "intruded": 0.5, "mine": -2},
        )
    if classified and facts.asics / classified > 0.5:
        yield Indication(
            f"{facts.asics} of {classified} machines of known kind are ASICs: somebody brought them",
            {"mine": 2, "hosting": 1, "intruded": -4},
        )
    elif classified and facts.cpus / classified > 0.5:
        yield Indication(
            f"{facts.cpus} of {classified} machines of known kind mine with their processor",
            {"intruded": 3, "mine": -3},
        )
    elif classified:
        yield Indication(
            f"{facts.gpus} of {classified} machines of known kind mine with graphics cards",
            {"mine": 0.5, "household": 1, "hosting": 0.5},
        )
    if facts.power_watts is not None and facts.power_watts >= 1_000 * KILOWATTS_OF_A_MINE:
        yield Indication(
            f"about {facts.power_watts / 1_000:.0f} kW", {"mine": 2, "hosting": 1, "household": -3, "intruded": -1}
        )
    elif facts.power_watts is not None and facts.power_watts <= 1_000 * KILOWATTS_OF_A_HOME:
        yield Indication(
            f"about {facts.power_watts / 1_000:.1f} kW, no more than a home can draw",
            {"household": 1, "intruded": 0.5, "mine": -1},
        )
    if facts.carries:
        yield Indication("its addresses pass on what others mine", {"proxy": 5, "mine": -1})
    elif facts.aggregator:
        yield Indication("a proxy speaks for many machines", {"mine": 1, "hosting": 0.5, "proxy": 1.5, "household": -1})


def _wallets(facts: SiteFacts) -> Iterator[Indication]:
    """Who is paid."""
    if facts.campaign >= CAMPAIGN:
        yield Indication(
            f"its wallet also mines at {facts.campaign} other enterprises: a campaign, not an owner",
            {"intruded": 5, "mine": -3},
        )
    if facts.wallets == 1 and facts.machines >= MANY_MACHINES:
        yield Indication("all machines pay one wallet or account", {"mine": 1.5})
    elif facts.wallets >= 4 and facts.campaign < CAMPAIGN:
        yield Indication(
            f"{facts.wallets} wallets or accounts are paid: many tenants", {"hosting": 2.5, "proxy": 1, "household": -2}
        )


def _extent(facts: SiteFacts) -> Iterator[Indication]:
    """How much of the site, and how much of the time."""
    if facts.active_share >= ALWAYS:
        yield Indication("it runs day and night", {"mine": 1, "hosting": 0.5, "household": -0.5})
    elif 0.0 < facts.active_share <= SELDOM:
        yield Indication(
            f"it runs {facts.active_share:.0%} of the hours", {"household": 1, "intruded": 0.5, "mine": -1}
        )
    if facts.allocated and facts.allocated > 1:
        share = facts.addresses / facts.allocated
        if share >= MOST_OF_IT:
            yield Indication(f"{facts.addresses} of the site's {facts.allocated} addresses mine", {"mine": 2})
        elif share <= CORNER:
            reason = f"only {facts.addresses} of the site's {facts.allocated} addresses mine"
            yield Indication(reason, {"hosting": 1, "intruded": 1, "mine": -0.5})


def _owner(facts: SiteFacts) -> Iterator[Indication]:
    """What the books call the owner."""
    if facts.category in DATA_CENTRES:
        yield Indication("the books call it a data centre", {"hosting": 3, "household": -4})
    elif facts.category in INSTITUTIONS:
        yield Indication(
            f"the books call it a {facts.category}: such hosts are mostly intruded",
            {"intruded": 2, "mine": -0.5, "household": -2},
        )
    elif facts.category == "individual":
        yield Indication("the books name a person", {"household": 3, "hosting": -3})
    elif facts.category is not None:
        yield Indication(f"the books call it {facts.category}", {"mine": 0.5, "household": -1})
