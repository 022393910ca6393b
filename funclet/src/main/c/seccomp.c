// The system call filter: a classic BPF program, built from the tables below at run time.
//
// - A call of another architecture's ABI (x32 included) kills the process.
// - A call younger than this file is told ENOSYS: a list of refusals cannot know it, and C
//   libraries are prepared for that answer.
// - Listed calls are refused with EPERM, some of them only for certain arguments.
// - How much a socket keeps, and what it does when it is closed, is not for a tenant to say:
//   SO_SNDBUF, SO_RCVBUF, SO_LINGER and IP_RECVERR have no effect.
// - All threads of a sandbox weigh the same for the scheduler: nice values have no effect.

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "confine.h"

#if defined(__x86_64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "seccomp.c knows the system calls of x86_64 and aarch64 only"
#endif

enum {
  X32_BIT = 0x40000000,
  // removexattrat of Linux 6.13; every architecture numbers the calls from 424 on alike.
  NEWEST_KNOWN_CALL = 466,
  PERSONALITY_QUERY = -1,
  // bits/ioctls.h has TIOCSTI for every architecture, TIOCLINUX not under strict C.
  CONSOLE_SELECTION = 0x541C,
};

static const int REFUSED_CALLS[] = {
    // Mounts and namespaces.
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_move_mount,
    SYS_open_tree,
    SYS_fsopen,
    SYS_fsconfig,
    SYS_fsmount,
    SYS_fspick,
    SYS_mount_setattr,
    SYS_setns,
    SYS_unshare,
    // Other processes.
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_kcmp,
    SYS_pidfd_getfd,
    SYS_process_madvise,
    // Kernel surface a function has no business with.
    SYS_bpf,
    SYS_seccomp,  // each filter takes of what net.core.bpf_jit_limit leaves the machine
    SYS_perf_event_open,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    SYS_userfaultfd,
    SYS_io_setup,  // fs.aio-max-nr is the machine's
    SYS_io_uring_setup,
    SYS_io_uring_enter,
    SYS_io_uring_register,
    SYS_memfd_secret,
    SYS_lookup_dcookie,
    SYS_open_by_handle_at,
    SYS_name_to_handle_at,
    SYS_fanotify_init,
    SYS_vhangup,
    SYS_syslog,
    SYS_mbind,
    SYS_move_pages,
    SYS_migrate_pages,
    SYS_set_mempolicy,
    SYS_set_mempolicy_home_node,
    SYS_nfsservctl,
    SYS_sched_setattr,  // a nice value behind a pointer, see check_arguments
    // The machine.
    SYS_kexec_load,
    SYS_kexec_file_load,
    SYS_reboot,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_swapon,
    SYS_swapoff,
    SYS_acct,
    SYS_quotactl,
    SYS_quotactl_fd,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_clock_adjtime,
    SYS_adjtimex,
    SYS_sethostname,
    SYS_setdomainname,
#if defined(__x86_64__)
    SYS_create_module,
    SYS_get_kernel_syms,
    SYS_query_module,
    SYS_iopl,
    SYS_ioperm,
    SYS_modify_ldt,
#endif
};

static const uint32_t ALLOWED_FAMILIES[] = {AF_UNIX, AF_INET, AF_INET6};

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static const uint32_t REFUSE = SECCOMP_RET_ERRNO | EPERM;
static const uint32_t IGNORE = SECCOMP_RET_ERRNO;  // With 0: the caller sees a success.
static const uint32_t UNKNOWN = SECCOMP_RET_ERRNO | ENOSYS;

enum { PROGRAM_MAX = 256 };

struct program {
  unsigned short used;
  struct sock_filter code[PROGRAM_MAX];
};

static void emit(struct program *program, int code, int when_true, int when_false, uint32_t k) {
  // Overruns only when a table grows past PROGRAM_MAX; installing then fails loudly.
  if (program->used < PROGRAM_MAX) {
    program->code[program->used] = (struct sock_filter){
        (unsigned short)code, (unsigned char)when_true, (unsigned char)when_false, k};
  }
  program->used++;
}

static void load(struct program *program, size_t offset) {
  emit(program, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offset);
}

// The low half of an argument, which is all the kernel looks at for the calls filtered here.
static void load_argument(struct program *program, size_t index) {
  load(program, offsetof(struct seccomp_data, args) + index * sizeof(uint64_t));
}

static void end(struct program *program, uint32_t verdict) {
  emit(program, BPF_RET | BPF_K, 0, 0, verdict);
}

// Every test carries its own verdict: no jump is longer than one rule, however many there are.
static void end_if(struct program *program, int test, uint32_t value, uint32_t verdict) {
  emit(program, BPF_JMP | test | BPF_K, 0, 1, value);
  end(program, verdict);
}

// Opens a rule for one call; what follows must be `length` instructions that end in a verdict.
static void begin_call(struct program *program, int call, int length) {
  emit(program, BPF_JMP | BPF_JEQ | BPF_K, 0, length, (uint32_t)call);
}

static void check_abi(struct program *program) {
  load(program, offsetof(struct seccomp_data, arch));
  emit(program, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, OWN_ARCHITECTURE);
  end(program, SECCOMP_RET_KILL_PROCESS);
  load(program, offsetof(struct seccomp_data, nr));
  // -1 is no call of any ABI; the kernel answers it itself.
  end_if(program, BPF_JEQ, (uint32_t)-1, SECCOMP_RET_ALLOW);
#if defined(__x86_64__)
  end_if(program, BPF_JGE, X32_BIT, SECCOMP_RET_KILL_PROCESS);
#endif
  end_if(program, BPF_JGT, NEWEST_KNOWN_CALL, UNKNOWN);
}

static void refuse_socket_families(struct program *program, int call) {
  begin_call(program, call, 2 * (int)LENGTH(ALLOWED_FAMILIES) + 7);
  load_argument(program, 0);
  for (size_t i = 0; i < LENGTH(ALLOWED_FAMILIES); i++) {
    end_if(program, BPF_JEQ, ALLOWED_FAMILIES[i], SECCOMP_RET_ALLOW);
  }
  emit(program, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, AF_NETLINK);
  end(program, REFUSE);
  load_argument(program, 2);
  end_if(program, BPF_JEQ, NETLINK_ROUTE, SECCOMP_RET_ALLOW);
  end(program, REFUSE);
}

// Five instructions, after the level was loaded, which they leave loaded.
static void ignore_option(struct program *program, uint32_t level, uint32_t option) {
  emit(program, BPF_JMP | BPF_JEQ | BPF_K, 0, 4, level);
  load_argument(program, 2);
  end_if(program, BPF_JEQ, option, IGNORE);
  end(program, SECCOMP_RET_ALLOW);
}

static void check_arguments(struct program *program) {
  begin_call(program, SYS_clone, 4);
  load_argument(program, 0);
  end_if(program, BPF_JSET,
         CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
             CLONE_NEWPID | CLONE_NEWNET,
         REFUSE);
  end(program, SECCOMP_RET_ALLOW);

  begin_call(program, SYS_ioctl, 6);
  load_argument(program, 1);
  end_if(program, BPF_JEQ, TIOCSTI, REFUSE);
  end_if(program, BPF_JEQ, CONSOLE_SELECTION, REFUSE);
  end(program, SECCOMP_RET_ALLOW);

  // Whoever lets go of a socket last waits as long as SO_LINGER says. Sent over descriptor 3 that
  // is the engine, which drops what it did not ask for.
  // What sockets keep is not counted as the sandbox's memory everywhere, so their buffers stay as
  // the network namespace has them, and their queues of errors and of time stamps empty.
  // Every filter's machine code is of a total of the whole machine.
  begin_call(program, SYS_setsockopt, 33);
  load_argument(program, 1);
  ignore_option(program, IPPROTO_IP, IP_RECVERR);
  ignore_option(program, IPPROTO_IPV6, IPV6_RECVERR);
  emit(program, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, SOL_SOCKET);
  end(program, SECCOMP_RET_ALLOW);
  load_argument(program, 2);
  end_if(program, BPF_JEQ, SO_ATTACH_FILTER, REFUSE);
  end_if(program, BPF_JEQ, SO_ATTACH_BPF, REFUSE);
  end_if(program, BPF_JEQ, SO_ATTACH_REUSEPORT_CBPF, REFUSE);
  end_if(program, BPF_JEQ, SO_ATTACH_REUSEPORT_EBPF, REFUSE);
  end_if(program, BPF_JEQ, SO_LINGER, IGNORE);
  end_if(program, BPF_JEQ, SO_SNDBUF, IGNORE);
  end_if(program, BPF_JEQ, SO_RCVBUF, IGNORE);
  end_if(program, BPF_JEQ, SO_TIMESTAMPING_OLD, IGNORE);
  end_if(program, BPF_JEQ, SO_TIMESTAMPING_NEW, IGNORE);
  end(program, SECCOMP_RET_ALLOW);

  // Where threads that weigh differently come and go quickly, Linux 6.18 shares the processor out
  // wrongly between the control groups: a neighbour's one thread waited for seconds.
  end_if(program, BPF_JEQ, SYS_setpriority, IGNORE);
  begin_call(program, SYS_sched_setscheduler, 5);
  load_argument(program, 1);
  emit(program, BPF_ALU | BPF_AND | BPF_K, 0, 0, ~(uint32_t)SCHED_RESET_ON_FORK);
  end_if(program, BPF_JEQ, SCHED_IDLE, IGNORE);
  end(program, SECCOMP_RET_ALLOW);

  // While a thread with a cookie runs, the other threads of its processor core take nobody else's.
  begin_call(program, SYS_prctl, 6);
  load_argument(program, 0);
  end_if(program, BPF_JEQ, PR_SET_SECCOMP, REFUSE);
  end_if(program, BPF_JEQ, PR_SCHED_CORE, REFUSE);
  end(program, SECCOMP_RET_ALLOW);

  begin_call(program, SYS_personality, 6);
  load_argument(program, 0);
  end_if(program, BPF_JEQ, 0, SECCOMP_RET_ALLOW);
  end_if(program, BPF_JEQ, (uint32_t)PERSONALITY_QUERY, SECCOMP_RET_ALLOW);
  end(program, REFUSE);
}

static void build(struct program *program) {
  check_abi(program);
  for (size_t i = 0; i < LENGTH(REFUSED_CALLS); i++) {
    end_if(program, BPF_JEQ, (uint32_t)REFUSED_CALLS[i], REFUSE);
  }
  // Its flags are behind a pointer, out of a filter's reach; C libraries fall back to clone.
  end_if(program, BPF_JEQ, SYS_clone3, UNKNOWN);
  check_arguments(program);
  refuse_socket_families(program, SYS_socket);
  refuse_socket_families(program, SYS_socketpair);
  end(program, SECCOMP_RET_ALLOW);
}

bool filter_system_calls(struct failure *failure) {
  struct program program = {0};
  build(&program);
  if (program.used > PROGRAM_MAX) {
    return fail_with(failure, E2BIG, "seccomp", NULL);
  }
  struct sock_fprog filter = {.len = program.used, .filter = program.code};
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) == 0 ||
         fail(failure, "seccomp", NULL);
}
