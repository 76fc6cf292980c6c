//! ClientHello and ServerHello (RFC 8446 section 4.1; RFC 5246 section 7.4.1), without their headers. How strict:
//! docs/border.md, "Encrypted sessions".

use crate::model::hello::{ClientFacts, ServerFacts};
use crate::names::fingerprint::{self, Offer};
use crate::names::reader::{numbers, Bytes};

pub const TLS_1_3: u16 = 0x0304;
/// Protocols and versions of a hello that are handed on.
const MAX_LISTED: usize = 16;
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

/// RFC 8701: 0x0a0a, 0x1a1a .. 0xfafa.
pub fn is_grease(value: u16) -> bool {
    value & 0x0f0f == 0x0a0a && value >> 8 == value & 0xff
}

fn without_grease(values: Vec<u16>) -> Vec<u16> {
    values.into_iter().filter(|value| !is_grease(*value)).collect()
}

/// A hello's extensions in order; None where they do not fill their block, or the block not the rest of the message.
fn extensions<'a>(rest: Bytes<'a>) -> Option<Vec<(u16, &'a [u8])>> {
    if rest.is_empty() {
        return Some(Vec::new());
    }
    let mut block = Bytes(rest.last_vector(2)?);
    let mut found = Vec::new();
    while !block.is_empty() {
        found.push((block.u16()?, block.vector(2)?));
    }
    Some(found)
}

/// The first extension of a kind, where it has its form.
fn first<'a, T>(all: &[(u16, &'a [u8])], kind: u16, read: impl Fn(Bytes<'a>) -> Option<T>) -> Option<T> {
    let (_, data) = all.iter().find(|(found, _)| *found == kind)?;
    read(Bytes(data))
}

fn server_name(data: Bytes<'_>) -> Option<Vec<u8>> {
    let mut list = Bytes(data.last_vector(2)?);
    let mut name = None;
    while !list.is_empty() {
        let (kind, value) = (list.number(1)?, list.vector(2)?);
        name = name.or(Some(value).filter(|_| kind == 0));
    }
    name.filter(|name| (1..=MAX_NAME).contains(&name.len())).map(<[u8]>::to_vec)
}

fn protocols(data: Bytes<'_>) -> Option<Vec<Vec<u8>>> {
    let mut list = Bytes(data.last_vector(2)?);
    let mut found = Vec::new();
    while !list.is_empty() {
        found.push(list.vector(1).filter(|name| !name.is_empty())?.to_vec());
    }
    Some(found)
}

fn offer(body: &[u8]) -> Option<Offer> {
    let mut rest = Bytes(body);
    let version = rest.u16()?;
    rest.take(32)?;
    rest.vector(1).filter(|session| session.len() <= 32)?;
    let ciphers = numbers(rest.vector(2)?).filter(|ciphers| !ciphers.is_empty())?;
    rest.vector(1).filter(|compressions| !compressions.is_empty())?;
    let all = extensions(rest)?;
    let list = |kind, width| first(&all, kind, |data| numbers(data.last_vector(width)?)).unwrap_or_default();
    Some(Offer {
        version,
        ciphers: without_grease(ciphers),
        extensions: without_grease(all.iter().map(|(kind, _)| *kind).collect()),
        groups: without_grease(list(GROUPS, 2)),
        point_formats: first(&all, POINT_FORMATS, |data| data.last_vector(1)).unwrap_or_default().to_vec(),
        signatures: without_grease(list(SIGNATURES, 2)),
        versions: without_grease(list(VERSIONS, 1)),
        alpn: first(&all, ALPN, protocols).unwrap_or_default(),
        sni: first(&all, SERVER_NAME, server_name).unwrap_or_default(),
    })
}

/// A ClientHello's body.
pub fn read_client(body: &[u8]) -> Option<ClientFacts> {
    let offer = offer(body)?;
    let (ja3, ja4) = (fingerprint::ja3(&offer), fingerprint::ja4(&offer));
    let mut versions = if offer.versions.is_empty() { vec![offer.version] } else { offer.versions };
    versions.truncate(MAX_LISTED);
    let mut alpn = offer.alpn;
    alpn.truncate(MAX_LISTED);
    Some(ClientFacts { sni: offer.sni, alpn, versions, ciphers: offer.ciphers.len(), ja3, ja4, length: body.len() + 4 })
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
    let chosen = first(&all, VERSIONS, |mut data| data.u16().filter(|_| data.is_empty()));
    let alpn = first(&all, ALPN, protocols).and_then(|found| found.into_iter().next()).unwrap_or_default();
    Some(ServerFacts { version: chosen.unwrap_or(version), cipher, alpn, retry })
}
