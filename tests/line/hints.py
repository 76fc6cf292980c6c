"""Names and behaviour for tests, of the miner and pool that the dialogues of examples have."""

from __future__ import annotations

from sensor.line.examples import EPOCH_NS
from sensor.model.evidence import Evidence, Grade
from sensor.model.observation import Behaved, Named, Observation, ObservationPoint, Subject

MINER, POOL, PORT = "198.51.100.10", "203.0.113.5", 3333
FLOW = "1:LQU9qZlK+B5F3KDmev6m5PMibrg="


def subject(
    pool: str | None = POOL, port: int | None = PORT, source: str = "example", host: str | None = None
) -> Subject:
    return Subject(MINER, pool, port, ObservationPoint(source, (7,)), host)


def named(
    sni: str = "xmr.pool.example",
    *,
    at_ns: int = EPOCH_NS,
    of: Subject | None = None,
    grade: Grade = Grade.NAMED,
    bits: float = 4.1,
) -> Named:
    evidence = Evidence(grade, "pool-sni", at_ns, FLOW, "miner", 0, "16 03 01", {"sni": sni})
    observation = Observation("named", grade, "pool-sni", bits, at_ns, detail={"sni": sni})
    return Named(of or subject(), observation, (evidence,), at_ns, at_ns)


def behaved(*, at_ns: int = EPOCH_NS, of: Subject | None = None, bits: float = 6.0, p: float = 0.003) -> Behaved:
    observation = Observation("behaved", Grade.BEHAVES, "block-beat", bits, at_ns, p, {"coin": "XMR"})
    return Behaved(of or subject(), observation, (), at_ns, at_ns)
