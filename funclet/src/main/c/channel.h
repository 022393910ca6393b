// What a command is given to speak to the engine with: ends of its own, made before it starts.

#ifndef EASYFAAS_CHANNEL_H
#define EASYFAAS_CHANNEL_H

#include <stdbool.h>

#include "options.h"
#include "report.h"

struct sandbox;

// The sandbox's ends; -1 where there is none.
struct channel {
  int frames;  // becomes descriptor 3
  int output;  // becomes descriptors 1 and 2
};

// How many descriptors a channel is when it travels.
enum { CHANNEL_FDS = 2 };

// Closes both ends. Harmless when there are none.
void channel_close(struct channel *channel);

// A local channel that is closed on every way out of its scope.
#define AUTO_CHANNEL __attribute__((cleanup(channel_close))) struct channel

// Makes the ends that the options ask for and hands the engine its own, with the token. Without
// `--channel` there are none. Waits at most 5 s for each connection. After a failure the engine may
// have the listener, until the generation ends.
bool channel_open(struct channel *channel, const struct options *options,
                  const struct sandbox *sandbox, struct failure *failure);

#endif
