// A tmpfs of the sandbox's own, of which it sees parts only: /dev, /dev/shm, files with a given
// text, and what covers files and directories that are not to be seen. One for all of it, because
// a file system costs 10 KiB, and a little in every memory cgroup of the machine besides.

#ifndef EASYFAAS_SCRATCH_H
#define EASYFAAS_SCRATCH_H

#include "options.h"

// Descriptors in the tmpfs. All -1: there is none.
struct scratch {
  int dev;
  int shm;
  int no_directory;  // an empty one
  int no_file;       // an empty one
};

#define NO_SCRATCH ((struct scratch){-1, -1, -1, -1})
#define AUTO_SCRATCH __attribute__((cleanup(scratch_close))) struct scratch
void scratch_close(struct scratch *scratch);

// Makes it, leaves it mounted at `hidden`, and gives every file of `options` its tree.
bool scratch_make(struct scratch *scratch, struct options *options, int hidden,
                  struct failure *failure);

// Mounts /dev, with shm in it.
bool scratch_mount_dev(const struct scratch *scratch, int root, const char *target,
                       struct failure *failure);

// A tree that covers a directory, or a file. Returns -1 when it fails.
int scratch_cover(const struct scratch *scratch, bool directory);

#endif
