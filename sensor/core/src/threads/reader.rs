//! The thread that reads: captures one after another (here) or interfaces all at once (`live`).

use std::sync::Arc;

use crossbeam_channel::Receiver;

use crate::capture::packet::Block;
use crate::capture::stretches::Stretches;
use crate::model::event::Event;
use crate::threads::ahead::Capture;
use crate::threads::dispatch::Dispatcher;
use crate::threads::live::Live;
use crate::threads::message::{Command, Item};
use crate::threads::shared::PanicGuard;

/// Follow commands until the last, and read interfaces in between. A capture that begins within `longest_gap_ns` after
/// the one before goes on with its flows.
pub fn run(mut dispatcher: Dispatcher, commands: &Receiver<Command>, longest_gap_ns: u64) {
    let _guard = PanicGuard(dispatcher.shared.clone());
    let mut live = Live::default();
    loop {
        let command = if live.is_idle() {
            commands.recv().map_err(|_| false)
        } else {
            commands.try_recv().map_err(|error| error.is_empty())
        };
        match command {
            Ok(Command::Capture(capture, wait)) => read_capture(&mut dispatcher, capture, wait, longest_gap_ns),
            Ok(Command::Interface(interface)) => live.join(&mut dispatcher, *interface),
            Ok(Command::Finish(end)) => {
                live.finish(&mut dispatcher);
                dispatcher.broadcast(vec![Item::CloseAll], Some(end), true);
                return;
            }
            Err(true) => live.round(&mut dispatcher),
            Err(false) => return,
        }
        if dispatcher.shared.queue.is_closed() {
            return;
        }
    }
}

fn read_capture(dispatcher: &mut Dispatcher, mut capture: Capture, wait: bool, longest_gap_ns: u64) {
    let name: Arc<str> = Arc::from(capture.name());
    let mut first_items = vec![Item::Sources(Arc::from([name.clone()]))];
    let mut packets = 0;
    let mut block = Block::default();
    let mut stretches = Stretches::default();
    let (error, offset) = loop {
        let outcome = capture.next_block(&mut block);
        if let Some(first) = block.packets.first().filter(|_| packets == 0) {
            first_items.splice(0..0, dispatcher.between_sources(first.ts_ns, longest_gap_ns));
        }
        packets += block.packets.len() as u64;
        stretches.see(&block.packets);
        if !first_items.is_empty() && !block.packets.is_empty() {
            dispatcher.broadcast(std::mem::take(&mut first_items), None, wait);
        }
        dispatcher.dispatch(&mut block, wait);
        match outcome {
            Ok(true) if !dispatcher.shared.queue.is_closed() => {}
            Ok(_) => break (None, capture.position()),
            Err(problem) => break (Some(problem.reason), problem.offset),
        }
    };
    let event = Event::End { source: name, packets, error, offset, stretches: stretches.into_spans() };
    dispatcher.report_end(event, wait);
}
