//! The last bytes of a direction as they were delivered, to be compared with what comes again; and, where something
//! came that contradicts them, the other reading, in which the later bytes count. Rules: docs/border.md, "Assembler".

/// Bytes remembered of what was delivered.
pub const RECENT_BYTES: usize = 1_024;
/// Contradictions that wait for the bytes before them.
const WAITING: usize = 8;

/// Both readings of a direction's last bytes; they end where the next byte is expected.
#[derive(Default)]
pub struct Readings {
    first: Vec<u8>,         // as delivered
    later: Option<Vec<u8>>, // of the same bytes, once they were contradicted
    waiting: Vec<(u64, Vec<u8>)>,
}

impl Readings {
    /// Bytes were delivered.
    pub fn extend(&mut self, data: &[u8]) {
        let data = &data[data.len().saturating_sub(RECENT_BYTES)..];
        for reading in std::iter::once(&mut self.first).chain(self.later.as_mut()) {
            if reading.len() + data.len() > 2 * RECENT_BYTES {
                reading.drain(..reading.len() + data.len() - RECENT_BYTES);
            }
            reading.extend_from_slice(data);
        }
    }

    /// Bytes were skipped: what comes follows nothing that is known.
    pub fn stop(&mut self) {
        *self = Readings::default();
    }

    /// Bytes of the contradictions that wait.
    pub fn waiting_bytes(&self) -> usize {
        self.waiting.iter().map(|(_, data)| data.len()).sum()
    }

    fn window(reading: &[u8]) -> &[u8] {
        &reading[reading.len().saturating_sub(RECENT_BYTES)..]
    }

    /// Whether bytes at `offset` differ from what was delivered, as far as it is remembered; `next` is expected.
    pub fn contradict(&self, offset: u64, data: &[u8], next: u64) -> bool {
        let known = Readings::window(&self.first);
        let begin = next - known.len() as u64;
        let (from, to) = (offset.max(begin), (offset + data.len() as u64).min(next));
        let part = |from_begin: u64| (from - from_begin) as usize..(to - from_begin) as usize;
        from < to && known[part(begin)] != data[part(offset)]
    }

    /// Remember bytes that contradict others, until what is before them was delivered.
    pub fn wait(&mut self, offset: u64, data: &[u8]) {
        if data.len() <= RECENT_BYTES && self.waiting.len() < WAITING {
            self.waiting.push((offset, data.to_vec()));
        }
    }

    /// The next line of the other reading that is whole: its offset and bytes.
    pub fn take(&mut self, next: u64) -> Option<(u64, Vec<u8>)> {
        while let Some(at) = self.waiting.iter().position(|(offset, data)| offset + data.len() as u64 <= next) {
            let (offset, data) = self.waiting.remove(at);
            if let Some(line) = self.overlay(offset, &data, next) {
                return Some(line);
            }
        }
        None
    }

    /// Let later bytes count; the line that they end, from behind the LF before them, if it has its own LF.
    fn overlay(&mut self, offset: u64, data: &[u8], next: u64) -> Option<(u64, Vec<u8>)> {
        let first = &self.first;
        let later = self.later.get_or_insert_with(|| first.clone());
        later.drain(..later.len().saturating_sub(RECENT_BYTES));
        let begin = next - later.len() as u64;
        let at = offset.checked_sub(begin)? as usize;
        if later[at..at + data.len()] == *data {
            return None;
        }
        later[at..at + data.len()].copy_from_slice(data);
        // what begins a line in the first reading does so in this one
        let begins = at > 0 && first[first.len() - (next - offset) as usize - 1] == b'\n';
        let before = later[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |lf| lf + 1);
        let start = if begins { at } else { before };
        let last = at + data.len() - 1;
        let end = last + later[last..].iter().position(|byte| *byte == b'\n')? + 1;
        Some((begin + start as u64, later[start..end].to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_later_bytes_of_a_line_are_the_other_reading() {
        let mut readings = Readings::default();
        readings.extend(b"one\njunk_");
        assert!(readings.contradict(4, b"two!\n", 9) && !readings.contradict(0, b"one\nju", 9));
        readings.wait(4, b"two!\n");
        assert_eq!(readings.take(8), None);
        assert_eq!(readings.take(9), Some((4, b"two!\n".to_vec())));
        readings.wait(4, b"two!\n");
        assert_eq!(readings.take(9), None);
    }

    #[test]
    fn what_was_skipped_or_is_too_old_contradicts_nothing() {
        let mut readings = Readings::default();
        readings.extend(&[b'a'; 3_000]);
        assert!(!readings.contradict(0, b"b", 3_000) && !readings.contradict(1_975, b"b", 3_000));
        assert!(readings.contradict(1_976, b"b", 3_000));
        readings.stop();
        assert!(!readings.contradict(1_976, b"b", 3_000));
    }
}
