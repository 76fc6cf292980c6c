"""Shares that carry their own hash (CryptoNote's `result`): the hash is not recomputed, only compared with the target,
and called a claim.

RandomX needs two gigabytes and milliseconds a hash, which a sensor does not have. Knows no messages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from sensor.model.text import N_
from sensor.session.verify.sampling import Digest, Look, PerShare, Sampling, SubmittedShare, Turn
from sensor.signatures.message_values import MessageValues

_RESULT = re.compile(r"[0-9a-fA-F]{64}")
#: Hashes are compared by their upper 64 bits, as pools do, whatever the target's length (xmrig, `Job::target`).
LIMIT = 1 << (64 + 32)


class ClaimedResults:
    """One session's claims."""

    __slots__ = ("_turn", "below", "inquiring", "outdated", "proven")

    def __init__(self, sampling: Sampling) -> None:
        self._turn = Turn(sampling)
        self.below = 0
        self.inquiring = False
        self.outdated = 0  # the result says nothing of when it was computed
        self.proven: str | None = None

    @property
    def checked(self) -> int:
        """Claims compared."""
        return self._turn.taken

    def learn(self, parts: Mapping[str, object]) -> None:
        """Nothing of the session is needed."""

    def job(self, name: str, parts: Mapping[str, object], values: MessageValues) -> None:
        """Nothing of the job is needed but its target, which comes with the share's work."""

    def retarget(self, values: MessageValues) -> None:
        """As above."""

    def due(self, job: str) -> bool:  # noqa: ARG002
        """Whether this share is in the sample."""
        return self._turn.due()

    def digests(self, job: str, parts: Mapping[str, object], hint: str | None) -> tuple[Digest, ...]:  # noqa: ARG002
        """Nothing is hashed: the claims of shares of unknown work are in their book."""
        return ()

    def share(self, share: SubmittedShare, hint: str | None, per_share: PerShare) -> Look | None:  # noqa: ARG002
        """Compare the claimed hash, its last 8 bytes the most significant, with the share's target."""
        result = share.parts.get("result")
        if share.work is None or not isinstance(result, str) or not _RESULT.fullmatch(result):
            return None
        self._turn.take()
        number = int.from_bytes(bytes.fromhex(result)[24:], "little")
        # The work was rounded down by less than one hash, so a claim on the very edge may pass that a pool refuses.
        if number * share.work >= LIMIT:
            return Look(False, N_("claimed: its result is not below the target"))
        self.below += 1
        return Look(False, N_("claimed: its result is below the target"))
