// Taking rights away for good: capabilities, ids, system calls.

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

// Installs the filter of docs/launcher.md. Needs no_new_privs.
bool filter_system_calls(struct failure *failure);

#endif
