#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "policy.h"

noreturn void fail_at(const struct source *source, int line, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fprintf(stderr, "%s:%d: ", source->path, line);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  exit(1);
}

struct source source_open(const char *path) {
  struct source source = {.path = path, .file = fopen(path, "re")};
  if (source.file == NULL) {
    fail_at(&source, 0, "%s", strerror(errno));
  }
  return source;
}

// Appends the words of one line to those there are; false at the end of the file.
static bool read_line(struct source *source) {
  size_t used = source->count == 0 ? 0
                                   : (size_t)(source->words[source->count - 1] - source->text) +
                                         strlen(source->words[source->count - 1]) + 1;
  char *text = source->text + used;
  int room = (int)(sizeof source->text - used);
  if (fgets(text, room, source->file) == NULL) {
    return false;
  }
  source->line++;
  if (strchr(text, '\n') == NULL) {
    fail_at(source, source->line, "the line is too long");
  }
  bool continued = source->count > 0;
  source->indented = continued ? source->indented : text[0] == ' ';
  text[strcspn(text, "#")] = '\0';
  char *rest = NULL;
  for (char *word = strtok_r(text, " \t\n", &rest); word != NULL;
       word = strtok_r(NULL, " \t\n", &rest)) {
    if (source->count == WORDS_MAX) {
      fail_at(source, source->line, "more than %d words", WORDS_MAX);
    }
    source->words[source->count++] = word;
  }
  return true;
}

static bool goes_on(const struct source *source) {
  const char *last = source->count == 0 ? "" : source->words[source->count - 1];
  return strcmp(last, "or") == 0 || strcmp(last, "and") == 0;
}

bool source_next(struct source *source) {
  source->count = 0;
  while (read_line(source)) {
    if (source->count > 0 && !goes_on(source)) {
      return true;
    }
  }
  if (source->count > 0) {
    fail_at(source, source->line, "nothing follows the last '%s'",
            source->words[source->count - 1]);
  }
  return false;
}

uint64_t parse_number(const struct source *source, const char *word) {
  char *end = NULL;
  errno = 0;
  uint64_t number = strtoull(word, &end, 0);
  if (word[0] < '0' || word[0] > '9' || *end != '\0' || errno != 0) {
    fail_at(source, source->line, "'%s' is no number", word);
  }
  return number;
}
