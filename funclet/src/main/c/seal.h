// The launcher's copy of itself, which nothing can change.
//
// Nothing inside a sandbox shall ever change the program that makes the next one (CVE-2019-5736).
// So it runs from a copy in memory: a sealed memory file, or where those may not be executed
// (vm.memfd_noexec=2) a file in a tmpfs that is mounted nowhere and read-only as a whole.

#ifndef EASYFAAS_SEAL_H
#define EASYFAAS_SEAL_H

#include <stdbool.h>

#include "report.h"

// Returns true in the copy. Returns only there, or on failure.
bool run_from_sealed_copy(char **argv, struct failure *failure);

#endif
