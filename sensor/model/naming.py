"""What a finding says is mined, how that is known, and what of an earlier report is withdrawn. Plain data."""

from __future__ import annotations

from typing import Literal, NamedTuple

#: How an algorithm is known. Proven: recomputed, a form that only it has, or the session's own words. Stated: by an
#: agent or a device that can do one thing only, by an option or a coin's prefix of the login. Assumed: a dialect's
#: habit, or a wallet that is paid.
AlgorithmBasis = Literal["proven", "stated", "assumed"]

#: What a finding is called while several dialects fit: the family's name, and its identity in alerts, beside those of
#: the dialects (1001 and up).
FAMILY_IDS = {"stratum": 1900}
#: What several families are called together, and every family without an identity of its own.
MIXED, MIXED_ID = "mining", 1901
#: What is mined by a dialect that no signature describes: which it is may become known.
UNKNOWN = "unknown-stratum"


def is_family(dialect: str | None) -> bool:
    """Whether a finding's dialect is the name of a family, or of none: which dialect is spoken is not known."""
    return dialect in (MIXED, UNKNOWN) or dialect in FAMILY_IDS


class MinedName(NamedTuple):
    """What a finding says is mined."""

    dialect: str | None
    coin: str | None
    algorithm: str | None
    basis: AlgorithmBasis | None


class Correction(NamedTuple):
    """What was reported of a finding before and is withdrawn; None: it was not reported, or it still holds."""

    dialect: str | None = None
    coin: str | None = None
    algorithm: str | None = None


def correction(before: MinedName, now: MinedName) -> Correction | None:
    """What is withdrawn of what was named before; None if nothing is.

    A name that was not known is no mistake, nor is a family whose dialect is known now, nor an algorithm whose
    parameters are. A session that proves one algorithm after another was right each time: its pool has changed it.
    """
    if before.dialect == now.dialect and before.basis == "proven" and now.basis == "proven":
        return None
    dialect = before.dialect if before.dialect != now.dialect and not is_family(before.dialect) else None
    coin = before.coin if before.coin != now.coin else None
    algorithm = before.algorithm if before.algorithm != now.algorithm else None
    if algorithm is not None and now.algorithm is not None and now.algorithm.startswith(f"{algorithm}/"):
        algorithm = None
    found = Correction(dialect, coin, algorithm)
    return found if any(found) else None
