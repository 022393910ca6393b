// One slot's requests, one after the other. A keeper may wait for each step of a request; only its
// own slot waits with it.
//
// While a command runs the keeper makes the next sandbox in advance. A slot that nobody uses has
// none, nor one at rest.

#include "keeper.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "cgroups.h"
#include "channel.h"
#include "confine.h"
#include "io.h"
#include "mounts.h"
#include "options.h"
#include "sandbox.h"
#include "spare.h"

struct keeper {
  int launcher;
  const char *slot;
  bool is_open;
  int cgroup;  // the sandbox's own; -1: it shares the keeper's
  struct sandbox sandbox;
  struct spare spare;
};

// A command may start in peace, an interpreter too: what it needs first is the processor.
enum { SPARE_DELAY_MILLIS = 50 };

struct request {
  uint32_t number;
  int argc;  // of what follows verb and slot
  char **argv;
  const char *arguments;  // the same, not split
  size_t size;
  struct options options;
  pid_t pid;  // for the answer
};

static void send_line(const struct keeper *keeper, const struct line *line, uint32_t flags) {
  struct note note = {.length = (uint32_t)line->used, .flags = flags, .init = keeper->sandbox.init};
  if (!write_fully(keeper->launcher, &note, sizeof note) ||
      !write_fully(keeper->launcher, line->text, line->used)) {
    _exit(1);
  }
}

static bool open_slot(struct keeper *keeper, struct request *request, struct failure *failure) {
  if (keeper->is_open) {
    return fail_with(failure, EEXIST, "slot", NULL);
  }
  // Why the result is ignored: below 0 needs CAP_SYS_RESOURCE, and without it the keeper is still
  // a far worse victim than the sandbox with its 400 and 500.
  write_file("/proc/self/oom_score_adj", "-1000");
  request->pid = getpid();
  keeper->is_open = join_cgroups(&request->options, failure) &&
                    open_sandbox_cgroup(&request->options, &keeper->cgroup, failure);
  return keeper->is_open;
}

static bool create(struct keeper *keeper, struct request *request, struct failure *failure) {
  if (keeper->sandbox.init != 0) {
    return fail_with(failure, EEXIST, "sandbox", NULL);
  }
  if (!spare_take(&keeper->spare, request->arguments, request->size, &keeper->sandbox) &&
      !(sandbox_start(&keeper->sandbox, &request->options, keeper->cgroup, false, failure) &&
        sandbox_finish(&keeper->sandbox, failure))) {
    return false;
  }
  spare_plan(&keeper->spare, request->arguments, request->size);
  request->pid = keeper->sandbox.init;
  return true;
}

static bool add_mounts(struct keeper *keeper, struct request *request, struct failure *failure) {
  return mounts_add(&request->options, keeper->sandbox.pidfd, failure);
}

// The order that init gets is what was asked without what only the keeper needs to know: the
// sandbox never holds the token.
static bool order_command(struct keeper *keeper, const struct request *request,
                          const struct channel *channel, struct failure *failure) {
  AUTO_FREE char *arguments = malloc(request->size);
  if (arguments == NULL) {
    return fail(failure, "request", NULL);
  }
  size_t size = options_copy_without(arguments, request->argc, request->argv,
                                     OPTIONS_EXEC | OPTIONS_CHANNEL, OPTIONS_CHANNEL);
  return sandbox_exec(&keeper->sandbox, arguments, size, channel, failure);
}

static bool exec(struct keeper *keeper, struct request *request, struct failure *failure) {
  if (keeper->sandbox.command != 0) {
    return fail_with(failure, EBUSY, "command", NULL);
  }
  AUTO_CHANNEL channel = {.frames = -1, .output = -1};
  if (!channel_open(&channel, &request->options, &keeper->sandbox, failure) ||
      !order_command(keeper, request, &channel, failure)) {
    return false;
  }
  request->pid = keeper->sandbox.command;
  spare_want(&keeper->spare);
  return true;
}

static bool send_signal(struct keeper *keeper, struct request *request, struct failure *failure) {
  uint64_t number = 0;
  if (request->argc != 1 || !parse_number(request->argv[0], 10, NSIG - 1, &number) || number == 0) {
    return fail_with(failure, EINVAL, "arguments", request->argc > 0 ? request->argv[0] : "NUMBER");
  }
  return sandbox_signal(&keeper->sandbox, (int)number, failure);
}

static bool rest(struct keeper *keeper, struct request *request, struct failure *failure) {
  (void)request;
  return spare_drop(&keeper->spare, failure);
}

static bool destroy(struct keeper *keeper, struct request *request, struct failure *failure) {
  (void)request;
  keeper->spare.wanted = false;
  return sandbox_destroy(&keeper->sandbox, failure);
}

static bool close_slot(struct keeper *keeper, struct request *request, struct failure *failure) {
  keeper->is_open = !(destroy(keeper, request, failure) && rest(keeper, request, failure));
  return !keeper->is_open;
}

static const struct verb {
  const char *name;
  bool (*carry_out)(struct keeper *, struct request *, struct failure *);
  bool takes_options;
  unsigned options;
  bool needs_sandbox;
} VERBS[] = {
    {"open", open_slot, true, OPTIONS_OPEN, false},
    {"create", create, true, OPTIONS_CREATE, false},
    {"mount", add_mounts, true, OPTIONS_MOUNT, true},
    {"exec", exec, true, OPTIONS_EXEC | OPTIONS_CHANNEL, true},
    {"signal", send_signal, false, 0, true},
    {"rest", rest, true, 0, false},
    {"destroy", destroy, true, 0, false},
    {"close", close_slot, true, 0, false},
};

static const struct verb *find_verb(const char *name) {
  for (size_t i = 0; i < sizeof VERBS / sizeof VERBS[0]; i++) {
    if (strcmp(VERBS[i].name, name) == 0) {
      return &VERBS[i];
    }
  }
  return NULL;
}

bool keeper_knows(const char *verb) { return find_verb(verb) != NULL; }

static bool carry_out(struct keeper *keeper, const struct verb *verb, struct request *request,
                      struct failure *failure) {
  if (verb->takes_options &&
      !options_parse(&request->options, request->argc, request->argv, verb->options, failure)) {
    return false;
  }
  if (verb->needs_sandbox && (keeper->sandbox.init == 0 || keeper->sandbox.killed)) {
    return fail_with(failure, ENOENT, "sandbox", NULL);
  }
  return verb->carry_out(keeper, request, failure);
}

// Tells what happened to the sandbox by itself since the last time.
static void send_events(struct keeper *keeper) {
  struct sandbox *sandbox = &keeper->sandbox;
  struct line line;
  if (sandbox->exited) {
    line_exited(&line, keeper->slot, sandbox->command, sandbox->status);
    sandbox->exited = false;
    sandbox->command = 0;
    send_line(keeper, &line, 0);
  }
  if (!sandbox->lost) {
    return;
  }
  // Why not destroy it: who asks for that next would have to wait twice for what does not die.
  sandbox_kill(sandbox);
  struct failure failure = {0};
  if (!sandbox_lingers(sandbox) && sandbox_destroy(sandbox, &failure)) {
    line_gone(&line, keeper->slot, true);
    send_line(keeper, &line, NOTE_GONE);
  }
}

static void hear_sandbox(struct keeper *keeper) {
  if (!keeper->sandbox.killed) {
    sandbox_listen(&keeper->sandbox);
  }
  send_events(keeper);
}

// `argv` is the verb, the slot's name and what follows; the launcher made sure of the first two.
static void serve(struct keeper *keeper, uint32_t number, char **argv, int argc, const char *end) {
  const struct verb *verb = find_verb(argv[0]);
  struct request request = {.number = number, .argc = argc - 2, .argv = argv + 2};
  request.arguments = argv[1] + strlen(argv[1]) + 1;
  request.size = (size_t)(end - request.arguments);
  struct failure failure = {0};
  struct line line;
  if (verb == NULL) {
    _exit(1);
  }
  bool done = carry_out(keeper, verb, &request, &failure);
  options_free(&request.options);
  if (done) {
    line_ok(&line, number, keeper->slot, request.pid);
  } else {
    line_failed(&line, number, keeper->slot, &failure);
  }
  send_line(keeper, &line, keeper->is_open ? NOTE_ANSWER : NOTE_ANSWER | NOTE_LAST);
  if (!keeper->is_open) {
    _exit(0);
  }
  send_events(keeper);
}

static void take_request(struct keeper *keeper) {
  unsigned char header[2 * sizeof(uint32_t)];
  if (!read_fully(keeper->launcher, header, sizeof header)) {
    // The launcher has ended, and all that is ours with it.
    _exit(0);
  }
  size_t size = big_endian(header) - sizeof(uint32_t);
  AUTO_FREE char *bytes = malloc(size);
  AUTO_FREE char **argv = NULL;
  int argc = bytes != NULL && read_fully(keeper->launcher, bytes, size)
                 ? split_arguments(bytes, size, &argv)
                 : -1;
  if (argc < 2) {
    _exit(1);
  }
  serve(keeper, big_endian(header + sizeof(uint32_t)), argv, argc, bytes + size);
}

static struct pollfd watch(int fd) { return (struct pollfd){.fd = fd, .events = POLLIN}; }

_Noreturn void keeper_main(int socket, const char *slot, pid_t parent) {
  prctl(PR_SET_NAME, "easyfaas-keeper");
  end_with(parent);
  // What comes of the keeper stays in its group, by which the launcher finds it when it is
  // orphaned.
  setpgid(0, 0);
  struct keeper keeper = {.launcher = keep_only(socket), .slot = slot, .cgroup = -1};
  if (keeper.launcher < 0) {
    _exit(1);
  }
  for (;;) {
    struct pollfd sources[] = {watch(sandbox_source(&keeper.sandbox)),
                               watch(sandbox_source(&keeper.spare.sandbox)),
                               watch(keeper.launcher)};
    int patience = keeper.spare.wanted ? SPARE_DELAY_MILLIS : -1;
    long count = TEMP_FAILURE_RETRY(poll(sources, 3, patience));
    if (count < 0) {
      _exit(1);
    }
    if (count == 0) {
      spare_start(&keeper.spare, keeper.cgroup);
      continue;
    }
    // Init's word first: a request must find the sandbox as it is.
    if (sources[0].revents != 0) {
      hear_sandbox(&keeper);
    }
    if (sources[1].revents != 0) {
      spare_advance(&keeper.spare);
    }
    if (sources[2].revents != 0) {
      take_request(&keeper);
    }
  }
}
