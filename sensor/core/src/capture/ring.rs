//! A network interface under Linux: an AF_PACKET socket whose packets the kernel lays into a ring shared with us
//! (TPACKET_V3, packet(7) and Documentation/networking/packet_mmap.rst). Frames are copied out, so that the kernel has
//! its ring back at once. The one file with `unsafe` in it, because the kernel's calls and its ring are met here; it
//! knows nothing of what frames hold.

#![allow(unsafe_code)]

use std::ffi::c_void;
use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::atomic::{fence, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};
use std::sync::Arc;

use crate::capture::interface::{Figures, Instruction, Options, RETIRE_MS, SCHEME};
use crate::capture::packet::{Block, Packet, Problem};

/// What the kernel fills before it hands it over; no packet can be longer.
const RING_BLOCK: usize = 1 << 20;

const ETHERNET: u16 = 1;
const RAW_IP: u16 = 101;
const ARPHRD_RAWIP: u16 = 519;
const DEFAULT_TPID: u16 = 0x8100;
// linux/if_packet.h, the names that libc does not have
const BLOCK_HEADER: usize = 48; // tpacket_block_desc
const STATUS_AT: usize = 8;
const COUNT_AT: usize = 12;
const FIRST_AT: usize = 16;
const FRAME_HEADER: usize = 48; // tpacket3_hdr

/// An interface being listened to.
pub struct Interface {
    pub source: Arc<str>,
    pub wait: bool,
    pub figures: Arc<Figures>,
    name: Name,
    index: i32,
    link: u16,
    ring: Ring,
    socket: OwnedFd,
}

/// As the kernel's calls have it.
type Name = [libc::c_char; libc::IF_NAMESIZE];

struct Ring {
    memory: *mut u8,
    blocks: usize,
    next: usize,
}

// SAFETY: the mapping belongs to this value alone, and whoever has the value may use it from any thread.
unsafe impl Send for Ring {}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: unmaps exactly what `map` mapped; nothing points into it any more, because frames are copied out.
        unsafe { libc::munmap(self.memory.cast::<c_void>(), self.blocks * RING_BLOCK) };
    }
}

fn check(result: i32) -> io::Result<i32> {
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(result)
}

fn set<T>(socket: &OwnedFd, level: i32, option: i32, value: &T) -> io::Result<()> {
    // SAFETY: the kernel reads size_of::<T>() bytes of a live value of plain C layout.
    check(unsafe {
        libc::setsockopt(socket.as_raw_fd(), level, option, (value as *const T).cast(), size_of::<T>() as u32)
    })
    .map(|_| ())
}

fn get<T>(socket: &OwnedFd, level: i32, option: i32, mut value: T) -> io::Result<T> {
    let mut length = size_of::<T>() as u32;
    // SAFETY: the kernel writes at most `length` bytes into a live value of plain C layout, valid whatever bits it
    // holds.
    check(unsafe { libc::getsockopt(socket.as_raw_fd(), level, option, (&mut value as *mut T).cast(), &mut length) })?;
    Ok(value)
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
    /// Copy the next block's frames, if the kernel has handed it over, and give it back.
    fn take(&mut self, link: u16, source: u16, out: &mut Block) -> bool {
        // SAFETY: `next` is below `blocks`, so this is a whole block within the mapping.
        let base = unsafe { self.memory.add(self.next * RING_BLOCK) };
        // SAFETY: aligned and within the block; volatile, because the kernel writes it.
        let status = unsafe { base.add(STATUS_AT).cast::<u32>().read_volatile() };
        if status & libc::TP_STATUS_USER == 0 {
            return false;
        }
        fence(Acquire);
        // SAFETY: the kernel does not touch a block between handing it over and getting it back.
        copy_frames(unsafe { std::slice::from_raw_parts(base, RING_BLOCK) }, link, source, out);
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

/// The frames of a ring block (tpacket3_hdr: next, seconds, nanoseconds, captured, length, status, MAC's place,
/// network's place, hash, VLAN).
fn copy_frames(ring: &[u8], link: u16, source: u16, out: &mut Block) {
    let mut at = if ring.len() < BLOCK_HEADER { return } else { u32_at(ring, FIRST_AT) as usize };
    for _ in 0..u32_at(ring, COUNT_AT) {
        let Some(header) = ring.get(at..at + FRAME_HEADER) else { return };
        let captured = u32_at(header, 12) as usize;
        let start = at + usize::from(u16_at(header, 24));
        let Some(frame) = ring.get(start..start + captured) else { return };
        let begin = out.bytes.len();
        let status = u32_at(header, 20);
        if status & libc::TP_STATUS_VLAN_VALID != 0 && link == ETHERNET && captured >= 12 {
            let has_tpid = status & libc::TP_STATUS_VLAN_TPID_VALID != 0;
            let tpid = if has_tpid { u16_at(header, 36) } else { DEFAULT_TPID };
            out.bytes.extend_from_slice(&frame[..12]);
            out.bytes.extend_from_slice(&tpid.to_be_bytes());
            out.bytes.extend_from_slice(&(u32_at(header, 32) as u16).to_be_bytes());
            out.bytes.extend_from_slice(&frame[12..]);
        } else {
            out.bytes.extend_from_slice(frame);
        }
        let ts_ns = u64::from(u32_at(header, 4)) * 1_000_000_000 + u64::from(u32_at(header, 8));
        let captured = (out.bytes.len() - begin) as u32;
        out.packets.push(Packet { ts_ns, start: begin as u32, captured, link, source });
        at += match u32_at(header, 0) {
            0 => return,
            next => next as usize,
        };
    }
}

/// From here on the interface's packets are received.
fn bind(socket: &OwnedFd, index: i32) -> io::Result<()> {
    // SAFETY: zero bytes are a valid sockaddr_ll.
    let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
    address.sll_ifindex = index;
    // SAFETY: the kernel reads a live sockaddr_ll of the length that it is given.
    check(unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), size_of::<libc::sockaddr_ll>() as u32) })
        .map(|_| ())
}

impl Interface {
    /// Open and begin. `name` stands behind the scheme.
    pub fn open(name: &str, options: &Options, wait: bool, figures: Arc<Figures>) -> Result<Interface, Problem> {
        Interface::begin(name, options, wait, figures).map_err(|error| Problem {
            reason: match error.raw_os_error() {
                Some(libc::EPERM | libc::EACCES) => "permission denied".into(),
                Some(libc::ENODEV | libc::ENXIO) => "no such interface".into(),
                _ => error.to_string(),
            },
            offset: 0,
        })
    }

    fn begin(name: &str, options: &Options, wait: bool, figures: Arc<Figures>) -> io::Result<Interface> {
        // SAFETY: a plain call; the descriptor is checked and then owned. Protocol 0: nothing is received before all is
        // set.
        let socket = check(unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) })?;
        // SAFETY: just created, and nobody else's.
        let socket = unsafe { OwnedFd::from_raw_fd(socket) };
        let source = Arc::from(format!("{SCHEME}{name}"));
        let name = kernel_name(name).ok_or_else(|| io::Error::from_raw_os_error(libc::ENODEV))?;
        let (index, link) = (index(&socket, name)?, link(&socket, name)?);
        set(&socket, libc::SOL_PACKET, libc::PACKET_VERSION, &libc::tpacket_versions::TPACKET_V3)?;
        if hardware(&socket, name)? == libc::ARPHRD_LOOPBACK {
            set(&socket, libc::SOL_PACKET, libc::PACKET_IGNORE_OUTGOING, &1_i32)?;
            // there each packet is sent and received
        }
        filter(&socket, options)?;
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
        set(&socket, libc::SOL_PACKET, libc::PACKET_RX_RING, &ring)?;
        let ring = map(&socket, blocks)?;
        if options.promiscuous {
            let membership = libc::packet_mreq {
                mr_ifindex: index,
                mr_type: libc::PACKET_MR_PROMISC as u16,
                mr_alen: 0,
                mr_address: [0; 8],
            };
            set(&socket, libc::SOL_PACKET, libc::PACKET_ADD_MEMBERSHIP, &membership)?;
        }
        bind(&socket, index)?;
        let mut interface = Interface { source, wait, figures, name, index, link, ring, socket };
        interface.refresh();
        Ok(interface)
    }

    /// Copy what the kernel has handed over, until there is no more or `out` holds `enough` bytes. True if anything was
    /// there.
    pub fn take(&mut self, source: u16, out: &mut Block, enough: usize) -> bool {
        let (before, bytes) = (out.packets.len(), out.bytes.len());
        let mut taken = false;
        while out.bytes.len() < enough && self.ring.take(self.link, source, out) {
            taken = true;
        }
        self.figures.packets.fetch_add((out.packets.len() - before) as u64, Relaxed);
        self.figures.bytes.fetch_add((out.bytes.len() - bytes) as u64, Relaxed);
        taken
    }

    /// Take over the kernel's counts (reading them sets them to 0) and see whether the interface is there and up.
    /// False: it is deleted.
    pub fn refresh(&mut self) -> bool {
        let empty = libc::tpacket_stats_v3 { tp_packets: 0, tp_drops: 0, tp_freeze_q_cnt: 0 };
        if let Ok(counts) = get(&self.socket, libc::SOL_PACKET, libc::PACKET_STATISTICS, empty) {
            self.figures.received.fetch_add(u64::from(counts.tp_packets), Relaxed);
            self.figures.dropped.fetch_add(u64::from(counts.tp_drops), Relaxed);
            self.figures.freezes.fetch_add(u64::from(counts.tp_freeze_q_cnt), Relaxed);
        }
        // reading the error clears it; without that `poll` would return at once for ever
        let error = get(&self.socket, libc::SOL_SOCKET, libc::SO_ERROR, 0_i32).unwrap_or(0);
        let there = index(&self.socket, self.name).is_ok_and(|index| index == self.index);
        let up = u64::from(there && flags(&self.socket, self.name).is_ok_and(|flags| flags & libc::IFF_UP != 0));
        let was_up = self.figures.up.swap(up, Relaxed);
        if error == libc::ENETDOWN || (was_up == 1 && up == 0) {
            self.figures.downs.fetch_add(u64::from(was_up == 1), Relaxed);
        }
        there
    }

    /// Let nothing more in. What is in the ring comes within the block's time.
    pub fn stop(&self) {
        let _ = attach_filter(&self.socket, &[(RETURN, 0, 0, 0)]);
    }
}

impl Drop for Interface {
    fn drop(&mut self) {
        self.figures.up.store(0, Relaxed);
    }
}

/// Wait until one of the interfaces has something, at most so long. True if one of them has an error to be looked
/// after.
pub fn wait_for<'a>(interfaces: impl Iterator<Item = &'a Interface>, timeout_ms: i32) -> bool {
    let ask = |interface: &Interface| libc::pollfd {
        fd: interface.socket.as_raw_fd(),
        events: libc::POLLIN | libc::POLLERR,
        revents: 0,
    };
    let mut polled: Vec<libc::pollfd> = interfaces.map(ask).collect();
    // SAFETY: the kernel reads and writes exactly the live array that it is given.
    unsafe { libc::poll(polled.as_mut_ptr(), polled.len() as libc::nfds_t, timeout_ms) };
    polled.iter().any(|poll| poll.revents & libc::POLLERR != 0)
}

const RETURN: u16 = 0x06; // BPF_RET | BPF_K

/// The operator's filter, its accepting returns cut to the snaplen.
fn filter(socket: &OwnedFd, options: &Options) -> io::Result<()> {
    let most = if options.snaplen == 0 { u32::MAX } else { options.snaplen };
    let mut program = options.filter.clone();
    if program.is_empty() {
        program.push((RETURN, 0, 0, most));
    }
    for instruction in program.iter_mut().filter(|instruction| instruction.0 == RETURN) {
        instruction.3 = instruction.3.min(most);
    }
    attach_filter(socket, &program)
}

fn attach_filter(socket: &OwnedFd, program: &[Instruction]) -> io::Result<()> {
    let mut filter: Vec<libc::sock_filter> =
        program.iter().map(|&(code, jt, jf, k)| libc::sock_filter { code, jt, jf, k }).collect();
    let length = u16::try_from(filter.len()).map_err(|_| io::Error::other("the filter is too long"))?;
    let program = libc::sock_fprog { len: length, filter: filter.as_mut_ptr() };
    set(socket, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program).map_err(|error| match error.raw_os_error() {
        Some(libc::EINVAL) => io::Error::other("the kernel refuses the filter"),
        _ => error,
    })
}

fn kernel_name(name: &str) -> Option<Name> {
    let mut whole: Name = [0; libc::IF_NAMESIZE];
    if name.is_empty() || name.len() >= whole.len() || name.contains('\0') {
        return None;
    }
    whole.iter_mut().zip(name.bytes()).for_each(|(place, byte)| *place = byte as libc::c_char);
    Some(whole)
}

fn ask(socket: &OwnedFd, call: libc::c_ulong, name: Name) -> io::Result<libc::ifreq> {
    // SAFETY: zero bytes are a valid ifreq.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    request.ifr_name = name;
    // SAFETY: these calls read the name and write a field of a live ifreq.
    check(unsafe { libc::ioctl(socket.as_raw_fd(), call as _, &mut request) })?;
    Ok(request)
}

fn index(socket: &OwnedFd, name: Name) -> io::Result<i32> {
    // SAFETY: SIOCGIFINDEX has written this field.
    Ok(unsafe { ask(socket, libc::SIOCGIFINDEX as _, name)?.ifr_ifru.ifru_ifindex })
}

fn flags(socket: &OwnedFd, name: Name) -> io::Result<i32> {
    // SAFETY: SIOCGIFFLAGS has written this field.
    Ok(i32::from(unsafe { ask(socket, libc::SIOCGIFFLAGS as _, name)?.ifr_ifru.ifru_flags }))
}

fn hardware(socket: &OwnedFd, name: Name) -> io::Result<u16> {
    // SAFETY: SIOCGIFHWADDR has written this field.
    Ok(unsafe { ask(socket, libc::SIOCGIFHWADDR as _, name)?.ifr_ifru.ifru_hwaddr.sa_family })
}

/// The link type that frames of the interface have; other kinds of hardware put headers in front that are theirs alone.
fn link(socket: &OwnedFd, name: Name) -> io::Result<u16> {
    match hardware(socket, name)? {
        libc::ARPHRD_ETHER | libc::ARPHRD_LOOPBACK => Ok(ETHERNET),
        libc::ARPHRD_NONE | ARPHRD_RAWIP => Ok(RAW_IP),
        other => Err(io::Error::other(format!("frames of hardware type {other} are not read"))),
    }
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
    fn frames_are_copied_and_their_tags_put_back() {
        let mut block = Block::default();
        copy_frames(&ring(), ETHERNET, 7, &mut block);
        let frames: Vec<&[u8]> = block.packets.iter().map(|packet| block.frame(packet)).collect();
        let expected: [&[u8]; 3] =
            [b"destinsource\x08\x00", b"destinsource\x81\x00\x20\x05\x08\x00", b"destinsource\x88\xa8\x20\x05\x08\x00"];
        assert_eq!(frames, expected);
        assert!(block.packets.iter().all(|packet| (packet.ts_ns, packet.source) == (3_000_000_009, 7)));
    }

    #[test]
    fn places_outside_the_block_end_it() {
        for (at, value) in [(FIRST_AT, 4090), (48 + 12, 5000), (48, 9000), (COUNT_AT, u32::MAX)] {
            let mut ring = ring();
            put(&mut ring, at, &value.to_ne_bytes());
            let mut block = Block::default();
            copy_frames(&ring, ETHERNET, 0, &mut block);
            assert!(block.packets.len() <= 3);
        }
        copy_frames(&[0; 40], ETHERNET, 0, &mut Block::default());
    }
}
