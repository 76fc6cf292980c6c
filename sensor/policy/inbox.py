"""What one sensor has of parcels: which messages are parcels for it, which of them comes next, which is in force. Knows
no broker and no configuration; whether what is in a parcel can be loaded is whoever takes the offer to say.

Whatever a message holds, nothing raises. Of several parcels the one with the highest version that holds counts, in
whichever order they come; what came before is left alone.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from sensor.model.policy import KINDS, REASON_CHARACTERS, ParcelKind, PolicyState
from sensor.model.text import printable
from sensor.policy.keys import PublicKey
from sensor.policy.layer import ParcelLayer, UnpackedParcel, check_content
from sensor.policy.parcel import SealedParcel, open_sealed, unpack
from sensor.policy.refusal import CAUSES, Cause, ParcelError
from sensor.policy.settings import PolicySettings
from sensor.policy.shelf import PolicyShelf

#: Parcels of a kind that wait: the highest, and one to fall back to.
MOST_WAITING = 2
#: Parcels that were refused and are not tried again by this process, unless its own files are others.
MOST_REMEMBERED = 256
#: The kind of a message whose key names none.
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ParcelOffer:
    """A parcel that is to be tried."""

    parcel: SealedParcel
    files: UnpackedParcel

    @property
    def kind(self) -> ParcelKind:
        """What it is of."""
        return self.parcel.header.kind


class PolicyInbox:
    """The parcels of one sensor. Used by one thread."""

    def __init__(
        self,
        settings: PolicySettings,
        keys: Mapping[bytes, PublicKey],
        sensor_id: str,
        shelf: PolicyShelf,
        now_ns: Callable[[], int],
    ) -> None:
        self._settings, self._keys, self._sensor_id = settings, keys, sensor_id
        self._shelf, self._now_ns = shelf, now_ns
        self._in_force: dict[ParcelKind, ParcelOffer] = {}
        self._waiting: dict[ParcelKind, dict[int, SealedParcel]] = {kind: {} for kind in KINDS}
        self._states: dict[tuple[str, bool], PolicyState] = {}  # by kind, and whether it was refused
        self._refused: OrderedDict[str, None] = OrderedDict()  # digests
        self._seen: dict[ParcelKind, int] = {}  # the highest version in this reading of the topic
        self._blocked: str | None = None
        try:
            self._versions = shelf.versions()
        except ParcelError as error:
            self._versions, self._blocked = {}, str(error)
        self.counters: Counter[str] = Counter(
            {
                **dict.fromkeys(("messages", "taken", "repeated", "superseded", "not_selected", "tombstones"), 0),
                **{f"refused_{cause}": 0 for cause in CAUSES},
            }
        )
        self.refused_by_kind: Counter[str] = Counter(dict.fromkeys((*KINDS, UNKNOWN), 0))

    @property
    def states(self) -> tuple[PolicyState, ...]:
        """What became of the newest parcels: of each kind the one in force, and the one that was refused last of those
        with the highest version."""
        return tuple(self._states[place] for place in sorted(self._states))

    def layer(self, offer: ParcelOffer | None = None) -> ParcelLayer:
        """The parcels in force, with this one in place of the one of its kind."""
        parcels = {**self._in_force, **({} if offer is None else {offer.kind: offer})}
        return ParcelLayer([its.files for its in parcels.values()])

    def stored(self) -> list[ParcelOffer]:
        """What was in force before a restart, proven anew by the keys of today."""
        offers = []
        for kind in KINDS:
            try:
                body = self._shelf.stored(kind, self._settings.parcel_bytes)
                if body is None:
                    continue
                self._check_kind(kind)
                parcel = open_sealed(body, self._keys, self._settings.parcel_bytes)
                if parcel.header.kind != kind:
                    raise ParcelError("kind", f"it is a parcel of {parcel.header.kind}")
                if parcel.header.selects(self._sensor_id):
                    offers.append(self._unpacked(parcel))
            except ParcelError as error:
                version = 0 if error.cause == "kind" else self._versions.get(kind, 0)  # 0: nothing that is missed
                self._note_refusal(kind, error.cause, f"stored here: {error}", version)
        return offers

    def resume(self, offer: ParcelOffer) -> None:
        """A stored parcel is in force."""
        self._hold(offer, None)
        self._shelf.clear(offer.kind, offer.files.folder)

    def begin_reading(self, *, retry: bool = False) -> None:
        """The topic is read from its beginning. `retry`: what was refused may hold by now."""
        self._seen.clear()
        if retry:
            self._refused.clear()

    def end_of_topic(self) -> None:
        """All that stands in the topic was read. Where only older parcels than the one in force stand there, somebody
        may want it to be rolled back."""
        for kind, version in self._seen.items():
            if version < self._floor(kind):
                self._refuse_version(kind, version, "")
        self._seen.clear()

    def take(self, key: bytes | None, body: bytes | None, *, history: bool = False) -> None:
        """One message. `history`: it stood in the topic when that was begun to be read."""
        self.counters["messages"] += 1
        if body is None:  # whoever may write the topic can delete; only a signed parcel withdraws one
            self.counters["tombstones"] += 1
            return
        name = (key or b"").decode("ascii", "replace")
        kind = name.partition("/")[0]
        try:
            if self._blocked is not None:
                raise ParcelError("storage", self._blocked)
            parcel = open_sealed(body, self._keys, self._settings.parcel_bytes)
            if parcel.header.key != name:
                sentence = f"the parcel of {parcel.header.key} stands under the key {printable(name[:80])}"
                raise ParcelError("kind", sentence)
            self._check_kind(parcel.header.kind)
        except ParcelError as error:
            self._note_refusal(kind if kind in KINDS else UNKNOWN, error.cause, str(error))
            return
        self._sort(parcel, history)

    def next_offer(self) -> ParcelOffer | None:
        """The parcel that is to be tried next, its files written; None if none waits."""
        for waiting in self._waiting.values():
            while waiting:
                parcel = waiting.pop(max(waiting))
                try:
                    return self._unpacked(parcel)
                except ParcelError as error:
                    self._refuse(parcel, error.cause, str(error))
        return None

    def accept(self, offer: ParcelOffer) -> None:
        """It was loaded and is in force."""
        kind, version = offer.kind, offer.parcel.header.version
        self._versions[kind] = max(version, self._versions.get(kind, 0))
        note = None
        try:
            self._shelf.put_in_force(offer.parcel, self._versions)
        except ParcelError as error:
            self.counters["refused_storage"] += 1
            note = f"in use, and not stored for a restart: {error}"
        self._hold(offer, note)
        self.counters["taken"] += 1
        waiting = self._waiting[kind]
        self._waiting[kind] = {number: waiting[number] for number in waiting if number > version}
        refused = self._states.get((kind, True))
        if refused is not None and refused.version <= version:
            del self._states[kind, True]

    def refuse(self, offer: ParcelOffer, reason: str) -> None:
        """It cannot be loaded: what was in force stays so."""
        in_force = self._in_force.get(offer.kind)
        if in_force is None or in_force.files.folder != offer.files.folder:
            self._shelf.discard(offer.parcel)
        self._refuse(offer.parcel, "load", reason)

    def _sort(self, parcel: SealedParcel, history: bool) -> None:
        """A parcel whose signature and kind are right."""
        header = parcel.header
        kind, version, waiting = header.kind, header.version, self._waiting[header.kind]
        if not header.selects(self._sensor_id):
            self.counters["not_selected"] += 1
            return
        if history:
            self._seen[kind] = max(version, self._seen.get(kind, 0))
        in_force = self._in_force.get(kind)
        same = (in_force is not None and in_force.parcel.sha256 == parcel.sha256) or parcel.sha256 in self._refused
        if same or (version in waiting and waiting[version].sha256 == parcel.sha256):
            self.counters["repeated"] += 1
        elif version < self._floor(kind) or self._is_held(kind, version):
            if history and version < self._floor(kind):  # before compaction older ones stand there, too
                self.counters["superseded"] += 1
            else:
                self._refuse_version(kind, version, parcel.sha256)
        else:
            waiting[version] = parcel
            if len(waiting) > MOST_WAITING:
                del waiting[min(waiting)]
                self.counters["superseded"] += 1

    def _floor(self, kind: ParcelKind) -> int:
        in_force = self._in_force.get(kind)
        return max(self._versions.get(kind, 0), 0 if in_force is None else in_force.parcel.header.version)

    def _is_held(self, kind: ParcelKind, version: int) -> bool:
        """Whether a parcel of this version is in force or waits. What was in force and cannot be loaded any more, or
        was lost, may come again."""
        in_force = self._in_force.get(kind)
        return version in self._waiting[kind] or (in_force is not None and version == in_force.parcel.header.version)

    def _check_kind(self, kind: ParcelKind) -> None:
        if kind not in self._settings.accept:
            raise ParcelError("kind", f"parcels of {kind} are not taken here (policy.accept)")

    def _unpacked(self, parcel: SealedParcel) -> ParcelOffer:
        files = unpack(parcel, self._settings.unpacked_bytes)
        check_content(parcel.header.kind, files)
        return ParcelOffer(parcel, self._shelf.unpack(parcel, files))

    def _hold(self, offer: ParcelOffer, note: str | None) -> None:
        header = offer.parcel.header
        self._in_force[offer.kind] = replace(offer, parcel=replace(offer.parcel, body=b""))  # megabytes, on the shelf
        self._states[offer.kind, False] = PolicyState(
            header.kind,
            header.version,
            offer.parcel.sha256,
            "in_use" if header.files else "withdrawn",
            note,
            self._now_ns(),
        )

    def _refuse_version(self, kind: ParcelKind, version: int, digest: str) -> None:
        floor = self._floor(kind)
        why = "is another parcel than the one of this version here" if version == floor else f"is below {floor}"
        if version > floor:
            why = "is another parcel than the one of this version that waits"
        self._note_refusal(kind, "version", f"version {version} {why}; a parcel is never rolled back", version, digest)

    def _refuse(self, parcel: SealedParcel, cause: Cause, reason: str) -> None:
        self._refused[parcel.sha256] = None
        if len(self._refused) > MOST_REMEMBERED:
            self._refused.popitem(last=False)
        self._note_refusal(parcel.header.kind, cause, reason, parcel.header.version, parcel.sha256)

    def _note_refusal(self, kind: str, cause: Cause, reason: str, version: int = 0, digest: str = "") -> None:
        self.counters[f"refused_{cause}"] += 1
        self.refused_by_kind[kind] += 1
        before = self._states.get((kind, True))
        if before is not None and before.version > version:
            return  # whoever may write the topic, and has old parcels, must not hide why a signed one was refused
        sentence = printable(reason)[:REASON_CHARACTERS]
        state = PolicyState(kind, version, digest, "refused", f"{cause}: {sentence}", self._now_ns())
        self._states[kind, True] = state
