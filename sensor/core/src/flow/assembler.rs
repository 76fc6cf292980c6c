//! In-order bytes of one direction of a candidate flow: reordering, retransmission, overlap (first bytes win) and gaps,
//! within a bound. Knows sequence numbers and nothing of what the bytes mean. Rules: docs/border.md, "Assembler".

use std::collections::VecDeque;

use crate::flow::readings::Readings;

/// Segments further away than this belong to another use of the same ports.
const WINDOW: i64 = 1 << 30;

/// Bytes ready to leave: `gap` bytes before `offset` were never seen.
#[derive(Debug, PartialEq, Eq)]
pub struct Ready {
    pub offset: u64,
    pub gap: u64,
    pub data: Vec<u8>,
}

/// What a segment did, for the counters.
#[derive(Default, Debug, PartialEq, Eq)]
pub struct Tally {
    pub retransmitted: u64,
    pub conflict: bool,
    pub out_of_window: bool,
}

/// A number that one side acknowledges, or up to which the other is seen; None: it is not known, and nothing waits.
pub type Ack = Option<u32>;

/// Held bytes of one segment.
struct Piece {
    start: u64,
    data: Box<[u8]>,
    ack: Ack,
}

/// Whether the other side is seen up to what a segment acknowledges.
pub fn is_reached(ack: Ack, reached: Ack) -> bool {
    let (Some(ack), Some(reached)) = (ack, reached) else { return true };
    let ahead = i64::from(ack.wrapping_sub(reached) as i32);
    ahead <= 0 || ahead > WINDOW
}

/// The assembler of a direction.
#[derive(Default)]
pub struct Assembler {
    pub running: bool,
    started_once: bool,
    next_offset: u64,
    next_seq: u32,         // the sequence number of next_offset
    held: VecDeque<Piece>, // sorted by offset, disjoint, none before next_offset
    held_bytes: usize,
    readings: Readings,
    jump: u64, // skipped while not running; the next chunk's gap
}

impl Assembler {
    /// Begin, or begin again, at the byte whose sequence is `seq`. The first time its offset is `seq - base`;
    /// afterwards it follows from where the direction stood.
    pub fn start(&mut self, seq: u32, base: u32) {
        if self.started_once {
            let ahead = i64::from(seq.wrapping_sub(self.next_seq) as i32);
            if ahead > 0 {
                self.readings.stop();
                self.jump += ahead as u64;
                self.next_offset += ahead as u64;
                self.next_seq = seq;
            }
        } else {
            self.next_offset = u64::from(seq.wrapping_sub(base));
            self.next_seq = seq;
        }
        self.started_once = true;
        self.running = true;
    }

    /// Stop, forgetting what is held.
    pub fn stop(&mut self) {
        self.running = false;
        self.held.clear();
        self.held_bytes = 0;
        self.readings.stop();
    }

    /// The sequence number of offset 0, once assembly has begun. Both numbers move together, over stops and jumps too.
    pub fn base_seq(&self) -> Option<u32> {
        self.started_once.then(|| self.next_seq.wrapping_sub(self.next_offset as u32))
    }

    /// The sequence number expected.
    pub fn next_seq(&self) -> u32 {
        self.next_seq
    }

    pub fn held_segments(&self) -> usize {
        self.held.len()
    }

    pub fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    /// Bytes that contradict others and wait for those before them.
    pub fn waiting_bytes(&self) -> usize {
        self.readings.waiting_bytes()
    }

    /// Forget what was delivered last, and what contradicted it.
    pub fn forget_readings(&mut self) {
        self.readings.stop();
    }

    /// Take a segment that acknowledges `ack`; what became deliverable, if anything. The other side is seen up to
    /// `reached`: what acknowledges more waits for it.
    pub fn push(&mut self, seq: u32, data: &[u8], ack: Ack, reached: Ack, tally: &mut Tally) -> Option<Ready> {
        let ahead = i64::from(seq.wrapping_sub(self.next_seq) as i32);
        if ahead.abs() > WINDOW {
            tally.out_of_window = true;
            return None;
        }
        let mut data = data;
        let mut offset = self.next_offset;
        if ahead < 0 {
            let old = ((-ahead) as usize).min(data.len());
            tally.retransmitted += old as u64;
            self.compare((-ahead) as u64, data, tally);
            data = &data[old..];
        } else {
            offset += ahead as u64;
        }
        if data.is_empty() {
            return None;
        }
        if offset > self.next_offset || !self.held.is_empty() || !is_reached(ack, reached) {
            self.hold(offset, data, ack, tally);
            return self.take_next(reached);
        }
        self.advance(data);
        Some(Ready { offset, gap: std::mem::take(&mut self.jump), data: data.to_vec() })
    }

    /// The other side has acknowledged up to `ack`: holes before it will not be filled.
    pub fn acknowledged(&mut self, ack: u32) -> Option<Ready> {
        let first = self.held.front()?.start;
        let acked = self.next_offset as i64 + i64::from(ack.wrapping_sub(self.next_seq) as i32);
        if first > self.next_offset && acked >= first as i64 {
            return self.give_up_hole();
        }
        None
    }

    /// Give the first hole up and deliver what is held up to the next one, whatever it acknowledges.
    pub fn give_up_hole(&mut self) -> Option<Ready> {
        let hole = self.held.front()?.start - self.next_offset;
        self.take(hole, None)
    }

    /// Deliver the held bytes at `next` that need not wait for the other side, if there are any.
    pub fn take_next(&mut self, reached: Ack) -> Option<Ready> {
        let first = self.held.front()?;
        if first.start != self.next_offset || !is_reached(first.ack, reached) {
            return None;
        }
        self.take(0, reached)
    }

    /// Deliver the held bytes that lie at `next + hole`.
    fn take(&mut self, hole: u64, reached: Ack) -> Option<Ready> {
        let offset = self.next_offset + hole;
        if hole > 0 {
            self.readings.stop();
        }
        self.next_offset = offset;
        self.next_seq = self.next_seq.wrapping_add(hole as u32);
        let mut data = Vec::new();
        while let Some(first) = self.held.front() {
            if first.start != self.next_offset || !is_reached(first.ack, reached) {
                break;
            }
            if let Some(piece) = self.held.pop_front() {
                self.held_bytes -= piece.data.len();
                self.advance(&piece.data);
                data.extend_from_slice(&piece.data);
            }
        }
        Some(Ready { offset, gap: hole + std::mem::take(&mut self.jump), data })
    }

    fn advance(&mut self, data: &[u8]) {
        self.next_offset += data.len() as u64;
        self.next_seq = self.next_seq.wrapping_add(data.len() as u32);
        self.readings.extend(data);
    }

    /// Bytes come that begin `back` before what is expected: do they contradict what was delivered? A keep-alive's byte
    /// may be any (RFC 9293 section 3.8.4).
    fn compare(&mut self, back: u64, data: &[u8], tally: &mut Tally) {
        let before = back.saturating_sub(self.next_offset) as usize; // before the stream
        let Some(data) = data.get(before..).filter(|data| (back, data.len()) != (1, 1)) else { return };
        let offset = self.next_offset - (back - before as u64);
        if self.readings.contradict(offset, data, self.next_offset) {
            tally.conflict = true;
            self.readings.wait(offset, data);
        }
    }

    /// A line of the other reading, in which later bytes count, of those that were contradicted.
    pub fn other_reading(&mut self) -> Option<Ready> {
        let (offset, data) = self.readings.take(self.next_offset)?;
        Some(Ready { offset, gap: 1, data })
    }

    /// Keep the parts of a segment that are not held yet.
    fn hold(&mut self, offset: u64, data: &[u8], ack: Ack, tally: &mut Tally) {
        let (whole, conflict) = ((offset, data), std::mem::take(&mut tally.conflict));
        self.hold_parts(offset, data, ack, tally);
        if tally.conflict {
            self.readings.wait(whole.0, whole.1);
        }
        tally.conflict |= conflict;
    }

    fn hold_parts(&mut self, mut offset: u64, mut data: &[u8], ack: Ack, tally: &mut Tally) {
        let mut at = self.held.partition_point(|piece| piece.start + piece.data.len() as u64 <= offset);
        while !data.is_empty() {
            let end = offset + data.len() as u64;
            let Some(Piece { start, data: piece, .. }) = self.held.get(at).filter(|piece| piece.start < end) else {
                self.insert(at, offset, data, ack);
                return;
            };
            if offset < *start {
                let fresh = (*start - offset) as usize;
                let (piece_start, head) = (*start, &data[..fresh]);
                self.insert(at, offset, head, ack);
                at += 1;
                offset = piece_start;
                data = &data[fresh..];
                continue;
            }
            let skip = (offset - start) as usize;
            let common = (piece.len() - skip).min(data.len());
            tally.conflict |= piece[skip..skip + common] != data[..common];
            offset += common as u64;
            data = &data[common..];
            at += 1;
        }
    }

    fn insert(&mut self, at: usize, start: u64, data: &[u8], ack: Ack) {
        self.held_bytes += data.len();
        self.held.insert(at, Piece { start, data: data.into(), ack });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(base: u32) -> Assembler {
        let mut direction = Assembler::default();
        direction.start(base, base);
        direction
    }

    fn push(direction: &mut Assembler, seq: u32, data: &[u8]) -> (Option<(u64, u64, Vec<u8>)>, Tally) {
        let mut tally = Tally::default();
        let ready = direction.push(seq, data, None, None, &mut tally);
        (ready.map(|r| (r.offset, r.gap, r.data)), tally)
    }

    #[test]
    fn order_wraps_at_two_to_the_32() {
        let base = u32::MAX - 2;
        let mut direction = started(base);
        assert_eq!(push(&mut direction, base.wrapping_add(4), b"ef").0, None);
        assert_eq!(push(&mut direction, base, b"abcd").0, Some((0, 0, b"abcdef".to_vec())));
        assert_eq!(push(&mut direction, 3, b"gh").0, Some((6, 0, b"gh".to_vec())));
    }

    #[test]
    fn base_seq_stays_over_holes_stops_and_jumps() {
        let base = u32::MAX - 2;
        let mut direction = Assembler::default();
        assert_eq!(direction.base_seq(), None);
        direction.start(base.wrapping_add(40), base);
        assert_eq!(direction.base_seq(), Some(base));
        push(&mut direction, base.wrapping_add(40), b"abcd");
        push(&mut direction, base.wrapping_add(50), b"held");
        direction.give_up_hole();
        assert_eq!(direction.base_seq(), Some(base));
        direction.stop();
        direction.start(base.wrapping_add(1_000), 7);
        push(&mut direction, base.wrapping_add(1_000), b"k");
        assert_eq!(direction.base_seq(), Some(base));
    }

    #[test]
    fn first_bytes_win_and_conflicts_show() {
        let mut direction = started(0);
        assert_eq!(push(&mut direction, 4, b"EF").1, Tally::default());
        let (ready, tally) = push(&mut direction, 0, b"abcdxxgh");
        assert_eq!(ready, Some((0, 0, b"abcdEFgh".to_vec())));
        assert!(tally.conflict);
        let (ready, tally) = push(&mut direction, 2, b"cdEFghij");
        assert_eq!((ready, tally.retransmitted), (Some((8, 0, b"ij".to_vec())), 6));
        assert!(!tally.conflict);
    }

    #[test]
    fn acknowledged_holes_become_gaps() {
        let mut direction = started(100);
        push(&mut direction, 110, b"xyz");
        push(&mut direction, 120, b"uvw");
        assert_eq!(direction.acknowledged(109), None);
        assert_eq!(direction.acknowledged(110), Some(Ready { offset: 10, gap: 10, data: b"xyz".to_vec() }));
        assert_eq!(direction.acknowledged(115), None);
        assert_eq!(direction.take_next(None), None);
        assert_eq!(direction.give_up_hole(), Some(Ready { offset: 20, gap: 7, data: b"uvw".to_vec() }));
        assert_eq!(direction.held_bytes(), 0);
    }

    #[test]
    fn what_acknowledges_more_than_was_seen_waits_for_it() {
        let mut direction = started(0);
        let mut push = |seq, data: &[u8], ack| direction.push(seq, data, Some(ack), Some(50), &mut Tally::default());
        assert!(push(0, b"a", 50).is_some());
        assert!(push(1, b"b", 60).is_none());
        assert!(push(2, b"c", 50).is_none());
        assert_eq!(direction.take_next(Some(59)), None);
        assert_eq!(direction.acknowledged(3), None);
        assert_eq!(direction.take_next(Some(60)), Some(Ready { offset: 1, gap: 0, data: b"bc".to_vec() }));
    }

    #[test]
    fn far_away_is_out_of_window() {
        let mut direction = started(0);
        assert!(push(&mut direction, 0x6000_0000, b"x").1.out_of_window);
    }

    #[test]
    fn starting_again_shows_the_jump_as_a_gap() {
        let mut direction = started(0);
        push(&mut direction, 0, b"abc");
        direction.stop();
        direction.start(10, 0);
        assert_eq!(push(&mut direction, 10, b"k").0, Some((10, 7, b"k".to_vec())));
    }
}
