//! What the answer to a DNS question says, as it leaves the core.

use std::sync::Arc;

/// What of it the message says.
#[derive(Debug, PartialEq, Eq)]
pub struct AnswerFacts {
    bytes: Vec<u8>, // the name, and behind it the addresses, each with its length before it
    name_length: usize,
    pub count: usize, // addresses
    pub ttl_s: u32,
}

impl AnswerFacts {
    /// An answer that has no address yet, for a name in lower case, without the last dot.
    pub fn new(name: Vec<u8>) -> AnswerFacts {
        AnswerFacts { name_length: name.len(), bytes: name, count: 0, ttl_s: u32::MAX }
    }

    pub fn add(&mut self, address: &[u8]) {
        self.bytes.push(address.len() as u8);
        self.bytes.extend_from_slice(address);
        self.count += 1;
    }

    /// The name and the addresses, as they are held.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// An empty vector to write others into.
    pub fn into_spare(mut self) -> Vec<u8> {
        self.bytes.clear();
        self.bytes
    }

    pub fn name(&self) -> &[u8] {
        &self.bytes[..self.name_length]
    }

    /// The addresses one by one, of 4 or 16 bytes.
    pub fn addresses(&self) -> Vec<&[u8]> {
        let (mut rest, mut found) = (&self.bytes[self.name_length..], Vec::with_capacity(self.count));
        while let Some((address, after)) =
            rest.split_first().and_then(|(length, rest)| rest.split_at_checked((*length).into()))
        {
            found.push(address);
            rest = after;
        }
        found
    }
}

/// An answer, to whom and by whom.
#[derive(Debug)]
pub struct DnsAnswer {
    pub ts_ns: u64,
    pub client: [u8; 16],
    pub server: [u8; 16],
    pub v6: bool,
    pub facts: AnswerFacts,
    pub vlans: ([u16; 4], u8), // and how many
    pub source: Option<Arc<str>>,
}
