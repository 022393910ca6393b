// Descriptors and frames: the small helpers every other file leans on.

#ifndef EASYFAAS_IO_H
#define EASYFAAS_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// The largest request body: request number and argument vector.
enum { REQUEST_MAX = 256 * 1024 };

// A local descriptor that is closed, or memory that is freed, on every way out of its scope.
#define AUTO_CLOSE __attribute__((cleanup(close_fd)))
#define AUTO_FREE __attribute__((cleanup(free_pointer)))
void close_fd(int *fd);
void free_pointer(void *pointer);

// Hands a descriptor on: it is not closed at the end of its scope any more.
int take_fd(int *fd);

// Read or write all of it. False with errno set; end-of-file counts as ECONNRESET.
bool read_fully(int fd, void *buffer, size_t size);
bool write_fully(int fd, const void *buffer, size_t size);

// Writes `text` in one go to a file that exists.
bool write_file(const char *path, const char *text);

// Sends all of it, and with it copies of `count` descriptors.
bool send_with_fds(int socket, const void *bytes, size_t size, const int *fds, size_t count);

// Reads all of it, and what descriptors came with it into the first of `fds`; -1 in the others.
// Descriptors beyond `count` are dropped. End-of-file counts as ECONNRESET.
bool read_with_fds(int socket, void *buffer, size_t size, int *fds, size_t count);

// Makes `fd` descriptor 3 and closes everything above, so that a forked process holds only what
// is its own. Returns 3, or -1.
int keep_only(int fd);

// Connects to the unix stream socket at `path`, waiting at most `seconds`. Returns it, or -1.
int connect_unix(const char *path, int seconds);

// Bytes on their way. Empty is all zero; holds no memory while empty.
struct buffer {
  char *bytes;
  size_t used;
  size_t size;
};

// False when there is no memory for it; the buffer is then as before.
bool buffer_append(struct buffer *buffer, const void *bytes, size_t size);
void buffer_consume(struct buffer *buffer, size_t size);

uint32_t big_endian(const void *bytes);

// Splits a vector of NUL-ended arguments in place. `*argv` is allocated, NULL-ended and points
// into `bytes`. Returns the number of arguments, or -1 when the last has no end.
int split_arguments(char *bytes, size_t size, char ***argv);

#endif
