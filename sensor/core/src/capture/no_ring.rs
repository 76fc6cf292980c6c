//! Stands for `ring` where the system has no such sockets: every interface is refused.

use std::sync::Arc;

use crate::capture::interface::{Figures, Leaving, Options, Unopened};
use crate::capture::packet::{Block, Packet, Problem};

pub struct Interface {
    pub source: Arc<str>,
    pub wait: bool,
    pub figures: Arc<Figures>,
    pub cpu: Option<usize>,
    pub leaving: Arc<Leaving>,
}

impl Interface {
    pub fn open(_name: &str, _options: &Options, _wait: bool, _figures: Arc<Figures>) -> Result<Interface, Problem> {
        Err(refused())
    }

    pub fn open_queues(
        _name: &str,
        _options: &Options,
        _wait: bool,
        _figures: &[Arc<Figures>],
        _seed: u32,
    ) -> Result<Vec<Interface>, Unopened> {
        Err(Unopened::Problem(refused()))
    }

    pub fn work(&mut self, _source: u16, _work: impl FnOnce(&[u8], &[Packet])) -> bool {
        false
    }

    pub fn take(&mut self, _source: u16, _out: &mut Block, _enough: usize) -> bool {
        false
    }

    pub fn refresh(&mut self) -> bool {
        true
    }

    pub fn stop(&self) {}
}

pub fn wait_for<'a>(_interfaces: impl Iterator<Item = &'a Interface>, _timeout_ms: i32) -> bool {
    false
}

fn refused() -> Problem {
    Problem { reason: "interfaces are listened to under Linux only".into(), offset: 0 }
}

pub fn bind_thread(_cpu: usize) -> bool {
    false
}
