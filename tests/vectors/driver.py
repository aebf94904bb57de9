"""Talks to wherry_oracle_driver: one JSON object a line, bytes as hexadecimal."""

import json
import os
import subprocess


class DriverError(Exception):
    """The driver refused a request."""


class Driver:
    def __init__(self):
        self._process = subprocess.Popen(
            [os.environ["WHERRY_ORACLE_DRIVER"]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def close(self):
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()

    def do(self, action, **parameters):
        """Returns the answer with all hexadecimal texts as bytes."""
        request = {"do": action}
        for name, value in parameters.items():
            request[name] = value.hex() if isinstance(value, bytes) else value
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise DriverError(answer["error"])
        return {
            name: bytes.fromhex(value) if isinstance(value, str) and name != "outcome" else value
            for name, value in answer.items()
        }
