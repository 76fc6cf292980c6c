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
from typing import Any, Generic, TypeVar

import msgspec
from pydantic import TypeAdapter

from sensor.model.trace import ShareMarks

T = TypeVar("T")
#: Whether every number of a value is finite.
Finite = Callable[[Any], bool]


class ExactJson(Generic[T]):
    """Writes and reads values of one type."""

    def __init__(self, value_type: Any) -> None:
        self.adapter: TypeAdapter[T] = TypeAdapter(value_type)
        self._encoder = msgspec.json.Encoder(enc_hook=_plain)
        self._decoder: msgspec.json.Decoder[T] = msgspec.json.Decoder(value_type, dec_hook=_anything)
        self._is_finite = _finite(value_type) or (lambda _: True)

    def dumps(self, value: T, *, allow_nan: bool = True) -> str:
        """The value as one line of ASCII. Raises ValueError for a number that JSON has not, unless `allow_nan`."""
        if self._is_finite(value):
            try:
                text = self._encoder.encode(value)
                if text.isascii():
                    return text.decode("ascii")
            except (OverflowError, UnicodeEncodeError, TypeError):
                pass
        plain = self.adapter.dump_python(value, warnings=False)
        return json.dumps(plain, ensure_ascii=True, allow_nan=allow_nan, separators=(",", ":"))

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


def _finite(hint: Any) -> Finite | None:
    """The check of values of a type; None where none of their numbers can be other than finite."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return _finite(inner[0])
    if hint is float:
        return math.isfinite
    if hint is object or hint is Any:
        return _is_finite
    if dataclasses.is_dataclass(hint) or (isinstance(hint, type) and hasattr(hint, "_fields")):
        return _of_fields(typing.get_type_hints(hint, include_extras=True))
    checks = [check for check in map(_finite, inner) if check is not None]
    if origin is typing.Literal or not checks:
        return None
    if origin in (typing.Union, types.UnionType):
        (check, *others) = checks
        if others or check is math.isfinite:
            return _is_finite
        return lambda value: value is None or check(value)
    if len(checks) == 1 and issubclass(origin, collections.abc.Sequence):
        return lambda value: all(map(checks[0], value))
    return _is_finite


def _of_fields(hints: dict[str, Any]) -> Finite | None:
    fields = [(name, check) for name, hint in hints.items() if (check := _finite(hint)) is not None]
    if not fields:
        return None
    return lambda value: all(check(getattr(value, name)) for name, check in fields)


def _is_finite(value: Any) -> bool:
    """The same of a value of any type."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(map(_is_finite, value.values()))
    if dataclasses.is_dataclass(value):
        return all(_is_finite(getattr(value, field.name)) for field in dataclasses.fields(value))
    if isinstance(value, collections.abc.Iterable) and not isinstance(value, str | bytes):
        return all(map(_is_finite, value))
    return True
