"""Certificates of organisations and persons: which code may identify, which is masked, which is a mistake.

A wrong code would tie a miner to a stranger, so a code of 18 signs either passes its check or is not taken. The
number of a person's certificate never leaves this file unmasked, not even in a sentence about a mistake.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from stdnum.cn import ric, uscc

from sensor.sheets.text import comparable, plain

#: Kinds of organisations by the number or name that books use, after the code lists of operators' filing systems.
CATEGORIES = {
    "1": "military", "军队": "military",
    "2": "government", "政府机关": "government", "政府": "government", "党政机关": "government", "机关": "government",
    "3": "institution", "事业单位": "institution",
    "4": "enterprise", "企业": "enterprise", "公司": "enterprise", "国有企业": "enterprise", "民营企业": "enterprise",
    "国企": "enterprise", "民企": "enterprise", "私企": "enterprise", "外企": "enterprise", "外资企业": "enterprise",
    "合资企业": "enterprise", "私营企业": "enterprise", "中小企业": "enterprise", "企业客户": "enterprise",
    "企业单位": "enterprise", "有限公司": "enterprise", "有限责任公司": "enterprise", "股份有限公司": "enterprise",
    "company": "enterprise", "corporate": "enterprise", "business": "enterprise", "public": None,
    "5": "individual", "个人": "individual", "自然人": "individual", "个人客户": "individual", "家庭": "individual",
    "家庭客户": "individual", "公众客户": "individual", "personal": "individual", "residential": "individual",
    "person": "individual", "党政军": "government", "党政客户": "government", "政府客户": "government",
    "政府部门": "government", "政企": None, "政企客户": None, "集团": None, "集团客户": None, "商客": None,
    "其它": None, "other": None, "unknown": None, "医院": "institution", "事业": "institution",
    "6": "association", "社会团体": "association",
    "8": "sole-trader", "个体工商户": "sole-trader", "个体": "sole-trader",
    "个体户": "sole-trader",
    "9": "private-non-enterprise", "民办非企业": "private-non-enterprise", "民办非企业单位": "private-non-enterprise",
    "10": "foundation", "基金会": "foundation",
    "11": "law-firm", "律师事务所": "law-firm",
    "99": None, "未知": None, "其他": None,
    "高校": "university", "学校": "university", "大学": "university", "院校": "university",
    "idc": "data-centre", "数据中心": "data-centre", "互联网数据中心": "data-centre",
    "isp": "carrier", "运营商": "carrier",
}  # fmt: skip
_NAMES = frozenset(value for value in CATEGORIES.values() if value)
#: Certificates of a person: identity card, passport and the like.
_PERSONAL = frozenset(
    {
        "2",
        "7",
        "身份证",
        "居民身份证",
        "护照",
        "军官证",
        "港澳通行证",
        "台胞证",
        "户口簿",
        "驾驶证",
        "identity-card",
        "passport",
    }
)
#: Certificates whose number is a unified code since 2015, and may still be an older one.
_OLD_LENGTHS = frozenset({9, 13, 15})
_IDENTITY = re.compile(r"(?<![0-9A-Za-z])(\d{17}[\dXx]|\d{15})(?![0-9A-Za-z])")
#: 18 signs of GB 11643-1999, also with one too few or too many: a division, a date of birth, a number, a check.
_PERSON_LIKE = re.compile(r"[1-9]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{2,4}[\dX]?")
_SCIENTIFIC = re.compile(r"\d(?:\.\d+)?[eE]\+\d+")


class Certificate(NamedTuple):
    """What a certificate gives: a code that identifies, or a masked number, or why the row cannot be used."""

    uscc: str | None = None
    masked: str | None = None
    personal: bool = False
    problem: str | None = None


def category(text: str) -> tuple[str | None, bool]:
    """The kind of an organisation, and whether the text is a known kind."""
    tidy = comparable(text)
    if not tidy:
        return None, True
    if tidy in _NAMES:
        return tidy, True
    if tidy in CATEGORIES:
        return CATEGORIES[tidy], True
    return None, False


def mask(number: str) -> str:
    """A person's number with two signs at each end: enough to compare with a paper at hand, too few to use."""
    return f"{number[:2]}{'*' * max(4, len(number) - 4)}{number[-2:]}" if len(number) > 6 else "*" * len(number)


def hide(text: str) -> str:
    """Any text, with what may be a person's number in it masked."""
    return _IDENTITY.sub(
        lambda found: found[0] if uscc.is_valid(found[0]) and not ric.is_valid(found[0]) else mask(found[0]), text
    )


def may_be_personal(number: str) -> bool:
    """Whether a number that fails every check has the form of a person's: digits with a date of birth in them."""
    tidy = re.sub(r"[\s-]", "", plain(number)).upper()
    return bool(_PERSON_LIKE.fullmatch(tidy))


def certificate(kind: str, number: str) -> Certificate:
    """Judge the number of a certificate of this kind (a name or a code of the filing form; may be empty)."""
    tidy = re.sub(r"[\s-]", "", plain(number)).upper()
    if not tidy or tidy in ("无", "/", "0", "暂无", "NULL"):
        return Certificate(personal=comparable(kind) in _PERSONAL)
    if comparable(kind) in _PERSONAL:
        return Certificate(masked=mask(tidy), personal=True)
    if _SCIENTIFIC.fullmatch(tidy) or (
        len(tidy) == 18 and tidy.isdigit() and tidy.endswith("000") and not uscc.is_valid(tidy)
    ):
        return Certificate(
            problem="the certificate's number was kept as a number by a spreadsheet and has lost its last digits"
        )
    if len(tidy) == 18:
        if uscc.is_valid(tidy):
            return Certificate(uscc=tidy)
        if tidy[:17].isdigit() and ric.is_valid(tidy):
            return Certificate(masked=mask(tidy), personal=True)
        return Certificate(
            problem=f"the unified social credit code {mask(tidy) if tidy[:17].isdigit() else tidy} fails its check"
        )
    if len(tidy) in _OLD_LENGTHS and tidy.isalnum():
        return Certificate(masked=mask(tidy) if len(tidy) == 15 else None, personal=False)
    return Certificate(problem=f"the certificate's number has {len(tidy)} signs; a unified social credit code has 18")
