//! IP fragments put together again, within a bound (RFC 791, RFC 8200 section 4.5). First bytes win on overlap, so a
//! later fragment cannot rewrite what was already seen; but where one contradicts it, the other reading, in which the
//! later bytes count, is given besides. Knows nothing of what the datagrams carry.

use std::collections::{BTreeMap, HashMap, VecDeque};

const LIFETIME_NS: u64 = 30_000_000_000;
pub const MAX_DATAGRAM_BYTES: usize = 65_535;
/// What a fragment of the other reading costs besides its bytes.
const SPAN_BYTES: usize = 8;

/// What makes fragments belong together.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FragmentKey {
    pub src: [u8; 16],
    pub dst: [u8; 16],
    pub id: u32,
    pub proto: u8,
    pub v6: bool,
}

struct Datagram {
    first_ns: u64,
    serial: u64,
    pieces: BTreeMap<usize, Box<[u8]>>, // by offset, disjoint
    held: usize,
    total: Option<usize>,
    later: Later,
}

/// What came since a fragment contradicted others, one after another: the bytes, and where each begins and how long it is.
#[derive(Default)]
struct Later {
    bytes: Vec<u8>,
    spans: Vec<(u32, u32)>,
    over: bool, // it was more than may be held
}

/// What became of one fragment.
pub enum Outcome {
    Held,
    /// The datagram; and, where fragments contradicted each other, its other reading.
    Complete(Box<[u8]>, Option<Box<[u8]>>),
    Refused,
}

/// The bounded table of incomplete datagrams.
pub struct Fragments {
    entries: HashMap<FragmentKey, Datagram>,
    order: VecDeque<(FragmentKey, u64)>, // by age; a pair whose serial is gone is stale
    bytes: usize,
    serial: u64,
    max_entries: usize,
    max_bytes: usize,
    pub evicted: u64,
    pub conflicts: u64, // fragments whose bytes contradict others, since somebody took the number
}

impl Fragments {
    pub fn new(max_entries: usize, max_bytes: usize) -> Self {
        Fragments {
            entries: HashMap::new(),
            order: VecDeque::new(),
            bytes: 0,
            serial: 0,
            max_entries,
            max_bytes,
            evicted: 0,
            conflicts: 0,
        }
    }

    /// Take one fragment: `offset` in bytes, `more` = more fragments follow.
    pub fn insert(&mut self, key: FragmentKey, ts_ns: u64, offset: usize, more: bool, data: &[u8]) -> Outcome {
        if offset + data.len() > MAX_DATAGRAM_BYTES || (more && (data.is_empty() || data.len() % 8 != 0)) {
            return Outcome::Refused;
        }
        if let Some(old) = self.entries.get(&key) {
            if ts_ns.saturating_sub(old.first_ns) > LIFETIME_NS {
                self.remove(&key);
            }
        }
        if !self.entries.contains_key(&key) {
            self.serial += 1;
            let fresh = Datagram {
                first_ns: ts_ns,
                serial: self.serial,
                pieces: BTreeMap::new(),
                held: 0,
                total: None,
                later: Later::default(),
            };
            self.entries.insert(key, fresh);
            self.order.push_back((key, self.serial));
        }
        let Some(entry) = self.entries.get_mut(&key) else { return Outcome::Refused };
        // two ends that disagree: the first counts, as with overlapping bytes
        let end = offset + data.len();
        if entry.total.is_some_and(|total| end > total || (!more && end < total)) || (!more && entry.end() > end) {
            return Outcome::Refused;
        }
        let differs = entry.differs(offset, data);
        self.conflicts += u64::from(differs);
        let before = entry.weight();
        if differs || !entry.later.spans.is_empty() {
            entry.later.push(offset, data);
        }
        entry.place(offset, data);
        self.bytes = self.bytes + entry.weight() - before;
        if !more {
            entry.total.get_or_insert(end);
        }
        if entry.total == Some(entry.held) {
            if let Some(done) = self.remove(&key) {
                let later = done.later;
                let pieces: Vec<Box<[u8]>> = done.pieces.into_values().collect();
                let first = pieces.concat().into_boxed_slice();
                let other = later.over(&first);
                return Outcome::Complete(first, other);
            }
        }
        self.keep_within_bounds();
        Outcome::Held
    }

    /// Drop what is past its lifetime. Times may leap, so the oldest is not the first to expire.
    pub fn sweep(&mut self, ts_ns: u64) {
        let expired = |entry: &Datagram| ts_ns.saturating_sub(entry.first_ns) > LIFETIME_NS;
        let gone: Vec<_> = self.entries.iter().filter(|(_, entry)| expired(entry)).map(|(key, _)| *key).collect();
        for key in gone {
            self.remove(&key);
        }
        let entries = &self.entries;
        self.order.retain(|(key, serial)| entries.get(key).is_some_and(|entry| entry.serial == *serial));
    }

    /// Drop everything.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.order.clear();
        self.bytes = 0;
    }

    fn remove(&mut self, key: &FragmentKey) -> Option<Datagram> {
        let gone = self.entries.remove(key)?;
        self.bytes -= gone.weight();
        Some(gone)
    }

    fn keep_within_bounds(&mut self) {
        while self.entries.len() > self.max_entries || self.bytes > self.max_bytes {
            let Some((key, serial)) = self.order.pop_front() else { break };
            if self.entries.get(&key).is_some_and(|entry| entry.serial == serial) {
                self.remove(&key);
                self.evicted += 1;
            }
        }
        // stale pairs must not pile up when every datagram completes at once
        if self.order.len() > 2 * self.max_entries + 64 {
            let entries = &self.entries;
            self.order.retain(|(key, serial)| entries.get(key).is_some_and(|entry| entry.serial == *serial));
        }
    }
}

impl Later {
    /// Remember a fragment, unless it is more than a datagram has: then the other reading is given up.
    fn push(&mut self, offset: usize, data: &[u8]) {
        if self.over || self.bytes.len() + data.len() > MAX_DATAGRAM_BYTES {
            *self = Later { over: true, ..Later::default() };
            return;
        }
        self.bytes.extend_from_slice(data);
        self.spans.push((offset as u32, data.len() as u32));
    }

    /// The reading in which what came later counts, if it is another one.
    fn over(&self, first: &[u8]) -> Option<Box<[u8]>> {
        let mut other: Box<[u8]> = if self.spans.is_empty() { return None } else { first.into() };
        let mut at = 0;
        for (offset, length) in self.spans.iter().map(|(offset, length)| (*offset as usize, *length as usize)) {
            other.get_mut(offset..offset + length)?.copy_from_slice(&self.bytes[at..at + length]);
            at += length;
        }
        (*other != *first).then_some(other)
    }
}

impl Datagram {
    fn end(&self) -> usize {
        self.pieces.last_key_value().map_or(0, |(start, piece)| start + piece.len())
    }

    /// Bytes held of it.
    fn weight(&self) -> usize {
        self.held + self.later.bytes.len() + SPAN_BYTES * self.later.spans.len()
    }

    /// Whether bytes that are held contradict these.
    fn differs(&self, offset: usize, data: &[u8]) -> bool {
        let overlapping = self.pieces.range(..offset + data.len()).rev();
        overlapping.take_while(|(start, piece)| *start + piece.len() > offset).any(|(start, piece)| {
            let (from, to) = (offset.max(*start), (offset + data.len()).min(start + piece.len()));
            data[from - offset..to - offset] != piece[from - start..to - start]
        })
    }

    /// Keep what is not there yet: first bytes win.
    fn place(&mut self, offset: usize, data: &[u8]) {
        let end = offset + data.len();
        let mut at = offset;
        if let Some((start, piece)) = self.pieces.range(..=offset).next_back() {
            at = at.max(start + piece.len());
        }
        if at >= end {
            return;
        }
        let later: Vec<(usize, usize)> =
            self.pieces.range(at..end).map(|(start, piece)| (*start, start + piece.len())).collect();
        for (start, stop) in later.into_iter().chain([(end, end)]) {
            if at < start {
                self.held += start - at;
                self.pieces.insert(at, data[at - offset..start - offset].into());
            }
            at = at.max(stop);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: u32) -> FragmentKey {
        FragmentKey { src: [1; 16], dst: [2; 16], id, proto: 6, v6: false }
    }

    fn done(outcome: Outcome) -> Option<Vec<u8>> {
        match outcome {
            Outcome::Complete(data, _) => Some(data.into_vec()),
            _ => None,
        }
    }

    #[test]
    fn an_empty_end_contradicts_another_end() {
        let mut fragments = Fragments::new(8, 1 << 20);
        assert!(matches!(fragments.insert(key(1), 0, 16, false, b""), Outcome::Held));
        assert!(matches!(fragments.insert(key(1), 0, 8, false, b""), Outcome::Refused));
        assert!(matches!(fragments.insert(key(1), 0, 16, false, b""), Outcome::Held));
    }

    #[test]
    fn any_order_gives_the_whole() {
        let data: Vec<u8> = (0..64).collect();
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
            let mut table = Fragments::new(4, 4096);
            let mut whole = None;
            for part in order {
                let (start, stop) = [(0, 24), (24, 48), (48, 64)][part];
                whole = done(table.insert(key(1), 0, start, stop < 64, &data[start..stop])).or(whole);
            }
            assert_eq!(whole.as_deref(), Some(&data[..]));
            assert_eq!(table.bytes, 0);
        }
    }

    #[test]
    fn any_overlaps_agree_with_a_byte_map() {
        let mut state = 88_172_645_463_325_252_u64;
        let mut roll = |n: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % n) as usize
        };
        for _ in 0..2_000 {
            let mut table = Fragments::new(4, 65_536);
            let mut map: [Option<u8>; 96] = [None; 96];
            for mark in 1..12 {
                let (offset, length) = (roll(9) * 8, (1 + roll(3)) * 8);
                if let Some(whole) = done(table.insert(key(1), 0, offset, true, &vec![mark; length])) {
                    unreachable!("complete without its end: {whole:?}");
                }
                map[offset..offset + length].iter_mut().for_each(|byte| *byte = byte.or(Some(mark)));
            }
            for at in (0..96).step_by(8).filter(|at| *at < 88) {
                table.insert(key(1), 0, at, true, &[77; 8]);
                map[at..at + 8].iter_mut().for_each(|byte| *byte = byte.or(Some(77)));
            }
            let whole = done(table.insert(key(1), 0, 88, false, &[77; 8]));
            map[88..].iter_mut().for_each(|byte| *byte = byte.or(Some(77)));
            let expected: Option<Vec<u8>> = map.into_iter().collect();
            assert_eq!(whole, expected);
        }
    }

    #[test]
    fn first_bytes_win() {
        let mut table = Fragments::new(4, 4096);
        table.insert(key(1), 0, 0, true, &[1; 16]);
        table.insert(key(1), 0, 8, true, &[2; 16]);
        assert_eq!(
            done(table.insert(key(1), 0, 24, false, &[3; 8])),
            Some([vec![1; 16], vec![2; 8], vec![3; 8]].concat())
        );
    }

    #[test]
    fn what_contradicts_is_the_other_reading_in_which_later_bytes_count() {
        let mut table = Fragments::new(4, 1 << 20);
        table.insert(key(1), 0, 0, true, &[1; 16]);
        table.insert(key(1), 0, 8, true, &[2; 16]);
        table.insert(key(1), 0, 8, true, &[1; 8]);
        table.insert(key(1), 0, 16, true, &[4; 8]);
        let Outcome::Complete(first, other) = table.insert(key(1), 0, 24, false, &[3; 8]) else {
            unreachable!("it is whole")
        };
        assert_eq!(*first, *[vec![1; 16], vec![2; 8], vec![3; 8]].concat());
        assert_eq!(other.as_deref(), Some(&[vec![1; 16], vec![4; 8], vec![3; 8]].concat()[..]));
        assert_eq!((table.conflicts, table.bytes), (2, 0));
    }

    #[test]
    fn the_other_reading_is_bounded_and_weighs_in_the_table() {
        let mut table = Fragments::new(4, 1 << 20);
        table.insert(key(1), 0, 0, true, &[1; 8]);
        for mark in 0..20_000_u32 {
            table.insert(key(1), 0, 0, true, &[mark as u8 | 2; 8]);
            assert!(table.bytes <= 8 + 2 * MAX_DATAGRAM_BYTES);
        }
        assert!(matches!(table.insert(key(1), 0, 8, false, &[3; 8]), Outcome::Complete(_, None)));
        assert_eq!((table.conflicts, table.bytes), (20_000, 0));
    }

    #[test]
    fn bounds_evict_the_oldest_and_age_expires() {
        let mut table = Fragments::new(2, 4096);
        for id in 0..3 {
            table.insert(key(id), 0, 0, true, &[0; 8]);
        }
        assert_eq!((table.entries.len(), table.evicted), (2, 1));
        assert!(!table.entries.contains_key(&key(0)));
        table.sweep(LIFETIME_NS + 1);
        assert_eq!((table.entries.len(), table.bytes), (0, 0));
    }

    #[test]
    fn impossible_fragments_are_refused() {
        let mut table = Fragments::new(2, 4096);
        assert!(matches!(table.insert(key(1), 0, 65_528, true, &[0; 16]), Outcome::Refused));
        assert!(matches!(table.insert(key(1), 0, 0, true, &[0; 7]), Outcome::Refused));
        assert!(matches!(table.insert(key(1), 0, 0, true, &[]), Outcome::Refused));
    }
}
