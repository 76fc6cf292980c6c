"""Recomputes shares: from what the pool and the miner sent, the header that was hashed, its hash, and whether that
meets the target.

Knows plain values only (hex text, numbers); knows no messages, no sessions and no grades.
"""

from sensor.session.verify.claims import ClaimedResults
from sensor.session.verify.headers import HeaderShares
from sensor.session.verify.sampling import Digest, Look, Sampling, SubmittedShare, Verifier

__all__ = ["ClaimedResults", "Digest", "HeaderShares", "Look", "Sampling", "SubmittedShare", "Verifier", "verifier"]


def verifier(scheme: str, sampling: Sampling) -> Verifier:
    """The state that follows one session by a scheme of sensor/signatures/proofs.py."""
    return HeaderShares(sampling) if scheme == "bitcoin-header" else ClaimedResults(sampling)
