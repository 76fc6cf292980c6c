//! What leaves a worker: plain data, turned into Python's tuples only at the border.

use std::sync::Arc;

use crate::model::answer::{AnswerFacts, DnsAnswer};
use crate::model::hello::{CertificateFacts, ClientFacts, ServerFacts};

#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub enum Basis {
    Syn,
    Port,
    #[default]
    FirstSeen,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    Fin,
    Rst,
    Idle,
    Evicted,
    Reused,
    End,
    Fat,  // of an encrypted session alone
    Read, // of one of QUIC alone
}

impl Basis {
    /// In their order.
    pub const ALL: [Basis; 3] = [Basis::Syn, Basis::Port, Basis::FirstSeen];

    pub fn name(self) -> &'static str {
        match self {
            Basis::Syn => "syn",
            Basis::Port => "port",
            Basis::FirstSeen => "first-seen",
        }
    }
}

impl Reason {
    /// In their order.
    pub const ALL: [Reason; 8] = [
        Reason::Fin,
        Reason::Rst,
        Reason::Idle,
        Reason::Evicted,
        Reason::Reused,
        Reason::End,
        Reason::Fat,
        Reason::Read,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Reason::Fin => "fin",
            Reason::Rst => "rst",
            Reason::Idle => "idle",
            Reason::Evicted => "evicted",
            Reason::Reused => "reused",
            Reason::End => "end",
            Reason::Fat => "fat",
            Reason::Read => "read",
        }
    }
}

/// A direction's TCP timestamps: the first, and the first packet that carried the highest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    pub first_ns: u64,
    pub first_tsval: u32,
    pub last_ns: u64,
    pub last_tsval: u32,
}

impl Clock {
    /// Take in another timestamp; what does not go forward (modulo 2^32) changes nothing.
    pub fn update(clock: &mut Option<Clock>, ts_ns: u64, tsval: u32) {
        match clock {
            None => *clock = Some(Clock { first_ns: ts_ns, first_tsval: tsval, last_ns: ts_ns, last_tsval: tsval }),
            Some(clock) if (tsval.wrapping_sub(clock.last_tsval) as i32) > 0 => {
                (clock.last_ns, clock.last_tsval) = (ts_ns, tsval);
            }
            Some(_) => {}
        }
    }
}

/// What a direction's headers tell of its sender, while the gate was open.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct PathFacts {
    pub ack_advances: u32, // times the acknowledgement number moved forward
    pub acked_bytes: u64,  // by which it moved, in all
    pub ttl_changes: u32,  // packets whose time to live is not that of the packet before
    pub mac_changes: u32,  // the same of the Ethernet source
}

#[derive(Debug)]
pub struct Open {
    pub flow: u64,
    pub ts_ns: u64,
    pub proto: u8,
    pub originator: (Vec<u8>, u16),
    pub responder: (Vec<u8>, u16),
    pub basis: Basis,
    pub midstream: bool,
    pub first_ns: u64,
    pub vlans: Vec<u16>,
    pub source: Arc<str>,
    pub packets: (u32, u32),
}

#[derive(Debug)]
pub struct Close {
    pub flow: u64,
    pub ts_ns: u64,
    pub reason: Reason,
    pub first_ns: u64,
    pub last_ns: u64,
    pub packets: (u32, u32),
    pub bytes: (u64, u64),
    pub gap_bytes: u64,
    pub bad_checksums: u64,
    pub clocks: [Option<Clock>; 2],
    pub paths: [PathFacts; 2],
}

/// What an encrypted session's records are.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub enum SessionKind {
    #[default]
    Tls,
    Noise,
    Quic,
}

impl SessionKind {
    /// In their order.
    pub const ALL: [SessionKind; 3] = [SessionKind::Tls, SessionKind::Noise, SessionKind::Quic];

    pub fn name(self) -> &'static str {
        match self {
            SessionKind::Tls => "tls",
            SessionKind::Noise => "noise",
            SessionKind::Quic => "quic",
        }
    }
}

/// An end of a flow; the first four bytes are the address of IPv4.
#[derive(Clone, Copy, Default, Debug)]
pub struct End {
    pub address: [u8; 16],
    pub v6: bool,
    pub port: u16,
}

impl End {
    pub fn address(&self) -> &[u8] {
        &self.address[..if self.v6 { 16 } else { 4 }]
    }
}

#[derive(Default, Debug)]
pub struct EncryptedOpen {
    pub flow: u64,
    pub ts_ns: u64,
    pub kind: SessionKind,
    pub originator: End,
    pub responder: End,
    pub basis: Basis,
    pub midstream: bool,
    pub first_ns: u64,
    pub vlans: ([u16; 4], u8), // and how many
    pub source: Option<Arc<str>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealedRecord {
    pub ts_ns: u64,
    pub direction: u8,
    pub content_type: u8,
    pub length: u16,
    pub gap: bool,
}

#[derive(Debug)]
pub struct EncryptedClose {
    pub flow: u64,
    pub ts_ns: u64,
    pub reason: Reason,
    pub records: (u32, u32),
    pub resynchronised: u32,
}

#[derive(Debug)]
pub enum Event {
    Open(Box<Open>),
    Chunk {
        flow: u64,
        ts_ns: u64,
        direction: u8,
        offset: u64,
        gap: u64,
        data: Vec<u8>,
        base_seq: Option<u32>,
        ack_advances: u32,
        acked_bytes: u64,
    },
    Hit {
        flow: u64,
        ts_ns: u64,
        direction: u8,
        offset: u64,
        literal: usize,
    },
    Shape {
        flow: u64,
        ts_ns: u64,
        direction: u8,
        shape: usize,
        score: f64,
    },
    Close(Box<Close>),
    EncryptedOpen(Box<EncryptedOpen>),
    ClientHello {
        flow: u64,
        ts_ns: u64,
        direction: u8,
        facts: Box<ClientFacts>,
    },
    ServerHello {
        flow: u64,
        ts_ns: u64,
        direction: u8,
        facts: ServerFacts,
    },
    ServerCertificate {
        flow: u64,
        ts_ns: u64,
        direction: u8,
        facts: Arc<CertificateFacts>,
    },
    Records {
        flow: u64,
        ts_ns: u64,
        counts: [u32; 2],
        records: Vec<SealedRecord>,
    },
    EncryptedClose(EncryptedClose),
    NamelessSession {
        ts_ns: u64,
        client: Option<u8>, // whose side sent a hello
        opened: Box<EncryptedOpen>,
    },
    DnsAnswer(Box<DnsAnswer>),
    AddressNamed {
        ts_ns: u64,
        facts: Box<AnswerFacts>,
    },
    End {
        source: Arc<str>,
        packets: u64,
        error: Option<String>,
        offset: u64,
        stretches: Vec<(u64, u64)>,
    },
}

/// Boxes of events that were handed on: one of each comes with every TLS connection, and is made in one thread and used
/// up in another.
#[derive(Default)]
pub struct Spent {
    pub opens: Vec<Box<EncryptedOpen>>,
    pub hellos: Vec<Box<ClientFacts>>,
}

impl Spent {
    pub fn is_empty(&self) -> bool {
        self.opens.is_empty() && self.hellos.is_empty()
    }

    pub fn clear(&mut self) {
        self.opens.clear();
        self.hellos.clear();
    }
}

impl Event {
    /// Whether it is one of an encrypted session, or an answer of DNS.
    pub fn is_of_session(&self) -> bool {
        matches!(
            self,
            Event::EncryptedOpen(_)
                | Event::ClientHello { .. }
                | Event::ServerHello { .. }
                | Event::ServerCertificate { .. }
                | Event::Records { .. }
                | Event::EncryptedClose(_)
                | Event::NamelessSession { .. }
                | Event::DnsAnswer(_)
                | Event::AddressNamed { .. }
        )
    }

    /// Bytes of a stream that it carries.
    pub fn stream_bytes(&self) -> usize {
        match self {
            Event::Chunk { data, .. } => data.len(),
            _ => 0,
        }
    }
}
