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

#include "commands.h"
#include "io.h"
#include "keeper.h"
#include "report.h"

enum {
  SLOT_NAME_MAX = 64,
  HEADER_SIZE = 2 * sizeof(uint32_t),
  FRAME_MAX = sizeof(uint32_t) + REQUEST_MAX,
  HEARD_MAX = 4 * (LINE_SIZE + sizeof(struct note)),
  // Requests and answers kept in memory before no more requests are read.
  BACKLOG_MAX = 8 * 1024 * 1024,
  CONNECT_SECONDS = 5,
  BUCKETS = 1024,
};

struct slot {
  struct slot *next;
  char name[SLOT_NAME_MAX + 1];
  pid_t keeper;  // 0: the slot is not open
  int socket;
  pid_t init;              // of the keeper's sandbox, as last told
  pid_t spare;             // of the one it has in advance
  bool busy;               // the first request is under way, or nothing may be for now
  bool stalled;            // the keeper has yet to read before more of it can be sent
  struct buffer queue;     // requests as they came in, length and number included
  size_t sent;             // of the first one
  struct buffer notes;     // what the keeper said, up to where one begins that is not whole yet
  struct buffer farewell;  // its last word, kept until it is gone
};

struct launcher {
  int events;  // epoll: funclet, children and a socket each open slot
  int funclet;
  uint32_t interest;  // in funclet
  int children;       // signalfd
  bool ended;         // funclet is gone
  struct slot *slots[BUCKETS];
  size_t queued;  // bytes in all queues
  size_t skip;    // bytes of a refused request still to come
  size_t got;
  char in[FRAME_MAX];
  struct buffer out;
};

static void pass_on(struct launcher *launcher, const char *text, size_t size) {
  if (!buffer_append(&launcher->out, text, size)) {
    // An answer that is lost would be waited for for ever; an end is noticed.
    launcher->ended = true;
  }
}

static void say(struct launcher *launcher, const struct line *line) {
  pass_on(launcher, line->text, line->used);
}

static void refuse(struct launcher *launcher, uint32_t number, const char *slot, int error,
                   const char *step, const char *what) {
  struct failure failure = {0};
  struct line line;
  fail_with(&failure, error, step, what);
  line_failed(&line, number, slot, &failure);
  say(launcher, &line);
}

static bool has_request(const struct slot *slot) { return slot->queue.used > 0; }

static size_t request_size(const struct slot *slot) {
  return sizeof(uint32_t) + big_endian(slot->queue.bytes);
}

static bool is_verb(const struct slot *slot, const char *verb) {
  return strcmp(slot->queue.bytes + HEADER_SIZE, verb) == 0;
}

// Slots.

static bool is_slot_name(const char *name) {
  size_t length = strlen(name);
  return length > 0 && length <= SLOT_NAME_MAX &&
         strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
             length;
}

// Where a slot of this name is listed (FNV-1a; names are funclet's, who wishes us well).
static struct slot **bucket(struct launcher *launcher, const char *name) {
  uint32_t hash = 2166136261;
  for (; *name != '\0'; name++) {
    hash = (hash ^ (unsigned char)*name) * 16777619;
  }
  return &launcher->slots[hash % BUCKETS];
}

static struct slot *find_slot(struct launcher *launcher, const char *name) {
  struct slot *slot = *bucket(launcher, name);
  while (slot != NULL && strcmp(slot->name, name) != 0) {
    slot = slot->next;
  }
  return slot;
}

static struct slot *add_slot(struct launcher *launcher, const char *name) {
  struct slot *slot = calloc(1, sizeof *slot);
  if (slot != NULL) {
    struct slot **link = bucket(launcher, name);
    memcpy(slot->name, name, strlen(name) + 1);
    slot->socket = -1;
    slot->next = *link;
    *link = slot;
  }
  return slot;
}

static void hang_up(const struct launcher *launcher, struct slot *slot) {
  // Why not left to close: a process just forked still has a copy, which the kernel would watch on.
  epoll_ctl(launcher->events, EPOLL_CTL_DEL, slot->socket, NULL);
  close_fd(&slot->socket);
}

static void remove_slot(struct launcher *launcher, struct slot *slot) {
  struct slot **link = bucket(launcher, slot->name);
  while (*link != slot) {
    link = &(*link)->next;
  }
  *link = slot->next;
  hang_up(launcher, slot);
  buffer_consume(&slot->queue, slot->queue.used);
  buffer_consume(&slot->notes, slot->notes.used);
  buffer_consume(&slot->farewell, slot->farewell.used);
  free(slot);
}

static void drop_request(struct launcher *launcher, struct slot *slot) {
  size_t size = request_size(slot);
  launcher->queued -= size;
  buffer_consume(&slot->queue, size);
  slot->busy = false;
  slot->sent = 0;
}

static void refuse_request(struct launcher *launcher, struct slot *slot, int error,
                           const char *step) {
  uint32_t number = big_endian(slot->queue.bytes + sizeof(uint32_t));
  refuse(launcher, number, slot->name, error, step, NULL);
  drop_request(launcher, slot);
}

static bool start_keeper(const struct launcher *launcher, struct slot *slot) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return false;
  }
  AUTO_CLOSE int ours = ends[0];
  AUTO_CLOSE int theirs = ends[1];
  pid_t parent = getpid();
  struct epoll_event reading = {.events = EPOLLIN, .data.ptr = slot};
  if (fcntl(ours, F_SETFL, O_NONBLOCK) != 0 ||
      epoll_ctl(launcher->events, EPOLL_CTL_ADD, ours, &reading) != 0) {
    return false;
  }
  pid_t pid = fork();
  if (pid < 0) {
    return false;
  }
  if (pid == 0) {
    keeper_main(theirs, slot->name, parent);
  }
  slot->keeper = pid;
  slot->socket = ours;
  slot->stalled = false;
  ours = -1;
  return true;
}

static void push_request(struct slot *slot) {
  size_t size = request_size(slot);
  while (slot->sent < size) {
    ssize_t count = TEMP_FAILURE_RETRY(
        send(slot->socket, slot->queue.bytes + slot->sent, size - slot->sent, MSG_NOSIGNAL));
    if (count < 0) {
      // Full: epoll will tell. Broken: the keeper's end will answer the request.
      return;
    }
    slot->sent += (size_t)count;
  }
}

// Gives the keeper its next request, or answers for a slot that has no keeper.
static void advance(struct launcher *launcher, struct slot *slot) {
  while (!slot->busy && has_request(slot)) {
    bool opens = is_verb(slot, "open");
    if (slot->keeper != 0 && opens) {
      refuse_request(launcher, slot, EEXIST, "slot");
    } else if (slot->keeper == 0 && !opens) {
      refuse_request(launcher, slot, ENOENT, "slot");
    } else if (slot->keeper == 0 && !start_keeper(launcher, slot)) {
      refuse_request(launcher, slot, errno, "keeper");
    } else {
      slot->busy = true;
      push_request(slot);
    }
  }
}

// Has the kernel tell when more of a request can be sent, while there is some left.
static void watch(const struct launcher *launcher, struct slot *slot) {
  bool stalled =
      slot->socket >= 0 && slot->busy && has_request(slot) && slot->sent < request_size(slot);
  if (stalled != slot->stalled) {
    struct epoll_event event = {.events = EPOLLIN | (stalled ? EPOLLOUT : 0), .data.ptr = slot};
    epoll_ctl(launcher->events, EPOLL_CTL_MOD, slot->socket, &event);
    slot->stalled = stalled;
  }
}

// After whatever happened to a slot: starts what can be started, forgets a slot that is nothing any
// more. The slot may be gone then.
static void settle(struct launcher *launcher, struct slot *slot) {
  advance(launcher, slot);
  if (slot->keeper == 0 && slot->init == 0 && slot->spare == 0 && !has_request(slot)) {
    remove_slot(launcher, slot);
  } else {
    watch(launcher, slot);
  }
}

// Keepers' lines.

static void take_note(struct launcher *launcher, struct slot *slot, const struct note *note,
                      const char *text) {
  slot->init = note->init;
  slot->spare = note->spare;
  if ((note->flags & NOTE_LAST) != 0) {
    // Why later: when `close` is answered the cgroups can be removed.
    buffer_append(&slot->farewell, text, note->length);
    return;
  }
  if (note->length > 0) {
    pass_on(launcher, text, note->length);
  }
  if ((note->flags & NOTE_ANSWER) != 0 && has_request(slot)) {
    drop_request(launcher, slot);
  }
}

static void take_notes(struct launcher *launcher, struct slot *slot) {
  size_t taken = 0;
  struct note note;
  while (slot->notes.used - taken >= sizeof note) {
    memcpy(&note, slot->notes.bytes + taken, sizeof note);
    if (note.length > LINE_SIZE) {
      // No keeper of ours: its end is told like any other.
      kill(slot->keeper, SIGKILL);
      hang_up(launcher, slot);
      taken = slot->notes.used;
      break;
    }
    if (slot->notes.used - taken - sizeof note < note.length) {
      break;
    }
    take_note(launcher, slot, &note, slot->notes.bytes + taken + sizeof note);
    taken += sizeof note + note.length;
  }
  buffer_consume(&slot->notes, taken);
}

// Reads what the keeper has said until now.
static void hear_keeper(struct launcher *launcher, struct slot *slot) {
  char heard[HEARD_MAX];
  while (slot->socket >= 0) {
    ssize_t count = TEMP_FAILURE_RETRY(read(slot->socket, heard, sizeof heard));
    if (count < 0 && errno == EAGAIN) {
      return;
    }
    if (count <= 0 || !buffer_append(&slot->notes, heard, (size_t)count)) {
      // Its end follows.
      hang_up(launcher, slot);
      return;
    }
    take_notes(launcher, slot);
  }
}

// Ends of keepers and of their orphans.

// The slot's processes are all gone and nobody asked for it.
static void lament(struct launcher *launcher, struct slot *slot) {
  struct line line;
  while (has_request(slot)) {
    refuse_request(launcher, slot, EOWNERDEAD, "keeper");
  }
  slot->busy = false;
  line_gone(&line, slot->name, false);
  say(launcher, &line);
}

static bool is_child(pid_t pid) {
  siginfo_t info;
  return pid != 0 && waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

// Kills an orphaned init, or forgets one that is no child of ours.
static void adopt(pid_t *init) {
  if (is_child(*init)) {
    // Its death signal is on the way already; this is the second lock.
    kill(*init, SIGKILL);
  } else {
    *init = 0;
  }
}

static void bury(struct launcher *launcher, struct slot *slot) {
  if (slot->init == 0 && slot->spare == 0) {
    lament(launcher, slot);
  }
}

static void keeper_ended(struct launcher *launcher, struct slot *slot) {
  hear_keeper(launcher, slot);
  hang_up(launcher, slot);
  buffer_consume(&slot->notes, slot->notes.used);
  slot->keeper = 0;
  if (slot->farewell.used > 0) {
    pass_on(launcher, slot->farewell.bytes, slot->farewell.used);
    buffer_consume(&slot->farewell, slot->farewell.used);
    drop_request(launcher, slot);
  } else {
    adopt(&slot->init);
    adopt(&slot->spare);
    slot->busy = true;
    bury(launcher, slot);
  }
}

static void process_ended(struct launcher *launcher, struct slot *slot, pid_t pid) {
  if (slot->keeper == pid) {
    keeper_ended(launcher, slot);
  } else {
    *(slot->init == pid ? &slot->init : &slot->spare) = 0;
    bury(launcher, slot);
  }
  settle(launcher, slot);
}

// The slot whose keeper it is, or whose orphan. Looks through all slots: keepers end seldom.
static struct slot *find_process(const struct launcher *launcher, pid_t pid) {
  for (int i = 0; i < BUCKETS; i++) {
    for (struct slot *slot = launcher->slots[i]; slot != NULL; slot = slot->next) {
      if (slot->keeper == pid || (slot->keeper == 0 && (slot->init == pid || slot->spare == pid))) {
        return slot;
      }
    }
  }
  return NULL;
}

static void reap(struct launcher *launcher) {
  struct signalfd_siginfo info;
  TEMP_FAILURE_RETRY(read(launcher->children, &info, sizeof info));
  pid_t pid = 0;
  while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
    struct slot *slot = find_process(launcher, pid);
    if (slot != NULL) {
      process_ended(launcher, slot, pid);
    }
  }
}

// Funclet's requests.

static bool enqueue(struct launcher *launcher, const char *name, const char *bytes, size_t size) {
  struct slot *slot = find_slot(launcher, name);
  if (slot == NULL) {
    slot = add_slot(launcher, name);
  }
  if (slot == NULL) {
    return false;
  }
  bool queued = buffer_append(&slot->queue, bytes, size);
  launcher->queued += queued ? size : 0;
  settle(launcher, slot);
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
  if (!keeper_knows(verb)) {
    refuse(launcher, number, NULL, EINVAL, "verb", verb);
    return;
  }
  if (name == bytes + size || !is_slot_name(name)) {
    refuse(launcher, number, NULL, EINVAL, "slot", name == bytes + size ? NULL : name);
    return;
  }
  if (!enqueue(launcher, name, bytes, size)) {
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
  settle(launcher, slot);
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
