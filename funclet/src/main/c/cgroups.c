#include "cgroups.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include "io.h"

// Returns -1 when it is no cgroup, or with `version2_only` one of version 1.
static int open_cgroup(const char *path, bool version2_only) {
  AUTO_CLOSE int directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  struct statfs status;
  if (directory < 0 || fstatfs(directory, &status) != 0) {
    return -1;
  }
  // Why: a write as root goes only where it is meant to go.
  if (status.f_type != CGROUP2_SUPER_MAGIC &&
      (version2_only || status.f_type != CGROUP_SUPER_MAGIC)) {
    errno = EINVAL;
    return -1;
  }
  return take_fd(&directory);
}

static bool join_cgroup(const char *path) {
  AUTO_CLOSE int directory = open_cgroup(path, false);
  if (directory < 0) {
    return false;
  }
  AUTO_CLOSE int procs = openat(directory, "cgroup.procs", O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
  return procs >= 0 && write_fully(procs, "0", 1);
}

bool join_cgroups(const struct options *options, struct failure *failure) {
  for (size_t i = 0; i < options->cgroup_count; i++) {
    if (!join_cgroup(options->cgroups[i])) {
      return fail(failure, "cgroup", options->cgroups[i]);
    }
  }
  return true;
}

bool open_sandbox_cgroup(const struct options *options, int *cgroup, struct failure *failure) {
  *cgroup = -1;
  if (options->sandbox_cgroup == NULL) {
    return true;
  }
  *cgroup = open_cgroup(options->sandbox_cgroup, true);
  return *cgroup >= 0 || fail(failure, "cgroup", options->sandbox_cgroup);
}
