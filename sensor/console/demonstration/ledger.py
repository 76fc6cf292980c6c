"""Makes the ledger of the demonstration: findings as a sensor would have told them, coverage with holes, and cases that
somebody works on. Times end at the last full hour before now.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Literal

from sensor.attribution.answer.explanation import ALLOCATED, NO_BOOK
from sensor.console.demonstration.roster import PLANS, WEEKS, MinerPlan
from sensor.ledger import Ledger
from sensor.line.verdict import ACKNOWLEDGED, MINER_SAID, POOL_ANSWERED
from sensor.model.attribution import Attribution, Claim
from sensor.model.evidence import Evidence, Grade
from sensor.model.finding import Finding, Pool, Wallet
from sensor.model.flow import FlowKey, FlowSummary
from sensor.model.node import Node
from sensor.model.quantities import Interval, Power, Shares, ShareTimeline, WatchedStretch
from sensor.model.summary import Case, State
from sensor.model.time import DAY_NS, HOUR_NS, SECOND_NS

WEEK_NS = 7 * DAY_NS
#: Seconds between two shares, as pools steer to.
SHARE_EVERY_S = 20
#: When a stretch begins and how long it lasts, in hours of the day (of UTC+8).
HOURS = {"all": (0, 24), "night": (14, 9), "office": (1, 8)}  # of UTC, in which stretches are reckoned
#: How far efficiency and loss leave a rate open, as parts of it.
LOW, HIGH = 0.93, 1.09
#: Nodes of peer-to-peer networks: protocol, coin, address, port and agent.
NODES = (
    ("bitcoin-p2p", "BTC", "198.51.100.16", 8333, "/Satoshi:27.0.0/"),
    ("monero-levin", "XMR", "198.51.100.175", 18080, "0.18.3.3"),
)
#: What became of cases: by the holder's number, the steps with their days before the end.
STEPS: dict[int, tuple[tuple[float, State, str], ...]] = {
    1: (
        (60, "notified", "示例函第1号，已通报"),
        (52, "under-check", "区发改委现场核查"),
        (30, "rectifying", "要求停止并断电"),
    ),
    2: ((20, "notified", "示例函第3号"), (9, "under-check", "与运营单位约谈")),
    3: ((12, "notified", "通报学校网络中心"),),
    6: ((20, "notified", "示例函第4号"), (18, "under-check", "供电公司提供负荷曲线")),
    8: (
        (50, "notified", "示例函第2号"),
        (45, "rectifying", "设备已搬离"),
        (30, "re-check", "复查"),
        (27, "closed", "未再发现"),
    ),
}


def make_demo_ledger(folder: Path, now_ns: int) -> str:
    """Make it in a folder; its URL. Raises LedgerError."""
    url = f"sqlite:///{folder / 'ledger.db'}"
    end_ns = now_ns // HOUR_NS * HOUR_NS
    began_ns = end_ns - WEEKS * WEEK_NS
    north = Ledger.open(url, sensor_id="province-north")
    try:
        for number, plan in enumerate(PLANS):
            first_ns = _stretches(plan, began_ns, end_ns)[0][0]
            # A case begins with the first report of a finding, soon after it began.
            north.record([_finding(number, plan, began_ns, first_ns + HOUR_NS)], first_ns + HOUR_NS)
            north.record([_finding(number, plan, began_ns, end_ns)], end_ns)
        north.record([_node(*each, end_ns) for each in NODES], end_ns)
        north.add_coverage(began_ns, began_ns + 5 * WEEK_NS)
        north.add_coverage(began_ns + 5 * WEEK_NS + 3 * DAY_NS, end_ns)
        for case in north.reader.cases():
            _work_on(north, case, end_ns)
    finally:
        north.close()
    south = Ledger.open(url, sensor_id="province-south")
    try:
        south.record([_finding(len(PLANS), PLANS[-1], began_ns, end_ns)], end_ns)
        south.add_coverage(began_ns + 3 * WEEK_NS, end_ns - 2 * DAY_NS)
        south.add_coverage(end_ns - DAY_NS - 5 * HOUR_NS, end_ns)
    finally:
        south.close()
    return url


def _node(protocol: str, coin: str, address: str, port: int, agent: str, end_ns: int) -> Node:
    """A node that was seen for the last two days."""
    digest = hashlib.sha256(f"{protocol} {address}".encode()).hexdigest()
    key = FlowKey(address, 40_404, "203.0.113.120", port, "TCP", int(digest[:13], 16), f"1:{digest[:27]}=")
    its = (digest[:32], protocol, "mainnet", coin, key, agent, 2_001, 1, f"{protocol} (demonstration)")
    return Node(*its, end_ns - 2 * DAY_NS, end_ns - HOUR_NS, 0.99, [], (), "mirror0")


def _work_on(ledger: Ledger, case: Case, end_ns: int) -> None:
    code = case.enterprise.enterprise_id if case.enterprise else ""
    for number, steps in STEPS.items():
        if f"MADEM{number:04d}" in code:
            for days, state, why in steps:
                ledger.set_case(case.case_id, state, end_ns - int(days * DAY_NS), who="示例经办人", why=why)


def _stretches(plan: MinerPlan, began_ns: int, end_ns: int) -> list[tuple[int, int]]:
    """When its machines mined: a stretch a day, or one a week where they never stop."""
    found = []
    begin, length = HOURS[plan.hours]
    for week in range(*plan.weeks):
        start = began_ns + week * WEEK_NS
        if plan.hours == "all":
            if start < end_ns:
                found.append((start, min(start + WEEK_NS - 3 * HOUR_NS, end_ns)))
            continue
        for day in range(7):
            first = start // DAY_NS * DAY_NS + day * DAY_NS + begin * HOUR_NS
            last = min(first + length * HOUR_NS, end_ns)
            if began_ns <= first < last:
                found.append((first, last))
    return found


def _finding(number: int, plan: MinerPlan, began_ns: int, end_ns: int) -> Finding:
    stretches = _stretches(plan, began_ns, end_ns)
    seconds = sum(last - first for first, last in stretches) / SECOND_NS
    rate, joules = plan.machine.rate_hps * plan.count, plan.machine.joules_per_hash
    flows = [_flow(number, at, plan, first, last) for at, (first, last) in enumerate(stretches)]
    shares = Shares()
    for flow in flows:
        shares.add(flow.shares)
    watts = Power(
        LOW * rate * joules, rate * joules, HIGH * rate * joules, "device" if plan.machine.device else "algorithm"
    )
    hours = seconds / 3_600_000
    energy = dataclasses.replace(watts, low=watts.low * hours, best=watts.best * hours, high=watts.high * hours)
    interval = Interval(LOW * rate, rate, HIGH * rate, 0.95)
    name, host, _address, _port = plan.pool
    account, _dot, worker = plan.login.partition(".")
    key = flows[0].key
    return Finding(
        finding_id=hashlib.sha256(f"{plan.address} {plan.login} {number}".encode()).hexdigest()[:32],
        state="updated" if stretches[-1][1] >= end_ns - DAY_NS else "closed",
        grade=Grade.ACCEPTED,
        confidence=0.999,
        signature_id=1001,
        signature_rev=1,
        signature=f"{plan.machine.dialect} (demonstration)",
        dialect=plan.machine.dialect,
        framing="json-lines",
        transport="tcp",
        coin=plan.machine.coin,
        algorithm=plan.machine.algorithm,
        login=plan.login,
        worker=worker or None,
        workers=(worker,) if worker else (),
        agent=plan.machine.agent,
        software=plan.machine.agent.partition("/")[0],
        pool_ip=key.dest_ip,
        pool_port=key.dest_port,
        miner_ip=plan.address,
        shares=shares,
        hashes_per_share=rate * SHARE_EVERY_S,
        work_hashes=rate * SHARE_EVERY_S * shares.accepted,
        claimed_hashrate_hps=None,
        first_ns=stretches[0][0],
        last_ns=stretches[-1][1],
        active_seconds=seconds,
        jobs=shares.submitted // 3,
        flows=flows,
        flow_count=len(flows),
        evidence=_evidence(plan, flows[-1]),
        midstream=False,
        capture_loss=0.002,
        reasons=(
            MINER_SAID.format(names="login, submit, subscribe"),
            POOL_ANSWERED.format(names="login, submit, subscribe"),
            ACKNOWLEDGED.format(accepted=shares.accepted, sent=shares.submitted),
        ),
        hashrate_hps=interval,
        spent_hashrate_hps=interval,
        power_watts=watts,
        watched_seconds=seconds,
        energy_kwh=energy,
        device=plan.machine.device,
        device_class=plan.machine.device_class,
        wallet=Wallet(None, "account") if account else None,
        machines_seen=plan.count,
        worker_count=plan.count,
        pool=Pool(host, name or None, None, bool(name)),
        attribution=_attribution(plan, end_ns),
        timeline=_timeline(stretches),
        stream_bytes=300 * shares.submitted,
        active=tuple(WatchedStretch(first, last, 0) for first, last in stretches),
        algorithm_basis="stated",
        activity="mining",
    )


def _flow(number: int, at: int, plan: MinerPlan, first_ns: int, last_ns: int) -> FlowSummary:
    _name, _host, address, port = plan.pool
    six = ":" in plan.address
    pool = f"2001:db8:f::{address.rpartition('.')[2]}" if six else address
    digest = hashlib.sha256(f"{plan.address} {number} {at}".encode()).hexdigest()
    key = FlowKey(
        plan.address, 40_000 + (number * 37 + at) % 20_000, pool, port, "TCP", int(digest[:13], 16), f"1:{digest[:27]}="
    )
    count = int((last_ns - first_ns) / SECOND_NS / SHARE_EVERY_S)
    rejected = count // 400
    shares = Shares(count, count - rejected, rejected, 0, 0)
    _account, _dot, worker = plan.login.partition(".")
    names = (plan.machine.dialect, plan.login, worker or None, plan.machine.agent)
    return FlowSummary(key, first_ns, last_ns, *names, shares, (), False, "syn", "mirror0")


def _timeline(stretches: list[tuple[int, int]]) -> ShareTimeline:
    """Shares by the time, in at most 48 bins."""
    start, end = stretches[0][0], stretches[-1][1]
    width = max(HOUR_NS, -(-(end - start) // 48 // HOUR_NS) * HOUR_NS)
    counts = [0] * (-(-(end - start) // width))
    for first, last in stretches:
        for at in range(first, last, HOUR_NS):
            counts[min((at - start) // width, len(counts) - 1)] += 3_600 // SHARE_EVERY_S
    return ShareTimeline(start, width, tuple(counts))


def _evidence(plan: MinerPlan, flow: FlowSummary) -> list[Evidence]:
    spoken: tuple[tuple[Literal["miner", "pool"], dict[str, object], str, Grade], ...] = (
        ("miner", {"id": 1, "method": "mining.subscribe", "params": [plan.machine.agent]}, "subscribe", Grade.SPEAKS),
        ("miner", {"id": 2, "method": "mining.authorize", "params": [plan.login, "***"]}, "login", Grade.SPEAKS),
        ("pool", {"id": 2, "result": True, "error": None}, "authorised", Grade.SPEAKS),
        ("miner", {"id": 9, "method": "mining.submit", "params": [plan.login, "7a", "a1"]}, "submit", Grade.SPEAKS),
        ("pool", {"id": 9, "result": True, "error": None}, "accepted", Grade.ACCEPTED),
    )
    found = []
    for at, (by, message, kind, grade) in enumerate(spoken):
        text = json.dumps(message, separators=(",", ":"))[:160]
        when_ns, flow_id = flow.first_ns + (at + 1) * SECOND_NS, flow.key.community_id
        found.append(Evidence(grade, plan.machine.dialect, when_ns, flow_id, by, at * 120, text, {"message": kind}))
    return found


def _attribution(plan: MinerPlan, end_ns: int) -> Attribution | None:
    holder = plan.holder
    if holder is None:
        return Attribution(plan.address, None, end_ns, "unknown", None, None, (), (NO_BOOK,))
    detail = {"service": holder.service} if holder.service else {}
    allocation = f"{plan.address}/128" if ":" in plan.address else f"{plan.address}/32"
    its = (holder.enterprise, holder.site)
    why = ALLOCATED.format(scope=allocation, name=holder.enterprise.name)
    claim = Claim(
        "inventory", "demonstration.csv:2", end_ns - WEEKS * WEEK_NS, 0.9, allocation, "answer",
        why, *its, detail=detail,
    )  # fmt: skip
    return Attribution(plan.address, None, end_ns, "named", *its, (claim,), (why,))
