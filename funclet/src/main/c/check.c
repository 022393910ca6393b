// `check`: tries every kernel feature in a process of its own and says whether it is there.

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "commands.h"
#include "trees.h"
#include "trial.h"

static bool user_namespace(void) { return unshare(CLONE_NEWUSER) == 0; }
static bool mount_namespace(void) { return unshare(CLONE_NEWNS) == 0; }
static bool pid_namespace(void) { return unshare(CLONE_NEWPID) == 0; }
static bool network_namespace(void) { return unshare(CLONE_NEWNET) == 0; }
static bool ipc_namespace(void) { return unshare(CLONE_NEWIPC) == 0; }
static bool uts_namespace(void) { return unshare(CLONE_NEWUTS) == 0; }
static bool cgroup_namespace(void) { return unshare(CLONE_NEWCGROUP) == 0; }

static bool seccomp_filter(void) {
  struct sock_filter allow = {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
  struct sock_fprog program = {.len = 1, .filter = &allow};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}

// A private clone of the root mount, in a new mount namespace.
static int clone_root(void) {
  if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
    return -1;
  }
  return open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
}

static bool attach_root(int tree) {
  return tree >= 0 && move_mount(tree, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) == 0;
}

static bool move_mounts(void) { return attach_root(clone_root()); }

static bool mount_attributes(void) {
  struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY, .propagation = MS_PRIVATE};
  int tree = clone_root();
  return tree >= 0 && mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof attr) == 0;
}

static bool pivot_roots(void) {
  int tree = clone_root();
  return attach_root(tree) && fchdir(tree) == 0 && syscall(SYS_pivot_root, ".", ".") == 0;
}

static bool resolve_in_root(void) {
  struct open_how how = {.flags = O_PATH,
                         .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
  return syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof how) >= 0;
}

static bool hidden_proc(void) {
  int context = fsopen("proc", FSOPEN_CLOEXEC);
  return context >= 0 && fsconfig(context, FSCONFIG_SET_STRING, "hidepid", "invisible", 0) == 0;
}

static bool pidfd(void) {
  int self = pidfd_open(getpid(), 0);
  return self >= 0 && pidfd_send_signal(self, 0, NULL, 0) == 0;
}

static bool close_ranges(void) { return close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0; }

static bool clone3_pidfd(void) {
  int pidfd_of_child = -1;
  struct clone_args arguments = {
      .flags = CLONE_PIDFD, .pidfd = (uint64_t)(uintptr_t)&pidfd_of_child, .exit_signal = SIGCHLD};
  long pid = syscall(SYS_clone3, &arguments, sizeof arguments);
  if (pid == 0) {
    _exit(0);
  }
  siginfo_t info;
  return pid > 0 && waitid(P_PIDFD, (id_t)pidfd_of_child, &info, WEXITED) == 0;
}

static bool memfd_seals(void) {
  int memory = memfd_create("check", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  return memory >= 0 && fcntl(memory, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL) == 0;
}

// Of the directory that matters most. Any other on the same file system would do.
static bool overlayfs(void) {
  if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
    return false;
  }
  int source = open("/usr", O_PATH | O_DIRECTORY | O_CLOEXEC);
  int empty = make_tmpfs(4096, 0555, 0, MOUNT_ATTR_RDONLY);
  return attach(empty, source) && make_overlay(source, empty) >= 0;
}

// The answer to all the others, too: each of them says why.
static bool sandbox_works(void) {
  struct failure failure = {0};
  struct line line;
  if (trial_sandbox(&failure)) {
    return true;
  }
  line_report(&line, &failure);
  fputs(line.text, stderr);
  return false;
}

// Whether /proc/self/mountinfo has a cgroup file system of `type` with the option `controller`.
static bool cgroup_mounted(const char *type, const char *controller) {
  FILE *mounts = fopen("/proc/self/mountinfo", "re");
  if (mounts == NULL) {
    return false;
  }
  char line[4096];
  bool found = false;
  while (!found && fgets(line, sizeof line, mounts) != NULL) {
    // "… - TYPE SOURCE OPTION,OPTION…" (proc(5))
    char *rest = strstr(line, " - ");
    char *end = NULL;
    char *word = rest == NULL ? NULL : strtok_r(rest + 3, " ", &end);
    if (word == NULL || strcmp(word, type) != 0) {
      continue;
    }
    found = controller == NULL;
    strtok_r(NULL, " ", &end);
    while (!found && (word = strtok_r(NULL, ",\n", &end)) != NULL) {
      found = strcmp(word, controller) == 0;
    }
  }
  fclose(mounts);
  return found;
}

static bool cgroup_v1_cpu(void) { return cgroup_mounted("cgroup", "cpu"); }
static bool cgroup_v1_freezer(void) { return cgroup_mounted("cgroup", "freezer"); }
static bool cgroup_v1_memory(void) { return cgroup_mounted("cgroup", "memory"); }
static bool cgroup_v1_pids(void) { return cgroup_mounted("cgroup", "pids"); }
static bool cgroup_v2(void) { return cgroup_mounted("cgroup2", NULL); }

static const struct {
  const char *name;
  bool (*present)(void);
  bool required;
} FEATURES[] = {
    {"user-namespace", user_namespace, true},
    {"mount-namespace", mount_namespace, true},
    {"pid-namespace", pid_namespace, true},
    {"network-namespace", network_namespace, true},
    {"ipc-namespace", ipc_namespace, true},
    {"uts-namespace", uts_namespace, true},
    {"cgroup-namespace", cgroup_namespace, true},
    {"seccomp-filter", seccomp_filter, true},
    {"pivot-root", pivot_roots, true},
    {"move-mount", move_mounts, true},
    {"mount-setattr", mount_attributes, true},
    {"openat2", resolve_in_root, true},
    {"proc-hidepid", hidden_proc, true},
    {"pidfd", pidfd, true},
    {"close-range", close_ranges, true},
    {"clone3", clone3_pidfd, true},
    {"memfd-seals", memfd_seals, true},
    {"sandbox", sandbox_works, true},
    {"overlayfs", overlayfs, false},
    {"cgroup-v1-cpu", cgroup_v1_cpu, false},
    {"cgroup-v1-freezer", cgroup_v1_freezer, false},
    {"cgroup-v1-memory", cgroup_v1_memory, false},
    {"cgroup-v1-pids", cgroup_v1_pids, false},
    {"cgroup-v2", cgroup_v2, false},
};

// A process that may not kill what it has started would wait for its end for ever.
enum { PATIENCE_SECONDS = 10 };

static bool try_feature(bool (*present)(void)) {
  pid_t pid = fork();
  if (pid == 0) {
    alarm(PATIENCE_SECONDS);
    _exit(present() ? 0 : 1);
  }
  int status = 0;
  return pid > 0 && TEMP_FAILURE_RETRY(waitpid(pid, &status, 0)) == pid && status == 0;
}

int check_main(void) {
  int status = 0;
  for (size_t i = 0; i < sizeof FEATURES / sizeof FEATURES[0]; i++) {
    bool present = try_feature(FEATURES[i].present);
    printf("{\"feature\":\"%s\",\"present\":%s,\"required\":%s}\n", FEATURES[i].name,
           present ? "true" : "false", FEATURES[i].required ? "true" : "false");
    fflush(stdout);
    status = present || !FEATURES[i].required ? status : EXIT_SETUP;
  }
  return status;
}
