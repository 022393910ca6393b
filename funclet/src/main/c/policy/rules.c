// Reads sandbox.policy, whose language its head explains.

#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>

#include "policy.h"

// The names that a `call … with …` gives to arguments.
struct arguments {
  size_t count;
  struct {
    char name[NAME_MAX_LENGTH];
    bool wide;
  } named[ARGUMENTS];
};

// The words of a line that are not yet read.
struct reader {
  struct policy *policy;
  const struct source *source;
  size_t next;
};

static const char *peek(const struct reader *reader) {
  return reader->next < reader->source->count ? reader->source->words[reader->next] : "";
}

static const char *take(struct reader *reader) {
  if (reader->next == reader->source->count) {
    fail_at(reader->source, reader->source->line, "the line ends too early");
  }
  return reader->source->words[reader->next++];
}

static bool take_if(struct reader *reader, const char *word) {
  bool there = strcmp(peek(reader), word) == 0;
  reader->next += there ? 1 : 0;
  return there;
}

static uint32_t parse_verdict(struct reader *reader) {
  static const struct {
    const char *name;
    uint32_t verdict;
  } NAMED[] = {{"allow", SECCOMP_RET_ALLOW},
               {"ignore", SECCOMP_RET_ERRNO},  // with the error 0
               {"kill", SECCOMP_RET_KILL_PROCESS}};
  const char *word = take(reader);
  for (size_t i = 0; i < sizeof NAMED / sizeof NAMED[0]; i++) {
    if (strcmp(word, NAMED[i].name) == 0) {
      return NAMED[i].verdict;
    }
  }
  uint64_t error = constant_value(reader->policy, reader->source, word);
  if (word[0] != 'E' || error == 0 || error > SECCOMP_RET_DATA) {
    fail_at(reader->source, reader->source->line, "'%s' is no verdict", word);
  }
  return SECCOMP_RET_ERRNO | (uint32_t)error;
}

static uint64_t parse_value(struct reader *reader, const struct term *term) {
  const char *word = take(reader);
  uint64_t value = constant_value(reader->policy, reader->source, word);
  if (!term->wide && value > UINT32_MAX) {
    fail_at(reader->source, reader->source->line, "'%s' is above 32 bits", word);
  }
  return value;
}

static void parse_argument(struct reader *reader, const struct arguments *arguments,
                           struct term *term) {
  const char *name = take(reader);
  for (size_t i = 0; i < arguments->count; i++) {
    if (strcmp(name, arguments->named[i].name) == 0) {
      term->argument = i;
      term->wide = arguments->named[i].wide;
      term->mask = term->wide ? UINT64_MAX : UINT32_MAX;
      return;
    }
  }
  fail_at(reader->source, reader->source->line, "'%s' is no argument of this call", name);
}

static void parse_term(struct reader *reader, const struct arguments *arguments,
                       struct term *term) {
  parse_argument(reader, arguments, term);
  bool masked = take_if(reader, "&");
  if (masked) {
    term->mask = parse_value(reader, term);
  }
  term->has_bits = take_if(reader, "has");
  if (term->wide && (masked || term->has_bits)) {
    fail_at(reader->source, reader->source->line, "a long argument is only compared");
  }
  if (!term->has_bits && !take_if(reader, "is")) {
    fail_at(reader->source, reader->source->line, "expected 'is' or 'has', not '%s'", peek(reader));
  }
  do {
    if (term->count == (term->has_bits ? 1 : VALUES_MAX)) {
      fail_at(reader->source, reader->source->line, "one value too many");
    }
    term->values[term->count++] = parse_value(reader, term);
  } while (take_if(reader, "or"));
}

static void parse_rule(struct reader *reader, const struct arguments *arguments,
                       struct rule *rule) {
  rule->line = reader->source->line;
  rule->verdict = parse_verdict(reader);
  if (take_if(reader, "otherwise")) {
    return;
  }
  if (!take_if(reader, "if")) {
    fail_at(reader->source, reader->source->line, "expected 'if' or 'otherwise', not '%s'",
            peek(reader));
  }
  do {
    if (rule->count == TERMS_MAX) {
      fail_at(reader->source, reader->source->line, "more than %d terms", TERMS_MAX);
    }
    parse_term(reader, arguments, &rule->terms[rule->count++]);
  } while (take_if(reader, "and"));
}

static struct decision *add_decision(struct policy *policy, const struct source *source) {
  if (policy->decisions_count == DECISIONS_MAX) {
    fail_at(source, source->line, "more than %d decisions", DECISIONS_MAX);
  }
  return &policy->decisions[policy->decisions_count++];
}

static void decide(struct reader *reader, const char *name, const struct decision *decision) {
  struct call *call = find_call(reader->policy, name);
  const struct source *source = reader->source;
  if (call == NULL) {
    fail_at(source, source->line, "'%s' is no call", name);
  }
  if (call->line != 0) {
    fail_at(source, source->line, "'%s' is decided in line %d already", name, call->line);
  }
  call->line = source->line;
  call->decision = decision;
}

static void parse_arguments(struct reader *reader, struct arguments *arguments) {
  while (reader->next < reader->source->count) {
    if (arguments->count == ARGUMENTS) {
      fail_at(reader->source, reader->source->line, "more than %d arguments", ARGUMENTS);
    }
    bool wide = take_if(reader, "long");
    const char *name = take(reader);
    if (strlen(name) >= NAME_MAX_LENGTH) {
      fail_at(reader->source, reader->source->line, "'%s' is too long", name);
    }
    arguments->named[arguments->count].wide = wide;
    strcpy(arguments->named[arguments->count++].name, name);
  }
}

static void refuse_open_end(const struct source *source, const struct decision *decision,
                            int line) {
  if (decision != NULL &&
      (decision->count == 0 || decision->rules[decision->count - 1].count > 0)) {
    fail_at(source, line, "the rules do not end with 'otherwise'");
  }
}

void read_rules(struct policy *policy, struct source *source) {
  struct decision *open = NULL;  // the one that indented lines belong to
  struct arguments arguments = {0};
  int line = 0;
  while (source_next(source)) {
    struct reader reader = {.policy = policy, .source = source};
    if (source->indented) {
      if (open == NULL || open->count == RULES_MAX) {
        fail_at(source, source->line, "a rule without a call, or one too many");
      }
      if (open->count > 0 && open->rules[open->count - 1].count == 0) {
        fail_at(source, source->line, "no call comes past 'otherwise'");
      }
      parse_rule(&reader, &arguments, &open->rules[open->count++]);
    } else {
      refuse_open_end(source, open, line);
      line = source->line;
      struct decision *decision = add_decision(policy, source);
      bool with = false;
      bool ruled = take_if(&reader, "call");
      if (!ruled) {
        decision->rules[decision->count++] =
            (struct rule){.line = line, .verdict = parse_verdict(&reader)};
      }
      do {
        decide(&reader, take(&reader), decision);
        with = ruled && take_if(&reader, "with");
      } while (!with && reader.next < source->count);
      open = ruled ? decision : NULL;
      arguments = (struct arguments){0};
      if (with) {
        parse_arguments(&reader, &arguments);
      }
    }
    if (reader.next != source->count) {
      fail_at(source, source->line, "'%s' is too much", peek(&reader));
    }
  }
  refuse_open_end(source, open, line);
  if (policy->foreign.decision == NULL || policy->other.decision == NULL ||
      policy->foreign.decision->rules[0].count > 0 || policy->other.decision->rules[0].count > 0) {
    fail_at(source, source->line, "'foreign' and 'other' need a verdict");
  }
}
