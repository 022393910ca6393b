// One slot's requests, one after the other. A keeper may wait as long as it takes; only its own
// slot waits with it.
//
// While a command runs the keeper makes the next sandbox in advance, so that the `create` after the
// next `destroy` has it at once. It shares nothing with the one in use but the cgroups and the
// range of ids: a fresh one, only earlier. A slot that nobody uses has none, nor one at rest.

#include "keeper.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "channel.h"
#include "confine.h"
#include "io.h"
#include "mounts.h"
#include "options.h"
#include "sandbox.h"

struct keeper {
  int launcher;
  const char *slot;
  int cgroup;  // the sandbox's own; -1: it shares the keeper's
  struct sandbox sandbox;
  char *plan;  // the arguments of the last `create`
  size_t plan_size;
  struct sandbox spare;  // made by them
  bool wants_spare;
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
  struct note note = {.length = (uint32_t)line->used,
                      .flags = flags,
                      .init = keeper->sandbox.init,
                      .spare = keeper->spare.init};
  if (!write_fully(keeper->launcher, &note, sizeof note) ||
      !write_fully(keeper->launcher, line->text, line->used)) {
    _exit(1);
  }
}

static bool open_slot(struct keeper *keeper, struct request *request, struct failure *failure) {
  // Why the result is ignored: below 0 needs CAP_SYS_RESOURCE, and without it the keeper is still
  // a far worse victim than the sandbox with its 400 and 500.
  write_file("/proc/self/oom_score_adj", "-1000");
  request->pid = getpid();
  return join_cgroups(&request->options, failure) &&
         open_sandbox_cgroup(&request->options, &keeper->cgroup, failure);
}

static void tell_spare(const struct keeper *keeper) {
  struct line nothing = {0};
  send_line(keeper, &nothing, 0);
}

// Splits the plan, whose options then point into `*argv`'s strings.
static bool read_plan(const struct keeper *keeper, char *bytes, char ***argv,
                      struct options *options) {
  struct failure failure = {0};
  memcpy(bytes, keeper->plan, keeper->plan_size);
  int argc = split_arguments(bytes, keeper->plan_size, argv);
  return argc >= 0 && options_parse(options, argc, *argv, OPTIONS_CREATE, &failure);
}

// A failure costs nothing but the time that is not saved.
static void start_spare(struct keeper *keeper) {
  keeper->wants_spare = false;
  AUTO_FREE char *bytes = malloc(keeper->plan_size);
  AUTO_FREE char **argv = NULL;
  struct options options = {0};
  struct failure failure = {0};
  if (bytes != NULL && read_plan(keeper, bytes, &argv, &options) &&
      sandbox_start(&keeper->spare, &options, keeper->cgroup, false, &failure)) {
    tell_spare(keeper);
  }
  options_free(&options);
}

// Its init got on, or ended.
static void hear_spare(struct keeper *keeper) {
  struct failure failure = {0};
  if (keeper->spare.ready || !sandbox_advance(&keeper->spare, &failure)) {
    sandbox_destroy(&keeper->spare);
    tell_spare(keeper);
  }
}

static bool is_planned(const struct keeper *keeper, const struct request *request) {
  return keeper->plan != NULL && keeper->plan_size == request->size &&
         memcmp(keeper->plan, request->arguments, request->size) == 0;
}

static bool take_spare(struct keeper *keeper, const struct request *request) {
  struct failure failure = {0};
  if (keeper->spare.init == 0) {
    return false;
  }
  if (!is_planned(keeper, request) || !sandbox_finish(&keeper->spare, &failure)) {
    sandbox_destroy(&keeper->spare);
    return false;
  }
  keeper->sandbox = keeper->spare;
  keeper->spare = (struct sandbox){0};
  return true;
}

static void plan(struct keeper *keeper, const struct request *request) {
  if (is_planned(keeper, request)) {
    return;
  }
  free(keeper->plan);
  keeper->plan_size = request->size;
  keeper->plan = malloc(request->size);
  if (keeper->plan != NULL) {
    memcpy(keeper->plan, request->arguments, request->size);
  }
}

static bool create(struct keeper *keeper, struct request *request, struct failure *failure) {
  if (keeper->sandbox.init != 0) {
    return fail_with(failure, EEXIST, "sandbox", NULL);
  }
  if (!take_spare(keeper, request) &&
      !(sandbox_start(&keeper->sandbox, &request->options, keeper->cgroup, false, failure) &&
        sandbox_finish(&keeper->sandbox, failure))) {
    return false;
  }
  plan(keeper, request);
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
  keeper->wants_spare = keeper->plan != NULL && keeper->spare.init == 0;
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
  (void)failure;
  keeper->wants_spare = false;
  sandbox_destroy(&keeper->spare);
  return true;
}

static bool destroy(struct keeper *keeper, struct request *request, struct failure *failure) {
  (void)request;
  (void)failure;
  keeper->wants_spare = false;
  sandbox_destroy(&keeper->sandbox);
  return true;
}

static bool close_slot(struct keeper *keeper, struct request *request, struct failure *failure) {
  return rest(keeper, request, failure) && destroy(keeper, request, failure);
}

enum keeper_end { STAYS, ENDS, ENDS_IF_FAILED };

static const struct verb {
  const char *name;
  bool (*carry_out)(struct keeper *, struct request *, struct failure *);
  bool takes_options;
  unsigned options;
  bool needs_sandbox;
  enum keeper_end end;
} VERBS[] = {
    {"open", open_slot, true, OPTIONS_OPEN, false, ENDS_IF_FAILED},
    {"create", create, true, OPTIONS_CREATE, false, STAYS},
    {"mount", add_mounts, true, OPTIONS_MOUNT, true, STAYS},
    {"exec", exec, true, OPTIONS_EXEC | OPTIONS_CHANNEL, true, STAYS},
    {"signal", send_signal, false, 0, true, STAYS},
    {"rest", rest, true, 0, false, STAYS},
    {"destroy", destroy, true, 0, false, STAYS},
    {"close", close_slot, true, 0, false, ENDS},
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
  if (verb->needs_sandbox && keeper->sandbox.init == 0) {
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
  if (sandbox->lost) {
    sandbox_destroy(sandbox);
    line_gone(&line, keeper->slot, true);
    send_line(keeper, &line, NOTE_GONE);
  }
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
  bool last = verb->end == ENDS || (verb->end == ENDS_IF_FAILED && !done);
  send_line(keeper, &line, last ? NOTE_ANSWER | NOTE_LAST : NOTE_ANSWER);
  if (last) {
    _exit(0);
  }
  send_events(keeper);
}

static void take_request(struct keeper *keeper) {
  unsigned char header[2 * sizeof(uint32_t)];
  if (!read_fully(keeper->launcher, header, sizeof header)) {
    sandbox_destroy(&keeper->spare);
    sandbox_destroy(&keeper->sandbox);
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

static struct pollfd watch(const struct sandbox *sandbox) {
  return (struct pollfd){.fd = sandbox->init != 0 ? sandbox->socket : -1, .events = POLLIN};
}

_Noreturn void keeper_main(int socket, const char *slot, pid_t parent) {
  prctl(PR_SET_NAME, "easyfaas-keeper");
  end_with(parent);
  struct keeper keeper = {.launcher = keep_only(socket), .slot = slot, .cgroup = -1};
  if (keeper.launcher < 0) {
    _exit(1);
  }
  for (;;) {
    struct pollfd sources[] = {
        watch(&keeper.sandbox), watch(&keeper.spare), {.fd = keeper.launcher, .events = POLLIN}};
    int patience = keeper.wants_spare ? SPARE_DELAY_MILLIS : -1;
    long count = TEMP_FAILURE_RETRY(poll(sources, 3, patience));
    if (count < 0) {
      _exit(1);
    }
    if (count == 0) {
      start_spare(&keeper);
      continue;
    }
    // Init's word first: a request must find the sandbox as it is.
    if (sources[0].revents != 0) {
      sandbox_listen(&keeper.sandbox);
      send_events(&keeper);
    }
    if (sources[1].revents != 0) {
      hear_spare(&keeper);
    }
    if (sources[2].revents != 0) {
      take_request(&keeper);
    }
  }
}
