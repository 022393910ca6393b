// Mounts before they are anywhere: `tree` is a descriptor of one, as open_tree(2) and fsmount(2)
// give it. Every function that returns a descriptor returns -1 with errno set when it fails.

#ifndef EASYFAAS_TREES_H
#define EASYFAAS_TREES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/types.h>

// What every mount of a sandbox has.
enum { NO_PRIVILEGE = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV };

// An O_PATH descriptor of `path` below `root`. ELOOP when a symlink is in the way.
int resolve(int root, const char *path);

// A detached copy of the mount that `fd` lies in, from there on and without its submounts; private,
// with the attributes of `set` and without those of `clear`. `fd` must lie in a mount that is
// attached: kernels before 6.15 copy no other.
int clone_tree(int fd, uint64_t set, uint64_t clear);

bool set_attributes(int tree, uint64_t attributes);

bool attach(int tree, int target);
bool attach_at(int tree, int root, const char *path);

// Makes the file system that is configured.
int mount_filesystem(int context, uint64_t attributes);

// A tmpfs that belongs to `owner`. Its inodes are bounded too: each takes kernel memory, empty file
// or not.
int make_tmpfs(uint64_t bytes, mode_t mode, uid_t owner, uint64_t attributes);

// A read-only overlay of the directory `source` over `empty`, one that has nothing in it. What is
// seen has inodes of its own: whoever watches, locks or leases a file does so here alone.
int make_overlay(int source, int empty);

#endif
