// Pid 1 of a sandbox.
//
// - It furnishes the namespaces as real root, then gives that up: user namespace, no capability
//   but the four it needs to start and signal commands, not dumpable, no_new_privs.
// - It never reads anything a tenant writes. Its orders come from the keeper alone.
// - It ends with its keeper, and the kernel ends the sandbox with it.

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine.h"
#include "furnish.h"
#include "io.h"
#include "sandbox.h"

static const uint64_t INIT_CAPABILITIES =
    1U << CAP_SETUID | 1U << CAP_SETGID | 1U << CAP_KILL | 1U << CAP_SETPCAP;

// The command goes first: its end can be told, init's is the sandbox's.
static const char INIT_OOM_SCORE[] = "400";
static const char COMMAND_OOM_SCORE[] = "500";

// Ends of children taken per turn: a flood of orphans must not keep init from its orders.
enum { REAPED_PER_TURN = 64 };

struct init {
  int keeper;
  int null;       // the sandbox's own /dev/null; -1 with `inherit`
  int children;   // signalfd
  int oom_score;  // its own oom_score_adj
  bool inherit;
  pid_t command;
};

static void tell(const struct init *init, struct reply *reply) {
  if (!write_fully(init->keeper, reply, sizeof *reply)) {
    _exit(1);
  }
}

static void tell_kind(const struct init *init, enum reply_kind kind) {
  struct reply reply = {.kind = kind};
  tell(init, &reply);
}

static void tell_failure(const struct init *init, const struct failure *failure) {
  struct reply reply = {.kind = REPLY_FAILED, .failure = *failure};
  tell(init, &reply);
}

// A keeper that died before this call shows as end-of-file on its socket.
static bool die_with_keeper(struct failure *failure) {
  return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 || fail(failure, "init", "pdeathsig");
}

// Why the sandbox's own, once there is one: the times and locks of the host's are seen by everybody
// who has it, now and later. Why 2 stays: what a sanitizer or the C library has to say before it
// aborts goes there.
static bool set_stdio(struct init *init, struct failure *failure) {
  if (init->inherit) {
    return true;
  }
  init->null = open("/dev/null", O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  return (init->null >= 0 && dup2(init->null, STDIN_FILENO) >= 0 &&
          dup2(init->null, STDOUT_FILENO) >= 0) ||
         fail(failure, "init", "/dev/null");
}

static bool set_oom_score(const struct init *init, const char *score, struct failure *failure) {
  return pwrite(init->oom_score, score, strlen(score), 0) > 0 || fail(failure, "oom-score", NULL);
}

static bool prefer_for_oom_kill(struct init *init, struct failure *failure) {
  init->oom_score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
  if (init->oom_score < 0) {
    return fail(failure, "oom-score", NULL);
  }
  // Why here: as real root this also raises the lowest value that the tenant may give itself back
  // (proc(5), oom_score_adj).
  return set_oom_score(init, INIT_OOM_SCORE, failure);
}

// The kernel charges what is used in a user namespace (inotify instances, timers, queued signals,
// message queues) also to the user who made it, see user_namespaces(7). Made by root, all sandboxes
// would share root's own limits with the host.
static bool own_as(uid_t owner, struct failure *failure) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
  if (setresuid((uid_t)-1, owner, (uid_t)-1) != 0 || syscall(SYS_capget, &header, data) != 0) {
    return fail(failure, "user-namespace", "owner");
  }
  for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
    data[i].effective = data[i].permitted;  // Leaving id 0 has cleared them, see capabilities(7).
  }
  return syscall(SYS_capset, &header, data) == 0 || fail(failure, "user-namespace", "owner");
}

static bool enter_user_namespace(const struct init *init, uid_t owner, struct failure *failure) {
  if (!own_as(owner, failure)) {
    return false;
  }
  // Safe: after pivot_root, so that the namespace's root directory is the sandbox's.
  if (unshare(CLONE_NEWUSER) != 0) {
    return fail(failure, "user-namespace", NULL);
  }
  tell_kind(init, REPLY_NAMESPACED);
  struct order order;
  return read_fully(init->keeper, &order, sizeof order) || fail(failure, "user-namespace", NULL);
}

static bool join_empty_keyring(struct failure *failure) {
  // Why: the session keyring is inherited across namespaces and may hold the host's secrets.
  return syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) >= 0 || errno == ENOSYS ||
         fail(failure, "keyring", NULL);
}

static bool set_up(struct init *init, struct options *options, struct failure *failure) {
  umask(0);
  // The order is the point: root's work, then the user namespace, then one right after the other
  // is dropped; the death signal once more because a change of ids clears it (prctl(2)).
  return die_with_keeper(failure) && prefer_for_oom_kill(init, failure) &&
         furnish(options, failure) && set_stdio(init, failure) &&
         enter_user_namespace(init, options->id_base, failure) && become(0, 0, failure) &&
         join_empty_keyring(failure) && bound_capabilities(INIT_CAPABILITIES, failure) &&
         keep_capabilities(INIT_CAPABILITIES, failure) && die_with_keeper(failure) &&
         (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 || fail(failure, "init", "no_new_privs"));
}

static _Noreturn void become_command(struct init *init, const struct options *options,
                                     const struct channel *channel, int report) {
  tell_kind(init, REPLY_STARTED);
  struct failure failure = {0};
  command_execute(options, init->inherit, init->null, channel, &failure);
  write_fully(report, &failure, sizeof failure);
  _exit(1);
}

// True once the command runs.
static bool start_command(struct init *init, const struct options *options,
                          const struct channel *channel, struct failure *failure) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return fail(failure, "exec", "pipe");
  }
  AUTO_CLOSE int in = ends[0];
  AUTO_CLOSE int out = ends[1];
  // Why around the fork: a score is inherited, and the child could not open the file of its own.
  if (!set_oom_score(init, COMMAND_OOM_SCORE, failure)) {
    return false;
  }
  pid_t command = fork();
  if (command == 0) {
    become_command(init, options, channel, out);
  }
  int error = errno;
  if (!set_oom_score(init, INIT_OOM_SCORE, failure)) {
    _exit(1);
  }
  if (command < 0) {
    return fail_with(failure, error, "exec", "fork");
  }
  close_fd(&out);
  struct failure found;
  // End-of-file: the pipe was closed by execve. (Or the process was killed right before; that
  // counts as started and shows as an exit.)
  if (read_fully(in, &found, sizeof found)) {
    TEMP_FAILURE_RETRY(waitpid(command, NULL, 0));
    *failure = found;
    return false;
  }
  init->command = command;
  return true;
}

// Without an argument vector: the command of the options that the sandbox was created with.
static bool obey_exec(struct init *init, uint32_t size, const struct options *created,
                      const struct channel *channel, struct failure *failure) {
  if (size == 0) {
    return start_command(init, created, channel, failure);
  }
  AUTO_FREE char *bytes = malloc(size);
  if (bytes == NULL || !read_fully(init->keeper, bytes, size)) {
    _exit(1);
  }
  AUTO_FREE char **argv = NULL;
  int argc = split_arguments(bytes, size, &argv);
  if (argc < 0) {
    return fail(failure, "exec", "arguments");
  }
  struct options options;
  bool started = options_parse(&options, argc, argv, OPTIONS_EXEC, failure) &&
                 start_command(init, &options, channel, failure);
  options_free(&options);
  return started;
}

static bool obey_signal(const struct init *init, uint32_t number, struct failure *failure) {
  if (init->command == 0) {
    return fail_with(failure, ESRCH, "command", NULL);
  }
  // Safe: init alone reaps, so the pid cannot have become another's.
  return kill(init->command, (int)number) == 0 || fail(failure, "signal", NULL);
}

static void obey(struct init *init, const struct options *created) {
  struct order order;
  int fds[CHANNEL_FDS];
  if (!read_with_fds(init->keeper, &order, sizeof order, fds, CHANNEL_FDS)) {
    _exit(0);
  }
  AUTO_CHANNEL channel = {.frames = fds[0], .output = fds[1]};
  struct failure failure = {0};
  bool done = order.kind == ORDER_EXEC ? obey_exec(init, order.value, created, &channel, &failure)
                                       : obey_signal(init, order.value, &failure);
  if (done) {
    tell_kind(init, REPLY_DONE);
  } else {
    tell_failure(init, &failure);
  }
}

// Returns whether there may be more to reap.
static bool reap(struct init *init) {
  for (int turn = 0; turn < REAPED_PER_TURN; turn++) {
    int status = 0;
    pid_t pid = waitpid(-1, &status, WNOHANG);
    if (pid <= 0) {
      return false;
    }
    if (pid == init->command) {
      init->command = 0;
      struct reply reply = {.kind = REPLY_EXITED, .status = status};
      tell(init, &reply);
    }
  }
  return true;
}

static _Noreturn void serve_keeper(struct init *init, const struct options *created) {
  struct pollfd sources[] = {{.fd = init->keeper, .events = POLLIN},
                             {.fd = init->children, .events = POLLIN}};
  bool more = false;
  for (;;) {
    if (TEMP_FAILURE_RETRY(poll(sources, 2, more ? 0 : -1)) < 0) {
      _exit(1);
    }
    if (sources[1].revents != 0) {
      struct signalfd_siginfo info;
      TEMP_FAILURE_RETRY(read(init->children, &info, sizeof info));
      more = true;
    }
    if (more) {
      more = reap(init);
    }
    if (sources[0].revents != 0) {
      obey(init, created);
    }
  }
}

_Noreturn void init_main(struct options *options, bool inherit, int keeper) {
  prctl(PR_SET_NAME, "easyfaas-init");
  struct init init = {.keeper = keep_only(keeper), .null = -1, .inherit = inherit};
  struct failure failure = {0};
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  init.children = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
  if (init.keeper < 0 || init.children < 0) {
    _exit(1);
  }
  if (!set_up(&init, options, &failure)) {
    tell_failure(&init, &failure);
    _exit(1);
  }
  tell_kind(&init, REPLY_DONE);
  serve_keeper(&init, options);
}
