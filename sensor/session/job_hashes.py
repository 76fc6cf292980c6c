"""Hashes of a connection's shares and what they make of its difficulty. Knows jobs and shares; knows no counts."""

from __future__ import annotations

from collections.abc import Iterable

from sensor.dialects.stream.message import Message
from sensor.estimate import Share
from sensor.session.account import Account
from sensor.session.jobs import Jobs
from sensor.session.target_hashes import TargetHashes
from sensor.session.verify import Digest
from sensor.signatures.message_values import MessageValues
from sensor.signatures.proofs import Proof


def digests_of(
    jobs: Jobs, proof: Proof, message: Message, values: MessageValues, account: Account
) -> tuple[Digest, ...]:
    """The hash of a share by each algorithm that it may be; none if it cannot be computed, or if the share's job is one
    of before the doubt."""
    job = str(values.get("job"))
    if jobs.verifier is None or not proof or jobs.is_of_before(job):
        return ()
    return jobs.verifier.digests(job, proof.read(message.value), jobs.assumed(account))


def accept(jobs: Jobs, share: Share, accounts: Iterable[Account], account: Account, ts_ns: int) -> None:
    """A share whose hash was computed was accepted at this time: the hashes may tell the difficulty by now."""
    if not share.digests:
        return
    hashes = jobs.hashes = jobs.hashes or TargetHashes()
    times = jobs.times
    is_sent = not times.in_doubt and times.known_ns is not None and not times.hashes
    hashes.put([Digest(*digest) for digest in share.digests], share.work if is_sent else None)
    if jobs.verifier is not None and jobs.verifier.proven is None and hashes.algorithm is not None:
        jobs.verifier.proven = hashes.algorithm
        jobs.settle(accounts, account)
    if is_sent:
        if share.work is not None and hashes.refute(share.work):
            jobs.disbelieve(accounts)
        return
    if times.hashes and not times.in_doubt:
        target = hashes.better(times.hashes)
    else:
        target = hashes.target(jobs.in_force_work(account) if times.known_ns is not None else None)
    if target is not None:
        jobs.believe(target, ts_ns)
