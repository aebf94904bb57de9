"""A client of `wherry pipe` that can leave a call unanswered and write many at once.

A storm needs what a plain client does not: a time-out for a process that was stopped, batches in
one write, and acknowledgements that nobody waits for. Answers come in the order of the calls.
"""

import base64
import json
import queue
import subprocess
import threading


class CallError(Exception):
    """A call failed: `name` is the status in C, such as WHERRY_E_DISK."""

    def __init__(self, method, error):
        super().__init__(f"{method}: {error['message']}")
        self.name = (error.get("data") or {}).get("name", str(error["code"]))


class PipeEnded(Exception):
    """The program is gone; what was asked may or may not have been done."""


class NoAnswer(Exception):
    """No answer in time; what was asked may still be done."""


def b64(data):
    return base64.b64encode(data).decode()


def bytes_of(text):
    return base64.b64decode(text)


def body_of(item):
    """The body of an event or of a message of a page, as bytes."""
    return item["text"].encode() if "text" in item else bytes_of(item["body"])


class Pipe:
    """One process. Any thread may call; one reads events until they end with None."""

    def __init__(self, command, environment, log_path):
        with open(log_path, "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=log, env=environment, bufsize=1 << 16)
        self.events = queue.SimpleQueue()  # ("event" or "event_error", its object); None at the end
        self._answers = {}  # id -> function that takes the response, or None when there is none
        self._answers_lock = threading.Lock()
        self._write_lock = threading.Lock()
        self._last_id = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def post(self, method, batch, on_answer):
        """Writes calls with these parameters; on_answer(response) is called for each, later."""
        lines = []
        with self._answers_lock:
            if self._answers is None:
                raise PipeEnded(method)
            for params in batch:
                self._last_id += 1
                self._answers[self._last_id] = on_answer
                lines.append(json.dumps({"jsonrpc": "2.0", "id": self._last_id, "method": method,
                                         "params": params}))
        try:
            with self._write_lock:
                self.process.stdin.write(("\n".join(lines) + "\n").encode())
                self.process.stdin.flush()
        except (OSError, ValueError) as error:
            raise PipeEnded(method) from error

    def call_all(self, method, batch, timeout_s):
        """All of them in one write; raises the first error, after all have been answered."""
        answers = queue.SimpleQueue()
        self.post(method, batch, answers.put)
        results, failed = [], None
        for _ in batch:
            try:
                response = answers.get(timeout=timeout_s)
            except queue.Empty as error:
                raise NoAnswer(method) from error
            if response is None:
                raise PipeEnded(method)
            if "error" in response:
                failed = failed or CallError(method, response["error"])
            else:
                results.append(response["result"])
        if failed:
            raise failed
        return results

    def call(self, method, timeout_s, **params):
        return self.call_all(method, [params], timeout_s)[0]

    def ended(self):
        """Whether it wrote its last word."""
        return not self._reader.is_alive()

    def end_input(self):
        """What an orderly program does last: it closes its profiles and ends."""
        with self._write_lock:
            try:
                self.process.stdin.close()
            except OSError:
                pass  # it is dead already, and what was buffered has nowhere to go

    def wait(self):
        """Waits until the process is gone and everything it wrote was read: its exit code."""
        code = self.process.wait()
        self._reader.join()
        return code

    def _read(self):
        for line in self.process.stdout:
            if not line.endswith(b"\n"):
                break  # cut off by the death of the program
            message = json.loads(line)
            method = message.get("method")
            if method is not None:
                kind = "error" if method == "event_error" else "event"
                self.events.put((method, message["params"][kind]))
                continue
            with self._answers_lock:
                on_answer = self._answers.pop(message["id"])
            on_answer(message)
        with self._answers_lock:
            waiting, self._answers = self._answers, None
        for on_answer in waiting.values():
            on_answer(None)
        self.events.put(None)
