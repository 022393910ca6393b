# What Python programs do: threads, children, event loops, shared memory, databases, sockets.
import asyncio
import fcntl
import mmap
import multiprocessing
import multiprocessing.shared_memory
import os
import resource
import select
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time


def double(number):
    return 2 * number


async def loop():
    async def answer(reader, writer):
        writer.write(await reader.readline())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b"line\n")
    assert await reader.readline() == b"line\n"
    writer.close()
    server.close()
    child = await asyncio.create_subprocess_exec("/bin/echo", "hello", stdout=subprocess.PIPE)
    assert (await child.communicate())[0] == b"hello\n"
    assert await asyncio.to_thread(double, 4) == 8


def main():
    results = []
    threads = [threading.Thread(target=lambda n=n: results.append(n)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == list(range(8))

    assert subprocess.run(["/bin/cat"], input=b"x", capture_output=True).stdout == b"x"
    assert os.waitstatus_to_exitcode(os.system("exit 3")) == 3
    for method in "fork", "spawn", "forkserver":
        with multiprocessing.get_context(method).Pool(2) as pool:
            assert pool.map(double, [1, 2, 3]) == [2, 4, 6]
    shared = multiprocessing.shared_memory.SharedMemory(create=True, size=4096)
    shared.buf[0] = 1
    shared.close()
    shared.unlink()
    asyncio.run(loop())

    with tempfile.TemporaryDirectory() as place:
        database = sqlite3.connect(os.path.join(place, "db"))
        database.execute("create table t (n integer)")
        database.execute("insert into t values (1)")
        database.commit()
        database.close()
        with open(os.path.join(place, "file"), "w+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.truncate(4096)
            os.fsync(file.fileno())
            with mmap.mmap(file.fileno(), 4096) as view:
                view[0:2] = b"ok"
                view.flush()
        os.mkfifo(os.path.join(place, "pipe"))
    with socket.socketpair()[0] as end:
        select.select([], [end], [], 1)
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as udp:
        udp.bind(("::1", 0))
    assert socket.getaddrinfo("localhost", 80) and socket.if_nameindex()

    signal.signal(signal.SIGALRM, lambda *_: results.append("alarm"))
    signal.setitimer(signal.ITIMER_REAL, 0.001)
    signal.sigtimedwait([signal.SIGUSR1], 0.01)
    assert results[-1] == "alarm"
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.sched_setaffinity(0, os.sched_getaffinity(0))
    os.nice(1)
    os.sync()
    time.sleep(0.001)
    print("fine", file=sys.stdout)


if __name__ == "__main__":
    main()
