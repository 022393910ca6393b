// From init's child to the tenant's program. What is given up here never comes back.

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "confine.h"
#include "sandbox.h"

// Where a command finds its frames. Init's socket to the keeper has the number before; the command
// holds only a copy of that.
enum { FRAMES_FILENO = 3 };

static bool reset_signals(struct failure *failure) {
  for (int number = 1; number < NSIG; number++) {
    // SIGKILL and SIGSTOP cannot be set, nor those the C library keeps.
    signal(number, SIG_DFL);
  }
  sigset_t none;
  sigemptyset(&none);
  return sigprocmask(SIG_SETMASK, &none, NULL) == 0 || fail(failure, "signals", NULL);
}

static bool set_limits(const struct options *options, struct failure *failure) {
  for (size_t i = 0; i < options->limit_count; i++) {
    const struct limit *limit = &options->limits[i];
    struct rlimit now;
    if (getrlimit((__rlimit_resource_t)limit->resource, &now) != 0) {
      return fail(failure, "rlimit", NULL);
    }
    // Why: in a user namespace nobody may raise a hard limit, so what is above it is cut to it.
    struct rlimit wanted = limit->value;
    wanted.rlim_max = wanted.rlim_max > now.rlim_max ? now.rlim_max : wanted.rlim_max;
    wanted.rlim_cur = wanted.rlim_cur > wanted.rlim_max ? wanted.rlim_max : wanted.rlim_cur;
    if (setrlimit((__rlimit_resource_t)limit->resource, &wanted) != 0) {
      return fail(failure, "rlimit", NULL);
    }
  }
  return true;
}

static bool enter_directory(const struct options *options, struct failure *failure) {
  char path[PATH_MAX];
  if (chdir(options->directory) != 0 || getcwd(path, sizeof path) == NULL) {
    return fail(failure, "cwd", options->directory);
  }
  // Why: a directory outside the root has no absolute path (CVE-2024-21626).
  return path[0] == '/' || fail_with(failure, EXDEV, "cwd", options->directory);
}

static bool set_output(bool inherit, int null, const struct channel *channel,
                       struct failure *failure) {
  int output = channel->output < 0 ? null : channel->output;
  return (channel->output < 0 && inherit) ||
         (dup2(output, STDOUT_FILENO) >= 0 && dup2(output, STDERR_FILENO) >= 0) ||
         fail(failure, "exec", "output");
}

// Safe: every descriptor but stdio and the frames' ends with the execve, init's socket and the
// report pipe too.
static bool keep_descriptors(const struct channel *channel, struct failure *failure) {
  return (close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) == 0 &&
          (channel->frames < 0 || dup2(channel->frames, FRAMES_FILENO) >= 0)) ||
         fail(failure, "exec", "descriptors");
}

void command_execute(const struct options *options, bool inherit, int null,
                     const struct channel *channel, struct failure *failure) {
  umask(022);
  setsid();
  // Ids before the directory: what the tenant could not open by itself is not opened for it.
  if (!reset_signals(failure) || !set_limits(options, failure) || !bound_capabilities(0, failure) ||
      !become(options->uid, options->gid, failure) || !keep_capabilities(0, failure) ||
      !enter_directory(options, failure) || !set_output(inherit, null, channel, failure) ||
      !filter_system_calls(failure) || !keep_descriptors(channel, failure)) {
    return;
  }
  execve(options->command[0], options->command, options->environment);
  fail(failure, "exec", options->command[0]);
}
