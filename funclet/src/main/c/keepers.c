// What keepers say, and their ends.

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keeper.h"
#include "slots.h"

enum {
  HEARD_MAX = 4 * (LINE_SIZE + sizeof(struct note)),
};

// Keepers' lines.

// No keeper of ours: its end is told like any other.
static void disown_keeper(const struct launcher *launcher, struct slot *slot) {
  kill(slot->keeper, SIGKILL);
  hang_up(launcher, slot);
}

// Whether a keeper says such a thing now: an answer is one to a request, and the last is the last.
static bool is_expected(const struct slot *slot, const struct note *note) {
  bool answers = (note->flags & (NOTE_ANSWER | NOTE_LAST)) != 0;
  return note->length <= LINE_SIZE && slot->last_answer.used == 0 &&
         (!answers || is_under_way(slot));
}

static void take_note(struct launcher *launcher, struct slot *slot, const struct note *note,
                      const char *text) {
  slot->init = note->init;
  if ((note->flags & NOTE_LAST) != 0) {
    // Why later: when `close` is answered the cgroups can be removed.
    buffer_append(&slot->last_answer, text, note->length);
    return;
  }
  // Why not told: funclet has ordered its end, and hears of it as that order's answer.
  bool ordered = (note->flags & NOTE_GONE) != 0 && slot->dying;
  if (note->length > 0 && !ordered) {
    pass_on(launcher, text, note->length);
  }
  if ((note->flags & NOTE_ANSWER) != 0) {
    drop_request(launcher, slot);
  }
}

static void take_notes(struct launcher *launcher, struct slot *slot) {
  size_t taken = 0;
  struct note note;
  while (slot->notes.used - taken >= sizeof note) {
    memcpy(&note, slot->notes.bytes + taken, sizeof note);
    if (!is_expected(slot, &note)) {
      disown_keeper(launcher, slot);
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

// Returns whether there may be more.
static bool hear_some(struct launcher *launcher, struct slot *slot) {
  char heard[HEARD_MAX];
  ssize_t count = TEMP_FAILURE_RETRY(read(slot->socket, heard, sizeof heard));
  if (count < 0 && errno == EAGAIN) {
    return false;
  }
  if (count <= 0 || !buffer_append(&slot->notes, heard, (size_t)count)) {
    // Its end follows.
    hang_up(launcher, slot);
    return false;
  }
  take_notes(launcher, slot);
  return slot->socket >= 0;
}

void hear_keeper(struct launcher *launcher, struct slot *slot) {
  if (slot->socket >= 0) {
    hear_some(launcher, slot);
  }
}

// Ends of keepers and of their orphans.

// Tells of a keeper's end when nothing of what it made is left.
static void await_orphans(struct launcher *launcher, struct slot *slot) {
  siginfo_t info;
  if (waitid(P_PGID, (id_t)slot->orphans, &info, WEXITED | WNOHANG | WNOWAIT) == 0) {
    // Their death signal is on the way already; this is the second lock.
    kill(-slot->orphans, SIGKILL);
    return;
  }
  slot->orphans = 0;
  if (slot->last_answer.used > 0) {
    pass_on(launcher, slot->last_answer.bytes, slot->last_answer.used);
    buffer_consume(&slot->last_answer, slot->last_answer.used);
    drop_request(launcher, slot);
  } else {
    tell_keeper_gone(launcher, slot);
  }
}

static void keeper_ended(struct launcher *launcher, struct slot *slot) {
  while (slot->socket >= 0 && hear_some(launcher, slot)) {
  }
  hang_up(launcher, slot);
  buffer_consume(&slot->notes, slot->notes.used);
  slot->orphans = slot->keeper;
  slot->keeper = 0;
  slot->init = 0;
  slot->busy = true;
}

// The slot whose keeper this process is, or has made it in its group. Looks through all slots:
// keepers end seldom.
static struct slot *find_process(const struct launcher *launcher, pid_t pid, pid_t group) {
  for (int i = 0; i < BUCKETS; i++) {
    for (struct slot *slot = launcher->slots[i]; slot != NULL; slot = slot->next) {
      if (slot->keeper == pid || slot->orphans == group) {
        return slot;
      }
    }
  }
  return NULL;
}

static void process_ended(struct launcher *launcher, pid_t pid, pid_t group) {
  struct slot *slot = find_process(launcher, pid, group);
  if (slot == NULL) {
    return;
  }
  if (slot->keeper == pid) {
    keeper_ended(launcher, slot);
  }
  if (slot->orphans != 0) {
    await_orphans(launcher, slot);
  }
  go_on(launcher, slot);
}

void reap(struct launcher *launcher) {
  struct signalfd_siginfo info;
  TEMP_FAILURE_RETRY(read(launcher->children, &info, sizeof info));
  siginfo_t ended = {0};
  // Why looked at before it is reaped: only a process that there is has a group.
  while (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid != 0) {
    pid_t group = getpgid(ended.si_pid);
    waitpid(ended.si_pid, NULL, 0);
    process_ended(launcher, ended.si_pid, group);
    ended.si_pid = 0;
  }
}
