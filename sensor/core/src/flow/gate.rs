//! Whether a quiet flow's payload opens a gate, and where assembly then begins. Rules in their order: docs/border.md,
//! "Prefilter".

use crate::flow::prefilter::{Carry, Tables};
use crate::flow::table::{bit, Flow};
use crate::wire::segment::{TCP, UDP};

const START_MISSING_BUDGET: i64 = 2_048;
pub const SHAPE_BUDGET: i64 = 8_192;

/// Where a gate opens: the direction, its first byte's sequence, and bytes before the segment that belong to it.
pub struct Gate {
    pub side: usize,
    pub seq: u32,
    pub carry: Carry,
    pub budget: i64,
    pub literal: bool,
    pub start_missing: bool,
    pub on_trial: bool, // what follows has to prove it
}

impl Gate {
    fn with_carry(side: usize, data_seq: u32, carry: Carry, budget: i64, literal: bool) -> Gate {
        Gate {
            side,
            seq: data_seq.wrapping_sub(carry.get().len() as u32),
            carry,
            budget,
            literal,
            start_missing: false,
            on_trial: false,
        }
    }
}

/// The gate that a payload (its first byte's sequence, its bytes) opens, if any.
#[inline]
pub fn find(slot: &Flow<'_>, tables: &Tables, session_bytes: i64, side: usize, arrival: (u32, &[u8])) -> Option<Gate> {
    let (data_seq, payload) = arrival;
    let direction = &slot.sides[side];
    let fresh = !slot.has(bit::PAYLOAD << side);
    if slot.has(bit::UDP) {
        if !fresh || slot.has(bit::OPENED) {
            return None;
        }
        let opening = tables.opening(UDP, &[], payload)?;
        return Some(Gate::with_carry(side, 0, Carry::default(), opening.budget, false));
    }
    let has_base = slot.has(bit::BASE << side);
    let next_in_line = has_base && data_seq == direction.next;
    if !slot.has(bit::OPENED) {
        if fresh && slot.has(bit::SYN << side) && (data_seq.wrapping_sub(direction.base) as i32) > 0 {
            let gate = Gate::with_carry(side, direction.base, Carry::default(), START_MISSING_BUDGET, false);
            return Some(Gate { start_missing: true, on_trial: true, ..gate });
        }
        let carry = if has_base { direction.carry } else { Carry::default() };
        if !has_base || (next_in_line && carry.get().len() as u32 == direction.next.wrapping_sub(direction.base)) {
            if let Some(opening) = tables.opening(TCP, carry.get(), payload) {
                let gate = Gate::with_carry(side, data_seq, carry, opening.budget, false);
                return Some(Gate { on_trial: opening.waits(), ..gate });
            }
        }
    }
    literal(slot, tables, session_bytes, side, arrival)
}

/// The last of the rules alone: a literal in carry and segment.
#[inline]
pub fn literal(
    slot: &Flow<'_>,
    tables: &Tables,
    session_bytes: i64,
    side: usize,
    arrival: (u32, &[u8]),
) -> Option<Gate> {
    let (data_seq, payload) = arrival;
    let direction = &slot.sides[side];
    if slot.has(bit::UDP) {
        return None;
    }
    let next_in_line = slot.has(bit::BASE << side) && data_seq == direction.next;
    let carry = if next_in_line { direction.carry.get() } else { &[] };
    if !tables.scan(carry, payload) {
        return None;
    }
    let carry = if next_in_line { direction.carry } else { Carry::default() };
    Some(Gate::with_carry(side, data_seq, carry, session_bytes, true))
}

/// The row of the tables whose sizes the two first flights have, asked after a payload of `side` was tracked: what the
/// other side had sent before, and what this side has sent by now.
#[inline(always)]
pub fn flights(slot: &Flow<'_>, tables: &Tables, side: usize) -> Option<usize> {
    if tables.flights.is_empty()
        || slot.has(bit::OPENED | bit::UDP)
        || slot.bits & (bit::PAYLOAD * 3) != bit::PAYLOAD * 3
    {
        return None;
    }
    let sent = |side: usize| slot.sides[side].next.wrapping_sub(slot.sides[side].base);
    let sizes = (sent(1 - side), sent(side));
    tables.flights.iter().position(|row| *row == sizes)
}
