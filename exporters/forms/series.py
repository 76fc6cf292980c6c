"""The metrics by name: what each is, and which counter of the core and of the line it shows. Data; knows no values.

Names follow Prometheus' practice: base units, `_total` for what only grows, moments as timestamps. Low and high ends
of an estimate are metrics of their own, because adding up a metric over its labels must mean something. A new
counter is a row here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

PREFIX = "minewatch_"

#: Every metric with its meaning, without the prefix. `_total` and nothing else makes a counter.
METRICS: Mapping[str, str] = {
    "build_info": (
        "Version and engine of the running sensor, the sandbox in force (off, none, or its parts), and the faults that "
        "are simulated now (none in service)."
    ),
    "start_time_seconds": "When the sensor started.",
    "ready": "1 while packets are being captured, 0 otherwise.",
    "troubles": "What is wrong now, in number; minewatch status and the journal say what.",
    "watched_today_seconds": "How long of the ledger's day this sensor has listened.",
    "heartbeat_timestamp_seconds": "When a stage last made progress or had nothing to do.",
    # The capture.
    "capture_up": "1 while the interface is up and attached.",
    "capture_downs_total": "Times the interface went down or away.",
    "capture_packets_total": "Packets read from the interface.",
    "capture_bytes_total": "Bytes of those packets, as captured.",
    "capture_received_packets_total": (
        "Packets that reached the sensor's socket, those the kernel had to drop included."
    ),
    "capture_dropped_packets_total": "Packets the kernel had to drop because the ring was full.",
    "capture_freezes_total": "Times the kernel stopped filling the full ring.",
    "capture_last_packet_timestamp_seconds": "Time of the interface's last packet, 0 before the first.",
    "capture_last_handled_timestamp_seconds": "When that packet had been handled; the difference is the lag.",
    "capture_other_total": "Whatever else is counted for an interface.",
    "capture_lag_seconds": "How far the line is behind the packets.",
    "packets_total": "Packets read.",
    "packet_bytes_total": "Bytes of the packets read, as captured.",
    "source_read_bytes_total": "Bytes read from capture files, as they are stored.",
    "last_packet_timestamp_seconds": "Time of the newest packet, 0 before the first.",
    "segments_total": "Packets in which a TCP segment or a UDP datagram was found.",
    "ignored_packets_total": "Packets in which none was found, by what stood in the way.",
    "bad_checksums_total": "Wrong checksums, noted and read all the same.",
    "flows": "Flows in the table.",
    "flows_opened_total": "Flows begun.",
    "flows_expired_total": "Flows that ended by timeout, FIN or RST.",
    "flows_reused_total": "Flows ended by a new connection between the same ports.",
    "candidates": "Flows with an open gate.",
    "candidates_opened_total": "Gates opened.",
    "candidates_spent_total": "Gates closed because their budget was spent or their trial came to nothing.",
    "candidates_refused_total": "Gates not opened because too many were open.",
    "evictions_total": "What was given up so that a full table could take something new.",
    "hits_total": "Literals of signatures found by the core.",
    "shapes_total": "Handshakes of known sizes noticed by the core.",
    "encrypted_sessions": "Encrypted sessions whose records are followed.",
    "encrypted_sessions_total": (
        "Sessions of TLS, Noise and QUIC seen; of all, those of few records in their first minute (thin), or too many "
        "(fat)."
    ),
    "tls_handshakes_total": "Hellos and certificates of TLS and QUIC that were read, and hellos that were lost.",
    "tls_records_total": "Records of those sessions, counted by their headers.",
    "tls_resynchronised_total": "Times that records of a session were missed and its next header was found again.",
    "lookups_total": (
        "Answers of DNS that were read and that could not be; and where names are hidden: flows of DNS over TLS or "
        "QUIC, hellos of TLS that may hold a sealed one."
    ),
    "chunks_total": "Pieces of streams handed over by the core.",
    "chunk_bytes_total": "Bytes of those pieces.",
    "events_dropped_total": "Events the core dropped because the line was too slow.",
    "queue_drops_total": "The same by kind of event.",
    "excluded_segments_total": "Segments left out because the configuration excludes an end of theirs.",
    "kernel_received_packets_total": "Packets that reached the sensor's sockets, of all interfaces, drops included.",
    "kernel_dropped_packets_total": "Packets the kernel had to drop, of all interfaces.",
    "kernel_freezes_total": "Times a full ring was frozen, of all interfaces.",
    "ticks_total": "Rounds of the capture thread that has made the fewest; while it grows, every thread works.",
    "reassembly_gaps_total": "Holes in candidates' streams that were never filled.",
    "reassembly_gap_bytes_total": "Bytes of those holes.",
    "retransmitted_bytes_total": "Bytes of candidates that came again.",
    "overlap_conflicts_total": "Segments and fragments whose bytes contradict others, and urgent ones.",
    "out_of_window_segments_total": "Segments too far off in their stream, or a SYN, FIN or reset none of its.",
    "core_other_total": "Whatever else the core counts.",
    # The line.
    "sessions_total": "Candidate flows taken up by the line.",
    "sessions_open": "Candidate flows the line follows.",
    "sessions_settled_total": "Sessions whose dialect was decided before they ended.",
    "sources_total": "Sources read to an end.",
    "sources_failed_total": "Of them, those that ended with an error.",
    "line_chunks_total": "Pieces of streams read by the line.",
    "line_strays_total": "Events of flows the line does not follow any more.",
    "messages_total": "Messages read from candidate flows.",
    "messages_unknown_total": "Of them, those that no dialect recognised.",
    "dialect_messages_total": "Messages recognised by a dialect; several may recognise the same one.",
    "malformed_messages_total": "Pieces of streams that are no message, by what is wrong with them.",
    "long_lines_total": "Lines too long to be held, of which the head and the tail were read.",
    "long_line_skipped_bytes_total": "Bytes between the head and the tail of such lines.",
    "replies_total": "Replies paired with their requests.",
    "replies_unmatched_total": "Replies whose request was not seen.",
    "readings_given_up_total": "Readings of a session that another dialect explained better.",
    "refusals_total": "What was not taken in because a bound was reached, or (nodes) nobody answered.",
    "shares_recomputed_total": "Shares whose work was recomputed.",
    "shares_outdated_total": "Of them, those whose header is of another time than their packet; they prove nothing.",
    "sessions_quoted_total": "Flows in which one side sent both sides' messages, or shares and jobs in stretches.",
    "path_changes_total": "Times that the time to live or the Ethernet source of judged flows' packets changed.",
    "findings_held": "Findings the line keeps.",
    "held_bytes": "Bytes held of streams: unfinished lines, messages not read yet, readings.",
    "emergency": "1 for a minute after some of it was given up for want of room, 0 otherwise.",
    "hidden_names_total": (
        "Connections whose names are hidden: to resolvers over TLS (dot) and HTTPS (doh), by encrypted hellos (ech)."
    ),
    "shared_addresses_total": "Connections without a name to an address that many names share: nothing is said.",
    "attempts_counted_total": "Connections that came to nothing and were counted together.",
    "observations_total": "What names and behaviour said of a miner and a pool.",
    "nodes_held": "Peer-to-peer nodes the line keeps.",
    "encrypted_looks_total": "Looks at encrypted sessions.",
    "encrypted_behaves_total": "Looks by which a session behaves as mining.",
    "line_other_total": "Whatever else the line counts.",
    # The findings.
    "findings_total": "Findings that came to a grade, each counted once at every grade it came to.",
    "findings_told_total": "Findings handed on, by what became of them.",
    "findings_open": "Findings that are open, by their grade.",
    "findings_muted": "Open findings kept quiet by an allow-list.",
    "findings_unknown_work": "Open findings with shares of unknown work; above 0 the estimates are lower bounds.",
    "estimated_hashrate_hashes_per_second": (
        "Hashrate of the miners of open findings while they mine, best estimate; never add up algorithms."
    ),
    "estimated_hashrate_low_hashes_per_second": "Lower bound of that hashrate; not the sum of miners' lower bounds.",
    "estimated_hashrate_high_hashes_per_second": "Upper bound of that hashrate; not the sum of miners' upper bounds.",
    "estimated_power_watts": "Power drawn by the miners of open findings while they mine, best estimate.",
    "estimated_power_low_watts": "Lower bound of that power; not the sum of miners' lower bounds.",
    "estimated_power_high_watts": "Upper bound of that power; not the sum of miners' upper bounds.",
    "estimated_energy_joules_total": "Energy seen of all findings since the start, best estimate.",
    # What follows the line.
    "attributions_total": "Look-ups of whose an address is, by result.",
    "books": "Attribution books in use.",
    "book_rows": "Rows of all books.",
    "book_rejected_rows": "Rows of the books that could not be used.",
    "book_enterprises": "Enterprises the books name.",
    "book_customers": "Customers the books name.",
    "books_loaded_timestamp_seconds": "When the books were read, 0 for never.",
    "books_oldest_timestamp_seconds": "Date of the oldest book, 0 if none is dated.",
    "attribution_other": "Whatever else is told of the books.",
    "ledger_records_total": "Records written to the ledger.",
    "ledger_failures_total": "Attempts at writing to the ledger that failed; they are repeated.",
    "ledger_waiting_records": "Records that wait to be written.",
    "ledger_trouble": "Whether the ledger cannot be written, or is damaged: 1 for the fault there is now, else 0.",
    "ledger_other_total": "Whatever else the ledger counts.",
    "outbox_records": "Records that wait for delivery.",
    "outbox_oldest_timestamp_seconds": "When the oldest waiting record was written, 0 if none waits.",
    "outbox_dropped_records_total": "Records given up because the outbox was full.",
    "deliveries_total": "Attempts at delivery, by result.",
    "evidence_flows_written_total": "Flows whose first packets were written to evidence files.",
    "evidence_flows_taken_total": "Flows kept for a finding.",
    "evidence_flows_over_bound_total": "Flows not written because a bound of the evidence was reached.",
    "evidence_flows_forgotten_total": "Flows given up before a finding asked for them.",
    "evidence_failures_total": "Evidence files that could not be written.",
    "evidence_files_deleted_total": "Evidence files deleted for their age or their size together.",
    "evidence_file_bytes": "Bytes of the evidence files.",
    "evidence_held_bytes": "Bytes of flows held in memory.",
    "evidence_held_flows": "Flows held in memory.",
    "evidence_other_total": "Whatever else is counted of the evidence.",
    "tables_oldest_timestamp_seconds": "The day of the oldest table of the signatures, 0 if none is dated.",
    "certificate_expiry_timestamp_seconds": "When the certificate of this exporter ends, 0 if it has none.",
    "signatures_changed_timestamp_seconds": "Modification time of the newest signature file in use.",
    "reloads_total": "Attempts to replace something while running.",
    "reload_last_successful": "1 if the newest attempt succeeded; 0: the old one is still in use.",
    "reload_last_success_timestamp_seconds": "When the newest success was, the start included.",
    "policy_version": "The version of the parcel in use of a kind of policy, 0 for none.",
    "policy_refused_total": "Parcels of policy that were refused, by kind.",
    "batches_total": "Rounds of the line.",
    "captures_off_clock_total": "Captures of a folder that were not read, for they are of a time that cannot be.",
    "chunks_off_clock_total": "Pieces of streams, and names, in no finding, for they are of a time that cannot be.",
    "sessions_resumed_total": "Connections joined in the middle of which login and difficulty were known from before.",
    "sessions_not_resumed_total": "Connections that were taken for known ones until their other direction was seen.",
    "resume_failures_total": "Connections joined in the middle whose past could not be asked of the ledger.",
    "findings_stale_total": "Findings of earlier runs that were closed because they did not come back.",
    "notify_unsent_total": "Messages that the service manager's socket did not take.",
    "ledger_pruned_records_total": "Records that went over their age or number in the ledger.",
    "interfaces_deleted_total": "Interfaces that went away.",
    "interfaces_reattached_total": "Interfaces that came back and are listened to again.",
    "captures_read_total": "Captures of the folder that were read.",
    "captures_damaged_total": "Of them, those that ended with an error.",
    "captures_grown_total": "Captures that went on growing after they were read; the rest of them is not read.",
    "daemon_other_total": "Whatever else the sensor counts.",
    # The exporter itself.
    "http_responses_total": "Answers given by this exporter, by status code.",
    "http_connections_dropped_total": "Connections to this exporter that were ended without an answer.",
}


class CounterSeries(NamedTuple):
    """The series of one counter: the metric, and the label that tells it from others of that metric."""

    metric: str
    label: tuple[str, str] | None = None
    scale: float = 1.0


def _plain(**metrics: str) -> dict[str, CounterSeries]:
    return {counter: CounterSeries(metric) for counter, metric in metrics.items()}


def _labelled(metric: str, label: str, **values: str) -> dict[str, CounterSeries]:
    return {counter: CounterSeries(metric, (label, value)) for counter, value in values.items()}


CORE: Mapping[str, CounterSeries] = {
    **_plain(packets="packets_total", bytes="packet_bytes_total", segments="segments_total"),
    **_plain(source_bytes="source_read_bytes_total"),
    "last_packet_ns": CounterSeries("last_packet_timestamp_seconds", scale=1e-9),
    **_plain(
        flows="flows",
        flows_opened="flows_opened_total",
        flows_expired="flows_expired_total",
        flows_reused="flows_reused_total",
    ),
    **_plain(
        candidates="candidates",
        candidates_opened="candidates_opened_total",
        candidates_spent="candidates_spent_total",
        trials_failed="candidates_spent_total",
    ),
    **_plain(
        candidates_refused="candidates_refused_total",
        hits="hits_total",
        shapes="shapes_total",
        events_dropped="events_dropped_total",
    ),
    **_plain(
        chunks="chunks_total",
        chunk_bytes="chunk_bytes_total",
        gaps="reassembly_gaps_total",
        gap_bytes="reassembly_gap_bytes_total",
    ),
    **_plain(retransmitted_bytes="retransmitted_bytes_total", overlap_conflicts="overlap_conflicts_total"),
    # The series are 500, so what is out of place shares one: too far off, unanswered SYNs, ends of another number.
    **_plain(
        out_of_window="out_of_window_segments_total",
        stray_handshakes="out_of_window_segments_total",
        stray_endings="out_of_window_segments_total",
    ),
    **_plain(excluded="excluded_segments_total", ticks="ticks_total", kernel_received="kernel_received_packets_total"),
    **_plain(kernel_dropped="kernel_dropped_packets_total", kernel_freezes="kernel_freezes_total"),
    **_labelled("queue_drops_total", "kind", chunks_dropped="chunk", hits_dropped="hit", shapes_dropped="shape"),
    **_labelled("queue_drops_total", "kind", sessions_dropped="session"),
    **_plain(thin_flows="encrypted_sessions", records="tls_records_total", resynchronised="tls_resynchronised_total"),
    **_labelled(
        "encrypted_sessions_total", "state", tls_flows="tls", noise_flows="noise", thin_admitted="thin", thin_fat="fat"
    ),
    **_labelled("encrypted_sessions_total", "state", quic_flows="quic"),
    **_labelled("tls_handshakes_total", "part", hellos="client", server_hellos="server", certificates="certificate"),
    **_labelled("tls_handshakes_total", "part", hellos_lost="lost", quic_unreadable="quic-lost"),
    **_labelled("lookups_total", "kind", dns_answers="answer", dns_unreadable="unreadable", dot_flows="sealed"),
    **_labelled("lookups_total", "kind", ech_hellos="sealed-hello"),
    **_labelled("evictions_total", "table", thin_evicted="encrypted"),
    **_labelled("refusals_total", "table", thin_refused="encrypted"),
    **_labelled("bad_checksums_total", "layer", bad_ip_checksum="ip", bad_l4_checksum="transport"),
    **_labelled("evictions_total", "table", flows_evicted="flows", fragments_evicted="fragments"),
    **_labelled("evictions_total", "table", unproven_evicted="candidates", held_given_up="candidates"),
}

LINE: Mapping[str, CounterSeries] = {
    **_plain(sessions="sessions_total", flows_open="sessions_open", sessions_settled="sessions_settled_total"),
    **_plain(sources="sources_total", sources_failed="sources_failed_total"),
    **_plain(chunks="line_chunks_total"),
    **_plain(
        messages="messages_total",
        messages_unknown="messages_unknown_total",
    ),
    **_plain(
        replies="replies_total",
        replies_unmatched="replies_unmatched_total",
        lines_cut="long_lines_total",
        line_bytes_skipped="long_line_skipped_bytes_total",
        readings_given_up="readings_given_up_total",
    ),
    **_plain(shares_looked_at="shares_recomputed_total", findings="findings_held", nodes="nodes_held"),
    **_plain(shares_outdated="shares_outdated_total", sessions_quoted="sessions_quoted_total"),
    **_plain(path_changes="path_changes_total"),
    **_plain(observations="observations_total", attempts_counted="attempts_counted_total"),
    **_plain(chunks_off_clock="chunks_off_clock_total"),
    **_plain(sessions_resumed="sessions_resumed_total", sessions_not_resumed="sessions_not_resumed_total"),
    **_labelled(
        "findings_told_total", "state", findings_opened="opened", findings_updated="updated", findings_closed="closed"
    ),
    **_labelled("line_strays_total", "event", chunks_without_flow="chunk", closes_without_flow="close"),
    **_plain(held_bytes="held_bytes"),
    **_plain(encrypted_looks="encrypted_looks_total", encrypted_behaves="encrypted_behaves_total"),
    **_labelled("evictions_total", "table", encrypted_given_up="traces"),
    **_labelled("evictions_total", "table", sessions_evicted="sessions", streams_given_up="streams"),
    **_labelled(
        "refusals_total", "table", findings_refused="findings", nodes_refused="nodes", requests_dropped="requests"
    ),
    **_labelled("refusals_total", "table", readings_refused="readings", readings_dropped="logins"),
    **_plain(names_shared="shared_addresses_total"),
    **_labelled("hidden_names_total", "by", dot_flows="dot", doh_flows="doh", ech_hellos="ech"),
    **_labelled("refusals_total", "table", names_refused="names"),
    **_labelled("evictions_total", "table", names_evicted="names"),
    **_labelled("refusals_total", "table", observations_dropped="observations", attempts_ends_forgotten="ends"),
}

INTERFACE: Mapping[str, CounterSeries] = {
    **_plain(packets="capture_packets_total", bytes="capture_bytes_total", received="capture_received_packets_total"),
    **_plain(
        dropped="capture_dropped_packets_total",
        freezes="capture_freezes_total",
        downs="capture_downs_total",
        up="capture_up",
    ),
    "last_packet_ns": CounterSeries("capture_last_packet_timestamp_seconds", scale=1e-9),
    "last_handled_ns": CounterSeries("capture_last_handled_timestamp_seconds", scale=1e-9),
}

ATTRIBUTION: Mapping[str, CounterSeries] = {
    **_plain(
        books="books",
        rows="book_rows",
        rejected_rows="book_rejected_rows",
        enterprises="book_enterprises",
        customers="book_customers",
    ),
    **_plain(
        loaded_timestamp_seconds="books_loaded_timestamp_seconds",
        oldest_book_timestamp_seconds="books_oldest_timestamp_seconds",
    ),
}

LEDGER: Mapping[str, CounterSeries] = {
    **_plain(
        records_recorded="ledger_records_total",
        record_failures="ledger_failures_total",
        records_waiting="ledger_waiting_records",
    ),
    **_labelled("refusals_total", "table", records_refused="ledger"),
}

EVIDENCE: Mapping[str, CounterSeries] = {
    **_plain(flows_written="evidence_flows_written_total", flows_taken="evidence_flows_taken_total"),
    **_plain(flows_over_bound="evidence_flows_over_bound_total", flows_forgotten="evidence_flows_forgotten_total"),
    **_plain(write_failures="evidence_failures_total", files_deleted="evidence_files_deleted_total"),
    **_plain(file_bytes="evidence_file_bytes", bytes_held="evidence_held_bytes", flows_held="evidence_held_flows"),
}

DAEMON: Mapping[str, CounterSeries] = {
    **_plain(
        batches="batches_total",
        findings_stale="findings_stale_total",
        resume_failures="resume_failures_total",
        ledger_pruned="ledger_pruned_records_total",
        notify_unsent="notify_unsent_total",
    ),
    **_plain(interfaces_deleted="interfaces_deleted_total", interfaces_reattached="interfaces_reattached_total"),
    **_plain(
        captures_read="captures_read_total",
        captures_damaged="captures_damaged_total",
        captures_grown="captures_grown_total",
        captures_off_clock="captures_off_clock_total",
    ),
}

#: Counters that share a beginning share a metric: (beginning, metric, label).
CORE_FAMILIES = (("ignored_", "ignored_packets_total", "reason"),)
LINE_FAMILIES = (
    ("malformed_", "malformed_messages_total", "reason"),
    ("messages_", "dialect_messages_total", "dialect"),
)
#: Figures of an interface that stay as the start made them have no series: of what is not as it was asked for, the
#: journal says it.
INTERFACE_UNSHOWN = ("queues", "ring_bytes", "pinned")
#: These are among `candidates_spent` already, and among what the line counts as given up.
CORE_UNSHOWN = ("candidates_dismissed",)
#: What has no series, for these are not to be many: `minewatch calibrate` and `minewatch status --json` have it.
LINE_UNSHOWN = ("chances_", "encrypted_bytes", "encrypted_followed", "encrypted_records")
ATTRIBUTION_FAMILIES = (("lookups_", "attributions_total", "result"),)

#: Reasons of the framings (sensor/dialects), so that each stands at 0 before it happens.
MALFORMED = (
    "bad_chunk", "bad_frame", "bad_header", "constant", "cut_frame", "damaged_body", "deflate", "gap", "inflated",
    "nesting", "not_http", "not_json", "not_object", "number", "oversize", "resync", "trailing", "unfinished",
    "unknown_frame",
)  # fmt: skip
