// Makes the program: which number a call has is found by halving the ranges of numbers that are
// told the same, what its arguments are by the rules in their order.

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "policy.h"

enum { JUMP_MAX = 255 };  // how far a conditional jump reaches

// Calls from this number on, up to the next range, that are told the same.
struct range {
  uint32_t first;
  const struct decision *decision;
  size_t target;
};

// An instruction is known by its place from the end; -1 of what is not made yet.
static size_t emit(struct program *program, int code, size_t when_true, size_t when_false,
                   uint32_t k) {
  if (program->used == BPF_MAXINSNS || when_true > JUMP_MAX || when_false > JUMP_MAX) {
    fputs("program.c: the program is too long\n", stderr);
    exit(1);
  }
  program->code[program->used] = (struct sock_filter){
      (unsigned short)code, (unsigned char)when_true, (unsigned char)when_false, k};
  return program->used++;
}

// How many instructions are between the next one made and `target`.
static size_t distance(const struct program *program, size_t target) {
  return program->used - 1 - target;
}

static bool is_end(struct sock_filter instruction) {
  return BPF_CLASS(instruction.code) == BPF_RET;
}

static size_t end(struct program *program, uint32_t verdict) {
  for (size_t i = 0; i < program->used; i++) {
    if (is_end(program->code[i]) && program->code[i].k == verdict) {
      return i;
    }
  }
  return emit(program, BPF_RET | BPF_K, 0, 0, verdict);
}

// `target`, or what stands for it, at most `limit` instructions behind the next one made.
static size_t within(struct program *program, size_t target, size_t limit) {
  size_t far = distance(program, target);
  if (far <= limit) {
    return target;
  }
  struct sock_filter instruction = program->code[target];
  return is_end(instruction) ? emit(program, instruction.code, 0, 0, instruction.k)
                             : emit(program, BPF_JMP | BPF_JA, 0, 0, (uint32_t)far);
}

// Goes on with `when_true` or `when_false`.
static size_t branch(struct program *program, int test, uint32_t k, size_t when_true,
                     size_t when_false) {
  // The way to the second target may put one instruction more before the first.
  when_true = within(program, when_true, JUMP_MAX - 1);
  when_false = within(program, when_false, JUMP_MAX);
  return emit(program, BPF_JMP | test | BPF_K, distance(program, when_true),
              distance(program, when_false), k);
}

static size_t load(struct program *program, size_t offset, size_t next) {
  within(program, next, 0);
  return emit(program, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offset);
}

// Both architectures are little-endian: the low half is first.
static size_t load_half(struct program *program, const struct term *term, bool high, size_t next) {
  size_t offset = offsetof(struct seccomp_data, args) + term->argument * sizeof(uint64_t);
  return load(program, offset + (high ? sizeof(uint32_t) : 0), next);
}

static size_t add_term(struct program *program, const struct term *term, size_t holds,
                       size_t fails) {
  size_t next = fails;
  for (size_t v = term->count; v-- > 0;) {
    uint32_t low = (uint32_t)term->values[v];
    if (term->wide) {
      size_t high = branch(program, BPF_JEQ, (uint32_t)(term->values[v] >> 32), holds, next);
      size_t rest = load_half(program, term, true, high);
      next = load_half(program, term, false, branch(program, BPF_JEQ, low, rest, next));
    } else {
      next = branch(program, term->has_bits ? BPF_JSET : BPF_JEQ, low, holds, next);
    }
  }
  if (term->wide) {
    return next;
  }
  if (term->mask != UINT32_MAX) {
    within(program, next, 0);
    next = emit(program, BPF_ALU | BPF_AND | BPF_K, 0, 0, (uint32_t)term->mask);
  }
  return load_half(program, term, false, next);
}

static size_t add_decision(struct program *program, const struct decision *decision) {
  size_t next = end(program, decision->rules[decision->count - 1].verdict);
  for (size_t r = decision->count - 1; r-- > 0;) {
    const struct rule *rule = &decision->rules[r];
    size_t holds = end(program, rule->verdict);
    for (size_t t = rule->count; t-- > 0;) {
      holds = add_term(program, &rule->terms[t], holds, next);
    }
    next = holds;
  }
  return next;
}

static bool same(const struct decision *one, const struct decision *two) {
  return one == two ||
         (one->count == 1 && two->count == 1 && one->rules[0].verdict == two->rules[0].verdict);
}

static const struct decision *decision_at(const struct policy *policy, enum architecture a,
                                          uint32_t number) {
  for (size_t i = 0; i < policy->calls_count; i++) {
    const struct call *call = &policy->calls[i];
    if (call->first[a] <= number && number <= call->last[a] && call->decision != NULL) {
      return call->decision;
    }
  }
  return policy->other.decision;
}

static int compare_numbers(const void *one, const void *two) {
  uint32_t first, second;
  memcpy(&first, one, sizeof first);
  memcpy(&second, two, sizeof second);
  return first < second ? -1 : first > second;
}

// The ranges of all numbers, in order.
static size_t find_ranges(const struct policy *policy, enum architecture a, struct range *ranges) {
  static uint32_t starts[2 * CALLS_MAX + 1];
  size_t count = 0;
  starts[count++] = 0;
  for (size_t i = 0; i < policy->calls_count; i++) {
    const struct call *call = &policy->calls[i];
    if (call->first[a] <= call->last[a]) {
      starts[count++] = call->first[a];
      if (call->last[a] < UINT32_MAX) {
        starts[count++] = call->last[a] + 1;
      }
    }
  }
  qsort(starts, count, sizeof starts[0], compare_numbers);
  size_t used = 0;
  for (size_t i = 0; i < count; i++) {
    const struct decision *decision = decision_at(policy, a, starts[i]);
    if (used == 0 || !same(ranges[used - 1].decision, decision)) {
      ranges[used++] = (struct range){.first = starts[i], .decision = decision};
    }
  }
  return used;
}

static size_t halve(struct program *program, const struct range *ranges, size_t count) {
  if (count == 1) {
    return ranges[0].target;
  }
  size_t half = count / 2;
  size_t upper = halve(program, ranges + half, count - half);
  size_t lower = halve(program, ranges, half);
  return branch(program, BPF_JGE, ranges[half].first, upper, lower);
}

void compile(const struct policy *policy, enum architecture architecture, struct program *program) {
  static const uint32_t AUDIT[] = {[X86_64] = AUDIT_ARCH_X86_64, [AARCH64] = AUDIT_ARCH_AARCH64};
  static struct range ranges[2 * CALLS_MAX + 1];
  program->used = 0;
  size_t count = find_ranges(policy, architecture, ranges);
  for (size_t i = 0; i < count; i++) {
    size_t before = 0;
    while (before < i && ranges[before].decision != ranges[i].decision) {
      before++;
    }
    ranges[i].target =
        before < i ? ranges[before].target : add_decision(program, ranges[i].decision);
  }
  size_t number = load(program, offsetof(struct seccomp_data, nr), halve(program, ranges, count));
  size_t foreign = end(program, policy->foreign.decision->rules[0].verdict);
  size_t abi = branch(program, BPF_JEQ, AUDIT[architecture], number, foreign);
  load(program, offsetof(struct seccomp_data, arch), abi);
}
