// The process between launcher and sandbox, one per slot.

#ifndef EASYFAAS_KEEPER_H
#define EASYFAAS_KEEPER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

// What a keeper sends to the launcher: this, then `length` bytes of JSON line, if any.
struct note {
  uint32_t length;
  uint32_t flags;
  pid_t init;  // the sandbox's, after what the line tells; 0 when there is none
};

enum {
  NOTE_ANSWER = 1,  // ends the request being carried out
  NOTE_LAST = 2,    // the keeper ends after it
  NOTE_GONE = 4,    // the sandbox ended by itself
};

// Whether `verb` names a request.
bool keeper_knows(const char *verb);

// Serves the requests that come in on `socket`, in the form in which funclet sends them, until
// `close` or end-of-file. `parent` is the launcher.
_Noreturn void keeper_main(int socket, const char *slot, pid_t parent);

#endif
