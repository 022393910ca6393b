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

static void take_note(struct launcher *launcher, struct slot *slot, const struct note *note,
                      const char *text) {
  slot->init = note->init;
  slot->spare = note->spare;
  if ((note->flags & NOTE_LAST) != 0) {
    // Why later: when `close` is answered the cgroups can be removed.
    buffer_append(&slot->farewell, text, note->length);
    return;
  }
  // Why not told: funclet has ordered its end, and hears of it as that order's answer.
  bool expected = (note->flags & NOTE_GONE) != 0 && slot->dying;
  if (note->length > 0 && !expected) {
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

void hear_keeper(struct launcher *launcher, struct slot *slot) {
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
  pass_on(launcher, line.text, line.used);
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

void reap(struct launcher *launcher) {
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
