//! JA3 (Salesforce, BSD licence) and JA4 (FoxIO, the TLS client's part, BSD licence) of a ClientHello over TCP.

use md5::Md5;
use sha2::{Digest, Sha256};

use crate::names::reader::{is_grease, pairs, Bytes};

/// Counts in a JA4 have two digits.
const MOST_COUNTED: usize = 99;
const SERVER_NAME: u16 = 0;
const ALPN: u16 = 16;
const HEX: &[u8; 16] = b"0123456789abcdef";
/// Digits of a digest in a JA4.
const SHORT: usize = 12;
pub const JA3: usize = 32;
pub const JA4: usize = 36;

/// What a ClientHello comes in.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub enum Transport {
    #[default]
    Tcp,
    Quic,
}

/// What a ClientHello offers, as it stands in the message. `pairs` leaves GREASE out.
#[derive(Default)]
pub struct Offer<'a> {
    pub transport: Transport,
    pub version: u16,
    pub ciphers: &'a [u8],
    pub extensions: &'a [u8], // the block
    pub groups: &'a [u8],
    pub point_formats: &'a [u8],
    pub signatures: &'a [u8],
    pub versions: &'a [u8], // of supported_versions
    pub alpn: &'a [u8],     // each with its length before it
    pub sni: &'a [u8],
    pub ech: Option<bool>, // whether another hello is sealed in it, where that was asked
}

/// The kinds of the extensions.
pub fn kinds(block: &[u8]) -> impl Iterator<Item = u16> + '_ {
    let mut rest = Bytes(block);
    let next = move || rest.u16().filter(|_| rest.vector(2).is_some());
    std::iter::from_fn(next).filter(|kind| !is_grease(*kind))
}

fn hex(bytes: &[u8], to: &mut [u8]) {
    for (pair, byte) in to.chunks_exact_mut(2).zip(bytes) {
        (pair[0], pair[1]) = (HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]);
    }
}

fn write_decimal(text: &mut Vec<u8>, values: impl Iterator<Item = u16>) {
    for (number, value) in values.enumerate() {
        if number > 0 {
            text.push(b'-');
        }
        let mut digits = [0; 5];
        let (mut at, mut left) = (5, value);
        while left > 0 || at == 5 {
            at -= 1;
            digits[at] = b'0' + (left % 10) as u8;
            left /= 10;
        }
        text.extend_from_slice(&digits[at..]);
    }
}

fn write_hex(text: &mut Vec<u8>, values: impl Iterator<Item = u16>) {
    for (number, value) in values.enumerate() {
        if number > 0 {
            text.push(b',');
        }
        let mut digits = [0; 4];
        hex(&value.to_be_bytes(), &mut digits);
        text.extend_from_slice(&digits);
    }
}

/// Both fingerprints, in ASCII.
pub fn both(offer: &Offer<'_>) -> ([u8; JA3], [u8; JA4]) {
    let (mut text, mut values) = (Vec::with_capacity(1_024), Vec::with_capacity(128));
    (ja3(offer, &mut text), ja4(offer, &mut text, &mut values))
}

/// The MD5 of version, cipher suites, extensions, groups and point formats.
fn ja3(offer: &Offer<'_>, text: &mut Vec<u8>) -> [u8; JA3] {
    write_decimal(text, std::iter::once(offer.version));
    text.push(b',');
    write_decimal(text, pairs(offer.ciphers));
    text.push(b',');
    write_decimal(text, kinds(offer.extensions));
    text.push(b',');
    write_decimal(text, pairs(offer.groups));
    text.push(b',');
    write_decimal(text, offer.point_formats.iter().map(|&format| u16::from(format)));
    let mut found = [0; JA3];
    hex(&Md5::digest(&text), &mut found);
    found
}

fn version_code(offer: &Offer<'_>) -> &'static [u8; 2] {
    match pairs(offer.versions).max().unwrap_or(offer.version) {
        0x0304 => b"13",
        0x0303 => b"12",
        0x0302 => b"11",
        0x0301 => b"10",
        0x0300 => b"s3",
        0x0002 => b"s2",
        _ => b"00",
    }
}

/// First and last character of the first protocol; of its hex digits where one of its ends is no letter or digit.
fn protocol_code(offer: &Offer<'_>) -> [u8; 2] {
    let name = Bytes(offer.alpn).vector(1).unwrap_or_default();
    let (Some(&first), Some(&last)) = (name.first(), name.last()) else { return *b"00" };
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        return [first, last];
    }
    [HEX[usize::from(first >> 4)], HEX[usize::from(last & 15)]]
}

fn two_digits(count: usize) -> [u8; 2] {
    let count = count.min(MOST_COUNTED) as u8;
    [b'0' + count / 10, b'0' + count % 10]
}

fn short_digest(text: &[u8], to: &mut [u8]) {
    hex(&Sha256::digest(text)[..SHORT / 2], to);
}

/// "t" for TCP, "q" for QUIC, and what FoxIO's technical details of JA4 say.
fn ja4(offer: &Offer<'_>, text: &mut Vec<u8>, values: &mut Vec<u16>) -> [u8; JA4] {
    let mut found = *b"t00i000000_000000000000_000000000000";
    if offer.transport == Transport::Quic {
        found[0] = b'q';
    }
    found[1..3].copy_from_slice(version_code(offer));
    found[8..10].copy_from_slice(&protocol_code(offer));
    values.extend(pairs(offer.ciphers));
    found[4..6].copy_from_slice(&two_digits(values.len()));
    if !values.is_empty() {
        values.sort_unstable();
        text.clear();
        write_hex(text, values.iter().copied());
        short_digest(text, &mut found[11..23]);
    }
    values.clear();
    values.extend(kinds(offer.extensions));
    found[6..8].copy_from_slice(&two_digits(values.len()));
    if values.contains(&SERVER_NAME) {
        found[3] = b'd';
    }
    values.retain(|kind| *kind != SERVER_NAME && *kind != ALPN);
    if !values.is_empty() {
        values.sort_unstable();
        text.clear();
        write_hex(text, values.iter().copied());
        if pairs(offer.signatures).next().is_some() {
            text.push(b'_');
            write_hex(text, pairs(offer.signatures));
        }
        short_digest(text, &mut found[24..36]);
    }
    found
}
