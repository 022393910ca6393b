// The sandbox's file system.
//
// - Every destination is resolved below the new root, following no symlink and no magic link.
// - Every mount is private: nothing propagates between host and sandbox, in either direction.

#ifndef EASYFAAS_MOUNTS_H
#define EASYFAAS_MOUNTS_H

#include "options.h"

// In a new mount namespace, as real root: builds the root of `options` and moves into it. The old
// root is gone afterwards.
bool mounts_build_root(struct options *options, struct failure *failure);

// Mounts the binds of `options` into the mount namespace of the process `pidfd`: all, or none.
bool mounts_add(struct options *options, int pidfd, struct failure *failure);

#endif
