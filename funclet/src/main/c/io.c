#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

void close_fd(int *fd) {
  if (*fd >= 0) {
    int error = errno;
    close(*fd);
    errno = error;
    *fd = -1;
  }
}

int take_fd(int *fd) {
  int taken = *fd;
  *fd = -1;
  return taken;
}

void free_pointer(void *pointer) {
  void **memory = pointer;
  free(*memory);
  *memory = NULL;
}

bool read_fully(int fd, void *buffer, size_t size) {
  char *next = buffer;
  while (size > 0) {
    ssize_t count = TEMP_FAILURE_RETRY(read(fd, next, size));
    if (count <= 0) {
      errno = count == 0 ? ECONNRESET : errno;
      return false;
    }
    next += count;
    size -= (size_t)count;
  }
  return true;
}

bool write_fully(int fd, const void *buffer, size_t size) {
  const char *next = buffer;
  while (size > 0) {
    ssize_t count = TEMP_FAILURE_RETRY(write(fd, next, size));
    if (count < 0) {
      return false;
    }
    next += count;
    size -= (size_t)count;
  }
  return true;
}

bool write_file(const char *path, const char *text) {
  AUTO_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
  return fd >= 0 && write_fully(fd, text, strlen(text));
}

// Room for what one message may bring; no order or call brings more.
enum { FDS_MAX = 4 };

union fd_message {
  struct cmsghdr header;
  char space[CMSG_SPACE(FDS_MAX * sizeof(int))];
};

bool send_with_fds(int socket, const void *bytes, size_t size, const int *fds, size_t count) {
  union fd_message control = {0};
  struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = size};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (count > 0) {
    message.msg_control = &control;
    message.msg_controllen = CMSG_SPACE(count * sizeof *fds);
    control.header = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
                                      .cmsg_type = SCM_RIGHTS,
                                      .cmsg_len = CMSG_LEN(count * sizeof *fds)};
    memcpy(CMSG_DATA(&control.header), fds, count * sizeof *fds);
  }
  ssize_t sent = TEMP_FAILURE_RETRY(sendmsg(socket, &message, MSG_NOSIGNAL));
  return sent >= 0 && write_fully(socket, (const char *)bytes + sent, size - (size_t)sent);
}

// What a message brought more than wanted must not stay open.
static void take_fds(const struct cmsghdr *header, int *fds, size_t count) {
  size_t brought = (header->cmsg_len - CMSG_LEN(0)) / sizeof *fds;
  for (size_t i = 0; i < brought; i++) {
    int fd = -1;
    memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
    if (i < count) {
      fds[i] = fd;
    } else {
      close(fd);
    }
  }
}

bool read_with_fds(int socket, void *buffer, size_t size, int *fds, size_t count) {
  union fd_message control = {0};
  struct iovec part = {.iov_base = buffer, .iov_len = size};
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  for (size_t i = 0; i < count; i++) {
    fds[i] = -1;
  }
  ssize_t got = TEMP_FAILURE_RETRY(recvmsg(socket, &message, MSG_CMSG_CLOEXEC));
  if (got <= 0) {
    errno = got == 0 ? ECONNRESET : errno;
    return false;
  }
  const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (header != NULL && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
    take_fds(header, fds, count);
  }
  return read_fully(socket, (char *)buffer + got, size - (size_t)got);
}

int keep_only(int fd) {
  if (fd == 3 ? fcntl(3, F_SETFD, FD_CLOEXEC) != 0 : dup3(fd, 3, O_CLOEXEC) < 0) {
    return -1;
  }
  return close_range(4, ~0U, 0) == 0 ? 3 : -1;
}

int connect_unix(const char *path, int seconds) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  memcpy(address.sun_path, path, strlen(path) + 1);
  AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  // Why: connect waits for ever on a full backlog unless the socket has a send time-out.
  struct timeval limit = {.tv_sec = seconds};
  struct timeval forever = {0};
  if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) != 0 ||
      TEMP_FAILURE_RETRY(connect(fd, (const struct sockaddr *)&address, sizeof address)) != 0 ||
      setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &forever, sizeof forever) != 0) {
    return -1;
  }
  return take_fd(&fd);
}

bool buffer_append(struct buffer *buffer, const void *bytes, size_t size) {
  if (buffer->size - buffer->used < size) {
    size_t bigger = 2 * (buffer->used + size);
    char *moved = realloc(buffer->bytes, bigger);
    if (moved == NULL) {
      return false;
    }
    buffer->bytes = moved;
    buffer->size = bigger;
  }
  memcpy(buffer->bytes + buffer->used, bytes, size);
  buffer->used += size;
  return true;
}

void buffer_consume(struct buffer *buffer, size_t size) {
  buffer->used -= size;
  if (buffer->used == 0) {
    free(buffer->bytes);
    *buffer = (struct buffer){0};
  } else if (size > 0) {
    memmove(buffer->bytes, buffer->bytes + size, buffer->used);
  }
}

uint32_t big_endian(const void *bytes) {
  const unsigned char *byte = bytes;
  return (uint32_t)byte[0] << 24 | (uint32_t)byte[1] << 16 | (uint32_t)byte[2] << 8 | byte[3];
}

int split_arguments(char *bytes, size_t size, char ***argv) {
  *argv = NULL;
  if (size == 0 || bytes[size - 1] != '\0') {
    errno = EBADMSG;
    return -1;
  }
  int count = 0;
  for (size_t i = 0; i < size; i++) {
    count += bytes[i] == '\0';
  }
  *argv = calloc((size_t)count + 1, sizeof **argv);
  if (*argv == NULL) {
    return -1;
  }
  char *next = bytes;
  for (int i = 0; i < count; i++) {
    (*argv)[i] = next;
    next += strlen(next) + 1;
  }
  return count;
}
