"""The values that a message can give a session, as one typed record. A field added here may be taken by every
signature.

Knows names, types and the usual conversion of each; knows nothing of where in a message a value stands.
"""

from __future__ import annotations

from typing import Annotated, TypedDict, cast, get_args, get_origin, get_type_hints

Taken = str | int | float

#: How a JSON scalar is read; those that give text, and those that give a number. `target` gives either.
TEXT_CONVERSIONS = ("text", "key", "hex-key")
NUMBER_CONVERSIONS = ("number", "hex")
CONVERSIONS = (*TEXT_CONVERSIONS, *NUMBER_CONVERSIONS, "target")


class MessageValues(TypedDict, total=False):
    """What one message gives; what it does not give is absent. With each field the conversion used where a file
    names none.
    """

    login: Annotated[str, "text"]  # the account or wallet presented
    account: Annotated[str, "text"]  # named beside a share, perhaps by a miner that signed in under it before
    worker: Annotated[str, "text"]  # the rig's name
    agent: Annotated[str, "text"]  # the software's own name
    session: Annotated[Taken, "key"]  # the pool's name for a login on this connection
    job: Annotated[Taken, "key"]
    block: Annotated[Taken, "key"]  # what is another once a new block was found: the one before it, or its height
    target: Annotated[Taken, "target"]
    difficulty: Annotated[Taken, "number"]
    template_target: Annotated[Taken, "target"]  # of a job; a share's where no difficulty is told
    hashrate: Annotated[int | float, "hex"]  # claimed, hashes a second
    coin: Annotated[str, "text"]
    algorithm: Annotated[str, "text"]
    payout: Annotated[str, "text"]  # the coin that the options ask to be paid in; what is mined may be another
    hardware: Annotated[str, "text"]
    firmware: Annotated[str, "text"]
    serial: Annotated[str, "text"]
    endpoint: Annotated[str, "text"]  # the pool's name as the miner writes it


_HINTS = get_type_hints(MessageValues, include_extras=True)
#: By field, the conversion used where a file names none.
DEFAULT_CONVERSIONS: dict[str, str] = {name: hint.__metadata__[0] for name, hint in _HINTS.items()}


def conversions_of(name: str) -> tuple[str, ...]:
    """The conversions that give what the field of this name holds."""
    held = get_args(_HINTS[name])[0]
    types = set(get_args(held)) if get_origin(held) is not None else {held}
    if types == {str}:
        return TEXT_CONVERSIONS
    return CONVERSIONS if str in types else NUMBER_CONVERSIONS


def as_record(values: dict[str, Taken]) -> MessageValues:
    """Values under the names of fields, as the record they are."""
    return cast(MessageValues, values)


def value_of(values: MessageValues, name: str) -> Taken | None:
    """The value of the field with this name; None if it is absent."""
    return cast("Taken | None", values.get(name))


def aims_of(values: MessageValues) -> MessageValues:
    """The values of a message that set what a share must meet."""
    aims: MessageValues = {}
    if "target" in values:
        aims["target"] = values["target"]
    if "difficulty" in values:
        aims["difficulty"] = values["difficulty"]
    return aims
