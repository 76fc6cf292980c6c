"""Shares whose proof of work is the hash of a Bitcoin-shaped header of 80 bytes: SHA-256d coins, and scrypt coins with
the same header.

Follows one session: extranonce1 and version mask from the pool's answers, the last jobs, and a sample of the shares.
SHA-256d is tried first, it costs microseconds; scrypt only while the coin is not known to use something else, and a
few times at most. The difficulty's scale differs between the two, so each is compared with its own target. Knows no
messages; what cannot be rebuilt is passed over. A header has the time of its work: one of another time than its
packets proves nothing, for published blocks and old logs can be told again by anyone.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping

from sensor.model.text import N_
from sensor.model.time import HOUR_NS, SECOND_NS
from sensor.session.verify.rebuild import MASK_BIP320, HeaderJob, header_job, sha256d, share_header, version_mask
from sensor.session.verify.sampling import Digest, Look, PerShare, Sampling, Score, SubmittedShare, Turn
from sensor.signatures.message_values import MessageValues

#: Jobs kept with their coinbase while a share is wanted: miners answer the newest, or the one before it that is still
#: in their queue.
MAX_JOBS = 2
#: Bytes of all jobs kept; a usual one has about 1,000. The newest is kept whatever it has.
MAX_JOB_BYTES = 4_096
#: Scrypt failures without a pass after which the coin is taken to be of another algorithm.
SCRYPT_TRIES = 3
#: Difficulty is 2^-32 hashes in `work`: hash < target is hash x work < 2^288.
LIMIT = 1 << 288

#: Farther from its packet no header's time is: nodes take a block up to 2 h ahead of their time (Bitcoin Core,
#: MAX_FUTURE_BLOCK_TIME), pools renew jobs within minutes, and the sensor's own clock may be wrong.
MOST_APART_NS = 3 * HOUR_NS

#: Bytes of a hash by which a repeated share is recognised.
SEEN_BYTES = 16

SCRYPT_HINTS = (None, "scrypt", "sha256d")  # a wallet's coin may be only the one that is paid out
#: Of a share that somebody may have kept for later.
OTHER_TIME = N_("recomputed: its header is of another time than its packet, and proves no work of then")


def scrypt_header(header: bytes) -> bytes:
    """Litecoin's proof of work: scrypt with N=1024, r=1, p=1 the header as salt (litecoin.info, "Scrypt")."""
    return hashlib.scrypt(header, salt=header, n=1024, r=1, p=1, dklen=32)


def header_time_ns(header: bytes) -> int:
    """The time in a header of 80 bytes."""
    return int.from_bytes(header[68:72], "little") * SECOND_NS


class HeaderShares:
    """One session's headers."""

    __slots__ = (
        *("_digests", "_extranonce1", "_jobs", "_mask", "_scrypt", "_seen", "_sha256d", "_turn"),
        *("inquiring", "outdated", "proven"),
    )

    def __init__(self, sampling: Sampling) -> None:
        self._turn = Turn(sampling)
        self._extranonce1: str | None = None
        self._mask: int | None = None
        self._jobs: tuple[tuple[str, HeaderJob, MessageValues], ...] = ()  # oldest first
        self._seen: tuple[bytes, ...] = ()  # starts of hashes
        self._sha256d: Score | None = None
        self._scrypt: Score | None = None
        self._digests = 0
        self.inquiring = False
        self.outdated = 0
        self.proven: str | None = None

    @property
    def checked(self) -> int:
        """Shares recomputed."""
        return self._turn.taken

    def learn(self, parts: Mapping[str, object]) -> None:
        """extranonce1 holds for the jobs that follow (NiceHash's extranonce extension), the mask for the shares that
        follow (BIP 310).
        """
        extranonce1 = parts.get("extranonce1")
        if isinstance(extranonce1, str):
            self._extranonce1 = extranonce1[:128]
        mask = version_mask(parts.get("version_mask"))
        self._mask = self._mask if mask is None else mask

    def job(self, name: str, parts: Mapping[str, object], values: MessageValues) -> None:
        """Keep the job if its shares can be rebuilt; nothing is kept once the sample is complete."""
        if self._turn.spent and not self.inquiring:
            self._jobs = ()
            return
        jobs = tuple(entry for entry in self._jobs if entry[0] != name)
        job = header_job(parts, self._extranonce1)
        if job is not None:
            jobs = (*jobs, (name, job, values))
            most = MAX_JOBS if self._turn.wanted or self.inquiring else 1
            while len(jobs) > 1 and (len(jobs) > most or sum(held.size for _, held, _ in jobs) > MAX_JOB_BYTES):
                jobs = jobs[1:]
        self._jobs = jobs

    def retarget(self, values: MessageValues) -> None:
        """The target of jobs already given changed."""
        self._jobs = tuple((name, job, values) for name, job, _ in self._jobs)

    def due(self, job: str) -> bool:
        """Whether this share is in the sample and its job is known."""
        return self._turn.due() and any(name == job for name, _, _ in self._jobs)

    @property
    def session(self) -> tuple[str | None, int | None]:
        """extranonce1 and version mask."""
        return self._extranonce1, self._mask

    def restore(self, extranonce1: str | None, mask: int | None) -> None:
        """Go on with those of the connection before."""
        self._extranonce1, self._mask = extranonce1, mask

    def digests(self, job: str, parts: Mapping[str, object], hint: str | None) -> tuple[Digest, ...]:
        """The hash of a share whose job is known: by the algorithm that is proven, else by each that it may be."""
        found = next((held for name, held, _ in self._jobs if name == job), None)
        most = self._turn.sampling.target_most if self._turn.sampling.most else 0
        header = None
        if found is not None and self._digests < most:
            header = share_header(found, parts, MASK_BIP320 if self._mask is None else self._mask)
        if header is None:
            return ()
        self._digests += 1
        results = []
        if self.proven != "scrypt":
            results.append(Digest(int.from_bytes(sha256d(header), "little"), "sha256d"))
        if self.proven == "scrypt" or (self.proven is None and hint in SCRYPT_HINTS):
            results.append(Digest(int.from_bytes(scrypt_header(header), "little"), "scrypt"))
        return tuple(results)

    def share(self, share: SubmittedShare, hint: str | None, per_share: PerShare) -> Look | None:
        """Recompute a share if everything needed was seen; a repeated one is not proof of new work."""
        entry = next((item for item in self._jobs if item[0] == share.job), None)
        if entry is None:
            return None
        _, job, values = entry
        mask = MASK_BIP320 if self._mask is None else self._mask
        header = share_header(job, share.parts, mask)
        if header is None:
            return None
        self._turn.take()
        digest = sha256d(header)
        start = digest[:SEEN_BYTES]
        if start in self._seen:
            return None
        self._seen = (*self._seen, start)
        if abs(header_time_ns(header) - share.ts_ns) > MOST_APART_NS:
            self.outdated += 1
            return Look(False, OTHER_TIME)
        for algorithm in self._candidates(hint):
            work = per_share(values, algorithm)
            if work is None:
                continue
            result = digest if algorithm == "sha256d" else scrypt_header(header)
            if self._tried(algorithm, int.from_bytes(result, "little"), work, share):
                recomputed = N_("recomputed: its {algorithm} hash {hash} is below the target")
                return Look(True, recomputed.format(algorithm=algorithm, hash=result[::-1].hex()))
        return Look(False, N_("recomputed: its hash is not below the target"))

    def _candidates(self, hint: str | None) -> list[str]:
        if self.proven == "sha256d" or hint not in SCRYPT_HINTS:
            return ["sha256d"]
        scrypt = self._score("scrypt")
        tried = scrypt.passed + scrypt.failed
        hopeless = scrypt.failed >= SCRYPT_TRIES and not scrypt.passed
        spent = hopeless or tried >= self._turn.sampling.scrypt_most
        wanted = ["sha256d"] if self.proven is None else []
        return wanted if spent else [*wanted, "scrypt"]

    def _score(self, algorithm: str) -> Score:
        if algorithm == "sha256d":
            self._sha256d = self._sha256d or Score()
            return self._sha256d
        self._scrypt = self._scrypt or Score()
        return self._scrypt

    def _tried(self, algorithm: str, number: int, work: int, share: SubmittedShare) -> bool:
        score = self._score(algorithm)
        if number * work >= LIMIT:
            score.fails()
            return False
        score.passes(math.log2(work) - 32, share.counts)
        if score.won and self.proven is None:
            self.proven = algorithm
        return True
