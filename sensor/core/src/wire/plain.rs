//! What most frames are, Ethernet, IPv4 without options and whole, TCP or UDP without a tunnel, decoded in one go. It
//! says yes only where `decode` would give the same segment; everything else, and whatever is wrong in any way, is left
//! to that.

use crate::wire::layer::{be16, be32};
use crate::wire::segment::{Segment, MAX_VLANS, TCP, UDP};
use crate::wire::tunnel::{is_tunnel_port, may_carry};

const ETHERNET: u16 = 1;
/// Of Ethernet and of IPv4 without options.
const HEADERS: usize = 34;
const IPV4_HEADER: usize = 20;
const TCP_HEADER: usize = 20;
const UDP_HEADER: usize = 8;

/// Decode a frame of a block into `out`, if it is plain.
#[inline]
pub fn decode(link: u16, block: &[u8], frame: &[u8], ts_ns: u64, out: &mut Segment) -> bool {
    let Some(head) = frame.first_chunk::<HEADERS>().filter(|_| link == ETHERNET) else { return false };
    let total = usize::from(be16(head, 16));
    // EtherType, version and header length; no fragment; a length at all; a header as it was sent
    let is_plain = be16(head, 12) == 0x0800 && head[14] == 0x45 && be16(head, 20) & 0x3fff == 0;
    if !is_plain || total < IPV4_HEADER || !header_sum_is_right(head) {
        return false;
    }
    let (wire, proto, rest) = (total - IPV4_HEADER, head[23], &frame[HEADERS..]);
    let l4 = &rest[..rest.len().min(wire)];
    let (header, end) = match proto {
        TCP => {
            let Some(fixed) = l4.first_chunk::<TCP_HEADER>() else { return false };
            let header = usize::from(fixed[12] >> 4) * 4;
            if header < TCP_HEADER || header > l4.len() {
                return false;
            }
            (out.seq, out.ack, out.flags) = (be32(fixed, 4), be32(fixed, 8), fixed[13]);
            (header, wire)
        }
        UDP => {
            let Some(fixed) = l4.first_chunk::<UDP_HEADER>() else { return false };
            let length = match usize::from(be16(fixed, 4)) {
                0 => wire,
                length => length,
            };
            if length < UDP_HEADER || length > wire || is_tunnel_port(be16(fixed, 2)) || may_carry(l4) {
                return false;
            }
            (out.seq, out.ack, out.flags) = (0, 0, 0);
            (UDP_HEADER, length)
        }
        _ => return false,
    };
    let captured = l4.len().min(end);
    (out.src, out.dst) = (wide(head, 26), wide(head, 30));
    out.ts_ns = ts_ns;
    (out.owned, out.other) = (None, None);
    out.l4_start = (frame.as_ptr() as usize - block.as_ptr() as usize + HEADERS) as u32;
    (out.l4_len, out.ip_len, out.wire_len) = (captured as u32, total as u32, (end - header) as u32);
    (out.sport, out.dport) = (be16(l4, 0), be16(l4, 2));
    (out.vlans, out.vlan_count) = ([0; MAX_VLANS], 0);
    (out.header_len, out.ttl, out.proto) = (header as u8, head[22], proto);
    out.mac = [head[6], head[7], head[8], head[9], head[10], head[11]];
    (out.v6, out.whole, out.bad_ip) = (false, captured == end, false);
    true
}

/// An address of IPv4 as a segment has it.
#[inline(always)]
fn wide(head: &[u8; HEADERS], at: usize) -> [u8; 16] {
    let mut address = [0; 16];
    address[..4].copy_from_slice(&head[at..at + 4]);
    address
}

/// Whether the header's words sum up to all ones (RFC 1071), whichever order their bytes are added in.
#[inline(always)]
fn header_sum_is_right(head: &[u8; HEADERS]) -> bool {
    let word = |at: usize| u64::from(u32::from_ne_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]));
    let sum = word(14) + word(18) + word(22) + word(26) + word(30);
    let sum = (sum & 0xffff_ffff) + (sum >> 32);
    let sum = (sum & 0xffff) + ((sum >> 16) & 0xffff) + (sum >> 32);
    let sum = (sum & 0xffff) + (sum >> 16);
    (sum & 0xffff) + (sum >> 16) == 0xffff
}
