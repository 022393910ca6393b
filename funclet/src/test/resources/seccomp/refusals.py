# Asks for what a sandbox must not get, and prints what it was told: a name of an error, or "done".
import ctypes
import errno
import fcntl
import json
import mmap
import os
import resource
import socket

libc = ctypes.CDLL(None, use_errno=True)
answers = {}


def attempt(name, action):
    try:
        action()
        answers[name] = "done"
    except OSError as error:
        answers[name] = errno.errorcode[error.errno]


def call(name, function, *arguments):
    ctypes.set_errno(0)
    result = function(*arguments)
    answers[name] = "done" if result >= 0 else errno.errorcode[ctypes.get_errno()]


def open_socket(name, *arguments):
    attempt(name, lambda: socket.socket(*arguments).close())


HUGE = 2 << 20
attempt("hugeMap", lambda: mmap.mmap(-1, HUGE, flags=0x40022))
call("hugeShared", libc.shmget, 0, HUGE, 0o5600)
attempt("hugeFile", lambda: os.memfd_create("huge", 4))
call("mergeable", libc.madvise, ctypes.c_void_p(0), ctypes.c_size_t(0), 12)

STREAM, DATAGRAM, SEQUENCES, CONGESTION = 1, 2, 5, 6
open_socket("mptcp", socket.AF_INET, STREAM, 262)
open_socket("mptcp6", socket.AF_INET6, STREAM, 262)
open_socket("udpLite", socket.AF_INET, DATAGRAM, 136)
open_socket("sctp", socket.AF_INET, STREAM, 132)
open_socket("sctpSequences", socket.AF_INET, SEQUENCES, 0)
open_socket("dccp", socket.AF_INET, CONGESTION, 0)
open_socket("dccpByName", socket.AF_INET, CONGESTION, 33)
open_socket("udpOfAStream", socket.AF_INET, STREAM, 17)
open_socket("audit", socket.AF_NETLINK, socket.SOCK_RAW, 9)
open_socket("vsock", 40, STREAM, 0)
attempt("ulp", lambda: socket.socket().setsockopt(socket.IPPROTO_TCP, 31, b"tls"))
attempt("md5", lambda: socket.socket().setsockopt(socket.IPPROTO_TCP, 14, bytes(216)))
udp = socket.socket(socket.AF_INET, DATAGRAM)
attempt("encapsulation", lambda: udp.setsockopt(socket.IPPROTO_UDP, 100, 2))

CORE = resource.RLIMIT_CORE
attempt("coreLimit", lambda: resource.setrlimit(CORE, (0, 0)))
attempt("coreLimitAsked", lambda: resource.prlimit(0, CORE))
attempt("coreLimitExchanged", lambda: resource.prlimit(0, CORE, (0, 0)))
answers["coreLimitThen"] = "%d %d" % resource.getrlimit(CORE)

attempt("device", lambda: os.mknod("/tmp/device", 0o20600, 0))
attempt("plainNode", lambda: os.mknod("/tmp/plain", 0o100600))
attempt("pipe", lambda: os.mkfifo("/tmp/pipe"))
place = os.open("/tmp", os.O_RDONLY)
attempt("fileFlags", lambda: fcntl.ioctl(place, 0x80086601, bytes(8)))
attempt("pending", lambda: fcntl.ioctl(socket.socket(), 0x541B, bytes(4)))

call("vmsplice", libc.vmsplice, 1, None, ctypes.c_size_t(0), 0)
call("messageQueue", libc.msgget, 0, 0o1600)
call("posixQueue", libc.mq_open, b"/queue", 0o102, 0o600, None)
call("cachestat", libc.syscall, ctypes.c_long(451), place, None, None, 0)
call("statmount", libc.syscall, ctypes.c_long(457), None, None, ctypes.c_size_t(0), 0)
call("fanotifyMark", libc.fanotify_mark, -1, 0, ctypes.c_uint64(0), -1, None)
call("realTime", libc.sched_setscheduler, 0, 1, ctypes.byref(ctypes.c_int(0)))
call("unknownOption", libc.prctl, 25, 0, 0, 0, 0)
call("clone3", libc.syscall, ctypes.c_long(435), None, ctypes.c_size_t(0))
print(json.dumps(answers))
