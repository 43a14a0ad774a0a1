//! The system calls that a model may not make: those that reach into other processes, change the machine, or are seldom needed
//! and often at fault in exploits. They fail with EPERM, so that a library that only tries one goes on without it.

use std::collections::BTreeMap;

use crds::validated::SandboxNetwork;
use libc::c_long;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch, sock_filter,
};

use SeccompCmpOp::{Eq, MaskedEq, Ne};

/// Refused whatever their arguments.
const CALLS: &[c_long] = &[
    // Other processes' memory and files.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_kcmp,
    // The kernel's own programs, queues, keys and counters.
    libc::SYS_bpf,
    libc::SYS_userfaultfd,
    libc::SYS_perf_event_open,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    // Mounts, namespaces and other roots.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_setns,
    libc::SYS_unshare,
    // The machine.
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_reboot,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_syslog,
    libc::SYS_vhangup,
    libc::SYS_fanotify_init,
    libc::SYS_open_by_handle_at,
    // Those below have the same numbers on all architectures; not every C library names them.
    IO_URING_SETUP,
    IO_URING_ENTER,
    IO_URING_REGISTER,
    OPEN_TREE,
    MOVE_MOUNT,
    FSOPEN,
    FSCONFIG,
    FSMOUNT,
    FSPICK,
    PIDFD_GETFD,
    PROCESS_MADVISE,
    MOUNT_SETATTR,
    QUOTACTL_FD,
];

const IO_URING_SETUP: c_long = 425;
const IO_URING_ENTER: c_long = 426;
const IO_URING_REGISTER: c_long = 427;
const OPEN_TREE: c_long = 428;
const MOVE_MOUNT: c_long = 429;
const FSOPEN: c_long = 430;
const FSCONFIG: c_long = 431;
const FSMOUNT: c_long = 432;
const FSPICK: c_long = 433;
const PIDFD_OPEN: c_long = 434;
const CLONE3: c_long = 435;
const PIDFD_GETFD: c_long = 438;
const PROCESS_MADVISE: c_long = 440;
const MOUNT_SETATTR: c_long = 442;
const QUOTACTL_FD: c_long = 443;

/// Input and output ports, and another kernel, whose call the C library does not name everywhere.
#[cfg(target_arch = "x86_64")]
const OF_THE_ARCHITECTURE: &[c_long] = &[libc::SYS_iopl, libc::SYS_ioperm, 320];
#[cfg(target_arch = "aarch64")]
const OF_THE_ARCHITECTURE: &[c_long] = &[294];
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const OF_THE_ARCHITECTURE: &[c_long] = &[];

/// Calls on a process, and which argument names it: refused for the worker's, as far as its number tells. Threads of the worker
/// have others, which only Landlock covers.
const ON_A_PROCESS: &[(c_long, u8)] = &[
    (libc::SYS_kill, 0),
    (libc::SYS_tkill, 0),
    (libc::SYS_tgkill, 0),
    (libc::SYS_rt_sigqueueinfo, 0),
    (libc::SYS_rt_tgsigqueueinfo, 0),
    (PIDFD_OPEN, 0),
    (libc::SYS_sched_setaffinity, 0),
    (libc::SYS_sched_setscheduler, 0),
    (libc::SYS_sched_setparam, 0),
    (libc::SYS_sched_setattr, 0),
    (libc::SYS_setpriority, 1),
];

/// `CLONE_NEW*` of namespaces.
const NAMESPACES: [u64; 7] = [
    0x0002_0000,
    0x0200_0000,
    0x0400_0000,
    0x0800_0000,
    0x1000_0000,
    0x2000_0000,
    0x4000_0000,
];

/// `TIOCSTI` and `TIOCLINUX` put characters into a terminal's input.
const TERMINAL_INPUT: [u64; 2] = [0x5412, 0x541c];

/// Sockets below IP, and of the kernel's own services: key management, packets, cryptography, XDP.
const RAW_FAMILIES: [u64; 4] = [15, 17, 38, 44];

/// Sockets that leave the machine: IPv4, IPv6, Bluetooth, RDS, TIPC, to a hypervisor, SMC.
const NETWORK_FAMILIES: [u64; 7] = [2, 10, 21, 30, 31, 40, 43];

/// The families of IP, and `SOCK_RAW` with the mask of a socket's type.
const IP_FAMILIES: [u64; 2] = [2, 10];
const SOCK_RAW: u64 = 3;
const TYPE: u64 = 0xf;

/// The programs to install, in this order, for the hosts of the worker with this process id.
pub(super) fn filters(
    network: SandboxNetwork,
    worker: u32,
    arch: TargetArch,
) -> Result<Vec<BpfProgram>, BackendError> {
    let refused = program(rules(network, worker)?, libc::EPERM.cast_unsigned(), arch)?;
    // Its flags are in memory that a filter cannot read. The C library falls back to clone, whose flags are in a register.
    let unknown = BTreeMap::from([(CLONE3, Vec::new())]);
    let unknown = program(unknown, libc::ENOSYS.cast_unsigned(), arch)?;
    Ok(vec![unknown, without_x32(refused, arch)])
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

fn program(rules: Rules, error: u32, arch: TargetArch) -> Result<BpfProgram, BackendError> {
    let (other, listed) = (SeccompAction::Allow, SeccompAction::Errno(error));
    SeccompFilter::new(rules, other, listed, arch)?.try_into()
}

fn rules(network: SandboxNetwork, worker: u32) -> Result<Rules, BackendError> {
    let mut rules: Rules = BTreeMap::new();
    for call in CALLS.iter().chain(OF_THE_ARCHITECTURE) {
        rules.insert(widened(*call), Vec::new());
    }
    let mut refuse = |call: c_long, conditions: &[(u8, SeccompCmpOp, u64)]| {
        let conditions = conditions
            .iter()
            .cloned()
            .map(|(argument, operator, value)| {
                SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)
            });
        let rule = SeccompRule::new(conditions.collect::<Result<_, _>>()?)?;
        rules.entry(widened(call)).or_default().push(rule);
        Ok::<_, BackendError>(())
    };
    // Every process that there is, and the worker's group, which has the number of the worker as a rule.
    let all = u64::from(u32::MAX);
    let group = u64::from(worker.wrapping_neg());
    for (call, argument) in ON_A_PROCESS {
        refuse(*call, &[(*argument, Eq, worker.into())])?;
    }
    refuse(libc::SYS_kill, &[(0, Eq, all)])?;
    refuse(libc::SYS_kill, &[(0, Eq, group)])?;
    // The limits of others; 0 is the caller.
    refuse(libc::SYS_prlimit64, &[(0, Ne, 0)])?;
    for flag in NAMESPACES {
        refuse(libc::SYS_clone, &[(0, MaskedEq(flag), flag)])?;
    }
    for request in TERMINAL_INPUT {
        refuse(libc::SYS_ioctl, &[(1, Eq, request)])?;
    }
    for family in RAW_FAMILIES {
        refuse(libc::SYS_socket, &[(0, Eq, family)])?;
    }
    for family in IP_FAMILIES {
        refuse(
            libc::SYS_socket,
            &[(0, Eq, family), (1, MaskedEq(TYPE), SOCK_RAW)],
        )?;
    }
    if network == SandboxNetwork::None {
        for family in NETWORK_FAMILIES {
            refuse(libc::SYS_socket, &[(0, Eq, family)])?;
        }
    }
    Ok(rules)
}

#[expect(
    clippy::useless_conversion,
    reason = "a c_long is shorter on other architectures"
)]
fn widened(call: c_long) -> i64 {
    i64::from(call)
}

/// Refuses the second table of system calls that x86-64 kernels may have, in which all of these have other numbers.
fn without_x32(program: BpfProgram, arch: TargetArch) -> BpfProgram {
    const LOAD: u16 = 0x20;
    const JUMP_IF_AT_LEAST: u16 = 0x35;
    const RETURN: u16 = 0x06;
    const NUMBER: u32 = 0;
    const X32: u32 = 0x4000_0000;
    const ERROR: u32 = 0x0005_0000 | libc::EPERM.cast_unsigned();
    if arch != TargetArch::x86_64 {
        return program;
    }
    let instruction = |code, jf, k| sock_filter { code, jt: 0, jf, k };
    let mut all = vec![
        instruction(LOAD, 0, NUMBER),
        instruction(JUMP_IF_AT_LEAST, 1, X32),
        instruction(RETURN, 0, ERROR),
    ];
    all.extend(program);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The kernel takes at most this many instructions.
    const MOST: usize = 4096;

    #[test]
    fn filters_are_short_enough_for_both_architectures_and_every_network() {
        for arch in [TargetArch::x86_64, TargetArch::aarch64] {
            for network in [SandboxNetwork::All, SandboxNetwork::None] {
                let filters = filters(network, 4711, arch).unwrap();
                assert!(filters.iter().all(|filter| filter.len() < MOST / 4));
            }
        }
    }

    #[test]
    fn without_a_network_more_sockets_are_refused_and_no_call_is_named_twice() {
        let count = |network| rules(network, 1).unwrap()[&widened(libc::SYS_socket)].len();
        assert_eq!(count(SandboxNetwork::None), count(SandboxNetwork::All) + 7);
        let mut calls = [CALLS, OF_THE_ARCHITECTURE].concat();
        calls.sort_unstable();
        let all = calls.len();
        calls.dedup();
        assert_eq!(calls.len(), all);
        // A call that is refused with some arguments must not be in the list of those that are refused with any.
        assert!(ON_A_PROCESS.iter().all(|(call, _)| !calls.contains(call)));
    }
}
