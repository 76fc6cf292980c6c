"""The core's limits: their names and defaults are the same wherever they are written."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest

import sensor
from sensor import reference
from sensor.settings.sections import LimitSettings

core = pytest.importorskip("sensor._core")


def test_the_reference_core_has_the_same_defaults() -> None:
    parameters = inspect.signature(reference.Limits).parameters
    assert {name: parameter.default for name, parameter in parameters.items()} == dict(core.LIMITS)


def test_the_configuration_has_the_same_defaults() -> None:
    """All but `workers`, which is a setting of the sensor."""
    assert {"workers": 1, **LimitSettings().model_dump()} == dict(core.LIMITS)


def test_the_stub_names_every_limit() -> None:
    stub = ast.parse((Path(sensor.__file__).parent / "_core.pyi").read_text())
    (limits,) = (node for node in stub.body if isinstance(node, ast.ClassDef) and node.name == "Limits")
    (init,) = (node for node in limits.body if isinstance(node, ast.FunctionDef))
    assert [argument.arg for argument in init.args.kwonlyargs] == list(core.LIMITS)


def test_the_names_and_defaults_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        core.LIMITS["flows"] = 1


@pytest.mark.parametrize("name", core.LIMITS)
def test_a_limit_is_set_by_its_name(name: str) -> None:
    core.Limits(**{name: 7})


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"flow": 1}, TypeError),
        ({"flows": "many"}, TypeError),
        ({"flows": 1.5}, TypeError),
        ({"flows": -1}, OverflowError),
        ({"flows": 1 << 200}, OverflowError),
        ({"flows": 0}, ValueError),
        ({"flows": (1 << 28) + 1}, ValueError),
        ({"workers": 257}, ValueError),
        ({"candidates": 0}, ValueError),
    ],
)
def test_what_is_no_limit_or_out_of_bounds_is_refused(values: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        core.Limits(**values)


def test_limits_are_keyword_only() -> None:
    with pytest.raises(TypeError):
        core.Limits(1)
