// The tables of calls and of constants.

#include <string.h>

#include "policy.h"

static void copy_name(const struct source *source, char *to, const char *from) {
  if (strlen(from) >= NAME_MAX_LENGTH) {
    fail_at(source, source->line, "'%s' is too long", from);
  }
  strcpy(to, from);
}

static uint32_t parse_call_number(const struct source *source, const char *word) {
  uint64_t number = parse_number(source, word);
  if (number > UINT32_MAX) {
    fail_at(source, source->line, "'%s' is above 32 bits", word);
  }
  return (uint32_t)number;
}

// "-", NUMBER or FIRST-LAST.
static void parse_range(const struct source *source, char *word, uint32_t *first, uint32_t *last) {
  *first = 1;
  *last = 0;
  if (strcmp(word, "-") == 0) {
    return;
  }
  char *dash = strchr(word, '-');
  if (dash != NULL) {
    *dash = '\0';
  }
  *first = parse_call_number(source, word);
  *last = dash == NULL ? *first : parse_call_number(source, dash + 1);
  if (*first > *last) {
    fail_at(source, source->line, "the range ends before it begins");
  }
}

static void refuse_overlap(const struct policy *policy, const struct source *source,
                           const struct call *call) {
  for (size_t i = 0; i < policy->calls_count; i++) {
    const struct call *other = &policy->calls[i];
    for (int a = 0; a < ARCHITECTURES; a++) {
      if (call->first[a] <= call->last[a] && other->first[a] <= other->last[a] &&
          call->first[a] <= other->last[a] && other->first[a] <= call->last[a]) {
        fail_at(source, source->line, "'%s' has a number of '%s'", call->name, other->name);
      }
    }
  }
}

void read_calls(struct policy *policy, struct source *source) {
  while (source_next(source)) {
    if (source->count != 1 + ARCHITECTURES) {
      fail_at(source, source->line, "expected a name and %d numbers", ARCHITECTURES);
    }
    struct call call = {0};
    copy_name(source, call.name, source->words[0]);
    if (find_call(policy, call.name) != NULL || policy->calls_count == CALLS_MAX) {
      fail_at(source, source->line, "'%s' is there twice, or one too many", call.name);
    }
    for (int a = 0; a < ARCHITECTURES; a++) {
      parse_range(source, source->words[1 + a], &call.first[a], &call.last[a]);
    }
    refuse_overlap(policy, source, &call);
    policy->calls[policy->calls_count++] = call;
  }
  policy->foreign = (struct call){.name = "foreign", .first = {1, 1}};
  policy->other = (struct call){.name = "other", .first = {1, 1}};
}

struct call *find_call(struct policy *policy, const char *name) {
  if (strcmp(name, policy->foreign.name) == 0) {
    return &policy->foreign;
  }
  if (strcmp(name, policy->other.name) == 0) {
    return &policy->other;
  }
  for (size_t i = 0; i < policy->calls_count; i++) {
    if (strcmp(name, policy->calls[i].name) == 0) {
      return &policy->calls[i];
    }
  }
  return NULL;
}

static struct constant *find_constant(struct policy *policy, const char *name) {
  for (size_t i = 0; i < policy->constants_count; i++) {
    if (strcmp(name, policy->constants[i].name) == 0) {
      return &policy->constants[i];
    }
  }
  return NULL;
}

uint64_t constant_value(struct policy *policy, const struct source *source, const char *name) {
  struct constant *constant = find_constant(policy, name);
  if (constant == NULL) {
    fail_at(source, source->line, "'%s' is no constant", name);
  }
  constant->used = true;
  return constant->value;
}

void read_constants(struct policy *policy, struct source *source) {
  while (source_next(source)) {
    if (source->count != 2) {
      fail_at(source, source->line, "expected a name and a value");
    }
    struct constant constant = {.line = source->line};
    copy_name(source, constant.name, source->words[0]);
    if (find_constant(policy, constant.name) != NULL || policy->constants_count == CONSTANTS_MAX) {
      fail_at(source, source->line, "'%s' is there twice, or one too many", constant.name);
    }
    char *rest = NULL;
    bool number = source->words[1][0] >= '0' && source->words[1][0] <= '9';
    for (char *part = strtok_r(source->words[1], "|", &rest); part != NULL;
         part = strtok_r(NULL, "|", &rest)) {
      constant.value |= number ? parse_number(source, part) : constant_value(policy, source, part);
    }
    policy->constants[policy->constants_count++] = constant;
  }
}
