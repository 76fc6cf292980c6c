"""One finding as one line of text: for the journal and for a terminal that is watched.

Pure: a record in, text out. Whatever came from the network is stripped of control characters.
"""

from __future__ import annotations

from exporters.forms import cells
from exporters.forms.amounts import percent
from exporters.forms.fitting import visible
from sensor.model.finding import Finding

#: Characters of a login that are shown; a wallet keeps its beginning and its end.
LOGIN_ROOM = 28


def sentence(item: Finding) -> str:
    """Who, where to, what, as whom, how much, how sure, whose: `192.0.2.10 → 198.51.100.2:3333, stratum-v1, BTC
    sha256d, login bc1q…x.rig1, 12 sent, 12 accepted, 95 TH/s (80–110), 3.2 kW, accepted 99 %, Example Co.`
    """
    _, pool, *asked = cells.ends(item)
    dialect, *what = cells.what(item, room=40)
    who, *more = cells.who(item, LOGIN_ROOM)
    names = [f"({name.removeprefix('→ ')})" for name in asked]
    parts = [
        " ".join([item.miner_ip, pool, *names]),
        dialect,
        *what,
        f"login {who}" if item.login else who.strip("()"),
        *more,
        *_counts(item),
        f"{item.grade.label} {percent(item.confidence)}",
        *cells.holder(item, room=60),
    ]
    return visible(", ".join(parts))


def _counts(item: Finding) -> list[str]:
    """Shares and hashrate; nothing where no share was seen."""
    if not cells.is_read(item):
        return ["shares not read"]
    if not item.shares.submitted:
        return ["no share seen"]
    rate = cells.rate(item)
    figures = [" ".join(rate[:2]), *rate[2:]] if rate != ["unknown"] else ["hashrate unknown"]
    return [", ".join(cells.shares(item)), *figures]
