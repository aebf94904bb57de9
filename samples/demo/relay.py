"""A wherry-relay process that may be killed and started again with the same directory."""

import os
import re
import selectors
import signal
import socket
import subprocess
import time


def free_port():
    """A port that the kernel chose and that stays free for now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Relay:
    def __init__(self, program, folder, tap, behind_proxy=False):
        """Clients reach it through `tap`: at its port, or by it as a proxy."""
        self.data = os.path.join(folder, "relay")
        self.times = []  # [started, ended] of each life, time.perf_counter
        self._log_path = os.path.join(folder, "relay.log")
        tap.target_port = free_port()
        self._command = [program, "--data", self.data, "--listen", f"127.0.0.1:{tap.target_port}",
                         "--advertise",
                         f"127.0.0.1:{tap.target_port if behind_proxy else tap.port}"]
        self.start()

    def start(self):
        with open(self._log_path, "ab") as log:
            self.process = subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=log)
        with selectors.DefaultSelector() as waiting:
            waiting.register(self.process.stdout, selectors.EVENT_READ)
            ready = waiting.select(timeout=20)
        line = self.process.stdout.readline().decode() if ready else ""
        found = re.search(r"wr1:\S+", line)
        if not found:
            raise RuntimeError(f"the relay did not start: see {self._log_path}")
        self.endpoint = found.group()
        self.times.append([time.perf_counter(), None])

    def kill(self):
        self.process.kill()
        self._ended()

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        return self._ended()

    def _ended(self):
        code = self.process.wait(timeout=15)
        self.process.stdout.close()
        self.times[-1][1] = time.perf_counter()
        return code

    def stored(self, words):
        """How often its files hold one of these words."""
        count = 0
        for folder, _, names in os.walk(self.data):
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    content = file.read()
                count += sum(content.count(word.encode()) for word in words)
        return count
