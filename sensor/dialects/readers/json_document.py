"""One document of JSON out of bytes or text, as every reader here understands it; or the reason why there is none.

The standard library's decoder is the rule. Where msgspec is installed it decodes first, in a quarter of the time, and
only what it gives as the rule would is taken: whatever it refuses, the rule is asked about. Total: nothing raises.
"""

from __future__ import annotations

import json
from collections.abc import Callable

try:
    import msgspec
except ImportError:  # without it everything is the same, and takes longer
    msgspec = None  # type: ignore[assignment]

#: A text goes on where a text begins with one of these (RFC 8259 section 2), and some senders write a mark before it.
BLANKS = " \t\r\n"
#: Documents with more brackets than this are the rule's alone: how deep it goes hangs on Python's stack.
MAX_BRACKETS = 400
#: What an older msgspec gets wrong (its issue 701: integers a little above 64 bits), and what must stay as it is.
CHECKS = (b"[19933688932870350000]", b"[-0,-0.0,1e-7,0.1,1.7976931348623157e308]", b'{"a":1,"b":2,"a":3}')


class _ConstantError(ValueError):
    """NaN and Infinity are not JSON."""


def _refuse_constant(text: str) -> object:
    raise _ConstantError(text)


_DECODER = json.JSONDecoder(strict=False, parse_constant=_refuse_constant)
#: What the quick decoder raises. A text that is not UTF-8 is a ValueError.
_REFUSALS: tuple[type[Exception], ...] = (ValueError, RecursionError)


def parsed(text: str, at: int) -> tuple[object, int] | str:
    """The value that stands here and where it ends; or the reason why there is none."""
    try:
        return _DECODER.raw_decode(text, at)
    except _ConstantError:
        return "constant"
    except RecursionError:
        return "nesting"
    except json.JSONDecodeError:
        return "not_json"
    except ValueError:  # an integer of more digits than Python converts
        return "number"


def decode(data: bytes) -> dict[str, object] | list[object] | str:
    """One whole document of JSON, an object or a list; or the reason why it is none."""
    value: object = quick(data)
    if value is None:
        text = data.decode("utf-8", "replace").lstrip("\ufeff" + BLANKS)
        found = parsed(text, 0)
        if isinstance(found, str):
            return found
        value, end = found
        if text[end:].strip():
            return "trailing"
    return value if isinstance(value, dict | list) else "not_object"


def quick(data: bytes) -> dict[str, object] | list[object] | None:
    """The object or list that the bytes are, if that is seen at once; None where the rule has to be asked."""
    if _quick is None or (len(data) > MAX_BRACKETS and data.count(b"[") + data.count(b"{") > MAX_BRACKETS):
        return None
    try:
        value = _quick(data)
    except _REFUSALS:
        return None
    return value if type(value) is dict or type(value) is list else None


def _checked(decoder: Callable[[bytes], object]) -> Callable[[bytes], object] | None:
    """The decoder if it gives what the rule does; None if it does not."""
    for sample in CHECKS:
        if repr(decoder(sample)) != repr(_DECODER.decode(sample.decode())):
            return None
    return decoder


_quick: Callable[[bytes], object] | None = None
if msgspec is not None:
    _REFUSALS = (*_REFUSALS, msgspec.MsgspecError)
    _quick = _checked(msgspec.json.Decoder().decode)
