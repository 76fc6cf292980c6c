//! The kernel's calls for packet sockets (packet(7), netdevice(7)), each made safe: what is asked for is checked, and
//! what the kernel writes is a live value. Knows nothing of rings. One of the two files with `unsafe` in it.

#![allow(unsafe_code)]

use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use crate::capture::interface::{Instruction, Options};

pub const ETHERNET: u16 = 1;
pub const RAW_IP: u16 = 101;
const ARPHRD_RAWIP: u16 = 519;
const RETURN: u16 = 0x06; // BPF_RET | BPF_K
                          // linux/if_packet.h, the names that libc does not have
const PACKET_FANOUT_CBPF: u32 = 6;
const PACKET_FANOUT_DATA: i32 = 22;
const UNIQUE_ID: u32 = 0x2000;
const IGNORE_OUTGOING: u32 = 0x4000;

/// As the kernel's calls have it.
pub type Name = [libc::c_char; libc::IF_NAMESIZE];

/// A packet socket that receives nothing yet.
pub fn open() -> io::Result<OwnedFd> {
    // SAFETY: a plain call; the descriptor is checked and then owned. Protocol 0: nothing is received before all is
    // set.
    let socket = check(unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) })?;
    // SAFETY: just created, and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(socket) })
}

fn check(result: i32) -> io::Result<i32> {
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(result)
}

/// Set an option; `T` is of plain C layout.
pub fn set<T>(socket: &OwnedFd, level: i32, option: i32, value: &T) -> io::Result<()> {
    // SAFETY: the kernel reads size_of::<T>() bytes of a live value of plain C layout.
    check(unsafe {
        libc::setsockopt(socket.as_raw_fd(), level, option, (value as *const T).cast(), size_of::<T>() as u32)
    })
    .map(|_| ())
}

/// Ask for an option; `T` is of plain C layout, valid whatever bits it holds.
pub fn get<T>(socket: &OwnedFd, level: i32, option: i32, mut value: T) -> io::Result<T> {
    let mut length = size_of::<T>() as u32;
    // SAFETY: the kernel writes at most `length` bytes into a live value of plain C layout, valid whatever bits it
    // holds.
    check(unsafe { libc::getsockopt(socket.as_raw_fd(), level, option, (&mut value as *mut T).cast(), &mut length) })?;
    Ok(value)
}

/// Let nothing in from now on.
pub fn let_nothing_in(socket: &OwnedFd) -> io::Result<()> {
    attach_filter(socket, &[(RETURN, 0, 0, 0)])
}

/// Begin a group over which the kernel spreads packets; what the others join it by. The socket is bound already.
pub fn begin_fanout(socket: &OwnedFd, ignore_outgoing: bool) -> io::Result<u32> {
    let flags = UNIQUE_ID | if ignore_outgoing { IGNORE_OUTGOING } else { 0 };
    join_fanout(socket, (PACKET_FANOUT_CBPF | flags) << 16)?;
    get(socket, libc::SOL_PACKET, libc::PACKET_FANOUT, 0_u32)
}

pub fn join_fanout(socket: &OwnedFd, group: u32) -> io::Result<()> {
    set(socket, libc::SOL_PACKET, libc::PACKET_FANOUT, &group)
}

/// The program that says which socket of the group gets a packet: its answer modulo their number.
pub fn set_fanout_program(socket: &OwnedFd, program: &[Instruction]) -> io::Result<()> {
    with_program(program, |program| set(socket, libc::SOL_PACKET, PACKET_FANOUT_DATA, program))
}

/// Wait until one of the sockets has something, at most so long. True if one of them has an error.
pub fn poll<'a>(sockets: impl Iterator<Item = &'a OwnedFd>, timeout_ms: i32) -> bool {
    let ask =
        |socket: &OwnedFd| libc::pollfd { fd: socket.as_raw_fd(), events: libc::POLLIN | libc::POLLERR, revents: 0 };
    let mut polled: Vec<libc::pollfd> = sockets.map(ask).collect();
    // SAFETY: the kernel reads and writes exactly the live array that it is given.
    unsafe { libc::poll(polled.as_mut_ptr(), polled.len() as libc::nfds_t, timeout_ms) };
    polled.iter().any(|poll| poll.revents & libc::POLLERR != 0)
}

/// The calling thread runs on this processor alone from now on. An error if it may not, or if there is none.
pub fn pin(cpu: usize) -> io::Result<()> {
    // SAFETY: zero bytes are an empty cpu_set_t.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    if cpu >= 8 * size_of::<libc::cpu_set_t>() {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    // SAFETY: the number was checked to be within the set, and the kernel reads a live set of the length it is given.
    check(unsafe {
        libc::CPU_SET(cpu, &mut set);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &set)
    })
    .map(|_| ())
}

/// From here on the interface's packets are received.
pub fn bind(socket: &OwnedFd, index: i32) -> io::Result<()> {
    // SAFETY: zero bytes are a valid sockaddr_ll.
    let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
    address.sll_ifindex = index;
    // SAFETY: the kernel reads a live sockaddr_ll of the length that it is given.
    check(unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), size_of::<libc::sockaddr_ll>() as u32) })
        .map(|_| ())
}

/// The operator's filter, its accepting returns cut to the snaplen.
pub fn filter(socket: &OwnedFd, options: &Options) -> io::Result<()> {
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
    with_program(program, |program| set(socket, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, program)).map_err(|error| {
        match error.raw_os_error() {
            Some(libc::EINVAL) => io::Error::other("the kernel refuses the filter"),
            _ => error,
        }
    })
}

/// Call with a program in the kernel's form, which lives as long as the call.
fn with_program<T>(program: &[Instruction], call: impl FnOnce(&libc::sock_fprog) -> io::Result<T>) -> io::Result<T> {
    let mut filter: Vec<libc::sock_filter> =
        program.iter().map(|&(code, jt, jf, k)| libc::sock_filter { code, jt, jf, k }).collect();
    let length = u16::try_from(filter.len()).map_err(|_| io::Error::other("the filter is too long"))?;
    call(&libc::sock_fprog { len: length, filter: filter.as_mut_ptr() })
}

pub fn kernel_name(name: &str) -> Option<Name> {
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

pub fn index(socket: &OwnedFd, name: Name) -> io::Result<i32> {
    // SAFETY: SIOCGIFINDEX has written this field.
    Ok(unsafe { ask(socket, libc::SIOCGIFINDEX as _, name)?.ifr_ifru.ifru_ifindex })
}

pub fn flags(socket: &OwnedFd, name: Name) -> io::Result<i32> {
    // SAFETY: SIOCGIFFLAGS has written this field.
    Ok(i32::from(unsafe { ask(socket, libc::SIOCGIFFLAGS as _, name)?.ifr_ifru.ifru_flags }))
}

fn hardware(socket: &OwnedFd, name: Name) -> io::Result<u16> {
    // SAFETY: SIOCGIFHWADDR has written this field.
    Ok(unsafe { ask(socket, libc::SIOCGIFHWADDR as _, name)?.ifr_ifru.ifru_hwaddr.sa_family })
}

/// Whether each packet is sent and received there.
pub fn is_loopback(socket: &OwnedFd, name: Name) -> io::Result<bool> {
    Ok(hardware(socket, name)? == libc::ARPHRD_LOOPBACK)
}

/// The link type that frames of the interface have; other kinds of hardware put headers in front that are theirs alone.
pub fn link(socket: &OwnedFd, name: Name) -> io::Result<u16> {
    match hardware(socket, name)? {
        libc::ARPHRD_ETHER | libc::ARPHRD_LOOPBACK => Ok(ETHERNET),
        libc::ARPHRD_NONE | ARPHRD_RAWIP => Ok(RAW_IP),
        other => Err(io::Error::other(format!("frames of hardware type {other} are not read"))),
    }
}
