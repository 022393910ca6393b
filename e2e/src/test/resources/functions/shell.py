"""Runs the Python it is sent, inside a function: `{"code": "return 1 + 1"}` answers `2`.

`state` keeps what the code puts there from one call to the next. `syscall` makes any system call.
"""

import ctypes
import errno
import json
import os
import platform
import signal
import socket
import stat
import struct
import sys
import textwrap
import threading
import time

_libc = ctypes.CDLL(None, use_errno=True)

# See syscalls(2); numbers from asm/unistd_64.h and asm-generic/unistd.h.
_NUMBERS = {
    "x86_64": {
        "mount": 165, "umount2": 166, "pivot_root": 155, "unshare": 272, "setns": 308,
        "clone": 56, "ptrace": 101, "keyctl": 250, "add_key": 248, "request_key": 249, "bpf": 321,
        "perf_event_open": 298, "userfaultfd": 323, "kexec_load": 246, "init_module": 175,
        "delete_module": 176, "reboot": 169, "open_by_handle_at": 304, "process_vm_readv": 310,
        "syslog": 103, "swapon": 167, "sethostname": 170, "settimeofday": 164, "acct": 163,
        "mknodat": 259, "mq_open": 240, "shmget": 29, "msgget": 68, "semget": 64,
    },
    "aarch64": {
        "mount": 40, "umount2": 39, "pivot_root": 41, "unshare": 97, "setns": 268,
        "clone": 220, "ptrace": 117, "keyctl": 219, "add_key": 217, "request_key": 218, "bpf": 280,
        "perf_event_open": 241, "userfaultfd": 282, "kexec_load": 104, "init_module": 105,
        "delete_module": 106, "reboot": 142, "open_by_handle_at": 265, "process_vm_readv": 270,
        "syslog": 116, "swapon": 224, "sethostname": 161, "settimeofday": 170, "acct": 89,
        "mknodat": 33, "mq_open": 180, "shmget": 194, "msgget": 186, "semget": 190,
    },
}[platform.machine()]
# The same everywhere since Linux 5.1.
_NUMBERS |= {
    "io_uring_setup": 425, "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsmount": 432,
    "clone3": 435, "pidfd_getfd": 438, "mount_setattr": 442,
}

state = {}


def syscall(name, *arguments):
    """The result of a system call, or the name of its error, for example "EPERM"."""
    ctypes.set_errno(0)
    passed = [a if isinstance(a, bytes) or a is None else ctypes.c_long(a) for a in arguments]
    result = _libc.syscall(ctypes.c_long(_NUMBERS[name]), *passed)
    return result if result >= 0 else errno.errorcode[ctypes.get_errno()]


def attempt(action):
    """What the action returns, or the name of the error it fails with."""
    try:
        return action()
    except OSError as failure:
        return errno.errorcode.get(failure.errno, str(failure))


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def handler(event, context):
    names = dict(globals(), event=event, context=context)
    source = "def run():\n" + textwrap.indent(event["code"], "    ")
    exec(compile(source, "sent", "exec"), names)
    return {"answer": names["run"]()}
