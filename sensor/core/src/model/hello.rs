//! What the beginnings of encrypted sessions say, as it leaves the core.

/// A ClientHello as it leaves the core.
#[derive(Debug, PartialEq, Eq)]
pub struct ClientFacts {
    pub sni: Vec<u8>,
    pub alpn: Vec<Vec<u8>>,
    pub versions: Vec<u16>,
    pub ciphers: usize,
    pub ja3: String,
    pub ja4: String,
    pub length: usize, // of the message with its header
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
