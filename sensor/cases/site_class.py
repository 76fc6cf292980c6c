"""The kind of place a site is: a mine, a data centre with mining tenants, a mine inside a data centre's range, intruded
hosts, a household, a proxy.

A pure function: facts and weights in, a class with its confidence and reasons out. Each mark that holds speaks for or
against kinds in bits of evidence; the confidence is the winner's share of all that are possible. The weights are data
(signatures/sites).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from sensor.model.attribution import Service
from sensor.model.summary import Kind, SiteClass
from sensor.model.text import N_
from sensor.signatures.sites import KINDS, SiteWeights

PUBLIC_BODIES = frozenset({"government", "university", "institution", "school", "hospital", "military"})
DATA_CENTRES = frozenset({"data-centre", "idc", "hosting"})
HOME_LINES = frozenset({"broadband", "mobile", "personal-line", "shared-pool"})
BUSINESS_LINES = frozenset({"leased-line", "government-line", "website-line"})
#: Before a reason that speaks against the kind, and where there is none.
BUT, TOO_LITTLE = N_("but {reason}"), N_("too little was seen")
#: Reasons that several marks have, or that are too long for their line.
MACHINES = N_("{count} machines")
ASICS = N_("{count} of {of} machines of known kind are ASICs: somebody brought them")
PROCESSORS = N_("{count} of {of} machines of known kind mine with their processor")
CARDS = N_("{count} of {of} machines of known kind mine with graphics cards")
NOWHERE_ELSE = N_("whom they pay is seen nowhere else: an owner's, or an intruder's")
FILED = N_("its range is filed as {service}")
#: Unrelated payees from which a place has tenants.
LEAST_TENANTS = 2


@dataclass(frozen=True)
class SiteFacts:
    """What was seen of one site in a period, and what the books say of it."""

    machines: int = 0
    asics: int = 0  # of the machines whose class is known
    gpus: int = 0
    cpus: int = 0
    payees: int = 0  # at most so many are paid: one operator's accounts for several algorithms are one
    tenants: int = 0  # at least so many: payees that share no address and no small range
    unknown_payees: int = 0  # addresses that mine for nobody knows whom: encrypted, or joined in the middle
    campaign: int = 0  # other enterprises that its payee has machines at, where no data centre and no ASIC explains it
    addresses: int = 0  # that mine
    allocated: int | None = None  # of the site in all, if the books say
    active_share: float = 0.0  # hours with mining of the hours from its first to its last
    power_watts: float | None = None
    aggregator: bool = False  # a proxy or gateway speaks for many machines
    carries: bool = False  # the addresses carry for others: a proxy, and no machine of its own was seen
    category: str | None = None  # of the enterprise, as the books have it
    service: Service | None = None  # what its ranges are filed for; None: not filed, not understood, or several

    @property
    def in_data_centre(self) -> bool:
        """Whether the range is a data centre's: by what it is filed for, and only where that is not known by who holds
        it."""
        return self.service == "data-centre" if self.service is not None else self.category in DATA_CENTRES

    @property
    def one_payee(self) -> bool:
        """Whether everything that mines is known to pay one and the same."""
        return self.payees == 1 and not self.unknown_payees

    @property
    def classified(self) -> int:
        """Machines whose kind is known."""
        return self.asics + self.gpus + self.cpus

    @property
    def processors_mine(self) -> bool:
        """Whether most machines of known kind mine with their processor."""
        return self.cpus > 0.5 * self.classified


@dataclass(frozen=True)
class Mark:
    """A mark that a site has, by its name in the weights, and the reason in words."""

    name: str
    reason: str


def site_class(facts: SiteFacts, weights: SiteWeights) -> SiteClass:
    """The class of a site, "unclear" where the facts do not decide. Raises KeyError for weights that are not whole."""
    marks = list(site_marks(facts, weights))
    possible = [kind for kind in KINDS if _may_be(kind, facts, weights)]
    bits = {kind: [weights.marks[mark.name].get(kind, 0.0) for mark in marks] for kind in possible}
    odds = {kind: 2.0 ** (weights.priors[kind] + math.fsum(bits[kind])) for kind in possible}
    best = max(possible, key=lambda kind: odds[kind], default=None)
    if best is None:
        return SiteClass("unclear", 1.0, tuple(mark.reason for mark in marks) or (TOO_LITTLE,))
    confidence = odds[best] / (math.fsum(odds.values()) + 2.0 ** weights.priors["unclear"])
    if not any(value > 0 for value in bits[best]) or confidence < weights.limits["least-confidence"]:
        reasons = tuple(mark.reason for mark in marks)
        return SiteClass("unclear", round(1.0 - confidence, 3), reasons or (TOO_LITTLE,))
    ranked = sorted(zip(bits[best], marks, strict=True), key=lambda pair: -pair[0])
    supporting = [mark.reason for value, mark in ranked if value > 0]
    opposing = [BUT.format(reason=mark.reason) for value, mark in zip(bits[best], marks, strict=True) if value < 0]
    return SiteClass(best, round(confidence, 3), (*supporting, *opposing))


def _may_be(kind: Kind, facts: SiteFacts, weights: SiteWeights) -> bool:
    """Whether a kind has what it cannot be without, however much else speaks for it."""
    if kind == "mine":  # in a data centre's range it is the other kind, or a tenant
        return not facts.in_data_centre
    if kind == "hosting":
        return _may_host(facts, weights)
    if kind == "data-centre-mine":
        large = facts.machines >= weights.limits["several-machines"] or _kilowatts(facts) >= _farm_kilowatts(weights)
        return facts.in_data_centre and facts.one_payee and large and not facts.processors_mine
    if kind == "intruded":  # an intruder brings a program and no hardware
        elsewhere = facts.campaign > 0 and _may_be_others_computers(facts, weights)
        return facts.processors_mine or _is_campaign(facts, weights) or elsewhere
    if kind == "household":  # a person's line, or one of homes of which no holder is known
        home = facts.category == "individual" or (facts.category is None and facts.service in HOME_LINES)
        return home and not facts.in_data_centre
    if kind == "proxy":
        own = facts.classified > 0 and facts.payees < LEAST_TENANTS  # a farm's gateway speaks for the farm
        return facts.carries or (facts.aggregator and not own)
    return True


def _may_host(facts: SiteFacts, weights: SiteWeights) -> bool:
    """Whether there may be tenants, who are others than the owner: two who are paid, so many that they are no one
    operator's accounts, or a book that calls the range a data centre's and a customer's few machines in it. Homes and
    mobile networks have subscribers, not tenants, and a public body has students and staff."""
    if facts.service in HOME_LINES or (facts.category in PUBLIC_BODIES and not facts.in_data_centre):
        return False
    if facts.tenants >= LEAST_TENANTS or facts.payees >= weights.limits["many-accounts"]:
        return True
    few = 0 < facts.machines < weights.limits["several-machines"] and facts.payees < LEAST_TENANTS
    return facts.in_data_centre and few and facts.classified > 0 and not facts.processors_mine


def site_marks(facts: SiteFacts, weights: SiteWeights) -> Iterator[Mark]:
    """The marks of a site: its machines, who is paid, how much of the range and of the time, the owner."""
    yield from _machines(facts, weights)
    yield from _power(facts, weights)
    yield from _payees(facts, weights)
    yield from _extent(facts, weights)
    yield from _owner(facts)


def _machines(facts: SiteFacts, weights: SiteWeights) -> Iterator[Mark]:
    """How many, and of which kind."""
    many, several = weights.limits["many-machines"], weights.limits["several-machines"]
    if facts.machines >= many and facts.classified and facts.asics <= 0.5 * facts.classified:
        yield Mark("many-computers", N_("{count} computers").format(count=facts.machines))
    elif facts.machines >= many:
        yield Mark("many-machines", MACHINES.format(count=facts.machines))
    elif facts.machines >= several:
        yield Mark("several-machines", MACHINES.format(count=facts.machines))
    elif facts.machines:
        form = N_("small: {count} machine") if facts.machines == 1 else N_("small: {count} machines")
        yield Mark("few-machines", form.format(count=facts.machines))
    if facts.asics > 0.5 * facts.classified:
        yield Mark("mostly-asics", ASICS.format(count=facts.asics, of=facts.classified))
    elif facts.processors_mine:
        yield Mark("mostly-processors", PROCESSORS.format(count=facts.cpus, of=facts.classified))
        if not facts.campaign and (facts.in_data_centre or (facts.machines >= many and facts.one_payee)):
            yield Mark("processors-alone", NOWHERE_ELSE)
    elif facts.classified:
        yield Mark("mostly-graphics-cards", CARDS.format(count=facts.gpus, of=facts.classified))
        if _may_be_others_computers(facts, weights):
            if facts.active_share:
                yield Mark("cards-at-times", N_("they do so at times, as computers in use do"))
            else:
                yield Mark("cards-hours-unknown", N_("it is not known whether they do so day and night"))
    if facts.carries:
        yield Mark("carries-for-others", N_("its addresses pass on what others mine"))
    elif facts.aggregator:
        yield Mark("aggregator", N_("a proxy speaks for many machines"))


def _power(facts: SiteFacts, weights: SiteWeights) -> Iterator[Mark]:
    if _kilowatts(facts) >= _farm_kilowatts(weights):
        yield Mark(
            "farm-power", N_("about {kilowatts} kW").format(kilowatts=f"{float(f'{_kilowatts(facts):.3g}'):.0f}")
        )
    elif facts.power_watts is not None and _kilowatts(facts) <= weights.limits["home-power-kw"]:
        home = N_("about {kilowatts} kW, no more than a home can draw")
        yield Mark("home-power", home.format(kilowatts=f"{_kilowatts(facts):.1f}"))


def _kilowatts(facts: SiteFacts) -> float:
    return 0.0 if facts.power_watts is None else facts.power_watts / 1_000


def _farm_kilowatts(weights: SiteWeights) -> float:
    return weights.limits["farm-power-kw"]


def _may_be_others_computers(facts: SiteFacts, weights: SiteWeights) -> bool:
    """Whether graphics cards mine that may be those of computers in use: cafes, hotels and schools have many. Rigs run
    day and night, or draw what a farm draws."""
    rigs = facts.active_share >= weights.limits["day-and-night"] or _kilowatts(facts) >= _farm_kilowatts(weights)
    return facts.gpus > 0.5 * facts.classified and not rigs


def _is_campaign(facts: SiteFacts, weights: SiteWeights) -> bool:
    """Whether its payee is paid at many unrelated enterprises for what was not bought: ASICs are, machines of an
    unknown kind may be. Where more are paid than it has other places, most of them are tenants."""
    bought = facts.asics >= facts.cpus + facts.gpus
    return facts.campaign >= max(weights.limits["campaign-enterprises"], facts.tenants) and not bought


def _payees(facts: SiteFacts, weights: SiteWeights) -> Iterator[Mark]:
    """Who is paid."""
    if _is_campaign(facts, weights):
        reason = N_("its wallet also mines at {count} other enterprises: a campaign, not an owner")
        yield Mark("campaign", reason.format(count=facts.campaign))
        return
    if facts.campaign and facts.cpus + facts.gpus > facts.asics:
        elsewhere = N_("its wallet also mines at {count} other enterprises")
        yield Mark("elsewhere", elsewhere.format(count=facts.campaign))
    if facts.carries:
        return  # who is paid through it need not be at the place
    elif facts.one_payee and facts.machines >= weights.limits["several-machines"]:
        yield Mark("single-payee", N_("all machines pay one wallet or account"))
    elif facts.payees >= weights.limits["many-tenants"] and facts.machines >= facts.payees:
        many = N_("{count} wallets or accounts are paid: many tenants")
        yield Mark("many-tenants", many.format(count=facts.payees))
    elif facts.tenants >= LEAST_TENANTS:
        apart = N_("{count} who are paid share no address: tenants")
        yield Mark("two-tenants", apart.format(count=facts.tenants))
    elif facts.payees >= LEAST_TENANTS:
        together = N_("{count} wallets or accounts are paid through the same addresses")
        yield Mark("payees-together", together.format(count=facts.payees))


def _extent(facts: SiteFacts, weights: SiteWeights) -> Iterator[Mark]:
    """How much of the site, and how much of the time."""
    if facts.active_share >= weights.limits["day-and-night"]:
        yield Mark("day-and-night", N_("it runs day and night"))
    elif 0.0 < facts.active_share <= weights.limits["seldom"]:
        yield Mark("seldom", N_("it runs {part} of the hours").format(part=f"{facts.active_share:.0%}"))
    if facts.allocated and facts.allocated > 1:
        share = facts.addresses / facts.allocated
        if share >= weights.limits["most-of-range"]:
            most = N_("{count} of the site's {of} addresses mine")
            yield Mark("most-of-range", most.format(count=facts.addresses, of=facts.allocated))
        elif share <= weights.limits["corner-of-range"]:
            corner = N_("only {count} of the site's {of} addresses mine")
            yield Mark("corner-of-range", corner.format(count=facts.addresses, of=facts.allocated))


def _owner(facts: SiteFacts) -> Iterator[Mark]:
    """What the books say of the range, and of who holds it."""
    if facts.service == "data-centre":
        yield Mark("data-centre-range", N_("the books file its range as a data centre's"))
    elif facts.in_data_centre:
        yield Mark("data-centre-range", N_("the books call it a data centre"))
    elif facts.category in PUBLIC_BODIES:
        yield Mark("public-body", N_("the books call it a {category}").format(category=facts.category))
    elif facts.category == "individual":
        yield Mark("person", N_("the books name a person"))
    elif facts.category is not None:
        yield Mark("organisation", N_("the books call it {category}").format(category=facts.category))
    if facts.service in HOME_LINES:
        yield Mark("home-line", FILED.format(service=facts.service))
    elif facts.service in BUSINESS_LINES:
        yield Mark("business-line", FILED.format(service=facts.service))
