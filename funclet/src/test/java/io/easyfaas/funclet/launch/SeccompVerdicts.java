package io.easyfaas.funclet.launch;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// What a sandbox's system calls are to be told: the promises of sandbox.policy in other words and
/// with the kernel's numbers, so that a change of either must be made twice, and on purpose.
final class SeccompVerdicts {
  static final int ALLOW = 0x7fff0000;
  static final int KILL = 0x80000000;
  static final int IGNORE = 0x00050000;
  static final int EPERM = IGNORE | 1;
  static final int EINVAL = IGNORE | 22;
  static final int ENOTTY = IGNORE | 25;
  static final int ENOSYS = IGNORE | 38;
  static final int ENOPROTOOPT = IGNORE | 92;
  static final int EPROTONOSUPPORT = IGNORE | 93;
  static final int EOPNOTSUPP = IGNORE | 95;
  static final int EAFNOSUPPORT = IGNORE | 97;

  /// Calls of which the arguments matter.
  static final Set<String> RULED =
      words(
          """
          mknod mknodat fadvise64 ioctl mmap shmget memfd_create madvise clone setrlimit prlimit64
          sched_setscheduler personality prctl arch_prctl socket socketpair setsockopt
          """);

  private static final Set<String> ALLOWED =
      words(
          """
          access alarm brk capget capset chdir chmod chown clock_getres clock_gettime
          clock_nanosleep close close_range copy_file_range creat dup dup2 dup3 epoll_create
          epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 execve
          execveat exit exit_group faccessat faccessat2 fallocate fchdir fchmod fchmodat fchmodat2
          fchown fchownat fcntl fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr
          fstat fstatfs fsync ftruncate futex futimesat getcpu getcwd getdents getdents64 getegid
          geteuid getgid getgroups getitimer get_mempolicy getpgid getpgrp getpid getppid getpriority
          getrandom getresgid getresuid getrlimit get_robust_list getrusage getsid gettid gettimeofday
          getuid getxattr inotify_add_watch inotify_init inotify_init1 inotify_rm_watch ioprio_get
          kill landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown lgetxattr link
          linkat listxattr llistxattr lremovexattr lseek lsetxattr lstat map_shadow_stack membarrier
          mincore mkdir mkdirat mlock mlock2 mlockall mprotect mremap mseal msync munlock munlockall
          munmap nanosleep newfstatat open openat openat2 pause pidfd_open pidfd_send_signal pipe
          pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll pread64 preadv preadv2 pselect6
          pwrite64 pwritev pwritev2 read readlink readlinkat readv removexattr rename renameat
          renameat2 restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask
          rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo
          sched_getaffinity sched_getattr sched_getparam sched_get_priority_max
          sched_get_priority_min sched_getscheduler sched_rr_get_interval sched_setaffinity
          sched_setparam sched_yield select semctl semget semop semtimedop sendfile setfsgid setfsuid
          setgid setgroups setitimer setpgid setregid setresgid setresuid setreuid set_robust_list
          setsid set_tid_address setuid setxattr shmat shmctl shmdt sigaltstack signalfd signalfd4
          splice stat statfs statx symlink symlinkat sync_file_range sysinfo tgkill time
          timer_create timer_delete timerfd_create timerfd_gettime timerfd_settime timer_getoverrun
          timer_gettime timer_settime times tkill truncate umask uname unlink unlinkat uprobe
          uretprobe utime utimensat utimes vfork wait4 waitid write writev
          accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmmsg
          recvmsg sendmmsg sendmsg sendto shutdown
          """);

  private static final Set<String> REFUSED =
      words(
          """
          mount umount2 pivot_root chroot move_mount open_tree open_tree_attr fsopen fsconfig
          fsmount fspick mount_setattr setns unshare ptrace process_vm_readv process_vm_writev kcmp
          pidfd_getfd process_madvise bpf seccomp perf_event_open keyctl add_key request_key
          userfaultfd memfd_secret io_setup io_destroy io_submit io_cancel io_getevents
          io_pgetevents io_uring_setup io_uring_enter io_uring_register open_by_handle_at
          name_to_handle_at fanotify_init fanotify_mark lookup_dcookie mbind move_pages
          migrate_pages set_mempolicy set_mempolicy_home_node modify_ldt iopl ioperm vhangup syslog
          sched_setattr kexec_load kexec_file_load reboot init_module finit_module delete_module
          swapon swapoff acct quotactl quotactl_fd settimeofday clock_settime clock_adjtime
          adjtimex sethostname setdomainname
          """);

  private static final Set<String> IGNORED = words("sync syncfs setpriority ioprio_set");

  private static final Set<Integer> REQUESTS =
      numbers(
          0x541b,
          0x5421,
          0x5450,
          0x5451,
          0x5452, // of files
          0x5401,
          0x5402,
          0x5403,
          0x5404,
          0x540f,
          0x5413, // of terminals
          0x802c542a,
          0x402c542b,
          0x402c542c,
          0x402c542d, // the same, of termios2
          0x5411,
          0x8905, // of sockets
          0x8910,
          0x8912,
          0x8913,
          0x8915,
          0x8917,
          0x8919,
          0x891b,
          0x891d,
          0x8921,
          0x8927,
          0x8933,
          0x8942); // of interfaces

  private static final Set<Integer> PROCESS_OPTIONS =
      numbers(
          1,
          2,
          3,
          4,
          7,
          15,
          16,
          21,
          23,
          27,
          29,
          30,
          36,
          37,
          38,
          39,
          40,
          41,
          42,
          47,
          50,
          51,
          52,
          54,
          55,
          56,
          65,
          66,
          0x53564d41);

  private static final Set<Integer> THREAD_CODES =
      numbers(
          0x1001, 0x1002, 0x1003, 0x1004, 0x1011, 0x1021, 0x1022, 0x1023, 0x5001, 0x5002, 0x5003,
          0x5005);

  private static final Set<Integer> TCP_OPTIONS =
      numbers(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 18, 23, 25, 30, 36);

  private SeccompVerdicts() {}

  /// What a call of that name is to be told.
  ///
  /// @param arguments six; the kernel looks at the low 32 bits of those that matter, save pointers
  static int of(String call, long... arguments) {
    if (!RULED.contains(call)) {
      return ALLOWED.contains(call)
          ? ALLOW
          : REFUSED.contains(call) ? EPERM : IGNORED.contains(call) ? IGNORE : ENOSYS;
    }
    int[] low = Arrays.stream(arguments).mapToInt(argument -> (int) argument).toArray();
    return switch (call) {
      case "mknod" -> (low[1] & 0xf000) == 0x1000 ? ALLOW : EPERM;
      case "mknodat" -> (low[2] & 0xf000) == 0x1000 ? ALLOW : EPERM;
      case "fadvise64" -> low[3] == 4 ? IGNORE : ALLOW;
      case "ioctl" -> low[1] == 0x8946 ? EOPNOTSUPP : REQUESTS.contains(low[1]) ? ALLOW : ENOTTY;
      case "mmap" -> (low[3] & 0x40000) == 0 ? ALLOW : EPERM;
      case "shmget" -> (low[2] & 0x800) == 0 ? ALLOW : EPERM;
      case "memfd_create" -> (low[1] & 4) == 0 ? ALLOW : EPERM;
      case "madvise" -> low[2] == 12 ? EINVAL : ALLOW;
      case "clone" -> (low[0] & 0x7e020000) == 0 ? ALLOW : EPERM;
      case "setrlimit" -> low[0] == 4 ? IGNORE : ALLOW;
      case "prlimit64" ->
          low[1] != 4 || arguments[2] == 0 ? ALLOW : arguments[3] == 0 ? IGNORE : EPERM;
      case "sched_setscheduler" ->
          switch (low[1] & ~0x40000000) {
            case 0, 3 -> ALLOW;
            case 5 -> IGNORE;
            default -> EPERM;
          };
      case "personality" -> low[0] == 0 || low[0] == -1 ? ALLOW : EPERM;
      case "prctl" ->
          low[0] == 22 || low[0] == 62 ? EPERM : PROCESS_OPTIONS.contains(low[0]) ? ALLOW : EINVAL;
      case "arch_prctl" -> THREAD_CODES.contains(low[0]) ? ALLOW : EINVAL;
      case "socket", "socketpair" -> socket(low[0], low[1] & 0xf, low[2]);
      case "setsockopt" -> option(low[1], low[2]);
      default -> throw new IllegalArgumentException(call);
    };
  }

  private static int socket(int family, int type, int protocol) {
    IntPredicate oneOfDatagrams =
        family == 2 ? p -> p == 0 || p == 17 || p == 1 : p -> p == 0 || p == 17 || p == 58;
    return switch (family) {
      case 1 -> ALLOW;
      case 2, 10 ->
          switch (type) {
            case 1 -> protocol == 0 || protocol == 6 ? ALLOW : EPROTONOSUPPORT;
            case 2 -> oneOfDatagrams.test(protocol) ? ALLOW : EPROTONOSUPPORT;
            case 3, 10 -> EPERM;
            default -> EPROTONOSUPPORT;
          };
      case 16 -> protocol == 0 ? ALLOW : EPROTONOSUPPORT;
      default -> EAFNOSUPPORT;
    };
  }

  private static int option(int level, int option) {
    return switch (level) {
      case 0 -> option == 11 ? IGNORE : ALLOW;
      case 41 -> option == 25 ? IGNORE : ALLOW;
      case 270 -> ALLOW;
      case 6 -> TCP_OPTIONS.contains(option) ? ALLOW : ENOPROTOOPT;
      case 17 -> option == 1 || option == 103 || option == 104 ? ALLOW : ENOPROTOOPT;
      case 1 ->
          switch (option) {
            case 7, 8, 13, 37, 65 -> IGNORE;
            case 26, 50, 51, 52 -> EPERM;
            default -> ALLOW;
          };
      default -> ENOPROTOOPT;
    };
  }

  private static Set<String> words(String text) {
    return Arrays.stream(text.strip().split("\\s+")).collect(Collectors.toUnmodifiableSet());
  }

  private static Set<Integer> numbers(int... numbers) {
    return IntStream.of(numbers).boxed().collect(Collectors.toUnmodifiableSet());
  }

  /// All calls that are told anything but ENOSYS.
  static List<String> decided() {
    return List.of(RULED, ALLOWED, REFUSED, IGNORED).stream().flatMap(Set::stream).toList();
  }
}
