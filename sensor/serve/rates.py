"""How often each address may ask: so many at once, then so many a second (a token bucket for each). Time is handed
in.
"""

from __future__ import annotations

from collections import OrderedDict

#: A scrape takes one connection in 15 seconds. Of more than this a second a client is told nothing.
BURST, PER_SECOND = 60.0, 20.0
#: Addresses remembered; of more, those heard longest ago begin anew.
MOST = 1_024


class AddressRates:
    """The buckets of all addresses."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # what is left, and as of when

    def admits(self, address: str, now_s: float) -> bool:
        """Whether this address may ask once more; `now_s` in seconds, of a clock that never goes back."""
        left, at_s = self._buckets.pop(address, (BURST, now_s))
        left = min(BURST, left + (now_s - at_s) * PER_SECOND)
        admitted = left >= 1.0
        self._buckets[address] = (left - admitted, now_s)
        if len(self._buckets) > MOST:
            self._buckets.popitem(last=False)
        return admitted
