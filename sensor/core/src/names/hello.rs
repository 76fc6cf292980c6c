//! ClientHello and ServerHello (RFC 8446 section 4.1; RFC 5246 section 7.4.1), without their headers. How strict:
//! docs/border.md, "Encrypted sessions". A ClientHello comes with every TLS connection, so what is read of it stays where
//! it is until it leaves.

use crate::model::hello::{ClientFacts, ServerFacts, MAX_LISTED};
use crate::names::fingerprint::{self, Offer};
use crate::names::reader::{numbers, pairs, Bytes};

pub const TLS_1_3: u16 = 0x0304;
const SERVER_NAME: u16 = 0;
const GROUPS: u16 = 10;
const POINT_FORMATS: u16 = 11;
const SIGNATURES: u16 = 13;
const ALPN: u16 = 16;
const VERSIONS: u16 = 43;
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

fn offer(body: &[u8]) -> Option<Offer<'_>> {
    let mut rest = Bytes(body);
    let version = rest.u16()?;
    rest.take(32)?;
    rest.vector(1).filter(|session| session.len() <= 32)?;
    let ciphers = numbers(rest.vector(2)?).filter(|ciphers| !ciphers.is_empty())?;
    rest.vector(1).filter(|compressions| !compressions.is_empty())?;
    let all = extensions(rest)?;
    let list = |kind, width| first(all, kind, |data| numbers(data.last_vector(width)?)).unwrap_or_default();
    Some(Offer {
        version,
        ciphers,
        extensions: all.0,
        groups: list(GROUPS, 2),
        point_formats: first(all, POINT_FORMATS, |data| data.last_vector(1)).unwrap_or_default(),
        signatures: list(SIGNATURES, 2),
        versions: list(VERSIONS, 1),
        alpn: first(all, ALPN, protocols).unwrap_or_default(),
        sni: first(all, SERVER_NAME, server_name).unwrap_or_default(),
    })
}

/// A ClientHello's body.
pub fn read_client(body: &[u8]) -> Option<ClientFacts> {
    let offer = offer(body)?;
    let (ja3, ja4) = fingerprint::both(&offer);
    let mut facts = ClientFacts {
        sni: offer.sni.to_vec(),
        alpn: listed(offer.alpn).to_vec(),
        versions: [0; MAX_LISTED],
        version_count: 0,
        ciphers: pairs(offer.ciphers).count(),
        ja3,
        ja4,
        length: body.len() + 4,
    };
    let legacy = Some(offer.version).filter(|_| pairs(offer.versions).next().is_none());
    for (place, version) in facts.versions.iter_mut().zip(pairs(offer.versions).chain(legacy)) {
        *place = version;
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
