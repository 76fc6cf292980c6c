//! Where packets come from: captures and interfaces, read in blocks. Knows nothing of what frames hold.

mod assembler;
pub mod fanout;
pub mod file;
mod input;
pub mod interface;
mod lz4;
pub mod packet;
mod pcap;
mod pcapng;
#[cfg(target_os = "linux")]
pub mod ring;
#[cfg(not(target_os = "linux"))]
#[path = "no_ring.rs"]
pub mod ring;
#[cfg(target_os = "linux")]
mod socket;
mod streams;
pub mod stretches;
