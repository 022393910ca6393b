// What the launcher proper knows of its slots, shared by the files that serve them: serve.c
// (funclet and the loop), slots.c (slots and their requests), keepers.c (what keepers say, and
// their ends).

#ifndef EASYFAAS_SLOTS_H
#define EASYFAAS_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "commands.h"
#include "io.h"
#include "report.h"

enum {
  SLOT_NAME_MAX = 64,
  HEADER_SIZE = 2 * sizeof(uint32_t),
  FRAME_MAX = sizeof(uint32_t) + REQUEST_MAX,
  BUCKETS = 1024,
};

struct slot {
  struct slot *next;
  char name[SLOT_NAME_MAX + 1];
  pid_t keeper;   // 0: the slot is not open
  pid_t orphans;  // process group of the keeper that has ended, until all of it has; else 0
  int socket;
  pid_t init;                 // of the keeper's sandbox, as last told
  bool opening;               // the first request is the one that the keeper was started for
  bool busy;                  // the first request is under way, or nothing may be for now
  bool dying;                 // its sandbox's end was ordered, and is not answered yet
  bool stalled;               // the keeper has yet to read before more of it can be sent
  struct buffer queue;        // requests as they came in, length and number included
  size_t sent;                // of the first one
  struct buffer notes;        // what the keeper said, up to where one begins that is not whole yet
  struct buffer last_answer;  // kept until the keeper is gone
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

// serve.c

// Has funclet told.
void pass_on(struct launcher *launcher, const char *text, size_t size);

// Answers a request with a failure.
void refuse(struct launcher *launcher, uint32_t number, const char *slot, int error,
            const char *step, const char *what);

// slots.c

// Whether a request is queued; the first may be under way.
bool has_request(const struct slot *slot);

// The slot of this name, made if it is new; NULL without memory.
struct slot *take_slot(struct launcher *launcher, const char *name);

void remove_slot(struct launcher *launcher, struct slot *slot);

// Hears nothing more from the keeper.
void hang_up(const struct launcher *launcher, struct slot *slot);

// Kills the sandbox of a slot whose request that just came in orders its end. Why not left to the
// keeper: it shares the sandbox's cgroups, and among hundreds of processes at their memory limit it
// may take seconds to get so far.
void hasten(struct slot *slot, const char *verb);

// Whether the keeper has all of the first request, and may answer it.
bool is_under_way(const struct slot *slot);

// The first request has been answered.
void drop_request(struct launcher *launcher, struct slot *slot);

// Tells funclet that the keeper has ended and everything with it. Its requests are answered, but
// for those that are the next keeper's: from the next `open` on.
void tell_keeper_gone(struct launcher *launcher, struct slot *slot);

// Sends as much of the first request as the keeper takes now.
void push_request(struct slot *slot);

// After whatever happened to a slot: starts what can be started, forgets a slot that is nothing any
// more. The slot may be gone then.
void go_on(struct launcher *launcher, struct slot *slot);

// keepers.c

// Reads some of what the keeper has said.
void hear_keeper(struct launcher *launcher, struct slot *slot);

// Takes the ends of keepers and of their orphans.
void reap(struct launcher *launcher);

#endif
