//! What the beginnings of encrypted sessions say in clear: hellos, certificates, fingerprints. Pure functions of bytes;
//! what cannot be read is None.

pub mod addresses;
pub mod certificate;
pub mod dns;
pub mod fingerprint;
pub mod hello;
pub mod listed;
pub mod memo;
pub mod quic;
pub mod reader;
