"""The memory of the kernel's rings is one number, shared out over the interfaces."""

from __future__ import annotations

import pytest

from sensor.settings.sections import LEAST_RING_BYTES, RING_BYTES, CaptureSettings

MIB = 1 << 20


def parts(capture: CaptureSettings) -> list[int]:
    return [capture.ring_bytes_of(interface) for interface in capture.interfaces]


@pytest.mark.parametrize(
    ("whole", "own", "expected"),
    [
        (None, [None, None], [RING_BYTES, RING_BYTES]),
        (None, [8 * MIB, None], [8 * MIB, RING_BYTES]),
        (512 * MIB, [None], [512 * MIB]),
        (512 * MIB, [None, None], [256 * MIB, 256 * MIB]),
        (512 * MIB, [112 * MIB, None, None], [112 * MIB, 200 * MIB, 200 * MIB]),
        (8 * MIB, [16 * MIB, None], [16 * MIB, LEAST_RING_BYTES]),
    ],
)
def test_an_interface_has_its_own_number_or_an_even_part_of_the_rest(whole, own, expected):
    interfaces = [{"name": f"eth{number}", "ring_bytes": ring_bytes} for number, ring_bytes in enumerate(own)]
    assert parts(CaptureSettings.model_validate({"interfaces": interfaces, "ring_bytes": whole})) == expected
