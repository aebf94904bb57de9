#!/usr/bin/env python3
"""One person's app in a storm: it sends and receives through `wherry pipe`, and may die any time.

It keeps to the rules that wherry.h gives an app: an intent with its ref is written down before it
is sent, and sent again by the same ref until Wherry has said that it is durable; an event is
written down before it is acknowledged. When its program dies, it starts it again.

Commands come as JSON lines on standard input, reports leave as such on standard output (person.py
is the other end). FOLDER/app.json says who this is.
"""

import json
import os
import queue
import random
import sys
import threading
import time

sys.dont_write_bytecode = True

from ledger import Ledger  # noqa: E402
from listener import Listener  # noqa: E402
from pipe import CallError, NoAnswer, Pipe, PipeEnded, body_of, bytes_of  # noqa: E402
from sender import Sender  # noqa: E402
from texts import digest, number_of  # noqa: E402

RAW_KEY = 2  # WHERRY_KEY_RAW
CALL_S = 120  # an answer that takes longer, though nobody is stopped that long, never comes
BUSY = ("WHERRY_E_DISK", "WHERRY_E_LOCKED")  # reasons to try again to open the profile
PAGE = 500


class App:
    def __init__(self, folder):
        self.folder = folder
        with open(os.path.join(folder, "app.json"), encoding="utf-8") as file:
            self.settings = json.load(file)
        self.name = self.settings["name"]
        self.ledger = Ledger(self.settings["ledger"], lambda text: self.tell(violation=text))
        self.life = (self.ledger.noted("life") or 0) + 1
        self.ledger.note("life", self.life)
        self.output_lock = threading.Lock()
        self.random = random.Random(f"{self.settings['seed']}/{self.name}/{self.life}")
        self.commands = queue.SimpleQueue()
        self.counts = {"disk": 0, "again": 0, "repeated": 0, "replayed": 0, "clock": 0, "links": 0,
                       "switched": 0}
        self.sender = None
        self.pipe = None

    def tell(self, **report):
        with self.output_lock:
            sys.stdout.write(json.dumps(report) + "\n")
            sys.stdout.flush()

    def violate(self, text):
        self.ledger.violate(text)

    def run(self):
        threading.Thread(target=self._read_commands, daemon=True).start()
        threading.Thread(target=self._report, daemon=True).start()
        while not self._live():
            time.sleep(self.random.random())

    def _read_commands(self):
        for line in sys.stdin:
            self.commands.put(json.loads(line))
        self.commands.put({"do": "close"})

    def _report(self):
        while True:
            time.sleep(1)
            undelivered = self.ledger.sent_count - sum(self.ledger.delivered.values())
            self.tell(status={"sent": self.ledger.sent_count, "undelivered": undelivered,
                              "received": self.ledger.received_count}, counts=self.counts)

    # One life of the program

    def _live(self):
        """From the start of a `wherry pipe` to its end; whether that end was wanted."""
        environment = {**os.environ, **self.settings["environment"]}
        self.pipe = Pipe([self.settings["program"], "pipe"], environment,
                         os.path.join(self.folder, "pipe.log"))
        self.tell(pipe=self.pipe.process.pid)
        listener, wanted = None, False
        try:
            self.profile = self._open()
            listener = Listener(self)
            self.sender = Sender(self)
            wanted = self._work(listener)
        except PipeEnded:
            pass
        self.pipe.end_input()
        code = self.pipe.wait()
        if listener:
            listener.join()
        self.tell(ended=self.pipe.process.pid, code=code, wanted=wanted)
        return wanted

    def call(self, method, timeout_s=CALL_S, **params):
        return self.pipe.call(method, timeout_s, profile=self.profile, **params)

    def _open(self):
        """Opens the profile; an old process may still be closing it, or its disk be full."""
        method = "profile_open" if self.ledger.noted("created") else "profile_create"
        deadline = time.monotonic() + CALL_S
        while True:
            try:
                opened = self.pipe.call(method, CALL_S, path=self.settings["profile"],
                                        key=self.settings["key"], key_kind=RAW_KEY)
                self.ledger.note("created", 1)
                return opened["profile"]
            except CallError as error:
                if error.name not in BUSY or time.monotonic() > deadline:
                    self.violate(f"{method} failed: {error.name}: {error}")
                    raise PipeEnded(method) from error
                self.counts["disk"] += error.name == "WHERRY_E_DISK"
            time.sleep(0.2)

    def _work(self, listener):
        """Commands as they come, messages between them. True after `close`."""
        while True:
            try:
                command = self.commands.get_nowait()
            except queue.Empty:
                if not self.sender.send_some():
                    # Who has nothing to say does not notice otherwise that nobody listens.
                    if self.pipe.ended():
                        raise PipeEnded("idle") from None
                    time.sleep(0.02)
                continue
            try:
                if command["do"] == "close":
                    return True
                getattr(self, "do_" + command["do"])(listener, command)
            except PipeEnded:
                self.commands.put(command)  # for the next life
                raise
            except (CallError, NoAnswer) as error:
                self.violate(f"{command['do']} failed: {error}")

    # Commands

    def do_join(self, listener, command):
        """Takes part in the networks, and tells this person's card at the relay."""
        transport = self._start_transport("centralized", command["relay"])
        if not listener.online.wait(CALL_S):
            raise NoAnswer("transport_start")
        if command["other"]:
            self._start_transport(self.settings["network"], command["other"])
        self.tell(card=self.call("card_make", transport=transport, valid_s=0)["text"])

    def _start_transport(self, name, settings):
        settings = [{"name": key, "value": value} for key, value in settings.items()]
        transport = self.call("transport_add", name=name, settings=settings)["transport"]
        self.ledger.note(f"transport {transport}", name)
        self.call("transport_start", transport=transport)
        return transport

    def do_meet(self, _, command):
        """Adds the people whose cards these are."""
        for name, card in command["cards"].items():
            contact = self.call("contact_add", card=card, name=name)["contact"]
            conversation = self.call("conversation_with", contact=contact)["conversation"]
            self.ledger.note(f"contact {contact}", name)
            self.ledger.note(f"conversation {conversation}", name)
            self.ledger.note(f"talk {name}", conversation)
        self.ledger.note("peers", json.dumps(sorted(command["cards"])))
        self.tell(met=True)

    def do_send(self, _, command):
        """From now on as many messages as the plan says: see sender.py."""
        self.ledger.note("plan", json.dumps(command["plan"]))
        self.sender.plan = command["plan"]
        self.tell(planned=True)

    def do_last_words(self, *_):
        """After the plan: one message more to everybody."""
        self.sender.last_words()

    def do_history(self, _, command):
        """Writes the whole history with every peer into the ledger."""
        for peer in json.loads(self.ledger.noted("peers")):
            self.ledger.keep_history(peer, self._history(self.ledger.noted(f"talk {peer}")))
        self.tell(history=True)

    def _history(self, conversation):
        rows, at = [], "0"
        while True:
            page = self.call("history", conversation=conversation, **{"from": at}, direction=1,
                             limit=PAGE)["page"]
            for item in page:
                body = body_of(item)
                name, number = number_of(body) or ("nobody's", 0)
                rows.append((bytes_of(item["message_id"]), int(item["author"] == "0"), name,
                             number, digest(body), item["evidence"]))
            if len(page) < PAGE:
                return rows
            at = page[-1]["message"]


if __name__ == "__main__":
    App(sys.argv[1]).run()
