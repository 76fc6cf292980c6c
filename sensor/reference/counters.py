"""The counters of a core, by the names of docs/border.md.

All of them stand at 0 from the start, so a missing one is a mistake.
"""

from __future__ import annotations

Counters = dict[str, int]

IGNORED = (
    "link", "ethertype", "ppp", "depth", "cut", "gre", "ip", "ip_protocol", "fragment", "fragment_held", "udp", "tcp",
    "interface",
)  # fmt: skip

NAMES = (
    "packets", "bytes", "segments", *(f"ignored_{reason}" for reason in IGNORED),
    "excluded", "bad_ip_checksum", "bad_l4_checksum", "fragments_evicted",
    "flows", "flows_opened", "flows_expired", "flows_evicted", "flows_reused",
    "stray_handshakes", "stray_endings",
    "candidates", "candidates_opened", "candidates_spent", "candidates_dismissed", "candidates_refused",
    "unproven_evicted", "trials_failed",
    "tls_flows", "noise_flows", "hellos", "ech_hellos", "hellos_lost", "server_hellos", "certificates",
    "thin_flows", "thin_admitted", "thin_fat", "thin_evicted", "thin_refused", "records", "resynchronised",
    "dns_answers", "dns_unreadable", "dot_flows", "quic_flows", "quic_unreadable",
    "chunks", "chunk_bytes", "hits", "shapes", "gaps", "gap_bytes",
    "retransmitted_bytes", "held_given_up", "overlap_conflicts", "out_of_window",
    "events_dropped", "chunks_dropped", "hits_dropped", "shapes_dropped", "sessions_dropped",
    "kernel_received", "kernel_dropped", "kernel_freezes", "ticks", "source_bytes", "last_packet_ns",
)  # fmt: skip


def new_counters() -> Counters:
    return dict.fromkeys(NAMES, 0)
