//! Plain data that every part of the core may use: events, counters, limits.

pub mod answer;
pub mod event;
pub mod hello;
pub mod limits;
pub mod stats;
