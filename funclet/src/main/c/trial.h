// A whole sandbox on trial, made, used and destroyed as a keeper does it: whatever a machine or a
// set of capabilities lacks for one shows here, and nothing else does.

#ifndef EASYFAAS_TRIAL_H
#define EASYFAAS_TRIAL_H

#include "report.h"

// In a process of its own, which loses its view of the host's /usr.
bool trial_sandbox(struct failure *failure);

#endif
