#include "trial.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "channel.h"
#include "io.h"
#include "mounts.h"
#include "options.h"
#include "sandbox.h"
#include "trees.h"

// A place that every host has, covered for this process by a tmpfs of its own.
#define HOME "/usr"
#define SOCKET HOME "/socket"

static const char *const DIRECTORIES[] = {HOME "/empty",     HOME "/root",     HOME "/root/dev",
                                          HOME "/root/proc", HOME "/root/tmp", HOME "/root/mnt"};

static const char *const SANDBOX[] = {
    "--rootfs",    HOME "/root", "--empty",
    HOME "/empty", "--file",     "/text",
    "x",           "--proc",     "/proc",
    "--dev",       "/dev",       "--tmpfs",
    "/tmp",        "65536",      "1777",
    "--uid-map",   "1879048192", "2048",
    "--channel",   SOCKET,       "00000000000000000000000000000000",
    "--listen",    "9001",       "--rlimit",
    "core",        "1",          "1",
    "--",          "/launcher",  "--version"};
static const char *const MOUNT[] = {"--empty", HOME "/empty", "--bind-ro", HOME "/root/tmp",
                                    "/mnt"};

enum { PATIENCE_MILLIS = 10 * 1000 };

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

// The command: this very program, which is static.
static bool copy_program(void) {
  AUTO_CLOSE int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  AUTO_CLOSE int to = open(HOME "/root/launcher", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
  struct stat status;
  if (from < 0 || to < 0 || fstat(from, &status) != 0) {
    return false;
  }
  for (off_t copied = 0; copied < status.st_size;) {
    if (TEMP_FAILURE_RETRY(sendfile(to, from, &copied, (size_t)(status.st_size - copied))) <= 0) {
      return false;
    }
  }
  return true;
}

static bool lay_out(struct failure *failure) {
  if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
    return fail(failure, "trial", "/");
  }
  AUTO_CLOSE int home = open(HOME, O_PATH | O_DIRECTORY | O_CLOEXEC);
  AUTO_CLOSE int tree = make_tmpfs(16 << 20, 0755, 0, 0);
  if (home < 0 || tree < 0 || !attach(tree, home)) {
    return fail(failure, "trial", HOME);
  }
  umask(0);
  for (size_t i = 0; i < LENGTH(DIRECTORIES); i++) {
    if (mkdir(DIRECTORIES[i], 0755) != 0) {
      return fail(failure, "trial", DIRECTORIES[i]);
    }
  }
  AUTO_CLOSE int text = open(HOME "/root/text", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  return (text >= 0 && copy_program()) || fail(failure, "trial", HOME "/root");
}

// The engine's socket, at which nobody needs to take what comes.
static int listen_for_channel(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = SOCKET};
  int engine = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (engine >= 0 &&
      (bind(engine, (struct sockaddr *)&address, sizeof address) != 0 || listen(engine, 2) != 0)) {
    close_fd(&engine);
  }
  return engine;
}

static bool await_end(struct sandbox *sandbox, struct failure *failure) {
  while (!sandbox->exited && !sandbox->lost) {
    struct pollfd source = {.fd = sandbox->socket, .events = POLLIN};
    if (TEMP_FAILURE_RETRY(poll(&source, 1, PATIENCE_MILLIS)) <= 0) {
      return fail_with(failure, ETIMEDOUT, "trial", "command");
    }
    sandbox_listen(sandbox);
  }
  return (sandbox->exited && sandbox->status == 0) ||
         fail_with(failure, EOWNERDEAD, "trial", "command");
}

static bool use(struct sandbox *sandbox, const struct options *options, struct options *mount,
                struct failure *failure) {
  AUTO_CLOSE int engine = listen_for_channel();
  AUTO_CHANNEL channel = {.frames = -1, .output = -1};
  return sandbox_finish(sandbox, failure) && mounts_add(mount, sandbox->pidfd, failure) &&
         (engine >= 0 || fail(failure, "trial", SOCKET)) &&
         channel_open(&channel, options, sandbox, failure) &&
         sandbox_exec(sandbox, NULL, 0, &channel, failure) && await_end(sandbox, failure);
}

bool trial_sandbox(struct failure *failure) {
  // Copies, because the options point into them.
  char *create_words[LENGTH(SANDBOX) + 1] = {0};
  char *mount_words[LENGTH(MOUNT) + 1] = {0};
  memcpy(create_words, SANDBOX, sizeof SANDBOX);
  memcpy(mount_words, MOUNT, sizeof MOUNT);
  const unsigned sets = OPTIONS_CREATE | OPTIONS_EXEC | OPTIONS_CHANNEL;
  struct options options = {0};
  struct options mount = {0};
  struct sandbox sandbox = {0};
  bool passed = lay_out(failure) &&
                options_parse(&options, LENGTH(SANDBOX), create_words, sets, failure) &&
                options_parse(&mount, LENGTH(MOUNT), mount_words, OPTIONS_MOUNT, failure) &&
                sandbox_start(&sandbox, &options, -1, false, failure) &&
                use(&sandbox, &options, &mount, failure);
  struct failure late = {0};
  bool gone = sandbox_destroy(&sandbox, passed ? failure : &late);
  options_free(&options);
  options_free(&mount);
  return passed && gone;
}
