//! What most frames are, decoded in one go: Ethernet, perhaps one VLAN tag, IPv4 without options or IPv6 without
//! extension headers, whole, TCP or UDP without a tunnel. It says yes only where `decode` would give the same segment;
//! everything else, and whatever is wrong in any way, is left to that.

use crate::wire::layer::{be16, be32};
use crate::wire::segment::{Segment, MAX_VLANS, TCP, UDP};
use crate::wire::tunnel::{is_tunnel_port, may_carry};

const ETHERNET: u16 = 1;
const ETHERNET_HEADER: usize = 14;
const VLAN_TAG: usize = 4;
const IPV4_HEADER: usize = 20;
const IPV6_HEADER: usize = 40;
const TCP_HEADER: usize = 20;
const UDP_HEADER: usize = 8;

/// Decode a frame of a block into `out`, if it is plain.
#[inline(always)]
pub fn decode(link: u16, block: &[u8], frame: &[u8], ts_ns: u64, out: &mut Segment) -> bool {
    let head = frame.first_chunk::<{ ETHERNET_HEADER + VLAN_TAG }>().filter(|_| link == ETHERNET);
    let Some(head) = head else { return false };
    let (kind, at, vlan) = match be16(head, 12) {
        0x8100 => (be16(head, 16), ETHERNET_HEADER + VLAN_TAG, Some(be16(head, 14) & 0x0fff)),
        kind => (kind, ETHERNET_HEADER, None),
    };
    let ip = &frame[at..];
    let is_filled = match kind {
        0x0800 => ipv4(ip, out),
        0x86dd => ipv6(ip, out),
        _ => false,
    };
    if !is_filled {
        return false;
    }
    if out.owned.is_some() || out.other.is_some() {
        forget(out);
    }
    out.ts_ns = ts_ns;
    out.l4_start += (ip.as_ptr() as usize - block.as_ptr() as usize) as u32;
    (out.vlans, out.vlan_count) = ([0; MAX_VLANS], 0);
    if let Some(vlan) = vlan {
        (out.vlans[0], out.vlan_count) = (vlan, 1);
    }
    out.mac = [head[6], head[7], head[8], head[9], head[10], head[11]];
    out.bad_ip = false;
    true
}

#[inline(always)]
fn ipv4(ip: &[u8], out: &mut Segment) -> bool {
    let Some(head) = ip.first_chunk::<IPV4_HEADER>() else { return false };
    let total = usize::from(be16(head, 2));
    // version and header length; no fragment; a length at all; a header as it was sent
    let is_plain = head[0] == 0x45 && be16(head, 6) & 0x3fff == 0 && total >= IPV4_HEADER && sum_is_right(head);
    if !is_plain || !transport(head[9], &ip[IPV4_HEADER..], total - IPV4_HEADER, out) {
        return false;
    }
    let wide = |at: usize| {
        let mut address = [0; 16];
        address[..4].copy_from_slice(&head[at..at + 4]);
        address
    };
    (out.src, out.dst, out.v6) = (wide(12), wide(16), false);
    (out.ip_len, out.ttl, out.l4_start) = (total as u32, head[8], IPV4_HEADER as u32);
    true
}

#[inline(always)]
fn ipv6(ip: &[u8], out: &mut Segment) -> bool {
    let Some(head) = ip.first_chunk::<IPV6_HEADER>() else { return false };
    let length = usize::from(be16(head, 4));
    if head[0] >> 4 != 6 || length == 0 || !transport(head[6], &ip[IPV6_HEADER..], length, out) {
        return false;
    }
    let address = |at: usize| {
        let mut address = [0; 16];
        address.copy_from_slice(&head[at..at + 16]);
        address
    };
    (out.src, out.dst, out.v6) = (address(8), address(24), true);
    (out.ip_len, out.ttl, out.l4_start) = ((IPV6_HEADER + length) as u32, head[7], IPV6_HEADER as u32);
    true
}

/// The header of TCP or UDP, of an IP payload of so many bytes on the wire.
#[inline(always)]
fn transport(proto: u8, rest: &[u8], wire: usize, out: &mut Segment) -> bool {
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
    (out.l4_len, out.wire_len) = (captured as u32, (end - header) as u32);
    (out.sport, out.dport) = (be16(l4, 0), be16(l4, 2));
    (out.header_len, out.proto, out.whole) = (header as u8, proto, captured == end);
    true
}

/// What a segment before was put together from is rare.
#[cold]
#[inline(never)]
fn forget(out: &mut Segment) {
    (out.owned, out.other) = (None, None);
}

/// Whether the header's words sum up to all ones (RFC 1071), whichever order their bytes are added in: whether their sum
/// is a multiple of 2^16 - 1, for it is not 0.
#[inline(always)]
fn sum_is_right(head: &[u8; IPV4_HEADER]) -> bool {
    let word = |at: usize| u64::from(u32::from_ne_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]));
    (word(0) + word(4) + word(8) + word(12) + word(16)) % 0xffff == 0
}
