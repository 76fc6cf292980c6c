//! Classic BPF (bpf(4), Documentation/networking/filter.rst) put together with names for the places that it jumps to.
//! Jumps go forward only, so a program ends.

use std::collections::HashMap;

use crate::capture::interface::Instruction;

// linux/bpf_common.h
const LOAD: u16 = 0x00;
const LOAD_X: u16 = 0x01;
const STORE: u16 = 0x02;
const STORE_X: u16 = 0x03;
const ARITHMETIC: u16 = 0x04;
const JUMP: u16 = 0x05;
const RETURN_A: u16 = 0x16;
const WORD: u16 = 0x00;
const HALF: u16 = 0x08;
const BYTE: u16 = 0x10;
const IMMEDIATE: u16 = 0x00;
const ABSOLUTE: u16 = 0x20;
const INDIRECT: u16 = 0x40;
const MEMORY: u16 = 0x60;
const LENGTH: u16 = 0x80;
const BY_X: u16 = 0x08;
const A_TO_X: u16 = 0x07;
const X_TO_A: u16 = 0x87;
const EQUAL: u16 = 0x10;
const GREATER: u16 = 0x20;
const ANY_BIT: u16 = 0x40;
/// Where facts about the packet are loaded from instead of its bytes (linux/filter.h, SKF_AD_OFF).
const FACTS: u32 = 0xffff_f000;

/// How A is changed by a number, or by X.
#[derive(Clone, Copy)]
pub enum Change {
    Add = 0x00,
    Subtract = 0x10,
    Multiply = 0x20,
    And = 0x50,
    ShiftLeft = 0x60,
    ShiftRight = 0x70,
    Xor = 0xa0,
}

/// Facts about a packet (linux/filter.h).
#[derive(Clone, Copy)]
pub enum Fact {
    Protocol = 0, // the EtherType, behind a tag that was taken off
    Kind = 4,     // 4: sent by this host
}

/// A place of the program, with the layer of the frame that it is for.
pub type Place = (&'static str, usize);

/// A program that grows. A is what is worked on, X the offset that loads are relative to, M what is remembered.
#[derive(Default)]
pub struct Assembler {
    program: Vec<Instruction>,
    places: HashMap<Place, usize>,
    jumps: Vec<(usize, Place)>,
}

impl Assembler {
    fn put(&mut self, code: u16, k: u32) {
        self.program.push((code, 0, 0, k));
    }

    /// The next instruction is this place.
    pub fn place(&mut self, place: Place) {
        self.places.insert(place, self.program.len());
    }

    /// A = four, two or one bytes of the frame, at X and so much further.
    pub fn load(&mut self, bytes: usize, at: u32) {
        let size = [BYTE, HALF, WORD][bytes.trailing_zeros() as usize];
        self.put(LOAD | INDIRECT | size, at);
    }

    /// A = a fact about the packet.
    pub fn load_fact(&mut self, fact: Fact) {
        self.put(LOAD | ABSOLUTE | WORD, FACTS + fact as u32);
    }

    /// A = the packet's length, from where offset 0 is.
    pub fn load_length(&mut self) {
        self.put(LOAD | LENGTH, 0);
    }

    /// A = a number.
    pub fn set(&mut self, value: u32) {
        self.put(LOAD | IMMEDIATE, value);
    }

    /// M[cell] = A.
    pub fn remember(&mut self, cell: u32) {
        self.put(STORE, cell);
    }

    /// M[cell] = X.
    pub fn remember_x(&mut self, cell: u32) {
        self.put(STORE_X, cell);
    }

    /// A = M[cell].
    pub fn recall(&mut self, cell: u32) {
        self.put(LOAD | MEMORY, cell);
    }

    /// X = M[cell].
    pub fn recall_x(&mut self, cell: u32) {
        self.put(LOAD_X | MEMORY, cell);
    }

    pub fn change(&mut self, change: Change, by: u32) {
        self.put(ARITHMETIC | change as u16, by);
    }

    pub fn change_by_x(&mut self, change: Change) {
        self.put(ARITHMETIC | BY_X | change as u16, 0);
    }

    pub fn a_to_x(&mut self) {
        self.put(A_TO_X, 0);
    }

    pub fn x_to_a(&mut self) {
        self.put(X_TO_A, 0);
    }

    /// X = so much more; A is lost.
    pub fn advance(&mut self, by: u32) {
        self.x_to_a();
        self.change(Change::Add, by);
        self.a_to_x();
    }

    pub fn go(&mut self, place: Place) {
        self.jumps.push((self.program.len(), place));
        self.put(JUMP, 0);
    }

    /// A conditional jump reaches 255 instructions, an unconditional one any: the former skips the latter.
    fn go_if(&mut self, code: u16, k: u32, holds: bool, place: Place) {
        self.program.push((JUMP | code, u8::from(!holds), u8::from(holds), k));
        self.go(place);
    }

    pub fn go_if_equal(&mut self, k: u32, place: Place) {
        self.go_if(EQUAL, k, true, place);
    }

    pub fn go_unless_equal(&mut self, k: u32, place: Place) {
        self.go_if(EQUAL, k, false, place);
    }

    pub fn go_unless_greater(&mut self, k: u32, place: Place) {
        self.go_if(GREATER, k, false, place);
    }

    pub fn go_if_any(&mut self, bits: u32, place: Place) {
        self.go_if(ANY_BIT, bits, true, place);
    }

    pub fn go_unless_any(&mut self, bits: u32, place: Place) {
        self.go_if(ANY_BIT, bits, false, place);
    }

    /// A is the answer.
    pub fn answer(&mut self) {
        self.put(RETURN_A, 0);
    }

    /// The program, its jumps resolved; a place that was never put leads to `otherwise`, which was.
    pub fn finish(mut self, otherwise: Place) -> Vec<Instruction> {
        let last = self.places.get(&otherwise).copied().unwrap_or(self.program.len());
        for (at, place) in &self.jumps {
            let target = self.places.get(place).copied().unwrap_or(last);
            self.program[*at].3 = target.saturating_sub(at + 1) as u32;
        }
        self.program
    }
}
