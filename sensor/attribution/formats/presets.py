"""Which column of a book holds what.

The headings that filing forms, leased-line ledgers and exports use, and forms by column letter.

Field names are those of the configuration's `columns`. A heading is compared without width, case, spaces, stars and
remarks in brackets.
"""

from __future__ import annotations

import re

from sensor.sheets.text import heading_of

#: Headings of each field, the more specific first.
HEADINGS: dict[str, tuple[str, ...]] = {
    "first": (
        "起始IP地址", "起始IP", "起始地址", "开始IP地址", "开始IP", "IP起始地址", "起IP", "IP地址段", "IP段", "地址段",
        "网段",
        "IP地址", "IP", "start_ip", "prefix",
    ),
    "last": ("终止IP地址", "终止IP", "终止地址", "结束IP地址", "结束IP", "结束地址", "IP终止地址", "止IP", "end_ip"),
    "organisation": (
        "单位名称", "使用单位名称", "使用单位", "客户名称", "客户名", "用户名称", "企业名称", "organization",
        "customer", "tenant",
    ),
    "nature": ("单位性质", "单位所属分类", "单位属性", "客户性质", "nature"),
    "unit_class": ("单位分类", "unit_class"),
    "industry": ("单位所属行业分类", "行业分类", "所属行业"),
    "certificate_type": ("使用单位证件类型", "单位证件类型", "证件类型"),
    "certificate": ("统一社会信用代码", "使用单位证件号码", "单位证件号码", "证件号码", "信用代码", "uscc"),
    "province": ("单位所在省", "所在省", "省份", "省"),
    "city": ("单位所在市", "所在市", "地市", "市"),
    "county": ("单位所在县", "所在县", "区县", "县"),
    "division": ("行政区划代码", "区划代码", "division_code"),
    "address": ("单位详细地址", "详细地址", "装机地址", "安装地址", "street"),
    "gateway": ("网关IP地址", "网关IP", "网关地址"),
    "use": ("使用方式", "地址使用方式", "分配方式", "role"),
    "service": ("应用服务类型", "业务类型", "service_type"),
    "subscribers": ("用户数", "subscriber_count"),
    "valid_from": ("使用日期", "分配日期", "分配时间", "注册日期", "开通日期", "开通时间", "start_date"),
    "valid_until": ("截止日期", "失效日期", "到期日期", "停用日期", "回收日期", "end_date"),
    "vrf": ("vpn实例", "vpn名称", "VRF"),
    "vlan": ("VLAN", "VLANID", "vlan号"),
    "interface": ("接口", "端口名称"),
    "port_first": ("起始端口", "start_port"),
    "port_last": ("终止端口", "结束端口", "end_port"),
    "subscriber": ("产品实例标识", "宽带账号", "用户账号", "账号", "电路代号", "专线号", "account", "circuit"),
    "contact": ("联系人姓名", "联系人", "contact_name"),
}  # fmt: skip
FIELDS = tuple(HEADINGS)
#: Forms without headings that can be trusted: the upload template of the filing system, its fifth sheet, data from the
#: third row.
LETTERED = {
    "filing-upload": {
        "first": "C", "last": "D", "use": "E", "valid_from": "F", "organisation": "G", "nature": "H", "unit_class": "I",
        "industry": "J",
        "certificate_type": "K", "certificate": "L", "province": "M", "city": "N", "county": "O", "address": "P",
        "contact": "Q",
        "gateway": "T", "service": "AI",
    }
}  # fmt: skip
LETTERED_SHEET, LETTERED_ROW = {"filing-upload": 5}, {"filing-upload": 3}
#: Fields that a form must have, or it is not that form.
NEEDED = {
    "auto": (),
    "filing": ("first", "organisation"),
    "leased-line": ("first", "organisation"),
    "filing-upload": (),
    "minewatch": ("first", "organisation"),
    "customers": ("subscriber", "organisation"),
}
_BY_HEADING = {heading_of(name): field for field, names in HEADINGS.items() for name in (field, *names)}


def recognised(cells: list[str]) -> dict[str, int]:
    """Which field stands in which column, by headings; of two columns for one field the first counts."""
    plan: dict[str, int] = {}
    for position, text in enumerate(cells):
        field = _BY_HEADING.get(heading_of(text)) if text else None
        if field is not None:
            plan.setdefault(field, position)
    return plan


def column(letters: str) -> int:
    """`A` is 0, `AB` is 27; ValueError for anything else."""
    if not re.fullmatch(r"[A-Za-z]{1,2}", letters):
        raise ValueError(f"{letters!r} is no column letter")
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number - 1
