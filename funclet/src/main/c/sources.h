// What a sandbox gets of the host's file system.
//
// - Every source is opened first, then mounted by descriptor: no path is looked up twice.
// - A directory that is only read is an overlay of its own, where the caller named an empty one.

#ifndef EASYFAAS_SOURCES_H
#define EASYFAAS_SOURCES_H

#include "options.h"

// Gives every bind of `options` its tree; there are no parts.
bool sources_open(struct options *options, struct failure *failure);

// Gives every bind and part of `options` its tree, and `*root` that of the root, whose directory
// is `place`, in this process's own mount namespace. Mounts may be left there.
bool sources_open_with_root(struct options *options, int place, int *root, struct failure *failure);

#endif
