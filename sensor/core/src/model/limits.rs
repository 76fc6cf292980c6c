//! Bounds of everything the network feeds. The table below is the one place of their names, types and defaults: it
//! makes the record, and the border reads and exports it.

/// Why a limit cannot be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    NoSuchLimit,
    OutOfRange,
}

macro_rules! limits {
    ($($name:ident: $kind:ty = $default:literal),* $(,)?) => {
        #[derive(Clone, Debug)]
        pub struct Limits { $(pub $name: $kind),* }

        /// Names and defaults, in the order of the table.
        pub const DEFAULTS: &[(&str, i64)] = &[$((stringify!($name), $default)),*];

        impl Default for Limits {
            fn default() -> Self {
                Limits { $($name: $default),* }
            }
        }

        impl Limits {
            /// Set the limit of that name.
            pub fn set(&mut self, name: &str, value: i128) -> Result<(), Refused> {
                match name {
                    $(stringify!($name) => self.$name = value.try_into().map_err(|_| Refused::OutOfRange)?,)*
                    _ => return Err(Refused::NoSuchLimit),
                }
                Ok(())
            }
        }
    };
}

limits! {
    workers: usize = 1,
    flows: usize = 1_048_576,
    candidates: usize = 16_384,
    session_bytes: i64 = 65_536,
    reorder_bytes: usize = 131_072,
    reorder_segments: usize = 128,
    held_bytes: usize = 134_217_728,
    thin_flows: usize = 65_536,
    thin_bytes: usize = 67_108_864,
    fragments: usize = 4_096,
    fragment_bytes: usize = 16_777_216,
    queue_events: usize = 16_384,
    queue_bytes: usize = 16_777_216,
    tcp_timeout_s: u64 = 600,
    tcp_new_timeout_s: u64 = 60,
    closed_timeout_s: u64 = 10,
    udp_timeout_s: u64 = 60,
    candidate_timeout_s: u64 = 1_800,
}

impl Limits {
    /// `Err`: a sentence with the bounds that the core works within.
    pub fn check(&self) -> Result<(), &'static str> {
        if !(1..=256).contains(&self.workers) || self.flows == 0 || self.flows > 1 << 28 || self.candidates == 0 {
            return Err("workers must be 1 to 256, flows 1 to 2^28, candidates at least 1");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_can_be_set_by_its_name() {
        let mut limits = Limits::default();
        for (name, value) in DEFAULTS {
            assert_eq!(limits.set(name, i128::from(*value) + 1), Ok(()));
        }
        assert_eq!((limits.workers, limits.session_bytes, limits.candidate_timeout_s), (2, 65_537, 1_801));
    }

    #[test]
    fn what_is_no_limit_or_does_not_fit_is_refused() {
        let mut limits = Limits::default();
        assert_eq!(limits.set("flow", 1), Err(Refused::NoSuchLimit));
        assert_eq!(limits.set("flows", -1), Err(Refused::OutOfRange));
        assert_eq!(limits.set("tcp_timeout_s", 1 << 64), Err(Refused::OutOfRange));
        assert_eq!(limits.set("session_bytes", -1), Ok(()));
    }
}
