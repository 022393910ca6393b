// The launcher proper: routes requests from funclet to keepers, and lines from keepers to funclet.
//
// - One thread, one event loop. Every descriptor that another process reads or writes is
//   non-blocking here, so that no slot, however stuck, holds up another.
// - What a request costs does not depend on how many slots there are: a slot is looked at only when
//   something happens to it.
// - A slot has one request under way at most; what comes after waits in its queue.
// - Every request is answered exactly once, also when its keeper dies with it.
// - Orphans of a dead keeper come to the launcher (it is their subreaper), so that "gone" and the
//   end of the launcher mean that no process is left.

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keeper.h"
#include "slots.h"

enum {
  // Requests and answers kept in memory before no more requests are read.
  BACKLOG_MAX = 8 * 1024 * 1024,
  CONNECT_SECONDS = 5,
};

void pass_on(struct launcher *launcher, const char *text, size_t size) {
  if (!buffer_append(&launcher->out, text, size)) {
    // An answer that is lost would be waited for for ever; an end is noticed.
    launcher->ended = true;
  }
}

void refuse(struct launcher *launcher, uint32_t number, const char *slot, int error,
            const char *step, const char *what) {
  struct failure failure = {0};
  struct line line;
  fail_with(&failure, error, step, what);
  line_failed(&line, number, slot, &failure);
  pass_on(launcher, line.text, line.used);
}

static bool is_slot_name(const char *name) {
  size_t length = strlen(name);
  return length > 0 && length <= SLOT_NAME_MAX &&
         strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
             length;
}

// Funclet's requests.

static bool enqueue(struct launcher *launcher, const char *verb, const char *name,
                    const char *bytes, size_t size) {
  struct slot *slot = take_slot(launcher, name);
  if (slot == NULL) {
    return false;
  }
  bool queued = buffer_append(&slot->queue, bytes, size);
  launcher->queued += queued ? size : 0;
  if (queued) {
    hasten(slot, verb);
  }
  go_on(launcher, slot);
  return queued;
}

// `bytes` is a whole frame.
static void take_frame(struct launcher *launcher, const char *bytes, size_t size) {
  uint32_t number = big_endian(bytes + sizeof(uint32_t));
  const char *verb = bytes + HEADER_SIZE;
  if (size == HEADER_SIZE || bytes[size - 1] != '\0') {
    refuse(launcher, number, NULL, EBADMSG, "request", NULL);
    return;
  }
  const char *name = verb + strlen(verb) + 1;
  if (strcmp(verb, "ping") == 0) {
    struct line line;
    line_ok(&line, number, NULL, 0);
    pass_on(launcher, line.text, line.used);
    return;
  }
  if (!keeper_knows(verb)) {
    refuse(launcher, number, NULL, EINVAL, "verb", verb);
    return;
  }
  if (name == bytes + size || !is_slot_name(name)) {
    refuse(launcher, number, NULL, EINVAL, "slot", name == bytes + size ? NULL : name);
    return;
  }
  if (!enqueue(launcher, verb, name, bytes, size)) {
    refuse(launcher, number, name, ENOMEM, "request", NULL);
  }
}

// Takes the first frame, or as much as is there of one to be skipped. Returns the bytes taken.
static size_t take_bytes(struct launcher *launcher, const char *bytes, size_t size) {
  if (launcher->skip > 0) {
    size_t skipped = launcher->skip < size ? launcher->skip : size;
    launcher->skip -= skipped;
    return skipped;
  }
  if (size < sizeof(uint32_t)) {
    return 0;
  }
  uint32_t length = big_endian(bytes);
  if (length < sizeof(uint32_t)) {
    // Too short even for the number: it is answered as request 0.
    refuse(launcher, 0, NULL, EBADMSG, "request", NULL);
    launcher->skip = length;
    return sizeof length;
  }
  if (length > REQUEST_MAX) {
    if (size < HEADER_SIZE) {
      return 0;
    }
    refuse(launcher, big_endian(bytes + sizeof length), NULL, EMSGSIZE, "request", NULL);
    launcher->skip = length - sizeof(uint32_t);
    return HEADER_SIZE;
  }
  if (size < sizeof length + length) {
    return 0;
  }
  take_frame(launcher, bytes, sizeof length + length);
  return sizeof length + length;
}

static void hear_funclet(struct launcher *launcher) {
  ssize_t count = TEMP_FAILURE_RETRY(
      read(launcher->funclet, launcher->in + launcher->got, sizeof launcher->in - launcher->got));
  if (count <= 0) {
    launcher->ended = launcher->ended || count == 0 || errno != EAGAIN;
    return;
  }
  launcher->got += (size_t)count;
  size_t taken = 0;
  for (;;) {
    size_t part = take_bytes(launcher, launcher->in + taken, launcher->got - taken);
    if (part == 0) {
      break;
    }
    taken += part;
  }
  launcher->got -= taken;
  memmove(launcher->in, launcher->in + taken, launcher->got);
}

static void speak(struct launcher *launcher) {
  ssize_t count = TEMP_FAILURE_RETRY(
      send(launcher->funclet, launcher->out.bytes, launcher->out.used, MSG_NOSIGNAL));
  if (count < 0) {
    launcher->ended = launcher->ended || errno != EAGAIN;
    return;
  }
  buffer_consume(&launcher->out, (size_t)count);
}

// The loop.

// Has the kernel tell what there is to do with funclet's socket for now.
static void watch_funclet(struct launcher *launcher) {
  bool full = launcher->queued + launcher->out.used > BACKLOG_MAX;
  uint32_t interest = (full ? 0 : EPOLLIN) | (launcher->out.used > 0 ? EPOLLOUT : 0);
  if (interest != launcher->interest) {
    struct epoll_event event = {.events = interest, .data.ptr = &launcher->funclet};
    epoll_ctl(launcher->events, EPOLL_CTL_MOD, launcher->funclet, &event);
    launcher->interest = interest;
  }
}

static void hear_slot(struct launcher *launcher, struct slot *slot, uint32_t happened) {
  if ((happened & EPOLLOUT) != 0) {
    push_request(slot);
  }
  if ((happened & ~(uint32_t)EPOLLOUT) != 0) {
    hear_keeper(launcher, slot);
  }
  go_on(launcher, slot);
}

static bool turn(struct launcher *launcher) {
  watch_funclet(launcher);
  struct epoll_event event;
  // Why one at a time: what follows from it may free the slot of the next.
  if (TEMP_FAILURE_RETRY(epoll_wait(launcher->events, &event, 1, -1)) < 0) {
    return false;
  }
  if (event.data.ptr == &launcher->children) {
    reap(launcher);
  } else if (event.data.ptr != &launcher->funclet) {
    hear_slot(launcher, event.data.ptr, event.events);
  } else if ((event.events & ~(uint32_t)EPOLLOUT) != 0) {
    hear_funclet(launcher);
  }
  if (launcher->out.used > 0) {
    speak(launcher);
  }
  return !launcher->ended;
}

static void end_everything(struct launcher *launcher) {
  for (int i = 0; i < BUCKETS; i++) {
    for (const struct slot *slot = launcher->slots[i]; slot != NULL; slot = slot->next) {
      if (slot->keeper != 0) {
        kill(slot->keeper, SIGKILL);
      }
    }
  }
  // Inits get their death signal from their keepers' end, and then come here to be reaped.
  while (TEMP_FAILURE_RETRY(waitpid(-1, NULL, 0)) > 0) {
  }
  for (int i = 0; i < BUCKETS; i++) {
    while (launcher->slots[i] != NULL) {
      remove_slot(launcher, launcher->slots[i]);
    }
  }
  buffer_consume(&launcher->out, launcher->out.used);
}

static bool listen_to(const struct launcher *launcher, int *source) {
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = source};
  return epoll_ctl(launcher->events, EPOLL_CTL_ADD, *source, &event) == 0;
}

static bool start(struct launcher *launcher, const char *socket_path, struct failure *failure) {
  launcher->funclet = connect_unix(socket_path, CONNECT_SECONDS);
  if (launcher->funclet < 0 || fcntl(launcher->funclet, F_SETFL, O_NONBLOCK) != 0) {
    return fail(failure, "connect", socket_path);
  }
  // Why: Ctrl-C at the engine's terminal is for the engine alone, which then ends us in order. It
  // fails only for the leader of a process group, whom a shell has started by hand.
  setsid();
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  launcher->children = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
  launcher->events = epoll_create1(EPOLL_CLOEXEC);
  launcher->interest = EPOLLIN;
  return (launcher->children >= 0 && launcher->events >= 0 &&
          listen_to(launcher, &launcher->funclet) && listen_to(launcher, &launcher->children) &&
          sigprocmask(SIG_BLOCK, &child, NULL) == 0 &&
          prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0 && chdir("/") == 0) ||
         fail(failure, "serve", NULL);
}

int serve_main(const char *socket_path) {
  struct launcher launcher = {.events = -1, .funclet = -1, .children = -1};
  struct failure failure = {0};
  if (!start(&launcher, socket_path, &failure)) {
    struct line line;
    line_report(&line, &failure);
    write_fully(STDERR_FILENO, line.text, line.used);
    return EXIT_SETUP;
  }
  while (turn(&launcher)) {
  }
  end_everything(&launcher);
  return launcher.ended ? 0 : EXIT_SETUP;
}
