// The cgroups that the caller has made for a slot.

#ifndef EASYFAAS_CGROUPS_H
#define EASYFAAS_CGROUPS_H

#include <stdbool.h>

#include "options.h"
#include "report.h"

// Moves the caller into the cgroups.
bool join_cgroups(const struct options *options, struct failure *failure);

// Opens the version 2 cgroup in which sandboxes are to be born; `*cgroup` is -1 when there is none.
bool open_sandbox_cgroup(const struct options *options, int *cgroup, struct failure *failure);

#endif
