//! Frame in, segment or reason out. Tunnels are peeled until TCP or UDP shows. A total function: every length is
//! checked before it is used, and whatever cannot be read ends in a counter. Knows nothing of flows. Layout of each
//! layer: docs/border.md, "Decode".

use crate::model::stats::{Counter, Stats};
use crate::wire::fragments::{FragmentKey, Fragments, Outcome};
use crate::wire::layer::{after, be16, be32, Ignored, Layer};
use crate::wire::plain;
use crate::wire::segment::{fold, sum_words, Segment, MAX_VLANS, TCP, UDP};
use crate::wire::tunnel;

const MAX_LAYERS: u8 = 12;

/// The innermost IP header's facts, filled in while peeling.
#[derive(Clone, Copy, Default)]
struct Inner {
    src: [u8; 16],
    dst: [u8; 16],
    v6: bool,
    ip_len: u32,
    wire_len: u32, // of the IP payload
    ttl: u8,
    bad_ip: bool,
}

/// A datagram put together from fragments: its protocol, its payload, and where they contradict each other the payload
/// in the other reading.
type Datagram = (u8, Box<[u8]>, Option<Box<[u8]>>);

enum Step<'a> {
    On(Layer<'a>),
    Reassembled(Datagram),
    Done(u8, &'a [u8]),
}

/// The decoder's only state is the table of fragments.
pub struct Decoder {
    pub fragments: Fragments,
}

struct Walk<'d> {
    fragments: &'d mut Fragments,
    stats: &'d Stats,
    ts_ns: u64,
    inner: Inner,
    vlans: [u16; MAX_VLANS],
    vlan_count: u8,
    mac: [u8; 6],
}

impl Decoder {
    /// Decode one frame of a block into `out`. `Err` names the counter of the reason.
    #[inline(always)]
    pub fn decode(
        &mut self,
        link: u16,
        block: &[u8],
        frame: &[u8],
        ts_ns: u64,
        stats: &Stats,
        out: &mut Segment,
    ) -> Result<(), Ignored> {
        if plain::decode(link, block, frame, ts_ns, out) {
            return Ok(());
        }
        self.peel(link, block, frame, ts_ns, stats, out)
    }

    /// The same for any frame, layer by layer.
    #[inline(never)]
    pub fn peel(
        &mut self,
        link: u16,
        block: &[u8],
        frame: &[u8],
        ts_ns: u64,
        stats: &Stats,
        out: &mut Segment,
    ) -> Result<(), Ignored> {
        let mut walk = Walk {
            fragments: &mut self.fragments,
            stats,
            ts_ns,
            inner: Inner::default(),
            vlans: [0; MAX_VLANS],
            vlan_count: 0,
            mac: [0; 6],
        };
        let mut layer = first_layer(link, frame)?;
        let mut depth = 0;
        let (mut proto, mut payload, mut other) = loop {
            depth += 1;
            if depth > MAX_LAYERS {
                return Err(Counter::IgnoredDepth);
            }
            match walk.peel(layer)? {
                Step::On(next) => layer = next,
                Step::Reassembled(datagram) => break datagram,
                Step::Done(proto, l4) => {
                    let start = l4.as_ptr() as usize - block.as_ptr() as usize;
                    return walk.fill(out, proto, l4, start);
                }
            }
        };
        // fragments inside fragments (a tunnel): the depth bounds this loop
        loop {
            match walk.through_owned(proto, &payload, &mut depth, out)? {
                None => {
                    out.owned = Some(payload);
                    out.other = other.filter(|_| proto == TCP).and_then(|other| walk.read_again(out, other));
                    return Ok(());
                }
                Some(deeper) => (proto, payload, other) = deeper,
            }
        }
    }
}

fn first_layer(link: u16, frame: &[u8]) -> Result<Layer<'_>, Ignored> {
    match link {
        1 => Ok(Layer::Ethernet(frame)),
        0 | 108 => {
            let rest = after(frame, 4)?;
            match u32::from_le_bytes([frame[0], frame[1], frame[2], frame[3]]).min(be32(frame, 0)) {
                2 => Ok(Layer::Ipv4(rest)),
                10 | 24 | 28 | 30 => Ok(Layer::Ipv6(rest)),
                _ => Err(Counter::IgnoredLink),
            }
        }
        9 | 50 => Ok(Layer::Ppp(frame.strip_prefix(&[0xff, 0x03]).unwrap_or(frame))),
        12 | 14 | 101 => Ok(Layer::Ip(frame)),
        228 => Ok(Layer::Ipv4(frame)),
        229 => Ok(Layer::Ipv6(frame)),
        104 => after(frame, 4).map(|rest| Layer::EtherType(be16(frame, 2), rest)),
        113 => after(frame, 16).map(|rest| Layer::EtherType(be16(frame, 14), rest)),
        276 => after(frame, 20).map(|rest| Layer::EtherType(be16(frame, 0), rest)),
        _ => Err(Counter::IgnoredLink),
    }
}

impl Walk<'_> {
    /// Go on inside a datagram put together from fragments. `Some` if that in turn completed another one.
    fn through_owned(
        &mut self,
        proto: u8,
        payload: &[u8],
        depth: &mut u8,
        out: &mut Segment,
    ) -> Result<Option<Datagram>, Ignored> {
        let mut layer = Layer::Proto(proto, payload);
        loop {
            *depth += 1;
            if *depth > MAX_LAYERS {
                return Err(Counter::IgnoredDepth);
            }
            match self.peel(layer)? {
                Step::On(next) => layer = next,
                Step::Reassembled(deeper) => return Ok(Some(deeper)),
                Step::Done(proto, l4) => {
                    let start = l4.as_ptr() as usize - payload.as_ptr() as usize;
                    return self.fill(out, proto, l4, start).map(|()| None);
                }
            }
        }
    }

    #[inline]
    fn peel<'a>(&mut self, layer: Layer<'a>) -> Result<Step<'a>, Ignored> {
        match layer {
            Layer::Ethernet(bytes) => {
                let rest = after(bytes, 14)?;
                self.mac.copy_from_slice(&bytes[6..12]);
                Ok(Step::On(Layer::EtherType(be16(bytes, 12), rest)))
            }
            Layer::EtherType(kind, bytes) => self.ethertype(kind, bytes).map(Step::On),
            Layer::Ppp(bytes) => tunnel::ppp(bytes).map(Step::On),
            Layer::Mpls(bytes) => tunnel::mpls(bytes).map(Step::On),
            Layer::Ip(bytes) => match bytes.first().ok_or(Counter::IgnoredCut)? >> 4 {
                4 => self.ipv4(bytes),
                6 => self.ipv6(bytes),
                _ => Err(Counter::IgnoredIp),
            },
            Layer::Ipv4(bytes) => self.ipv4(bytes),
            Layer::Ipv6(bytes) => self.ipv6(bytes),
            Layer::Proto(proto, bytes) => self.ip_payload(proto, bytes),
        }
    }

    fn ethertype<'a>(&mut self, kind: u16, bytes: &'a [u8]) -> Result<Layer<'a>, Ignored> {
        match kind {
            0x8100 | 0x88a8 | 0x9100 | 0x9200 => {
                let rest = after(bytes, 4)?;
                if (self.vlan_count as usize) < MAX_VLANS {
                    self.vlans[self.vlan_count as usize] = be16(bytes, 0) & 0x0fff;
                    self.vlan_count += 1;
                }
                Ok(Layer::EtherType(be16(bytes, 2), rest))
            }
            _ => tunnel::ethertype(kind, bytes, Counter::IgnoredEthertype),
        }
    }

    fn ipv4<'a>(&mut self, bytes: &'a [u8]) -> Result<Step<'a>, Ignored> {
        let first = *bytes.first().ok_or(Counter::IgnoredCut)?;
        let header = usize::from(first & 15) * 4;
        if first >> 4 != 4 || header < 20 {
            return Err(Counter::IgnoredIp);
        }
        after(bytes, header)?;
        let total = match usize::from(be16(bytes, 2)) {
            0 => bytes.len(),
            total => total,
        };
        if total < header {
            return Err(Counter::IgnoredIp);
        }
        let bad_ip = fold(sum_words(&bytes[..header])) != 0xffff;
        self.stats.add(Counter::BadIpChecksum, u64::from(bad_ip));
        let (ip_len, wire_len) = (total as u32, (total - header) as u32);
        let mut inner = Inner { ip_len, wire_len, ttl: bytes[8], bad_ip, ..Inner::default() };
        inner.src[..4].copy_from_slice(&bytes[12..16]);
        inner.dst[..4].copy_from_slice(&bytes[16..20]);
        self.inner = inner;
        let payload = &bytes[header..total.min(bytes.len())];
        let fragment = be16(bytes, 6);
        if fragment & 0x3fff == 0 {
            return self.ip_payload(bytes[9], payload);
        }
        let offset = usize::from(fragment & 0x1fff) * 8;
        self.fragment(bytes[9], u32::from(be16(bytes, 4)), offset, fragment & 0x2000 != 0, payload)
    }

    fn ipv6<'a>(&mut self, bytes: &'a [u8]) -> Result<Step<'a>, Ignored> {
        if bytes.first().ok_or(Counter::IgnoredCut)? >> 4 != 6 {
            return Err(Counter::IgnoredIp);
        }
        let captured = after(bytes, 40)?.len();
        let length = match usize::from(be16(bytes, 4)) {
            0 => captured,
            length => length,
        };
        let (ip_len, wire_len) = ((40 + length) as u32, length as u32);
        let mut inner = Inner { v6: true, ip_len, wire_len, ttl: bytes[7], ..Inner::default() };
        inner.src.copy_from_slice(&bytes[8..24]);
        inner.dst.copy_from_slice(&bytes[24..40]);
        self.inner = inner;
        self.ip_payload(bytes[6], &bytes[40..40 + length.min(captured)])
    }

    fn fragment<'a>(
        &mut self,
        proto: u8,
        id: u32,
        offset: usize,
        more: bool,
        payload: &[u8],
    ) -> Result<Step<'a>, Ignored> {
        if payload.len() < self.inner.wire_len as usize {
            return Err(Counter::IgnoredFragment);
        }
        let key = FragmentKey { src: self.inner.src, dst: self.inner.dst, id, proto, v6: self.inner.v6 };
        match self.fragments.insert(key, self.ts_ns, offset, more, payload) {
            Outcome::Held => Err(Counter::IgnoredFragmentHeld),
            Outcome::Refused => Err(Counter::IgnoredFragment),
            Outcome::Complete(whole, other) => {
                self.inner.ip_len = self.inner.ip_len - self.inner.wire_len + whole.len() as u32;
                self.inner.wire_len = whole.len() as u32;
                Ok(Step::Reassembled((proto, whole, other)))
            }
        }
    }

    /// Extension headers, then a transport or a tunnel.
    fn ip_payload<'a>(&mut self, mut proto: u8, mut bytes: &'a [u8]) -> Result<Step<'a>, Ignored> {
        loop {
            let length = match proto {
                TCP | UDP => {
                    if proto == UDP {
                        if let Some(layer) = tunnel::over_udp(bytes, self.inner.wire_len as usize) {
                            return Ok(Step::On(layer));
                        }
                    }
                    return Ok(Step::Done(proto, bytes));
                }
                4 => return Ok(Step::On(Layer::Ipv4(bytes))),
                41 => return Ok(Step::On(Layer::Ipv6(bytes))),
                47 => return tunnel::gre(bytes).map(Step::On),
                137 => return Ok(Step::On(Layer::Mpls(bytes))),
                51 => (usize::from(*bytes.get(1).ok_or(Counter::IgnoredCut)?) + 2) * 4,
                0 | 43 | 60 | 135 if self.inner.v6 => (usize::from(*bytes.get(1).ok_or(Counter::IgnoredCut)?) + 1) * 8,
                44 if self.inner.v6 => {
                    let rest = after(bytes, 8)?;
                    let (offset_and_flags, next) = (be16(bytes, 2), bytes[0]);
                    self.inner.wire_len = self.inner.wire_len.saturating_sub(8);
                    if offset_and_flags & 0xfff9 == 0 {
                        (proto, bytes) = (next, rest);
                        continue;
                    }
                    let (offset, more) = (usize::from(offset_and_flags & 0xfff8), offset_and_flags & 1 != 0);
                    return self.fragment(next, be32(bytes, 4), offset, more, rest);
                }
                _ => return Err(Counter::IgnoredIpProtocol),
            };
            let rest = after(bytes, length)?;
            proto = bytes[0];
            bytes = rest;
            self.inner.wire_len = self.inner.wire_len.saturating_sub(length as u32);
        }
    }

    /// The other reading of a segment, as far as it is one of the same flow.
    fn read_again(&self, first: &Segment, payload: Box<[u8]>) -> Option<Box<Segment>> {
        let mut other = Box::<Segment>::default();
        self.fill(&mut other, TCP, &payload, 0).ok()?;
        other.owned = Some(payload);
        ((other.sport, other.dport) == (first.sport, first.dport)).then_some(other)
    }

    #[inline]
    fn fill(&self, out: &mut Segment, proto: u8, l4: &[u8], start: usize) -> Result<(), Ignored> {
        let wire = self.inner.wire_len as usize;
        let (header, end) = if proto == TCP {
            if wire < 20 {
                return Err(Counter::IgnoredTcp);
            }
            after(l4, 20)?;
            let header = usize::from(l4[12] >> 4) * 4;
            if header < 20 || header > wire {
                return Err(Counter::IgnoredTcp);
            }
            after(l4, header)?;
            out.seq = be32(l4, 4);
            out.ack = be32(l4, 8);
            out.flags = l4[13];
            (header, wire)
        } else {
            if wire < 8 {
                return Err(Counter::IgnoredUdp);
            }
            after(l4, 8)?;
            let length = match usize::from(be16(l4, 4)) {
                0 => wire,
                length => length,
            };
            if length < 8 || length > wire {
                return Err(Counter::IgnoredUdp);
            }
            (out.seq, out.ack, out.flags) = (0, 0, 0);
            (8, length)
        };
        let captured = l4.len().min(end);
        out.src = self.inner.src;
        out.dst = self.inner.dst;
        out.ts_ns = self.ts_ns;
        out.owned = None;
        out.other = None;
        out.l4_start = start as u32;
        out.l4_len = captured as u32;
        out.ip_len = self.inner.ip_len;
        out.wire_len = (end - header) as u32;
        out.sport = be16(l4, 0);
        out.dport = be16(l4, 2);
        out.vlans = self.vlans;
        out.vlan_count = self.vlan_count;
        out.header_len = header as u8;
        out.ttl = self.inner.ttl;
        out.mac = self.mac;
        out.proto = proto;
        out.v6 = self.inner.v6;
        out.whole = captured == end;
        out.bad_ip = self.inner.bad_ip;
        Ok(())
    }
}
