//! The threads of a core, and what passes between them.

pub mod engine;
pub mod queue;

mod ahead;
mod dispatch;
mod live;
mod message;
mod packet_decoder;
mod reader;
mod shared;
mod sweep;
mod worker_thread;
