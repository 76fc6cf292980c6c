//! What this process may still do, from one moment on: files by Landlock, system calls by seccomp, capabilities. It can
//! only ever become less.
//!
//! Landlock holds for the calling thread and those it starts later (for all of them from its ABI 8 on), capabilities
//! for the calling thread and those it starts, the filter of system calls for all. So it is called before there are
//! threads. Rules are data; the reasons for them are the caller's.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;

use caps::{CapSet, Capability};
use landlock::{
    path_beneath_rules, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, LandlockStatus, NetPort,
    RestrictSelfAttr, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus, Scope, ABI,
};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

/// What stays allowed. Paths that are not there are left out.
pub struct Rules {
    pub read: Vec<PathBuf>,
    pub write: Vec<PathBuf>,       // read, written, made and removed; of a folder all below it
    pub connect_ports: Vec<u16>,   // of TCP
    pub packet_sockets: bool,      // may be opened later
    pub capabilities: Vec<String>, // of those there are now
}

/// What came of it. A kernel that lacks a part is no error: the part is not in force.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Confined {
    pub landlock: u32,     // the ABI in force; 0: not
    pub ports: bool,       // TCP is bound nowhere, and connected to those ports only
    pub all_threads: bool, // Landlock holds for threads that were there before, too
    pub seccomp: bool,
    pub capabilities: bool, // those that are not needed are gone
}

/// The file accesses and scopes that were tested. What a newer kernel could deny beside them (connecting to Unix
/// sockets, sending UDP) stays allowed: the receivers and the resolver need it.
const FILES: ABI = ABI::V5;

/// Restrict this process. Raises a sentence where the kernel has a part and refuses it.
pub fn confine(rules: &Rules) -> Result<Confined, String> {
    let capabilities = drop_capabilities(&rules.capabilities).is_ok();
    let confined = restrict(rules).map_err(|error| format!("landlock: {error}"))?;
    let seccomp = filter_calls(rules.packet_sockets)?;
    Ok(Confined { seccomp, capabilities, ..confined })
}

fn drop_capabilities(names: &[String]) -> Result<(), caps::errors::CapsError> {
    let kept: HashSet<Capability> = names.iter().filter_map(|name| name.parse().ok()).collect();
    if caps::has_cap(None, CapSet::Effective, Capability::CAP_SETPCAP)? {
        for capability in caps::read(None, CapSet::Bounding)?.difference(&kept) {
            caps::drop(None, CapSet::Bounding, *capability)?;
        }
    }
    caps::clear(None, CapSet::Ambient)?;
    for set in [CapSet::Inheritable, CapSet::Effective, CapSet::Permitted] {
        let now = caps::read(None, set)?;
        if !now.is_subset(&kept) {
            caps::set(None, set, &now.intersection(&kept).copied().collect())?;
        }
    }
    Ok(())
}

fn restrict(rules: &Rules) -> Result<Confined, landlock::RulesetError> {
    let reading: BitFlags<AccessFs> = AccessFs::ReadFile | AccessFs::ReadDir;
    let writing = reading
        | AccessFs::WriteFile
        | AccessFs::Truncate
        | AccessFs::Refer
        | AccessFs::MakeReg
        | AccessFs::RemoveFile
        | AccessFs::MakeDir
        | AccessFs::RemoveDir;
    let ports = rules
        .connect_ports
        .iter()
        .map(|port| Ok::<_, landlock::RulesetError>(NetPort::new(*port, AccessNet::ConnectTcp)));
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(FILES))?
        .handle_access(AccessNet::BindTcp | AccessNet::ConnectTcp | AccessNet::BindUdp)?
        .scope(Scope::Signal)?
        .create()?
        .add_rules(path_beneath_rules(&rules.read, reading))?
        .add_rules(path_beneath_rules(&rules.write, writing))?
        .add_rules(ports)?
        .all_threads(true)?
        .restrict_self()?;
    let LandlockStatus::Available { effective_abi, .. } = status.landlock else { return Ok(Confined::default()) };
    if status.ruleset == RulesetStatus::NotEnforced {
        return Ok(Confined::default());
    }
    let number = (1..).find(|number| ABI::from(*number) >= effective_abi).unwrap_or(1);
    Ok(Confined {
        landlock: number.unsigned_abs(),
        ports: effective_abi >= ABI::V4,
        all_threads: status.all_threads,
        ..Confined::default()
    })
}

/// System calls that a sensor never makes: other programs and processes, listening, the kernel and its clocks.
#[rustfmt::skip]
const DENIED: &[libc::c_long] = &[
    libc::SYS_execve, libc::SYS_execveat,
    libc::SYS_ptrace, libc::SYS_process_vm_readv, libc::SYS_process_vm_writev, libc::SYS_process_madvise,
    libc::SYS_kcmp, libc::SYS_pidfd_open, libc::SYS_pidfd_getfd, libc::SYS_pidfd_send_signal,
    libc::SYS_listen,
    // Its operations (listen, bind, open) pass no filter of system calls.
    libc::SYS_io_uring_setup, libc::SYS_io_uring_enter, libc::SYS_io_uring_register,
    libc::SYS_unshare, libc::SYS_setns, libc::SYS_chroot, libc::SYS_pivot_root, libc::SYS_mount, libc::SYS_umount2,
    libc::SYS_open_tree, libc::SYS_move_mount, libc::SYS_fsopen, libc::SYS_fsconfig, libc::SYS_fsmount,
    libc::SYS_fspick, libc::SYS_mount_setattr, libc::SYS_open_by_handle_at, libc::SYS_quotactl, libc::SYS_acct,
    libc::SYS_swapon, libc::SYS_swapoff, libc::SYS_reboot, libc::SYS_kexec_load, libc::SYS_init_module,
    libc::SYS_finit_module, libc::SYS_delete_module, libc::SYS_bpf, libc::SYS_perf_event_open,
    libc::SYS_userfaultfd, libc::SYS_add_key, libc::SYS_request_key, libc::SYS_keyctl, libc::SYS_personality,
    libc::SYS_settimeofday, libc::SYS_clock_settime, libc::SYS_clock_adjtime, libc::SYS_adjtimex,
    libc::SYS_sethostname, libc::SYS_setdomainname, libc::SYS_vhangup, libc::SYS_fanotify_init,
];
#[cfg(target_arch = "x86_64")]
#[rustfmt::skip]
const DENIED_HERE: &[libc::c_long] =
    &[libc::SYS_fork, libc::SYS_vfork, libc::SYS_iopl, libc::SYS_ioperm, libc::SYS_modify_ldt, libc::SYS_kexec_file_load];
#[cfg(not(target_arch = "x86_64"))]
const DENIED_HERE: &[libc::c_long] = &[];

/// The addresses that may still be bound, by their length: of netlink (the resolver asks it for the host's addresses)
/// and of packet sockets. Addresses of IP have 16 and 28 bytes.
const NETLINK_BYTES: u64 = 12;
const PACKET_BYTES: u64 = 20;

/// Whether the filter is in force; a kernel without seccomp has none.
fn filter_calls(packet_sockets: bool) -> Result<bool, String> {
    let denied = compiled(denials(packet_sockets)?, libc::EPERM)?;
    // Its flags stand in memory, where a filter cannot look: the C library then takes clone, which is looked at.
    let unknown = compiled(BTreeMap::from([(libc::SYS_clone3, vec![])]), libc::ENOSYS)?;
    for program in [denied, unknown] {
        match seccompiler::apply_filter_all_threads(&program) {
            Ok(()) => {}
            Err(seccompiler::Error::Seccomp(error)) if error.raw_os_error() != Some(libc::EACCES) => return Ok(false),
            Err(error) => return Err(format!("seccomp: {error}")),
        }
    }
    Ok(true)
}

type Denials = BTreeMap<libc::c_long, Vec<SeccompRule>>;

fn compiled(rules: Denials, errno: i32) -> Result<BpfProgram, String> {
    let arch = std::env::consts::ARCH.try_into().map_err(|error| format!("seccomp: {error}"))?;
    SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(errno.unsigned_abs()), arch)
        .and_then(TryInto::try_into)
        .map_err(|error| format!("seccomp: {error}"))
}

fn denials(packet_sockets: bool) -> Result<Denials, String> {
    use SeccompCmpOp::{Eq, MaskedEq, Ne};
    let flag = |flag: libc::c_int| u64::from(flag.unsigned_abs());
    let mut denials: Denials = DENIED.iter().chain(DENIED_HERE).map(|call| (*call, vec![])).collect();
    let mut bound = vec![(2, Ne, NETLINK_BYTES)];
    let mut families = vec![libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];
    if packet_sockets {
        bound.push((2, Ne, PACKET_BYTES));
        families.push(libc::AF_PACKET);
    }
    let families: Vec<_> = families.into_iter().map(|family| (0, Ne, flag(family))).collect();
    let raw = |family| vec![(0, Eq, flag(family)), (1, MaskedEq(0xf), flag(libc::SOCK_RAW))];
    // A thread shares with its process; without the flag it is a child.
    let child = vec![(0, MaskedEq(flag(libc::CLONE_THREAD)), 0)];
    denials.insert(libc::SYS_bind, vec![rule(bound)?]);
    denials.insert(libc::SYS_socket, vec![rule(families)?, rule(raw(libc::AF_INET))?, rule(raw(libc::AF_INET6))?]);
    denials.insert(libc::SYS_clone, vec![rule(child)?]);
    if cfg!(target_arch = "x86_64") {
        let of_x32: Vec<_> = denials.keys().map(|call| call | X32).chain((512..=547).map(|call| call | X32)).collect();
        denials.extend(of_x32.into_iter().map(|call| (call, vec![])));
    }
    Ok(denials)
}

/// Of a second numbering of the same calls, under the same architecture (asm/unistd.h, `__X32_SYSCALL_BIT`); 512 to 547
/// are its own, execve and ptrace among them.
const X32: libc::c_long = 0x4000_0000;

/// All of these conditions: (argument, comparison, value).
fn rule(conditions: Vec<(u8, SeccompCmpOp, u64)>) -> Result<SeccompRule, String> {
    conditions
        .into_iter()
        .map(|(argument, comparison, value)| {
            SeccompCondition::new(argument, SeccompCmpArgLen::Dword, comparison, value)
        })
        .collect::<Result<Vec<_>, _>>()
        .and_then(SeccompRule::new)
        .map_err(|error| format!("seccomp: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In a thread of its own, which ends with what it lost; the filter of calls would hold for all of them.
    fn restricted<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
        std::thread::spawn(work).join().expect("the thread ends well")
    }

    #[test]
    fn files_outside_of_the_rules_are_denied_and_those_inside_are_not() {
        let folder = std::env::temp_dir().join(format!("sandbox-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let rules = Rules {
            read: vec!["/proc".into(), "/no/such/place".into()],
            write: vec![folder.clone()],
            connect_ports: vec![],
            packet_sockets: false,
            capabilities: vec![],
        };
        restricted(move || {
            let Ok(Confined { landlock: 1.., .. }) = restrict(&rules) else { return };
            assert!(std::fs::read("/proc/self/stat").is_ok());
            assert!(std::fs::read("/etc/passwd").is_err());
            assert!(std::fs::write(folder.join("made"), b"1").is_ok());
            assert!(std::fs::remove_file(folder.join("made")).is_ok());
            assert!(std::net::TcpListener::bind("127.0.0.1:0").is_err());
        });
    }

    #[test]
    fn both_filters_compile_for_this_machine() {
        for packet_sockets in [false, true] {
            assert!(!compiled(denials(packet_sockets).unwrap(), libc::EPERM).unwrap().is_empty());
        }
    }
}
