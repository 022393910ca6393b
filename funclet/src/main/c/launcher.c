// easyfaas-launcher: makes Linux sandboxes. The contract is docs/launcher.md.
//
// - It runs from a sealed copy of itself in memory, see seal.h.
// - It holds no descriptor that was not opened by itself, stdio excepted.
// - It is not dumpable, nor are the processes it forks until they execute a command.

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "commands.h"
#include "io.h"
#include "report.h"
#include "seal.h"

static const char USAGE[] =
    "usage: easyfaas-launcher serve SOCKET\n"
    "       easyfaas-launcher run [OPTION]... -- COMMAND [ARGUMENT]...\n"
    "       easyfaas-launcher check\n"
    "       easyfaas-launcher --version\n"
    "The options are described in docs/launcher.md.\n";

// Descriptors 0 to 2 exist, and no others.
static bool reset_descriptors(struct failure *failure) {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd) {
      return fail(failure, "stdio", "/dev/null");
    }
  }
  return close_range(STDERR_FILENO + 1, ~0U, 0) == 0 || fail(failure, "stdio", NULL);
}

static bool reset_signals(struct failure *failure) {
  sigset_t none;
  sigemptyset(&none);
  // A reader that went away is told by EPIPE.
  return (sigprocmask(SIG_SETMASK, &none, NULL) == 0 && signal(SIGPIPE, SIG_IGN) != SIG_ERR &&
          signal(SIGCHLD, SIG_DFL) != SIG_ERR) ||
         fail(failure, "signals", NULL);
}

static bool begin(char **argv, struct failure *failure) {
  return reset_descriptors(failure) && run_from_sealed_copy(argv, failure) &&
         (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 || fail(failure, "seal", "dumpable")) &&
         (prctl(PR_SET_NAME, "easyfaas-launch") == 0 || fail(failure, "seal", "name")) &&
         reset_signals(failure);
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
  if (!begin(argv, &failure)) {
    struct line line;
    line_report(&line, &failure);
    write_fully(STDERR_FILENO, line.text, line.used);
    return EXIT_SETUP;
  }
  return serve ? serve_main(argv[2]) : run_main(argc - 2, argv + 2);
}
