"""How properties are tried: the same examples in every run of `make test`, fresh ones with
`HYPOTHESIS_PROFILE=explore`.
"""

import os

from hypothesis import settings

settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))
