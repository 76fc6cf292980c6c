"""Names that machines and accounts have where nobody gave them one: two that share such a name share nothing. As a
condition of SQL, and as a function that says the same."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_

#: What a name may end with beside letters: `worker1`, `rig-02`; of nothing else are counts, and addresses as mining
#: machines name themselves by them (`10x12`, `192x168x1x12`).
ENDINGS = "0123456789 _-.#xX"
#: So short a name is everybody's; so long a number may be, a longer one may be an account's.
SHORT, SHORT_NUMBER = 3, 6
#: Without such an end. From the examples of miners' manuals and pools' pages, where people copy them from; `donate` is
#: what a program's own fee is paid as.
_STEMS = """
account admin anon anonymous antminer asic avalon avalonminer bitaxe btc computer cpu default demo desktop donate eth
example farm gpu guest home host laptop localhost login ltc machine mine miner mining my my-worker my_worker myminer
myrig myworker name nan nerdminer nil nobody noname none null pc pool rig rig_name rigname root sample server system
test tester unknown unnamed user username wallet wallet_address whatsminer work worker worker_id worker_name workerid
workername workers xmr xmrig your_wallet your_wallet_address your_worker your_worker_name yourwallet yourworker
"""
USUAL = frozenset(_STEMS.split())


def is_usual(column: ColumnElement[Any]) -> ColumnElement[bool]:
    """That a column's name is one of those."""
    stem = func.rtrim(func.lower(column), ENDINGS)
    number = and_(stem == "", or_(func.length(column) <= SHORT_NUMBER, func.lower(column).like("%x%")))
    return or_(func.length(column) <= SHORT, stem.in_(sorted(USUAL)), number)


def usual(name: str) -> bool:
    """The same of a name."""
    lower = name.encode("utf-8", "backslashreplace").lower().decode()  # of letters ASCII's alone
    stem = lower.rstrip(ENDINGS)
    return len(name) <= SHORT or stem in USUAL or (not stem and (len(name) <= SHORT_NUMBER or "x" in lower))
