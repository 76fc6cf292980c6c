//! Which flow a plain packet belongs to, without decoding it: enough to hand it to a worker, who decodes it. Only the
//! common shapes (Ethernet, IPv4 or IPv6 without options, fragments or tunnels); everything else is None and is decoded
//! by the reader.

use crate::wire::flow_hash::flow_hash;
use crate::wire::layer::be16;
use crate::wire::segment::{Segment, TCP, UDP};
use crate::wire::tunnel::{is_tunnel_port, may_carry};

/// The hash that `flow_hash` will give for the decoded packet.
#[inline]
pub fn peek(link: u16, frame: &[u8], seed: u64) -> Option<u64> {
    if link != 1 || frame.len() < 14 {
        return None;
    }
    let mut seg = Segment::default();
    let ip = &frame[14..];
    let (ports, udp) = match be16(frame, 12) {
        0x0800 if ip.len() >= 24 && ip[0] == 0x45 && be16(ip, 6) & 0x3fff == 0 => {
            seg.src[..4].copy_from_slice(&ip[12..16]);
            seg.dst[..4].copy_from_slice(&ip[16..20]);
            seg.proto = ip[9];
            (&ip[20..24], &ip[20..])
        }
        0x86dd if ip.len() >= 44 && ip[0] >> 4 == 6 => {
            seg.src.copy_from_slice(&ip[8..24]);
            seg.dst.copy_from_slice(&ip[24..40]);
            seg.proto = ip[6];
            (&ip[40..44], &ip[40..])
        }
        _ => return None,
    };
    seg.sport = be16(ports, 0);
    seg.dport = be16(ports, 2);
    match seg.proto {
        TCP => Some(flow_hash(&seg, seed)),
        UDP if !is_tunnel_port(seg.dport) && !may_carry(udp) => Some(flow_hash(&seg, seed)),
        _ => None,
    }
}
