"""Values of a type as exact JSON of ASCII, and back: quickly where the quick way gives the same as the exact one, and
else the exact way.

The exact way is pydantic's plain values with the standard library's JSON: text from the network may hold lone
surrogates, which UTF-8 cannot carry, and numbers may have any size. The quick one is msgspec's, which knows neither,
and would write infinity as null.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import json
import math
import types
import typing
from collections.abc import Callable
from functools import cached_property
from typing import Any, Generic, TypeVar

import msgspec
from pydantic import TypeAdapter

from sensor.model.trace import ShareMarks

T = TypeVar("T")
#: Whether every number of a value is finite.
Finite = Callable[[Any], bool]
#: No measure of anything is beyond it, and a sum or a square of what is within it can be written down.
MOST_FLOAT = 1e100


class ExactJson(Generic[T]):
    """Writes and reads values of one type. What that takes is made when it is first asked for: a tenth of a second for
    a finding, and most replays write none.
    """

    def __init__(self, value_type: Any) -> None:
        self._type = value_type
        self._encoder = msgspec.json.Encoder(enc_hook=_plain)

    @cached_property
    def adapter(self) -> TypeAdapter[T]:
        """The exact way."""
        return TypeAdapter(self._type)

    @cached_property
    def _decoder(self) -> msgspec.json.Decoder[T]:
        return msgspec.json.Decoder(self._type, dec_hook=_anything)

    @cached_property
    def _is_finite(self) -> Finite:
        return _finite(self._type) or (lambda _: True)

    @cached_property
    def _is_measure(self) -> Finite:
        return _finite(self._type, _is_within) or (lambda _: True)

    def dumps(self, value: T, *, allow_nan: bool = True) -> str:
        """The value as one line of ASCII. Raises ValueError for a number that JSON has not, unless `allow_nan`."""
        try:
            if self._is_finite(value):
                text = self._encoder.encode(value)
                if text.isascii():
                    return text.decode("ascii")
        except (OverflowError, UnicodeEncodeError, TypeError):
            pass
        plain = self.adapter.dump_python(value, warnings=False)
        return json.dumps(plain, ensure_ascii=True, allow_nan=allow_nan, separators=(",", ":"))

    def can_add_up(self, value: T) -> bool:
        """Whether every float of the value is one that others can be added to."""
        return self._is_measure(value)

    def loads(self, text: str | bytes | msgspec.Raw) -> T:
        """The value of a text that `dumps` wrote, of this or an earlier release. Raises ValueError (ValidationError is
        one) and RecursionError."""
        try:
            return self._decoder.decode(text)
        except (msgspec.DecodeError, ValueError, RecursionError, OverflowError, TypeError):
            return self.adapter.validate_python(json.loads(bytes(text) if isinstance(text, msgspec.Raw) else text))


def _plain(value: Any) -> Any:
    """What msgspec does not know: the one sequence of the project's own."""
    if isinstance(value, ShareMarks):
        return value.rows()
    raise TypeError(type(value).__name__)


def _anything(_: type, value: Any) -> Any:
    """A field of the type `object` holds what stood there."""
    return value


def _is_within(number: float) -> bool:
    return -MOST_FLOAT <= number <= MOST_FLOAT


def _finite(hint: Any, holds: Finite = math.isfinite) -> Finite | None:
    """The check of values of a type; None where it has no numbers that could be other than finite. `holds` checks a
    number in its place."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return _finite(inner[0], holds)
    if hint is float:
        return holds
    if hint is object or hint is Any:
        return lambda value: _every_float(value, holds)
    if dataclasses.is_dataclass(hint) or (isinstance(hint, type) and hasattr(hint, "_fields")):
        return _of_fields(typing.get_type_hints(hint, include_extras=True), holds)
    checks = [check for check in (_finite(part, holds) for part in inner) if check is not None]
    if origin is typing.Literal or not checks:
        return None
    if origin in (typing.Union, types.UnionType):
        (check, *others) = checks
        if others or check is holds:
            return lambda value: _every_float(value, holds)
        return lambda value: value is None or check(value)
    if len(checks) == 1 and issubclass(origin, collections.abc.Sequence):
        return lambda value: all(map(checks[0], value))
    return lambda value: _every_float(value, holds)


def _of_fields(hints: dict[str, Any], holds: Finite) -> Finite | None:
    fields = [(name, check) for name, hint in hints.items() if (check := _finite(hint, holds)) is not None]
    if not fields:
        return None
    return lambda value: all(check(getattr(value, name)) for name, check in fields)


def _every_float(value: Any, holds: Finite) -> bool:
    """The same of a value of any type."""
    if isinstance(value, float):
        return holds(value)
    if isinstance(value, dict):
        return all(_every_float(item, holds) for item in value.values())
    if dataclasses.is_dataclass(value):
        return all(_every_float(getattr(value, field.name), holds) for field in dataclasses.fields(value))
    if isinstance(value, collections.abc.Iterable) and not isinstance(value, str | bytes):
        return all(_every_float(item, holds) for item in value)
    return True
