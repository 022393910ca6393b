// The keeper's part of a channel, before any code of a tenant runs.
//
// - The keeper calls the engine; the sandbox has nothing that it could call: no path, and no
//   listening socket but the one on its own loopback that is made here.
// - Each connection brings the engine one descriptor first, then a greeting that says whose it is;
//   what follows is the command's. So a connection and its descriptor cannot be mixed up.
// - The token is told to the engine only. It is of no use to anybody afterwards.

#include "channel.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <unistd.h>

#include "confine.h"
#include "io.h"
#include "sandbox.h"

// How long the engine may take to accept, and for the greeting.
enum { CALL_SECONDS = 5 };

enum {
  // Connections that wait for the engine; it accepts no more than that at once either.
  LISTEN_BACKLOG = 16,
  // Accepted sockets inherit it: what a tenant may have waiting there is bounded.
  LISTEN_RECEIVE_BYTES = 64 * 1024,
};

enum kind { KIND_RUNNER = 1, KIND_LISTENER = 2 };

struct greeting {
  char magic[4];
  uint8_t version;
  uint8_t kind;
  uint8_t reserved[2];
  unsigned char token[TOKEN_SIZE];
};

void channel_close(struct channel *channel) {
  close_fd(&channel->frames);
  close_fd(&channel->output);
}

static bool fail_call(const struct options *options, struct failure *failure) {
  // A time-out of a socket reads as EAGAIN.
  return fail_with(failure, errno == EAGAIN ? ETIMEDOUT : errno, "channel", options->channel);
}

// Calls the engine and gives it `brought`. `*connection` is the caller's to close either way.
static bool call_engine(const struct options *options, enum kind kind, int brought, int *connection,
                        struct failure *failure) {
  struct greeting greeting = {.magic = {'E', 'F', 'C', 'H'}, .version = 1, .kind = (uint8_t)kind};
  memcpy(greeting.token, options->token, TOKEN_SIZE);
  *connection = connect_unix(options->channel, CALL_SECONDS);
  // Neither can wait: both fit what an empty socket takes.
  return (*connection >= 0 && send_with_fds(*connection, "", 1, &brought, 1) &&
          write_fully(*connection, &greeting, sizeof greeting)) ||
         fail_call(options, failure);
}

// Never goes on in the tenant's network.
static void return_home(int home) {
  if (setns(home, CLONE_NEWNET) != 0) {
    _exit(1);
  }
}

static bool listen_on_loopback(uint16_t port, int *listener) {
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int receive = LISTEN_RECEIVE_BYTES;
  *listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  return *listener >= 0 &&
         setsockopt(*listener, SOL_SOCKET, SO_RCVBUF, &receive, sizeof receive) == 0 &&
         bind(*listener, (const struct sockaddr *)&address, sizeof address) == 0 &&
         listen(*listener, LISTEN_BACKLOG) == 0;
}

// A socket belongs to the network namespace it was made in, wherever it is used from.
static bool open_listener(const struct options *options, const struct sandbox *sandbox,
                          int *listener, struct failure *failure) {
  char port[8];
  snprintf(port, sizeof port, "%u", options->listen_port);
  AUTO_CLOSE int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  if (home < 0 || setns(sandbox->pidfd, CLONE_NEWNET) != 0) {
    return fail(failure, "listen", port);
  }
  bool done = listen_on_loopback(options->listen_port, listener);
  int error = errno;
  return_home(home);
  return done || fail_with(failure, error, "listen", port);
}

static bool give_listener(const struct options *options, const struct sandbox *sandbox,
                          struct failure *failure) {
  if (options->listen_port == 0) {
    return true;
  }
  AUTO_CLOSE int listener = -1;
  AUTO_CLOSE int connection = -1;
  return open_listener(options, sandbox, &listener, failure) &&
         call_engine(options, KIND_LISTENER, listener, &connection, failure);
}

// Why a pipe and not a socket: a command may open what it has as /dev/stdout and /dev/stderr, and
// the kernel opens a pipe anew, but never a socket (ENXIO).
static bool open_output(const struct options *options, const struct sandbox *sandbox,
                        int *engine_end, int *sandbox_end, struct failure *failure) {
  int ends[2];
  pid_t launcher = getppid();
  // Why: a pipe belongs to who makes it, and only its owner may open it anew. As root this needs
  // CAP_SETUID and CAP_SETGID, which the keeper has, where fchown would need one more.
  setfsgid(sandbox->id_base + options->gid);
  setfsuid(sandbox->id_base + options->uid);
  int made = pipe2(ends, O_CLOEXEC);
  int error = errno;
  setfsuid(geteuid());
  setfsgid(getegid());
  end_with(launcher);
  if (made != 0) {
    return fail_with(failure, error, "channel", "pipe");
  }
  *engine_end = ends[0];
  *sandbox_end = ends[1];
  return fcntl(*engine_end, F_SETFL, O_NONBLOCK) == 0 || fail(failure, "channel", "pipe");
}

bool channel_open(struct channel *channel, const struct options *options,
                  const struct sandbox *sandbox, struct failure *failure) {
  *channel = (struct channel){.frames = -1, .output = -1};
  if (options->channel == NULL) {
    return true;
  }
  AUTO_CLOSE int output = -1;
  return give_listener(options, sandbox, failure) &&
         open_output(options, sandbox, &output, &channel->output, failure) &&
         call_engine(options, KIND_RUNNER, output, &channel->frames, failure);
}
