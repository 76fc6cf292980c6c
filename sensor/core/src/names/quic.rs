//! QUIC's Initial packets of a client, versions 1 (RFC 9000, RFC 9001) and 2 (RFC 9369): opened, for their keys derive
//! from what they say in clear, and the CRYPTO frames in them put together until the ClientHello is whole.

use aes_gcm::aes::cipher::{BlockCipherEncrypt, KeyInit};
use aes_gcm::aes::Aes128;
use aes_gcm::{AeadInOut, Aes128Gcm, Tag};
use hkdf::Hkdf;
use sha2::Sha256;

use crate::names::reader::Bytes;

/// A client's Initial is in a datagram of at least so many bytes (RFC 9000 section 14.1); names have at most 20, the
/// first that a client makes up for its server at least 8 (sections 17.2 and 7.2).
pub const MIN_DATAGRAM: u32 = 1_200;
const MIN_NAME: usize = 8;
const MAX_NAME: usize = 20;
/// RFC 9001 section 5.4.2.
const SAMPLE_AT: usize = 4;
const SAMPLE: usize = 16;
const TAG: usize = 16;
pub const MAX_HELLO: usize = 4_096;
const CLIENT_HELLO: u8 = 1;
const MESSAGE_HEADER: usize = 4;
/// Frames of an Initial (RFC 9000 section 12.4).
const PADDING: u64 = 0;
const PING: u64 = 1;
const ACK: u64 = 2;
const ACK_ECN: u64 = 3;
const CRYPTO: u64 = 6;

/// What a version has of its own: its number, the first bits of an Initial, its salt, its labels.
struct Version {
    number: usize,
    first: u8,
    salt: [u8; 20],
    labels: [&'static str; 3], // of key, nonce and header
}

const VERSIONS: [Version; 2] = [
    Version {
        number: 1,
        first: 0xc0,
        salt: [
            0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb,
            0x7f, 0x0a,
        ],
        labels: ["quic key", "quic iv", "quic hp"],
    },
    Version {
        number: 0x6b33_43cf,
        first: 0xd0,
        salt: [
            0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd,
            0x2e, 0xd9,
        ],
        labels: ["quicv2 key", "quicv2 iv", "quicv2 hp"],
    },
];

/// The keys of a connection's first packets, of the client.
#[derive(Clone, Default, Debug, PartialEq, Eq)]
pub struct Keys {
    key: [u8; 16],
    iv: [u8; 12],
    header: [u8; 16],
}

/// A packet that is not opened yet.
pub struct Initial<'a> {
    version: &'static Version,
    server_name: &'a [u8], // the connection id that the keys derive from
    number_at: usize,
    data: &'a [u8], // from its first byte to its last
}

/// HKDF-Expand-Label of RFC 8446 section 7.1.
fn expand(secret: &Hkdf<Sha256>, label: &str, to: &mut [u8]) -> Option<()> {
    let name = [b"tls13 ", label.as_bytes()].concat();
    let parts = [&[0, to.len() as u8, name.len() as u8][..], &name, &[0]];
    secret.expand_multi_info(&parts, to).ok()
}

/// A number of 1, 2, 4 or 8 bytes (RFC 9000 section 16).
fn number(rest: &mut Bytes<'_>) -> Option<u64> {
    let first = rest.number(1)? as u64;
    let more = rest.take((1 << (first >> 6)) - 1)?;
    Some(more.iter().fold(first & 0x3f, |number, byte| number << 8 | u64::from(*byte)))
}

/// Such a number of bytes.
fn vector<'a>(rest: &mut Bytes<'a>) -> Option<&'a [u8]> {
    let length = number(rest)?;
    rest.take(usize::try_from(length).ok()?)
}

/// The packet that a datagram begins with, if it is an Initial as a client sends them.
pub fn find(datagram: &[u8]) -> Option<Initial<'_>> {
    let mut rest = Bytes(datagram);
    let (first, version) = (rest.number(1)? as u8, rest.number(4)?);
    let version = VERSIONS.iter().find(|known| known.number == version && known.first == first & 0xf0)?;
    let server_name = rest.vector(1)?;
    let client_name = rest.vector(1)?;
    vector(&mut rest)?; // a token
    let length = usize::try_from(number(&mut rest)?).ok()?;
    let number_at = datagram.len() - rest.0.len();
    rest.take(length)?;
    let fits = server_name.len().max(client_name.len()) <= MAX_NAME && length >= SAMPLE_AT + SAMPLE;
    fits.then(|| Initial { version, server_name, number_at, data: &datagram[..number_at + length] })
}

impl Initial<'_> {
    /// Whether a connection can begin with it: the name is one that a client made up.
    pub fn can_begin(&self) -> bool {
        self.server_name.len() >= MIN_NAME
    }

    /// The client's keys (RFC 9001 section 5.2).
    pub fn keys(&self) -> Option<Keys> {
        let mut secret = [0; 32];
        let initial = Hkdf::<Sha256>::new(Some(&self.version.salt), self.server_name);
        expand(&initial, "client in", &mut secret)?;
        let secret = Hkdf::<Sha256>::from_prk(&secret).ok()?;
        let mut keys = Keys::default();
        expand(&secret, self.version.labels[0], &mut keys.key)?;
        expand(&secret, self.version.labels[1], &mut keys.iv)?;
        expand(&secret, self.version.labels[2], &mut keys.header)?;
        Some(keys)
    }

    /// The frames in it; None if it is sealed by other keys.
    pub fn open(&self, keys: &Keys) -> Option<Vec<u8>> {
        let sample = self.data.get(self.number_at + SAMPLE_AT..)?.get(..SAMPLE)?;
        let mut mask = aes_gcm::aes::Block::try_from(sample).ok()?;
        Aes128::new(&keys.header.into()).encrypt_block(&mut mask);
        let first = self.data[0] ^ mask[0] & 0x0f;
        let body_at = self.number_at + usize::from(first & 3) + 1;
        let (mut header, mut nonce) = (self.data.get(..body_at)?.to_vec(), keys.iv);
        header[0] = first;
        for (byte, mask) in header[self.number_at..].iter_mut().zip(&mask[1..]) {
            *byte ^= mask;
        }
        for (byte, number) in nonce.iter_mut().rev().zip(header[self.number_at..].iter().rev()) {
            *byte ^= number;
        }
        let (sealed, tag) = self.data[body_at..].split_at_checked((self.data.len() - body_at).checked_sub(TAG)?)?;
        let mut frames = sealed.to_vec();
        let cipher = Aes128Gcm::new(&keys.key.into());
        cipher
            .decrypt_inout_detached(&nonce.into(), &header, frames.as_mut_slice().into(), &Tag::try_from(tag).ok()?)
            .ok()?;
        Some(frames)
    }
}

/// What the bytes of CRYPTO frames come to.
#[derive(Debug, PartialEq, Eq)]
pub enum Hello<'a> {
    Whole(&'a [u8]), // the body of the ClientHello
    Waits,
    Never,
}

/// The bytes of CRYPTO frames, in order as far as they go. The first that come count.
#[derive(Default)]
pub struct CryptoStream {
    bytes: Vec<Option<u8>>,
    front: Vec<u8>, // all that is there without a hole
}

impl CryptoStream {
    /// Take the frames of a packet. None: they cannot be read, or are too many.
    pub fn take(&mut self, frames: &[u8]) -> Option<()> {
        let mut rest = Bytes(frames);
        while !rest.is_empty() {
            match number(&mut rest)? {
                PADDING | PING => {}
                CRYPTO => {
                    let offset = number(&mut rest)?;
                    self.add(usize::try_from(offset).ok()?, vector(&mut rest)?)?;
                }
                kind @ (ACK | ACK_ECN) => pass_acknowledgement(&mut rest, kind)?,
                _ => return None,
            }
        }
        Some(())
    }

    fn add(&mut self, offset: usize, data: &[u8]) -> Option<()> {
        let end = offset.checked_add(data.len()).filter(|end| *end <= MAX_HELLO)?;
        if self.bytes.len() < end {
            self.bytes.resize(end, None);
        }
        for (place, byte) in self.bytes[offset..].iter_mut().zip(data) {
            place.get_or_insert(*byte);
        }
        let more = self.bytes[self.front.len()..].iter().map_while(|byte| *byte);
        self.front.extend(more);
        Some(())
    }

    /// The ClientHello.
    pub fn hello(&self) -> Hello<'_> {
        let mut rest = Bytes(&self.front);
        if self.front.first().is_some_and(|kind| *kind != CLIENT_HELLO) {
            return Hello::Never;
        }
        let (Some(_), Some(length)) = (rest.number(1), rest.number(3)) else { return Hello::Waits };
        match rest.take(length) {
            Some(body) => Hello::Whole(body),
            None if MESSAGE_HEADER + length > MAX_HELLO => Hello::Never,
            None => Hello::Waits,
        }
    }
}

/// RFC 9000 section 19.3: the largest, its delay, further ranges, the first range; then two numbers each.
fn pass_acknowledgement(rest: &mut Bytes<'_>, kind: u64) -> Option<()> {
    number(rest)?;
    number(rest)?;
    let ranges = number(rest)?;
    number(rest)?;
    let more = ranges.checked_mul(2)?.checked_add(if kind == ACK_ECN { 3 } else { 0 })?;
    (0..more).try_for_each(|_| number(rest).map(|_| ()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_the_appendices() {
        // RFC 9001 appendix A.1 and RFC 9369 appendix A.1
        let name = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];
        let keys = |version| Initial { version, server_name: &name, number_at: 0, data: &[] }.keys().unwrap();
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let found: Vec<_> =
            VERSIONS.iter().map(keys).map(|keys| [hex(&keys.key), hex(&keys.iv), hex(&keys.header)]).collect();
        let one = ["1f369613dd76d5467730efcbe3b1a22d", "fa044b2f42a3fd3b46fb255c", "9f50449e04a0e810283a1e9933adedd2"];
        let two = ["8b1a0bc121284290a29e0971b5cd045d", "91f73e2351d8fa91660e909f", "45b95e15235d6f45a6b19cbcb0294ba9"];
        assert_eq!(found, [one, two]);
    }

    #[test]
    fn frames_in_any_order_and_twice_come_to_the_same() {
        let hello = [&[1, 0, 0, 6][..], b"abcdef"].concat();
        let frame = |at: usize, end: usize| [&[6, at as u8, (end - at) as u8][..], &hello[at..end]].concat();
        let mut stream = CryptoStream::default();
        let first = [frame(7, 10), vec![0, 0, 1], frame(0, 3), vec![2, 9, 0, 1, 0, 1, 1]].concat();
        assert_eq!((stream.take(&first), stream.hello()), (Some(()), Hello::Waits));
        assert_eq!(stream.take(&[frame(2, 8), frame(0, 10)].concat()), Some(()));
        assert_eq!(stream.hello(), Hello::Whole(b"abcdef"));
    }

    #[test]
    fn what_is_too_long_or_no_frame_is_refused() {
        let mut stream = CryptoStream::default();
        assert_eq!(stream.take(&[6, 0x50, 0, 1, 7]), None);
        assert_eq!(stream.take(&[0x1c]), None);
        assert_eq!(stream.take(&[2, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0]), None);
        assert_eq!(stream.take(&[6, 0, 4, 1, 1, 0, 0]), Some(()));
        assert_eq!(stream.hello(), Hello::Never);
        assert_eq!(CryptoStream::default().hello(), Hello::Waits);
    }
}
