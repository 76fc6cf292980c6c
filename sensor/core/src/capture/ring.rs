//! A network interface under Linux: AF_PACKET sockets whose packets the kernel lays into rings shared with us
//! (TPACKET_V3, packet(7) and Documentation/networking/packet_mmap.rst). Frames are worked on where they lie, and the
//! block is given back behind the last of them; or they are copied out, where they have to wait for others. One of the
//! two files with `unsafe` in it, because the kernel's ring is met here; it knows nothing of what frames hold.

#![allow(unsafe_code)]

use std::ffi::c_void;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{fence, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};
use std::sync::Arc;

use crate::capture::interface::{Figures, Leaving, Options, RETIRE_MS, RING_BLOCK, SCHEME};
use crate::capture::packet::{Block, Packet, Problem};
use crate::capture::socket::{self, Name, ETHERNET};
use crate::capture::{fanout, interface::Unopened};

const DEFAULT_TPID: u16 = 0x8100;
// linux/if_packet.h, the names that libc does not have
const BLOCK_HEADER: usize = 48; // tpacket_block_desc
const STATUS_AT: usize = 8;
const COUNT_AT: usize = 12;
const FIRST_AT: usize = 16;
const FRAME_HEADER: usize = 48; // tpacket3_hdr
const TAG: usize = 4;
/// Packets worked on at a time: of ordinary traffic half of what a processor's own cache holds.
const AT_A_TIME: usize = 512;
/// Bytes loaded ahead of the frame at hand.
const AHEAD: usize = 4_096;
const CACHE_LINE: usize = 64;

/// An interface being listened to, or one queue of it.
pub struct Interface {
    pub source: Arc<str>,
    pub wait: bool,
    pub figures: Arc<Figures>,
    pub cpu: Option<usize>, // where its thread is to run
    pub leaving: Arc<Leaving>,
    name: Name,
    index: i32,
    link: u16,
    ring: Ring,
    socket: OwnedFd,
    packets: Vec<Packet>, // scratch
}

struct Ring {
    memory: *mut u8,
    blocks: usize,
    next: usize,
}

// SAFETY: the mapping belongs to this value alone, and whoever has the value may use it from any thread.
unsafe impl Send for Ring {}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: unmaps exactly what `map` mapped; nothing points into it any more, because blocks are lent for the
        // time of a call only.
        unsafe { libc::munmap(self.memory.cast::<c_void>(), self.blocks * RING_BLOCK) };
    }
}

fn map(socket: &OwnedFd, blocks: usize) -> io::Result<Ring> {
    let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED);
    // SAFETY: a fresh mapping at an address of the kernel's choice; it is checked before use and unmapped by Ring's
    // drop.
    let memory =
        unsafe { libc::mmap(std::ptr::null_mut(), blocks * RING_BLOCK, protection, flags, socket.as_raw_fd(), 0) };
    if memory == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    Ok(Ring { memory: memory.cast(), blocks, next: 0 })
}

impl Ring {
    /// Lend the next block, if the kernel has handed it over, and give it back afterwards. False: it has not.
    fn lend(&mut self, work: impl FnOnce(&mut [u8])) -> bool {
        // SAFETY: `next` is below `blocks`, so this is a whole block within the mapping.
        let base = unsafe { self.memory.add(self.next * RING_BLOCK) };
        // SAFETY: aligned and within the block; volatile, because the kernel writes it.
        let status = unsafe { base.add(STATUS_AT).cast::<u32>().read_volatile() };
        if status & libc::TP_STATUS_USER == 0 {
            return false;
        }
        fence(Acquire);
        // SAFETY: the kernel does not touch a block between handing it over and getting it back, the ring is borrowed
        // for the time of the call, and what is lent does not outlive it.
        work(unsafe { std::slice::from_raw_parts_mut(base, RING_BLOCK) });
        fence(Release);
        // SAFETY: as the read above; the slice is gone.
        unsafe { base.add(STATUS_AT).cast::<u32>().write_volatile(libc::TP_STATUS_KERNEL) };
        self.next = (self.next + 1) % self.blocks;
        true
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_ne_bytes([bytes[at], bytes[at + 1]])
}

/// Where the frames of a ring block are looked for.
struct Cursor {
    at: usize,
    left: u32,
    loaded: usize,
}

impl Cursor {
    fn new(ring: &[u8]) -> Cursor {
        if ring.len() < BLOCK_HEADER {
            return Cursor { at: 0, left: 0, loaded: 0 };
        }
        let at = u32_at(ring, FIRST_AT) as usize;
        Cursor { at, left: u32_at(ring, COUNT_AT), loaded: at }
    }

    /// Load what lies ahead, in its order: another processor has written it, each frame says where the next one is, and
    /// to wait for one after another takes longer than all the rest.
    fn load_ahead(&mut self, ring: &[u8]) {
        let until = (self.at + AHEAD).min(ring.len());
        let lines = (self.loaded..until).step_by(CACHE_LINE);
        std::hint::black_box(lines.fold(0, |sum, at| sum ^ ring[at]));
        self.loaded = self.loaded.max(until.next_multiple_of(CACHE_LINE));
    }

    /// The next frames, at most so many (tpacket3_hdr: next, seconds, nanoseconds, captured, length, status, MAC's
    /// place, network's place, hash, VLAN). A tag that was taken off is put back where the frame lies: in front of it
    /// there is the address of the socket's kind, which nobody reads.
    fn find(&mut self, ring: &mut [u8], (link, source): (u16, u16), most: usize, packets: &mut Vec<Packet>) {
        while packets.len() < most && self.left > 0 {
            self.load_ahead(ring);
            self.left -= 1;
            let found = frame_at(ring, self.at, link, source);
            let next = found.map(|(_, next)| next).filter(|next| *next > 0);
            packets.extend(found.map(|(packet, _)| packet));
            match next {
                Some(next) => self.at += next,
                None => self.left = 0,
            }
        }
    }
}

/// A frame, and how much further the next one lies; None if it is not within the block.
fn frame_at(ring: &mut [u8], at: usize, link: u16, source: u16) -> Option<(Packet, usize)> {
    let header = ring.get(at..at + FRAME_HEADER)?;
    let (next, captured) = (u32_at(header, 0) as usize, u32_at(header, 12) as usize);
    let ts_ns = u64::from(u32_at(header, 4)) * 1_000_000_000 + u64::from(u32_at(header, 8));
    let mac = usize::from(u16_at(header, 24));
    let (tag, start) = (tag_of(header), at + mac);
    let frame = ring.get_mut(start - TAG.min(mac)..start + captured)?;
    let tag = tag.filter(|_| link == ETHERNET && captured >= 12 && mac >= FRAME_HEADER + TAG);
    if let Some(tag) = tag {
        frame.copy_within(TAG..TAG + 12, 0);
        frame[12..12 + TAG].copy_from_slice(&tag);
    }
    let put_back = tag.map_or(0, |_| TAG);
    let (start, captured) = ((start - put_back) as u32, (captured + put_back) as u32);
    Some((Packet { ts_ns, start, captured, link, source }, next))
}

/// The VLAN tag that was taken off a frame.
fn tag_of(header: &[u8]) -> Option<[u8; TAG]> {
    let status = u32_at(header, 20);
    let has_type = status & libc::TP_STATUS_VLAN_TPID_VALID != 0;
    let kind = if has_type { u16_at(header, 36) } else { DEFAULT_TPID }.to_be_bytes();
    let id = (u32_at(header, 32) as u16).to_be_bytes();
    (status & libc::TP_STATUS_VLAN_VALID != 0).then_some([kind[0], kind[1], id[0], id[1]])
}

impl Interface {
    /// Open and begin. `name` stands behind the scheme.
    pub fn open(name: &str, options: &Options, wait: bool, figures: Arc<Figures>) -> Result<Interface, Problem> {
        Interface::begin(name, options, wait, figures, true).map_err(|error| problem(&error))
    }

    /// Open as many queues as there are figures, over which the kernel spreads the packets by `fanout`'s program; the
    /// same seed gives the same spread on every interface.
    pub fn open_queues(
        name: &str,
        options: &Options,
        wait: bool,
        figures: &[Arc<Figures>],
        seed: u32,
    ) -> Result<Vec<Interface>, Unopened> {
        let each = Options { ring_bytes: options.ring_bytes / figures.len().max(1), ..options.clone() };
        let begun: io::Result<Vec<Interface>> =
            figures.iter().map(|figures| Interface::begin(name, &each, wait, figures.clone(), false)).collect();
        let mut queues = begun.map_err(|error| Unopened::Problem(problem(&error)))?;
        let leaving = Arc::new(Leaving::new(queues.len()));
        for (number, queue) in queues.iter_mut().enumerate() {
            queue.leaving = leaving.clone();
            queue.cpu = options.cpus.get(number % options.cpus.len().max(1)).copied();
        }
        spread(&queues, seed).map_err(|error| Unopened::NoFanout(error.to_string()))?;
        for queue in &queues {
            socket::filter(&queue.socket, &each).map_err(|error| Unopened::Problem(problem(&error)))?;
        }
        Ok(queues)
    }

    fn begin(name: &str, options: &Options, wait: bool, figures: Arc<Figures>, hears: bool) -> io::Result<Interface> {
        let socket = socket::open()?;
        let source = Arc::from(format!("{SCHEME}{name}"));
        let name = socket::kernel_name(name).ok_or_else(|| io::Error::from_raw_os_error(libc::ENODEV))?;
        let (index, link) = (socket::index(&socket, name)?, socket::link(&socket, name)?);
        socket::set(&socket, libc::SOL_PACKET, libc::PACKET_VERSION, &libc::tpacket_versions::TPACKET_V3)?;
        if socket::is_loopback(&socket, name)? {
            socket::set(&socket, libc::SOL_PACKET, libc::PACKET_IGNORE_OUTGOING, &1_i32)?;
            // there each packet is sent and received
        }
        if hears {
            socket::filter(&socket, options)?;
        } else {
            socket::let_nothing_in(&socket)?;
        }
        let blocks = (options.ring_bytes / RING_BLOCK).clamp(4, 4096);
        let ring = libc::tpacket_req3 {
            tp_block_size: RING_BLOCK as u32,
            tp_block_nr: blocks as u32,
            tp_frame_size: 2048, // only divides the block, packets are laid one behind the other
            tp_frame_nr: (blocks * (RING_BLOCK / 2048)) as u32,
            tp_retire_blk_tov: RETIRE_MS,
            tp_sizeof_priv: 0,
            tp_feature_req_word: 0,
        };
        socket::set(&socket, libc::SOL_PACKET, libc::PACKET_RX_RING, &ring)?;
        let ring = map(&socket, blocks)?;
        if options.promiscuous {
            let membership = libc::packet_mreq {
                mr_ifindex: index,
                mr_type: libc::PACKET_MR_PROMISC as u16,
                mr_alen: 0,
                mr_address: [0; 8],
            };
            socket::set(&socket, libc::SOL_PACKET, libc::PACKET_ADD_MEMBERSHIP, &membership)?;
        }
        socket::bind(&socket, index)?;
        let (cpu, leaving, packets) = (options.cpus.first().copied(), Arc::new(Leaving::new(1)), Vec::new());
        let mut interface = Interface { source, wait, figures, cpu, leaving, name, index, link, ring, socket, packets };
        interface.figures.ring_bytes.store((blocks * RING_BLOCK) as u64, Relaxed);
        interface.refresh();
        Ok(interface)
    }

    /// Work on the next block that the kernel has handed over, where it lies: its bytes and the packets in it, some at
    /// a time, while they are in the processor's cache. False if there is none.
    pub fn work(&mut self, source: u16, mut work: impl FnMut(&[u8], &[Packet])) -> bool {
        let (kind, packets, figures) = ((self.link, source), &mut self.packets, &self.figures);
        self.ring.lend(|ring| {
            let mut cursor = Cursor::new(ring);
            loop {
                packets.clear();
                cursor.find(ring, kind, AT_A_TIME, packets);
                if packets.is_empty() {
                    return;
                }
                figures.packets.fetch_add(packets.len() as u64, Relaxed);
                figures.bytes.fetch_add(packets.iter().map(|packet| u64::from(packet.captured)).sum(), Relaxed);
                work(ring, packets);
            }
        })
    }

    /// Copy what the kernel has handed over, until there is no more or `out` holds `enough` bytes. True if anything was
    /// there.
    pub fn take(&mut self, source: u16, out: &mut Block, enough: usize) -> bool {
        let mut taken = false;
        while out.bytes.len() < enough && self.work(source, |ring, packets| out.append(ring, packets)) {
            taken = true;
        }
        taken
    }

    /// Take over the kernel's counts (reading them sets them to 0) and see whether the interface is there and up.
    /// False: it is deleted.
    pub fn refresh(&mut self) -> bool {
        let empty = libc::tpacket_stats_v3 { tp_packets: 0, tp_drops: 0, tp_freeze_q_cnt: 0 };
        if let Ok(counts) = socket::get(&self.socket, libc::SOL_PACKET, libc::PACKET_STATISTICS, empty) {
            self.figures.received.fetch_add(u64::from(counts.tp_packets), Relaxed);
            self.figures.dropped.fetch_add(u64::from(counts.tp_drops), Relaxed);
            self.figures.freezes.fetch_add(u64::from(counts.tp_freeze_q_cnt), Relaxed);
        }
        // reading the error clears it; without that `poll` would return at once for ever
        let error = socket::get(&self.socket, libc::SOL_SOCKET, libc::SO_ERROR, 0_i32).unwrap_or(0);
        let there = socket::index(&self.socket, self.name).is_ok_and(|index| index == self.index);
        let is_up = |flags: i32| flags & libc::IFF_UP != 0;
        let up = u64::from(there && socket::flags(&self.socket, self.name).is_ok_and(is_up));
        let was_up = self.figures.up.swap(up, Relaxed);
        if error == libc::ENETDOWN || (was_up == 1 && up == 0) {
            self.figures.downs.fetch_add(u64::from(was_up == 1), Relaxed);
        }
        there
    }

    /// Let nothing more in. What is in the ring comes within the block's time.
    pub fn stop(&self) {
        let _ = socket::let_nothing_in(&self.socket);
    }
}

impl Drop for Interface {
    fn drop(&mut self) {
        self.figures.up.store(0, Relaxed);
    }
}

fn problem(error: &io::Error) -> Problem {
    let reason = match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => "permission denied".into(),
        Some(libc::ENODEV | libc::ENXIO) => "no such interface".into(),
        _ => error.to_string(),
    };
    Problem { reason, offset: 0 }
}

/// Make a group of sockets of which each packet reaches one, the one that the program says. None hears anything yet, so
/// none hears a packet that another has.
fn spread(queues: &[Interface], seed: u32) -> io::Result<()> {
    let Some(first) = queues.first() else { return Ok(()) };
    let group = socket::begin_fanout(&first.socket, socket::is_loopback(&first.socket, first.name)?)?;
    for queue in &queues[1..] {
        socket::join_fanout(&queue.socket, group)?;
    }
    socket::set_fanout_program(&first.socket, &fanout::program(first.link, seed))
}

/// The calling thread runs on this processor alone; false if it may not.
pub fn bind_thread(cpu: usize) -> bool {
    socket::pin(cpu).is_ok()
}

/// Wait until one of the interfaces has something, at most so long. True if one of them has an error to be looked
/// after.
pub fn wait_for<'a>(interfaces: impl Iterator<Item = &'a Interface>, timeout_ms: i32) -> bool {
    socket::poll(interfaces.map(|interface| &interface.socket), timeout_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(ring: &mut [u8], at: usize, bytes: &[u8]) {
        ring[at..at + bytes.len()].copy_from_slice(bytes);
    }

    /// A frame of 14 bytes at `at`, with the next one `next` bytes further.
    fn frame(ring: &mut [u8], at: usize, next: u32, status: u32, tpid: u16) {
        put(ring, at, &next.to_ne_bytes());
        put(ring, at + 4, &3_u32.to_ne_bytes());
        put(ring, at + 8, &9_u32.to_ne_bytes());
        put(ring, at + 12, &14_u32.to_ne_bytes());
        put(ring, at + 20, &status.to_ne_bytes());
        put(ring, at + 24, &80_u16.to_ne_bytes());
        put(ring, at + 32, &0x2005_u32.to_ne_bytes());
        put(ring, at + 36, &tpid.to_ne_bytes());
        put(ring, at + 80, b"destinsource\x08\x00");
    }

    fn ring() -> Vec<u8> {
        let mut ring = vec![0; 4096];
        put(&mut ring, COUNT_AT, &3_u32.to_ne_bytes());
        put(&mut ring, FIRST_AT, &48_u32.to_ne_bytes());
        frame(&mut ring, 48, 112, 0, 0);
        frame(&mut ring, 160, 112, libc::TP_STATUS_VLAN_VALID, 0x88a8);
        frame(&mut ring, 272, 0, libc::TP_STATUS_VLAN_VALID | libc::TP_STATUS_VLAN_TPID_VALID, 0x88a8);
        ring
    }

    #[test]
    fn frames_are_found_and_their_tags_put_back() {
        let (mut ring, mut packets, mut block) = (ring(), Vec::new(), Block::default());
        Cursor::new(&ring).find(&mut ring, (ETHERNET, 7), 9, &mut packets);
        block.append(&ring, &packets);
        let frames: Vec<&[u8]> = packets.iter().map(|packet| packet.of(&ring)).collect();
        assert_eq!(block.packets.iter().map(|packet| block.frame(packet)).collect::<Vec<_>>(), frames);
        let expected: [&[u8]; 3] =
            [b"destinsource\x08\x00", b"destinsource\x81\x00\x20\x05\x08\x00", b"destinsource\x88\xa8\x20\x05\x08\x00"];
        assert_eq!(frames, expected);
        assert!(block.packets.iter().all(|packet| (packet.ts_ns, packet.source) == (3_000_000_009, 7)));
    }

    #[test]
    fn places_outside_the_block_end_it() {
        for (at, value) in [(FIRST_AT, 4090), (48 + 12, 5000), (48, 9000), (48 + 24, 0), (COUNT_AT, u32::MAX)] {
            let mut ring = ring();
            put(&mut ring, at, &value.to_ne_bytes());
            let mut packets = Vec::new();
            Cursor::new(&ring).find(&mut ring, (ETHERNET, 0), 9, &mut packets);
            assert!(packets.len() <= 3);
            assert!(packets.iter().all(|packet| packet.start + packet.captured <= ring.len() as u32));
        }
        Cursor::new(&[0; 40]).find(&mut [0; 40], (ETHERNET, 0), 9, &mut Vec::new());
    }
}
