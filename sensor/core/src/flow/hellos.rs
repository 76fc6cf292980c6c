//! The handshake messages of a direction that are in clear, collected until what they say is read.

use std::cell::RefCell;
use std::sync::Arc;

use crate::model::hello::{CertificateFacts, ClientFacts, ServerFacts};
use crate::names::fingerprint::Transport;
use crate::names::hello::{self, TLS_1_3};
use crate::names::memo;
use crate::names::reader::Bytes;

/// What both directions of a flow collect at once.
pub const MAX_COLLECTED: usize = 16_384;
/// Handshake types (RFC 8446 section 4) and content types.
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const CERTIFICATE: u8 = 11;
const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
/// A message's header; and in front of the first certificate the lengths of the list and of it.
const MESSAGE_HEADER: usize = 4;
const BEFORE_LEAF: usize = 10;

/// Buffers of a thread that nobody needs for now, of at most 16 KB each.
const MAX_BUFFERS: usize = 64;

thread_local! {
    static BUFFERS: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub enum Reading {
    Client(Box<ClientFacts>),
    Server(ServerFacts),
    Certificate(Arc<CertificateFacts>),
    Lost, // a hello that will not be read
}

#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
enum Stage {
    Expects, // the first message says who it is
    Client,
    Server,
    Certifies, // a version up to TLS 1.2 was chosen
    #[default]
    Done,
}

/// One direction.
#[derive(Default)]
pub struct Collector {
    stage: Stage,
    buffer: Vec<u8>,
}

impl Collector {
    /// One that waits for the direction's beginning.
    pub fn waiting() -> Collector {
        Collector { stage: Stage::Expects, buffer: Vec::new() }
    }

    pub fn is_on(&self) -> bool {
        self.stage != Stage::Done
    }

    /// Nothing was collected yet.
    pub fn is_untouched(&self) -> bool {
        self.stage == Stage::Expects && self.buffer.is_empty()
    }

    pub fn bytes(&self) -> usize {
        self.buffer.len()
    }

    /// Collect no more. A hello that was not read is lost.
    pub fn give_up(&mut self) -> Option<Reading> {
        let stage = self.stage;
        self.finish();
        matches!(stage, Stage::Expects | Stage::Client | Stage::Server).then_some(Reading::Lost)
    }

    /// Nothing more is collected; the buffer is lent to others.
    pub fn finish(&mut self) {
        let mut buffer = std::mem::take(self).buffer;
        if buffer.capacity() > 0 {
            buffer.clear();
            BUFFERS.with_borrow_mut(|kept| {
                if kept.len() < MAX_BUFFERS {
                    kept.push(buffer);
                }
            });
        }
    }

    /// A record of that type begins.
    pub fn begin_record(&mut self, kind: u8) -> Option<Reading> {
        match kind {
            HANDSHAKE | ALERT => None,
            CHANGE_CIPHER_SPEC if self.stage != Stage::Certifies => None,
            _ => self.give_up(),
        }
    }

    /// Bytes of a handshake record, with room for `room` in all.
    pub fn feed(&mut self, mut bytes: &[u8], room: usize, out: &mut impl Extend<Reading>) {
        if self.is_untouched() && bytes.len() <= room {
            // most hellos lie in one segment, and are read where they are
            if let Some(found) = self.read_at_once(bytes) {
                out.extend(Some(found));
                return;
            }
        }
        while self.is_on() && !bytes.is_empty() {
            let (taken, rest) = bytes.split_at(bytes.len().min(room.saturating_sub(self.buffer.len())));
            if taken.is_empty() {
                out.extend(self.give_up());
                return;
            }
            if self.buffer.capacity() == 0 {
                self.buffer = BUFFERS.with_borrow_mut(Vec::pop).unwrap_or_default();
            }
            self.buffer.extend_from_slice(taken);
            bytes = rest;
            while self.is_on() && self.read(out) {}
        }
    }

    /// A hello that ends the collecting, and all of which is here.
    fn read_at_once(&mut self, bytes: &[u8]) -> Option<Reading> {
        let mut rest = Bytes(bytes);
        let kind = rest.number(1)? as u8;
        let body = rest.vector(3)?;
        let found = match kind {
            CLIENT_HELLO => hello::read_client(body, Transport::Tcp).map_or(Reading::Lost, Reading::Client),
            SERVER_HELLO => {
                let facts = hello::read_server(body).filter(|facts| !facts.retry && facts.version >= TLS_1_3);
                Reading::Server(facts?)
            }
            _ => return None,
        };
        self.stage = Stage::Done;
        Some(found)
    }

    /// Read the first message; false if it is not whole.
    fn read(&mut self, out: &mut impl Extend<Reading>) -> bool {
        let Some(&kind) = self.buffer.first() else { return false };
        if self.stage == Stage::Expects {
            match kind {
                CLIENT_HELLO => self.stage = Stage::Client,
                SERVER_HELLO => self.stage = Stage::Server,
                _ => {
                    out.extend(self.give_up());
                    return false;
                }
            }
        }
        let mut rest = Bytes(&self.buffer[1..]);
        let Some(length) = rest.number(3) else { return false };
        if self.stage == Stage::Certifies && kind == CERTIFICATE {
            return self.read_certificate(length, out);
        }
        let Some(body) = rest.take(length) else {
            if MESSAGE_HEADER + length > MAX_COLLECTED {
                out.extend(self.give_up());
            }
            return false;
        };
        match (self.stage, kind) {
            (Stage::Client, _) => {
                let found = hello::read_client(body, Transport::Tcp).map(Reading::Client);
                out.extend(Some(found.unwrap_or(Reading::Lost)));
                self.finish();
                return false;
            }
            (Stage::Server, SERVER_HELLO) => match hello::read_server(body) {
                Some(facts) if facts.retry => {}
                Some(facts) => {
                    self.stage = if facts.version >= TLS_1_3 { Stage::Done } else { Stage::Certifies };
                    out.extend(Some(Reading::Server(facts)));
                }
                None => {
                    out.extend(self.give_up());
                    return false;
                }
            },
            _ => {}
        }
        if self.is_on() {
            self.buffer.drain(..MESSAGE_HEADER + length);
        } else {
            self.finish();
        }
        true
    }

    /// The first certificate, as soon as it is whole.
    fn read_certificate(&mut self, length: usize, out: &mut impl Extend<Reading>) -> bool {
        let mut rest = Bytes(&self.buffer[MESSAGE_HEADER..]);
        let (Some(_), Some(leaf)) = (rest.number(3), rest.number(3)) else {
            if length < BEFORE_LEAF - MESSAGE_HEADER {
                self.finish();
            }
            return false;
        };
        let fits = BEFORE_LEAF - MESSAGE_HEADER + leaf <= length && BEFORE_LEAF + leaf <= MAX_COLLECTED;
        match rest.take(leaf) {
            Some(der) if fits => {
                out.extend(memo::certificate(der).map(Reading::Certificate));
                self.finish();
            }
            _ if !fits => self.finish(),
            _ => {}
        }
        false
    }
}
