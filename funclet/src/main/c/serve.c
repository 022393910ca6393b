// The launcher proper: routes requests from funclet to keepers, and lines from keepers to funclet.
//
// - One thread, one poll loop. Every descriptor that another process reads or writes is
//   non-blocking here, so that no slot, however stuck, holds up another.
// - A slot has one request under way at most; what comes after waits in its queue.
// - Every request is answered exactly once, also when its keeper dies with it.
// - Orphans of a dead keeper come to the launcher (it is their subreaper), so that "gone" and the
//   end of the launcher mean that no process is left.

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
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
  NOTES_SIZE = 2 * (LINE_SIZE + sizeof(struct note)),
  // Requests and answers kept in memory before no more requests are read.
  BACKLOG_MAX = 8 * 1024 * 1024,
  CONNECT_SECONDS = 5,
};

struct slot {
  struct slot *next;
  char name[SLOT_NAME_MAX + 1];
  pid_t keeper;  // 0: the slot is not open
  int socket;
  pid_t init;    // of the keeper's sandbox, as last told
  pid_t spare;   // of the one it has in advance
  bool busy;     // the first request is under way, or nothing may be for now
  bool leaving;  // the keeper said its last word, which is kept until it is gone
  struct line farewell;
  struct buffer queue;  // requests as they came in, length and number included
  size_t sent;          // of the first one
  size_t noted;
  char notes[NOTES_SIZE];
};

struct launcher {
  int funclet;
  int children;  // signalfd
  bool ended;    // funclet is gone
  struct slot *slots;
  size_t queued;  // bytes in all queues
  size_t skip;    // bytes of a refused request still to come
  size_t got;
  char in[FRAME_MAX];
  struct buffer out;
};

static void say(struct launcher *launcher, const struct line *line) {
  if (!buffer_append(&launcher->out, line->text, line->used)) {
    // An answer that is lost would be waited for for ever; an end is noticed.
    launcher->ended = true;
  }
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

static struct slot *find_slot(struct launcher *launcher, const char *name) {
  struct slot *slot = launcher->slots;
  while (slot != NULL && strcmp(slot->name, name) != 0) {
    slot = slot->next;
  }
  return slot;
}

static struct slot *add_slot(struct launcher *launcher, const char *name) {
  struct slot *slot = calloc(1, sizeof *slot);
  if (slot != NULL) {
    memcpy(slot->name, name, strlen(name) + 1);
    slot->socket = -1;
    slot->next = launcher->slots;
    launcher->slots = slot;
  }
  return slot;
}

static void remove_slot(struct launcher *launcher, struct slot *slot) {
  struct slot **link = &launcher->slots;
  while (*link != slot) {
    link = &(*link)->next;
  }
  *link = slot->next;
  close_fd(&slot->socket);
  buffer_consume(&slot->queue, slot->queue.used);
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

static bool start_keeper(struct slot *slot) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return false;
  }
  AUTO_CLOSE int ours = ends[0];
  AUTO_CLOSE int theirs = ends[1];
  pid_t launcher = getpid();
  if (fcntl(ours, F_SETFL, O_NONBLOCK) != 0) {
    return false;
  }
  pid_t pid = fork();
  if (pid < 0) {
    return false;
  }
  if (pid == 0) {
    keeper_main(theirs, slot->name, launcher);
  }
  slot->keeper = pid;
  slot->socket = ours;
  slot->noted = 0;
  ours = -1;
  return true;
}

static void push_request(struct slot *slot) {
  size_t size = request_size(slot);
  while (slot->sent < size) {
    ssize_t count = TEMP_FAILURE_RETRY(
        send(slot->socket, slot->queue.bytes + slot->sent, size - slot->sent, MSG_NOSIGNAL));
    if (count < 0) {
      // Full: poll will tell. Broken: the keeper's end will answer the request.
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
    } else if (slot->keeper == 0 && !start_keeper(slot)) {
      refuse_request(launcher, slot, errno, "keeper");
    } else {
      slot->busy = true;
      push_request(slot);
    }
  }
}

// Keepers' lines.

static void take_note(struct launcher *launcher, struct slot *slot, const struct note *note,
                      const char *text) {
  struct line line = {.used = note->length};
  memcpy(line.text, text, note->length);
  slot->init = note->init;
  slot->spare = note->spare;
  if ((note->flags & NOTE_LAST) != 0) {
    // Why later: when `close` is answered the cgroups can be removed.
    slot->farewell = line;
    slot->leaving = true;
    return;
  }
  if (line.used > 0) {
    say(launcher, &line);
  }
  if ((note->flags & NOTE_ANSWER) != 0 && has_request(slot)) {
    drop_request(launcher, slot);
  }
}

static void take_notes(struct launcher *launcher, struct slot *slot) {
  size_t taken = 0;
  struct note note;
  while (slot->noted - taken >= sizeof note) {
    memcpy(&note, slot->notes + taken, sizeof note);
    if (note.length > LINE_SIZE) {
      // No keeper of ours: its end is told like any other.
      kill(slot->keeper, SIGKILL);
      slot->noted = 0;
      return;
    }
    if (slot->noted - taken - sizeof note < note.length) {
      break;
    }
    take_note(launcher, slot, &note, slot->notes + taken + sizeof note);
    taken += sizeof note + note.length;
  }
  slot->noted -= taken;
  memmove(slot->notes, slot->notes + taken, slot->noted);
}

// Reads what the keeper has said until now.
static void hear_keeper(struct launcher *launcher, struct slot *slot) {
  while (slot->socket >= 0) {
    ssize_t count = TEMP_FAILURE_RETRY(
        read(slot->socket, slot->notes + slot->noted, sizeof slot->notes - slot->noted));
    if (count < 0 && errno == EAGAIN) {
      return;
    }
    if (count <= 0) {
      // Its end follows.
      close_fd(&slot->socket);
      return;
    }
    slot->noted += (size_t)count;
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
  close_fd(&slot->socket);
  slot->keeper = 0;
  if (slot->leaving) {
    slot->leaving = false;
    say(launcher, &slot->farewell);
    drop_request(launcher, slot);
  } else {
    adopt(&slot->init);
    adopt(&slot->spare);
    slot->busy = true;
    bury(launcher, slot);
  }
}

static void reap(struct launcher *launcher) {
  struct signalfd_siginfo info;
  TEMP_FAILURE_RETRY(read(launcher->children, &info, sizeof info));
  pid_t pid = 0;
  while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
    for (struct slot *slot = launcher->slots; slot != NULL; slot = slot->next) {
      if (slot->keeper == pid) {
        keeper_ended(launcher, slot);
        break;
      }
      if (slot->keeper == 0 && (slot->init == pid || slot->spare == pid)) {
        *(slot->init == pid ? &slot->init : &slot->spare) = 0;
        bury(launcher, slot);
        break;
      }
    }
  }
}

// Funclet's requests.

static bool enqueue(struct launcher *launcher, const char *name, const char *bytes, size_t size) {
  struct slot *slot = find_slot(launcher, name);
  if (slot == NULL) {
    slot = add_slot(launcher, name);
  }
  if (slot == NULL || !buffer_append(&slot->queue, bytes, size)) {
    return false;
  }
  launcher->queued += size;
  return true;
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

// Starts what can be started, forgets slots that are nothing any more. Returns how many are left.
static size_t settle_slots(struct launcher *launcher) {
  size_t count = 0;
  struct slot *next = NULL;
  for (struct slot *slot = launcher->slots; slot != NULL; slot = next) {
    next = slot->next;
    advance(launcher, slot);
    if (slot->keeper == 0 && slot->init == 0 && slot->spare == 0 && !has_request(slot)) {
      remove_slot(launcher, slot);
    } else {
      count++;
    }
  }
  return count;
}

static bool turn(struct launcher *launcher) {
  size_t count = settle_slots(launcher);
  AUTO_FREE struct pollfd *sources = calloc(count + 2, sizeof *sources);
  if (sources == NULL) {
    return false;
  }
  bool full = launcher->queued + launcher->out.used > BACKLOG_MAX;
  short reading = full ? 0 : POLLIN;
  short writing = launcher->out.used > 0 ? POLLOUT : 0;
  sources[0] = (struct pollfd){.fd = launcher->funclet, .events = (short)(reading | writing)};
  sources[1] = (struct pollfd){.fd = launcher->children, .events = POLLIN};
  struct pollfd *source = sources + 2;
  for (const struct slot *slot = launcher->slots; slot != NULL; slot = slot->next, source++) {
    bool pushing = slot->busy && has_request(slot) && slot->sent < request_size(slot);
    *source =
        (struct pollfd){.fd = slot->socket, .events = (short)(POLLIN | (pushing ? POLLOUT : 0))};
  }
  if (TEMP_FAILURE_RETRY(poll(sources, count + 2, -1)) < 0) {
    return false;
  }
  // Slots first: what follows may add to their list.
  source = sources + 2;
  for (struct slot *slot = launcher->slots; slot != NULL; slot = slot->next, source++) {
    if ((source->revents & POLLOUT) != 0) {
      push_request(slot);
    }
    if ((source->revents & ~POLLOUT) != 0) {
      hear_keeper(launcher, slot);
    }
  }
  if (sources[1].revents != 0) {
    reap(launcher);
  }
  if ((sources[0].revents & ~POLLOUT) != 0) {
    hear_funclet(launcher);
  }
  if (launcher->out.used > 0) {
    speak(launcher);
  }
  return !launcher->ended;
}

static void end_everything(struct launcher *launcher) {
  for (const struct slot *slot = launcher->slots; slot != NULL; slot = slot->next) {
    if (slot->keeper != 0) {
      kill(slot->keeper, SIGKILL);
    }
  }
  // Inits get their death signal from their keepers' end, and then come here to be reaped.
  while (TEMP_FAILURE_RETRY(waitpid(-1, NULL, 0)) > 0) {
  }
  while (launcher->slots != NULL) {
    remove_slot(launcher, launcher->slots);
  }
  buffer_consume(&launcher->out, launcher->out.used);
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
  return (launcher->children >= 0 && sigprocmask(SIG_BLOCK, &child, NULL) == 0 &&
          prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0 && chdir("/") == 0) ||
         fail(failure, "serve", NULL);
}

int serve_main(const char *socket_path) {
  struct launcher launcher = {.funclet = -1, .children = -1};
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
