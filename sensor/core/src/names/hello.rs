//! ClientHello and ServerHello (RFC 8446 section 4.1; RFC 5246 section 7.4.1), without their headers. How strict:
//! docs/border.md, "Encrypted sessions". A ClientHello comes with every TLS connection, so what is read of it stays where
//! it is until it leaves.

use std::cell::RefCell;

use crate::model::hello::{ClientFacts, ServerFacts, MAX_LISTED};
use crate::names::fingerprint::{Offer, Transport};
use crate::names::memo;
use crate::names::reader::{numbers, pairs, Bytes};

pub const TLS_1_3: u16 = 0x0304;
const SERVER_NAME: u16 = 0;
const GROUPS: u16 = 10;
const POINT_FORMATS: u16 = 11;
const SIGNATURES: u16 = 13;
const ALPN: u16 = 16;
const VERSIONS: u16 = 43;
/// encrypted_client_hello (RFC 9849 section 5), in its outer form.
const SEALED_HELLO: u16 = 0xfe0d;
const OUTER: usize = 0;
const MAX_NAME: usize = 255;
/// The random of a ServerHello that is a HelloRetryRequest (RFC 8446 section 4.1.3).
const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11,
    0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// The extensions of a hello; None where they do not fill their block, or the block not the rest of the message.
fn extensions(rest: Bytes<'_>) -> Option<Bytes<'_>> {
    if rest.is_empty() {
        return Some(Bytes(&[]));
    }
    let block = rest.last_vector(2)?;
    let mut left = Bytes(block);
    while !left.is_empty() {
        left.u16()?;
        left.vector(2)?;
    }
    Some(Bytes(block))
}

/// The first extension of a kind, where it has its form.
fn first<'a, T>(mut all: Bytes<'a>, kind: u16, read: impl FnOnce(Bytes<'a>) -> Option<T>) -> Option<T> {
    while let (Some(found), Some(data)) = (all.u16(), all.vector(2)) {
        if found == kind {
            return read(Bytes(data));
        }
    }
    None
}

fn server_name(data: Bytes<'_>) -> Option<&[u8]> {
    let mut list = Bytes(data.last_vector(2)?);
    let mut name = None;
    while !list.is_empty() {
        let (kind, value) = (list.number(1)?, list.vector(2)?);
        name = name.or(Some(value).filter(|_| kind == 0));
    }
    name.filter(|name| (1..=MAX_NAME).contains(&name.len()))
}

/// A list of protocols, each with its length before it.
fn protocols(data: Bytes<'_>) -> Option<&[u8]> {
    let whole = data.last_vector(2)?;
    let mut list = Bytes(whole);
    while !list.is_empty() {
        list.vector(1).filter(|name| !name.is_empty())?;
    }
    Some(whole)
}

/// Of a form, a suite of two numbers, a key's number, the key, and the sealed hello.
fn is_sealed_hello(mut data: Bytes<'_>) -> bool {
    let is_outer = data.number(1) == Some(OUTER);
    let key = data.take(5).and_then(|_| data.vector(2));
    is_outer && key.is_some() && data.last_vector(2).is_some_and(|hello| !hello.is_empty())
}

fn offer(body: &[u8], transport: Transport) -> Option<Offer<'_>> {
    let mut rest = Bytes(body);
    let version = rest.u16()?;
    rest.take(32)?;
    rest.vector(1).filter(|session| session.len() <= 32)?;
    let ciphers = numbers(rest.vector(2)?).filter(|ciphers| !ciphers.is_empty())?;
    rest.vector(1).filter(|compressions| !compressions.is_empty())?;
    let all = extensions(rest)?;
    let mut offer = Offer { transport, version, ciphers, extensions: all.0, ..Offer::default() };
    let (mut left, mut seen) = (all, 0_u64);
    while let (Some(kind), Some(data)) = (left.u16(), left.vector(2)) {
        let bit = 1_u64.checked_shl(kind.into()).unwrap_or(0);
        if seen & bit != 0 {
            continue; // the first of a kind counts
        }
        seen |= bit;
        let data = Bytes(data);
        let list = |width| data.last_vector(width).and_then(numbers).unwrap_or_default();
        match kind {
            SERVER_NAME => offer.sni = server_name(data).unwrap_or_default(),
            GROUPS => offer.groups = list(2),
            POINT_FORMATS => offer.point_formats = data.last_vector(1).unwrap_or_default(),
            SIGNATURES => offer.signatures = list(2),
            ALPN => offer.alpn = protocols(data).unwrap_or_default(),
            VERSIONS => offer.versions = list(1),
            SEALED_HELLO if offer.ech.is_none() => offer.ech = Some(is_sealed_hello(data)),
            _ => {}
        }
    }
    Some(offer)
}

/// Boxes of hellos that were handed on, for the next.
const MAX_SPENT: usize = 4_096;

thread_local! {
    #[allow(clippy::vec_box)] // boxes are what an event has
    static SPENT: RefCell<Vec<Box<ClientFacts>>> = const { RefCell::new(Vec::new()) };
}

/// Keep boxes for the next hellos of this thread.
pub fn keep(spent: &mut Vec<Box<ClientFacts>>) {
    SPENT.with_borrow_mut(|kept| {
        kept.append(spent);
        kept.truncate(MAX_SPENT);
    });
}

/// A ClientHello's body.
pub fn read_client(body: &[u8], transport: Transport) -> Option<Box<ClientFacts>> {
    let offer = offer(body, transport)?;
    let mut facts = SPENT.with_borrow_mut(Vec::pop).unwrap_or_default();
    facts.names.clear();
    facts.names.extend_from_slice(offer.sni);
    facts.names.extend_from_slice(listed(offer.alpn));
    facts.sni_length = offer.sni.len();
    facts.ciphers = pairs(offer.ciphers).count();
    (facts.ja3, facts.ja4) = memo::fingerprints(&offer);
    facts.length = body.len() + 4;
    facts.ech = offer.ech == Some(true);
    facts.version_count = 0;
    let legacy = Some(offer.version).filter(|_| pairs(offer.versions).next().is_none());
    for version in pairs(offer.versions).chain(legacy).take(MAX_LISTED) {
        let at = facts.version_count;
        facts.versions[at] = version;
        facts.version_count += 1;
    }
    Some(facts)
}

/// The first of a list of protocols, as many as are handed on.
fn listed(list: &[u8]) -> &[u8] {
    let mut rest = Bytes(list);
    for _ in 0..MAX_LISTED {
        rest.vector(1);
    }
    &list[..list.len() - rest.0.len()]
}

/// A ServerHello's body.
pub fn read_server(body: &[u8]) -> Option<ServerFacts> {
    let mut rest = Bytes(body);
    let version = rest.u16()?;
    let retry = rest.take(32)? == RETRY;
    rest.vector(1).filter(|session| session.len() <= 32)?;
    let cipher = rest.u16()?;
    rest.take(1)?;
    let all = extensions(rest)?;
    let chosen = first(all, VERSIONS, |mut data| data.u16().filter(|_| data.is_empty()));
    let alpn = first(all, ALPN, protocols).and_then(|list| Bytes(list).vector(1)).unwrap_or_default().to_vec();
    Some(ServerFacts { version: chosen.unwrap_or(version), cipher, alpn, retry })
}
