//! From segments to events: the flow table, the gates, and the assemblers of the flows that passed one.

pub mod assembler;
pub mod candidate;
pub mod doubt;
pub mod gate;
pub mod handshake;
pub mod hellos;
pub mod holdings;
pub mod initials;
pub mod lookups;
pub mod order;
pub mod path;
pub mod patience;
pub mod place;
pub mod prefilter;
pub mod quic;
pub mod quiet;
pub mod readings;
pub mod recorder;
pub mod sealed;
pub mod sessions;
pub mod stream;
pub mod sums;
pub mod table;
pub mod timeouts;
pub mod worker;
