// What the namespaces of a sandbox hold before its user namespace is entered: a name, a network, a
// root.

#ifndef EASYFAAS_FURNISH_H
#define EASYFAAS_FURNISH_H

#include "options.h"

// As real root, in namespaces that are new and this process's alone.
bool furnish(struct options *options, struct failure *failure);

#endif
