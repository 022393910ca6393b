// The system call filter: policy/sandbox.policy, compiled by the build.

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "confine.h"

bool filter_system_calls(struct failure *failure) {
  static struct sock_filter program[] = {
#if defined(__x86_64__)
#include "policy_x86_64.h"
#elif defined(__aarch64__)
#include "policy_aarch64.h"
#else
#error "the policy is compiled for x86_64 and aarch64 only"
#endif
  };
  struct sock_fprog filter = {.len = sizeof program / sizeof program[0], .filter = program};
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) == 0 ||
         fail(failure, "seccomp", NULL);
}
