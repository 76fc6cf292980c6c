//! Whether a stream may begin with two bytes at all, by what all openings together want of them: nearly every first
//! payload ends here.

const WORDS: usize = 65_536 / 64;

/// One bit for each pair of bytes.
pub struct FirstBytes(Box<[u64; WORDS]>);

impl Default for FirstBytes {
    fn default() -> Self {
        FirstBytes(Box::new([0; WORDS]))
    }
}

impl FirstBytes {
    /// Streams may begin so: every byte within its (low, high).
    pub fn add(&mut self, pattern: &[(u8, u8)]) {
        let range = |at: usize| pattern.get(at).map_or(0..=255, |(low, high)| *low..=*high);
        for first in range(0) {
            for second in range(1) {
                let place = usize::from(u16::from_be_bytes([first, second]));
                self.0[place / 64] |= 1 << (place % 64);
            }
        }
    }

    /// Whether one may begin with these; of less than two bytes nothing is said.
    #[inline]
    pub fn allow(&self, bytes: &[u8]) -> bool {
        let Some([first, second]) = bytes.first_chunk() else { return true };
        let place = usize::from(u16::from_be_bytes([*first, *second]));
        self.0[place / 64] >> (place % 64) & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_beginning_of_a_pattern_is_allowed_and_no_other() {
        let mut bytes = FirstBytes::default();
        bytes.add(&[(3, 5), (255, 255), (9, 9)]);
        bytes.add(&[(0x7b, 0x7b)]);
        for first in 0..=255 {
            for second in 0..=255 {
                let fits = ((3..=5).contains(&first) && second == 255) || first == 0x7b;
                assert_eq!(bytes.allow(&[first, second, 0]), fits);
            }
        }
        assert!(bytes.allow(&[]) && bytes.allow(&[1]));
    }
}
