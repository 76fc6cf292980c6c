"""What the operator does not want looked at: networks and ports, compared with both ends of a segment."""

from __future__ import annotations

from sensor.reference.walk import Segment


class Exclusions:
    def __init__(self, networks: list[tuple[bytes, int]], ports: list[int]) -> None:
        for address, prefix in networks:
            if len(address) not in (4, 16) or not 0 <= prefix <= 8 * len(address):
                raise ValueError(f"a network of {len(address)} bytes and {prefix} bits")
        self._ports = frozenset(ports)
        self._networks = [
            (len(address), 8 * len(address) - prefix, int.from_bytes(address, "big")) for address, prefix in networks
        ]

    def match(self, segment: Segment) -> bool:
        return (
            segment.src_port in self._ports
            or segment.dst_port in self._ports
            or self._has(segment.src)
            or self._has(segment.dst)
        )

    def _has(self, address: bytes) -> bool:
        number = int.from_bytes(address, "big")
        return any(len(address) == width and (number ^ network) >> rest == 0 for width, rest, network in self._networks)
