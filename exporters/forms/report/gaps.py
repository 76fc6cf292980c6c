"""What a replay looked at and did not understand: counts by name in, sentences with numbers out. Pure.

Counters that say how work was done, not what came of it, are left out; one without a sentence here stands under its
own name, so none is hidden.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from exporters.forms.amounts import size
from exporters.forms.documents.translations import Translate
from sensor.model.text import N_

#: Why no segment was found in a packet.
IGNORED = {
    "link": N_("link layer that is not read"),
    "ethertype": N_("neither IPv4 nor IPv6 (ARP, LLDP, ...)"),
    "ppp": N_("PPP that carries no IP"),
    "depth": N_("too many tunnels inside each other"),
    "cut": N_("cut off before its headers end (snaplen)"),
    "gre": N_("GRE that carries nothing known"),
    "ip": N_("damaged IP header"),
    "ip_protocol": N_("neither TCP nor UDP (ICMP, IGMP, ESP, ...)"),
    "fragment": N_("fragment that contradicts its others"),
    "fragment_held": N_("fragment kept until its others came"),
    "udp": N_("damaged UDP header"),
    "tcp": N_("damaged TCP header"),
    "interface": N_("of an interface that the file does not describe"),
}
#: Why a piece of a stream is no message.
MALFORMED = {
    "gap": N_("bytes the capture missed"),
    "resync": N_("skipped to find the next message after a gap"),
    "oversize": N_("longer than any message may be"),
    "unfinished": N_("the capture or the connection ended inside it"),
    "not_json": N_("a line that is no JSON"),
    "not_object": N_("JSON that is no object"),
    "trailing": N_("JSON with something behind it"),
    "constant": N_("JSON with NaN or Infinity"),
    "nesting": N_("JSON nested too deeply"),
    "number": N_("JSON with a number too long to read"),
    "not_http": N_("no HTTP where HTTP was spoken"),
    "bad_header": N_("a damaged HTTP header"),
    "bad_chunk": N_("a damaged HTTP chunk"),
    "chunk_size": N_("an HTTP chunk without a size"),
    "damaged_body": N_("a body that does not inflate"),
    "bad_frame": N_("a damaged frame"),
    "cut_frame": N_("a frame shorter than it says"),
    "unknown_frame": N_("a frame of an unknown kind"),
}
#: What was held back by a bound, lost or contradictory.
LIMITS = {
    "events_dropped": N_("pieces of streams dropped because the line was too slow"),
    "kernel_dropped": N_("packets the kernel had to drop"),
    "flows_evicted": N_("connections forgotten because the table was full"),
    "fragments_evicted": N_("fragments forgotten because too many waited"),
    "unproven_evicted": N_("connections of a single packet given up for others"),
    "held_given_up": N_("connections whose missing bytes were no longer waited for, for want of room"),
    "stray_handshakes": N_("starts of connections that nobody answered"),
    "stray_endings": N_("ends of connections that were none of theirs"),
    "candidates_refused": N_("connections not looked into because too many were open"),
    "candidates_spent": N_("connections left after their budget of bytes was read"),
    "hellos_lost": N_("beginnings of TLS sessions that could not be read"),
    "ech_hellos": N_("beginnings of TLS sessions that may hide the name of their server"),
    "quic_unreadable": N_("beginnings of QUIC connections that could not be read"),
    "dns_unreadable": N_("answers of DNS that could not be read"),
    "dot_flows": N_("connections of DNS over TLS or QUIC, in which no name is seen"),
    "thin_evicted": N_("TLS sessions given up because too many were followed"),
    "thin_refused": N_("TLS sessions not followed because the line was too slow"),
    "resynchronised": N_("times that records of a TLS session were missed"),
    "overlap_conflicts": N_("segments and fragments whose bytes contradict others, and urgent ones"),
    "out_of_window": N_("segments too far from where their stream stood"),
    "bad_ip_checksum": N_("wrong IP checksums (used all the same)"),
    "bad_l4_checksum": N_("wrong TCP or UDP checksums (set aside where others are right)"),
    "line_sessions_evicted": N_("connections given up because too many were followed"),
    "line_readings_refused": N_("explanations of a connection over their bound"),
    "line_readings_dropped": N_("logins and samples of a connection over their bound"),
    "line_requests_dropped": N_("requests forgotten before they were answered"),
    "line_observations_dropped": N_("names and behaviours of a miner over their bound"),
    "line_dot_flows": N_("connections to resolvers over TLS (port 853): names that were looked up there are not seen"),
    "line_doh_flows": N_("connections to resolvers over HTTPS: names that were looked up there are not seen"),
    "line_ech_hellos": N_(
        "TLS sessions whose name is encrypted (Encrypted Client Hello): whom they are with is not seen"
    ),
    "line_names_shared": N_(
        "connections without a name to addresses that many names share: not judged by their address"
    ),
    "line_names_refused": N_("names of pools over the bound of their findings"),
    "line_names_evicted": N_("sessions and addresses whose names were given up for want of room"),
    "line_findings_refused": N_("findings refused because too many were kept"),
    "line_nodes_refused": N_("nodes refused because too many were kept"),
    "line_chunks_without_flow": N_("pieces of connections that were not followed any more"),
    "line_sources_failed": N_("inputs that could not be read to their end"),
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


def groups(counters: Mapping[str, int], lines: Mapping[str, int], _: Translate = str) -> list[CounterGroup]:
    """Everything there is to say, in the order of the line: packets, connections, messages, bounds; `_` translates."""
    return [_packets(counters, _), _streams(counters, _), _messages(lines, _), *_limits(counters, lines, _)]


def _packets(counters: Mapping[str, int], _: Translate) -> CounterGroup:
    whole = counters.get("packets", 0)
    rows = [_row(_("carried TCP or UDP"), counters.get("segments", 0), whole)]
    if counters.get("excluded"):
        excluded = _("left out: the configuration excludes an end of theirs")
        rows.append(_row(excluded, counters["excluded"], whole))
    rows += _moved(counters, "ignored_", IGNORED, whole, _)
    about = _("{count} were read ({size}). Those that carry no TCP or UDP are not looked into.")
    return CounterGroup(_("Packets"), about.format(count=f"{whole:,}", size=size(counters.get("bytes", 0))), rows)


def _streams(counters: Mapping[str, int], _: Translate) -> CounterGroup:
    opened, looked = counters.get("flows_opened", 0), counters.get("candidates_opened", 0)
    missed, seen = counters.get("gap_bytes", 0), counters.get("chunk_bytes", 0)
    whole = seen + missed
    rows = [
        _row(_("not looked into: nothing of mining in them, or encrypted"), max(0, opened - looked), opened),
        _row(_("looked into: bytes or sizes like those of mining"), looked, opened),
        CounterRow(_("bytes of those that were read"), size(seen), seen / whole if seen else 0.0),
        CounterRow(_("bytes of those that the capture missed"), size(missed), missed / whole if missed else 0.0),
    ]
    about = _("{count} were seen. What is encrypted is told by its sizes alone.").format(count=f"{opened:,}")
    return CounterGroup(_("Connections"), about, rows)


def _messages(lines: Mapping[str, int], _: Translate) -> CounterGroup:
    whole, unknown = lines.get("messages", 0), lines.get("messages_unknown", 0)
    malformed = sum(count for name, count in lines.items() if name.startswith("malformed_"))
    rows = [_row(_("recognised, or answers to what was"), max(0, whole - unknown), whole + malformed)]
    rows.append(_row(_("messages that no dialect knows"), unknown, whole + malformed))
    rows += _moved(lines, "malformed_", MALFORMED, whole + malformed, _)
    replies, unmatched = lines.get("replies", 0), lines.get("replies_unmatched", 0)
    rows.append(_row(_("answers whose question was not seen"), unmatched, replies + unmatched))
    about = _("{count} were read in the connections looked into, and {malformed} pieces that are no message.")
    return CounterGroup(_("Messages"), about.format(count=f"{whole:,}", malformed=f"{malformed:,}"), rows)


def _limits(counters: Mapping[str, int], lines: Mapping[str, int], _: Translate) -> Iterable[CounterGroup]:
    both = {**counters, **{f"line_{name}": count for name, count in lines.items()}}
    rows = [CounterRow(_(text), f"{both[name]:,}") for name, text in LIMITS.items() if both.get(name)]
    about = (
        _("What a bound held back, what was lost, and what contradicted itself.")
        if rows
        else _("No bound was reached, nothing was lost, nothing contradicted itself.")
    )
    yield CounterGroup(_("Bounds and losses"), about, rows)


def _moved(
    counts: Mapping[str, int], prefix: str, labels: Mapping[str, str], whole: int, _: Translate
) -> list[CounterRow]:
    found = {name.removeprefix(prefix): count for name, count in counts.items() if name.startswith(prefix) and count}
    ordered = sorted(found, key=lambda name: (-found[name], name))
    return [_row(_(labels.get(name, name.replace("_", " "))), found[name], whole) for name in ordered]


def _row(text: str, count: int, whole: int) -> CounterRow:
    return CounterRow(text, f"{count:,}", min(1.0, count / whole) if whole else 0.0)
