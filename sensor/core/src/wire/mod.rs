//! From a frame's bytes to a segment. Knows neither flows nor where frames come from.

pub mod decode;
pub mod exclusions;
pub mod flow_hash;
pub mod fragments;
pub mod layer;
pub mod peek;
pub mod plain;
pub mod segment;
pub mod tunnel;
