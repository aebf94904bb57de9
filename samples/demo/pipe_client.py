"""A client of `wherry pipe`: calls by name, events in a queue. Python's standard library only."""

import base64
import json
import queue
import subprocess
import threading
from time import perf_counter


class CallError(Exception):
    """A call failed: `name` is the status in C, such as WHERRY_E_LOCKED."""

    def __init__(self, error):
        super().__init__(error["message"])
        self.code = error["code"]
        self.name = (error.get("data") or {}).get("name", "")


class PipeEnded(Exception):
    """The program is gone; what was asked may or may not have been done."""


def b64(data):
    return base64.b64encode(data).decode()


class PipeClient:
    """One `wherry pipe` process. Calls may come from any thread; each waits for its answer."""

    def __init__(self, program, log):
        self.process = subprocess.Popen(
            [program, "pipe"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
        self.events = queue.Queue()  # of (arrival by time.perf_counter, event); None at the end
        self._answers = {}
        self._lock = threading.Lock()
        self._last_id = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def call(self, method, **params):
        answer = queue.SimpleQueue()
        with self._lock:
            if self._answers is None:
                raise PipeEnded(method)
            self._last_id += 1
            self._answers[self._last_id] = answer
            line = json.dumps({"jsonrpc": "2.0", "id": self._last_id, "method": method,
                               "params": params})
            try:
                self.process.stdin.write(line.encode() + b"\n")
                self.process.stdin.flush()
            except (OSError, ValueError) as error:  # it is dead, or this side has closed its input
                raise PipeEnded(method) from error
        response = answer.get()
        if response is None:
            raise PipeEnded(method)
        if "error" in response:
            raise CallError(response["error"])
        return response["result"]

    def kill(self):
        """SIGKILL: as if the machine had taken it away."""
        self.process.kill()
        self._finish()

    def close(self):
        """The orderly end: the end of its input."""
        with self._lock:
            self.process.stdin.close()
        return self._finish()

    def _finish(self):
        code = self.process.wait(timeout=20)
        self._reader.join()
        return code

    def _read(self):
        for line in self.process.stdout:
            if not line.endswith(b"\n"):
                break  # cut off by the death of the program
            message = json.loads(line)
            if message.get("method") == "event":
                self.events.put((perf_counter(), message["params"]["event"]))
            elif "id" in message:
                with self._lock:
                    answer = self._answers.pop(message["id"], None)
                if answer:
                    answer.put(message)
        with self._lock:
            waiting, self._answers = self._answers, None
        for answer in waiting.values():
            answer.put(None)
        self.events.put(None)
