// Taking rights away for good: capabilities, ids, system calls, and a life beyond the parent's.

#ifndef EASYFAAS_CONFINE_H
#define EASYFAAS_CONFINE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "report.h"

// Reduces the bounding set, and so what any later execve could give, to the bits of `kept`.
// Needs CAP_SETPCAP.
bool bound_capabilities(uint64_t kept, struct failure *failure);

// Reduces the effective and permitted sets to `kept`, the inheritable and ambient ones to nothing.
bool keep_capabilities(uint64_t kept, struct failure *failure);

// Real, effective and saved ids and no supplementary groups; not dumpable afterwards.
bool become(uid_t uid, gid_t gid, struct failure *failure);

// From now on this process ends with `parent`, whatever keeps it; at once when it is an orphan by
// now. To be said again after every change of ids: the kernel forgets it, see
// PR_SET_PDEATHSIG(2const).
void end_with(pid_t parent);

// Installs the filter of docs/launcher.md. Needs no_new_privs.
bool filter_system_calls(struct failure *failure);

#endif
