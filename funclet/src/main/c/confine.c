#include "confine.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

bool bound_capabilities(uint64_t kept, struct failure *failure) {
  for (unsigned long capability = 0; capability < 64; capability++) {
    if ((kept >> capability & 1) == 0 && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) {
      // The kernel names its last capability by refusing the one behind it; the header's may be
      // older or younger.
      return (errno == EINVAL && capability > CAP_AUDIT_READ) ||
             fail(failure, "capabilities", "bounding");
    }
  }
  return true;
}

bool keep_capabilities(uint64_t kept, struct failure *failure) {
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) {
    return fail(failure, "capabilities", "ambient");
  }
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};
  for (int word = 0; word < _LINUX_CAPABILITY_U32S_3; word++) {
    data[word].effective = data[word].permitted = (uint32_t)(kept >> (32 * word));
  }
  return syscall(SYS_capset, &header, data) == 0 || fail(failure, "capabilities", NULL);
}

void end_with(pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) {
    _exit(1);
  }
}

bool become(uid_t uid, gid_t gid, struct failure *failure) {
  // Why last: a change of ids resets the flag to the host's fs.suid_dumpable.
  return (setgroups(0, NULL) == 0 && setresgid(gid, gid, gid) == 0 &&
          setresuid(uid, uid, uid) == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0) ||
         fail(failure, "ids", NULL);
}
