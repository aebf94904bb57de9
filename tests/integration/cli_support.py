"""A relay, profiles and the `wherry` program for tests of the command line.

WHERRY_PROGRAM, WHERRY_RELAY and WHERRY_HELLO name the programs; ctest sets them.
"""

import json
import os
import re
import selectors
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "samples/demo"))

from pipe_client import PipeClient, b64  # noqa: E402,F401

PROGRAM = os.environ["WHERRY_PROGRAM"]
RELAY = os.environ["WHERRY_RELAY"]
LIMIT_S = 60  # no step of a test takes so long, not even under a sanitizer
PASSPHRASE = "correct horse battery staple"

OK, USAGE, ENVIRONMENT, NOT_YET, PEER = range(5)


def first_line(process, pattern):
    """The first group of a pattern in the first line that a process prints."""
    with selectors.DefaultSelector() as waiting:
        waiting.register(process.stdout, selectors.EVENT_READ)
        if not waiting.select(timeout=LIMIT_S):
            raise AssertionError("it printed nothing")
    line = process.stdout.readline()
    line = line if isinstance(line, str) else line.decode()
    found = re.search(pattern, line)
    if not found:
        raise AssertionError(f"unexpected: {line!r}")
    return found.group(1)


class CliTest(unittest.TestCase):
    """One relay for all tests of a class; profiles of its own for each test."""

    @classmethod
    def setUpClass(cls):
        cls.relay_folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.relay_folder.cleanup)
        cls.relay = subprocess.Popen(
            [RELAY, "--data", os.path.join(cls.relay_folder.name, "data"),
             "--listen", "127.0.0.1:0"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        cls.addClassCleanup(cls.stop_relay)
        cls.endpoint = first_line(cls.relay, r"(wr1:\S+)")

    @classmethod
    def stop_relay(cls):
        cls.relay.send_signal(signal.SIGTERM)
        try:
            cls.relay.wait(timeout=LIMIT_S)
        finally:
            cls.relay.kill()
            cls.relay.stdout.close()

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def environment(self, passphrase=PASSPHRASE):
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith(("WHERRY_", "XDG_"))}
        kept["HOME"] = str(self.folder)
        if passphrase is not None:
            kept["WHERRY_PASSPHRASE"] = passphrase
        return kept

    def arguments(self, who, command, *rest):
        words = command.split()
        return [PROGRAM, *words, "--profile", str(self.folder / who), *rest]

    def wherry(self, who, command, *rest, code=OK, passphrase=PASSPHRASE, stdin=""):
        """Runs a command for a person to its end; what it printed."""
        done = subprocess.run(self.arguments(who, command, *rest), input=stdin, text=True,
                              capture_output=True, timeout=LIMIT_S, start_new_session=True,
                              env=self.environment(passphrase))
        self.assertEqual(done.returncode, code, f"{command}: {done.stdout}{done.stderr}")
        return done.stdout if code == OK else done.stdout + done.stderr

    def wherry_json(self, who, command, *rest, code=OK):
        text = self.wherry(who, command, "--json", *rest, code=code)
        return [json.loads(line) for line in text.splitlines()]

    def start(self, who, command, *rest):
        """Starts a command that goes on; it is killed at the end of the test if need be."""
        process = subprocess.Popen(self.arguments(who, command, *rest), stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, text=True,
                                   env=self.environment())
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
            process.wait()
        process.stdout.close()

    def init(self, *people):
        for who in people:
            self.wherry(who, "init", "--relay", self.endpoint)

    def pipe(self):
        client = PipeClient(PROGRAM, subprocess.DEVNULL)
        self.addCleanup(self.end_pipe, client)
        return client

    @staticmethod
    def end_pipe(client):
        if client.process.poll() is None:
            client.kill()
        client.process.stdin.close()
        client.process.stdout.close()
