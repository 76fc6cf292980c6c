"""The rig's name inside a login, by the separators miners use. Knows text only; whether the rest is a wallet is decided
elsewhere.
"""

from __future__ import annotations

import re
from functools import lru_cache

#: `account.rig`, `wallet/rig/mail`, `COIN:wallet.rig#code`, `wallet.rig+5000`: the part after the first separator, up
#: to the next.
_RIG = re.compile(r"[^./@]+[./](?P<rig>[^/#+]+)")
MAX_RIG = 64


@lru_cache(maxsize=1024)
def rig_of(login: str | None) -> str | None:
    """The rig part of a login, or None if there is none."""
    match = _RIG.match(login) if login else None
    rig = match["rig"].strip() if match else ""
    return rig[:MAX_RIG] if rig and "@" not in rig else None
