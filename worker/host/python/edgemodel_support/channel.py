"""The portable host's connection to the worker, and the page that tells it what the host does."""

import _socket as socket  # The module around it takes as long to import as all the rest here.
import mmap
import os
import struct
import time

if hasattr(time, "monotonic_ns"):
    now = time.monotonic_ns
else:

    def now():
        return int(time.monotonic() * 1e9)


class Page:
    """The progress page, in memory that the worker reads at any time: see worker/host/src/progress.rs."""

    def __init__(self, file):
        self.numbers = memoryview(mmap.mmap(file, 40)).cast("Q")

    def begin(self, call, count):
        numbers = self.numbers
        since = now()
        numbers[2] = count
        numbers[1] = since
        numbers[0] = call + 1
        return since

    def end(self):
        self.numbers[0] = 0
        return now()

    def waiting(self, wait, argument):
        """Does what may have to wait for the worker."""
        numbers = self.numbers
        since = now()
        numbers[4] = since
        result = wait(argument)
        numbers[3] += now() - since
        numbers[4] = 0
        return result


def open_channel():
    """Takes file descriptor 0, puts /dev/null there, and receives the progress page, which the worker sends first."""
    stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=os.dup(0))
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    size = struct.calcsize("i")
    _, control, _, _ = stream.recvmsg(1, socket.CMSG_SPACE(size), getattr(socket, "MSG_CMSG_CLOEXEC", 0))
    for level, kind, data in control:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            file = struct.unpack("i", data[:size])[0]
            try:
                return stream, Page(file)
            finally:
                os.close(file)
    raise OSError("the worker sent no page")
