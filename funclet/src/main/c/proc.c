#include "proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io.h"
#include "trees.h"

// What runtimes and tools read of the machine: its processors, memory, load, age and kernel, and
// what IPC of the sandbox's own there is. All else that can be read is covered: a list of what is
// dangerous would not know what the next kernel has. Why not subset=pid: it has no place to mount
// these at.
static const char *const SHOWN[] = {"cpuinfo", "filesystems", "loadavg", "meminfo", "stat",
                                    "sys",     "sysvipc",     "uptime",  "version"};

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

// Nobody inside is the host's root, whatever he is called there.
static bool is_roots_alone(int proc, const char *name) {
  struct stat status;
  return fstatat(proc, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && (status.st_mode & S_IRWXO) == 0;
}

static bool is_shown(const struct dirent *entry) {
  // Links lead to what belongs to a process.
  if (entry->d_type == DT_LNK || strchr(".123456789", entry->d_name[0]) != NULL) {
    return true;
  }
  for (size_t i = 0; i < LENGTH(SHOWN); i++) {
    if (strcmp(SHOWN[i], entry->d_name) == 0) {
      return true;
    }
  }
  return false;
}

static bool cover(int proc, const struct dirent *entry, const struct scratch *scratch) {
  AUTO_CLOSE int tree = scratch_cover(scratch, entry->d_type == DT_DIR);
  // What is gone again, as when a module is unloaded, needs no cover.
  return tree >= 0 && (move_mount(tree, "", proc, entry->d_name, MOVE_MOUNT_F_EMPTY_PATH) == 0 ||
                       errno == ENOENT);
}

static bool cover_rest(int proc, const struct scratch *scratch, struct failure *failure) {
  int listing = openat(proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *directory = listing < 0 ? NULL : fdopendir(listing);
  if (directory == NULL) {
    close_fd(&listing);
    return fail(failure, "mask-proc", NULL);
  }
  bool covered = true;
  const struct dirent *entry = NULL;
  while (covered && (entry = readdir(directory)) != NULL) {
    covered = is_shown(entry) || is_roots_alone(proc, entry->d_name) ||
              cover(proc, entry, scratch) || fail(failure, "mask-proc", entry->d_name);
  }
  closedir(directory);
  return covered;
}

static bool make_read_only(int proc, const char *name, struct failure *failure) {
  AUTO_CLOSE int target = resolve(proc, name);
  if (target < 0 && errno == ENOENT) {
    return true;
  }
  AUTO_CLOSE int tree =
      target < 0 ? -1 : clone_tree(target, NO_PRIVILEGE | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY, 0);
  return (tree >= 0 && attach(tree, target)) || fail(failure, "mask-proc", name);
}

bool proc_mount(int root, const char *target, const struct scratch *scratch,
                struct failure *failure) {
  AUTO_CLOSE int context = fsopen("proc", FSOPEN_CLOEXEC);
  // Why invisible: the tenant sees the processes it may trace, so its own, and nothing of pid 1.
  if (context < 0 || fsconfig(context, FSCONFIG_SET_STRING, "hidepid", "invisible", 0) != 0) {
    return fail(failure, "mount-proc", target);
  }
  AUTO_CLOSE int proc = mount_filesystem(context, NO_PRIVILEGE | MOUNT_ATTR_NOEXEC);
  if (proc < 0 || !attach_at(proc, root, target)) {
    return fail(failure, "mount-proc", target);
  }
  return cover_rest(proc, scratch, failure) && make_read_only(proc, "sys", failure);
}
