// What the policy compiler knows of a policy. It runs at build time, on trusted files: the first
// mistake ends it with FILE:LINE, and memory is given back by its end.

#ifndef EASYFAAS_POLICY_H
#define EASYFAAS_POLICY_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdnoreturn.h>

enum {
  ARGUMENTS = 6,  // what seccomp_data has
  WORDS_MAX = 128,
  NAME_MAX_LENGTH = 40,
  CALLS_MAX = 512,
  CONSTANTS_MAX = 256,
  VALUES_MAX = 32,
  TERMS_MAX = 4,
  RULES_MAX = 32,
  DECISIONS_MAX = 128,
};

enum architecture { X86_64, AARCH64, ARCHITECTURES };

// A file that is read line by line, as words between blanks. `#` starts a comment; a line that ends
// with `or` or `and` goes on with the next.
struct source {
  const char *path;
  FILE *file;
  int line;
  bool indented;
  size_t count;
  char *words[WORDS_MAX];
  char text[4096];
};

struct constant {
  char name[NAME_MAX_LENGTH];
  uint64_t value;
  bool used;
  int line;
};

// One condition on one argument.
struct term {
  size_t argument;
  bool wide;      // all 64 bits are compared, not the low 32
  uint64_t mask;  // of an argument before it is compared; all bits where none is given
  bool has_bits;  // holds when any bit of the one value is set
  size_t count;
  uint64_t values[VALUES_MAX];
  bool decisive[VALUES_MAX];  // whether the rule holds for some arguments because of this value
};

// Holds when all terms do; always without terms.
struct rule {
  int line;
  uint32_t verdict;  // what a seccomp filter returns
  size_t count;
  struct term terms[TERMS_MAX];
  bool reached;
};

// The rules of one paragraph; the last has no terms.
struct decision {
  size_t count;
  struct rule rules[RULES_MAX];
};

// A call, or a range of numbers that are none. `first` is above `last` where there is no such call.
struct call {
  char name[NAME_MAX_LENGTH];
  uint32_t first[ARCHITECTURES];
  uint32_t last[ARCHITECTURES];
  int line;  // of the policy, where it is decided; 0 while it is not
  const struct decision *decision;
};

struct policy {
  size_t calls_count;
  struct call calls[CALLS_MAX];
  size_t constants_count;
  struct constant constants[CONSTANTS_MAX];
  size_t decisions_count;
  struct decision decisions[DECISIONS_MAX];
  struct call foreign;  // calls of another ABI
  struct call other;    // calls that the policy does not name
};

// A BPF program, made from its end to its beginning: an instruction can only be made when those
// that it leads to are there, so that every offset is known and none is ever corrected.
struct program {
  size_t used;
  struct sock_filter code[BPF_MAXINSNS];  // the last instruction of the program is code[0]
};

// Ends the compiler with a message that begins with FILE:LINE.
noreturn void fail_at(const struct source *source, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

struct source source_open(const char *path);
// Reads the next line with words; false at the end of the file.
bool source_next(struct source *source);
uint64_t parse_number(const struct source *source, const char *word);

void read_calls(struct policy *policy, struct source *source);
void read_constants(struct policy *policy, struct source *source);
uint64_t constant_value(struct policy *policy, const struct source *source, const char *name);
struct call *find_call(struct policy *policy, const char *name);

// Reads the rules; the calls and constants must have been read.
void read_rules(struct policy *policy, struct source *source);

// Fails for a rule, or a value in one, that no arguments lead to, and for constants without use.
void check_use(struct policy *policy, const struct source *constants, const struct source *rules);

void compile(const struct policy *policy, enum architecture architecture, struct program *program);

#endif
