// Compares the tables with what the build machine's headers know. Compiled for its errors only.

#ifdef AARCH64_CALLS

// Which of the calls that all architectures number alike this one has.
#define __BITS_PER_LONG 64
#define __ARCH_WANT_NEW_STAT
#define __ARCH_WANT_RENAMEAT
#define __ARCH_WANT_SET_GET_RLIMIT
#define __ARCH_WANT_SYS_CLONE3
#define __ARCH_WANT_MEMFD_SECRET
#if __has_include(<asm-generic/unistd.h>)
#include <asm-generic/unistd.h>
#endif
#include "facts_aarch64.h"

#else

#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/personality.h>
#include <linux/sched.h>
#include <linux/sockios.h>
#include <linux/udp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#if defined(__x86_64__)
#include <asm/prctl.h>

#include "facts_x86_64.h"
#else
#include "facts_aarch64.h"
#endif

#endif

typedef int facts_hold;
