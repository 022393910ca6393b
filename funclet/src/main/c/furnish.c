#include "furnish.h"

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io.h"
#include "mounts.h"

static bool raise_loopback(struct failure *failure) {
  AUTO_CLOSE int any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
  return (any >= 0 && ioctl(any, SIOCSIFFLAGS, &request) == 0) || fail(failure, "loopback", NULL);
}

// What version 1 control groups do not count as the sandbox's memory, see tcp(7): the bytes of a
// TCP socket's receive and send buffer, least, at first and most, where the kernel's own most is
// megabytes. And what no group at all counts: the connections that wait to be accepted, the packets
// that are kept with the time of their sending, and what a socket keeps besides data.
static const struct {
  const char *path;
  const char *value;
} NETWORK_LIMITS[] = {{"/proc/sys/net/ipv4/tcp_rmem", "4096 8192 65536"},
                      {"/proc/sys/net/ipv4/tcp_wmem", "4096 4096 65536"},
                      {"/proc/sys/net/core/somaxconn", "128"},
                      {"/proc/sys/net/core/tstamp_allow_data", "0"},
                      {"/proc/sys/net/core/optmem_max", "16384"}};

static bool limit_network(struct failure *failure) {
  for (size_t i = 0; i < sizeof NETWORK_LIMITS / sizeof *NETWORK_LIMITS; i++) {
    // A container that is not privileged shows its /proc/sys read-only, and an older kernel has
    // some of them only once for the whole machine.
    if (!write_file(NETWORK_LIMITS[i].path, NETWORK_LIMITS[i].value) && errno != EROFS &&
        errno != ENOENT) {
      return fail(failure, "network-limits", NETWORK_LIMITS[i].path);
    }
  }
  return true;
}

// Why not by clone: the namespace's roots would be the keeper's cgroups, which the sandbox's own
// may lie beside or below.
static bool hide_cgroups(struct failure *failure) {
  return unshare(CLONE_NEWCGROUP) == 0 || fail(failure, "cgroup-namespace", NULL);
}

static bool name_host(const struct options *options, struct failure *failure) {
  static const char NO_DOMAIN[] = "(none)";
  const char *name = options->hostname == NULL ? "localhost" : options->hostname;
  return (sethostname(name, strlen(name)) == 0 &&
          setdomainname(NO_DOMAIN, sizeof NO_DOMAIN - 1) == 0) ||
         fail(failure, "hostname", name);
}

bool furnish(struct options *options, struct failure *failure) {
  return name_host(options, failure) &&
         (options->share_net || (raise_loopback(failure) && limit_network(failure))) &&
         hide_cgroups(failure) && mounts_build_root(options, failure);
}
