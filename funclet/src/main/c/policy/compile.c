// Compiles a seccomp policy at build time:
//
//   policy-compiler CALLS CONSTANTS POLICY DIRECTORY
//
// For each architecture DIRECTORY gets policy_ARCHITECTURE.h, the program as rows of an array of
// struct sock_filter; policy_ARCHITECTURE.bpf, the same as bytes; and facts_ARCHITECTURE.h, what
// the tables say, for a comparison with the kernel's headers (facts.c).

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "policy.h"

static const char *const NAMES[] = {[X86_64] = "x86_64", [AARCH64] = "aarch64"};

static FILE *create(const char *directory, const char *kind, enum architecture architecture,
                    const char *suffix) {
  char path[4096];
  int length =
      snprintf(path, sizeof path, "%s/%s_%s%s", directory, kind, NAMES[architecture], suffix);
  FILE *file = length < (int)sizeof path ? fopen(path, "we") : NULL;
  if (file == NULL) {
    fprintf(stderr, "%s: %s\n", path, strerror(errno));
    exit(1);
  }
  return file;
}

static void finish(FILE *file) {
  bool failed = ferror(file) != 0;
  if (fclose(file) != 0 || failed) {
    perror("policy-compiler");
    exit(1);
  }
}

static void write_program(const struct program *program, const char *directory,
                          enum architecture architecture) {
  FILE *rows = create(directory, "policy", architecture, ".h");
  FILE *bytes = create(directory, "policy", architecture, ".bpf");
  for (size_t i = program->used; i-- > 0;) {
    struct sock_filter instruction = program->code[i];
    fprintf(rows, "{0x%02x, %u, %u, 0x%08" PRIx32 "},\n", instruction.code, instruction.jt,
            instruction.jf, instruction.k);
    fwrite(&instruction, sizeof instruction, 1, bytes);
  }
  finish(rows);
  finish(bytes);
}

static void write_facts(const struct policy *policy, const char *directory,
                        enum architecture architecture) {
  FILE *facts = create(directory, "facts", architecture, ".h");
  for (size_t i = 0; i < policy->calls_count; i++) {
    const struct call *call = &policy->calls[i];
    if (call->first[architecture] == call->last[architecture] && strchr(call->name, '-') == NULL) {
      fprintf(facts, "#ifdef __NR_%s\n_Static_assert(__NR_%s == %" PRIu32 ", \"%s\");\n#endif\n",
              call->name, call->name, call->first[architecture], call->name);
    }
  }
  for (size_t i = 0; i < policy->constants_count; i++) {
    const struct constant *constant = &policy->constants[i];
    fprintf(facts, "#ifdef %s\n_Static_assert((%s) == %" PRIu64 ", \"%s\");\n#endif\n",
            constant->name, constant->name, constant->value, constant->name);
  }
  finish(facts);
}

int main(int argc, char **argv) {
  static struct policy policy;
  static struct program program;
  if (argc != 5) {
    fputs("usage: policy-compiler CALLS CONSTANTS POLICY DIRECTORY\n", stderr);
    return 2;
  }
  struct source calls = source_open(argv[1]);
  struct source constants = source_open(argv[2]);
  struct source rules = source_open(argv[3]);
  read_calls(&policy, &calls);
  read_constants(&policy, &constants);
  read_rules(&policy, &rules);
  check_use(&policy, &constants, &rules);
  for (int architecture = 0; architecture < ARCHITECTURES; architecture++) {
    compile(&policy, architecture, &program);
    write_program(&program, argv[4], architecture);
    write_facts(&policy, argv[4], architecture);
  }
  return 0;
}
