#include "seal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "io.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

static const char SEALED_MARK[] = "EASYFAAS_LAUNCHER_SEALED";
static const int SEALS = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
static const char NAME[] = "easyfaas-launcher";

static bool has_seals(int program) {
  int seals = fcntl(program, F_GET_SEALS);
  return seals >= 0 && (seals & SEALS) == SEALS;
}

static bool is_on_read_only_tmpfs(int program) {
  struct statfs status;
  return fstatfs(program, &status) == 0 && status.f_type == TMPFS_MAGIC &&
         (status.f_flags & ST_RDONLY) != 0;
}

static bool copy_to(int copy, int program) {
  struct stat status;
  if (fstat(program, &status) != 0) {
    return false;
  }
  for (off_t copied = 0; copied < status.st_size;) {
    ssize_t count =
        TEMP_FAILURE_RETRY(sendfile(copy, program, &copied, (size_t)(status.st_size - copied)));
    if (count <= 0) {
      return false;
    }
  }
  return true;
}

// Returns -1 where memory files may not be executed.
static int copy_to_memory_file(int program) {
  // Why twice: MFD_EXEC is required by some settings of vm.memfd_noexec, unknown before Linux 6.3.
  unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  AUTO_CLOSE int memory = memfd_create(NAME, flags | MFD_EXEC);
  if (memory < 0 && errno == EINVAL) {
    memory = memfd_create(NAME, flags);
  }
  return memory >= 0 && copy_to(memory, program) && fcntl(memory, F_ADD_SEALS, SEALS) == 0
             ? take_fd(&memory)
             : -1;
}

static bool make_read_only(int mount) {
  AUTO_CLOSE int context = fspick(mount, "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH);
  return context >= 0 && fsconfig(context, FSCONFIG_SET_FLAG, "ro", NULL, 0) == 0 &&
         fsconfig(context, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) == 0;
}

// The file system lives as long as the file is executed; nobody has a path to it.
static int copy_to_tmpfs(int program) {
  AUTO_CLOSE int context = fsopen("tmpfs", FSOPEN_CLOEXEC);
  if (context < 0 || fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0) {
    return -1;
  }
  AUTO_CLOSE int mount = fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
  AUTO_CLOSE int copy =
      mount < 0 ? -1 : openat(mount, NAME, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0500);
  if (copy < 0 || !copy_to(copy, program)) {
    return -1;
  }
  close_fd(&copy);
  return make_read_only(mount) ? openat(mount, NAME, O_RDONLY | O_CLOEXEC) : -1;
}

bool run_from_sealed_copy(char **argv, struct failure *failure) {
  AUTO_CLOSE int program = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  if (program < 0) {
    return fail(failure, "seal", "/proc/self/exe");
  }
  bool is_marked = getenv(SEALED_MARK) != NULL;
  if (has_seals(program) || (is_marked && is_on_read_only_tmpfs(program))) {
    unsetenv(SEALED_MARK);
    return true;
  }
  // The mark ends what would otherwise be an endless loop, should a kernel lose the seals.
  if (is_marked || setenv(SEALED_MARK, "1", 1) != 0) {
    return fail_with(failure, ELOOP, "seal", NULL);
  }
  AUTO_CLOSE int copy = copy_to_memory_file(program);
  if (copy < 0) {
    copy = copy_to_tmpfs(program);
  }
  if (copy < 0) {
    return fail(failure, "seal", "copy");
  }
  fexecve(copy, argv, environ);
  return fail(failure, "seal", "execve");
}
