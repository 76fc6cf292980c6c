"""Labels of codes in a bulletin: grades, states, kinds of sites and owners, verdicts, reasons, and the method.

All in English; catalogues have the rest. `N_` marks a sentence for translation without translating it.
"""

from __future__ import annotations


def N_(sentence: str) -> str:  # noqa: N802 (gettext's own name for it)
    """A sentence that is translated where it is used."""
    return sentence


GRADES = {
    "verified": (N_("verified"), N_("the work of shares was recomputed from what was said on the wire: proof")),
    "accepted": (N_("accepted"), N_("a pool accepted shares: certain, and countable")),
    "speaks": (N_("speaks"), N_("a mining dialect was spoken by both sides: certain")),
    "behaves": (
        N_("behaves"),
        N_("an attempt, one side alone, or the sizes and times of an encrypted dialect: probable"),
    ),
    "named": (N_("named"), N_("a pool was named, nothing more was seen: a suspicion")),
    "contacted": (N_("contacted"), N_("a pool's address was contacted: a weak suspicion")),
    "looked-up": (N_("looked up"), N_("a pool's name was looked up: no mining")),
}
STATES = {
    "new": N_("new"),
    "notified": N_("notified"),
    "under-check": N_("under check"),
    "rectifying": N_("rectifying"),
    "re-check": N_("re-check"),
    "closed": N_("closed"),
    "relapsed": N_("relapsed"),
    "false-alarm": N_("false alarm"),
}
CLASSES = {
    "mine": N_("mine"),
    "hosting": N_("data centre with mining tenants"),
    "data-centre-mine": N_("mine inside a data centre's range"),
    "intruded": N_("intruded hosts"),
    "household": N_("household"),
    "proxy": N_("proxy"),
    "unclear": N_("unclear"),
}
CATEGORIES = {
    "enterprise": N_("enterprise"),
    "government": N_("government body"),
    "institution": N_("public institution"),
    "university": N_("school or university"),
    "data-centre": N_("data centre"),
    "carrier": N_("carrier"),
    "individual": N_("private person"),
    "sole-trader": N_("sole trader"),
    "association": N_("association"),
    "private-non-enterprise": N_("private non-enterprise unit"),
    "foundation": N_("foundation"),
    "law-firm": N_("law firm"),
    "military": N_("military"),
    "school": N_("school"),
    "hospital": N_("hospital"),
}
#: What ranges of addresses are filed for.
SERVICES = {
    "data-centre": N_("data centre"),
    "leased-line": N_("leased line"),
    "government-line": N_("government leased line"),
    "personal-line": N_("personal leased line"),
    "website-line": N_("website access line"),
    "broadband": N_("broadband access"),
    "mobile": N_("mobile access"),
    "network-equipment": N_("network equipment"),
    "shared-pool": N_("shared pool of addresses"),
    "internet-of-things": N_("internet of things"),
}
VERDICTS = {"consistent": N_("consistent"), "inconsistent": N_("inconsistent"), "not-comparable": N_("not comparable")}
#: Reasons of the electricity cross-check; what stands in braces are figures.
REASONS = {
    "no-mining": N_("no mining of this meter's owner was seen in the period"),
    "several-owners": N_("the name fits several owners"),
    "no-energy": N_("the energy of the mining is not known"),
    "too-little-watched": N_("the sensor listened only in {watched} % of the period"),
    "too-few-readings": N_("readings cover only {coverage} % of the period"),
    "register-or-energy": N_(
        "whether the values are totals of a register or energy used is not known: they never fall, and nothing says it"
    ),
    "several-meters": N_("several meters have this name, and nothing tells their readings apart"),
    "apart": N_("the meters of this name are read at different times"),
    "too-far-apart": N_("the readings are more than a month apart"),
    "lost-in-load": N_("by the best estimate the mining would be {part} % of the load: too little to be told from it"),
    "within-load": N_("the mining takes {low} to {high} % of the metered energy"),
    "over-load": N_(
        "even the low estimate is {times} times the metered energy: other meters feed the machines, or they stand "
        "elsewhere"
    ),
    "over-zero": N_(
        "nothing was metered, and the mining seen takes at least {least} kWh: other meters feed the machines, or they "
        "stand elsewhere"
    ),
    "nothing-metered": N_("nothing was metered, and what the mining takes at least is not known"),
    "longer-than-seen": N_(
        "the readings are of more time than mining was seen in, and say too little of the time in which it was"
    ),
    "flat": N_("the load is even, as mining is: its mean is {evenness} % of its peak"),
    "even-unseen": N_(
        "an even load of {kilowatts} kW, its mean {evenness} % of its peak: machines look like that, and so do data "
        "centres and cold stores"
    ),
    "uneven": N_("the load is uneven: its mean is {evenness} % of its peak"),
    "rose": N_("the load rose by {low} to {high} kW when mining began"),
    "did-not-rise": N_(
        "the load did not rise when mining began: {low} to {high} kW, and at least {expected} kW were expected"
    ),
    "rose-more": N_(
        "the load rose by more than the mining seen explains: {low} to {high} kW, by the best estimate {expected} kW "
        "were expected"
    ),
    "no-step": N_(
        "whether the load rose when mining began cannot be told: too few days with readings of a day or less, or too "
        "uneven a load"
    ),
    "fell": N_(
        "mining was last seen {days} days before the end of the period, and the load fell then by {low} to {high} kW: "
        "the meter confirms that it stopped"
    ),
    "did-not-fall": N_(
        "mining was last seen {days} days before the end of the period, but the load did not fall then: {low} to "
        "{high} kW, and at least {expected} kW were expected; machines may run on unseen"
    ),
    "exit-open": N_(
        "mining was last seen {days} days before the end of the period; whether the load fell then cannot be told: too "
        "few days with readings of a day or less, or too uneven a load"
    ),
    "unexplained": N_("by the best estimate an even load of {kilowatts} kW is not explained by the mining seen"),
}
#: How the figures are made.
METHOD = (
    N_(
        "Work is counted: every share that a miner submits stands for a known number of hashes. Shares come by chance, "
        "so a hashrate lies between bounds (exact Poisson bounds, 95 % unless the sensor is set otherwise); few shares "
        "give wide bounds."
    ),
    N_(
        "Power is the hashrate times the joules of a hash: of the machine where it was named, else from the best to "
        "the worst machine of the algorithm; times what the site needs for each watt of its machines. Energy is power "
        "over the time in which mining was seen."
    ),
    N_(
        "Bounds have two parts. The number of shares varies by chance, independently from miner to miner, so in sums "
        "it cancels out in part: variances are added. Efficiency, capture loss and inferred targets may leave all "
        "figures open in the same direction: their lows and highs are added."
    ),
    N_(
        "Figures are written with four digits, and shown with three where their bounds are wider than 1 %, each by "
        "itself; sums are made before rounding."
    ),
    N_(
        "Electricity seen is of mining that was watched and adds up over periods. Hashrate and power of a miner are "
        "those of the time in which it was watched mining; means are of all the time in which sensors that see it "
        "listened. Electricity projected is that of the whole period, as if the time that nobody watched had been like "
        "the rest: at most {most} times what was seen, and only where at least {least} % of the sensors' hours were "
        "watched."
    ),
    N_(
        "Nobody is gone because nobody looked: an address is gone only where the sensors that saw it listened since, "
        "and periods are compared only where both were watched. Mining whose work is not known is in no figure of "
        "energy; sums with such mining are lower bounds, and say so."
    ),
    N_("CO2 is reckoned with {co2} kg a kilowatt-hour, the surcharge with {yuan} yuan a kilowatt-hour."),
    N_(
        "Traffic with pools is what the mining connections carried, both ways, without packet headers: the mean of the "
        "time watched."
    ),
    N_("Cities are the divisions of GB/T 2260 in which the books of allocations place an address."),
)
#: What a ledger may have to say of its figures.
NOTES = (N_("the period does not begin and end at full hours; what is shown is of the hours that begin in it"),)
