"""Tor in a storm: a private Tor network whose nodes die and stop, and the tors of people's programs."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

from processes import Process

PROGRAM = Path(__file__).resolve().parents[1] / "integration/tornet/tornet.py"
RELAYS = 6  # beside the authority: one may be dead, and there are paths


class TorNetwork:
    """It runs until close(). Commands may come from any thread."""

    def __init__(self, folder, violate):
        self.violate = violate
        self._log_path = os.path.join(folder, "tornet.log")
        with open(self._log_path, "ab") as log:
            self._popen = subprocess.Popen(
                [sys.executable, PROGRAM, "--relays", str(RELAYS),
                 "--folder", os.path.join(folder, "tornet")],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
        self._lock = threading.Lock()
        line = self._popen.stdout.readline()
        if not line:
            self._popen.wait()
            raise OSError(f"there is no Tor network: {self._last_words()}")
        self.torrc = json.loads(line)["torrc"]

    def command(self, line):
        """Whether it was done."""
        with self._lock:
            try:
                self._popen.stdin.write(line.encode() + b"\n")
                self._popen.stdin.flush()
                answer = self._popen.stdout.readline().decode().strip()
            except OSError:
                answer = ""
        if answer != "done":
            self.violate(f"the Tor network: {line}: {answer or self._last_words()}")
        return answer == "done"

    def close(self):
        """Ends it, as its input does; what its nodes logged goes with it."""
        self._popen.stdin.close()
        if self._popen.wait() != 0:
            self.violate(f"the Tor network: {self._last_words()}")
        self._popen.stdout.close()

    def abandon(self):
        """After a failure of the storm itself: nothing is left running."""
        self._popen.terminate()
        self._popen.wait()

    def _last_words(self):
        with open(self._log_path, encoding="utf-8", errors="replace") as file:
            return (file.read().splitlines() or ["not a word"])[-1]


def tor_of(program):
    """The tor that a person's program runs, if it runs one now."""
    for pid in tors_below(program.pid):
        try:
            return Process(pid)
        except ProcessLookupError:
            pass
    return None


def reap_tors():
    """Tors outlive their program for a moment, and are then children of ours."""
    for pid in tors_below(os.getpid()):
        try:
            os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            pass


def tors_below(parent):
    """The pids of children named tor."""
    found = []
    try:
        for task in os.listdir(f"/proc/{parent}/task"):
            with open(f"/proc/{parent}/task/{task}/children", encoding="ascii") as file:
                found += [int(pid) for pid in file.read().split()]
    except OSError:
        return []  # it has ended
    return [pid for pid in found if _name_of(pid) == "tor"]


def _name_of(pid):
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""
