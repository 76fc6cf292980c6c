//! JA3 (Salesforce, BSD licence) and JA4 (FoxIO, the TLS client's part, BSD licence) of a ClientHello over TCP.

use md5::Md5;
use sha2::{Digest, Sha256};

/// Counts in a JA4 have two digits.
const MOST_COUNTED: usize = 99;
const NOTHING: &str = "000000000000";
const SERVER_NAME: u16 = 0;
const ALPN: u16 = 16;

/// All that fingerprints are made of, in the order of the message, GREASE left out.
#[derive(Default, Debug)]
pub struct Offer {
    pub version: u16,
    pub ciphers: Vec<u16>,
    pub extensions: Vec<u16>,
    pub groups: Vec<u16>,
    pub point_formats: Vec<u8>,
    pub signatures: Vec<u16>,
    pub versions: Vec<u16>, // supported_versions
    pub alpn: Vec<Vec<u8>>,
    pub sni: Vec<u8>,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn decimal(values: impl IntoIterator<Item = u16>) -> String {
    values.into_iter().map(|value| value.to_string()).collect::<Vec<_>>().join("-")
}

/// The MD5 of version, cipher suites, extensions, groups and point formats.
pub fn ja3(offer: &Offer) -> String {
    let text = format!(
        "{},{},{},{},{}",
        offer.version,
        decimal(offer.ciphers.iter().copied()),
        decimal(offer.extensions.iter().copied()),
        decimal(offer.groups.iter().copied()),
        decimal(offer.point_formats.iter().map(|&format| u16::from(format)))
    );
    hex(&Md5::digest(text))
}

fn listed(values: &[u16]) -> String {
    values.iter().map(|value| format!("{value:04x}")).collect::<Vec<_>>().join(",")
}

fn digest(text: &str) -> String {
    hex(&Sha256::digest(text)[..6])
}

fn version_code(offer: &Offer) -> &'static str {
    match offer.versions.iter().max().unwrap_or(&offer.version) {
        0x0304 => "13",
        0x0303 => "12",
        0x0302 => "11",
        0x0301 => "10",
        0x0300 => "s3",
        0x0002 => "s2",
        _ => "00",
    }
}

/// First and last character of the first protocol; of its hex digits where one of its ends is no letter or digit.
fn protocol_code(offer: &Offer) -> String {
    let Some(name) = offer.alpn.first() else { return "00".to_string() };
    let (first, last) = (name[0], name[name.len() - 1]);
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        return [char::from(first), char::from(last)].iter().collect();
    }
    format!("{:x}{:x}", first >> 4, last & 15)
}

/// "t" for TCP, and what FoxIO's technical details of JA4 say.
pub fn ja4(offer: &Offer) -> String {
    let mut ciphers = offer.ciphers.clone();
    ciphers.sort_unstable();
    let mut extensions = offer.extensions.clone();
    extensions.retain(|kind| *kind != SERVER_NAME && *kind != ALPN);
    extensions.sort_unstable();
    let signatures =
        if offer.signatures.is_empty() { String::new() } else { format!("_{}", listed(&offer.signatures)) };
    format!(
        "t{}{}{:02}{:02}{}_{}_{}",
        version_code(offer),
        if offer.extensions.contains(&SERVER_NAME) { 'd' } else { 'i' },
        offer.ciphers.len().min(MOST_COUNTED),
        offer.extensions.len().min(MOST_COUNTED),
        protocol_code(offer),
        if ciphers.is_empty() { NOTHING.to_string() } else { digest(&listed(&ciphers)) },
        if extensions.is_empty() {
            NOTHING.to_string()
        } else {
            digest(&format!("{}{signatures}", listed(&extensions)))
        },
    )
}
