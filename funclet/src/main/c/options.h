// The argument vectors of docs/launcher.md as plain data. Parsing never touches the system.

#ifndef EASYFAAS_OPTIONS_H
#define EASYFAAS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "report.h"

enum mount_kind {
  MOUNT_BIND,
  MOUNT_BIND_READ_ONLY,
  MOUNT_FILE,
  MOUNT_TMPFS,
  MOUNT_PROC,
  MOUNT_DEV,
};

struct mount_op {
  enum mount_kind kind;
  const char *source;  // of binds; NULL in others
  const char *part;    // the entry of the source that is meant; NULL: all of it
  const char *text;    // of files
  const char *target;
  uint64_t bytes;
  mode_t mode;
  int tree;  // the detached mount of a bind or file, once there is one; else -1
};

struct limit {
  int resource;
  struct rlimit value;
};

enum { LIMITS_MAX = 16, TOKEN_SIZE = 16 };

// Which options a verb takes.
enum option_set {
  OPTIONS_OPEN = 1,
  OPTIONS_CREATE = 2,
  OPTIONS_MOUNT = 4,
  OPTIONS_EXEC = 8,
  OPTIONS_RUN_ONLY = 16,
  OPTIONS_CHANNEL = 32,
};

// All pointers are into the argument vector, which must outlive this.
struct options {
  const char **cgroups;
  size_t cgroup_count;
  const char *sandbox_cgroup;

  const char *rootfs;
  const char *empty;  // an empty directory of the host; NULL: there is none
  const char *hostname;
  struct mount_op *mounts;
  size_t mount_count;
  uint64_t shm_bytes;
  uint32_t id_base;
  uint32_t id_count;
  bool share_net;

  uid_t uid;
  gid_t gid;
  char **environment;
  size_t environment_count;
  const char *directory;
  struct limit limits[LIMITS_MAX];
  size_t limit_count;
  char **command;

  const char *channel;  // the engine's socket, on the host
  unsigned char token[TOKEN_SIZE];
  uint16_t listen_port;  // 0: no listener
};

// Fills `options` from the NULL-ended `argv`; refuses what is not in `sets` and what those sets
// require but did not get. Free with options_free either way.
bool options_parse(struct options *options, int argc, char **argv, unsigned sets,
                   struct failure *failure);
void options_free(struct options *options);

// Copies the arguments, which options_parse accepted for `sets`, to `to` without the options of
// `dropped`, every one ended by NUL. Returns the bytes written: never more than they had.
size_t options_copy_without(char *to, int argc, char **argv, unsigned sets, unsigned dropped);

// A whole number in `base`, of digits only, at most `max`.
bool parse_number(const char *text, int base, uint64_t max, uint64_t *number);

#endif
