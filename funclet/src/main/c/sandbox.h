// One sandbox as its keeper holds it, and the words keeper and init exchange.

#ifndef EASYFAAS_SANDBOX_H
#define EASYFAAS_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "channel.h"
#include "options.h"
#include "report.h"

// Keeper to init. ORDER_EXEC brings the two ends of a channel, or none; its payload, an argument
// vector of `value` bytes, follows.
enum order_kind { ORDER_PROCEED, ORDER_EXEC, ORDER_SIGNAL };

struct order {
  uint32_t kind;
  uint32_t value;
};

// Init to keeper; REPLY_STARTED comes from the command's process itself, so that the kernel
// attaches its pid.
enum reply_kind {
  REPLY_NAMESPACED,
  REPLY_STARTED,
  REPLY_DONE,
  REPLY_FAILED,
  REPLY_EXITED,
};

struct reply {
  uint32_t kind;
  int32_t status;          // of REPLY_EXITED, as waitpid gives it
  struct failure failure;  // of REPLY_FAILED
};

// There is none while `init` is 0. Zero and negative members are "none" throughout.
struct sandbox {
  pid_t init;
  int pidfd;
  int socket;
  uint32_t id_base;
  uint32_t id_count;
  bool ready;     // it takes orders
  pid_t command;  // running, on the host
  bool exited;    // the command ended by itself and nobody was told yet
  int status;
  bool lost;    // init ended, or does not answer: destroy it and tell
  bool killed;  // all of it, but some is not gone yet
};

// Starts to make a sandbox, in `cgroup` if that is not -1, else in the caller's. With `inherit` its
// commands get the caller's stdio. After a failure there is none.
bool sandbox_start(struct sandbox *sandbox, struct options *options, int cgroup, bool inherit,
                   struct failure *failure);

// Takes init's next word while it gets ready, waiting for it if need be. After a failure the
// sandbox is destroyed.
bool sandbox_advance(struct sandbox *sandbox, struct failure *failure);

// Waits until the sandbox is ready. After a failure it is destroyed.
bool sandbox_finish(struct sandbox *sandbox, struct failure *failure);

// Starts the command of the argument vector `arguments`, which options_parse must have accepted
// for exec; without one, the command of the options that the sandbox was made with. The command
// gets the channel's ends, which stay the caller's to close. True once its execve succeeded.
bool sandbox_exec(struct sandbox *sandbox, const char *arguments, size_t size,
                  const struct channel *channel, struct failure *failure);

bool sandbox_signal(struct sandbox *sandbox, int number, struct failure *failure);

// Takes one word from init that nobody asked for; sets `exited` or `lost`.
void sandbox_listen(struct sandbox *sandbox);

// Kills all that is in it, and does not wait. There is one.
void sandbox_kill(struct sandbox *sandbox);

// Kills all that is in it and waits until all of it is gone. Harmless when there is none. After a
// failure (ETIMEDOUT: something has not died in time) it is `killed` and `lost`, and no more can be
// done with it than to destroy it again.
bool sandbox_destroy(struct sandbox *sandbox, struct failure *failure);

// Whether it is killed and not all of it is gone: destroying it would have to wait.
bool sandbox_lingers(const struct sandbox *sandbox);

// What becomes readable when there is something to be done about the sandbox; -1 when there is
// none.
int sandbox_source(const struct sandbox *sandbox);

// What init does from its first instruction on; `keeper` is its only descriptor beside stdio.
_Noreturn void init_main(struct options *options, bool inherit, int keeper);

// In the process that becomes the command: confines itself and executes it. Returns on failure.
void command_execute(const struct options *options, bool inherit, int null,
                     const struct channel *channel, struct failure *failure);

#endif
