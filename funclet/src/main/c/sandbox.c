// The keeper's side of a sandbox. Everything here may wait, but each wait has an end: nothing that
// a tenant, its init or the kernel does to a sandbox can hold up its keeper for ever.

#include "sandbox.h"

#include <errno.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io.h"

// How long init may take for one answer.
enum { ANSWER_SECONDS = 20 };

// How long a sandbox may take to die. What is traced from outside, or waits for a device, takes as
// long as it likes; its keeper then says so.
enum { DEATH_MILLIS = 10 * 1000 };

// Between an order and its answer: the end of the last command and the start of the next.
enum { WORDS_BEFORE_ANSWER = 2 };

static bool lose(struct sandbox *sandbox, struct failure *failure, const char *step) {
  sandbox->lost = true;
  // The socket's time-out reads as EAGAIN.
  int error = errno == EAGAIN ? ETIMEDOUT : errno == EPROTO ? EPROTO : EOWNERDEAD;
  return fail_with(failure, error, step, NULL);
}

// `*sender` is the host's pid of the process that spoke.
static bool receive(const struct sandbox *sandbox, struct reply *reply, pid_t *sender) {
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(struct ucred))];
  } control;
  struct iovec part = {.iov_base = reply, .iov_len = sizeof *reply};
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  ssize_t count = TEMP_FAILURE_RETRY(recvmsg(sandbox->socket, &message, MSG_CMSG_CLOEXEC));
  if (count != sizeof *reply) {
    errno = count < 0 ? errno : ECONNRESET;
    return false;
  }
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (header == NULL || header->cmsg_type != SCM_CREDENTIALS) {
    errno = EPROTO;
    return false;
  }
  // Safe: whatever init sends, it is text with an end.
  reply->failure.step[STEP_SIZE - 1] = '\0';
  reply->failure.path[REPORTED_PATH_SIZE - 1] = '\0';
  struct ucred sender_ids;
  memcpy(&sender_ids, CMSG_DATA(header), sizeof sender_ids);
  *sender = sender_ids.pid;
  return true;
}

static void note_exit(struct sandbox *sandbox, int status) {
  sandbox->exited = true;
  sandbox->status = status;
}

// Waits for the word that ends what was ordered. An exit on the way is noted, `*started` gets the
// pid of the process that said REPLY_STARTED.
static bool await(struct sandbox *sandbox, const char *step, pid_t *started,
                  struct failure *failure) {
  for (int words = 0; words <= WORDS_BEFORE_ANSWER; words++) {
    struct reply reply;
    pid_t sender = 0;
    if (!receive(sandbox, &reply, &sender)) {
      return lose(sandbox, failure, step);
    }
    switch (reply.kind) {
      case REPLY_EXITED:
        note_exit(sandbox, reply.status);
        break;
      case REPLY_STARTED:
        *started = sender;
        break;
      case REPLY_FAILED:
        *failure = reply.failure;
        return false;
      case REPLY_DONE:
        return true;
      default:
        errno = EPROTO;
        return lose(sandbox, failure, step);
    }
  }
  errno = EPROTO;
  return lose(sandbox, failure, step);
}

static bool order(struct sandbox *sandbox, enum order_kind kind, uint32_t value,
                  struct failure *failure) {
  struct order words = {.kind = kind, .value = value};
  return write_fully(sandbox->socket, &words, sizeof words) || lose(sandbox, failure, "init");
}

static bool order_exec(struct sandbox *sandbox, const char *arguments, size_t size,
                       const struct channel *channel, struct failure *failure) {
  struct order words = {.kind = ORDER_EXEC, .value = (uint32_t)size};
  const int fds[CHANNEL_FDS] = {channel->frames, channel->output};
  size_t count = channel->frames < 0 ? 0 : CHANNEL_FDS;
  return (send_with_fds(sandbox->socket, &words, sizeof words, fds, count) &&
          write_fully(sandbox->socket, arguments, size)) ||
         lose(sandbox, failure, "init");
}

static bool write_map(const struct sandbox *sandbox, const char *name, struct failure *failure) {
  char path[64];
  char map[64];
  snprintf(path, sizeof path, "/proc/%d/%s", sandbox->init, name);
  snprintf(map, sizeof map, "0 %u %u\n", sandbox->id_base, sandbox->id_count);
  return write_file(path, map) || fail(failure, "uid-map", path);
}

static bool open_socket_pair(int *keeper, int *init) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return false;
  }
  *keeper = ends[0];
  *init = ends[1];
  struct timeval limit = {.tv_sec = ANSWER_SECONDS};
  int on = 1;
  return setsockopt(*keeper, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0 &&
         setsockopt(*keeper, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0 &&
         setsockopt(*keeper, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0;
}

bool sandbox_start(struct sandbox *sandbox, struct options *options, int cgroup, bool inherit,
                   struct failure *failure) {
  int keeper = -1;
  AUTO_CLOSE int init = -1;
  if (!open_socket_pair(&keeper, &init)) {
    close_fd(&keeper);
    return fail(failure, "clone", "socketpair");
  }
  int pidfd = -1;
  // Why no user namespace yet: the other namespaces shall belong to the host's, so that root in
  // the sandbox has no say in them; init enters its user namespace when they are furnished.
  struct clone_args arguments = {
      .flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_PIDFD |
               (options->share_net ? 0 : CLONE_NEWNET) | (cgroup < 0 ? 0 : CLONE_INTO_CGROUP),
      .pidfd = (uint64_t)(uintptr_t)&pidfd,
      .exit_signal = SIGCHLD,
      .cgroup = cgroup < 0 ? 0 : (uint64_t)(unsigned)cgroup,
  };
  pid_t pid = (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
  if (pid < 0) {
    close_fd(&keeper);
    return fail(failure, "clone", NULL);
  }
  if (pid == 0) {
    init_main(options, inherit, init);
  }
  *sandbox = (struct sandbox){.init = pid,
                              .pidfd = pidfd,
                              .socket = keeper,
                              .id_base = options->id_base,
                              .id_count = options->id_count};
  return true;
}

static bool take_step(struct sandbox *sandbox, struct failure *failure) {
  struct reply reply;
  pid_t sender = 0;
  if (!receive(sandbox, &reply, &sender)) {
    return lose(sandbox, failure, "init");
  }
  switch (reply.kind) {
    case REPLY_NAMESPACED:
      return write_map(sandbox, "uid_map", failure) && write_map(sandbox, "gid_map", failure) &&
             order(sandbox, ORDER_PROCEED, 0, failure);
    case REPLY_DONE:
      sandbox->ready = true;
      return true;
    case REPLY_FAILED:
      *failure = reply.failure;
      return false;
    default:
      return fail_with(failure, EPROTO, "init", NULL);
  }
}

bool sandbox_advance(struct sandbox *sandbox, struct failure *failure) {
  bool done = take_step(sandbox, failure);
  struct failure later = {0};
  if (!done) {
    sandbox_destroy(sandbox, &later);
  }
  return done;
}

bool sandbox_finish(struct sandbox *sandbox, struct failure *failure) {
  while (!sandbox->ready) {
    if (!sandbox_advance(sandbox, failure)) {
      return false;
    }
  }
  return true;
}

bool sandbox_exec(struct sandbox *sandbox, const char *arguments, size_t size,
                  const struct channel *channel, struct failure *failure) {
  pid_t command = 0;
  if (!order_exec(sandbox, arguments, size, channel, failure) ||
      !await(sandbox, "exec", &command, failure)) {
    return false;
  }
  if (command == 0) {
    errno = EPROTO;
    return lose(sandbox, failure, "exec");
  }
  sandbox->command = command;
  return true;
}

bool sandbox_signal(struct sandbox *sandbox, int number, struct failure *failure) {
  pid_t nobody = 0;
  return order(sandbox, ORDER_SIGNAL, (uint32_t)number, failure) &&
         await(sandbox, "signal", &nobody, failure);
}

void sandbox_listen(struct sandbox *sandbox) {
  struct reply reply;
  pid_t sender = 0;
  if (receive(sandbox, &reply, &sender) && reply.kind == REPLY_EXITED) {
    note_exit(sandbox, reply.status);
  } else {
    sandbox->lost = true;
  }
}

int sandbox_source(const struct sandbox *sandbox) {
  if (sandbox->init == 0) {
    return -1;
  }
  return sandbox->killed ? sandbox->pidfd : sandbox->socket;
}

// Whether its namespace is empty: the kernel kills a pid namespace with its init, and lets init be
// waited for only then (pid_namespaces(7)).
static bool await_end(const struct sandbox *sandbox, int millis) {
  struct pollfd end = {.fd = sandbox->pidfd, .events = POLLIN};
  return TEMP_FAILURE_RETRY(poll(&end, 1, millis)) > 0;
}

bool sandbox_lingers(const struct sandbox *sandbox) {
  return sandbox->killed && !await_end(sandbox, 0);
}

void sandbox_kill(struct sandbox *sandbox) {
  pidfd_send_signal(sandbox->pidfd, SIGKILL, NULL, 0);
  sandbox->killed = true;
}

bool sandbox_destroy(struct sandbox *sandbox, struct failure *failure) {
  if (sandbox->init == 0) {
    return true;
  }
  sandbox_kill(sandbox);
  if (!await_end(sandbox, DEATH_MILLIS)) {
    sandbox->lost = true;
    return fail_with(failure, ETIMEDOUT, "destroy", NULL);
  }
  siginfo_t info;
  TEMP_FAILURE_RETRY(waitid(P_PIDFD, (id_t)sandbox->pidfd, &info, WEXITED));
  close(sandbox->pidfd);
  close(sandbox->socket);
  *sandbox = (struct sandbox){0};
  return true;
}
