//! The program that spreads packets over queues: run here over frames, it gives what the addresses of the decoded segment
//! do, in each direction and in every wrapping that the decoder peels.

use _core::capture::fanout::{pair_hash, program};
use _core::capture::interface::Instruction;
use _core::model::stats::Stats;
use _core::wire::decode::Decoder;
use _core::wire::fragments::Fragments;
use _core::wire::segment::Segment;

const SEED: u32 = 0x1234_5678;
const ETHERNET: u16 = 1;

/// What the kernel would answer for a packet: its bytes from offset 0 on, its EtherType and its kind (linux/filter.h;
/// a load behind the end is an answer of 0).
fn run(program: &[Instruction], bytes: &[u8], protocol: u32, kind: u32) -> u32 {
    run_counted(program, bytes, protocol, kind).0
}

/// The same, and how many instructions it took.
fn run_counted(program: &[Instruction], bytes: &[u8], protocol: u32, kind: u32) -> (u32, usize) {
    let (mut a, mut x, mut cells, mut at, mut steps) = (0_u32, 0_u32, [0_u32; 16], 0, 0);
    loop {
        let (code, jt, jf, k) = program[at];
        at += 1;
        steps += 1;
        let operand = if code & 8 == 0 { k } else { x };
        let jump = |holds: bool| usize::from(if holds { jt } else { jf });
        match code {
            0x40 | 0x48 | 0x50 => {
                let (start, size) = (x as usize + k as usize, [4, 2, 1][usize::from(code >> 3 & 3)]);
                let Some(loaded) = bytes.get(start..start + size) else { return (0, steps) };
                a = loaded.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte));
            }
            0x20 => a = if k == 0xffff_f000 { protocol } else { kind },
            0x80 => a = bytes.len() as u32,
            0x00 => a = k,
            0x60 => a = cells[k as usize],
            0x61 => x = cells[k as usize],
            0x02 => cells[k as usize] = a,
            0x03 => cells[k as usize] = x,
            0x04 | 0x0c => a = a.wrapping_add(operand),
            0x14 | 0x1c => a = a.wrapping_sub(operand),
            0x24 | 0x2c => a = a.wrapping_mul(operand),
            0x54 => a &= k,
            0x64 => a <<= k,
            0x74 => a >>= k,
            0xa4 | 0xac => a ^= operand,
            0x07 => x = a,
            0x87 => a = x,
            0x05 => at += k as usize,
            0x15 => at += jump(a == k),
            0x25 => at += jump(a > k),
            0x45 => at += jump(a & k != 0),
            0x16 => return (a, steps),
            other => panic!("no such instruction: {other:#x}"),
        }
    }
}

/// A frame that came in: the kernel has taken the Ethernet header off, and a tag behind it.
fn answer(frame: &[u8]) -> u32 {
    let program = program(ETHERNET, SEED);
    let kind = u16::from_be_bytes([frame[12], frame[13]]);
    let tagged = matches!(kind, 0x8100 | 0x88a8);
    let begin = if tagged { 18 } else { 14 };
    let protocol = match u16::from_be_bytes([frame[begin - 2], frame[begin - 1]]) {
        0..=1535 => 4, // linux/if_ether.h, ETH_P_802_2
        kind => u32::from(kind),
    };
    let came_in = run(&program, &frame[begin..], protocol, 0);
    // sent by this host: with its header, and tagged or not
    assert_eq!(run(&program, frame, u32::from(kind), 4), came_in, "{frame:02x?}");
    came_in
}

/// What the decoder makes of it.
fn decoded(frame: &[u8]) -> Option<Segment> {
    let (stats, mut seg) = (Stats::default(), Segment::default());
    let mut decoder = Decoder { fragments: Fragments::new(16, 1 << 16) };
    decoder.decode(ETHERNET, frame, frame, 0, &stats, &mut seg).ok().map(|()| seg)
}

fn be(value: usize) -> [u8; 2] {
    (value as u16).to_be_bytes()
}

fn ipv4(proto: u8, ends: (u8, u8), payload: &[u8]) -> Vec<u8> {
    let [high, low] = be(20 + payload.len());
    let (inner, other) = (ends.0.min(ends.1), ends.0.max(ends.1));
    let head = [0x45, 0, high, low, 0, 7, 0, 0, 64, proto, 0, 0, 10, 0, 7, inner, 192, 0, 2, other];
    let head = if ends.0 < ends.1 { head } else { turned(head, 12, 16, 4) };
    [&head[..], payload].concat()
}

/// The same with two places of so many bytes exchanged.
fn turned<const N: usize>(mut bytes: [u8; N], one: usize, other: usize, width: usize) -> [u8; N] {
    (0..width).for_each(|at| bytes.swap(one + at, other + at));
    bytes
}

fn ipv6(proto: u8, ends: (u8, u8), payload: &[u8]) -> Vec<u8> {
    let [high, low] = be(payload.len());
    let mut head = [0; 40];
    head[..8].copy_from_slice(&[0x60, 0, 0, 0, high, low, proto, 64]);
    (0..16).for_each(|at| (head[8 + at], head[24 + at]) = (at as u8 * 3, 200 - at as u8));
    (head[23], head[39]) = (ends.0.min(ends.1), ends.0.max(ends.1));
    let head = if ends.0 < ends.1 { head } else { turned(head, 8, 24, 16) };
    [&head[..], payload].concat()
}

fn udp(port: u16, payload: &[u8]) -> Vec<u8> {
    [&be(40_001)[..], &port.to_be_bytes(), &be(8 + payload.len()), &[0, 0], payload].concat()
}

fn tcp(ports: (u16, u16)) -> Vec<u8> {
    let ports = [ports.0.to_be_bytes(), ports.1.to_be_bytes()].concat();
    [&ports[..], &[0, 0, 0, 1, 0, 0, 0, 2, 0x50, 16, 1, 0, 0, 0, 0, 0], b"hello"].concat()
}

fn ethernet(kind: u16, payload: &[u8]) -> Vec<u8> {
    [b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02", &kind.to_be_bytes()[..], payload].concat()
}

/// A packet (its EtherType, its bytes) on the wire, in every way that is looked into.
fn wrapped(kind: u16, ip: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let frame = ethernet(kind, ip);
    let tag = |kind: u16, payload: &[u8]| [&[0x20, 5][..], &kind.to_be_bytes(), payload].concat();
    let outer = |proto: u8, payload: &[u8]| ethernet(0x0800, &ipv4(proto, (1, 99), payload));
    let outer6 = |proto: u8, payload: &[u8]| ethernet(0x86dd, &ipv6(proto, (1, 99), payload));
    let ppp: &[u8] = if kind == 0x0800 { &[0x00, 0x21] } else { &[0x57] };
    let ppp_long: &[u8] = if kind == 0x0800 { &[0x00, 0x21] } else { &[0x00, 0x57] };
    let session = [&[0x11, 0, 0, 9][..], &be(ppp.len() + ip.len()), ppp, ip].concat();
    let labels = [&[0, 1, 0x40, 64, 0, 2, 0x41, 64][..], ip].concat();
    let snap = [&be(8 + ip.len())[..], &[0xaa, 0xaa, 3, 0, 0, 0], &kind.to_be_bytes(), ip].concat();
    let vxlan = |frame: &[u8]| [&[8, 0, 0, 0, 0, 0, 9, 0][..], frame].concat();
    let gre = |head: &[u8], payload: &[u8]| [head, payload].concat();
    let gtp = [&[0x30, 255][..], &be(ip.len()), &[0, 0, 0, 9], ip].concat();
    let gtp_extended = [&[0x34, 255][..], &be(ip.len() + 8), &[0, 0, 0, 9, 0, 0, 0, 0x85, 1, 0, 1, 0], ip].concat();
    let geneve = [&[0x02, 0, 0x65, 0x58, 0, 0, 9, 0][..], &[7; 8], &frame].concat();
    let l2tp = [&[0x40, 2][..], &be(12 + ppp_long.len() + ip.len()), &[0, 1, 0, 2], &[0; 0], ppp_long, ip].concat();
    let l2tp = {
        let mut whole = l2tp;
        let length = be(whole.len());
        whole[2..4].copy_from_slice(&length);
        whole
    };
    let labelled_frame = [&[0, 2, 0x41, 64, 0, 0, 0, 0][..], &frame].concat();
    vec![
        ("plain", frame.clone()),
        ("VLAN", ethernet(0x8100, &tag(kind, ip))),
        ("QinQ", ethernet(0x88a8, &tag(0x8100, &tag(kind, ip)))),
        ("three tags", ethernet(0x8100, &tag(0x9100, &tag(0x9200, &tag(kind, ip))))),
        ("PPPoE", ethernet(0x8864, &session)),
        ("MPLS", ethernet(0x8847, &labels)),
        ("MPLS with a control word", ethernet(0x8847, &labelled_frame)),
        ("SNAP", [&frame[..12], &snap].concat()),
        ("IP in IP", outer(if kind == 0x0800 { 4 } else { 41 }, ip)),
        ("IP in IPv6", outer6(if kind == 0x0800 { 4 } else { 41 }, ip)),
        ("AH", outer(51, &[&[if kind == 0x0800 { 4 } else { 41 }, 4][..], &[0; 22], ip].concat())),
        ("GRE", outer(47, &gre(&[&[0, 0][..], &kind.to_be_bytes()].concat(), ip))),
        ("GRE with all", outer(47, &gre(&[&[0xb0, 0][..], &kind.to_be_bytes(), &[0; 12]].concat(), ip))),
        ("GRE in IPv6", outer6(47, &gre(&[0x20, 0, 0x65, 0x58, 0, 0, 0, 1], &frame))),
        ("ERSPAN I", outer(47, &gre(&[0, 0, 0x88, 0xbe], &frame))),
        ("ERSPAN II", outer(47, &gre(&[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1], &frame))),
        ("ERSPAN III", outer(47, &gre(&[&[0x10, 0, 0x22, 0xeb][..], &[0; 4], &[0; 12]].concat(), &frame))),
        (
            "PPTP",
            outer(
                47,
                &gre(&[0x30, 0x81, 0x88, 0x0b, 0, 9, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0xff, 3], &[ppp, ip].concat()),
            ),
        ),
        ("VXLAN", outer(17, &udp(4_789, &vxlan(&frame)))),
        ("VXLAN of a tag", outer6(17, &udp(8_472, &vxlan(&ethernet(0x8100, &tag(kind, ip)))))),
        ("VXLAN at any port", outer(17, &udp(10_000, &vxlan(&frame)))),
        ("Geneve", outer(17, &udp(6_081, &geneve))),
        ("GTP", outer(17, &udp(2_152, &gtp))),
        ("GTP with an extension", outer(17, &udp(2_152, &gtp_extended))),
        ("TZSP", outer(17, &udp(37_008, &[&[1, 0, 0, 1, 1][..], &frame].concat()))),
        ("L2TP", outer(17, &udp(1_701, &l2tp))),
        ("L2TP at any port", outer(17, &udp(20_000, &l2tp))),
        ("GTP in VXLAN", outer(17, &udp(4_789, &vxlan(&ethernet(0x0800, &ipv4(17, (3, 50), &udp(2_152, &gtp))))))),
    ]
}

fn expected(seg: &Segment) -> u32 {
    pair_hash(&seg.src, &seg.dst, seg.v6, SEED)
}

#[test]
fn both_directions_go_together_in_every_wrapping() {
    let over = [(6, tcp((40_000, 3_333))), (17, udp(53, &[1; 40]))];
    for (proto, payload) in over {
        let v4 = |ends| (0x0800, ipv4(proto, ends, &payload));
        let v6 = |ends| (0x86dd, ipv6(proto, ends, &payload));
        let options = |ends| {
            (0x86dd, ipv6(0, ends, &[&[60, 0, 1, 4, 0, 0, 0, 0, proto, 0, 1, 4, 0, 0, 0, 0][..], &payload].concat()))
        };
        let pairs = [[v4((5, 9)), v4((9, 5))], [v6((5, 9)), v6((9, 5))], [options((5, 9)), options((9, 5))]];
        for ways in pairs {
            let mut answers = Vec::new();
            for (kind, ip) in &ways {
                for (name, frame) in wrapped(*kind, ip) {
                    let seg = decoded(&frame).unwrap_or_else(|| panic!("{name} is not decoded"));
                    assert_eq!(answer(&frame), expected(&seg), "{name}");
                    answers.push(answer(&frame));
                }
            }
            assert!(answers.iter().all(|one| *one == answers[0]), "{answers:?}");
        }
    }
}

#[test]
fn fragments_go_with_their_flow() {
    let whole = ethernet(0x0800, &ipv4(6, (5, 9), &tcp((40_000, 3_333))));
    for (flags, offset) in [(0x20, 0), (0x20, 8), (0, 16)] {
        let mut packet = ipv4(6, (5, 9), &[1; 24]);
        (packet[6], packet[7]) = (flags, offset);
        assert_eq!(answer(&ethernet(0x0800, &packet)), answer(&whole));
    }
    let whole = ethernet(0x86dd, &ipv6(6, (5, 9), &tcp((40_000, 3_333))));
    for fields in [[0, 1], [0, 8]] {
        let packet = ipv6(44, (5, 9), &[&[6, 0, fields[0], fields[1], 0, 0, 0, 1][..], &[1; 24]].concat());
        assert_eq!(answer(&ethernet(0x86dd, &packet)), answer(&whole));
    }
}

#[test]
fn addresses_spread_over_any_number_of_queues() {
    let frames: Vec<u32> = (0..4_000_u32)
        .map(|number| {
            let mut ip = ipv4(6, (5, 9), &tcp((1, 2)));
            ip[12..16].copy_from_slice(&(0x0a00_0000 + number).to_be_bytes());
            answer(&ethernet(0x0800, &ip))
        })
        .collect();
    for queues in [2, 3, 4, 7, 8, 16] {
        let mut counts = vec![0_usize; queues];
        frames.iter().for_each(|answer| counts[*answer as usize % queues] += 1);
        let fair = frames.len() / queues;
        assert!(counts.iter().all(|count| count.abs_diff(fair) < fair / 3), "{queues}: {counts:?}");
    }
}

#[test]
fn the_program_ends_on_any_bytes_and_the_kernel_takes_its_length() {
    for link in [ETHERNET, 101] {
        let program = program(link, SEED);
        assert!(program.len() <= 4_096, "{}", program.len()); // linux/bpf_common.h, BPF_MAXINSNS
        let mut state = 1_u64;
        let mut dice = || {
            state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            (state >> 33) as u32
        };
        let seeds: Vec<Vec<u8>> =
            wrapped(0x0800, &ipv4(6, (5, 9), &tcp((1, 2)))).into_iter().map(|(_, frame)| frame).collect();
        for _ in 0..50_000 {
            let mut bytes = seeds[dice() as usize % seeds.len()].clone();
            for _ in 0..dice() % 4 {
                let at = dice() as usize % bytes.len();
                bytes[at] = dice() as u8;
            }
            bytes.truncate(dice() as usize % (bytes.len() + 1));
            run(&program, &bytes, [0x0800, 0x86dd, 0x8847, 0x8864, 4][dice() as usize % 5], dice() % 5);
        }
    }
}

#[test]
fn a_plain_packet_takes_few_instructions() {
    let program = program(ETHERNET, SEED);
    for (protocol, packet) in [(0x0800, ipv4(6, (5, 9), &tcp((1, 2)))), (0x86dd, ipv6(6, (5, 9), &tcp((1, 2))))] {
        let (_, steps) = run_counted(&program, &packet, protocol, 0);
        println!("{protocol:#x}: {steps} of {}", program.len());
        assert!(steps <= 120, "{steps}");
    }
}
