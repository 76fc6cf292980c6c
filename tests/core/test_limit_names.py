"""The bounds of a core have one list of names and defaults, and whoever takes them has the same."""

from __future__ import annotations

import dataclasses

import pytest

from sensor import reference
from sensor.model.limits import CoreLimits
from sensor.settings.config import SensorSettings

DEFAULTS = dataclasses.asdict(CoreLimits())


def test_the_configuration_offers_all_of_them_but_the_threads_with_the_same_defaults() -> None:
    config = SensorSettings()
    assert {"workers": config.workers, **config.limits.model_dump()} == DEFAULTS


def test_the_reference_core_takes_them() -> None:
    assert dataclasses.asdict(reference.Limits(flows=16, tcp_timeout_s=5)) == DEFAULTS | {
        "flows": 16,
        "tcp_timeout_s": 5,
    }


def test_the_compiled_core_has_the_same_names_and_defaults() -> None:
    core = pytest.importorskip("sensor._core", reason="the compiled core (sensor._core) is not built")
    limits = getattr(core, "LIMITS", None)
    if limits is None:
        pytest.skip("the compiled core does not export its limits")
    assert dict(limits) == DEFAULTS


def test_a_name_that_is_no_limit_is_refused() -> None:
    with pytest.raises(TypeError):
        reference.Limits(flow=1)  # type: ignore[call-arg]
