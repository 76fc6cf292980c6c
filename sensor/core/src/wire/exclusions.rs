//! What the operator does not want looked at: networks and ports, compared with both ends of a segment right after it
//! is decoded.

use crate::wire::segment::Segment;

/// Networks by family, and one bit for each port.
pub struct Exclusions {
    networks: Vec<(bool, [u8; 16], u8)>, // IPv6, address, prefix length
    ports: Box<[u64; 1024]>,
    any: bool,
}

impl Default for Exclusions {
    fn default() -> Self {
        Exclusions { networks: Vec::new(), ports: Box::new([0; 1024]), any: false }
    }
}

impl Exclusions {
    /// `Err` names the network that is not valid: addresses have 4 or 16 bytes and at most as many bits of prefix.
    pub fn new(networks: &[(Vec<u8>, u8)], ports: &[u16]) -> Result<Exclusions, String> {
        let mut exclusions = Exclusions { any: !networks.is_empty() || !ports.is_empty(), ..Exclusions::default() };
        for (address, prefix) in networks {
            let width = address.len();
            if !matches!(width, 4 | 16) || usize::from(*prefix) > width * 8 {
                return Err(format!("a network of {width} bytes and {prefix} bits"));
            }
            let mut wide = [0; 16];
            wide[..width].copy_from_slice(address);
            exclusions.networks.push((width == 16, wide, *prefix));
        }
        for port in ports {
            exclusions.ports[usize::from(port / 64)] |= 1 << (port % 64);
        }
        Ok(exclusions)
    }

    /// Whether a segment comes from, or goes to, what is excluded.
    #[inline]
    pub fn matches(&self, seg: &Segment) -> bool {
        self.any
            && (self.has_port(seg.sport)
                || self.has_port(seg.dport)
                || self.networks.iter().any(|network| covers(network, seg)))
    }

    fn has_port(&self, port: u16) -> bool {
        self.ports[usize::from(port / 64)] >> (port % 64) & 1 == 1
    }
}

fn covers((v6, address, prefix): &(bool, [u8; 16], u8), seg: &Segment) -> bool {
    let shift = 128 - u32::from(*prefix);
    let differs = |other: &[u8; 16]| {
        let difference = u128::from_be_bytes(*address) ^ u128::from_be_bytes(*other);
        difference.checked_shr(shift).unwrap_or(0) != 0
    };
    *v6 == seg.v6 && (!differs(&seg.src) || !differs(&seg.dst))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_end_within_a_network_or_at_a_port() {
        let mut seg = Segment { sport: 40_000, dport: 443, ..Segment::default() };
        seg.src[..4].copy_from_slice(&[10, 1, 2, 3]);
        seg.dst[..4].copy_from_slice(&[192, 0, 2, 1]);
        let excluded =
            |networks: &[(Vec<u8>, u8)], ports: &[u16]| Exclusions::new(networks, ports).unwrap().matches(&seg);
        assert!(
            excluded(&[(vec![10, 1, 0, 0], 16)], &[])
                && excluded(&[(vec![192, 0, 2, 1], 32)], &[])
                && excluded(&[(vec![9; 4], 0)], &[])
        );
        assert!(
            !excluded(&[(vec![10, 1, 2, 4], 32)], &[]) && !excluded(&[(vec![0; 16], 0)], &[]) && !excluded(&[], &[])
        );
        assert!(excluded(&[], &[443]) && excluded(&[], &[40_000]) && !excluded(&[], &[442, 444]));
        assert!(
            Exclusions::new(&[(vec![1; 4], 33)], &[]).is_err() && Exclusions::new(&[(vec![1; 5], 3)], &[]).is_err()
        );
    }
}
