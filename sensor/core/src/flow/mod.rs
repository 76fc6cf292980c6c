//! From segments to events: the flow table, the gates, and the assemblers of the flows that passed one.

pub mod assembler;
pub mod candidate;
pub mod doubt;
pub mod gate;
pub mod handshake;
pub mod holdings;
pub mod order;
pub mod path;
pub mod patience;
pub mod prefilter;
pub mod readings;
pub mod stream;
pub mod table;
pub mod timeouts;
pub mod worker;
