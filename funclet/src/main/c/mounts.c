#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine.h"
#include "io.h"

static const uint64_t NO_PRIVILEGE = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;

// What a function has no business with in /proc. Most is closed to it by file modes already; the
// masks are the second lock. What this kernel does not have is skipped.
static const char *const PROC_MASKED[] = {
    "acpi",       "config.gz",     "interrupts",   "iomem",       "ioports",     "kallsyms",
    "kcore",      "key-users",     "keys",         "kmsg",        "kpagecgroup", "kpagecount",
    "kpageflags", "latency_stats", "pagetypeinfo", "pressure",    "sched_debug", "scsi",
    "slabinfo",   "sysrq-trigger", "timer_list",   "timer_stats", "vmallocinfo"};
static const char *const PROC_READ_ONLY[] = {"asound", "bus", "driver", "fs", "irq", "sys"};

static const struct {
  const char *name;
  unsigned major;
  unsigned minor;
} DEVICES[] = {{"null", 1, 3}, {"zero", 1, 5}, {"full", 1, 7}, {"random", 1, 8}, {"urandom", 1, 9}};

static const struct {
  const char *name;
  const char *target;
} DEVICE_LINKS[] = {{"fd", "/proc/self/fd"},
                    {"stdin", "/proc/self/fd/0"},
                    {"stdout", "/proc/self/fd/1"},
                    {"stderr", "/proc/self/fd/2"}};

// How long mounts into a running sandbox may take, and the end of whoever takes longer.
enum { HELPER_MILLIS = 10 * 1000, HELPER_DEATH_MILLIS = 1000 };

// Holds no file contents: the shared memory is a mount of its own.
static const uint64_t DEV_BYTES = 64 * 1024;

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

int open_null(void) {
  // Why: whoever could replace /dev/null by something else would get that mounted over the masked
  // files instead (CVE-2025-31133).
  AUTO_CLOSE int fd = open("/dev/null", O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  struct stat status;
  if (fd < 0 || fstat(fd, &status) != 0) {
    return -1;
  }
  if (!S_ISCHR(status.st_mode) || status.st_rdev != makedev(1, 3)) {
    errno = ENODEV;
    return -1;
  }
  int null = fd;
  fd = -1;
  return null;
}

// An O_PATH descriptor of `path` below `root`, or -1. ELOOP when a symlink is in the way.
static int resolve(int root, const char *path) {
  struct open_how how = {
      .flags = O_PATH | O_CLOEXEC,
      .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
  };
  // Why: openat2 gives EAGAIN when a rename raced with a ".."; the tenant must not keep us here.
  for (int attempt = 0;; attempt++) {
    int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
    if (fd >= 0 || errno != EAGAIN || attempt == 100) {
      return fd;
    }
  }
}

static bool set_attributes(int tree, uint64_t attributes) {
  // Why private: a clone stays in the peer group of its source, so that what is mounted below
  // either would show up in the other.
  struct mount_attr attr = {.attr_set = attributes, .propagation = MS_PRIVATE};
  return mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof attr) == 0;
}

// A detached copy of the mount that `fd` lies in, from there on and without its submounts.
static int clone_tree(int fd, uint64_t attributes) {
  AUTO_CLOSE int tree = open_tree(fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  if (tree < 0 || !set_attributes(tree, attributes)) {
    return -1;
  }
  int clone = tree;
  tree = -1;
  return clone;
}

static bool attach(int tree, int target) {
  return move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) == 0;
}

static bool attach_at(int tree, int root, const char *path) {
  AUTO_CLOSE int target = resolve(root, path);
  return target >= 0 && attach(tree, target);
}

static int mount_filesystem(int context, uint64_t attributes) {
  if (fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0) {
    return -1;
  }
  return fsmount(context, FSMOUNT_CLOEXEC, (unsigned)attributes);
}

static bool set_number(int context, const char *key, uint64_t number, bool octal) {
  char text[32];
  snprintf(text, sizeof text, octal ? "%" PRIo64 : "%" PRIu64, number);
  return fsconfig(context, FSCONFIG_SET_STRING, key, text, 0) == 0;
}

// A detached tmpfs that belongs to `owner`. Its inodes are bounded too: each takes kernel memory,
// empty file or not.
static int make_tmpfs(uint64_t bytes, mode_t mode, uid_t owner, uint64_t attributes) {
  uint64_t inodes = bytes / 4096 < 1024 ? 1024 : bytes / 4096;
  AUTO_CLOSE int context = fsopen("tmpfs", FSOPEN_CLOEXEC);
  if (context < 0 || !set_number(context, "size", bytes, false) ||
      !set_number(context, "nr_inodes", inodes, false) ||
      !set_number(context, "mode", mode, true) || !set_number(context, "uid", owner, false) ||
      !set_number(context, "gid", owner, false)) {
    return -1;
  }
  return mount_filesystem(context, attributes);
}

static bool mount_tmpfs(int root, const struct mount_op *op, uid_t owner, struct failure *failure) {
  AUTO_CLOSE int tree = make_tmpfs(op->bytes, op->mode, owner, NO_PRIVILEGE);
  return (tree >= 0 && attach_at(tree, root, op->target)) ||
         fail(failure, "mount-tmpfs", op->target);
}

// The directory that covers masked ones: a tmpfs the first time, for which `*empty` is kept, then
// clones of it. Why not one each: a superblock takes 9 KiB, and a little in every memory cgroup of
// the machine besides.
static int cover_directory(int *empty) {
  uint64_t attributes = NO_PRIVILEGE | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY;
  if (*empty >= 0) {
    return clone_tree(*empty, attributes);
  }
  AUTO_CLOSE int tree = make_tmpfs(4096, 0555, 0, attributes);
  *empty = tree < 0 ? -1 : fcntl(tree, F_DUPFD_CLOEXEC, 0);
  if (*empty < 0) {
    return -1;
  }
  int cover = tree;
  tree = -1;
  return cover;
}

static bool mask(int proc, const char *name, int null, int *empty) {
  AUTO_CLOSE int target = resolve(proc, name);
  struct stat status;
  if (target < 0) {
    return errno == ENOENT;
  }
  if (fstat(target, &status) != 0) {
    return false;
  }
  AUTO_CLOSE int cover =
      S_ISDIR(status.st_mode)
          ? cover_directory(empty)
          // Not nodev: a masked file reads as empty, as programs expect, instead of failing.
          : clone_tree(null, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY);
  return cover >= 0 && attach(cover, target);
}

static bool make_read_only(int proc, const char *name) {
  AUTO_CLOSE int target = resolve(proc, name);
  if (target < 0) {
    return errno == ENOENT;
  }
  AUTO_CLOSE int tree = clone_tree(target, NO_PRIVILEGE | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY);
  return tree >= 0 && attach(tree, target);
}

static bool mount_proc(int root, const struct mount_op *op, int null, struct failure *failure) {
  AUTO_CLOSE int context = fsopen("proc", FSOPEN_CLOEXEC);
  // Why invisible: the tenant sees the processes it may trace, so its own, and nothing of pid 1.
  if (context < 0 || fsconfig(context, FSCONFIG_SET_STRING, "hidepid", "invisible", 0) != 0) {
    return fail(failure, "mount-proc", op->target);
  }
  AUTO_CLOSE int proc = mount_filesystem(context, NO_PRIVILEGE | MOUNT_ATTR_NOEXEC);
  if (proc < 0 || !attach_at(proc, root, op->target)) {
    return fail(failure, "mount-proc", op->target);
  }
  AUTO_CLOSE int empty = -1;
  for (size_t i = 0; i < LENGTH(PROC_MASKED); i++) {
    if (!mask(proc, PROC_MASKED[i], null, &empty)) {
      return fail(failure, "mask-proc", PROC_MASKED[i]);
    }
  }
  for (size_t i = 0; i < LENGTH(PROC_READ_ONLY); i++) {
    if (!make_read_only(proc, PROC_READ_ONLY[i])) {
      return fail(failure, "mask-proc", PROC_READ_ONLY[i]);
    }
  }
  return true;
}

static bool fill_dev(int dev) {
  for (size_t i = 0; i < LENGTH(DEVICES); i++) {
    // Safe: nodes of our own in a tmpfs of our own; nothing of the host's /dev is trusted.
    if (mknodat(dev, DEVICES[i].name, S_IFCHR | 0666, makedev(DEVICES[i].major, DEVICES[i].minor)) <
        0) {
      return false;
    }
  }
  for (size_t i = 0; i < LENGTH(DEVICE_LINKS); i++) {
    if (symlinkat(DEVICE_LINKS[i].target, dev, DEVICE_LINKS[i].name) != 0) {
      return false;
    }
  }
  return mkdirat(dev, "shm", 0755) == 0;
}

static bool mount_dev(int root, const struct mount_op *op, const struct options *options,
                      struct failure *failure) {
  AUTO_CLOSE int dev =
      make_tmpfs(DEV_BYTES, 0755, options->id_base, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
  AUTO_CLOSE int shm =
      make_tmpfs(options->shm_bytes, 01777, options->id_base, NO_PRIVILEGE | MOUNT_ATTR_NOEXEC);
  return (dev >= 0 && shm >= 0 && fill_dev(dev) && set_attributes(dev, MOUNT_ATTR_RDONLY) &&
          attach_at(dev, root, op->target) && attach_at(shm, dev, "shm")) ||
         fail(failure, "mount-dev", op->target);
}

// A detached clone of the host's `path`, whose last component must not be a symlink.
static int open_source(const char *path, uint64_t attributes) {
  struct open_how how = {.flags = O_PATH | O_CLOEXEC | O_NOFOLLOW,
                         .resolve = RESOLVE_NO_MAGICLINKS};
  AUTO_CLOSE int fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
  struct stat status;
  if (fd < 0 || fstat(fd, &status) != 0) {
    return -1;
  }
  if (S_ISLNK(status.st_mode)) {
    errno = ELOOP;
    return -1;
  }
  return clone_tree(fd, attributes);
}

static bool open_sources(struct options *options, struct failure *failure) {
  for (size_t i = 0; i < options->mount_count; i++) {
    struct mount_op *op = &options->mounts[i];
    if (op->kind != MOUNT_BIND && op->kind != MOUNT_BIND_READ_ONLY) {
      continue;
    }
    uint64_t read_only = op->kind == MOUNT_BIND_READ_ONLY ? MOUNT_ATTR_RDONLY : 0;
    op->tree = open_source(op->source, NO_PRIVILEGE | read_only);
    if (op->tree < 0) {
      return fail(failure, "mount-bind", op->source);
    }
  }
  return true;
}

static bool mount_one(int root, const struct mount_op *op, const struct options *options, int null,
                      struct failure *failure) {
  switch (op->kind) {
    case MOUNT_BIND:
    case MOUNT_BIND_READ_ONLY:
      return attach_at(op->tree, root, op->target) || fail(failure, "mount-bind", op->target);
    case MOUNT_TMPFS:
      return mount_tmpfs(root, op, options->id_base, failure);
    case MOUNT_PROC:
      return mount_proc(root, op, null, failure);
    case MOUNT_DEV:
      return mount_dev(root, op, options, failure);
  }
  return fail_with(failure, EINVAL, "mount", op->target);
}

bool mounts_build_root(struct options *options, int null, struct failure *failure) {
  // Why first: the new namespace starts as a copy that shares events with the host's.
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
    return fail(failure, "rootfs", "/");
  }
  // Why before the root is attached: a source below the root directory would be hidden by it.
  if (!open_sources(options, failure)) {
    return false;
  }
  AUTO_CLOSE int place = open(options->rootfs, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  AUTO_CLOSE int root = place < 0 ? -1 : clone_tree(place, NO_PRIVILEGE | MOUNT_ATTR_RDONLY);
  if (root < 0 || !attach(root, place)) {
    return fail(failure, "rootfs", options->rootfs);
  }
  for (size_t i = 0; i < options->mount_count; i++) {
    if (!mount_one(root, &options->mounts[i], options, null, failure)) {
      return false;
    }
    close_fd(&options->mounts[i].tree);
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
  if (!open_sources(options, failure)) {
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
  for (size_t i = 0; i < options->mount_count; i++) {
    if (!mount_one(root, &options->mounts[i], options, -1, failure)) {
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
