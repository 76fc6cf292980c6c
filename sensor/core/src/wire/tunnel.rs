//! The wrappings between link and IP, and those over GRE and UDP: pure functions from bytes to the next layer.

use crate::model::stats::Counter;
use crate::wire::layer::{after, be16, Ignored, Layer};

const VXLAN_PORT: u16 = 4789;
const VXLAN_OLD_PORT: u16 = 8472; // of Linux
const GENEVE_PORT: u16 = 6081;
const GTP_U_PORT: u16 = 2152;
const TZSP_PORT: u16 = 37008;
const L2TP_PORT: u16 = 1701;

/// EtherTypes that need no state (VLAN tags are peeled by the decoder, which keeps their ids).
pub fn ethertype(kind: u16, bytes: &[u8], unknown: Ignored) -> Result<Layer<'_>, Ignored> {
    match kind {
        0x0800 => Ok(Layer::Ipv4(bytes)),
        0x86dd => Ok(Layer::Ipv6(bytes)),
        0x8847 | 0x8848 => Ok(Layer::Mpls(bytes)),
        0x8864 => after(bytes, 6).map(Layer::Ppp), // RFC 2516
        0x6558 => Ok(Layer::Ethernet(bytes)),
        0..=1500 => {
            let rest = after(bytes, 8)?;
            if bytes[..6] == [0xaa, 0xaa, 0x03, 0, 0, 0] {
                Ok(Layer::EtherType(be16(bytes, 6), rest)) // RFC 1042
            } else {
                Err(unknown)
            }
        }
        _ => Err(unknown),
    }
}

/// RFC 1661, with the one-byte protocol of its section 6.5.
pub fn ppp(bytes: &[u8]) -> Result<Layer<'_>, Ignored> {
    let first = *bytes.first().ok_or(Counter::IgnoredCut)?;
    let (kind, rest) = if first & 1 == 1 {
        (u16::from(first), &bytes[1..])
    } else {
        let rest = after(bytes, 2)?;
        (be16(bytes, 0), rest)
    };
    match kind {
        0x0021 => Ok(Layer::Ipv4(rest)),
        0x0057 => Ok(Layer::Ipv6(rest)),
        0x0281 => Ok(Layer::Mpls(rest)),
        _ => Err(Counter::IgnoredPpp),
    }
}

/// RFC 3032: labels to the bottom of the stack; the first nibble tells what follows (RFC 4928).
pub fn mpls(mut bytes: &[u8]) -> Result<Layer<'_>, Ignored> {
    loop {
        let rest = after(bytes, 4)?;
        let bottom = bytes[2] & 1 == 1;
        bytes = rest;
        if bottom {
            break;
        }
    }
    match bytes.first().ok_or(Counter::IgnoredCut)? >> 4 {
        4 => Ok(Layer::Ipv4(bytes)),
        6 => Ok(Layer::Ipv6(bytes)),
        0 => after(bytes, 4).map(Layer::Ethernet), // RFC 4448 control word
        _ => Ok(Layer::Ethernet(bytes)),
    }
}

/// RFC 2784, 2890 (version 0) and RFC 2637 (version 1).
pub fn gre(bytes: &[u8]) -> Result<Layer<'_>, Ignored> {
    after(bytes, 4)?;
    let (flags, kind) = (be16(bytes, 0), be16(bytes, 2));
    let sequence = flags & 0x1000 != 0;
    match flags & 7 {
        0 if flags & 0x4000 != 0 => Err(Counter::IgnoredGre),
        0 => {
            let header =
                4 + 4 * (usize::from(flags & 0x8000 != 0) + usize::from(flags & 0x2000 != 0) + usize::from(sequence));
            let rest = after(bytes, header)?;
            match kind {
                0x880b => Ok(Layer::Ppp(rest)),
                0x88be => after(rest, if sequence { 8 } else { 0 }).map(Layer::Ethernet),
                0x22eb => {
                    let inner = after(rest, 12)?;
                    let more = if rest[11] & 1 == 1 { 8 } else { 0 };
                    after(inner, more).map(Layer::Ethernet)
                }
                0x8100 | 0x88a8 | 0x9100 | 0x9200 => Ok(Layer::EtherType(kind, rest)),
                0..=1500 => Err(Counter::IgnoredGre), // a keep-alive, not an 802.3 length
                _ => ethertype(kind, rest, Counter::IgnoredGre),
            }
        }
        1 if kind == 0x880b && sequence => {
            let rest = after(bytes, 12 + if flags & 0x0080 != 0 { 4 } else { 0 })?;
            Ok(Layer::Ppp(rest.strip_prefix(&[0xff, 0x03]).unwrap_or(rest)))
        }
        _ => Err(Counter::IgnoredGre),
    }
}

/// Whether datagrams to this port may carry packets.
#[inline]
pub fn is_tunnel_port(port: u16) -> bool {
    matches!(port, VXLAN_PORT | VXLAN_OLD_PORT | GTP_U_PORT | GENEVE_PORT | TZSP_PORT | L2TP_PORT)
}

/// Whether a datagram (UDP header and payload) may carry packets, whatever its port.
#[inline(always)]
pub fn may_carry(datagram: &[u8]) -> bool {
    matches!(datagram.get(8..12), Some([0x08, 0, 0, 0] | [0x40 | 0x48, 0x02, ..]))
}

/// VXLAN (RFC 7348), Geneve (RFC 8926), GTP-U (3GPP TS 29.281), TZSP, L2TP (RFC 2661) by destination port; VXLAN and
/// L2TP at any other where everything in them fits. None: an ordinary datagram.
#[inline]
pub fn over_udp(datagram: &[u8], wire: usize) -> Option<Layer<'_>> {
    let port = be16(datagram.get(..8)?, 2);
    let bytes = &datagram[8..];
    if !is_tunnel_port(port) {
        let whole = usize::from(be16(datagram, 4)) == datagram.len();
        return if whole && may_carry(datagram) { elsewhere(bytes) } else { None };
    }
    let length = Some(usize::from(be16(datagram, 4))).filter(|length| *length > 0).unwrap_or(wire);
    if !(8..=wire).contains(&length) {
        return None; // no datagram either
    }
    let bytes = &bytes[..bytes.len().min(length - 8)];
    match port {
        GENEVE_PORT => {
            let rest = bytes.get(8..)?;
            let inner = rest.get(usize::from(bytes[0] & 0x3f) * 4..)?;
            let kind = be16(bytes, 2);
            if bytes[0] >> 6 != 0 || kind <= 1500 {
                return None;
            }
            if matches!(kind, 0x8100 | 0x88a8 | 0x9100 | 0x9200) {
                return Some(Layer::EtherType(kind, inner));
            }
            ethertype(kind, inner, Counter::IgnoredEthertype).ok()
        }
        GTP_U_PORT => gtp_u(bytes),
        TZSP_PORT => tzsp(bytes),
        L2TP_PORT => l2tp(bytes),
        _ => {
            let rest = bytes.get(8..)?;
            (bytes[0] & 0x08 != 0).then_some(Layer::Ethernet(rest))
        }
    }
}

/// VXLAN with nothing but its number, L2TP with its length, at a port that says nothing: an IP packet that fills them.
fn elsewhere(bytes: &[u8]) -> Option<Layer<'_>> {
    if bytes[0] == 0x08 {
        let frame = bytes.get(8..).filter(|_| bytes[7] == 0)?;
        let packet = frame.get(14..)?;
        return fills(be16(frame, 12), packet).then_some(Layer::Ethernet(frame));
    }
    let Some(Layer::Ppp(inner)) = l2tp(bytes) else { return None };
    if usize::from(be16(bytes, 2)) != bytes.len() {
        return None;
    }
    let kind = match inner.get(..2)? {
        [0x00, 0x21] => 0x0800,
        [0x00, 0x57] => 0x86dd,
        _ => return None,
    };
    fills(kind, &inner[2..]).then_some(Layer::Ppp(inner))
}

/// Whether the bytes are exactly one IP packet of that type.
fn fills(ethertype: u16, packet: &[u8]) -> bool {
    match ethertype {
        0x0800 => packet.len() >= 20 && packet[0] >> 4 == 4 && usize::from(be16(packet, 2)) == packet.len(),
        0x86dd => packet.len() >= 40 && packet[0] >> 4 == 6 && usize::from(be16(packet, 4)) + 40 == packet.len(),
        _ => false,
    }
}

/// RFC 2661 section 3.1: a data message of version 2, with length, sequence numbers and offset as its flags say.
fn l2tp(bytes: &[u8]) -> Option<Layer<'_>> {
    let flags = be16(bytes.get(..6)?, 0);
    if flags & 0x8000 != 0 || flags & 0x000f != 2 {
        return None;
    }
    let mut header = 6 + if flags & 0x4000 != 0 { 2 } else { 0 } + if flags & 0x0800 != 0 { 4 } else { 0 };
    if flags & 0x0200 != 0 {
        header += 2 + usize::from(be16(bytes.get(header..header + 2)?, 0));
    }
    let inner = bytes.get(header..).filter(|inner| !inner.is_empty())?;
    Some(Layer::Ppp(inner.strip_prefix(&[0xff, 0x03]).unwrap_or(inner)))
}

fn gtp_u(bytes: &[u8]) -> Option<Layer<'_>> {
    let mut inner = bytes.get(8..)?;
    // version 1, protocol type 1, message type 255 (G-PDU)
    if bytes[0] >> 5 != 1 || bytes[0] & 0x10 == 0 || bytes[1] != 255 {
        return None;
    }
    if bytes[0] & 7 != 0 {
        let mut next = if bytes[0] & 4 != 0 { *inner.get(3)? } else { 0 };
        inner = inner.get(4..)?;
        while next != 0 {
            let length = usize::from(*inner.first()?) * 4;
            if length == 0 {
                return None;
            }
            next = *inner.get(length - 1)?;
            inner = &inner[length..];
        }
    }
    matches!(inner.first()? >> 4, 4 | 6).then_some(Layer::Ip(inner))
}

/// TaZmen Sniffer Protocol, as RouterOS mirrors with it: version 1, a packet received (0) or for transmission (1), of
/// Ethernet (1); then tagged fields, of which padding (0) and the end (1) are single bytes.
fn tzsp(bytes: &[u8]) -> Option<Layer<'_>> {
    if !matches!(bytes.get(..8)?, [1, 0 | 1, 0, 1, ..]) {
        return None;
    }
    let mut fields = &bytes[4..];
    loop {
        let length = match *fields.first()? {
            1 => return Some(Layer::Ethernet(&fields[1..])),
            0 => 1,
            _ => 2 + usize::from(*fields.get(1)?),
        };
        fields = fields.get(length..)?;
    }
}
