#include "spare.h"

#include <stdlib.h>
#include <string.h>

#include "io.h"
#include "options.h"

static bool is_planned(const struct spare *spare, const char *arguments, size_t size) {
  return spare->plan != NULL && spare->plan_size == size &&
         memcmp(spare->plan, arguments, size) == 0;
}

void spare_plan(struct spare *spare, const char *arguments, size_t size) {
  if (is_planned(spare, arguments, size)) {
    return;
  }
  free(spare->plan);
  spare->plan_size = size;
  spare->plan = malloc(size);
  if (spare->plan != NULL) {
    memcpy(spare->plan, arguments, size);
  }
}

void spare_want(struct spare *spare) {
  spare->wanted = spare->plan != NULL && spare->sandbox.init == 0;
}

// Splits the plan, whose options then point into `*argv`'s strings.
static bool read_plan(const struct spare *spare, char *bytes, char ***argv,
                      struct options *options) {
  struct failure failure = {0};
  memcpy(bytes, spare->plan, spare->plan_size);
  int argc = split_arguments(bytes, spare->plan_size, argv);
  return argc >= 0 && options_parse(options, argc, *argv, OPTIONS_CREATE, &failure);
}

void spare_start(struct spare *spare, int cgroup) {
  spare->wanted = false;
  AUTO_FREE char *bytes = malloc(spare->plan_size);
  AUTO_FREE char **argv = NULL;
  struct options options = {0};
  struct failure failure = {0};
  if (bytes != NULL && read_plan(spare, bytes, &argv, &options)) {
    sandbox_start(&spare->sandbox, &options, cgroup, false, &failure);
  }
  options_free(&options);
}

void spare_advance(struct spare *spare) {
  struct failure failure = {0};
  if (spare->sandbox.killed || spare->sandbox.ready) {
    sandbox_destroy(&spare->sandbox, &failure);
  } else {
    sandbox_advance(&spare->sandbox, &failure);
  }
}

bool spare_take(struct spare *spare, const char *arguments, size_t size, struct sandbox *sandbox) {
  struct failure failure = {0};
  if (spare->sandbox.init == 0 || sandbox_lingers(&spare->sandbox)) {
    return false;
  }
  if (!is_planned(spare, arguments, size) || !sandbox_finish(&spare->sandbox, &failure)) {
    sandbox_destroy(&spare->sandbox, &failure);
    return false;
  }
  *sandbox = spare->sandbox;
  spare->sandbox = (struct sandbox){0};
  return true;
}

bool spare_drop(struct spare *spare, struct failure *failure) {
  spare->wanted = false;
  return sandbox_destroy(&spare->sandbox, failure);
}
