//! Which queue a packet goes to, where the kernel spreads an interface's packets (PACKET_FANOUT, packet(7)): a program
//! that the kernel runs for each. It hashes the unordered pair of addresses of the innermost IP header. The ports are
//! not in it, since fragments have none: so both directions of a flow, its fragments, and its packets in a tunnel or
//! under a tag go together.
//!
//! It is classic BPF: that needs no right besides the socket's own, where bpf(2) wants CAP_BPF and is denied by the
//! sandbox; and it can do all that is needed, for layers have a bound. What it cannot peel it takes by the last pair
//! that it saw. It peels what `wire::decode` and `wire::tunnel` do, three headers of IP deep; exceptions: docs/border.md.

use crate::capture::assembler::{Assembler, Change, Fact, Place};
use crate::capture::interface::Instruction;

/// Headers of IP within each other that are looked at.
pub const LEVELS: usize = 3;
/// Tags, labels or extension headers one after another that are passed over in a level.
const TAGS: usize = 4;
/// Odd, with bits well spread: those of MurmurHash3's mixing (its `fmix32` and block constants).
const SPREAD: [u32; 3] = [0x85eb_ca6b, 0xc2b2_ae35, 0xcc9e_2d51];

// Cells: the pair's hash so far, the offset of the layer, a type or a length, and scratch.
const PAIR: u32 = 0;
const OFFSET: u32 = 1;
const KIND: u32 = 2;
const SUM: u32 = 3;
const WORDS: u32 = 4;

const DONE: Place = ("done", 0);
const SENT_BY_US: u32 = 4;
const TAG_TYPES: [u32; 4] = [0x8100, 0x88a8, 0x9100, 0x9200];

/// The hash of a pair of addresses (of IPv4 in the first four bytes), as the program computes it.
pub fn pair_hash(source: &[u8; 16], destination: &[u8; 16], v6: bool, seed: u32) -> u32 {
    let side = |address: &[u8; 16]| {
        let word = |at: usize| u32::from_be_bytes([address[at], address[at + 1], address[at + 2], address[at + 3]]);
        let whole = if v6 {
            [4, 8, 12].iter().fold(word(0), |sum, at| sum.wrapping_mul(SPREAD[2]).wrapping_add(word(*at)))
        } else {
            word(0)
        };
        let mixed = (whole ^ seed).wrapping_mul(SPREAD[0]);
        (mixed ^ mixed >> 15).wrapping_mul(SPREAD[1])
    };
    finished(side(source).wrapping_add(side(destination)))
}

fn finished(pair: u32) -> u32 {
    let mixed = (pair ^ pair >> 16).wrapping_mul(SPREAD[0]);
    mixed ^ mixed >> 13
}

/// The program for an interface of this link type: Ethernet (1) or IP.
pub fn program(link: u16, seed: u32) -> Vec<Instruction> {
    let mut code = Assembler::default();
    code.set(0);
    code.remember(PAIR);
    code.a_to_x();
    // What came in begins behind the header of Ethernet, what goes out with it.
    code.load_fact(Fact::Kind);
    if link == 1 {
        code.go_if_equal(SENT_BY_US, ("ethernet", 0));
    }
    code.load_fact(Fact::Protocol);
    code.go(("type", 0));
    for level in 0..LEVELS {
        link_layers(&mut code, level);
        internet_layers(&mut code, level, seed);
        transport_layers(&mut code, level);
    }
    code.place(DONE);
    code.recall(PAIR);
    code.a_to_x();
    code.change(Change::ShiftRight, 16);
    code.change_by_x(Change::Xor);
    code.change(Change::Multiply, SPREAD[0]);
    code.a_to_x();
    code.change(Change::ShiftRight, 13);
    code.change_by_x(Change::Xor);
    code.answer();
    code.finish(DONE)
}

/// From an Ethernet header, a type, labels, PPP, or the first nibble of IP to a header of IP. X is where they begin.
fn link_layers(code: &mut Assembler, level: usize) {
    code.place(("ethernet", level));
    code.load(2, 12);
    pass(code, 14);
    code.place(("type", level));
    for number in 0..TAGS {
        tag(code, level, ("tag", level * TAGS + number));
    }
    code.place(("untagged", level));
    for (kind, place) in [
        (0x0800, ("ipv4", level)),
        (0x86dd, ("ipv6", level)),
        (0x8847, ("labels", level)),
        (0x8848, ("labels", level)),
        (0x8864, ("session", level)),
        (0x6558, ("ethernet", level + 1)),
        (0x880b, ("ppp", level)), // of GRE
    ] {
        code.go_if_equal(kind, place);
    }
    // RFC 1042, behind a length; the kernel says 4 for any.
    code.change(Change::And, 0xffff_f800);
    code.go_unless_equal(0, DONE);
    code.load(4, 0);
    code.go_unless_equal(0xaaaa_0300, DONE);
    code.load(2, 4);
    code.go_unless_equal(0, DONE);
    code.load(2, 6);
    pass(code, 8);
    code.go_if_equal(0x0800, ("ipv4", level));
    code.go_if_equal(0x86dd, ("ipv6", level));
    code.go(DONE);
    code.place(("session", level));
    code.advance(6);
    code.go(("ppp", level));
    ppp(code, level);
    labels(code, level);
    code.place(("nibble", level));
    by_version(code, level, DONE);
}

/// Pass over so many bytes; A stays.
fn pass(code: &mut Assembler, bytes: u32) {
    code.remember(KIND);
    code.advance(bytes);
    code.recall(KIND);
}

/// Pass over a VLAN tag, if A is its type; A is the next.
fn tag(code: &mut Assembler, level: usize, place: Place) {
    let [others @ .., last] = TAG_TYPES;
    for kind in others {
        code.go_if_equal(kind, place);
    }
    code.go_unless_equal(last, ("untagged", level));
    code.place(place);
    code.load(2, 2);
    pass(code, 4);
}

/// PPP (RFC 1661), "framed" with or without address and control.
fn ppp(code: &mut Assembler, level: usize) {
    code.place(("framed", level));
    code.load(2, 0);
    code.go_unless_equal(0xff03, ("ppp", level));
    code.advance(2);
    code.place(("ppp", level));
    code.load(1, 0);
    code.go_unless_any(1, ("long", level));
    pass(code, 1);
    code.go(("ppp-type", level));
    code.place(("long", level));
    code.load(2, 0);
    pass(code, 2);
    code.place(("ppp-type", level));
    code.go_if_equal(0x0021, ("ipv4", level));
    code.go_if_equal(0x0057, ("ipv6", level));
    code.go_unless_equal(0x0281, DONE);
}

/// MPLS (RFC 3032) to the bottom of its stack.
fn labels(code: &mut Assembler, level: usize) {
    code.place(("labels", level));
    for _ in 0..TAGS {
        code.load(1, 2);
        pass(code, 4);
        code.go_if_any(1, ("bottom", level));
    }
    code.go(DONE);
    code.place(("bottom", level));
    by_version(code, level, ("no-ip", level));
    code.place(("no-ip", level));
    code.go_unless_equal(0, ("ethernet", level + 1));
    code.advance(4); // RFC 4448: a control word
    code.go(("ethernet", level + 1));
}

/// By the first nibble of what comes next.
fn by_version(code: &mut Assembler, level: usize, otherwise: Place) {
    code.load(1, 0);
    code.change(Change::ShiftRight, 4);
    code.go_if_equal(4, ("ipv4", level));
    code.go_if_equal(6, ("ipv6", level));
    code.go(otherwise);
}

/// The headers of IP: the pair, and on to the payload with its protocol in A.
fn internet_layers(code: &mut Assembler, level: usize, seed: u32) {
    code.place(("ipv4", level));
    code.remember_x(OFFSET);
    for (number, at) in [12, 16].into_iter().enumerate() {
        code.load(4, at);
        add_side(code, number, seed);
    }
    code.load(2, 6);
    code.go_if_any(0x3fff, DONE); // a fragment: what is in it, only the first one says
    code.load(1, 9);
    code.remember(KIND);
    code.load(1, 0);
    code.change(Change::And, 15);
    code.change(Change::ShiftLeft, 2);
    to_behind(code);
    code.go(("protocol", level));

    code.place(("ipv6", level));
    code.remember_x(OFFSET);
    for (number, at) in [8, 24].into_iter().enumerate() {
        code.load(4, at);
        for further in [4, 8, 12] {
            code.change(Change::Multiply, SPREAD[2]);
            code.remember(WORDS);
            code.load(4, at + further);
            code.recall_x(WORDS);
            code.change_by_x(Change::Add);
            code.recall_x(OFFSET);
        }
        add_side(code, number, seed);
    }
    code.load(1, 6);
    pass(code, 40);
    for number in 0..TAGS {
        extension(code, level, level * TAGS + number);
    }
    code.place(("protocol", level));
    code.go_if_equal(6, DONE);
    code.go_if_equal(17, ("udp", level));
    code.go_if_equal(4, ("ipv4", level + 1));
    code.go_if_equal(41, ("ipv6", level + 1));
    code.go_if_equal(47, ("gre", level));
    code.go_if_equal(137, ("labels", level + 1));
    code.go_unless_equal(51, DONE);
    code.load(1, 0); // RFC 4302 over IPv4
    code.remember(KIND);
    code.load(1, 1);
    code.change(Change::Add, 2);
    code.change(Change::ShiftLeft, 2);
    to_behind(code);
    code.go_if_equal(4, ("ipv4", level + 1));
    code.go_if_equal(41, ("ipv6", level + 1));
    code.go_unless_equal(17, DONE);
    code.go(("udp", level));
}

/// Mix A, of one address, into the pair's hash; the second side finds the first in it. X is the layer again.
fn add_side(code: &mut Assembler, number: usize, seed: u32) {
    code.change(Change::Xor, seed);
    code.change(Change::Multiply, SPREAD[0]);
    code.a_to_x();
    code.change(Change::ShiftRight, 15);
    code.change_by_x(Change::Xor);
    code.change(Change::Multiply, SPREAD[1]);
    if number == 0 {
        code.remember(SUM);
    } else {
        code.recall_x(SUM);
        code.change_by_x(Change::Add);
        code.remember(PAIR);
    }
    code.recall_x(OFFSET);
}

/// X = so much more as A says; A is what is remembered as kind.
fn to_behind(code: &mut Assembler) {
    code.change_by_x(Change::Add);
    code.a_to_x();
    code.recall(KIND);
}

/// Pass over an extension header of IPv6 (RFC 8200), if A is its number; A is the next.
fn extension(code: &mut Assembler, level: usize, number: usize) {
    for kind in [0, 43, 60, 135] {
        code.go_if_equal(kind, ("options", number));
    }
    code.go_if_equal(51, ("authentication", number));
    code.go_unless_equal(44, ("protocol", level));
    code.load(2, 2);
    code.go_if_any(0xfff9, DONE); // a fragment, unless it is the whole
    code.load(1, 0);
    pass(code, 8);
    code.go(("extended", number));
    code.place(("authentication", number));
    code.load(1, 0);
    code.remember(KIND);
    code.load(1, 1);
    code.change(Change::Add, 2);
    code.change(Change::ShiftLeft, 2);
    to_behind(code);
    code.go(("extended", number));
    code.place(("options", number));
    code.load(1, 0);
    code.remember(KIND);
    code.load(1, 1);
    code.change(Change::Add, 1);
    code.change(Change::ShiftLeft, 3);
    to_behind(code);
    code.place(("extended", number));
}

/// The tunnels over UDP and GRE.
fn transport_layers(code: &mut Assembler, level: usize) {
    code.place(("udp", level));
    // Where there is no room for a tunnel's header nothing is loaded: a load behind the end is an answer of 0.
    demand(code, 8 + 8 + 14);
    code.load(2, 2);
    for (port, place) in [
        (4_789, ("vxlan", level)),
        (8_472, ("vxlan", level)),
        (6_081, ("geneve", level)),
        (2_152, ("gtp", level)),
        (37_008, ("tzsp", level)),
        (1_701, ("l2tp", level)),
    ] {
        code.go_if_equal(port, place);
    }
    anywhere(code, level);
    named_tunnels(code, level);
    gtp(code, level);
    l2tp(code, level);
    gre(code, level);
}

/// Go on if there are so many bytes from X on; A is lost.
fn demand(code: &mut Assembler, bytes: u32) {
    code.load_length();
    code.change_by_x(Change::Subtract);
    code.go_if_any(0x8000_0000, DONE);
    code.go_unless_greater(bytes - 1, DONE);
}

/// VXLAN and L2TP at any port, where everything in them fits.
fn anywhere(code: &mut Assembler, level: usize) {
    code.load(4, 8);
    code.go_unless_equal(0x0800_0000, ("no-vxlan", level));
    code.load(1, 15);
    code.go_unless_equal(0, DONE);
    code.load(2, 16 + 12);
    code.go_if_equal(0x0800, ("in-vxlan", level));
    code.go_if_equal(0x86dd, ("in-vxlan", level));
    code.go(DONE);
    code.place(("no-vxlan", level));
    code.change(Change::ShiftRight, 16);
    code.go_if_equal(0x4002, ("perhaps-l2tp", level));
    code.go_unless_equal(0x4802, DONE);
    code.place(("perhaps-l2tp", level));
    code.load(2, 10);
    code.change(Change::Add, 8);
    code.remember_x(OFFSET);
    code.remember(WORDS);
    code.load(2, 4);
    code.recall_x(WORDS);
    code.change_by_x(Change::Subtract);
    code.recall_x(OFFSET);
    code.go_unless_equal(0, DONE);
    code.go(("l2tp", level));
}

/// VXLAN (RFC 7348), Geneve (RFC 8926), TZSP without fields.
fn named_tunnels(code: &mut Assembler, level: usize) {
    code.place(("vxlan", level));
    code.load(1, 8);
    code.go_unless_any(8, DONE);
    code.place(("in-vxlan", level));
    code.advance(16);
    code.go(("ethernet", level + 1));

    code.place(("geneve", level));
    code.load(2, 10);
    code.remember(KIND);
    code.load(1, 8);
    code.go_if_any(0xc0, DONE);
    code.change(Change::And, 0x3f);
    code.change(Change::ShiftLeft, 2);
    code.change(Change::Add, 16);
    to_behind(code);
    demand(code, 1);
    code.recall(KIND);
    code.go_unless_greater(1_500, DONE);
    code.go(("type", level + 1));

    code.place(("tzsp", level));
    code.load(4, 8);
    code.change(Change::And, 0xfffe_ffff); // received, or for transmission
    code.go_unless_equal(0x0100_0001, DONE);
    code.load(1, 12);
    code.go_unless_equal(1, DONE);
    code.advance(13);
    code.go(("ethernet", level + 1));
}

/// GTP-U (3GPP TS 29.281) with at most two extension headers.
fn gtp(code: &mut Assembler, level: usize) {
    code.place(("gtp", level));
    code.load(1, 9);
    code.go_unless_equal(255, DONE);
    code.load(1, 8);
    code.remember(WORDS);
    code.change(Change::And, 0xf0);
    code.go_unless_equal(0x30, DONE);
    code.advance(16);
    code.recall(WORDS);
    code.go_unless_any(7, ("nibble", level + 1));
    code.load(1, 3);
    code.remember(KIND);
    code.advance(4);
    code.recall(WORDS);
    code.go_unless_any(4, ("nibble", level + 1));
    for _ in 0..2 {
        code.recall(KIND);
        code.go_if_equal(0, ("nibble", level + 1));
        demand(code, 4);
        code.load(1, 0);
        code.go_if_equal(0, DONE);
        code.change(Change::ShiftLeft, 2);
        code.change(Change::Subtract, 1);
        code.change_by_x(Change::Add);
        code.a_to_x();
        demand(code, 2);
        code.load(1, 0);
        pass(code, 1);
    }
    code.go_if_equal(0, ("nibble", level + 1));
    code.go(DONE);
}

/// L2TP (RFC 2661) without an offset.
fn l2tp(code: &mut Assembler, level: usize) {
    code.place(("l2tp", level));
    code.load(2, 8);
    code.remember(WORDS);
    code.change(Change::And, 0x820f); // control, offset, version
    code.go_unless_equal(2, DONE);
    code.advance(8 + 6);
    for (bit, bytes, place) in [(0x4000, 2, "no-length"), (0x0800, 4, "no-numbers")] {
        code.recall(WORDS);
        code.go_unless_any(bit, (place, level));
        code.advance(bytes);
        code.place((place, level));
    }
    code.go(("framed", level + 1));
}

/// GRE (RFC 2784, RFC 2890), with PPTP's (RFC 2637).
fn gre(code: &mut Assembler, level: usize) {
    code.place(("gre", level));
    code.load(2, 2);
    code.remember(KIND);
    code.load(2, 0);
    code.remember(WORDS);
    code.go_if_any(6, DONE);
    code.go_if_any(1, ("pptp", level));
    code.go_if_any(0x4000, DONE);
    code.advance(4);
    for (bit, place) in [(0x8000, "no-sum"), (0x2000, "no-key"), (0x1000, "no-number")] {
        code.recall(WORDS);
        code.go_unless_any(bit, (place, level));
        code.advance(4);
        code.place((place, level));
    }
    code.recall(KIND);
    code.go_if_equal(0x88be, ("erspan", level));
    code.go_if_equal(0x22eb, ("erspan-3", level));
    code.go_unless_greater(1_500, DONE); // a keep-alive
    code.go(("type", level + 1));

    code.place(("erspan", level));
    code.recall(WORDS);
    code.go_unless_any(0x1000, ("ethernet", level + 1));
    code.advance(8);
    code.go(("ethernet", level + 1));

    code.place(("erspan-3", level));
    code.load(1, 11);
    pass(code, 12);
    code.go_unless_any(1, ("ethernet", level + 1));
    code.advance(8);
    code.go(("ethernet", level + 1));

    code.place(("pptp", level));
    code.go_unless_any(0x1000, DONE);
    code.recall(KIND);
    code.go_unless_equal(0x880b, DONE);
    code.advance(12);
    code.recall(WORDS);
    code.go_unless_any(0x80, ("framed", level + 1));
    code.advance(4);
    code.go(("framed", level + 1));
}
