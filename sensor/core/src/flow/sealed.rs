//! One encrypted session: its directions' places among the records, segments held behind a hole, hellos collected, and
//! the records that wait to leave. Says what it found; what becomes of that is the recorder's. docs/border.md,
//! "Encrypted sessions".

use std::cell::RefCell;

use crate::flow::hellos::{Collector, Reading, MAX_COLLECTED};
use crate::flow::place::{is_chain, is_opening, Place, Step, ALERT, APPLICATION_DATA, HANDSHAKE, OPENING};

/// Records that leave together.
pub const BATCH: usize = 16;
const MAX_HELD: usize = 4;
pub const MAX_HELD_BYTES: usize = 16_384;
pub const HELD_SEGMENT_BYTES: usize = 64;
/// What a session that is not judged yet weighs by itself.
const YOUNG_BYTES: usize = 256;
const RECORD_BYTES: usize = 8;
/// What a beginning that is kept back weighs, with its hellos and its certificate's facts.
const KEPT_BYTES: usize = 640;
/// A hole is closed by a segment that comes so much later than the first that is held.
const PATIENCE_NS: u64 = 10_000_000_000;
/// How far before the end of a direction without its place nothing is looked for.
const SEEN_BYTES: i32 = 65_536;
/// An opening: its header's length is at least that of a message's header.
const MIN_OPENING: u16 = 4;

/// What a segment showed, in order; each with its side.
#[derive(Debug)]
pub enum Finding {
    Opened,
    Withdrawn, // it was on trial, and is none
    Record { side: usize, kind: u8, length: u16, gap: bool, ts_ns: u64 },
    Read { side: usize, reading: Reading },
    Resynchronised,
}

/// A segment behind a hole.
struct Held {
    seq: u32,
    wire_len: u32,
    ts_ns: u64,
    payload: Box<[u8]>,
}

/// A segment's payload.
#[derive(Clone, Copy)]
pub struct Piece<'a> {
    pub seq: u32,
    pub wire_len: u32,
    pub payload: &'a [u8],
    pub ts_ns: u64,
}

/// What is read becomes findings of a side.
struct Readings<'a> {
    side: usize,
    out: &'a mut Vec<Finding>,
}

impl Extend<Reading> for Readings<'_> {
    fn extend<I: IntoIterator<Item = Reading>>(&mut self, readings: I) {
        self.out.extend(readings.into_iter().map(|reading| Finding::Read { side: self.side, reading }));
    }
}

/// What a session needs in its first minute, and while it holds something.
#[derive(Default)]
pub struct Extra {
    pub records: Vec<u64>, // packed, until it is judged: those behind the first batch
    collectors: [Collector; 2],
    held: [Vec<Held>; 2],
}

/// Extras of a thread that no session needs for now: one comes with every session.
const MAX_EXTRAS: usize = 256;

thread_local! {
    #[allow(clippy::vec_box)] // boxes are what a session has
    static EXTRAS: RefCell<Vec<Box<Extra>>> = const { RefCell::new(Vec::new()) };
}

impl Extra {
    /// An empty one.
    pub fn lend() -> Box<Extra> {
        EXTRAS.with_borrow_mut(Vec::pop).unwrap_or_default()
    }

    /// It is needed no more.
    pub fn give_back(extra: Option<Box<Extra>>) {
        let Some(mut extra) = extra else { return };
        extra.records.clear();
        extra.held.iter_mut().for_each(Vec::clear);
        extra.collectors.iter_mut().for_each(Collector::finish);
        EXTRAS.with_borrow_mut(|kept| {
            if kept.len() < MAX_EXTRAS {
                kept.push(extra);
            }
        });
    }
}

pub mod bit {
    pub const TRIAL: u8 = 1;
    pub const JUDGED: u8 = 2;
    pub const BEGUN: u8 = 4; // there was a record
    pub const MIDSTREAM: u8 = 8;
    pub const ORIGIN_IS_B: u8 = 16; // side 1 is the originator's
    pub const NOISE: u8 = 32; // no TLS: headers are encrypted, and what a segment brings stands for a record
    pub const HOLDS: u8 = 64; // segments wait behind holes
    pub const KEPT: u8 = 128; // its beginning is kept back
}

/// A session: 248 bytes, and no more once it is judged and holds nothing. What each record touches comes first.
#[derive(Default)]
#[repr(C)]
pub struct Sealed {
    places: [Place; 2],
    pub extra: Option<Box<Extra>>,
    pub minute_ns: u64, // since when `minute_records` counts
    pub base_ns: u64,   // of the first record that waits
    pub minute_records: u8,
    pub bits: u8,
    pub waiting: u8,
    pub weight: u32,
    pub first_ns: u64, // of its first record
    pub flow: u64,
    pub records: [u32; 2], // of all types, by side
    pub counts: [u32; 2],  // handed on, by direction
    pub slot: u32,
    pub tag: u32, // of the flow
    pub before: u32,
    pub after: u32,
    pub resynchronised: u32,
    pub batch: [u64; BATCH],
}

const _: () = assert!(std::mem::size_of::<Sealed>() == 248);

impl Sealed {
    /// A session that begins.
    pub fn new(flow: u64, slot: u32) -> Sealed {
        let mut extra = Extra::lend();
        extra.collectors = [Collector::waiting(), Collector::waiting()];
        Sealed { flow, slot, bits: bit::TRIAL, extra: Some(extra), ..Sealed::default() }
    }

    /// One whose beginning was not seen.
    pub fn midstream(flow: u64, slot: u32) -> Sealed {
        Sealed { flow, slot, bits: bit::MIDSTREAM, ..Sealed::default() }
    }

    /// One of Noise, whose sides go on at these numbers.
    pub fn noise(flow: u64, slot: u32, next: [u32; 2]) -> Sealed {
        let mut session = Sealed { flow, slot, bits: bit::NOISE, ..Sealed::default() };
        session.begin_at(0, next[0]);
        session.begin_at(1, next[1]);
        session
    }

    pub fn has(&self, bits: u8) -> bool {
        self.bits & bits != 0
    }

    /// Load what nearly every segment asks for.
    pub fn touch(&self) -> u64 {
        u64::from(self.places[0].next) ^ self.flow
    }

    /// A side begins with the byte of that number, unless it has a place or had one.
    pub fn begin_at(&mut self, side: usize, seq: u32) {
        if !self.places[side].is_anchored() && !self.has(bit::MIDSTREAM) {
            self.places[side].put(seq);
        }
    }

    /// Whether it is TLS for certain.
    pub fn is_tls(&self) -> bool {
        self.bits & (bit::TRIAL | bit::NOISE) == 0
    }

    /// Pass over a segment that goes on in a record whose content is not read. False: there is more to it.
    #[inline]
    pub fn pass_body(&mut self, side: usize, seq: u32, wire_len: u32) -> bool {
        let place = &mut self.places[side];
        if place.next != seq || u32::from(place.left) < wire_len || place.kind() == HANDSHAKE {
            return false;
        }
        if self.bits & (bit::TRIAL | bit::HOLDS | bit::NOISE) != 0 || !place.is_placed() {
            return false;
        }
        place.next = place.next.wrapping_add(wire_len);
        place.pass(wire_len as u16);
        true
    }

    /// Whether it weighs what it did, and holds nothing: nothing is to be counted anew.
    #[inline]
    pub fn is_settled(&self) -> bool {
        self.extra.is_none() && !self.has(bit::HOLDS) && self.weight as usize == self.own_bytes()
    }

    /// What it counts in the pool by itself.
    fn own_bytes(&self) -> usize {
        let young = if self.has(bit::JUDGED) { 0 } else { YOUNG_BYTES };
        young + if self.has(bit::KEPT) { KEPT_BYTES } else { 0 }
    }

    /// What it counts in the pool.
    pub fn weigh(&self) -> usize {
        let own = self.own_bytes();
        let Some(extra) = &self.extra else { return own };
        let held = extra.held.iter().flatten().map(|held| held.payload.len() + HELD_SEGMENT_BYTES).sum::<usize>();
        let collected = extra.collectors.iter().map(Collector::bytes).sum::<usize>();
        held + collected + own + RECORD_BYTES * extra.records.len()
    }

    /// Give back what is not needed any more.
    pub fn shrink(&mut self) {
        let idle = |extra: &Extra| {
            extra.records.is_empty()
                && extra.held.iter().all(Vec::is_empty)
                && !extra.collectors.iter().any(Collector::is_on)
        };
        if self.extra.as_deref().is_some_and(idle) {
            Extra::give_back(self.extra.take());
        }
    }

    /// Collect no more.
    pub fn stop_collecting(&mut self, out: &mut Vec<Finding>) {
        for side in 0..2 {
            self.give_up(side, out);
        }
    }

    fn collects(&self, side: usize) -> bool {
        self.extra.as_ref().is_some_and(|extra| extra.collectors[side].is_on())
    }

    fn give_up(&mut self, side: usize, out: &mut Vec<Finding>) {
        if let Some(reading) = self.extra.as_mut().and_then(|extra| extra.collectors[side].give_up()) {
            out.push(Finding::Read { side, reading });
        }
    }

    /// A segment of a side; there is room in the pool for so many bytes more.
    pub fn take(&mut self, side: usize, piece: Piece<'_>, room: usize, out: &mut Vec<Finding>) {
        self.close_late(piece.ts_ns, out);
        if !self.places[side].is_placed() {
            self.find_place(side, piece, out);
        } else if self.reaches(side, piece.seq) {
            self.walk(side, piece, out);
            self.walk_held(side, piece.ts_ns, out);
        } else {
            self.hold(side, piece, room, out);
        }
    }

    /// Whether segments wait behind holes.
    pub fn holds(&self) -> bool {
        self.extra.as_ref().is_some_and(|extra| extra.held.iter().any(|held| !held.is_empty()))
    }

    /// Close the holes behind which a segment has waited for too long.
    pub fn close_late(&mut self, ts_ns: u64, out: &mut Vec<Finding>) {
        if !self.holds() {
            return;
        }
        for side in self.sides() {
            let Some(extra) = &self.extra else { return };
            let first = extra.held[side].iter().map(|held| held.ts_ns).min();
            if first.is_some_and(|first| ts_ns >= first.saturating_add(PATIENCE_NS)) {
                self.close(side, out);
            }
        }
    }

    /// Close every hole.
    pub fn close_all(&mut self, out: &mut Vec<Finding>) {
        self.sides().into_iter().for_each(|side| self.close(side, out));
    }

    /// The originator's side first.
    fn sides(&self) -> [usize; 2] {
        if self.has(bit::ORIGIN_IS_B) {
            [1, 0]
        } else {
            [0, 1]
        }
    }

    /// Whether what begins at `seq` can be walked: it was seen in part, is next, or begins inside the record at hand or
    /// right behind it, of which nothing is collected.
    fn reaches(&self, side: usize, seq: u32) -> bool {
        let place = &self.places[side];
        let ahead = seq.wrapping_sub(place.next) as i32;
        ahead <= 0 || (ahead <= i32::from(place.left) && !(self.collects(side) && place.kind() == HANDSHAKE))
    }

    fn hold(&mut self, side: usize, piece: Piece<'_>, room: usize, out: &mut Vec<Finding>) {
        let judged = self.has(bit::JUDGED);
        let payload = if self.has(bit::NOISE) { &[] } else { piece.payload };
        let bytes = payload.len();
        let held = &mut self.extra.get_or_insert_with(Extra::lend).held[side];
        held.push(Held { seq: piece.seq, wire_len: piece.wire_len, ts_ns: piece.ts_ns, payload: payload.into() });
        if held.len() > MAX_HELD || bytes > MAX_HELD_BYTES || (judged && bytes + HELD_SEGMENT_BYTES > room) {
            self.close(side, out);
        }
    }

    /// Walk what was held and is reached by now.
    fn walk_held(&mut self, side: usize, ts_ns: u64, out: &mut Vec<Finding>) {
        loop {
            let next = self.places[side].next;
            let Some(extra) = &mut self.extra else { return };
            let nearest =
                (0..extra.held[side].len()).min_by_key(|at| extra.held[side][*at].seq.wrapping_sub(next) as i32);
            let Some(at) = nearest else { return };
            let seq = extra.held[side][at].seq;
            if !self.places[side].is_placed() || !self.reaches(side, seq) {
                return;
            }
            let Some(extra) = &mut self.extra else { return };
            let held = extra.held[side].remove(at);
            self.walk(side, Piece { seq, wire_len: held.wire_len, payload: &held.payload, ts_ns }, out);
        }
    }

    /// Walk all that is held, whatever is missing.
    fn close(&mut self, side: usize, out: &mut Vec<Finding>) {
        let Some(extra) = &mut self.extra else { return };
        let mut held = std::mem::take(&mut extra.held[side]);
        let next = self.places[side].next;
        held.sort_by_key(|held| held.seq.wrapping_sub(next) as i32);
        for held in held {
            let piece = Piece { seq: held.seq, wire_len: held.wire_len, payload: &held.payload, ts_ns: held.ts_ns };
            if self.places[side].is_placed() && !self.reaches(side, held.seq) {
                if self.has(bit::TRIAL) {
                    out.push(Finding::Withdrawn);
                    return;
                }
                if self.has(bit::NOISE) {
                    self.places[side].put(held.seq);
                    out.push(Finding::Resynchronised);
                }
                self.give_up(side, out);
                if !self.reaches(side, held.seq) {
                    self.lose(side, held.seq, out);
                }
            }
            if self.places[side].is_placed() {
                self.walk(side, piece, out);
            } else {
                self.find_place(side, piece, out);
            }
        }
    }

    fn lose(&mut self, side: usize, end: u32, out: &mut Vec<Finding>) {
        self.places[side].lose(end);
        if self.has(bit::TRIAL) {
            out.push(Finding::Withdrawn);
        } else {
            self.give_up(side, out);
        }
    }

    /// A direction without its place: this segment may be it.
    fn find_place(&mut self, side: usize, piece: Piece<'_>, out: &mut Vec<Finding>) {
        let end = piece.seq.wrapping_add(piece.wire_len);
        let place = &mut self.places[side];
        if place.is_anchored() {
            let ahead = piece.seq.wrapping_sub(place.next) as i32;
            if (-SEEN_BYTES..0).contains(&ahead) {
                if (end.wrapping_sub(place.next) as i32) > 0 {
                    place.next = end;
                }
                return;
            }
        }
        let untouched = self.extra.as_ref().is_some_and(|extra| extra.collectors[side].is_untouched());
        let opens = untouched && piece.payload.len() >= OPENING && is_opening(piece.payload);
        if !opens && !is_chain(piece.payload, piece.wire_len) {
            self.places[side].lose(end);
            return;
        }
        if !opens {
            self.give_up(side, out);
        }
        if self.places[side].put(piece.seq) {
            out.push(Finding::Resynchronised);
        }
        self.walk(side, piece, out);
    }

    fn walk(&mut self, side: usize, piece: Piece<'_>, out: &mut Vec<Finding>) {
        let end = piece.seq.wrapping_add(piece.wire_len);
        let place = &mut self.places[side];
        let ahead = piece.seq.wrapping_sub(place.next) as i32;
        let (mut payload, mut wire_len) = (piece.payload, piece.wire_len);
        if ahead > 0 {
            place.pass(ahead as u16);
        } else if ahead < 0 {
            let seen = ahead.unsigned_abs();
            if seen >= wire_len {
                return;
            }
            payload = payload.get(seen as usize..).unwrap_or_default();
            wire_len -= seen;
        }
        self.places[side].next = end;
        if self.has(bit::NOISE) {
            self.report(side, APPLICATION_DATA, wire_len as u16, piece.ts_ns, out);
            return;
        }
        let cut = wire_len - payload.len() as u32;
        while let Some(step) = self.places[side].step(&mut payload) {
            let goes_on = match step {
                Step::Record { kind, length } => self.begin_record(side, kind, length, piece.ts_ns, out),
                Step::Body(body) => self.read_body(side, body, piece.ts_ns, out),
                Step::Lost => {
                    self.lose(side, end, out);
                    false
                }
            };
            if !goes_on {
                return;
            }
        }
        if cut > 0 {
            self.pass_cut(side, cut, end, out);
        }
    }

    /// The end of a segment that was not captured.
    fn pass_cut(&mut self, side: usize, cut: u32, end: u32, out: &mut Vec<Finding>) {
        if self.has(bit::TRIAL) {
            out.push(Finding::Withdrawn);
        } else if cut > u32::from(self.places[side].left) {
            self.lose(side, end, out);
        } else {
            self.places[side].pass(cut as u16);
            if self.places[side].kind() == HANDSHAKE {
                self.give_up(side, out);
            }
        }
    }

    fn begin_record(&mut self, side: usize, kind: u8, length: u16, ts_ns: u64, out: &mut Vec<Finding>) -> bool {
        if self.has(bit::TRIAL) {
            if kind != HANDSHAKE || length < MIN_OPENING {
                out.push(Finding::Withdrawn);
                return false;
            }
            self.places[side].stash();
            return true;
        }
        if let Some(reading) = self.extra.as_mut().and_then(|extra| extra.collectors[side].begin_record(kind)) {
            out.push(Finding::Read { side, reading });
        }
        self.report(side, kind, length, ts_ns, out);
        true
    }

    fn report(&mut self, side: usize, kind: u8, length: u16, ts_ns: u64, out: &mut Vec<Finding>) {
        let gap = matches!(kind, ALERT | APPLICATION_DATA) && self.places[side].take_gap();
        out.push(Finding::Record { side, kind, length, gap, ts_ns });
    }

    fn read_body(&mut self, side: usize, body: &[u8], ts_ns: u64, out: &mut Vec<Finding>) -> bool {
        if self.places[side].unstash() {
            if self.has(bit::TRIAL) {
                if !matches!(body[0], 1 | 2) {
                    out.push(Finding::Withdrawn);
                    return false;
                }
                self.bits &= !bit::TRIAL;
                out.push(Finding::Opened);
            }
            let length = self.places[side].left + body.len() as u16;
            self.report(side, HANDSHAKE, length, ts_ns, out);
        }
        let kind = self.places[side].kind();
        if let Some(extra) = self.extra.as_mut().filter(|_| kind == HANDSHAKE) {
            let room = MAX_COLLECTED - extra.collectors[1 - side].bytes();
            extra.collectors[side].feed(body, room, &mut Readings { side, out });
        }
        true
    }
}
