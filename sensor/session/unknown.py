"""One flow's conversation in a dialect that no signature describes, read by what all mining dialects have in common.

A message is given its plain form (`as`: purpose, login, job, target), which the generic dialect reads as any dialect
reads its messages. Nothing is concluded before the whole course was seen, each step from its own side: a login, a job
that the pool gives, a share that names this very job and brings a nonce, an answer. Sans-IO.
"""

from __future__ import annotations

from sensor.dialects.excerpt import FORM
from sensor.dialects.stream.message import DEFAULT_FRAMING, Malformed, Message, Read
from sensor.dialects.unknown.fields import (
    Field,
    JobFields,
    computed,
    content,
    fields,
    identity,
    jobs,
    jobs_in_result,
    proves,
    sign_in,
    target_of,
)
from sensor.dialects.unknown.outcomes import outcome_of, says_accepted
from sensor.dialects.unknown.verbs import OF_MINER, OF_POOL, Verb, verb_in
from sensor.model.text import N_
from sensor.model.trace import SessionState
from sensor.session.pending_requests import id_key
from sensor.session.ranking import rank
from sensor.session.reading import Reading
from sensor.session.session import Session, is_reply
from sensor.signatures.model import Dialect
from sensor.signatures.paths import MISSING

#: Ids of jobs by which a share is known to name one.
MAX_IDS = 512
#: Verbs that are remembered as evidence, and characters of them all together.
MAX_VERBS, MAX_NAMES_TEXT = 16, 400

Name = tuple[str, str]
#: Verbs that were met, each with the direction that said it.
Verbs = tuple[tuple[int, str], ...]


class UnknownSession(Session):
    """The conversation as the generic dialect reads it."""

    __slots__ = (
        *("_aimed", "_answers", "_hashed", "_ids", "_is_block", "_is_mining", "_shares", "_sides", "_worked"),
        "verbs",
    )

    def _begin(self) -> None:
        self._ids: dict[Name, str] = {}  # what a share may say, and the job that it names by it
        self._sides: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset())  # what each direction speaks as
        self.verbs: Verbs = ()
        self._worked = self._aimed = False  # a job brought what is hashed; what a share must meet was said
        self._is_mining = True  # jobs and shares had verbs of mining's own namespace
        self._hashed = False  # a share brought a hash or a proof beside its nonce
        self._is_block = False  # a job had parts of a block
        self._shares = 0  # that named a job
        self._answers = 0

    def resume(self, dialect: Dialect, miner: int, state: SessionState, ts_ns: int) -> None:
        """Go on from what was known: the course was whole before."""
        super().resume(dialect, miner, state, ts_ns)
        self._worked = self._aimed = self._is_block = True
        self._shares, self._answers = 1, 1
        self._sides = (
            (frozenset({"miner"}), frozenset({"pool"})) if not miner else (frozenset({"pool"}), frozenset({"miner"}))
        )

    @property
    def is_whole(self) -> bool:
        """Whether the whole course was seen, each step from its own side."""
        if not (self._shares and self._answers and (self._worked or self._aimed)):
            return False
        best = max(self.readings, key=rank, default=None)
        if best is None or self._sides[best.miner] != {"miner"} or self._sides[1 - best.miner] != {"pool"}:
            return False
        if self._is_mining:
            return True
        return self._worked and self._aimed and (self._hashed or self._is_block or self._signed_in(best))

    def _signed_in(self, best: Reading) -> bool:
        return any(account.login is not None for account in best.logins.accounts)

    @property
    def remark(self) -> str | None:
        """The verbs it met, by side: enough to begin a signature with."""
        best = max(self.readings, key=rank, default=None)
        if best is None:
            return None
        named = [[text for side, text in self.verbs if side == wanted] for wanted in (best.miner, 1 - best.miner)]
        text = N_("an unknown dialect: methods {names} of the miner, {others} of the pool").format(
            names=", ".join(named[0]), others=", ".join(named[1])
        )
        return text[:MAX_NAMES_TEXT]

    def receive(self, read: Read) -> None:
        """One message or one malformed piece."""
        if isinstance(read, Malformed) or read.framing != DEFAULT_FRAMING:
            super().receive(read)
            return
        form = self._form(read)
        value = {name: part for name, part in read.value.items() if name != FORM}
        if form is not None:
            value[FORM] = form
        super().receive(read._replace(value=value))

    def _form(self, read: Message) -> dict[str, object] | None:
        """The plain form of a message; None if its purpose is not known."""
        value, side = read.value, read.direction
        verb = verb_in(value)
        is_share = verb is not None and verb.purpose == "share" and self._sides[side] == {"miner"}
        if is_reply(value) and not is_share:
            return self._reply_form(read)
        if verb is None:
            return None
        self.verbs = add_verb(self.verbs, side, verb)
        form = self._purposeful(verb, read)
        speaks_as = "miner" if verb.purpose in OF_MINER else "pool" if verb.purpose in OF_POOL else None
        if form is not None and speaks_as is not None:
            self._speak(side, speaks_as)
        return form

    def _purposeful(self, verb: Verb, read: Message) -> dict[str, object] | None:
        value, purpose = read.value, verb.purpose
        if purpose in ("sign-in", "subscribe"):
            found = sign_in(value, subscribes=purpose == "subscribe")
            taken = {name: field.value for name, field in found.items() if name != "first"}
            return {"purpose": "sign-in" if "login" in found else "subscribe", **taken}
        if purpose == "share":
            return self._share_form(verb, read)
        if purpose == "job":
            return self._job_form("job", jobs(*content(value)), is_mining=verb.is_mining)
        if purpose == "target":
            aims = target_of(value)
            self._aimed = self._aimed or bool(aims)
            return {"purpose": "target", **_taken(aims)}
        if purpose == "answer":
            return self._answer_form(read)
        return {"purpose": purpose} if purpose != "none" else None

    def _speak(self, direction: int, side: str) -> None:
        """A direction speaks as miner or as pool."""
        if side not in self._sides[direction]:
            sides = [*self._sides]
            sides[direction] = sides[direction] | {side}
            self._sides = (sides[0], sides[1])

    def _job_form(self, purpose: str, given: tuple[JobFields, ...], *, is_mining: bool) -> dict[str, object] | None:
        """The form of a message that gives jobs, whose ids are remembered."""
        if not given:
            return None
        self._is_mining = self._is_mining and is_mining
        forms = []
        for job in given:
            key = identity(job.ids[0])[1]
            for field in job.ids:
                self._ids.pop(identity(field), None)
                self._ids[identity(field)] = key
            self._worked, self._aimed = self._worked or job.work is not None, self._aimed or job.is_aimed
            self._is_block = self._is_block or job.is_block
            forms.append({"job": key, **_taken({"target": job.target, "difficulty": job.difficulty})})
        while len(self._ids) > MAX_IDS:
            del self._ids[next(iter(self._ids))]
        return {"purpose": purpose, "jobs": forms, **forms[0]}

    def _share_form(self, verb: Verb, read: Message) -> dict[str, object] | None:
        """A share names a job and brings what was computed; once the course is whole, a job that was not seen will
        do.
        """
        inner, path = content(read.value)
        found = fields(inner, path)
        in_list = isinstance(inner, list)
        named = next((field for field in found if identity(field) in self._ids), None)
        if named is None and not self.is_whole:
            return None
        others = [field for field in found if named is None or field.path != named.path]
        proof = computed(others, in_list=in_list)
        if proof is None:
            return None
        self._shares += named is not None
        self._hashed = self._hashed or proves(others, proof)
        self._is_mining = self._is_mining and verb.is_mining
        form: dict[str, object] = {"purpose": "share"}
        if isinstance(inner, dict) and "id" in inner and path:
            form["session"] = inner["id"]
        if named is not None:
            form["job"] = self._ids[identity(named)]
        first = found[0].text if in_list and found else None
        if first is not None and (named is None or found[0].path != named.path):
            form["account"] = first
        its = sign_in(read.value, subscribes=True)
        if "login" in its or "worker" in its:
            form["account"] = (its.get("login") or its["worker"]).value
        return form

    def _answer_form(self, read: Message) -> dict[str, object]:
        """An answer that is a message of its own; one without an id is a share's while one waits."""
        self._answers += 1
        outcome = outcome_of(read.value)
        waits = bool(self._pending[1 - read.direction].waiting("submit"))
        is_of_share = waits and "id" not in read.value and outcome != "none"
        return {"purpose": "share-answer" if is_of_share else "answer", "outcome": outcome}

    def _reply_form(self, read: Message) -> dict[str, object] | None:
        """Of a reply: the work it brings, or what it means where neither true nor OK says so."""
        value, asked = read.value, self._pending[1 - read.direction]
        result = value.get("result")
        key = id_key(value.get("id", MISSING))
        if isinstance(result, list | dict) and self._sides[1 - read.direction] == {"miner"}:
            given = jobs_in_result(result)
            if given:
                is_answer = any(request.key == key for kind in ("login", "getwork") for request in asked.waiting(kind))
                form = self._job_form("first-job" if is_answer else "job", given, is_mining=False)
                if form is not None and isinstance(result, dict):
                    form["session"] = result.get("id")
                self._speak(read.direction, "pool")
                self._answers += is_answer
                return form
        if any(asked.waiting(kind) for kind in ("login", "submit", "subscribe")):
            self._answers += 1
        if asked.waiting("submit") and (isinstance(result, list | str) or says_accepted(value.get("error"))):
            return {"purpose": "answer", "outcome": outcome_of(value)}
        return None


def add_verb(verbs: Verbs, direction: int, verb: Verb) -> Verbs:
    """The verbs with this one, as far as there is room."""
    its = (direction, verb.text)
    return verbs if its in verbs or len(verbs) >= MAX_VERBS else (*verbs, its)


def _taken(found: dict[str, Field | None] | dict[str, Field]) -> dict[str, object]:
    return {name: field.value for name, field in found.items() if field is not None}
