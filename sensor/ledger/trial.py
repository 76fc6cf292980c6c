"""A report with nothing odd in it, to try whether a ledger takes any: it is written, and taken back."""

from __future__ import annotations

from sensor.model.evidence import Grade
from sensor.model.finding import Finding
from sensor.model.flow import FlowKey, FlowSummary
from sensor.model.quantities import Shares
from sensor.model.time import MINUTE_NS
from sensor.model.wire import SensorReport

#: Addresses of documentation (RFC 5737), and a name that is no sensor's.
MINER, POOL, NAME = "192.0.2.1", "198.51.100.1", "trial"


def trial_report(now_ns: int) -> SensorReport:
    """A miner with one connection, of which three shares were accepted in the minute before."""
    first_ns, shares = now_ns - MINUTE_NS, Shares(3, 3, 0, 0, 0)
    key = FlowKey(MINER, 40_000, POOL, 3333, "TCP", 1, "1:trial")
    flow = FlowSummary(key, first_ns, now_ns, "stratum-v1", "trial.rig", "rig", None, shares, (), False, "syn", NAME)
    finding = Finding(
        finding_id=NAME,
        state="updated",
        grade=Grade.ACCEPTED,
        confidence=0.99,
        signature_id=None,
        signature_rev=None,
        signature=NAME,
        dialect="stratum-v1",
        framing="json-lines",
        transport="tcp",
        coin="BTC",
        algorithm="sha256d",
        login="trial.rig",
        worker="rig",
        workers=("rig",),
        agent=None,
        software=None,
        pool_ip=POOL,
        pool_port=3333,
        miner_ip=MINER,
        shares=shares,
        hashes_per_share=2.0**32,
        work_hashes=3 * 2.0**32,
        claimed_hashrate_hps=None,
        first_ns=first_ns,
        last_ns=now_ns,
        active_seconds=60.0,
        jobs=1,
        flows=[flow],
        flow_count=1,
        evidence=[],
        midstream=False,
        capture_loss=0.0,
        reasons=(),
    )
    return SensorReport(NAME, NAME, now_ns, (finding,))
