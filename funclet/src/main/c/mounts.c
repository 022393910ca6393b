#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine.h"
#include "io.h"
#include "proc.h"
#include "scratch.h"
#include "sources.h"
#include "trees.h"

// How long mounts into a running sandbox may take, and the end of whoever takes longer.
enum { HELPER_MILLIS = 10 * 1000, HELPER_DEATH_MILLIS = 1000 };

static bool mount_tmpfs(int root, const struct mount_op *op, uid_t owner, struct failure *failure) {
  AUTO_CLOSE int tree = make_tmpfs(op->bytes, op->mode, owner, NO_PRIVILEGE);
  return (tree >= 0 && attach_at(tree, root, op->target)) ||
         fail(failure, "mount-tmpfs", op->target);
}

static bool mount_one(int root, const struct mount_op *op, uid_t owner,
                      const struct scratch *scratch, struct failure *failure) {
  switch (op->kind) {
    case MOUNT_BIND:
    case MOUNT_BIND_READ_ONLY:
      return attach_at(op->tree, root, op->target) || fail(failure, "mount-bind", op->target);
    case MOUNT_FILE:
      return attach_at(op->tree, root, op->target) || fail(failure, "mount-file", op->target);
    case MOUNT_TMPFS:
      return mount_tmpfs(root, op, owner, failure);
    case MOUNT_PROC:
      return proc_mount(root, op->target, scratch, failure);
    case MOUNT_DEV:
      return scratch_mount_dev(scratch, root, op->target, failure);
  }
  return fail_with(failure, EINVAL, "mount", op->target);
}

// Everything that is mounted later gets ready first: a source below the root directory would be
// hidden by the root, which is mounted there. What is left at `place` goes with the old root.
static bool build(struct options *options, int place, int *root, struct failure *failure) {
  AUTO_SCRATCH scratch = NO_SCRATCH;
  if (!sources_open_with_root(options, place, root, failure) ||
      !scratch_make(&scratch, options, place, failure)) {
    return false;
  }
  if (!attach(*root, place)) {
    return fail(failure, "rootfs", options->rootfs);
  }
  for (size_t i = 0; i < options->mount_count; i++) {
    struct mount_op *op = &options->mounts[i];
    if (!mount_one(*root, op, options->id_base, &scratch, failure)) {
      return false;
    }
    close_fd(&op->tree);
  }
  return true;
}

bool mounts_build_root(struct options *options, struct failure *failure) {
  // Why first: the new namespace starts as a copy that shares events with the host's.
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
    return fail(failure, "rootfs", "/");
  }
  AUTO_CLOSE int place = open(options->rootfs, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (place < 0) {
    return fail(failure, "rootfs", options->rootfs);
  }
  AUTO_CLOSE int root = -1;
  if (!build(options, place, &root, failure)) {
    return false;
  }
  // Why ".", ".": puts the old root on top of the new one, where the next call takes it off again,
  // so that no directory for it is needed (pivot_root(2), NOTES).
  if (fchdir(root) != 0 || syscall(SYS_pivot_root, ".", ".") != 0 ||
      umount2(".", MNT_DETACH) != 0 || chdir("/") != 0) {
    return fail(failure, "pivot-root", options->rootfs);
  }
  return true;
}

// Takes the first `count` binds off again. `descriptors` is our /proc/self/fd of the host.
static void undo(const struct options *options, size_t count, int descriptors) {
  // Why through descriptors: the tenant may have renamed the destination by now, and the sandbox's
  // own /proc does not know us. A bind of a file cannot be entered, so "." is no way either.
  if (fchdir(descriptors) != 0) {
    return;
  }
  while (count > 0) {
    char name[16];
    snprintf(name, sizeof name, "%d", options->mounts[--count].tree);
    umount2(name, MNT_DETACH);
  }
}

static bool add_in_helper(struct options *options, int pidfd, struct failure *failure) {
  AUTO_CLOSE int descriptors = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (descriptors < 0) {
    return fail(failure, "mount", "/proc/self/fd");
  }
  if (!sources_open(options, failure)) {
    return false;
  }
  // Safe: enters the tenant's mount namespace but not its pid namespace, so it cannot be traced or
  // signalled there, and executes nothing of the tenant's.
  if (setns(pidfd, CLONE_NEWNS) != 0) {
    return fail(failure, "mount", "setns");
  }
  AUTO_CLOSE int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) {
    return fail(failure, "mount", "/");
  }
  const struct scratch nothing = NO_SCRATCH;
  for (size_t i = 0; i < options->mount_count; i++) {
    if (!mount_one(root, &options->mounts[i], 0, &nothing, failure)) {
      undo(options, i, descriptors);
      return false;
    }
  }
  return true;
}

// Waits for the helper's word or end. A source may be on a file system that does not answer: the
// helper is then killed, and left to the keeper's end should it not even die.
static bool await_helper(int report, pid_t helper) {
  struct pollfd word = {.fd = report, .events = POLLIN};
  if (TEMP_FAILURE_RETRY(poll(&word, 1, HELPER_MILLIS)) > 0) {
    return true;
  }
  kill(helper, SIGKILL);
  if (TEMP_FAILURE_RETRY(poll(&word, 1, HELPER_DEATH_MILLIS)) > 0) {
    TEMP_FAILURE_RETRY(waitpid(helper, NULL, 0));
  }
  return false;
}

bool mounts_add(struct options *options, int pidfd, struct failure *failure) {
  int pipe_ends[2];
  if (pipe2(pipe_ends, O_CLOEXEC) != 0) {
    return fail(failure, "mount", NULL);
  }
  AUTO_CLOSE int in = pipe_ends[0];
  AUTO_CLOSE int out = pipe_ends[1];
  // Why a process of its own: setns cannot be undone once the old root is out of reach.
  pid_t keeper = getpid();
  pid_t helper = fork();
  if (helper < 0) {
    return fail(failure, "mount", "fork");
  }
  if (helper == 0) {
    struct failure found = {0};
    end_with(keeper);
    if (!add_in_helper(options, pidfd, &found)) {
      write_fully(out, &found, sizeof found);
      _exit(1);
    }
    _exit(0);
  }
  close_fd(&out);
  if (!await_helper(in, helper)) {
    return fail_with(failure, ETIMEDOUT, "mount", NULL);
  }
  struct failure found;
  bool reported = read_fully(in, &found, sizeof found);
  int status = 0;
  if (TEMP_FAILURE_RETRY(waitpid(helper, &status, 0)) != helper) {
    return fail(failure, "mount", "wait");
  }
  if (reported) {
    *failure = found;
    return false;
  }
  return (WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
         fail_with(failure, ECHILD, "mount", NULL);
}
