"""Whether a row of a book is of somebody who has the address now, by its state, its remark and its name.

A row that is marked as ended or as not given out yet names nobody: whoever has the address now is not in it.
"""

from __future__ import annotations

import re

from sensor.sheets.text import comparable, short

_ENDED = (
    r"退网|拆机|已拆|销户|注销|停用|退租|撤销|回收|释放|终止|作废|失效|离网|已退|"
    r"terminated|cancell?ed|disconnected|decommissioned|inactive|ceased|closed|expired|released"
)
_PLANNED = (
    r"待分配|未分配|预留|预占|保留|空闲|闲置|在建|施工|待开通|未开通|未启用|未使用|待竣工|"
    r"planned|reserved|free|available|pending|idle|vacant|spare|unused|unassigned"
)
#: `未拆机` and `not terminated` say the contrary.
_STATE = re.compile(rf"(?<![未不没非无])(?<!not)(?:{_ENDED})|(?:{_PLANNED})")
#: In free text only what is plainly said of the row itself.
_REMARK = re.compile(
    r"(?<![未不没非无])(?:已?(?:退网|拆机|销户|退租)|已(?:注销|停用|撤销|回收|释放|终止|作废|失效|拆除))|待分配|未分配|"
    r"(?<![a-z])(?<!not)(?:terminated|disconnected|decommissioned|unassigned)"
)
_IN_NAME = re.compile(
    r"已?(?:退网|拆机|销户|注销|停用)[^\u4e00-\u9fff].*|.*[-(_—](?:已?(?:退网|拆机|销户|注销|停用))\)?"
)


def not_in_use(status: str, remark: str) -> str | None:
    """Why a row is nobody's now, by the cells of its state and its remark; None if they do not say so."""
    if found := _STATE.search(comparable(status)):
        return f"is marked as not in use ({short(status)}: {found[0]})"
    if found := _REMARK.search(comparable(remark)):
        return f"is marked as not in use ({short(remark)}: {found[0]})"
    return None


def ended_name(name: str) -> bool:
    """Whether a name says that its bearer is gone: `退网-旧客户`, `甲公司（已拆机）`."""
    return _IN_NAME.fullmatch(comparable(name)) is not None
