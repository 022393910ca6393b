#include "sources.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "io.h"
#include "trees.h"

// The host's `path`, whose last component must not be a symlink.
static int open_path(const char *path, mode_t *type) {
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
  *type = status.st_mode & S_IFMT;
  return take_fd(&fd);
}

static bool open_empty(const struct options *options, int *empty, struct failure *failure) {
  mode_t type = S_IFDIR;
  *empty = options->empty == NULL ? -1 : open_path(options->empty, &type);
  if (type != S_IFDIR) {
    return fail_with(failure, ENOTDIR, "mount-bind", options->empty);
  }
  return options->empty == NULL || *empty >= 0 || fail(failure, "mount-bind", options->empty);
}

// Whether the kernel has no overlay of this one, rather than no overlay now: it has none at all;
// file systems that it takes for none, and overlays upon overlays; one directory within the other.
static bool is_without_overlay(int error) {
  return error == ENODEV || error == EINVAL || error == ELOOP;
}

// What is lost without an overlay is told by `check`.
static int open_directory(int source, int empty) {
  int tree = empty < 0 ? -1 : make_overlay(source, empty);
  if (tree >= 0 || (empty >= 0 && !is_without_overlay(errno))) {
    return tree;
  }
  return clone_tree(source, NO_PRIVILEGE | MOUNT_ATTR_RDONLY, 0);
}

static int open_source(const struct mount_op *op, int empty) {
  mode_t type = 0;
  AUTO_CLOSE int source = open_path(op->source, &type);
  if (source < 0) {
    return -1;
  }
  if (op->kind == MOUNT_BIND) {
    return clone_tree(source, NO_PRIVILEGE, 0);
  }
  return type == S_IFDIR ? open_directory(source, empty)
                         : clone_tree(source, NO_PRIVILEGE | MOUNT_ATTR_RDONLY, 0);
}

static int open_part(int whole, const char *name) {
  AUTO_CLOSE int part = whole < 0 ? -1 : resolve(whole, name);
  return part < 0 ? -1 : clone_tree(part, NO_PRIVILEGE | MOUNT_ATTR_RDONLY, 0);
}

// One overlay for all parts: a file system of its own for each would cost 10 KiB and more.
static int open_whole(const struct mount_op *op, int empty, int hidden) {
  AUTO_CLOSE int whole = open_source(op, empty);
  if (whole < 0 || !attach(whole, hidden)) {
    return -1;
  }
  return take_fd(&whole);
}

static bool open_all(struct options *options, int empty, int hidden, struct failure *failure) {
  AUTO_CLOSE int whole = -1;
  const char *source_of_whole = "";
  for (size_t i = 0; i < options->mount_count; i++) {
    struct mount_op *op = &options->mounts[i];
    if (op->source == NULL) {
      continue;
    }
    if (op->part == NULL) {
      op->tree = open_source(op, empty);
    } else {
      if (strcmp(op->source, source_of_whole) != 0) {
        close_fd(&whole);
        whole = open_whole(op, empty, hidden);
        source_of_whole = op->source;
      }
      op->tree = open_part(whole, op->part);
    }
    if (op->tree < 0) {
      return fail(failure, "mount-bind", op->source);
    }
  }
  return true;
}

bool sources_open(struct options *options, struct failure *failure) {
  AUTO_CLOSE int empty = -1;
  return open_empty(options, &empty, failure) && open_all(options, empty, -1, failure);
}

bool sources_open_with_root(struct options *options, int place, int *root,
                            struct failure *failure) {
  AUTO_CLOSE int empty = -1;
  if (!open_empty(options, &empty, failure) || !open_all(options, empty, place, failure)) {
    return false;
  }
  *root = open_directory(place, empty);
  return *root >= 0 || fail(failure, "rootfs", options->rootfs);
}
