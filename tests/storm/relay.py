"""The relay of a storm: one `wherry-relay` after the other over the same directory."""

import os
import re
import signal
import socket
import subprocess
import threading
import time

from processes import Process

START_S = 60
CANNOT_START = 2  # wherry-relay's exit code


def free_port():
    """A port that the kernel chose and that stays free for now; it serves all lives of a relay."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Relay:
    """Keeps a relay running: whenever it dies, the next one starts after `pause_s`."""

    def __init__(self, program, data, folder, environment, advertised_port, violate):
        """Its address has the advertised port; 0: its own, for those who come by a proxy."""
        self.port = free_port()
        self.violate = violate
        self.address = None
        self.pause_s = 0.0
        self.disk_is_full = False  # a relay may refuse to start then
        self.memory_mib = 0.0
        self.lives = 0
        self.process = None
        self._command = [program, "--data", data, "--listen", f"127.0.0.1:{self.port}",
                         "--advertise", f"127.0.0.1:{advertised_port or self.port}"]
        self._environment = {**os.environ, **environment}
        self._log_path = os.path.join(folder, "relay.log")
        self._ready = threading.Event()
        self._closing = False
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        self._keeper.start()
        self.wait_ready()

    def wait_ready(self):
        if not self._ready.wait(START_S):
            raise TimeoutError(f"the relay did not start: see {self._log_path}")

    def measure(self):
        process = self.process
        if process:
            self.memory_mib = max(self.memory_mib, process.measure())

    def kill(self, pause_s):
        self.pause_s = pause_s
        process = self.process
        return process is not None and process.send(signal.SIGKILL)

    def abandon(self):
        """After a failure of the storm itself: nothing is left running."""
        self._closing = True
        process = self.process
        if process:
            process.send(signal.SIGKILL)
            self._keeper.join()

    def close(self, limit_s):
        self._closing = True
        self.process.send(signal.SIGTERM)
        self._keeper.join(limit_s)
        if self._keeper.is_alive():
            self.violate(f"the relay did not end within {limit_s} s after SIGTERM")
            self.process.send(signal.SIGKILL)
            self._keeper.join()

    def _keep(self):
        while True:
            with open(self._log_path, "ab") as log:
                popen = subprocess.Popen(self._command, env=self._environment, stderr=log,
                                         stdout=subprocess.PIPE)
            self.process = Process(popen.pid)
            self.lives += 1
            started_full = self.disk_is_full
            found = re.search(rb"wr1:\S+", popen.stdout.readline())
            if found:
                self._take_address(found.group().decode())
            popen.stdout.read()
            code = popen.wait()
            self._ready.clear()
            popen.stdout.close()
            process, self.process = self.process, None
            process.forget()
            refused = code == CANNOT_START and not found and (started_full or self.disk_is_full)
            wanted = code == 0 and self._closing
            if not refused and not wanted and not (code == -signal.SIGKILL and process.killed):
                self.violate(f"the relay ended with {code}: see relay.log")
            if self._closing:
                return
            time.sleep(0.5 if refused else self.pause_s)

    def _take_address(self, address):
        if self.address not in (None, address):
            self.violate(f"the relay's address was {self.address} and is {address}")
        self.address = address
        self._ready.set()
