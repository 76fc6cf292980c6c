//! The part of minewatch that runs once per packet: capture, decode, flow table, prefilter, assembler.
//! docs/border.md is its specification.
//!
//! Imports go down this order, never up and never in a circle (`tests/layout/test_core_layout.py`):
//!
//! ```text
//! python            the border; the only folder that knows Python, and only with the feature of that name
//! bench             times each step alone
//! threads           the reader, the workers, the queue to whoever polls
//! flow              flow table, gates, assemblers
//! names             hellos and certificates of encrypted sessions, of QUIC too, and DNS, read
//! wire | capture    frame to segment | files and interfaces; neither knows the other
//! sandbox           what the process may still do; knows none of the others
//! model             plain data: events, counters, limits
//! ```

pub mod bench;
pub mod capture;
pub mod flow;
pub mod model;
pub mod names;
#[cfg(target_os = "linux")]
pub mod sandbox;
pub mod threads;
pub mod wire;

#[cfg(feature = "python")]
mod python;
