//! Which names somebody asks for, and what stands for whom in a name. The rules are those of `sensor/model/domain.py`,
//! which both cores have; docs/border.md, "Ordinary names".

use std::collections::HashSet;

/// RFC 1035 section 2.3.4.
pub const MAX_NAME: usize = 255;
const MAX_LABEL: usize = 63;
/// Second levels that registries of countries give domains under.
const SECOND_LEVELS: [&[u8]; 17] = [
    b"co", b"com", b"net", b"org", b"gov", b"edu", b"ac", b"or", b"ne", b"go", b"gob", b"mil", b"nom", b"idv", b"ltd",
    b"plc", b"in",
];
const COUNTRY_LETTERS: usize = 2;

/// What a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameKind {
    Listed,
    Ordinary,
    NoHost, // what it says is no name of a host
}

/// Names that are asked for, by their suffixes of whole labels; None: any name is.
#[derive(Default)]
pub struct ListedNames(Option<HashSet<Vec<u8>>>);

impl ListedNames {
    pub fn new(suffixes: Option<Vec<Vec<u8>>>) -> ListedNames {
        ListedNames(suffixes.map(|all| all.into_iter().collect()))
    }

    /// Whether there are names that nobody asks for.
    pub fn are_some(&self) -> bool {
        self.0.is_some()
    }

    /// What a name is as it was sent.
    pub fn kind(&self, sent: &[u8]) -> NameKind {
        let mut buffer = [0; MAX_NAME];
        host(sent, &mut buffer).map_or(NameKind::NoHost, |host| self.kind_of_host(host))
    }

    /// What the name of a host is, in lower case and without last dots.
    pub fn kind_of_host(&self, host: &[u8]) -> NameKind {
        let Some(suffixes) = &self.0 else { return NameKind::Listed };
        let mut rest = Some(host);
        while let Some(suffix) = rest {
            if suffixes.contains(suffix) {
                return NameKind::Listed;
            }
            rest = suffix.iter().position(|byte| *byte == b'.').map(|dot| &suffix[dot + 1..]);
        }
        NameKind::Ordinary
    }
}

/// A name in lower case and without last dots, if it is that of a host: labels of letters, digits, hyphens and low
/// lines, at least two, of which the last is no number.
pub fn host<'a>(sent: &[u8], buffer: &'a mut [u8; MAX_NAME]) -> Option<&'a [u8]> {
    let lower = buffer.get_mut(..sent.len())?;
    lower.copy_from_slice(sent);
    lower.make_ascii_lowercase();
    let end = lower.iter().rposition(|byte| *byte != b'.').map_or(0, |last| last + 1);
    let name = &buffer[..end];
    let is_label = |label: &[u8]| {
        (1..=MAX_LABEL).contains(&label.len())
            && label[0] != b'-'
            && label.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
    };
    let mut last: &[u8] = &[];
    let mut labels = 0;
    for label in name.split(|byte| *byte == b'.') {
        if !is_label(label) {
            return None;
        }
        (last, labels) = (label, labels + 1);
    }
    (labels > 1 && !last.iter().all(u8::is_ascii_digit)).then_some(name)
}

/// The domain that a host belongs to: its last two labels, or three below a country's second level. All of a host that
/// has no more than such a suffix.
pub fn domain(host: &[u8]) -> &[u8] {
    let mut dots = host.iter().enumerate().rev().filter(|(_, byte)| **byte == b'.').map(|(at, _)| at);
    let Some(last) = dots.next() else { return host };
    let second = dots.next().map_or(0, |dot| dot + 1);
    let is_deep = host.len() - last - 1 == COUNTRY_LETTERS && SECOND_LEVELS.contains(&&host[second..last]);
    let begin = if is_deep { dots.next().map_or(0, |dot| dot + 1) } else { second };
    &host[begin..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listed_name_is_one_by_whole_labels() {
        let names = ListedNames::new(Some(vec![b"pool.example".to_vec(), b"f2pool.com".to_vec()]));
        for name in [&b"pool.example"[..], b"eu.POOL.example.", b"a.b.f2pool.com"] {
            assert_eq!(names.kind(name), NameKind::Listed);
        }
        for name in [&b"whirlpool.example"[..], b"example.com", b"pool.example.org"] {
            assert_eq!(names.kind(name), NameKind::Ordinary);
        }
        let long = [b"a.".as_slice(), &[b'b'; 254]].concat();
        for name in [&b""[..], b"pool", b"-a.b", b"a..b", b"192.0.2.1", b"a b.c", b"\xff.com", b"...", &long] {
            assert_eq!(names.kind(name), NameKind::NoHost, "{name:?}");
        }
        assert_eq!(ListedNames::default().kind(b"example.com"), NameKind::Listed);
    }

    #[test]
    fn a_domain_is_what_somebody_registered() {
        let pairs = [
            ("a.b.example.com", "example.com"),
            ("example.com", "example.com"),
            ("www.example.co.uk", "example.co.uk"),
            ("x.example.uk", "example.uk"),
            ("co.uk", "co.uk"),
        ];
        for (host, registered) in pairs {
            assert_eq!(domain(host.as_bytes()), registered.as_bytes());
        }
    }
}
