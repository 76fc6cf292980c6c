"""Machines distinguished by their TCP timestamp clocks (RFC 7323): what rate a clock ticks at, when it stood at zero,
who shares one.

A host's timestamps count from an instant of its own. Linux shifts it by a secret for each pair of addresses
(net/core/secure_seq.c), so two clocks say something about each other only between the same miner address and the
same pool address; there it is one instant over all reconnects, until the host restarts. Hosts that shift nothing and
started within the same second look like one; other systems shift it for each connection anew, and boxes in between
may rewrite or strip it. So the result is "at least so many". Knows no packets.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sensor.model.events import Clock
from sensor.model.flow import FlowSummary, MachineClock
from sensor.model.time import DAY_NS, SECOND_NS

#: Ticks a second in use: 1000 by Linux since 4.13, the BSDs, Windows; 250 or 100, its HZ, by older Linux. RFC 7323
#: section 5.4: 1 to 1000.
HERTZ = (1000, 250, 100)
TICKS = 1 << 32
#: Two samples closer than this give no rate.
MIN_SPAN_NS = 10 * SECOND_NS
#: A packet may wait this long between the host's clock and ours.
SLACK_NS = SECOND_NS
#: How far two clocks drift apart: quartz keeps within 100 ppm.
DRIFT_PPM = 100
#: Instants further apart than this are not compared: with that much drift strangers would look alike.
MAX_APART_NS = DAY_NS


def machine_clock(clock: Clock | None) -> MachineClock | None:
    """The machine's clock behind a direction's timestamps; None where they are too close, or keep no rate in use
    (jumped, rewritten).
    """
    if clock is None or clock.last_ns - clock.first_ns < MIN_SPAN_NS:
        return None
    fitting = [hertz for hertz in HERTZ if _fits(clock, hertz)]
    if len(fitting) != 1:
        return None
    (hertz,) = fitting
    return MachineClock(
        clock.first_ns,
        clock.last_ns,
        hertz,
        (clock.last_ns - clock.last_tsval * SECOND_NS // hertz) % _period_ns(hertz),
    )


def _fits(clock: Clock, hertz: int) -> bool:
    span_ns = clock.last_ns - clock.first_ns
    ticked_ns = (clock.last_tsval - clock.first_tsval) * SECOND_NS // hertz
    return _apart(ticked_ns, span_ns, hertz) <= _tolerance_ns(span_ns)


def _period_ns(hertz: int) -> int:
    return TICKS * SECOND_NS // hertz


def _apart(one_ns: int, other_ns: int, hertz: int) -> int:
    distance = (one_ns - other_ns) % _period_ns(hertz)
    return min(distance, _period_ns(hertz) - distance)


def _tolerance_ns(span_ns: int) -> int:
    return SLACK_NS + span_ns * DRIFT_PPM // 1_000_000


def same(first: MachineClock, other: MachineClock) -> bool:
    """Whether two clocks between the same two addresses may be one machine's."""
    distance_ns = abs(first.last_ns - other.last_ns)
    return (
        first.hertz == other.hertz
        and distance_ns <= MAX_APART_NS
        and _apart(first.zero_ns, other.zero_ns, first.hertz) <= _tolerance_ns(distance_ns)
    )


class Life(NamedTuple):
    """From when to when a machine, by what it calls itself, was surely there. Of one name, two lives that overlap
    are two machines.
    """

    name: tuple[str | None, str | None]
    first_ns: int
    last_ns: int


def life(flow: FlowSummary) -> Life:
    """The life that one connection shows alone."""
    seen = flow.clock or flow
    return Life((flow.worker, flow.agent), seen.first_ns, seen.last_ns)


def lives(flows: Iterable[FlowSummary]) -> tuple[list[Life], bool]:
    """Connections with one clock taken for one machine, there from its first timestamp to its last; and whether the
    clocks can be trusted.

    A machine that restarts has another clock afterwards and never its old one again, so its lives do not overlap.
    Where hardly any connection repeats a clock, clocks are the connections' own: what is alike may be chance, and
    proves no long life.
    """
    found: list[Life] = []
    groups: list[list[FlowSummary]] = []
    near: dict[Place, dict[int, list[FlowSummary]]] = {}  # groups by where their newest clock stood at zero
    for flow in sorted(flows, key=lambda flow: (life(flow).last_ns, life(flow).first_ns, flow.key.flow_id)):
        if flow.clock is None:
            found.append(life(flow))
            continue
        group = _group_of(flow, near)
        if group is None:
            group = []
            groups.append(group)
        else:
            del near[_place(group[-1])][id(group)]
        group.append(flow)
        near.setdefault(_place(flow), {})[id(group)] = group
    for group in groups:
        ends = [life(flow) for flow in group]
        found.append(Life(ends[0].name, min(span.first_ns for span in ends), max(span.last_ns for span in ends)))
    return found, 3 * len(groups) <= 2 * sum(map(len, groups))


#: Addresses, rate, and one of the equal parts of the counter's turn; clocks that are the same stand in one part or in
#: neighbours.
Place = tuple[str, str, int, int]


def _place(flow: FlowSummary, further: int = 0) -> Place:
    clock = flow.clock
    hertz, zero_ns = (clock.hertz, clock.zero_ns) if clock else (HERTZ[0], 0)
    parts = _period_ns(hertz) // _tolerance_ns(MAX_APART_NS)
    return flow.key.src_ip, flow.key.dest_ip, hertz, (zero_ns * parts // _period_ns(hertz) + further) % parts


def _group_of(flow: FlowSummary, near: dict[Place, dict[int, list[FlowSummary]]]) -> list[FlowSummary] | None:
    for further in (0, -1, 1):
        for group in near.get(_place(flow, further), {}).values():
            newest = group[-1].clock
            if newest is not None and flow.clock is not None and same(newest, flow.clock):
                return group
    return None
