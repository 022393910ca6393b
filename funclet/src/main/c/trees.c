#include "trees.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "io.h"

int resolve(int root, const char *path) {
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

static bool change_attributes(int tree, uint64_t set, uint64_t clear) {
  // Why private: a clone stays in the peer group of its source, so that what is mounted below
  // either would show up in the other.
  struct mount_attr attr = {.attr_set = set, .attr_clr = clear, .propagation = MS_PRIVATE};
  return mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof attr) == 0;
}

bool set_attributes(int tree, uint64_t attributes) {
  return change_attributes(tree, attributes, 0);
}

int clone_tree(int fd, uint64_t set, uint64_t clear) {
  AUTO_CLOSE int tree = open_tree(fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  if (tree < 0 || !change_attributes(tree, set, clear)) {
    return -1;
  }
  return take_fd(&tree);
}

bool attach(int tree, int target) {
  return move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) == 0;
}

bool attach_at(int tree, int root, const char *path) {
  AUTO_CLOSE int target = resolve(root, path);
  return target >= 0 && attach(tree, target);
}

int mount_filesystem(int context, uint64_t attributes) {
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

int make_tmpfs(uint64_t bytes, mode_t mode, uid_t owner, uint64_t attributes) {
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

int make_overlay(int source, int empty) {
  char layers[64];
  AUTO_CLOSE int context = fsopen("overlay", FSOPEN_CLOEXEC);
  // Why by descriptor: what was opened is what is seen; and a path would need its colons escaped,
  // and would be read in the sandbox's mountinfo.
  snprintf(layers, sizeof layers, "/proc/self/fd/%d:/proc/self/fd/%d", source, empty);
  if (context < 0 || fsconfig(context, FSCONFIG_SET_STRING, "lowerdir", layers, 0) != 0) {
    return -1;
  }
  return mount_filesystem(context, NO_PRIVILEGE | MOUNT_ATTR_RDONLY);
}
