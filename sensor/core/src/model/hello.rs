//! What the beginnings of encrypted sessions say, as it leaves the core.

/// Protocols and versions of a hello that are handed on.
pub const MAX_LISTED: usize = 16;

/// A ClientHello as it leaves the core.
#[derive(Debug, PartialEq, Eq)]
pub struct ClientFacts {
    pub names: Vec<u8>, // the SNI, and behind it the protocols, each with its length before it
    pub sni_length: usize,
    pub versions: [u16; MAX_LISTED],
    pub version_count: usize,
    pub ciphers: usize,
    pub ja3: [u8; 32],
    pub ja4: [u8; 36],
    pub length: usize, // of the message with its header
    pub ech: bool,     // another hello is sealed in it
}

impl Default for ClientFacts {
    fn default() -> ClientFacts {
        ClientFacts {
            names: Vec::new(),
            sni_length: 0,
            versions: [0; MAX_LISTED],
            version_count: 0,
            ciphers: 0,
            ja3: [0; 32],
            ja4: [0; 36],
            length: 0,
            ech: false,
        }
    }
}

impl ClientFacts {
    pub fn sni(&self) -> &[u8] {
        &self.names[..self.sni_length]
    }

    /// The protocols, each with its length before it.
    pub fn alpn(&self) -> &[u8] {
        &self.names[self.sni_length..]
    }

    /// The protocols one by one.
    pub fn protocols(&self) -> Vec<&[u8]> {
        let (mut rest, mut found) = (self.alpn(), Vec::new());
        while let Some((name, after)) =
            rest.split_first().and_then(|(length, rest)| rest.split_at_checked((*length).into()))
        {
            found.push(name);
            rest = after;
        }
        found
    }

    /// The versions one by one.
    pub fn versions(&self) -> &[u16] {
        &self.versions[..self.version_count]
    }
}

/// A ServerHello as it leaves the core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerFacts {
    pub version: u16,
    pub cipher: u16,
    pub alpn: Vec<u8>,
    pub retry: bool, // a HelloRetryRequest
}

/// A certificate as it leaves the core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFacts {
    pub names: Vec<Vec<u8>>,
    pub subject: Vec<u8>,
    pub issuer: Vec<u8>,
    pub self_signed: bool,
    pub not_before_s: i64,
    pub not_after_s: i64,
}
