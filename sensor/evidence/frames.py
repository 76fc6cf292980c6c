"""Frames rebuilt from a flow's bytes: Ethernet, IP and TCP with the right addresses, ports, sequence numbers and
checksums. Pure.

Only data is shown, nothing is invented: no handshake and no end. Hardware addresses are made up (locally
administered; 1 is the originator, 2 the responder), sequence numbers are one more than the place in the stream, and
what is acknowledged had been seen by then.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from io import BytesIO

import dpkt
from dpkt import pcapng

from sensor.evidence.blanking import blanked
from sensor.evidence.keeper import HeldFlow
from sensor.model.events import Chunk
from sensor.signatures import SignatureSet

#: Payload of one frame: fits any link, as what TCP itself would have sent.
SEGMENT_BYTES = 1_400
MACS = (b"\x02\0\0\0\0\1", b"\x02\0\0\0\0\2")
ETHERNET_HEADERS, HOPS = 14, 64
#: Options of pcapng (draft-ietf-opsawg-pcapng): a comment, and the resolution of times as a power of ten.
COMMENT, RESOLUTION, NANOSECONDS = 1, 9, b"\x09"
COMMENT_TEXT = (
    "minewatch: the first bytes of a connection of finding {finding}. The bytes are as seen on the "
    "wire, in order, except that secrets and "
    "what was not understood are blanked with '*'. Headers of Ethernet, IP and TCP are rebuilt, not "
    "captured. VLANs: {vlans}. "
    "Source: {source}."
)


def section(finding_id: str, flow: HeldFlow, signatures: SignatureSet, payload_bytes: int) -> bytes:
    """A section of a pcapng file with the flow's packets, each cut after so many bytes of payload; sections may
    follow each other.
    """
    out = BytesIO()
    comment = COMMENT_TEXT.format(
        finding=finding_id, vlans=list(flow.opened.vlans) or "none", source=flow.opened.source
    )
    start = pcapng.SectionHeaderBlockLE(opts=_options(COMMENT, comment.encode("utf-8", "replace")))
    interface = pcapng.InterfaceDescriptionBlockLE(snaplen=65_535, opts=_options(RESOLUTION, NANOSECONDS))
    out.write(bytes(start) + bytes(interface))
    for ts_ns, frame, headers in frames(flow, signatures):
        block = pcapng.EnhancedPacketBlockLE(
            ts_high=ts_ns >> 32,
            ts_low=ts_ns & 0xFFFFFFFF,
            caplen=min(len(frame), headers + payload_bytes),
            pkt_len=len(frame),
        )
        block.pkt_data = frame[: headers + payload_bytes]
        out.write(bytes(block))
    return out.getvalue()


def frames(flow: HeldFlow, signatures: SignatureSet) -> Iterator[tuple[int, bytes, int]]:
    """Time, frame, and the length of its headers."""
    ends = [(flow.opened.orig_addr, flow.opened.orig_port), (flow.opened.resp_addr, flow.opened.resp_port)]
    seen = [0, 0]  # the end of what each side sent so far
    for chunk, data in zip(flow.chunks, _blanked_chunks(flow, signatures), strict=True):
        side = chunk.direction
        for start in range(0, len(data), SEGMENT_BYTES):
            part = data[start : start + SEGMENT_BYTES]
            sequence, acknowledged = _number(chunk.offset + start), _number(seen[1 - side])
            segment = dpkt.tcp.TCP(
                sport=ends[side][1],
                dport=ends[1 - side][1],
                seq=sequence,
                ack=acknowledged,
                flags=dpkt.tcp.TH_ACK | dpkt.tcp.TH_PUSH,
                win=65_535,
                data=part,
            )
            frame = _frame(side, ends[side][0], ends[1 - side][0], segment)
            yield chunk.ts_ns, frame, len(frame) - len(part)
        seen[side] = max(seen[side], chunk.offset + len(data))


def _blanked_chunks(flow: HeldFlow, signatures: SignatureSet) -> list[bytes]:
    """The chunks' bytes after blanking, which is done over whole streams: a secret may be cut by a chunk's end."""
    found: list[bytes] = [b""] * len(flow.chunks)
    for direction in (0, 1):
        run: list[tuple[int, Chunk]] = []
        for place, chunk in enumerate(flow.chunks):
            if chunk.direction != direction:
                continue
            if run and (chunk.gap or chunk.offset != run[-1][1].offset + len(run[-1][1].data)):
                _blank(run, found, signatures)
                run = []
            run.append((place, chunk))
        _blank(run, found, signatures)
    return found


def _blank(run: list[tuple[int, Chunk]], found: list[bytes], signatures: SignatureSet) -> None:
    """Blank a piece of stream without gaps, and cut it into its chunks again."""
    if not run:
        return
    first = run[0][1]
    # A piece that does not begin its stream may begin within a message, unless an object does begin there.
    whole = blanked(
        b"".join(chunk.data for _, chunk in run), signatures, from_start=first.offset == 0 and not first.gap
    )
    at = 0
    for place, chunk in run:
        found[place] = whole[at : at + len(chunk.data)]
        at += len(chunk.data)


def _frame(side: int, source: bytes, destination: bytes, segment: dpkt.tcp.TCP) -> bytes:
    if len(source) == 4:
        packet = dpkt.ip.IP(src=source, dst=destination, p=dpkt.ip.IP_PROTO_TCP, ttl=HOPS, data=segment)
        packet.len = len(packet)
        kind = dpkt.ethernet.ETH_TYPE_IP
    else:
        segment.sum = _checksum(
            source + destination + struct.pack("!II", len(segment), dpkt.ip.IP_PROTO_TCP) + bytes(segment)
        )
        packet = dpkt.ip6.IP6(
            src=source, dst=destination, nxt=dpkt.ip.IP_PROTO_TCP, hlim=HOPS, plen=len(segment), data=segment
        )
        packet.extension_hdrs, packet.all_extension_headers = {}, []
        kind = dpkt.ethernet.ETH_TYPE_IP6
    return MACS[1 - side] + MACS[side] + struct.pack("!H", kind) + bytes(packet)


def _checksum(data: bytes) -> int:
    return int(dpkt.dpkt.in_cksum(data))


def _number(offset: int) -> int:
    return (offset + 1) & 0xFFFFFFFF


def _options(code: int, data: bytes) -> list[pcapng.PcapngOptionLE]:
    return [pcapng.PcapngOptionLE(code=code, data=data), pcapng.PcapngOptionLE()]
