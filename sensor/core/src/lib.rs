//! The part of minewatch that runs once per packet: capture, decode, flow table, prefilter, assembler. See ARCHITECTURE.md, "The border".
//! Only `python` knows Python, and only with the feature of that name.

pub mod assembler;
pub mod bench;
pub mod candidate;
pub mod capture;
pub mod decode;
pub mod engine;
pub mod event;
pub mod exclusions;
pub mod flow;
pub mod fragments;
pub mod gate;
pub mod limits;
mod live;
pub mod peek;
pub mod prefilter;
pub mod queue;
mod reader;
pub mod segment;
pub mod stats;
pub mod tunnel;
pub mod worker;

#[cfg(feature = "python")]
mod python;
