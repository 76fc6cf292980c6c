//! Stands for `ring` where the system has no such sockets: every interface is refused.

use std::sync::Arc;

use crate::capture::interface::{Figures, Options};
use crate::capture::packet::{Block, Problem};

pub struct Interface {
    pub source: Arc<str>,
    pub wait: bool,
    pub figures: Arc<Figures>,
}

impl Interface {
    pub fn open(_name: &str, _options: &Options, _wait: bool, _figures: Arc<Figures>) -> Result<Interface, Problem> {
        Err(Problem { reason: "interfaces are listened to under Linux only".into(), offset: 0 })
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
