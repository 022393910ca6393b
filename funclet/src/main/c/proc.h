// A fresh /proc that shows the tenant's own processes, and of the machine what programs ask for.

#ifndef EASYFAAS_PROC_H
#define EASYFAAS_PROC_H

#include "report.h"
#include "scratch.h"

bool proc_mount(int root, const char *target, const struct scratch *scratch,
                struct failure *failure);

#endif
