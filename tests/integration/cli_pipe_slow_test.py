#!/usr/bin/env python3
"""`wherry pipe` with a client that reads little: nothing hangs, nothing grows, nothing is lost."""

import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import termios
import threading
import time
import unittest
from pathlib import Path

from cli_support import CliTest, LIMIT_S, PASSPHRASE, PROGRAM, PipeClient, b64

KEY = b64(PASSPHRASE.encode())
EVENTS = 2000  # of a profile that nobody acknowledged; in all more bytes than any buffer has
F_SETPIPE_SZ = 1031
PIPE_BYTES = 4096
SETTLE_S = 0.5
READ_AHEAD = 64 * 2  # events that the library may have read from the disk
EVENTS_BYTES = 4 << 10  # as in pipe_writer.h
ANSWERS_BYTES = 4 << 20
ENVIRONMENT = 2


class SimpleClient:
    """One thread, small pipes, and no queue: what is not read stays where it is."""

    def __init__(self, test):
        self.process = subprocess.Popen([PROGRAM, "pipe"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        for end in (self.process.stdin, self.process.stdout):
            fcntl.fcntl(end, F_SETPIPE_SZ, PIPE_BYTES)
        self._last_id = 0
        watch = threading.Timer(LIMIT_S, self.process.kill)  # what hangs is read to its end
        watch.start()
        test.addCleanup(self._end, watch)

    def ask(self, method, **params):
        self._last_id += 1
        self.process.stdin.write((json.dumps({"jsonrpc": "2.0", "id": self._last_id,
                                              "method": method, "params": params})
                                  + "\n").encode())
        self.process.stdin.flush()
        return self._last_id

    def read(self):
        """The next object; None at the end."""
        line = self.process.stdout.readline()
        return json.loads(line) if line.endswith(b"\n") else None

    def open(self, path):
        self.ask("profile_open", path=str(path), key=KEY, key_kind=1)
        return self.read()["result"]["profile"]

    def wait_full(self):
        """Until there are events, and for a while no more: the program has nowhere to write to."""
        before, now = 0, self._unread()
        while now == 0 or now != before:
            time.sleep(SETTLE_S)
            before, now = now, self._unread()

    def _unread(self):
        count = bytearray(4)
        fcntl.ioctl(self.process.stdout, termios.FIONREAD, count)
        return int.from_bytes(count, "little")

    def _end(self, watch):
        self.process.kill()
        self.process.wait()
        watch.cancel()
        self.process.stdout.close()
        try:
            self.process.stdin.close()
        except OSError:
            pass  # what was buffered has nowhere to go


class SlowClientTest(CliTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.full = Path(cls.relay_folder.name) / "full"
        cls.last_seq = cls.fill(cls.full)

    @classmethod
    def fill(cls, path):
        """Makes a profile with events that wait; the seq of the last."""
        client = PipeClient(PROGRAM, subprocess.DEVNULL)
        profiles = []
        for place in (path, path.with_name("sender")):
            profile = client.call("profile_create", path=str(place), key=KEY, key_kind=1)["profile"]
            transport = client.call("transport_add", profile=profile, name="centralized", settings=[
                {"name": "relay", "value": cls.endpoint}])["transport"]
            client.call("transport_start", profile=profile, transport=transport)
            cls.await_event(client, lambda e: e["type"] == 6 and int(e["state"]) == 2)
            profiles.append((profile, transport))
        (alice, leads_to_alice), (bob, _) = profiles
        card = client.call("card_make", profile=alice, transport=leads_to_alice, valid_s=0)["text"]
        contact = client.call("contact_add", profile=bob, card=card, name="Alice")["contact"]
        there = client.call("conversation_with", profile=bob, contact=contact)["conversation"]

        def submit():
            client.call("submit", profile=bob, conversation=there, ref=b64(os.urandom(16)),
                        content=1, body=b64(b"hello"))

        submit()
        asked = cls.await_event(client, lambda e: e["type"] == 4 and int(e["state"]) == 2)
        client.call("contact_accept", profile=alice, contact=asked["contact"], name=None)
        for number in range(1, EVENTS):
            submit()
            if number % 100 == 0:
                client.call("sync", profile=bob, timeout_ms=LIMIT_S * 1000)
        for _ in range(EVENTS):
            last = cls.await_event(client, lambda e: e["type"] == 1)
        client.close()
        client.process.stdout.close()
        return int(last["seq"])

    @staticmethod
    def await_event(client, wanted):
        while True:
            _, event = client.events.get(timeout=LIMIT_S)
            if wanted(event):
                return event

    def opened(self):
        """A client that has opened a copy of the profile, and the profile."""
        path = self.folder / "alice"
        shutil.copytree(self.full, path)
        client = SimpleClient(self)
        return client, client.open(path)

    def test_a_client_of_one_thread_acknowledges_each_event(self):
        client, profile = self.opened()
        messages, acknowledged = 0, 0
        while acknowledged < EVENTS:
            said = client.read()
            self.assertIsNotNone(said, f"it hung at message {messages}, answer {acknowledged}")
            if "id" in said:
                self.assertIn("result", said)
                acknowledged += 1
            elif said["params"]["event"]["type"] == 1:
                messages += 1
                client.ask("event_ack", profile=profile, seq=said["params"]["event"]["seq"])
        client.process.stdin.close()
        self.assertEqual(client.process.wait(timeout=LIMIT_S), 0)

    def test_a_signal_ends_it_while_nobody_reads(self):
        client, _ = self.opened()
        client.wait_full()
        client.process.send_signal(signal.SIGTERM)
        self.assertEqual(client.process.wait(timeout=LIMIT_S), ENVIRONMENT)

    def test_the_end_of_the_input_ends_it_while_nobody_reads(self):
        client, _ = self.opened()
        client.wait_full()
        client.process.stdin.close()
        self.assertEqual(client.process.wait(timeout=LIMIT_S), ENVIRONMENT)

    def test_a_profile_is_closed_while_nobody_reads(self):
        client, profile = self.opened()
        client.wait_full()
        close = client.ask("close", profile=profile)
        again = client.ask("profile_open", path=str(self.folder / "alice"), key=KEY, key_kind=1)
        answers = {}
        while again not in answers:
            said = client.read()
            self.assertIsNotNone(said, "it hung")
            if "id" in said:
                answers[said["id"]] = said
        self.assertIn("result", answers[close])
        self.assertIn("result", answers[again])

    def test_events_wait_in_the_profile(self):
        client, profile = self.opened()
        client.wait_full()
        client.ask("event_ack", profile=profile, seq=str(self.last_seq))
        end = client.ask("close", profile=profile)
        sizes = []
        while (said := client.read()).get("id") != end:
            sizes.append(len(json.dumps(said)))
        # What was taken before they were all acknowledged at once, and no more.
        self.assertLess(sum(sizes[READ_AHEAD:]), EVENTS_BYTES + PIPE_BYTES)

    def test_requests_are_read_while_nobody_reads_answers_up_to_a_limit(self):
        client = SimpleClient(self)
        stdin = client.process.stdin.fileno()
        os.set_blocking(stdin, False)
        asked, size = 0, 0
        while size < 4 * ANSWERS_BYTES and select.select([], [stdin], [], 2)[1]:
            line = f'{{"jsonrpc":"2.0","id":{asked},"method":"version"}}\n'.encode()
            os.write(stdin, line)  # so short a line is written as a whole
            asked, size = asked + 1, size + len(line)
        self.assertGreater(size, ANSWERS_BYTES / 4)
        self.assertLess(size, 4 * ANSWERS_BYTES)
        for number in range(asked):  # none is lost
            self.assertEqual(client.read()["id"], number)
        client.process.stdin.close()
        self.assertEqual(client.process.wait(timeout=LIMIT_S), 0)

    def test_a_client_that_goes_away_with_requests_that_nobody_took(self):
        client = SimpleClient(self)
        stdin = client.process.stdin.fileno()
        os.set_blocking(stdin, False)
        while select.select([], [stdin], [], 2)[1]:
            os.write(stdin, b'{"jsonrpc":"2.0","id":1,"method":"version"}\n')
        client.process.stdin.close()
        self.assertEqual(client.process.wait(timeout=LIMIT_S), ENVIRONMENT)


if __name__ == "__main__":
    unittest.main()
