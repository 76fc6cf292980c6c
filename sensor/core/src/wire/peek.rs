//! Which flow a plain packet belongs to, without decoding it: enough to hand it to a worker, who decodes it. Only the
//! common shapes (Ethernet, IPv4 or IPv6 without options, fragments or tunnels); everything else is None and is decoded
//! by the reader.

use crate::wire::flow_hash::{ends_hash, HashedEnd};
use crate::wire::layer::be16;
use crate::wire::segment::{TCP, UDP};
use crate::wire::tunnel::{is_tunnel_port, may_carry};

/// The hash that `flow_hash` will give for the decoded packet.
#[inline]
pub fn peek(link: u16, frame: &[u8], seed: u64) -> Option<u64> {
    if link != 1 || frame.len() < 14 {
        return None;
    }
    let ip = &frame[14..];
    match be16(frame, 12) {
        0x0800 if ip.len() >= 24 && ip[0] == 0x45 && be16(ip, 6) & 0x3fff == 0 => {
            let end = |at: usize, port| HashedEnd::ipv4([ip[at], ip[at + 1], ip[at + 2], ip[at + 3]], port);
            let (proto, sport, dport) = (ip[9], be16(ip, 20), be16(ip, 22));
            is_plain(proto, dport, &ip[20..]).then(|| ends_hash(end(12, sport), end(16, dport), proto, seed))
        }
        0x86dd if ip.len() >= 44 && ip[0] >> 4 == 6 => {
            let (proto, sport, dport) = (ip[6], be16(ip, 40), be16(ip, 42));
            let source = HashedEnd::new(ip[8..24].try_into().ok()?, sport);
            let destination = HashedEnd::new(ip[24..40].try_into().ok()?, dport);
            is_plain(proto, dport, &ip[40..]).then(|| ends_hash(source, destination, proto, seed))
        }
        _ => None,
    }
}

/// Whether nothing more is wrapped in it.
#[inline]
fn is_plain(proto: u8, dport: u16, bytes: &[u8]) -> bool {
    proto == TCP || (proto == UDP && !is_tunnel_port(dport) && !may_carry(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::stats::Stats;
    use crate::wire::decode::Decoder;
    use crate::wire::flow_hash::flow_hash;
    use crate::wire::fragments::Fragments;
    use crate::wire::segment::Segment;

    /// Ethernet and IP around 24 bytes that begin with two ports.
    fn frame(v6: bool, proto: u8, ports: (u16, u16)) -> Vec<u8> {
        let mut frame = vec![2; 12];
        let head: Vec<u8> = if v6 {
            [&[0x86, 0xdd, 0x60, 0, 0, 0, 0, 24, proto, 9][..], &(1..33).collect::<Vec<u8>>()].concat()
        } else {
            vec![8, 0, 0x45, 0, 0, 44, 0, 0, 0, 0, 64, proto, 0, 0, 10, 1, 2, 3, 192, 0, 2, 9]
        };
        frame.extend(head);
        frame.extend(ports.0.to_be_bytes());
        frame.extend(ports.1.to_be_bytes());
        frame.extend([0, 24, 0, 0, 7, 7, 7, 7, 0x50, 16, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]);
        frame
    }

    #[test]
    fn it_is_the_hash_of_the_decoded_segment() {
        for (v6, proto, ports) in
            [(false, TCP, (40_000, 3_333)), (true, TCP, (1, 2)), (false, UDP, (53, 9)), (true, UDP, (9, 53))]
        {
            let frame = frame(v6, proto, ports);
            let (stats, mut seg) = (Stats::default(), Segment::default());
            let mut decoder = Decoder { fragments: Fragments::new(0, 0) };
            decoder.decode(1, &frame, &frame, 0, &stats, &mut seg).unwrap();
            assert_eq!(peek(1, &frame, 77), Some(flow_hash(&seg, 77)));
        }
        assert_eq!(peek(1, &frame(false, UDP, (9, 4_789)), 77), None);
        assert_eq!(peek(1, &frame(false, 47, (9, 9)), 77), None);
    }
}
