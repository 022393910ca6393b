// The next sandbox of a slot, made in advance while a command runs, so that the `create` after the
// next `destroy` has it at once. It shares nothing with the one in use but the cgroups and the
// range of ids: a fresh one, only earlier.

#ifndef EASYFAAS_SPARE_H
#define EASYFAAS_SPARE_H

#include <stdbool.h>
#include <stddef.h>

#include "sandbox.h"

struct spare {
  struct sandbox sandbox;
  char *plan;  // the arguments of the last `create`, by which it is made
  size_t plan_size;
  bool wanted;
};

// The next one is to be made like this.
void spare_plan(struct spare *spare, const char *arguments, size_t size);

// A command runs: one is wanted, if there is none and its making is known.
void spare_want(struct spare *spare);

// Starts to make it, in `cgroup` if that is not -1. A failure costs nothing but the time that is
// not saved.
void spare_start(struct spare *spare, int cgroup);

// Its init got on, or ended.
void spare_advance(struct spare *spare);

// Hands it over to `sandbox` if it is as these arguments say, waiting until it is ready.
bool spare_take(struct spare *spare, const char *arguments, size_t size, struct sandbox *sandbox);

// Gives it back: none is wanted any more.
bool spare_drop(struct spare *spare, struct failure *failure);

#endif
