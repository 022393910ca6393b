// What went wrong, and the JSON lines that tell it to the caller.

#ifndef EASYFAAS_REPORT_H
#define EASYFAAS_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { STEP_SIZE = 24, REPORTED_PATH_SIZE = 256, LINE_SIZE = 4096 };

// The one way failures travel, in memory and between our processes: plain bytes, no pointers.
// Functions that take one return false on failure and leave it untouched on success.
struct failure {
  int error;
  char step[STEP_SIZE];
  char path[REPORTED_PATH_SIZE];
};

// Fill `failure` (from errno, or from `error`) and return false. `path` may be NULL.
bool fail(struct failure *failure, const char *step, const char *path);
bool fail_with(struct failure *failure, int error, const char *step, const char *path);

// One JSON object and its newline.
struct line {
  size_t used;
  char text[LINE_SIZE];
};

// `slot` may be NULL where none is known; `pid` 0 leaves the field out.
void line_ok(struct line *line, uint32_t request, const char *slot, pid_t pid);
void line_failed(struct line *line, uint32_t request, const char *slot,
                 const struct failure *failure);
// `status` as waitpid gives it.
void line_exited(struct line *line, const char *slot, pid_t pid, int status);
void line_gone(struct line *line, const char *slot, bool open);
void line_report(struct line *line, const struct failure *failure);

#endif
