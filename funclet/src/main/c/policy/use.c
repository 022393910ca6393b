// Whether every rule, and every value in it, changes what becomes of a call: tried with all
// arguments that make a difference.

#include <stdlib.h>

#include "policy.h"

enum { CANDIDATES_MAX = 16384 };

// Values of one argument among which is one of each kind that the rules can tell apart.
struct candidates {
  size_t count;
  uint64_t values[CANDIDATES_MAX];
};

static void add_candidate(struct candidates *candidates, uint64_t value) {
  for (size_t i = 0; i < candidates->count; i++) {
    if (candidates->values[i] == value) {
      return;
    }
  }
  if (candidates->count == CANDIDATES_MAX) {
    fprintf(stderr, "use.c: more than %d candidates\n", CANDIDATES_MAX);
    exit(1);
  }
  candidates->values[candidates->count++] = value;
}

// What the terms of one argument name, the sums of each two of them, and one that none names.
static void collect(const struct decision *decision, size_t argument,
                    struct candidates *candidates) {
  candidates->count = 0;
  for (size_t r = 0; r < decision->count; r++) {
    const struct rule *rule = &decision->rules[r];
    for (size_t t = 0; t < rule->count; t++) {
      const struct term *term = &rule->terms[t];
      for (size_t v = 0; term->argument == argument && v < term->count; v++) {
        add_candidate(candidates, term->values[v]);
        for (uint64_t bit = 1; term->has_bits && bit != 0; bit <<= 1) {
          if ((term->values[v] & bit) != 0) {
            add_candidate(candidates, bit);
          }
        }
      }
    }
  }
  size_t named = candidates->count;
  for (size_t i = 0; i < named; i++) {
    for (size_t j = 0; j < i; j++) {
      add_candidate(candidates, candidates->values[i] | candidates->values[j]);
    }
  }
  uint64_t unnamed = 0;
  for (size_t before = candidates->count; candidates->count == before;) {
    add_candidate(candidates, unnamed++);
  }
}

// The place among the term's values of the one that the arguments have, or -1.
static int match(const struct term *term, const uint64_t *arguments) {
  uint64_t value = arguments[term->argument] & term->mask;
  for (size_t v = 0; v < term->count; v++) {
    if (term->has_bits ? (value & term->values[v]) != 0 : value == term->values[v]) {
      return (int)v;
    }
  }
  return -1;
}

static bool holds(const struct rule *rule, const uint64_t *arguments) {
  for (size_t t = 0; t < rule->count; t++) {
    if (match(&rule->terms[t], arguments) < 0) {
      return false;
    }
  }
  return true;
}

static void decide(struct decision *decision, const uint64_t *arguments) {
  struct rule *rule = decision->rules;
  while (!holds(rule, arguments)) {
    rule++;
  }
  rule->reached = true;
  for (size_t t = 0; t < rule->count; t++) {
    rule->terms[t].decisive[match(&rule->terms[t], arguments)] = true;
  }
}

// All candidates of this argument with all those of the ones behind it.
static void try_all(struct decision *decision, const struct candidates *candidates, size_t argument,
                    uint64_t *arguments) {
  if (argument == ARGUMENTS) {
    decide(decision, arguments);
    return;
  }
  for (size_t i = 0; i < candidates[argument].count; i++) {
    arguments[argument] = candidates[argument].values[i];
    try_all(decision, candidates, argument + 1, arguments);
  }
}

void check_use(struct policy *policy, const struct source *constants, const struct source *rules) {
  static struct candidates candidates[ARGUMENTS];
  for (size_t i = 0; i < policy->constants_count; i++) {
    if (!policy->constants[i].used) {
      fail_at(constants, policy->constants[i].line, "'%s' has no use", policy->constants[i].name);
    }
  }
  for (size_t d = 0; d < policy->decisions_count; d++) {
    struct decision *decision = &policy->decisions[d];
    for (size_t argument = 0; argument < ARGUMENTS; argument++) {
      collect(decision, argument, &candidates[argument]);
    }
    uint64_t arguments[ARGUMENTS];
    try_all(decision, candidates, 0, arguments);
    for (size_t r = 0; r < decision->count; r++) {
      const struct rule *rule = &decision->rules[r];
      if (!rule->reached) {
        fail_at(rules, rule->line, "no call comes to this rule");
      }
      for (size_t t = 0; t < rule->count; t++) {
        for (size_t v = 0; v < rule->terms[t].count; v++) {
          if (!rule->terms[t].decisive[v]) {
            fail_at(rules, rule->line, "value %zu of term %zu makes no difference", v + 1, t + 1);
          }
        }
      }
    }
  }
}
