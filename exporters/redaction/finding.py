"""A finding as it may be shown to others: inside addresses and places are blanked, wallets lose their middle.

Pure: a record in, a copy out; the record itself is left alone. It covers every text of a finding that came from the
network. The addresses of miner, pool and proxy are what a finding is about and stay, as they stand in the packets;
one that is only mentioned (the client in a PROXY header, the pool a proxy was asked for) stays if it is no inside
address. Knows no configuration and no destination.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import re

from exporters.redaction.attribution import redacted_attribution, redacted_holders
from exporters.redaction.inside import HIDDEN, is_inside
from sensor.model.evidence import Evidence
from sensor.model.finding import Finding, Wallet
from sensor.model.flow import FlowSummary
from sensor.model.observation import Observation

#: Characters of a wallet that stay at each end: enough to recognise one's own, too few to look up another's.
WALLET_ENDS = 6
#: Nothing shorter is a wallet (Bitcoin's shortest has 26 characters).
WALLET_LEAST = 25
#: Four numbers as miners write an address: `10.1.2.3`, `192x168x1x23` (BTCAgent), `10-1-2-3`, `10_1_2_3`.
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|0{0,2}[0-9]{1,2})"
_ADDRESS = rf"(?<![0-9]){_OCTET}(?:(?:[.x_-]{_OCTET}){{3}})(?![0-9])"
#: The same with the first two numbers left out, and only where they are announced: `ip1x23`, `ip-1-23`.
_SHORT_ADDRESS = rf"ip[._-]?{_OCTET}(?:[.x_-]{_OCTET}){{1,2}}(?![0-9])"
_IPV6 = r"(?<![0-9a-f:])(?:[0-9a-f]{1,4}:){3,7}(?::?[0-9a-f]{1,4}){1,4}(?![0-9a-f:])"
_MAC = r"(?<![0-9a-f])[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}(?![0-9a-f])"
#: Where a machine stands: `rack07-13`, `r12s4`, `hall2`, `row3`, `slot-9`, `a3-r2-s11`; also
#: in Chinese: 机房 机柜 机架 排 列 层 号.
_PLACE = (
    r"(?<![a-z])(?:rack|hall|row|slot|shelf|aisle|cabinet|container|cont|bay|room|floor|building|bldg|site|zone|unit"
    r"|jigui|jijia|jifang)"
    r"[._ -]?[a-z]?[0-9]{1,4}(?:[._ x-]?[a-z]{0,4}[0-9]{1,4}){0,4}"
)
_LETTERED = r"(?<![a-z0-9])(?:[a-z]{1,2}[0-9]{1,3}[._-]?){2,5}(?![a-z0-9])"
_CHINESE = r"[0-9A-Za-z一二三四五六七八九十]{0,4}(?:机房|机柜|机架|号楼|[排列层号栋])[0-9A-Za-z]{0,4}"
_INSIDE = re.compile("|".join((_MAC, _ADDRESS, _SHORT_ADDRESS, _IPV6, _PLACE, _CHINESE)), re.IGNORECASE)
_WORKER_ONLY = re.compile(_LETTERED, re.IGNORECASE)
_MAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}")
_WALLET = re.compile(rf"(?<![A-Za-z0-9])(?:[a-z]{{1,12}}:)?[A-Za-z0-9]{{{WALLET_LEAST},}}(?![A-Za-z0-9])")
#: Ends of an EIP-55 or TON wallet are as good as others'; TON's two further characters may stand inside.
_TON = re.compile(r"(?<![A-Za-z0-9_-])[EUk0]Q[A-Za-z0-9_-]{46}(?![A-Za-z0-9_-])")


def redacted(finding: Finding) -> Finding:
    """A copy without inside knowledge."""
    wallet = finding.wallet
    wallets = [wallet.address] if wallet is not None and wallet.address else []
    names = [name for name in {finding.worker, *finding.workers, *(flow.worker for flow in finding.flows)} if name]
    hide = _Hiding(wallets, names)
    return dataclasses.replace(
        finding,
        login=hide.text(finding.login),
        worker=hide.worker(finding.worker),
        workers=tuple(dict.fromkeys(hide.worker(name) or HIDDEN for name in finding.workers)),
        agent=hide.text(finding.agent),
        device=hide.text(finding.device),
        pool_host=hide.host(finding.pool_host),
        pool=dataclasses.replace(finding.pool, host=hide.host(finding.pool.host)),
        reasons=tuple(hide.text(reason) or "" for reason in finding.reasons),
        wallet=_wallet(wallet),
        flows=[_flow(flow, hide) for flow in finding.flows],
        evidence=[_evidence(piece, hide) for piece in finding.evidence],
        observations=tuple(_observation(part, hide) for part in finding.observations),
        attribution=finding.attribution and redacted_attribution(finding.attribution),
        holders=redacted_holders(finding.holders),
    )


def hide_inside(text: str) -> str:
    """A text without addresses, places and mail addresses."""
    return _INSIDE.sub(HIDDEN, _MAIL.sub(HIDDEN, text))


def hide_worker(name: str) -> str:
    """A worker's name: as above, without codes such as `a3-r2-s11`, which are places more often than not."""
    return hide_inside(_WORKER_ONLY.sub(HIDDEN, hide_inside(name)))


def hide_host(place: str) -> str:
    """`host:port`: a public address stays, an inside one goes, a name loses inside addresses and places."""
    host, colon, port = place.rpartition(":")
    if not colon or not port.isdigit():
        host, colon, port = place, "", ""
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return f"{hide_inside(host)}{colon}{port}"
    return f"{HIDDEN}{colon}{port}" if is_inside(address) else place


def shorten(wallet: str) -> str:
    """Both ends of a wallet; a short text stays whole. The prefix before a colon does not count."""
    prefix, colon, rest = wallet.rpartition(":")
    if len(rest) < WALLET_LEAST:
        return wallet
    return f"{prefix}{colon}{rest[:WALLET_ENDS]}…{rest[-WALLET_ENDS:]}"


class _Hiding:
    """Hides, in every text of a finding, its own wallet and workers' names, then whatever looks like one."""

    def __init__(self, wallets: list[str], workers: list[str]) -> None:
        changed = {name: hide_worker(name) for name in workers}
        pairs = {
            **{name: new for name, new in changed.items() if new != name and len(name) > 2},
            **{name: shorten(name) for name in wallets},
        }
        self._exact = sorted(pairs.items(), key=lambda pair: -len(pair[0]))

    def text(self, text: str | None) -> str | None:
        """Any text of the finding."""
        if text is None:
            return None
        for old, new in self._exact:
            text = text.replace(old, new)
        text = _WALLET.sub(lambda match: shorten(match[0]), _TON.sub(lambda match: shorten(match[0]), text))
        return hide_inside(text)

    def worker(self, name: str | None) -> str | None:
        """A worker's name."""
        return None if name is None else hide_worker(self.text(name) or "")

    def host(self, place: str | None) -> str | None:
        """A host with its port."""
        return None if place is None else hide_host(place)

    def value(self, value: object) -> object:
        """A value of evidence details."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {key: self.value(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        return value


def _wallet(wallet: Wallet | None) -> Wallet | None:
    return wallet and dataclasses.replace(wallet, address=wallet.address and shorten(wallet.address))


def _flow(flow: FlowSummary, hide: _Hiding) -> FlowSummary:
    return dataclasses.replace(
        flow,
        login=hide.text(flow.login),
        worker=hide.worker(flow.worker),
        agent=hide.text(flow.agent),
        pool_host=hide.host(flow.pool_host),
        client=hide.host(flow.client),
    )


def _observation(part: Observation, hide: _Hiding) -> Observation:
    return dataclasses.replace(part, detail={name: hide.value(value) for name, value in part.detail.items()})


def _evidence(piece: Evidence, hide: _Hiding) -> Evidence:
    detail = {
        name: hide.worker(value) if name == "worker" and isinstance(value, str) else hide.value(value)
        for name, value in piece.detail.items()
    }
    return dataclasses.replace(piece, excerpt=hide.text(piece.excerpt) or "", detail=detail)
