// easyfaas-launcher: makes Linux sandboxes. The contract is docs/launcher.md.
//
// - It runs from a sealed copy of itself in memory: nothing inside a sandbox can ever change the
//   program that makes the next one (CVE-2019-5736).
// - It holds no descriptor that was not opened by itself, stdio excepted.
// - It is not dumpable, nor are the processes it forks until they execute a command.

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "io.h"
#include "report.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

static const char SEALED_MARK[] = "EASYFAAS_LAUNCHER_SEALED";
static const int SEALS = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

static const char USAGE[] =
    "usage: easyfaas-launcher serve SOCKET\n"
    "       easyfaas-launcher run [OPTION]... -- COMMAND [ARGUMENT]...\n"
    "       easyfaas-launcher check\n"
    "       easyfaas-launcher --version\n"
    "The options are described in docs/launcher.md.\n";

static bool is_sealed(int program) {
  int seals = fcntl(program, F_GET_SEALS);
  return seals >= 0 && (seals & SEALS) == SEALS;
}

static int make_memory_file(void) {
  // Why twice: MFD_EXEC is required by some settings of vm.memfd_noexec, unknown before Linux 6.3.
  unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  int memory = memfd_create("easyfaas-launcher", flags | MFD_EXEC);
  return memory < 0 && errno == EINVAL ? memfd_create("easyfaas-launcher", flags) : memory;
}

static bool copy_sealed(int program, int memory) {
  struct stat status;
  if (fstat(program, &status) != 0) {
    return false;
  }
  for (off_t copied = 0; copied < status.st_size;) {
    ssize_t count =
        TEMP_FAILURE_RETRY(sendfile(memory, program, &copied, (size_t)(status.st_size - copied)));
    if (count <= 0) {
      return false;
    }
  }
  return fcntl(memory, F_ADD_SEALS, SEALS) == 0;
}

// Returns only in the sealed copy, or on failure.
static bool run_from_sealed_copy(char **argv, struct failure *failure) {
  AUTO_CLOSE int program = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  if (program < 0) {
    return fail(failure, "seal", "/proc/self/exe");
  }
  if (is_sealed(program)) {
    unsetenv(SEALED_MARK);
    return true;
  }
  // The mark ends what would otherwise be an endless loop, should a kernel lose the seals.
  if (getenv(SEALED_MARK) != NULL || setenv(SEALED_MARK, "1", 1) != 0) {
    return fail_with(failure, ELOOP, "seal", NULL);
  }
  AUTO_CLOSE int memory = make_memory_file();
  if (memory < 0 || !copy_sealed(program, memory)) {
    return fail(failure, "seal", "memfd");
  }
  fexecve(memory, argv, environ);
  return fail(failure, "seal", "execve");
}

// Descriptors 0 to 2 exist, and no others.
static bool settle_descriptors(struct failure *failure) {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd) {
      return fail(failure, "stdio", "/dev/null");
    }
  }
  return close_range(STDERR_FILENO + 1, ~0U, 0) == 0 || fail(failure, "stdio", NULL);
}

static bool settle_signals(struct failure *failure) {
  sigset_t none;
  sigemptyset(&none);
  // A reader that went away is told by EPIPE.
  return (sigprocmask(SIG_SETMASK, &none, NULL) == 0 && signal(SIGPIPE, SIG_IGN) != SIG_ERR &&
          signal(SIGCHLD, SIG_DFL) != SIG_ERR) ||
         fail(failure, "signals", NULL);
}

static bool settle(char **argv, struct failure *failure) {
  return settle_descriptors(failure) && run_from_sealed_copy(argv, failure) &&
         (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 || fail(failure, "seal", "dumpable")) &&
         (prctl(PR_SET_NAME, "easyfaas-launch") == 0 || fail(failure, "seal", "name")) &&
         settle_signals(failure);
}

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "--version") == 0) {
    puts("easyfaas-launcher " VERSION);
    return 0;
  }
  if (argc == 2 && strcmp(argv[1], "check") == 0) {
    return check_main();
  }
  bool serve = argc == 3 && strcmp(argv[1], "serve") == 0;
  if (!serve && (argc < 3 || strcmp(argv[1], "run") != 0)) {
    fputs(USAGE, stderr);
    return EXIT_SETUP;
  }
  struct failure failure = {0};
  if (!settle(argv, &failure)) {
    struct line line;
    line_report(&line, &failure);
    write_fully(STDERR_FILENO, line.text, line.used);
    return EXIT_SETUP;
  }
  return serve ? serve_main(argv[2]) : run_main(argc - 2, argv + 2);
}
