"""What a replay looked at and did not understand: counts by name in, sentences with numbers out. Pure.

Counters that say how work was done, not what came of it, are left out; one without a sentence here stands under its
own name, so none is hidden.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from exporters.forms.amounts import size

#: Why no segment was found in a packet.
IGNORED = {
    "link": "link layer that is not read",
    "ethertype": "neither IPv4 nor IPv6 (ARP, LLDP, ...)",
    "ppp": "PPP that carries no IP",
    "depth": "too many tunnels inside each other",
    "cut": "cut off before its headers end (snaplen)",
    "gre": "GRE that carries nothing known",
    "ip": "damaged IP header",
    "ip_protocol": "neither TCP nor UDP (ICMP, IGMP, ESP, ...)",
    "fragment": "fragment that contradicts its others",
    "fragment_held": "fragment kept until its others came",
    "udp": "damaged UDP header",
    "tcp": "damaged TCP header",
    "interface": "of an interface that the file does not describe",
}
#: Why a piece of a stream is no message.
MALFORMED = {
    "gap": "bytes the capture missed",
    "resync": "skipped to find the next message after a gap",
    "oversize": "longer than any message may be",
    "unfinished": "the capture or the connection ended inside it",
    "not_json": "a line that is no JSON",
    "not_object": "JSON that is no object",
    "trailing": "JSON with something behind it",
    "constant": "JSON with NaN or Infinity",
    "nesting": "JSON nested too deeply",
    "number": "JSON with a number too long to read",
    "not_http": "no HTTP where HTTP was spoken",
    "bad_header": "a damaged HTTP header",
    "bad_chunk": "a damaged HTTP chunk",
    "chunk_size": "an HTTP chunk without a size",
    "damaged_body": "a body that does not inflate",
    "bad_frame": "a damaged frame",
    "cut_frame": "a frame shorter than it says",
    "unknown_frame": "a frame of an unknown kind",
}
#: What was held back by a bound, lost or contradictory.
LIMITS = {
    "events_dropped": "pieces of streams dropped because the line was too slow",
    "kernel_dropped": "packets the kernel had to drop",
    "flows_evicted": "connections forgotten because the table was full",
    "fragments_evicted": "fragments forgotten because too many waited",
    "unproven_evicted": "connections of a single packet given up for others",
    "held_given_up": "connections whose missing bytes were no longer waited for, for want of room",
    "stray_handshakes": "starts of connections that nobody answered",
    "stray_endings": "ends of connections that were none of theirs",
    "candidates_refused": "connections not looked into because too many were open",
    "candidates_spent": "connections left after their budget of bytes was read",
    "hellos_lost": "beginnings of TLS sessions that could not be read",
    "ech_hellos": "beginnings of TLS sessions that may hide the name of their server",
    "quic_unreadable": "beginnings of QUIC connections that could not be read",
    "dns_unreadable": "answers of DNS that could not be read",
    "dot_flows": "connections of DNS over TLS or QUIC, in which no name is seen",
    "thin_evicted": "TLS sessions given up because too many were followed",
    "thin_refused": "TLS sessions not followed because the line was too slow",
    "resynchronised": "times that records of a TLS session were missed",
    "overlap_conflicts": "segments and fragments whose bytes contradict others, and urgent ones",
    "out_of_window": "segments too far from where their stream stood",
    "bad_ip_checksum": "wrong IP checksums (used all the same)",
    "bad_l4_checksum": "wrong TCP or UDP checksums (set aside where others are right)",
    "line_sessions_evicted": "connections given up because too many were followed",
    "line_readings_refused": "explanations of a connection over their bound",
    "line_readings_dropped": "logins and samples of a connection over their bound",
    "line_requests_dropped": "requests forgotten before they were answered",
    "line_observations_dropped": "names and behaviours of a miner over their bound",
    "line_dot_flows": "connections to resolvers over TLS (port 853): names that were looked up there are not seen",
    "line_doh_flows": "connections to resolvers over HTTPS: names that were looked up there are not seen",
    "line_ech_hellos": "TLS sessions whose name is encrypted (Encrypted Client Hello): whom they are with is not seen",
    "line_names_shared": "connections without a name to addresses that many names share: not judged by their address",
    "line_names_refused": "names of pools over the bound of their findings",
    "line_names_evicted": "sessions and addresses whose names were given up for want of room",
    "line_findings_refused": "findings refused because too many were kept",
    "line_nodes_refused": "nodes refused because too many were kept",
    "line_chunks_without_flow": "pieces of connections that were not followed any more",
    "line_sources_failed": "inputs that could not be read to their end",
}


@dataclass(frozen=True)
class CounterRow:
    """A count and what it is of; `part` is its share of the group, 0 to 1."""

    text: str
    count: str
    part: float = 0.0


@dataclass(frozen=True)
class CounterGroup:
    """Counts that belong together."""

    title: str
    about: str
    rows: list[CounterRow]


def groups(counters: Mapping[str, int], lines: Mapping[str, int]) -> list[CounterGroup]:
    """Everything there is to say, in the order of the line: packets, connections, messages, bounds."""
    return [_packets(counters), _streams(counters), _messages(lines), *_limits(counters, lines)]


def _packets(counters: Mapping[str, int]) -> CounterGroup:
    whole = counters.get("packets", 0)
    rows = [_row("carried TCP or UDP", counters.get("segments", 0), whole)]
    if counters.get("excluded"):
        rows.append(_row("left out: the configuration excludes an end of theirs", counters["excluded"], whole))
    rows += _moved(counters, "ignored_", IGNORED, whole)
    about = (
        f"{whole:,} were read ({size(counters.get('bytes', 0))}). Those that carry no TCP or UDP are not looked into."
    )
    return CounterGroup("Packets", about, rows)


def _streams(counters: Mapping[str, int]) -> CounterGroup:
    opened, looked = counters.get("flows_opened", 0), counters.get("candidates_opened", 0)
    missed, seen = counters.get("gap_bytes", 0), counters.get("chunk_bytes", 0)
    rows = [
        _row("not looked into: nothing of mining in them, or encrypted", max(0, opened - looked), opened),
        _row("looked into: bytes or sizes like those of mining", looked, opened),
        CounterRow("bytes of those that were read", size(seen), seen / (seen + missed) if seen else 0.0),
        CounterRow("bytes of those that the capture missed", size(missed), missed / (seen + missed) if missed else 0.0),
    ]
    return CounterGroup("Connections", f"{opened:,} were seen. What is encrypted is told by its sizes alone.", rows)


def _messages(lines: Mapping[str, int]) -> CounterGroup:
    whole, unknown = lines.get("messages", 0), lines.get("messages_unknown", 0)
    malformed = sum(count for name, count in lines.items() if name.startswith("malformed_"))
    rows = [_row("recognised, or answers to what was", max(0, whole - unknown), whole + malformed)]
    rows.append(_row("messages that no dialect knows", unknown, whole + malformed))
    rows += _moved(lines, "malformed_", MALFORMED, whole + malformed)
    replies, unmatched = lines.get("replies", 0), lines.get("replies_unmatched", 0)
    rows.append(_row("answers whose question was not seen", unmatched, replies + unmatched))
    about = f"{whole:,} were read in the connections looked into, and {malformed:,} pieces that are no message."
    return CounterGroup("Messages", about, rows)


def _limits(counters: Mapping[str, int], lines: Mapping[str, int]) -> Iterable[CounterGroup]:
    both = {**counters, **{f"line_{name}": count for name, count in lines.items()}}
    rows = [CounterRow(text, f"{both[name]:,}") for name, text in LIMITS.items() if both.get(name)]
    about = "What a bound held back, what was lost, and what contradicted itself."
    yield CounterGroup(
        "Bounds and losses",
        about if rows else "No bound was reached, nothing was lost, nothing contradicted itself.",
        rows,
    )


def _moved(counts: Mapping[str, int], prefix: str, labels: Mapping[str, str], whole: int) -> list[CounterRow]:
    found = {name.removeprefix(prefix): count for name, count in counts.items() if name.startswith(prefix) and count}
    ordered = sorted(found, key=lambda name: (-found[name], name))
    return [_row(labels.get(name, name.replace("_", " ")), found[name], whole) for name in ordered]


def _row(text: str, count: int, whole: int) -> CounterRow:
    return CounterRow(text, f"{count:,}", min(1.0, count / whole) if whole else 0.0)
