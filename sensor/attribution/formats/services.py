"""What a range is filed for: a data centre's service, a leased line, broadband and so on, from the text of a book.

The service is a fact of the range, whatever its holder is. Text that means nothing here, or two things, is no fact.
The numbers are the filing form's list of application services (应用服务类型). Knows text only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from sensor.model.attribution import Service
from sensor.sheets.text import plain

#: 应用服务类型 of the filing systems of operators.
NUMBERS: dict[str, Service] = {
    "1": "leased-line", "2": "personal-line", "3": "broadband", "4": "mobile", "5": "network-equipment",
    "6": "website-line", "7": "data-centre", "8": "internet-of-things",
}  # fmt: skip
_PATTERNS: tuple[tuple[Service, re.Pattern[str]], ...] = (
    ("data-centre", re.compile(
        r"(?<![a-z])idc(?![a-z])|数据中心|机房托管|主机托管|服务器托管|整机托管|机柜|机位|云主机|云服务|主机租用|"
            r"服务器租用|裸金属|"
        r"(?<![a-z])colo(?:cation|-location)?(?![a-z])|data[ -]?cent(?:er|re)|(?<![a-z])hosting(?![a-z])|"
            r"dedicated server|"
        r"(?<![a-z])vps(?![a-z])|cloud server"
    )),
    ("government-line", re.compile(r"政务|党政|政府|government")),
    ("personal-line", re.compile(r"个人专线|家庭专线|personal line")),
    ("website-line", re.compile(r"网站专线|网站接入|website line")),
    ("leased-line", re.compile(
        r"专线|leased[ -]?line|dedicated (?:line|internet)|internet line|(?<![a-z])(?:dia|mpls|sd-?wan)(?![a-z])"
    )),
    ("broadband", re.compile(r"宽带|拨号|broadband|(?<![a-z])(?:fttx|fttb|ftth|x?dsl|adsl|pppoe|gpon)(?![a-z])")),
    ("shared-pool", re.compile(r"地址池|地址转换|动态|dynamic|pool|(?<![a-z])(?:cg-?nat|nat\d*|cgn|dhcp)(?![a-z])")),
    ("mobile", re.compile(r"移动网|手机|移动上网|mobile|(?<![a-z])(?:lte|apn|[45]g)(?![a-z])")),
    ("network-equipment", re.compile(r"网络设备|设备互联|loopback|network equipment|infrastructure")),
    ("internet-of-things", re.compile(r"物联网|(?<![a-z])(?:iot|m2m)(?![a-z])|internet of things")),
)  # fmt: skip
#: A leased line may be a government's, a person's or a website's; a pool is what broadband and mobile access have.
_WIDER: dict[Service, frozenset[Service]] = {
    "leased-line": frozenset({"government-line", "personal-line", "website-line"}),
    "shared-pool": frozenset({"broadband", "mobile"}),
}
#: "not IDC" is no data centre, and what is planned or was once is none yet.
_NOT = re.compile(
    r"非|不含|除|不是|原为|原idc|原数据|拟建|拟用|待建|待用|"
    r"(?<![a-z])(?:no|non|not|former|planned)(?![a-z])"
)


def service(text: str) -> Service | None:
    """The service that a cell of a book names; None where it names none, or two."""
    tidy = re.sub(r"[\s_]+", " ", plain(text)).casefold()
    if tidy in NUMBERS:
        return NUMBERS[tidy]
    if _NOT.search(tidy):
        return None
    found = {name for name, pattern in _PATTERNS if pattern.search(tidy)}
    for wider, narrower in _WIDER.items():
        if found & narrower:
            found.discard(wider)
    return found.pop() if len(found) == 1 else None


def range_service(detail: Mapping[str, str]) -> Service | None:
    """The service of the row that a claim rests on, from the claim's `detail`: its service, else its manner of use in
    words (the numbers of 使用方式 are another list)."""
    if detail.get("service"):
        return service(detail["service"])
    use = detail.get("use", "")
    return None if use.strip().isdigit() else service(use)
