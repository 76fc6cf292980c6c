//! A DNS response (RFC 1035 section 4): the name that was asked, and the addresses in the answer. Bounded work for each
//! message: names of records are passed over, not followed, and so many records are looked at. docs/border.md, "DNS".

use crate::model::answer::AnswerFacts;
use crate::names::reader::Bytes;

/// Ports of DNS (RFC 1035 section 4.2), and of DNS over TLS and over QUIC (RFC 7858, RFC 9250).
pub const PORT: u16 = 53;
pub const SEALED_PORT: u16 = 853;
/// Bytes before the question.
pub const HEADER: usize = 12;
/// Of one answer.
pub const MAX_ADDRESSES: usize = 16;
const MAX_RECORDS: usize = 64;
/// RFC 1035 section 2.3.4.
const MAX_NAME: usize = 255;
const MAX_LABEL: usize = 63;
/// Types and classes (IANA, "Domain Name System Parameters").
const A: u16 = 1;
const CNAME: u16 = 5;
const AAAA: u16 = 28;
const HTTPS: u16 = 65;
const ANY: u16 = 255;
const INTERNET: u16 = 1;
/// QR, the kind of query, and RCODE; of a response without error QR alone is set.
const JUDGED_FLAGS: u16 = 0xf80f;
const RESPONSE: u16 = 0x8000;

/// What a message is.
#[derive(Debug, PartialEq, Eq)]
pub enum Message {
    Answer(AnswerFacts),
    Other, // a query, an error, another kind of question, no address
    Unreadable,
}

/// Whether what goes from one port to another is to be looked at.
#[inline]
pub fn concerns(from: u16, to: u16) -> bool {
    from == PORT || from == SEALED_PORT || to == SEALED_PORT
}

/// Read a message; what is read is written into an empty vector that was used before.
pub fn read(message: &[u8], spare: Vec<u8>) -> Message {
    let mut rest = Bytes(message);
    rest.take(2);
    let (Some(flags), Some(questions), Some(answers)) = (rest.u16(), rest.u16(), rest.u16()) else {
        return Message::Unreadable;
    };
    if rest.take(4).is_none() {
        return Message::Unreadable;
    }
    if flags & JUDGED_FLAGS != RESPONSE || questions != 1 || answers == 0 {
        return Message::Other;
    }
    let Some(name) = asked(&mut rest, spare) else { return Message::Unreadable };
    let (Some(kind), Some(class)) = (rest.u16(), rest.u16()) else { return Message::Unreadable };
    if class != INTERNET || ![A, AAAA, HTTPS, ANY].contains(&kind) {
        return Message::Other;
    }
    let mut facts = AnswerFacts::new(name);
    let mut whole = true;
    for _ in 0..usize::from(answers).min(MAX_RECORDS) {
        whole = record(&mut rest, &mut facts).is_some();
        if !whole || facts.count == MAX_ADDRESSES {
            break;
        }
    }
    match (facts.count == 0, whole) {
        (false, _) => Message::Answer(facts),
        (true, true) => Message::Other,
        (true, false) => Message::Unreadable,
    }
}

/// The name of the question, in which nothing is compressed. A label with a dot in it could be taken for two.
fn asked(rest: &mut Bytes<'_>, mut name: Vec<u8>) -> Option<Vec<u8>> {
    name.reserve(rest.0.len().min(MAX_NAME)); // the addresses come behind it
    loop {
        let length = rest.number(1)?;
        if length == 0 {
            name.make_ascii_lowercase();
            return Some(name);
        }
        let label = rest.take(length).filter(|label| length <= MAX_LABEL && !label.contains(&b'.'))?;
        if !name.is_empty() {
            name.push(b'.');
        }
        name.extend_from_slice(label);
        if name.len() + 2 > MAX_NAME {
            return None; // on the wire it has a length before it, and an empty label behind it
        }
    }
}

/// Pass over a record's name: labels up to an empty one, or up to a pointer, which is its end.
fn pass_name(rest: &mut Bytes<'_>) -> Option<()> {
    loop {
        match rest.number(1)? {
            0 => return Some(()),
            length @ 1..=MAX_LABEL => rest.take(length)?,
            0xc0.. => return rest.take(1).map(|_| ()),
            _ => return None,
        };
    }
}

/// Take in a record of the answer; None: it breaks off.
fn record(rest: &mut Bytes<'_>, facts: &mut AnswerFacts) -> Option<()> {
    pass_name(rest)?;
    let (kind, class) = (rest.u16()?, rest.u16()?);
    // RFC 2181 section 8: with the first bit set it is 0
    let ttl_s = Some(rest.number(4)? as u32).filter(|ttl| ttl >> 31 == 0).unwrap_or(0);
    let data = rest.vector(2)?;
    let is_address = matches!((kind, data.len()), (A, 4) | (AAAA, 16));
    if class == INTERNET && (is_address || kind == CNAME) {
        facts.ttl_s = facts.ttl_s.min(ttl_s);
        if is_address {
            facts.add(data);
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_new(message: &[u8]) -> Message {
        read(message, Vec::new())
    }

    fn message(flags: u16, answers: u16, rest: &[&[u8]]) -> Vec<u8> {
        let header = [[7, 7], flags.to_be_bytes(), [0, 1], answers.to_be_bytes(), [0; 2], [0; 2]].concat();
        [&header[..], b"\x04POOL\x07example\0\0\x01\0\x01", &rest.concat()].concat()
    }

    const ADDRESS: &[u8] = b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x07";
    const ALIAS: &[u8] = b"\xc0\x0c\0\x05\0\x01\0\0\0\x05\0\x02\xc0\x0c";

    #[test]
    fn an_answer_has_the_name_asked_the_addresses_and_the_least_time() {
        let Message::Answer(facts) = read_new(&message(0x8180, 1, &[ADDRESS])) else { panic!() };
        assert_eq!(
            (facts.name(), facts.addresses(), facts.ttl_s),
            (&b"pool.example"[..], vec![&[192, 0, 2, 7][..]], 60)
        );
        let Message::Answer(behind) = read_new(&message(0x8180, 2, &[ALIAS, ADDRESS])) else { panic!() };
        assert_eq!((behind.ttl_s, behind.addresses().len()), (5, 1));
    }

    #[test]
    fn what_is_no_answer_with_addresses_is_something_else() {
        for flags in [0x0100, 0x8183, 0x8182, 0x9180] {
            assert_eq!(read_new(&message(flags, 1, &[ADDRESS])), Message::Other, "{flags:x}");
        }
        assert_eq!(read_new(&message(0x8180, 0, &[])), Message::Other);
        assert_eq!(read_new(&message(0x8180, 1, &[ALIAS])), Message::Other);
    }

    #[test]
    fn what_breaks_off_is_used_as_far_as_it_goes_and_never_past_it() {
        let whole = message(0x8180, 3, &[ADDRESS, ALIAS, ADDRESS]);
        for end in 0..whole.len() {
            match read_new(&whole[..end]) {
                Message::Answer(facts) => {
                    assert!(facts.addresses().len() == 1 && end >= whole.len() - 30 - ADDRESS.len() + 14)
                }
                Message::Unreadable => {}
                Message::Other => panic!("{end}"),
            }
        }
    }

    #[test]
    fn records_and_addresses_are_bounded() {
        let many = vec![ADDRESS; 40];
        let Message::Answer(facts) = read_new(&message(0x8180, 40, &many)) else { panic!() };
        assert_eq!(facts.addresses().len(), MAX_ADDRESSES);
        let far = [vec![ALIAS; MAX_RECORDS], vec![ADDRESS]].concat();
        assert_eq!(read_new(&message(0x8180, 65, &far)), Message::Other);
    }
}
