//! An X.509 certificate (RFC 5280) in DER, as far as it says whose it is and how long. Nothing is verified.

use crate::model::hello::CertificateFacts;
use crate::names::reader::Bytes;

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OID: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const DNS_NAME: u8 = 0x82;
const ALTERNATIVE_NAMES: [u8; 3] = [0x55, 0x1d, 0x11]; // 2.5.29.17
const MAX_NAMES: usize = 16;
const MAX_VALUE: usize = 255;
const MAX_DISTINGUISHED: usize = 1_024;

/// The next element: its tag and content. Tags of several bytes, indefinite lengths, and lengths over 2^24 are none.
fn element<'a>(from: &mut Bytes<'a>) -> Option<(u8, &'a [u8])> {
    let tag = from.number(1)? as u8;
    if tag & 0x1f == 0x1f {
        return None;
    }
    let length = match from.number(1)? {
        short @ 0..=0x7f => short,
        long @ 0x81..=0x83 => from.number(long - 0x80)?,
        _ => return None,
    };
    Some((tag, from.take(length)?))
}

/// The content of the next element, which has to have that tag.
fn expect<'a>(from: &mut Bytes<'a>, tag: u8) -> Option<&'a [u8]> {
    element(from).filter(|(found, _)| *found == tag).map(|(_, content)| content)
}

/// The certificate's facts.
pub fn read(der: &[u8]) -> Option<CertificateFacts> {
    let mut whole = Bytes(expect(&mut Bytes(der), SEQUENCE)?);
    let mut fields = Bytes(expect(&mut whole, SEQUENCE)?);
    let (tag, _) = element(&mut fields)?;
    if tag == VERSION {
        expect(&mut fields, INTEGER)?;
    } else if tag != INTEGER {
        return None;
    }
    expect(&mut fields, SEQUENCE)?; // the signature's algorithm
    let issuer = expect(&mut fields, SEQUENCE)?;
    let mut validity = Bytes(expect(&mut fields, SEQUENCE)?);
    let (not_before_s, not_after_s) = (time(&mut validity)?, time(&mut validity)?);
    let subject = expect(&mut fields, SEQUENCE)?;
    expect(&mut fields, SEQUENCE)?; // the key
    let mut names = Vec::new();
    while !fields.is_empty() {
        let (tag, content) = element(&mut fields)?;
        if tag == EXTENSIONS {
            names = alternative_names(content)?;
        }
    }
    Some(CertificateFacts {
        names,
        subject: distinguished(subject)?,
        issuer: distinguished(issuer)?,
        self_signed: subject == issuer,
        not_before_s,
        not_after_s,
    })
}

fn alternative_names(content: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut extensions = Bytes(expect(&mut Bytes(content), SEQUENCE)?);
    let mut names = Vec::new();
    while !extensions.is_empty() {
        let mut extension = Bytes(expect(&mut extensions, SEQUENCE)?);
        let kind = expect(&mut extension, OID)?;
        let (mut tag, mut value) = element(&mut extension)?;
        if tag != OCTETS {
            (tag, value) = element(&mut extension)?; // after "critical"
        }
        if tag != OCTETS {
            return None;
        }
        if kind != ALTERNATIVE_NAMES {
            continue;
        }
        let mut list = Bytes(expect(&mut Bytes(value), SEQUENCE)?);
        while !list.is_empty() {
            let (tag, name) = element(&mut list)?;
            if tag == DNS_NAME && (1..=MAX_VALUE).contains(&name.len()) && names.len() < MAX_NAMES {
                names.push(name.to_vec());
            }
        }
    }
    Some(names)
}

/// The attribute types of a name that are written (RFC 5280 appendix A: 2.5.4.x).
fn attribute(oid: &[u8]) -> Option<&'static str> {
    match oid {
        [0x55, 0x04, 3] => Some("CN"),
        [0x55, 0x04, 6] => Some("C"),
        [0x55, 0x04, 7] => Some("L"),
        [0x55, 0x04, 8] => Some("ST"),
        [0x55, 0x04, 10] => Some("O"),
        [0x55, 0x04, 11] => Some("OU"),
        _ => None,
    }
}

fn distinguished(content: &[u8]) -> Option<Vec<u8>> {
    let mut sets = Bytes(content);
    let mut written = Vec::new();
    while !sets.is_empty() {
        let mut set = Bytes(expect(&mut sets, SET)?);
        while !set.is_empty() {
            let mut pair = Bytes(expect(&mut set, SEQUENCE)?);
            let oid = expect(&mut pair, OID)?;
            let (_, value) = element(&mut pair)?;
            if let Some(name) = attribute(oid) {
                written.extend(if written.is_empty() { &b""[..] } else { b"," });
                written.extend([name.as_bytes(), b"=", &value[..value.len().min(MAX_VALUE)]].concat());
            }
        }
    }
    written.truncate(MAX_DISTINGUISHED);
    Some(written)
}

/// UTCTime or GeneralizedTime in the form of RFC 5280 section 4.1.2.5, in seconds since the epoch.
fn time(from: &mut Bytes<'_>) -> Option<i64> {
    let (tag, text) = element(from)?;
    let (digits, zone) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if zone != b"Z" || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = |range: std::ops::Range<usize>| -> i64 {
        digits[range].iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0'))
    };
    let (year, rest) = match (tag, digits.len()) {
        (UTC_TIME, 12) => (number(0..2) + if number(0..2) < 50 { 2_000 } else { 1_900 }, 2),
        (GENERALIZED_TIME, 14) => (number(0..4), 4),
        _ => return None,
    };
    let at = |place: usize| number(rest + 2 * place..rest + 2 * place + 2);
    let (month, day, hour, minute, second) = (at(0), at(1), at(2), at(3), at(4));
    let fits = (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day);
    (fits && hour < 24 && minute < 60 && second < 60)
        .then(|| ((days_before(year, month) + day - 1) * 24 + hour) * 3_600 + minute * 60 + second)
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to the first of a month of the Gregorian calendar.
fn days_before(year: i64, month: i64) -> i64 {
    let before = year - 1;
    let years = 365 * year + before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400);
    years + (1..month).map(|month| days_in(year, month)).sum::<i64>() - 719_527
}
