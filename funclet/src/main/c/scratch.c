#include "scratch.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "io.h"
#include "trees.h"

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

// What all clones have, so that what covers is a clone and nothing more.
static const uint64_t SEALED = NO_PRIVILEGE | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY;

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

void scratch_close(struct scratch *scratch) {
  close_fd(&scratch->dev);
  close_fd(&scratch->shm);
  close_fd(&scratch->no_directory);
  close_fd(&scratch->no_file);
}

static int make_directory(int whole, const char *name, mode_t mode) {
  return mkdirat(whole, name, mode) != 0
             ? -1
             : openat(whole, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
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

// A readable file. Returns an O_PATH descriptor of it, or -1.
static int make_file(int whole, const char *name, const char *text) {
  AUTO_CLOSE int fd = openat(whole, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
  if (fd < 0 || !write_fully(fd, text, strlen(text))) {
    return -1;
  }
  return openat(whole, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
}

static bool fill(struct scratch *scratch, int whole) {
  scratch->dev = make_directory(whole, "dev", 0755);
  scratch->shm = make_directory(whole, "shm", 01777);
  scratch->no_directory = make_directory(whole, "directory", 0555);
  scratch->no_file = make_file(whole, "file", "");
  return scratch->dev >= 0 && scratch->shm >= 0 && scratch->no_directory >= 0 &&
         scratch->no_file >= 0 && fill_dev(scratch->dev);
}

static bool make_files(int whole, struct options *options, struct failure *failure) {
  AUTO_CLOSE int directory = make_directory(whole, "files", 0755);
  for (size_t i = 0; i < options->mount_count; i++) {
    struct mount_op *op = &options->mounts[i];
    if (op->kind != MOUNT_FILE) {
      continue;
    }
    char name[24];
    snprintf(name, sizeof name, "%zu", i);
    AUTO_CLOSE int file = directory < 0 ? -1 : make_file(directory, name, op->text);
    op->tree = file < 0 ? -1 : clone_tree(file, SEALED, 0);
    if (op->tree < 0) {
      return fail(failure, "mount-file", op->target);
    }
  }
  return true;
}

// What the files take of the tmpfs, in whole pages, so that they take nothing of /dev/shm.
static uint64_t bytes_of_files(const struct options *options) {
  uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
  uint64_t bytes = 0;
  for (size_t i = 0; i < options->mount_count; i++) {
    const char *text = options->mounts[i].text;
    bytes += text == NULL ? 0 : (strlen(text) + page - 1) / page * page;
  }
  return bytes;
}

bool scratch_make(struct scratch *scratch, struct options *options, int hidden,
                  struct failure *failure) {
  AUTO_CLOSE int whole = make_tmpfs(options->shm_bytes + bytes_of_files(options), 0755, 0, 0);
  return ((whole >= 0 && fill(scratch, whole) && attach(whole, hidden)) ||
          fail(failure, "mount-dev", NULL)) &&
         make_files(whole, options, failure) &&
         (set_attributes(whole, SEALED) || fail(failure, "mount-dev", NULL));
}

bool scratch_mount_dev(const struct scratch *scratch, int root, const char *target,
                       struct failure *failure) {
  AUTO_CLOSE int dev = clone_tree(scratch->dev, 0, MOUNT_ATTR_NODEV);
  AUTO_CLOSE int shm = clone_tree(scratch->shm, 0, MOUNT_ATTR_RDONLY);
  return (dev >= 0 && shm >= 0 && attach_at(dev, root, target) && attach_at(shm, dev, "shm")) ||
         fail(failure, "mount-dev", target);
}

int scratch_cover(const struct scratch *scratch, bool directory) {
  return open_tree(directory ? scratch->no_directory : scratch->no_file, "",
                   AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
}
