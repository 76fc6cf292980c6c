"""The daemon's part in parcels: an offer of the receiver's thread is loaded beside the line as a reload is, taken up
between two batches or refused whole; and what became of it goes into the ledger, and so to the centre.

Without a section `policy` it does nothing. Used by the line's thread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sensor.daemon.exchange_step import ExchangeStep
from sensor.daemon.journal import Journal
from sensor.daemon.reload import Reloader
from sensor.ledger import Ledger, LedgerError
from sensor.line.pipeline import Pipeline
from sensor.model.policy import PolicyState
from sensor.model.time import SECOND_NS
from sensor.policy.exchange import KnowledgeExchange
from sensor.policy.inbox import ParcelOffer, PolicyInbox
from sensor.policy.receiver import PolicyReceiver
from sensor.policy.settings import PolicySettings

#: The least time between two notes in the ledger: whoever may write the topic must not fill it.
NOTE_NS = 5 * SECOND_NS


class PolicyStep:
    """The parcels of one daemon."""

    def __init__(
        self,
        settings: PolicySettings | None,
        inbox: PolicyInbox | None,
        reloader: Reloader,
        ledger: Ledger,
        journal: Journal,
        pipeline: Pipeline,
    ) -> None:
        """Raises Unusable."""
        self._reloader, self._ledger, self._journal = reloader, ledger, journal
        self._inbox, self._receiver = inbox, None
        if settings is not None and inbox is not None:
            self._receiver = PolicyReceiver(settings, inbox, journal)
            reloader.on_reload = self._receiver.read_again
        self._exchange: KnowledgeExchange | None = None
        if settings is not None and settings.share:
            its = ledger.reporter
            self._exchange = KnowledgeExchange(settings, its.sensor_id, journal)
            self._sharing = ExchangeStep(self._exchange, pipeline, its.sensor_id, its.clock_offset_ns)
        self._asked: ParcelOffer | None = None
        self._noted: Sequence[PolicyState] | None = None  # what the ledger has; None: nothing of this run
        self._noted_ns = 0

    @property
    def states(self) -> Sequence[PolicyState]:
        """What became of the newest parcels."""
        return () if self._receiver is None else self._receiver.states

    @property
    def counters(self) -> Mapping[str, int]:
        """What became of messages of the topic."""
        shared = {} if self._exchange is None else self._sharing.counters
        return {} if self._receiver is None else {**self._receiver.counters, **shared}

    @property
    def refused(self) -> Mapping[str, int]:
        """Parcels that were refused, by kind."""
        return {} if self._receiver is None else self._receiver.refused_by_kind

    @property
    def trouble(self) -> str | None:
        """Why no parcels are read, or nothing is shared; None while all is well."""
        troubles = [thread.trouble for thread in (self._receiver, self._exchange) if thread is not None]
        return next((trouble for trouble in troubles if trouble is not None), None)

    def start(self) -> None:
        """Read parcels from now on."""
        for state in self.states:
            version = f"{state.kind} {state.version}"
            if state.state == "refused":
                self._journal.warning(f"policy: {version} is refused: {state.reason}")
            else:
                self._journal.info(f"policy: {version} {state.state.replace('_', ' ')}, as before the start")
        for thread in (self._receiver, self._exchange):
            if thread is not None:
                thread.start()

    def look(self, now_ns: int) -> None:
        """Once a second: have an offer loaded, and put what has changed into the ledger."""
        receiver, inbox = self._receiver, self._inbox
        if receiver is not None and inbox is not None and self._asked is None and receiver.offer is not None:
            offer = self._asked = receiver.offer
            self._reloader.request_layer(inbox.layer(offer), self._decided)
        self._note(now_ns)
        if self._exchange is not None:
            self._sharing.look(now_ns)

    def close(self) -> None:
        """Read no more."""
        for thread in (self._receiver, self._exchange):
            if thread is not None:
                thread.close()

    def _decided(self, problems: Sequence[str]) -> None:
        offer, self._asked = self._asked, None
        if offer is None or self._receiver is None:
            return
        header = offer.parcel.header
        if problems:
            self._journal.warning(f"policy: {header.kind} {header.version} is refused: {problems[0]}")
        else:
            self._journal.notice(f"policy: {header.kind} {header.version} is in use, {len(header.files)} files")
        self._receiver.decide(offer, problems)

    def _note(self, now_ns: int) -> None:
        states, before = self.states, self._noted
        if before is not None and (_timeless(states) == _timeless(before) or 0 <= now_ns - self._noted_ns < NOTE_NS):
            return
        try:
            self._ledger.note_policies(states, now_ns)
        except LedgerError:  # said by whoever records findings; it is tried again
            return
        self._noted, self._noted_ns = states, now_ns


def _timeless(states: Sequence[PolicyState]) -> list[PolicyState]:
    """States without when they came to be."""
    return [replace(state, at_ns=0) for state in states]
