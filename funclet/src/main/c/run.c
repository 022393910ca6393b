// One sandbox for one command, from a shell: the keeper's work without a keeper.

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroups.h"
#include "commands.h"
#include "io.h"
#include "options.h"
#include "sandbox.h"

static int report(const struct failure *failure, int status) {
  struct line line;
  line_report(&line, failure);
  write_fully(STDERR_FILENO, line.text, line.used);
  return status;
}

static int exec_status(const struct failure *failure) {
  if (strcmp(failure->step, "exec") != 0) {
    return EXIT_SETUP;
  }
  return failure->error == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}

// Forwards what arrives on `signals` until the command has ended.
static bool attend(struct sandbox *sandbox, int signals, struct failure *failure) {
  struct pollfd sources[] = {{.fd = sandbox->socket, .events = POLLIN},
                             {.fd = signals, .events = POLLIN}};
  while (!sandbox->exited && !sandbox->lost) {
    if (TEMP_FAILURE_RETRY(poll(sources, 2, -1)) < 0) {
      return fail(failure, "init", "poll");
    }
    struct signalfd_siginfo info;
    struct failure late = {0};
    if (sources[0].revents != 0) {
      sandbox_listen(sandbox);
    } else if (read_fully(signals, &info, sizeof info)) {
      // It may just have ended: then there is nobody left to tell.
      sandbox_signal(sandbox, (int)info.ssi_signo, &late);
    }
  }
  return sandbox->exited || fail_with(failure, EOWNERDEAD, "init", NULL);
}

static int run(struct options *options) {
  // Blocked before the sandbox exists, so that a signal on the way is forwarded and not lost.
  sigset_t forwarded;
  sigemptyset(&forwarded);
  sigaddset(&forwarded, SIGTERM);
  sigaddset(&forwarded, SIGINT);
  sigprocmask(SIG_BLOCK, &forwarded, NULL);
  AUTO_CLOSE int signals = signalfd(-1, &forwarded, SFD_CLOEXEC);
  struct failure failure = {0};
  struct sandbox sandbox = {0};
  if (signals < 0) {
    fail(&failure, "init", "signalfd");
    return report(&failure, EXIT_SETUP);
  }
  AUTO_CLOSE int cgroup = -1;
  if (!join_cgroups(options, &failure) || !open_sandbox_cgroup(options, &cgroup, &failure) ||
      !sandbox_start(&sandbox, options, cgroup, true, &failure) ||
      !sandbox_finish(&sandbox, &failure)) {
    return report(&failure, EXIT_SETUP);
  }
  const struct channel none = {.frames = -1, .output = -1};
  struct failure late = {0};
  if (!sandbox_exec(&sandbox, NULL, 0, &none, &failure)) {
    sandbox_destroy(&sandbox, &late);
    return report(&failure, exec_status(&failure));
  }
  bool ended = attend(&sandbox, signals, &failure);
  int status = sandbox.status;
  // What has not died in time does so with us.
  sandbox_destroy(&sandbox, &late);
  if (!ended) {
    return report(&failure, EXIT_SETUP);
  }
  return WIFSIGNALED(status) ? EXIT_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
}

int run_main(int argc, char **argv) {
  struct options options;
  struct failure failure = {0};
  unsigned sets = OPTIONS_OPEN | OPTIONS_CREATE | OPTIONS_EXEC | OPTIONS_RUN_ONLY;
  int status = options_parse(&options, argc, argv, sets, &failure) ? run(&options)
                                                                   : report(&failure, EXIT_SETUP);
  options_free(&options);
  return status;
}
