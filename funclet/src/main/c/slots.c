// Slots and the requests that wait for their keepers.

#include "slots.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "keeper.h"

bool has_request(const struct slot *slot) { return slot->queue.used > 0; }

static size_t request_size(const struct slot *slot) {
  return sizeof(uint32_t) + big_endian(slot->queue.bytes);
}

static bool is_verb(const struct slot *slot, const char *verb) {
  return strcmp(slot->queue.bytes + HEADER_SIZE, verb) == 0;
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

struct slot *take_slot(struct launcher *launcher, const char *name) {
  struct slot *slot = find_slot(launcher, name);
  return slot == NULL ? add_slot(launcher, name) : slot;
}

void hang_up(const struct launcher *launcher, struct slot *slot) {
  // Why not left to close: a process just forked still has a copy, which the kernel would watch on.
  epoll_ctl(launcher->events, EPOLL_CTL_DEL, slot->socket, NULL);
  close_fd(&slot->socket);
}

void remove_slot(struct launcher *launcher, struct slot *slot) {
  struct slot **link = bucket(launcher, slot->name);
  while (*link != slot) {
    link = &(*link)->next;
  }
  *link = slot->next;
  hang_up(launcher, slot);
  buffer_consume(&slot->queue, slot->queue.used);
  buffer_consume(&slot->notes, slot->notes.used);
  buffer_consume(&slot->last_answer, slot->last_answer.used);
  free(slot);
}

void hasten(struct slot *slot, const char *verb) {
  if (strcmp(verb, "destroy") != 0 && strcmp(verb, "close") != 0) {
    return;
  }
  slot->dying = true;
  if (slot->init != 0) {
    // Why a number is enough: only the keeper reaps it. Should it have done so this moment, and not
    // have been heard, the number is still free: numbers are given out in a circle.
    kill(slot->init, SIGKILL);
  }
}

bool is_under_way(const struct slot *slot) {
  return slot->busy && has_request(slot) && slot->sent == request_size(slot);
}

void drop_request(struct launcher *launcher, struct slot *slot) {
  size_t size = request_size(slot);
  launcher->queued -= size;
  buffer_consume(&slot->queue, size);
  slot->busy = false;
  slot->opening = false;
  slot->dying = slot->dying && has_request(slot);
  slot->sent = 0;
}

static void refuse_request(struct launcher *launcher, struct slot *slot, int error,
                           const char *step) {
  uint32_t number = big_endian(slot->queue.bytes + sizeof(uint32_t));
  refuse(launcher, number, slot->name, error, step, NULL);
  drop_request(launcher, slot);
}

void tell_keeper_gone(struct launcher *launcher, struct slot *slot) {
  if (slot->opening) {
    refuse_request(launcher, slot, EOWNERDEAD, "keeper");
  }
  while (has_request(slot) && !is_verb(slot, "open")) {
    refuse_request(launcher, slot, EOWNERDEAD, "keeper");
  }
  slot->sent = 0;
  slot->busy = false;
  slot->dying = false;
  struct line line;
  line_gone(&line, slot->name, false);
  pass_on(launcher, line.text, line.used);
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
  // As it does itself: whoever comes first.
  setpgid(pid, pid);
  slot->keeper = pid;
  slot->socket = take_fd(&ours);
  slot->stalled = false;
  slot->opening = true;
  return true;
}

void push_request(struct slot *slot) {
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
    // Why one that is open already is not refused here: its keeper may have ended just now.
    if (slot->keeper == 0 && !is_verb(slot, "open")) {
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

void go_on(struct launcher *launcher, struct slot *slot) {
  advance(launcher, slot);
  if (slot->keeper == 0 && slot->orphans == 0 && !has_request(slot)) {
    remove_slot(launcher, slot);
  } else {
    watch(launcher, slot);
  }
}
