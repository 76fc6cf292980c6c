"""What the headings of books mean: the names that filing forms, ledgers of lines and exports use, and rules for others.

Field names are those of the configuration's `columns`. A heading is compared without width, case, spaces, stars and
remarks in brackets. What only resembles a heading is a suggestion, never taken.
"""

from __future__ import annotations

import difflib
import re

from sensor.sheets.text import LONGEST_HEADING, comparable, heading_of

#: Headings of each field; where a book has two for one field, the earlier one here counts.
HEADINGS: dict[str, tuple[str, ...]] = {
    "first": (
        "起始IP地址", "起始IP", "起始地址", "开始IP地址", "开始IP", "IP起始地址", "起IP", "start_ip",
        "start_ip_address",
        "starting_ip", "first_ip", "first_address", "from_ip", "ip_from", "ip_start", "start_address", "IP地址段",
        "IP段",
        "地址段", "网段", "IP地址", "IP", "prefix", "ip_prefix", "cidr", "cidr_block", "ip_range", "ip_ranges",
        "ip_address_range", "address_range", "ip_block", "address_block", "subnet", "ip_subnet", "子网", "ip_address",
        "ip_addresses", "ip_addr", "ip_address/mask", "ipv4", "ipv4_address", "ipv4_prefix", "ipv4_range", "public_ip",
        "public_ip_address", "public_ips", "static_ip", "assigned_ip", "assigned_ips", "customer_ip", "wan_ip",
    ),
    "last": (
        "终止IP地址", "终止IP", "终止地址", "结束IP地址", "结束IP", "结束地址", "IP终止地址", "止IP", "截止IP",
        "end_ip",
        "end_ip_address", "ending_ip", "last_ip", "last_address", "to_ip", "ip_to", "ip_end", "end_address",
    ),
    "mask": (
        "子网掩码", "掩码", "网络掩码", "IP掩码", "反掩码", "通配符掩码", "掩码长度", "掩码位数", "前缀长度", "掩码位",
        "netmask", "subnet_mask", "network_mask", "wildcard", "wildcard_mask", "prefix_length", "prefixlen",
        "mask_length", "mask_bits",
    ),
    "ipv6": ("IPv6地址", "IPv6地址段", "IPv6前缀", "IPv6段", "ipv6_address", "ipv6_prefix", "ipv6_range"),
    "count": (
        "IP数量", "IP数", "IP个数", "IP地址数", "IP地址数量", "IP地址个数", "地址数量", "地址数", "地址个数",
        "ip_count",
        "number_of_ips", "no_of_ips", "ips", "address_count", "number_of_addresses",
    ),
    "network": ("网络地址", "网络号", "网段地址", "network_address", "net_address"),
    "broadcast": ("广播地址", "broadcast_address"),
    "organisation": (
        "单位名称", "使用单位名称", "使用单位", "客户名称", "客户名", "用户名称", "企业名称", "公司名称", "客户全称",
        "单位全称", "单位", "客户", "公司", "企业", "使用人", "organization", "organization_name", "organisation_name",
        "org_name", "customer", "customer_name", "client", "client_name", "company", "company_name", "tenant",
        "enterprise", "enterprise_name", "end_user", "assigned_to", "account_name", "subscriber_name",
    ),
    "nature": (
        "单位性质", "单位所属分类", "单位属性", "客户性质", "客户类型", "客户类别", "用户类型", "用户性质", "单位类型",
        "单位类别", "企业性质", "企业类型", "机构类型", "customer_type", "client_type", "org_type", "organization_type",
        "organisation_type", "entity_type",
    ),
    "unit_class": ("单位分类",),
    "industry": ("单位所属行业分类", "行业分类", "所属行业", "行业", "行业类型"),
    "certificate_type": ("使用单位证件类型", "单位证件类型", "证件类型", "证照类型", "证件种类", "证照种类"),
    "certificate": (
        "统一社会信用代码", "uscc", "unified_social_credit_code", "unified_social_credit_identifier",
        "social_credit_code", "credit_code", "统一信用代码", "社会信用代码", "信用代码", "统一代码", "使用单位证件号码",
        "单位证件号码", "证件号码", "证照号码", "证照号", "证件号", "证照编号", "证件编号", "营业执照号",
        "营业执照号码",
        "营业执照编号", "营业执照", "营业执照注册号", "工商注册号", "组织机构代码", "机构代码", "纳税人识别号", "税号",
        "business_license", "business_licence", "business_license_no", "business_licence_no",
        "business_license_number", "license_no", "licence_no", "registration_no", "registration_number",
        "company_registration_number", "certificate_no", "certificate_number", "tax_id", "usci",
    ),
    "province": ("单位所在省", "所在省", "省份", "省"),
    "city": ("单位所在市", "所在市", "地市", "市"),
    "county": ("单位所在县", "所在县", "区县", "县"),
    "division": ("行政区划代码", "区划代码", "行政区划", "division_code"),
    "address": (
        "单位详细地址", "详细地址", "装机地址", "安装地址", "接入地址", "使用地址", "装机位置", "安装位置", "客户地址",
        "单位地址", "用户地址", "业务地址", "地址", "street", "street_address", "site_address", "service_address",
        "service_location", "installation_address", "install_address", "premises", "location", "site",
    ),
    "gateway": ("网关IP地址", "网关IP", "网关地址", "网关", "默认网关", "gateway_ip", "default_gateway", "gw"),
    "use": ("使用方式", "地址使用方式", "分配方式", "role"),
    "service": (
        "应用服务类型", "应用服务类别", "应用类型", "服务类型", "业务类型", "业务类别", "产品类型", "接入类型",
        "IP用途", "IP地址用途", "地址用途", "网段用途", "用途", "service_type", "service_category", "ip_usage", "usage",
        "purpose", "product_type", "access_type", "connection_type",
    ),
    "subscribers": ("用户数", "subscriber_count"),
    "valid_from": (
        "使用日期", "分配日期", "分配时间", "注册日期", "开通日期", "开通时间", "启用日期", "启用时间", "竣工日期",
        "竣工时间", "起租日期", "起租时间", "装机日期", "装机时间", "生效日期", "生效时间", "开始日期", "开始时间",
        "入网日期", "入网时间", "开户日期", "start_date", "start", "service_start", "service_start_date",
        "activation_date", "activated", "effective_date", "install_date", "in_service_date", "from_date", "since",
        "assigned_date", "date_assigned",
    ),
    "valid_until": (
        "截止日期", "失效日期", "到期日期", "停用日期", "回收日期", "截止时间", "失效时间", "到期时间", "停用时间",
        "回收时间", "终止日期", "终止时间", "结束日期", "结束时间", "拆机日期", "拆机时间", "退网日期", "退网时间",
        "停租日期", "销户日期", "有效期至", "end_date", "service_end", "service_end_date", "expiry_date",
        "expiration_date", "termination_date", "terminated", "cease_date", "to_date", "until", "released_date",
    ),
    "vrf": ("vpn实例", "vpn名称", "VRF"),
    "vlan": ("VLAN", "VLANID", "vlan号", "vlan_no", "vlan编号"),
    "interface": ("接口", "端口名称"),
    "port_first": ("起始端口", "start_port"),
    "port_last": ("终止端口", "结束端口", "end_port"),
    "subscriber": (
        "产品实例标识", "宽带账号", "用户账号", "账号", "电路代号", "专线号", "专线编号", "专线号码", "电路编号",
        "电路号",
        "线路编号", "线路号", "业务号码", "业务号", "业务编号", "接入号", "产品号码", "account", "account_no",
        "account_id", "circuit", "circuit_id", "circuit_no", "circuit_number", "line_id", "line_no", "service_id",
        "service_no", "subscriber_id",
    ),
    "status": (
        "状态", "业务状态", "使用状态", "客户状态", "用户状态", "电路状态", "线路状态", "专线状态", "产品状态",
        "在网状态",
        "service_status", "circuit_status", "state",
    ),
    "remark": ("备注", "备注说明", "说明", "remarks", "note", "notes", "comment", "comments"),
    "contact": ("联系人姓名", "联系人", "contact_name"),
}  # fmt: skip
FIELDS = tuple(HEADINGS)
#: Headings of columns that say nothing about whose an address is: nothing is suggested for them.
BESIDE = frozenset(
    heading_of(text)
    for text in (
        "序号", "编号", "no", "id", "#", "带宽", "速率", "bandwidth", "speed", "客户经理", "联系电话", "电话", "手机",
        "手机号", "手机号码", "phone", "email", "邮箱", "经办人", "制表人", "填表人", "合同编号", "合同号", "资费",
        "月租",
        "分公司", "营销单元", "产品", "产品名称", "业务名称",
    )
)  # fmt: skip

_RANK = {
    heading_of(name): (field, rank) for field, names in HEADINGS.items() for rank, name in enumerate((field, *names))
}
#: Of other ends, other networks and other people: none of these is the customer's own.
_FOREIGN = re.compile(
    r"法人|法定|联系|经办|负责|代表|代理|经理|管理|网管|设备|内网|私网|本端|局端|对端|网关|dns|广播|private|inside|internal|"
    r"gateway|management|mgmt|contact|loopback|互联(?!网)"
)
_OWN = (
    r"(?:使用|客户|用户|企业|单位|公司|租户|租用|承租|接入|最终|集团|分配|业务|专线|公网|外网|互联网|静态|固定|上网|"
    r"ipv4)"
)
_IP = r"(?:ip地址段|ip地址|ip网段|ip子网|ip段|ip|地址段|网段|子网|ipv4地址段|ipv4地址|ipv4段|ipv4)"
#: Headings that are no entry above and mean one thing all the same; the whole heading must fit.
RULES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("ipv6", re.compile(rf"{_OWN}*ipv6(?:地址段|地址|前缀|网段|段)(?:范围|列表|清单)?")),
    ("first", re.compile(rf"{_OWN}*{_IP}?(?:起始|开始|首)(?:ip地址|ip|地址)")),
    ("first", re.compile(rf"{_OWN}*{_IP}(?:起始|开始|范围|列表|清单|明细)?(?:[/及和与](?:子网)?掩码)?")),
    ("last", re.compile(rf"{_OWN}*{_IP}?(?:终止|结束|截止|末)(?:ip地址|ip|地址)")),
    ("last", re.compile(rf"{_OWN}*{_IP}(?:终止|结束|截止)")),
    ("mask", re.compile(rf"{_IP}?(?:子网|网络|网段)?掩码(?:长度|位数|位)?")),
    ("certificate", re.compile(
        r"(?:使用|客户|用户|企业|单位|公司|机构|法人单位)*"
        r"(?:统一社会信用代码|社会信用代码|信用代码|证照号|证件号|证照代码|执照号|执照注册号|营业执照注册号|组织机构代码|"
        r"纳税人识别号|税号)码?(?:证号)?"
    )),
    ("organisation", re.compile(
        r"(?:使用|客户|企业|单位|公司|租户|租用|承租|接入|最终|集团)(?:单位|客户|用户|企业|公司)?(?:中文)?(?:名称|全称|名)"
    )),
    ("organisation", re.compile(r"(?:最终|使用|租用|承租|接入|集团)(?:单位|客户|用户|企业|公司)")),
    ("nature", re.compile(r"(?:客户|用户|单位|企业|机构|使用单位)(?:类型|性质|类别|属性|分类)")),
    ("address", re.compile(
        r"(?:使用|客户|用户|企业|单位|公司|接入|安装|装机|业务|机房|专线|详细)+(?:所在)?(?:地址|位置|地点)"
    )),
    ("valid_from", re.compile(
        r"(?:业务|专线|电路|使用|服务|地址|ip)?(?:开通|启用|竣工|起租|装机|生效|开始|起始|分配|入网|开户)(?:日期|时间)"
    )),
    ("valid_until", re.compile(
        r"(?:业务|专线|电路|使用|服务|地址|ip)?(?:截止|失效|到期|停用|回收|终止|结束|拆机|退网|停租|退租|销户)(?:日期|时间)"
    )),
)  # fmt: skip
#: What the second of two heading rows says within its group.
_PARTS = {
    "first": re.compile(r"起始|开始|起|始|首|首地址|起始地址|开始地址|from|start|first|begin"),
    "last": re.compile(r"终止|结束|止|末|终|末地址|终止地址|结束地址|to|end|last"),
    "mask": re.compile(r"(?:子网)?掩码(?:长度|位数)?|mask|netmask|prefixlength"),
    "count": re.compile(r"数量|个数|count"),
    "gateway": re.compile(r"网关|gateway"),
    "ipv6": re.compile(r"v6|ipv6"),
    "whole": re.compile(r"(?:ip)?(?:地址|网段|段)|ip|v4|ipv4|address"),
}
_GROUPS = (
    (re.compile(r"端口|port"), {"first": "port_first", "last": "port_last"}),
    (
        re.compile(r"时间|日期|期限|有效期|租期|date|time|period|validity"),
        {"first": "valid_from", "last": "valid_until"},
    ),
    (re.compile(r"ip|地址段|网段|地址范围|prefix|range"), {**{name: name for name in _PARTS}, "whole": "first"}),
)
_REMARK = re.compile(r"\((.*?)\)")
_INFORMATION = re.compile(r"(?:基本)?(?:信息|资料|情况)|information|info|details")
#: What a heading that is not understood may be: the first that fits.
_HINTS = (
    ("mask", re.compile(r"掩码|mask|wildcard")),
    ("gateway", re.compile(r"网关|gateway")),
    ("certificate", re.compile(r"信用|证照|证件号|执照|机构代码|识别号|税号|uscc|credit|licen[cs]e|registration")),
    ("certificate_type", re.compile(r"证照|证件")),
    ("nature", re.compile(r"(?:客户|用户|单位|企业).*(?:类|性质)|(?:customer|client|org).*type")),
    (
        "organisation",
        re.compile(r"(?:客户|用户|单位|企业|公司|租户).*(?:名|称)|customer|company|client|organi[sz]ation"),
    ),
    (
        "valid_until",
        re.compile(r"(?:截止|失效|到期|停|回收|终止|结束|拆|退).*(?:日|时|期)|(?:end|expir|terminat).*date"),
    ),
    ("valid_from", re.compile(r"日期|时间|date")),
    ("vlan", re.compile(r"vlan")),
    ("subscriber", re.compile(r"电路|专线|线路|账号|circuit|account|line")),
    ("first", re.compile(r"(?<![a-z])ips?(?![a-z])|ipv4|网段|地址段|prefix|subnet|cidr")),
    ("address", re.compile(r"地址|位置|address|location")),
)  # fmt: skip


def field_of(text: str) -> tuple[str, int] | None:
    """The field that a heading means, and its rank among the headings of that field; None if it means none."""
    whole = comparable(text[:LONGEST_HEADING]).strip("*:. ")
    bare = heading_of(text).replace("-", "")
    if not bare:
        return None
    remark = _REMARK.search(whole)
    if remark and remark[1]:
        if part := _in_group(bare, heading_of(remark[1])):
            return part, 0
        if _FOREIGN.search(remark[1]):
            return None
    if bare in _RANK:
        return _RANK[bare]
    if _FOREIGN.search(bare):
        return None
    for rank, (field, rule) in enumerate(RULES):
        if rule.fullmatch(bare):
            return field, 100 + rank
    return _of_alternatives(bare)


def field_within(group: str, text: str) -> tuple[str, int] | None:
    """The field of a heading below the heading of its group: `IP地址` above `起始`."""
    outer, inner = heading_of(group), heading_of(text)
    if not inner:
        return field_of(group)
    if not outer or outer == inner:
        return field_of(text)
    if part := _in_group(outer, inner):
        return part, 0
    return field_of(text) or (None if _FOREIGN.search(outer) else field_of(_INFORMATION.sub("", outer) + text))


def suggestion(text: str) -> str | None:
    """The field that an unknown heading may mean; None if it resembles none."""
    bare = heading_of(text)
    if not bare or bare in BESIDE:
        return None
    if not _FOREIGN.search(comparable(text)):
        for field, hint in _HINTS:
            if hint.search(bare):
                return field
        near = difflib.get_close_matches(bare, _RANK, 1, 0.75)
        return _RANK[near[0]][0] if near else None
    return None


def _in_group(outer: str, inner: str) -> str | None:
    part = next((name for name, pattern in _PARTS.items() if pattern.fullmatch(inner)), None)
    if part is None:
        return None
    return next((fields.get(part) for group, fields in _GROUPS if group.search(outer)), None)


def _of_alternatives(bare: str) -> tuple[str, int] | None:
    """`统一社会信用代码/证件号码`: all parts must mean the same, or an address and its mask."""
    parts = [part for part in re.split(r"[/、或|]", bare) if part]
    if len(parts) < 2:
        return None
    found = {_RANK[part][0] if part in _RANK else None for part in parts}
    if found == {"first", "mask"}:
        return "first", 90
    return (found.pop() or "", 90) if len(found) == 1 and None not in found else None
