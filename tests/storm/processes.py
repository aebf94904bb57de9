"""Processes that a storm may hit: signals that can not reach another one, and peaks of memory."""

import ctypes
import os
import signal
import threading
import time

PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans():
    """Children of a child that dies become ours, so that their end is seen too."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


class Process:
    """A running process. `killed` says that its death by SIGKILL is ours."""

    def __init__(self, pid):
        self.pid = pid
        self.killed = False
        self.memory_mib = 0.0
        self._lock = threading.Lock()
        self._handle = os.pidfd_open(pid)  # a pid may be used again, this may not

    def send(self, number):
        """Whether it was still there."""
        with self._lock:
            if self._handle is None:
                return False
            if number == signal.SIGKILL:
                self.killed = True
            try:
                signal.pidfd_send_signal(self._handle, number)
            except ProcessLookupError:
                return False
            return True

    def measure(self):
        """The most memory it has had at once, MiB; the last known one after its end."""
        try:
            with open(f"/proc/{self.pid}/status", encoding="ascii", errors="replace") as file:
                for line in file:
                    if line.startswith("VmHWM:"):
                        self.memory_mib = int(line.split()[1]) / 1024
        except OSError:
            pass  # it has ended
        return self.memory_mib

    def forget(self):
        """After its end. libfaketime leaves two names in shared memory when it is killed."""
        with self._lock:
            os.close(self._handle)
            self._handle = None
        for name in (f"faketime_shm_{self.pid}", f"sem.faketime_sem_{self.pid}"):
            try:
                os.unlink(os.path.join("/dev/shm", name))
            except FileNotFoundError:
                pass


def threads_of(pid):
    """What each thread of a process that should have ended is doing, a line each."""
    lines = []
    for task in sorted(os.listdir(f"/proc/{pid}/task"), key=int):
        told = []
        for name in ("comm", "wchan", "syscall"):
            try:
                with open(f"/proc/{pid}/task/{task}/{name}", encoding="ascii",
                          errors="replace") as file:
                    told.append(file.read().strip())
            except OSError:
                told.append("?")
        with open(f"/proc/{pid}/task/{task}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
        told.append(f"state {fields[0]}, {(int(fields[11]) + int(fields[12])) / 100:.2f} s")
        lines.append("  ".join(told))
    return lines


def reap(pid, limit_s):
    """The exit code of an adopted child as subprocess gives it; None if it did not end in time."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.05)
    return None
