"""The cells of the summary: a finding's ends, holder, dialect, login, shares, rate and reasons as short texts.

Pure: records in, text out, no table and no console. Addresses are never cut, long logins lose their middle, and
whatever came from the network, or from somebody's book, is stripped of control characters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.text import Text

from exporters.forms.amounts import AT_LEAST, bounds, digits_of, duration, percent, prefixed, quantity, rate_unit
from exporters.forms.fitting import clipped, fitted, short, visible
from exporters.redaction.inside import HIDDEN
from exporters.redaction.persons import PERSON
from sensor.model.attribution import Attribution, Site
from sensor.model.evidence import Grade
from sensor.model.finding import Finding
from sensor.model.text import N_, endpoint_text
from sensor.model.time import SECOND_NS, second_text
from sensor.model.work import Miner, has_unknown_work

#: Characters of the reasons shown unless everything is asked for.
MOST_WHY = 150
#: The beginnings of reasons that list names of messages.
MESSAGE_LISTS = ("the miner said ", "the pool answered ", "the pool sent ")
#: Less power than this is noise; a pool's name longer than this would push the other columns away (the event has it).
LEAST_WATTS, MOST_HOST = 1.0, 28
#: What stands for a holder who is not named.
UNNAMED = {"shared": N_("(a shared address)"), "conflict": N_("(books disagree)"), "unknown": N_("(holder unknown)")}
#: What stands for a dialect, a pool's address and a login that are not known.
NO_DIALECT, NO_POOL, NO_LOGIN = N_("dialect not known"), N_("pool's address not known"), N_("(no login seen)")


def why(item: Finding, everything: bool) -> str:
    """The reasons, the strongest (the judge gives it last) first.

    Names of messages are among them only if `everything` is asked for: most people do not know the protocols.
    """
    reasons = list(reversed(item.reasons))
    if not everything and not item.mines:
        return clipped(reasons[0], MOST_WHY)
    if everything:
        return visible("; ".join(reasons) or item.signature)
    strong = [reason for reason in reasons if not reason.startswith(MESSAGE_LISTS)]
    if item.grade >= Grade.SPEAKS and len(strong) < len(reasons):
        strong.append(f"both sides speak {item.signature.partition(' (')[0]}")
    return clipped("; ".join(strong or reasons) or item.signature, MOST_WHY)


def ends(item: Finding) -> list[str]:
    """Miner and pool; of a session through a proxy the pool that was asked for, on a line of its own."""
    asked = [f"→ {visible(item.pool_host)}"] if item.pool_host and len(item.pool_host) <= MOST_HOST else []
    return [item.miner_ip, f"→ {pool_end(item)}", *asked]


def pool_end(item: Finding) -> str:
    """The pool's address and port, as far as they are known."""
    if item.pool_ip is None:
        return NO_POOL
    return item.pool_ip if item.pool_port is None else endpoint_text(item.pool_ip, item.pool_port)


def what(item: Finding, room: int) -> list[str]:
    """Dialect, coin and algorithm, machine."""
    sure = "?" if item.algorithm_basis == "assumed" else ""
    money = " ".join(visible(part) for part in (item.coin, item.algorithm and item.algorithm + sure) if part)
    machine = _machine(item)
    return [
        visible(item.dialect or NO_DIALECT),
        *([short(money, room)] if money else []),
        *([clipped(machine, room)] if machine else []),
    ]


def _machine(item: Finding) -> str | None:
    """The device, or the program with its version, that the agent names; else the agent as it was sent."""
    if item.device or item.software is None:
        return item.device or item.agent
    return f"{item.software} {item.software_version}" if item.software_version else item.software


def who(item: Finding, room: int) -> list[str]:
    """The login, the worker on a line of its own where both do not fit in one."""
    login, workers = item.login or "", item.workers or ((item.worker,) if item.worker else ())
    apart = len(workers) == 1 and (not login.endswith(workers[0]) or len(login) > room)
    if apart and len(login) > len(workers[0]) + 1 and login.endswith(workers[0]):
        login = login[: -len(workers[0]) - 1]
    lines = [short(login, room)] if login else [NO_LOGIN]
    if apart:
        lines.append(short(workers[0], room))
    elif len(workers) > 1:
        lines.append(f"{len(workers)} workers")
    if item.flow_count > 1:
        lines.append(f"{item.flow_count} connections")
    return lines


def when(item: Finding) -> list[str]:
    """Day, time, and for how long."""
    day, time = second_text(item.first_ns).split()
    return [day, time, f"for {lasted(item)}"]


def lasted(item: Finding) -> str:
    """How long its connections stood; without any, from the first that was seen of it to the last."""
    return duration(item.active_seconds if item.flow_count else (item.last_ns - item.first_ns) / SECOND_NS)


#: Of what nobody could read.
NOT_READ = N_("not read")


def is_read(item: Finding) -> bool:
    """Whether its messages were read, so that no share means none."""
    return item.dialect is not None


def shares(item: Finding, _: Callable[[str], str] = str) -> list[str]:
    """How many shares were sent, and what became of them, in the language that `_` translates to."""
    counted = item.shares
    if not is_read(item):
        return [_(NOT_READ)]
    if not counted.submitted:
        return [_("none seen")]
    lines = [_("{count} sent").format(count=counted.submitted), _("{count} accepted").format(count=counted.accepted)]
    lines += [_("{count} verified").format(count=counted.verified)] if counted.verified else []
    lines += [_("{count} rejected").format(count=counted.rejected)] if counted.rejected else []
    lines += [_("{count} open").format(count=counted.unanswered)] if counted.unanswered else []
    return lines


def rate(item: Finding) -> list[str]:
    """`95 TH/s`, `(80–110)`, and the likely power below; `unknown` where the work of its shares is not known, and `≥`
    where that of some is not."""
    if item.hashrate_hps is None:
        return ["unknown"] if item.shares.submitted else []
    hashed, unit = item.hashrate_hps, rate_unit(item.work_unit)
    if not hashed.best:
        return [f"< {quantity(hashed.high, unit)}"]
    (scale, _), count = prefixed(hashed.best), digits_of(hashed.low, hashed.best, hashed.high)
    lines = [
        f"{least(item)}{quantity(hashed.best, unit, count)}",
        f"({bounds(hashed.low, hashed.high, scale, count)})",
    ]
    watts = item.power_watts.best if item.power_watts is not None else 0.0
    return [*lines, f"{least(item)}{quantity(watts, 'W')}"] if watts >= LEAST_WATTS else lines


def least(item: Finding) -> str:
    """What stands before the figures of a finding that are lower bounds."""
    return AT_LEAST if has_unknown_work(item) else ""


def together(miner: Miner) -> str:
    """What the findings of one address come to: `sha256d: 95 TH/s (80–110), 3.2 kW while mining, in 2 findings`."""
    figures, name = miner.rates, visible(miner.algorithm or "algorithm not known")
    parts = []
    for value, unit, partial in (
        (figures.hashrate_hps, rate_unit(miner.work_unit), miner.partial),
        (figures.power_watts, "W", miner.power_partial),
    ):
        if value is not None:
            (scale, _), count = prefixed(value.best), digits_of(value.low, value.best, value.high)
            ends = bounds(value.low, value.high, scale, count)
            parts.append(f"{'at least ' if partial else ''}{quantity(value.best, unit, count)} ({ends})")
    figures_text = ", ".join(parts) or "unknown"
    return f"{name}: {figures_text} while mining for {duration(miner.seconds)}, in {len(miner.findings)} findings"


def sure(item: Finding) -> list[str]:
    """Grade and confidence."""
    return [item.grade.label, percent(item.confidence)]


def strongest(findings: Sequence[Finding]) -> list[Finding]:
    """The findings, those with the strongest evidence first; the order depends on the packets alone."""
    return sorted(
        findings,
        key=lambda item: (-item.grade, -item.shares.accepted, -item.shares.submitted, item.first_ns, item.finding_id),
    )


def lines(parts: Sequence[str]) -> Text:
    """Lines of one cell."""
    return Text("\n".join(parts))


def holder(item: Finding, room: int) -> list[str]:
    """Whose the miner's address was: enterprise and premises, or why nobody is named. Empty without books."""
    answer = item.attribution
    if answer is None:
        return []
    if answer.enterprise is None:
        return [fitted(UNNAMED[answer.result], room)]
    if answer.enterprise.name == HIDDEN:
        return [fitted(PERSON, room)]
    where = premises(answer.site)
    return [fitted(answer.enterprise.name, room), *([fitted(where, room)] if where else [])]


def premises(site: Site | None) -> str:
    """Division and street, the division once."""
    if site is None:
        return ""
    division, street = site.division_name or site.division or "", site.address or ""
    return visible(street if division and street.startswith(division) else f"{division}{street}")


def whose(answer: Attribution) -> str:
    """Whose an address was, in full: enterprise, code, premises, and what that rests on."""
    enterprise = answer.enterprise
    why = "; ".join(answer.reasons)
    if enterprise is None:
        return visible(f"{UNNAMED[answer.result].strip('()')}: {why}")
    if enterprise.name == HIDDEN:
        return visible(f"{PERSON} ({why})")
    parts = [
        enterprise.name,
        *([enterprise.uscc] if enterprise.uscc else []),
        *([place] if (place := premises(answer.site)) else []),
    ]
    return visible(f"{', '.join(parts)} ({why})")
