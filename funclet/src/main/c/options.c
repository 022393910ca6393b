#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum option_name {
  OPTION_BIND,
  OPTION_BIND_READ_ONLY,
  OPTION_CGROUP,
  OPTION_CHANNEL,
  OPTION_CWD,
  OPTION_DEV,
  OPTION_EMPTY,
  OPTION_ENV,
  OPTION_FILE,
  OPTION_GID,
  OPTION_HOSTNAME,
  OPTION_LISTEN,
  OPTION_PART,
  OPTION_PROC,
  OPTION_RLIMIT,
  OPTION_ROOTFS,
  OPTION_SANDBOX_CGROUP,
  OPTION_SHARE_NET,
  OPTION_SHM_BYTES,
  OPTION_TMPFS,
  OPTION_UID,
  OPTION_UID_MAP,
};

static const struct option_spec {
  const char *text;
  enum option_name name;
  int values;
  unsigned sets;
} OPTION_SPECS[] = {
    {"--bind", OPTION_BIND, 2, OPTIONS_CREATE | OPTIONS_MOUNT},
    {"--bind-ro", OPTION_BIND_READ_ONLY, 2, OPTIONS_CREATE | OPTIONS_MOUNT},
    {"--cgroup", OPTION_CGROUP, 1, OPTIONS_OPEN},
    {"--channel", OPTION_CHANNEL, 2, OPTIONS_CHANNEL},
    {"--cwd", OPTION_CWD, 1, OPTIONS_EXEC},
    {"--dev", OPTION_DEV, 1, OPTIONS_CREATE},
    {"--empty", OPTION_EMPTY, 1, OPTIONS_CREATE | OPTIONS_MOUNT},
    {"--env", OPTION_ENV, 1, OPTIONS_EXEC},
    {"--file", OPTION_FILE, 2, OPTIONS_CREATE},
    {"--gid", OPTION_GID, 1, OPTIONS_EXEC},
    {"--hostname", OPTION_HOSTNAME, 1, OPTIONS_CREATE},
    {"--listen", OPTION_LISTEN, 1, OPTIONS_CHANNEL},
    {"--part", OPTION_PART, 3, OPTIONS_CREATE},
    {"--proc", OPTION_PROC, 1, OPTIONS_CREATE},
    {"--rlimit", OPTION_RLIMIT, 3, OPTIONS_EXEC},
    {"--rootfs", OPTION_ROOTFS, 1, OPTIONS_CREATE},
    {"--sandbox-cgroup", OPTION_SANDBOX_CGROUP, 1, OPTIONS_OPEN},
    {"--share-net", OPTION_SHARE_NET, 0, OPTIONS_RUN_ONLY},
    {"--shm-bytes", OPTION_SHM_BYTES, 1, OPTIONS_CREATE},
    {"--tmpfs", OPTION_TMPFS, 3, OPTIONS_CREATE},
    {"--uid", OPTION_UID, 1, OPTIONS_EXEC},
    {"--uid-map", OPTION_UID_MAP, 2, OPTIONS_CREATE},
};

static const struct {
  const char *text;
  int resource;
} LIMIT_NAMES[] = {
    {"as", RLIMIT_AS},           {"core", RLIMIT_CORE},     {"cpu", RLIMIT_CPU},
    {"fsize", RLIMIT_FSIZE},     {"nofile", RLIMIT_NOFILE}, {"nproc", RLIMIT_NPROC},
    {"memlock", RLIMIT_MEMLOCK}, {"stack", RLIMIT_STACK},
};

// (uid_t)-1 means "leave it" to the kernel and is no id.
static const uint64_t ID_MAX = UINT32_MAX - 1;
static const uint64_t SHM_BYTES_DEFAULT = 16 * 1024 * 1024;

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

bool parse_number(const char *text, int base, uint64_t max, uint64_t *number) {
  // strtoull alone would take signs and blanks.
  if (*text == '\0' || strspn(text, "0123456789") != strlen(text)) {
    return false;
  }
  char *end = NULL;
  errno = 0;
  unsigned long long value = strtoull(text, &end, base);
  if (errno != 0 || *end != '\0' || value > max) {
    return false;
  }
  *number = value;
  return true;
}

static bool parse_id(const char *text, uint32_t *id) {
  uint64_t number = 0;
  if (!parse_number(text, 10, ID_MAX, &number)) {
    return false;
  }
  *id = (uint32_t)number;
  return true;
}

static bool parse_port(const char *text, uint16_t *port) {
  uint64_t number = 0;
  if (!parse_number(text, 10, UINT16_MAX, &number) || number == 0) {
    return false;
  }
  *port = (uint16_t)number;
  return true;
}

static int digit(char character) {
  static const char DIGITS[] = "0123456789abcdef";
  const char *found = character == '\0' ? NULL : strchr(DIGITS, character);
  return found == NULL ? -1 : (int)(found - DIGITS);
}

static bool parse_token(const char *text, unsigned char *token) {
  if (strlen(text) != 2 * TOKEN_SIZE) {
    return false;
  }
  for (size_t i = 0; i < TOKEN_SIZE; i++) {
    int high = digit(text[2 * i]);
    int low = digit(text[2 * i + 1]);
    if (high < 0 || low < 0) {
      return false;
    }
    token[i] = (unsigned char)(high << 4 | low);
  }
  return true;
}

static bool parse_limit(char **values, struct options *options) {
  if (options->limit_count == LIMITS_MAX) {
    return false;
  }
  struct limit *limit = &options->limits[options->limit_count];
  size_t i = 0;
  while (i < LENGTH(LIMIT_NAMES) && strcmp(LIMIT_NAMES[i].text, values[0]) != 0) {
    i++;
  }
  if (i == LENGTH(LIMIT_NAMES)) {
    return false;
  }
  limit->resource = LIMIT_NAMES[i].resource;
  rlim_t *parts[] = {&limit->value.rlim_cur, &limit->value.rlim_max};
  for (int part = 0; part < 2; part++) {
    uint64_t number = RLIM_INFINITY;
    if (strcmp(values[part + 1], "unlimited") != 0 &&
        !parse_number(values[part + 1], 10, RLIM_INFINITY - 1, &number)) {
      return false;
    }
    *parts[part] = number;
  }
  options->limit_count++;
  return limit->value.rlim_cur <= limit->value.rlim_max;
}

static bool parse_map(char **values, struct options *options) {
  // Why: a base of 0 would make root inside root outside.
  return parse_id(values[0], &options->id_base) && parse_id(values[1], &options->id_count) &&
         options->id_base > 0 && options->id_count > 0 &&
         (uint64_t)options->id_base + options->id_count - 1 <= ID_MAX;
}

static struct mount_op *add_mount(struct options *options, enum mount_kind kind,
                                  const char *target) {
  struct mount_op *op = &options->mounts[options->mount_count++];
  *op = (struct mount_op){.kind = kind, .target = target, .tree = -1};
  return op;
}

static bool add_bind(struct options *options, enum mount_kind kind, char **values) {
  add_mount(options, kind, values[1])->source = values[0];
  return true;
}

static bool add_part(struct options *options, char **values) {
  struct mount_op *op = add_mount(options, MOUNT_BIND_READ_ONLY, values[2]);
  op->source = values[0];
  op->part = values[1];
  return true;
}

static bool add_file(struct options *options, char **values) {
  add_mount(options, MOUNT_FILE, values[0])->text = values[1];
  return true;
}

static bool parse_tmpfs(char **values, struct options *options) {
  uint64_t bytes = 0;
  uint64_t mode = 0;
  if (!parse_number(values[1], 10, INT64_MAX, &bytes) || bytes == 0 ||
      !parse_number(values[2], 8, 07777, &mode)) {
    return false;
  }
  struct mount_op *op = add_mount(options, MOUNT_TMPFS, values[0]);
  op->bytes = bytes;
  op->mode = (mode_t)mode;
  return true;
}

static bool parse_option(struct options *options, enum option_name name, char **values) {
  switch (name) {
    case OPTION_BIND:
      return add_bind(options, MOUNT_BIND, values);
    case OPTION_BIND_READ_ONLY:
      return add_bind(options, MOUNT_BIND_READ_ONLY, values);
    case OPTION_CGROUP:
      options->cgroups[options->cgroup_count++] = values[0];
      return true;
    case OPTION_CHANNEL:
      options->channel = values[0];
      return parse_token(values[1], options->token);
    case OPTION_CWD:
      options->directory = values[0];
      return true;
    case OPTION_DEV:
      add_mount(options, MOUNT_DEV, values[0]);
      return true;
    case OPTION_EMPTY:
      options->empty = values[0];
      return true;
    case OPTION_ENV:
      options->environment[options->environment_count++] = values[0];
      return strchr(values[0], '=') != NULL && values[0][0] != '=';
    case OPTION_FILE:
      return add_file(options, values);
    case OPTION_GID:
      return parse_id(values[0], &options->gid);
    case OPTION_HOSTNAME:
      options->hostname = values[0];
      return true;
    case OPTION_LISTEN:
      return parse_port(values[0], &options->listen_port);
    case OPTION_PART:
      return add_part(options, values);
    case OPTION_PROC:
      add_mount(options, MOUNT_PROC, values[0]);
      return true;
    case OPTION_RLIMIT:
      return parse_limit(values, options);
    case OPTION_ROOTFS:
      options->rootfs = values[0];
      return true;
    case OPTION_SANDBOX_CGROUP:
      options->sandbox_cgroup = values[0];
      return true;
    case OPTION_SHARE_NET:
      options->share_net = true;
      return true;
    case OPTION_SHM_BYTES:
      return parse_number(values[0], 10, INT64_MAX, &options->shm_bytes) && options->shm_bytes > 0;
    case OPTION_TMPFS:
      return parse_tmpfs(values, options);
    case OPTION_UID:
      return parse_id(values[0], &options->uid);
    case OPTION_UID_MAP:
      return parse_map(values, options);
  }
  return false;
}

static const struct option_spec *find_spec(const char *text, unsigned sets) {
  for (size_t i = 0; i < LENGTH(OPTION_SPECS); i++) {
    if ((OPTION_SPECS[i].sets & sets) != 0 && strcmp(OPTION_SPECS[i].text, text) == 0) {
      return &OPTION_SPECS[i];
    }
  }
  return NULL;
}

static bool allocate(struct options *options, size_t argc) {
  // Every list is bounded by the number of arguments; the environment ends with NULL.
  options->cgroups = calloc(argc + 1, sizeof *options->cgroups);
  options->mounts = calloc(argc + 1, sizeof *options->mounts);
  options->environment = calloc(argc + 1, sizeof *options->environment);
  return options->cgroups != NULL && options->mounts != NULL && options->environment != NULL;
}

bool options_parse(struct options *options, int argc, char **argv, unsigned sets,
                   struct failure *failure) {
  *options =
      (struct options){.shm_bytes = SHM_BYTES_DEFAULT, .uid = 1001, .gid = 1001, .directory = "/"};
  if (!allocate(options, (size_t)argc)) {
    return fail(failure, "arguments", NULL);
  }
  int i = 0;
  while (i < argc) {
    if (strcmp(argv[i], "--") == 0 && (sets & OPTIONS_EXEC) != 0) {
      options->command = &argv[i + 1];
      break;
    }
    const struct option_spec *spec = find_spec(argv[i], sets);
    if (spec == NULL || argc - i - 1 < spec->values ||
        !parse_option(options, spec->name, &argv[i + 1])) {
      return fail_with(failure, EINVAL, "arguments", argv[i]);
    }
    i += 1 + spec->values;
  }
  if ((sets & OPTIONS_EXEC) != 0 && (options->command == NULL || options->command[0] == NULL)) {
    return fail_with(failure, EINVAL, "arguments", "--");
  }
  if ((sets & OPTIONS_CREATE) != 0 && options->rootfs == NULL) {
    return fail_with(failure, EINVAL, "arguments", "--rootfs");
  }
  if ((sets & OPTIONS_CREATE) != 0 && options->id_count == 0) {
    return fail_with(failure, EINVAL, "arguments", "--uid-map");
  }
  if (options->listen_port != 0 && options->channel == NULL) {
    return fail_with(failure, EINVAL, "arguments", "--channel");
  }
  return true;
}

static size_t copy_arguments(char *to, char **argv, int count) {
  size_t used = 0;
  for (int i = 0; i < count; i++) {
    size_t size = strlen(argv[i]) + 1;
    memcpy(to + used, argv[i], size);
    used += size;
  }
  return used;
}

size_t options_copy_without(char *to, int argc, char **argv, unsigned sets, unsigned dropped) {
  size_t used = 0;
  int i = 0;
  while (i < argc && strcmp(argv[i], "--") != 0) {
    const struct option_spec *spec = find_spec(argv[i], sets);
    int count = spec == NULL ? 1 : 1 + spec->values;
    if (spec == NULL || (spec->sets & dropped) == 0) {
      used += copy_arguments(to + used, &argv[i], count);
    }
    i += count;
  }
  return used + copy_arguments(to + used, &argv[i], argc - i);
}

void options_free(struct options *options) {
  free(options->cgroups);
  free(options->mounts);
  free(options->environment);
  *options = (struct options){0};
}
