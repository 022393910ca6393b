#include "report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

bool fail_with(struct failure *failure, int error, const char *step, const char *path) {
  failure->error = error;
  snprintf(failure->step, sizeof failure->step, "%s", step);
  snprintf(failure->path, sizeof failure->path, "%s", path == NULL ? "" : path);
  return false;
}

bool fail(struct failure *failure, const char *step, const char *path) {
  return fail_with(failure, errno, step, path);
}

__attribute__((format(printf, 2, 3))) static void append(struct line *line, const char *format,
                                                         ...) {
  size_t room = sizeof line->text - line->used;
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(line->text + line->used, room, format, arguments);
  va_end(arguments);
  // A line that does not fit is impossible by the sizes above; it would be cut, never overrun.
  if (length > 0) {
    line->used += (size_t)length < room ? (size_t)length : room - 1;
  }
}

// Bytes beyond ASCII become \u00XX: paths need not be UTF-8, but JSON must be.
static void append_string(struct line *line, const char *text) {
  append(line, "\"");
  for (; *text != '\0'; text++) {
    unsigned char byte = (unsigned char)*text;
    if (byte == '"' || byte == '\\') {
      append(line, "\\%c", byte);
    } else if (byte < 0x20 || byte >= 0x7f) {
      append(line, "\\u%04x", byte);
    } else {
      append(line, "%c", byte);
    }
  }
  append(line, "\"");
}

static void append_failure(struct line *line, const struct failure *failure) {
  const char *name = strerrorname_np(failure->error);
  append(line, "\"step\":");
  append_string(line, failure->step);
  append(line, ",\"errno\":%d,\"error\":\"%s\"", failure->error, name == NULL ? "" : name);
  if (failure->path[0] != '\0') {
    append(line, ",\"path\":");
    append_string(line, failure->path);
  }
  append(line, "}\n");
}

static void begin_answer(struct line *line, uint32_t request, const char *slot) {
  line->used = 0;
  append(line, "{\"request\":%u,", request);
  if (slot != NULL) {
    append(line, "\"slot\":\"%s\",", slot);
  }
}

void line_ok(struct line *line, uint32_t request, const char *slot, pid_t pid) {
  begin_answer(line, request, slot);
  append(line, "\"ok\":true");
  if (pid != 0) {
    append(line, ",\"pid\":%d", pid);
  }
  append(line, "}\n");
}

void line_failed(struct line *line, uint32_t request, const char *slot,
                 const struct failure *failure) {
  begin_answer(line, request, slot);
  append(line, "\"ok\":false,");
  append_failure(line, failure);
}

void line_exited(struct line *line, const char *slot, pid_t pid, int status) {
  line->used = 0;
  append(line, "{\"event\":\"exited\",\"slot\":\"%s\",\"pid\":%d,", slot, pid);
  if (WIFSIGNALED(status)) {
    append(line, "\"signal\":%d}\n", WTERMSIG(status));
  } else {
    append(line, "\"code\":%d}\n", WEXITSTATUS(status));
  }
}

void line_gone(struct line *line, const char *slot, bool open) {
  line->used = 0;
  append(line, "{\"event\":\"gone\",\"slot\":\"%s\",\"open\":%s}\n", slot, open ? "true" : "false");
}

void line_report(struct line *line, const struct failure *failure) {
  line->used = 0;
  append(line, "{");
  append_failure(line, failure);
}
