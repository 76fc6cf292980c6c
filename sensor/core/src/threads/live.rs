//! Interfaces, all read at once and put in one order of time. What distinguishes a wire from a file is here: packets
//! that are still to come on another interface, an idle link whose flows must end all the same, interfaces that go
//! away. Packets of one interface are worked on in the kernel's ring; where others may come with an earlier one, or
//! workers have threads of their own, they are copied out.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::capture::interface::{DELETED, RETIRE_MS};
use crate::capture::packet::Block;
use crate::capture::ring::{bind_thread, wait_for, Interface};
use crate::model::event::Event;
use crate::model::stats::Counter;
use crate::threads::dispatch::Dispatcher;
use crate::threads::message::Item;

/// How long a round waits for a packet; everything that goes by the clock is done this often.
const ROUND_MS: i32 = 50;
/// Bytes taken from one interface before the next has its turn.
const ENOUGH_BYTES: usize = 4 << 20;
/// Blocks worked on in one interface's ring before what goes by the clock has its turn.
const ENOUGH_BLOCKS: usize = 4;
/// Two ports may show the two directions of a link. A packet is passed on when no other interface can still come with
/// an earlier one.
const HOLD_NS: u64 = (2 * RETIRE_MS as u64 + 30) * 1_000_000;
/// More than this is not held: then the machine is behind, and order matters less.
const HELD_BYTES: usize = 32 << 20;
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// After this the kernel has handed over what it had.
const LAST_BLOCK: Duration = Duration::from_millis(4 * RETIRE_MS as u64);

/// The interfaces that the reader listens to.
#[derive(Default)]
pub struct Live {
    interfaces: Vec<(u16, Interface)>, // with their places in `names`
    names: Vec<Arc<str>>,
    held: Block,
    last_check: Option<Instant>,
}

impl Live {
    pub fn is_idle(&self) -> bool {
        self.interfaces.is_empty()
    }

    /// Whether a full queue makes reading wait: only if every interface may wait.
    fn waits(&self) -> bool {
        self.interfaces.iter().all(|(_, interface)| interface.wait)
    }

    /// Take what came, in order of time.
    fn take(&mut self) -> bool {
        let mut taken = false;
        for (number, interface) in &mut self.interfaces {
            let enough = self.held.bytes.len() + ENOUGH_BYTES;
            taken |= interface.take(*number, &mut self.held, enough);
        }
        if self.interfaces.len() > 1 {
            self.held.packets.sort_by_key(|packet| packet.ts_ns); // stable
        }
        taken
    }

    /// The time of each interface's newest packet in a block.
    fn newest(&self, block: &Block) -> Vec<Option<u64>> {
        let newest =
            |number: u16| block.packets.iter().rev().find(|packet| packet.source == number).map(|packet| packet.ts_ns);
        self.interfaces.iter().map(|(number, _)| newest(*number)).collect()
    }

    /// Cut off what may be passed on, all interfaces having been polled at `polled_ns`; the rest stays.
    fn take_due(&mut self, polled_ns: u64) -> Block {
        let horizon = polled_ns.saturating_sub(HOLD_NS);
        let whole = self.interfaces.len() < 2 || self.held.bytes.len() > HELD_BYTES;
        let due = if whole {
            self.held.packets.len()
        } else {
            self.held.packets.partition_point(|packet| packet.ts_ns < horizon)
        };
        let mut rest = Block::default();
        rest.append(&self.held.bytes, &self.held.packets[due..]);
        self.held.packets.truncate(due);
        std::mem::replace(&mut self.held, rest)
    }

    /// Listen to one more interface.
    pub fn join(&mut self, dispatcher: &mut Dispatcher, interface: Interface) {
        let names = &mut self.names;
        let place = names.iter().position(|name| *name == interface.source);
        let number = place.unwrap_or(names.len()) as u16;
        if place.is_none() {
            names.push(interface.source.clone());
        }
        let (names, wait) = (Arc::from(names.as_slice()), interface.wait);
        if let Some(cpu) = interface.cpu {
            interface.figures.pinned.store(u64::from(bind_thread(cpu)), Relaxed);
        }
        self.interfaces.push((number, interface));
        dispatcher.broadcast(vec![Item::Sources(names)], None, wait);
    }

    /// Wait a little, take what came, and do what the clock asks for.
    pub fn round(&mut self, dispatcher: &mut Dispatcher) {
        let mut check_due = wait_for(self.interfaces.iter().map(|(_, interface)| interface), ROUND_MS);
        self.go_on(dispatcher);
        dispatcher.decoder.stats.add(Counter::Ticks, 1);
        dispatcher.shared.hang_if_faulty(&dispatcher.decoder.stats);
        check_due |= self.last_check.is_none_or(|at| at.elapsed() >= CHECK_INTERVAL);
        if check_due {
            self.last_check = Some(Instant::now());
            self.remove_gone(dispatcher);
        }
    }

    /// Take what came and pass on what may be. True if anything came.
    fn go_on(&mut self, dispatcher: &mut Dispatcher) -> bool {
        let polled_ns = now_ns();
        if self.interfaces.len() == 1 && self.held.packets.is_empty() && dispatcher.is_inline() {
            return self.work_in_place(dispatcher, polled_ns);
        }
        let taken = self.take();
        self.pass_on(dispatcher, polled_ns);
        taken
    }

    /// Work on what the one interface's ring has, where it lies. True if it had anything.
    fn work_in_place(&mut self, dispatcher: &mut Dispatcher, polled_ns: u64) -> bool {
        let Some((number, interface)) = self.interfaces.first_mut() else { return false };
        let (mut newest, wait, mut blocks) = (None, interface.wait, 0);
        while blocks < ENOUGH_BLOCKS
            && interface.work(*number, |bytes, packets| {
                dispatcher.work_in_place(bytes, packets, wait);
                newest = packets.last().map(|packet| packet.ts_ns).or(newest);
            })
        {
            blocks += 1;
            if let Some(ts_ns) = newest {
                interface.figures.note_handled(ts_ns, now_ns());
            }
        }
        sweep_by_clock(dispatcher, newest, polled_ns, wait);
        blocks > 0
    }

    /// Pass on what may be of what was there at `polled_ns`, and sweep by the clock what no packet sweeps.
    fn pass_on(&mut self, dispatcher: &mut Dispatcher, polled_ns: u64) {
        let mut block = self.take_due(polled_ns);
        let wait = self.waits();
        let newest = block.packets.last().map(|packet| packet.ts_ns);
        let each = self.newest(&block);
        dispatcher.dispatch(&mut block, wait);
        if self.held.bytes.is_empty() {
            block.bytes.clear();
            block.packets.clear();
            self.held = block; // its memory is used again
        }
        sweep_by_clock(dispatcher, newest, polled_ns, wait);
        for ((_, interface), newest) in self.interfaces.iter().zip(each) {
            if let Some(ts_ns) = newest {
                interface.figures.note_handled(ts_ns, now_ns());
            }
        }
    }

    /// Remove interfaces that are gone, after what is still in their rings. Their flows stay: an interface of that
    /// name may come back.
    fn remove_gone(&mut self, dispatcher: &mut Dispatcher) {
        let present: Vec<bool> = self.interfaces.iter_mut().map(|(_, interface)| interface.refresh()).collect();
        if present.iter().all(|present| *present) {
            return;
        }
        std::thread::sleep(LAST_BLOCK);
        self.take();
        self.flush(dispatcher);
        let all = std::mem::take(&mut self.interfaces);
        for ((number, mut interface), present) in all.into_iter().zip(present) {
            if present {
                self.interfaces.push((number, interface));
            } else {
                interface.refresh();
                end(dispatcher, &interface, Some(DELETED.into()));
            }
        }
    }

    /// Listen no more: take what is still in the rings, and report the end of each interface.
    pub fn finish(&mut self, dispatcher: &mut Dispatcher) {
        self.interfaces.iter().for_each(|(_, interface)| interface.stop());
        let last = Instant::now() + LAST_BLOCK;
        while !self.interfaces.is_empty() && !dispatcher.shared.queue.is_closed() {
            wait_for(self.interfaces.iter().map(|(_, interface)| interface), RETIRE_MS as i32);
            let taken = self.go_on(dispatcher);
            if !taken && Instant::now() >= last {
                break;
            }
        }
        self.flush(dispatcher);
        for (_, mut interface) in std::mem::take(&mut self.interfaces) {
            interface.refresh();
            end(dispatcher, &interface, None);
        }
    }

    /// Pass on what is held.
    fn flush(&mut self, dispatcher: &mut Dispatcher) {
        let wait = self.waits();
        let mut rest = std::mem::take(&mut self.held);
        dispatcher.dispatch(&mut rest, wait);
    }
}

/// Sweep what no packet has swept: by the newest one's time, or by the clock where none came.
fn sweep_by_clock(dispatcher: &mut Dispatcher, newest: Option<u64>, polled_ns: u64, wait: bool) {
    let due = dispatcher.sweep_due_at(newest.unwrap_or(polled_ns));
    if newest.is_none() || due.is_some() {
        dispatcher.broadcast(due.map(Item::Sweep).into_iter().collect(), None, wait);
    }
}

/// Report the end of an interface, once all its queues are at theirs.
fn end(dispatcher: &mut Dispatcher, interface: &Interface, error: Option<String>) {
    let Some(packets) = interface.leaving.leave(interface.figures.packets.load(Relaxed)) else { return };
    let event = Event::End { source: interface.source.clone(), packets, error, offset: 0, stretches: Vec::new() };
    dispatcher.report_end(event, interface.wait);
}

fn now_ns() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
}
