"""Where a message of an unknown dialect has what every miner and pool say: login, agent, job, nonce, target, secrets.

Fields are told by their names in maps, by their place and form in lists. Each is a path as signatures write it, so what
is found here can be written into one. Pure; looks at a bounded part of a message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from sensor.dialects.excerpt import SECRET_KEYS
from sensor.signatures.paths import Parts

#: A message's fields that are looked at, and how deep.
MAX_FIELDS, MAX_DEPTH = 96, 3
#: Characters of a name and of an id that are looked at.
MAX_NAME, MAX_ID = 64, 128
#: Jobs that one message gives.
MAX_JOBS = 16

#: Members of a message that are its envelope.
ENVELOPE = frozenset({"id", "jsonrpc", "method", "command", "type", "identifier", "error"})
#: Members that may hold what a message says; without one, it lies in the message itself.
CONTAINERS = ("params", "body", "data", "result")
#: Names of fields, in letters and digits only: in order of preference.
LOGINS = (
    *("login", "user", "username", "wallet", "walletaddress", "address", "publicaddress", "account"),
    *("apikey", "sitekey", "userid"),
)
AGENTS = ("agent", "client", "useragent", "software", "miner")
WORKERS = ("worker", "workername", "rig", "rigid", "name")
TARGETS = ("target", "sharetarget", "targetblob")
DIFFICULTIES = ("difficulty", "sharedifficulty", "diff")
#: Names that say how hard a job is only where the job is one of a block: elsewhere they order what waits.
WEIGHTS = ("weight",)
#: A job with a field whose name has one of these is work on a block.
BLOCK_PARTS = ("nonce", "merkle", "coinbase", "prevhash", "prevblock", "previousblock", "previoushash", "prepow")
SECRETS = SECRET_KEYS | {"token", "key", "otp", "auth"}
#: A field of a share whose name has one of these, and enough in it, is what was computed.
COMPUTED = ("nonce", "random", "solution", "proof", "pow")
#: No id of a job: it is the session's, or a person's.
_NOT_A_JOB = frozenset({"userid", "clientid", "sessionid", "chainid", "rigid", "workerid"})
_AGENT = re.compile(r"[\w.+ ]{2,40}[-/ _]v?\d")
_PROOF = re.compile(r"[A-Za-z0-9+/=_-]{64,}")
_HEX = re.compile(r"(?:0x)?([0-9a-fA-F]+)\Z")
#: Members of a value that comes with its type.
_TYPED = {"data", "type"}
#: Digits of what is hashed (a header, a hash of it), of a nonce, of an id that is a hash.
WORK_DIGITS, NONCE_DIGITS, HASH_DIGITS = 40, 8, 40
#: Digits of the shortest target, and characters of a proof that is no number.
TARGET_DIGITS, PROOF_LENGTH = 6, 64
#: Leading zeros by which a number of 64 digits among others is a target.
TARGET_ZEROS = 6


class Field(NamedTuple):
    """One value of a message: its path, its name (empty in a list), itself."""

    path: Parts
    name: str
    value: object

    @property
    def text(self) -> str | None:
        """The value, if it is a text with something in it."""
        return self.value if isinstance(self.value, str) and self.value else None

    @property
    def digits(self) -> int:
        """How many hex digits it is; 0 if it is anything else."""
        found = _HEX.match(self.value) if isinstance(self.value, str) else None
        return len(found[1]) if found else 0


class JobFields(NamedTuple):
    """What one job says; `ids` are the fields of which a share may repeat one, the likeliest first."""

    ids: tuple[Field, ...]
    work: Field | None  # what is hashed
    target: Field | None
    difficulty: Field | None
    is_aimed: bool  # it says what a share must meet
    is_block: bool  # it names parts of a block
    perhaps_target: Field | None = None  # a number without a name that has a target's form


def plain_name(name: str) -> str:
    """A field's name in lower-case letters and digits, as far as names go."""
    return "".join(letter for letter in name[:MAX_NAME].lower() if letter.isalnum())


def content(value: dict[str, object]) -> tuple[object, Parts]:
    """What a message says without its envelope, and the path to it; a list of one map is that map."""
    for member in CONTAINERS:
        inner = value.get(member)
        if isinstance(inner, list | dict) and inner:
            if isinstance(inner, list) and len(inner) == 1 and isinstance(inner[0], dict):
                return inner[0], (member, 0)
            return inner, (member,)
    return {name: inner for name, inner in value.items() if name not in ENVELOPE or name == "id"}, ()


def fields(value: object, path: Parts = ()) -> list[Field]:
    """The fields of a message, those at the top first, at most MAX_FIELDS. A list of numbers is one field."""
    found: list[Field] = []
    level: list[tuple[Parts, str, object]] = [(path, "", value)]
    for _ in range(MAX_DEPTH + 1):
        below: list[tuple[Parts, str, object]] = []
        for at, name, inner in level:
            for step, key, part in _parts(inner):
                if len(found) >= MAX_FIELDS:
                    return found
                label = plain_name(key) if isinstance(step, str) else name
                if isinstance(part, dict) and part.keys() == _TYPED:
                    found.append(Field((*at, step, "data"), label, part["data"]))
                    continue
                if isinstance(part, dict) or (isinstance(part, list) and not _is_numbers(part)):
                    if len(below) < MAX_FIELDS:
                        below.append(((*at, step), label, part))
                else:
                    found.append(Field((*at, step), label, part))
        level = below
    return found


def _parts(value: object) -> Iterator[tuple[str | int, str, object]]:
    if isinstance(value, dict):
        yield from ((key, key, part) for key, part in islice(value.items(), MAX_FIELDS))
    elif isinstance(value, list):
        yield from ((index, "", part) for index, part in enumerate(value[:MAX_FIELDS]))


def _is_numbers(value: list[object]) -> bool:
    return len(value) >= 8 and all(type(part) is int for part in value[:MAX_FIELDS])


def by_name(found: list[Field], names: tuple[str, ...]) -> Field | None:
    """The field with the first of these names that has a text or a number in it."""
    for name in names:
        for field in found:
            if field.name == name and (field.text or type(field.value) in (int, float)):
                return field
    return None


def sign_in(value: dict[str, object], *, subscribes: bool) -> dict[str, Field]:
    """The fields of a message by which a miner signs in: login, agent, worker, and `first`, the first text of a
    subscription, which is a login for some and an agent for others.
    """
    inner, path = content(value)
    found = fields(inner, path)
    named = {"login": by_name(found, LOGINS), "agent": by_name(found, AGENTS), "worker": by_name(found, WORKERS)}
    if isinstance(inner, list) and inner and isinstance(inner[0], str) and inner[0]:
        first = Field((*path, 0), "", inner[0])
        if not subscribes:
            named["login"] = first
        elif _AGENT.match(inner[0]):
            named["agent"] = first
        else:
            named["first"] = first
    side = value.get("worker")
    if named["worker"] is None and isinstance(side, str) and side:
        named["worker"] = Field(("worker",), "worker", side)
    return {name: field for name, field in named.items() if field is not None and field.text}


def secrets(value: dict[str, object]) -> tuple[Parts, ...]:
    """Where a sign-in may have a secret: what is called one, and every text of a list behind the login."""
    inner, path = content(value)
    found = fields(value)
    called = [field.path for field in found if field.name in SECRETS]
    behind = [(*path, index) for index, part in enumerate(inner) if index and part] if isinstance(inner, list) else []
    return (*called, *behind)


def jobs(inner: object, path: Parts) -> tuple[JobFields, ...]:
    """The jobs that lie in this content; none where nothing in it is long enough to be hashed, or has an id."""
    if isinstance(inner, list) and inner and all(isinstance(part, dict) for part in inner):
        several = [jobs(part, (*path, index)) for index, part in enumerate(inner[:MAX_JOBS])]
        return tuple(job for some in several for job in some)
    found = fields(inner, path)
    in_list = isinstance(inner, list)
    ids = [field for field in found if _may_name(field, in_list, path)]
    ids.sort(key=lambda field: (field.digits >= HASH_DIGITS, "job" not in field.name, len(field.path)))
    work = next((field for field in found if field.digits >= WORK_DIGITS and field.name not in TARGETS), None)
    target = by_name(found, TARGETS)
    target = target if target is not None and target.digits >= TARGET_DIGITS else None
    is_block = any(part in field.name for field in found for part in BLOCK_PARTS)
    difficulties = [field for field in found if field.name in DIFFICULTIES and type(field.value) in (int, float)]
    difficulty = difficulties[0] if len(difficulties) == 1 else None  # of several, for each algorithm its own, none
    # Of numbers without a name, one is a target by its form, or by its place: the third of three.
    numbers = [field for field in found if in_list and WORK_DIGITS <= field.digits <= 64]
    perhaps = next((field for field in reversed(numbers) if _leading_zeros(field)), None)
    is_aimed = target is not None or bool(difficulties) or perhaps is not None or len(numbers) >= 3
    is_aimed = is_aimed or (is_block and by_name(found, WEIGHTS) is not None)
    return (JobFields(tuple(ids), work, target, difficulty, is_aimed, is_block, perhaps),) if ids else ()


def jobs_in_result(result: object) -> tuple[JobFields, ...]:
    """The jobs that a reply brings with what is hashed: in its result, or in the part of it that is called so."""
    inner = result.get("job") if isinstance(result, dict) else None
    found = jobs(inner, ("result", "job")) if isinstance(inner, dict) else jobs(result, ("result",))
    return tuple(job for job in found if job.work is not None)


def _leading_zeros(field: Field) -> bool:
    return str(field.value).lower().removeprefix("0x").startswith("0" * TARGET_ZEROS)


def _may_name(field: Field, in_list: bool, path: Parts) -> bool:
    """Whether a share may repeat this field of a job to name it."""
    if isinstance(field.value, bool | list) or field.value is None or field.value == "":
        return False
    if in_list and not field.name and field.path == (*path, 0):
        return True
    if field.digits >= HASH_DIGITS:
        return field.name not in TARGETS and not (not field.name and field.digits == 64 and _leading_zeros(field))
    return field.name.endswith("id") and field.name not in _NOT_A_JOB


def identity(field: Field) -> tuple[str, str]:
    """By what a job's id is known again: its name in a map, its value alone in a list or where it is a hash."""
    return ("" if not field.name or field.digits >= HASH_DIGITS else field.name, str(field.value)[:MAX_ID])


def target_of(value: dict[str, object]) -> dict[str, Field]:
    """The target or the difficulty that a message sets."""
    inner, path = content(value)
    found = fields(inner, path)
    named = {"target": by_name(found, TARGETS), "difficulty": by_name(found, DIFFICULTIES)}
    if isinstance(inner, list) and inner:
        first = Field((*path, 0), "", inner[0])
        named["target" if first.digits >= WORK_DIGITS else "difficulty"] = first
    return {name: field for name, field in named.items() if field is not None}


def proves(found: list[Field], nonce: Field) -> bool:
    """Whether a share brings a hash or a proof beside its nonce."""
    return any(field.digits == 64 or isinstance(field.value, list) for field in found if field is not nonce)


def computed(found: list[Field], *, in_list: bool) -> Field | None:
    """What a share brings that was computed: a nonce, a solution, a proof; None if there is nothing of the kind."""
    for field in found:
        called = any(name in field.name for name in COMPUTED)
        if (in_list or called) and (field.digits >= NONCE_DIGITS or isinstance(field.value, list)):
            return field
        if called and (type(field.value) is int or len(field.text or "") >= PROOF_LENGTH // 2):
            return field
        if in_list and field.path[-1] != 0 and _PROOF.fullmatch(field.text or ""):
            return field
    return None
