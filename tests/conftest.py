"""How properties are tried: the same examples in every run of `make test`, fresh ones with
`HYPOTHESIS_PROFILE=explore`. What a test that is tried with bytes is called: the workers of one run must agree on it,
and compressed or random bytes differ between them.
"""

import os

from hypothesis import settings

settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

#: Text up to this length is spelled out in a test's name; of other bytes only the length, for gzip writes the time.
MAX_NAMED_BYTES = 16


def pytest_make_parametrize_id(val: object) -> str | None:
    """The name of a parameter, or None for pytest's own."""
    if not isinstance(val, bytes) or (val.isascii() and val.decode().isprintable() and len(val) <= MAX_NAMED_BYTES):
        return None
    return f"{len(val)}-bytes"
