//! What was read before: a program greets every server alike, and a server has one certificate for all. Digests and
//! copies cost more than to look. What is kept is the offer, and the certificate, byte by byte, so that no two are ever
//! taken for one.

use std::cell::RefCell;
use std::sync::Arc;

use crate::model::hello::CertificateFacts;
use crate::names::certificate;
use crate::names::fingerprint::{self, Offer, JA3, JA4};
use crate::names::reader::{pairs, Bytes};

/// Offers kept, each in the place that its bytes lead to; and the longest. Together at most 600 KB of a thread.
const PLACES: usize = 512;
const MAX_OFFER: usize = 1_024;

#[derive(Clone)]
struct Entry {
    offer: Vec<u8>,
    fingerprints: ([u8; JA3], [u8; JA4]),
}

/// Certificates kept in the same way; together at most 5 MB of a thread.
const CERTIFICATES: usize = 512;
const MAX_CERTIFICATE: usize = 4_096;
/// The first bytes of a certificate have its serial number, and lead to its place.
const SERIAL: usize = 64;

#[derive(Clone, Default)]
struct KnownCertificate {
    der: Vec<u8>,
    facts: Option<Arc<CertificateFacts>>,
}

thread_local! {
    static OFFERS: RefCell<Memo> = RefCell::default();
    static KNOWN: RefCell<Vec<KnownCertificate>> = RefCell::new(vec![KnownCertificate::default(); CERTIFICATES]);
}

/// JA3 and JA4 of an offer.
pub fn fingerprints(offer: &Offer<'_>) -> ([u8; JA3], [u8; JA4]) {
    OFFERS.with_borrow_mut(|memo| memo.both(offer))
}

/// A certificate's facts.
pub fn certificate(der: &[u8]) -> Option<Arc<CertificateFacts>> {
    if der.len() > MAX_CERTIFICATE {
        return certificate::read(der).map(Arc::new);
    }
    KNOWN.with_borrow_mut(|all| {
        let known = &mut all[place_of(&der[..der.len().min(SERIAL)]) % CERTIFICATES];
        if known.der != der {
            known.der.clear();
            known.der.extend_from_slice(der);
            known.facts = certificate::read(der).map(Arc::new);
        }
        known.facts.clone()
    })
}

/// A thread's offers.
struct Memo {
    entries: Vec<Entry>,
    scratch: [u8; MAX_OFFER],
}

impl Default for Memo {
    fn default() -> Memo {
        let entry = Entry { offer: Vec::new(), fingerprints: ([0; JA3], [0; JA4]) };
        Memo { entries: vec![entry; PLACES], scratch: [0; MAX_OFFER] }
    }
}

impl Memo {
    /// JA3 and JA4 of an offer.
    fn both(&mut self, offer: &Offer<'_>) -> ([u8; JA3], [u8; JA4]) {
        let Some(length) = write(offer, &mut self.scratch) else { return fingerprint::both(offer) };
        let written = &self.scratch[..length];
        let entry = &mut self.entries[place_of(written) % PLACES];
        if entry.offer != written {
            entry.fingerprints = fingerprint::both(offer);
            entry.offer.clear();
            entry.offer.extend_from_slice(written);
        }
        entry.fingerprints
    }
}

/// All of an offer that is in its fingerprints, which GREASE is not; each part with its length before it, but the last.
/// How many bytes; None: too many.
fn write(offer: &Offer<'_>, to: &mut [u8; MAX_OFFER]) -> Option<usize> {
    to[..2].copy_from_slice(&offer.version.to_be_bytes());
    to[2] = offer.transport as u8;
    let mut at = 3;
    for part in [offer.ciphers, offer.groups, offer.signatures, offer.versions] {
        at = add(pairs(part), to, at)?;
    }
    at = add(fingerprint::kinds(offer.extensions), to, at)?;
    let protocol = Bytes(offer.alpn).vector(1).unwrap_or_default();
    for part in [&[offer.point_formats.len() as u8], offer.point_formats, protocol] {
        to.get_mut(at..at + part.len())?.copy_from_slice(part);
        at += part.len();
    }
    Some(at)
}

fn add(part: impl Iterator<Item = u16>, to: &mut [u8; MAX_OFFER], start: usize) -> Option<usize> {
    let mut places = to.get_mut(start + 2..)?.chunks_exact_mut(2);
    let mut count = 0;
    for value in part {
        places.next()?.copy_from_slice(&value.to_be_bytes());
        count += 1;
    }
    to[start..start + 2].copy_from_slice(&u16::to_be_bytes(count));
    Some(start + 2 + 2 * usize::from(count))
}

/// Where an entry is; those that meet there forget each other.
pub fn place_of(bytes: &[u8]) -> usize {
    let words = bytes.chunks_exact(8);
    let rest = words.remainder();
    let mix = |sum: u64, word: u64| (sum.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95); // rustc's FxHasher
    let sum = words.fold(0, |sum, word| mix(sum, u64::from_le_bytes(word.try_into().unwrap_or_default())));
    let sum = rest.iter().fold(sum, |sum, byte| mix(sum, u64::from(*byte)));
    (sum >> 32) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::fingerprint::Transport;

    fn offer<'a>(ciphers: &'a [u8], extensions: &'a [u8], alpn: &'a [u8]) -> Offer<'a> {
        let (groups, point_formats, signatures, versions, sni) =
            (&[0, 29][..], &[0][..], &[4, 3][..], &[3, 4][..], &[][..]);
        Offer {
            transport: Transport::Tcp,
            version: 0x0303,
            ciphers,
            extensions,
            groups,
            point_formats,
            signatures,
            versions,
            alpn,
            sni,
            ech: None,
        }
    }

    #[test]
    fn what_is_remembered_is_what_it_would_be() {
        let long = vec![0x13; 2 * MAX_OFFER];
        let offers = [
            offer(&[0x13, 1], &[0, 0, 0, 0], b"\x02h2"),
            offer(&[0x13, 1], &[0, 0, 0, 0], b"\x02h2\x08http/1.1"),
            offer(&[0x13, 1], &[0, 0, 0, 0], b""),
            offer(&[0x13, 1, 0x13, 2], &[0, 5, 0, 1, 9], b"\x02h2"),
            offer(&[0x0a, 0x0a, 0x13, 1], &[0x0a, 0x0a, 0, 0], b"\x02h2"),
            offer(&long, &[0, 0, 0, 0], b"\x02h2"),
        ];
        let mut memo = Memo::default();
        for _ in 0..3 {
            for offer in &offers {
                assert_eq!(memo.both(offer), fingerprint::both(offer));
            }
        }
        assert!(memo.entries.iter().all(|entry| entry.offer.len() <= MAX_OFFER));
    }

    #[test]
    fn offers_that_meet_forget_each_other() {
        let mut memo = Memo::default();
        for cipher in 0..2_000_u16 {
            let ciphers = cipher.to_be_bytes();
            let offer = offer(&ciphers, &[], b"");
            assert_eq!(memo.both(&offer), fingerprint::both(&offer));
        }
        assert_eq!(memo.entries.len(), PLACES);
    }
}
