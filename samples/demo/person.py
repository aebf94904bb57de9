"""An app for one person: a `wherry pipe` process, a profile, and a ledger.

The app may die at any moment. It keeps to two rules, and they are all it needs to lose and double
nothing: write an intent with its ref before sending, and send again by ref what was not confirmed;
write an event with its seq before acknowledging, and pass over a seq that is written already.
"""

import base64
import os
import queue
import threading
import time

from ledger import Ledger
from pipe_client import CallError, PipeClient, PipeEnded, b64

TEXT = 1  # WHERRY_CONTENT_TEXT
PASSPHRASE = 1  # WHERRY_KEY_PASSPHRASE
MESSAGE, EVIDENCE, CONTACT, TRANSPORT = 1, 2, 4, 6  # WHERRY_EVENT_*
ONLINE, REQUEST, DELIVERED = 2, 2, 3
BATCH = 8  # messages between two waits for the disk


class Person:
    def __init__(self, name, folder, program):
        self.name = name
        self.program = program
        self.profile_path = os.path.join(folder, name)
        self.ledger_path = os.path.join(folder, f"{name}.ledger")
        self.log_path = os.path.join(folder, f"{name}.log")
        self.key = b64(f"the passphrase of {name}".encode())
        self.transports = {}  # id -> name
        self.online_times = {}  # name of a transport -> its [from, to], None: still (perf_counter)
        self.arrivals = []  # (when, body, name of the transport) of each message
        self.sent_at = {}  # body -> when it was first handed over
        self.pipe = None

    # Life

    def start(self, create=False):
        """Starts the program with what the disk has; nothing is left in memory from before."""
        self.ledger = Ledger(self.ledger_path)
        self.delivered = {}  # message id -> when its delivery was known
        self.starting = {}  # name of a transport -> (percent, phase), while it is not online
        self.arrived = queue.Queue()  # (when, body) of new messages
        with open(self.log_path, "ab") as log:
            self.pipe = PipeClient(self.program, log)
        method = "profile_create" if create else "profile_open"
        opened = self.pipe.call(method, path=self.profile_path, key=self.key, key_kind=PASSPHRASE)
        self.profile = opened["profile"]
        self.listener = threading.Thread(target=self._listen, daemon=True)
        self.listener.start()

    def kill(self, user):
        """SIGKILL; `user` is the thread that was sending, which notices and ends."""
        self.pipe.kill()
        user.join()
        self._leave()

    def close(self):
        code = self.pipe.close()
        self._leave()
        return code

    def _leave(self):
        self.listener.join()
        self.ledger.close()
        for name in filter(self._is_online, self.online_times):
            self.online_times[name][-1][1] = time.perf_counter()

    def call(self, method, **params):
        return self.pipe.call(method, profile=self.profile, **params)

    # People

    def join_relay(self, endpoint, settings):
        transport = self._start_transport("centralized", relay=endpoint, **settings)
        self.wait_online("centralized", 20)
        return self.call("card_make", transport=transport, valid_s=0)["text"]

    def listen(self, port, reached_at):
        """Direct links: contacts are told of the port `reached_at`, which leads here."""
        # Addresses of this machine are not dialled unless one says so.
        self._start_transport("p2p", listen=f"127.0.0.1:{port}",
                              advertise=f"127.0.0.1:{reached_at}", allow="127.0.0.0/8")

    def find_neighbours(self):
        """Direct links with whoever is on the same network."""
        self._start_transport("p2p", lan="on")

    def start_onion(self, folder, torrc):
        """Onion services, over the Tor network of this torrc; tor's state lies in the folder."""
        self._start_transport("onion", folder=folder, torrc=torrc)

    def wait_online(self, name, limit_s, tell=lambda percent, phase: None):
        """Waits until that transport works."""
        deadline = time.monotonic() + limit_s
        while not self._is_online(name):
            percent, phase = self.starting.get(name, (0, "not started"))
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.name} does not reach the network {name}: {phase}")
            tell(percent, phase)
            time.sleep(0.02)

    def _start_transport(self, name, **settings):
        settings = [{"name": key, "value": value} for key, value in settings.items()]
        transport = self.call("transport_add", name=name, settings=settings)["transport"]
        self.transports[transport] = name
        self.call("transport_start", transport=transport)
        return transport

    def add(self, card, name):
        contact = self.call("contact_add", card=card, name=name)["contact"]
        self.conversation = self.call("conversation_with", contact=contact)["conversation"]

    def move_to(self, route):
        """From now on by this network; the other person follows."""
        self.call("conversation_set_route", conversation=self.conversation, route=route)

    # Messages

    def say(self, body):
        """One message, durable on return: its id and when it was begun and done."""
        ref = os.urandom(16)
        self.ledger.append({"intent": b64(ref), "body": body})
        begun = self.sent_at[body] = time.perf_counter()
        sent = self.call("send", conversation=self.conversation, ref=b64(ref), content=TEXT,
                         body=b64(body.encode()))
        done = time.perf_counter()
        self.ledger.append({"confirmed": [b64(ref)]})
        return sent["message"], begun, done

    def stream(self, bodies, until):
        """Many messages, in order and evenly until then (time.perf_counter).

        Ends early, with False, when the program dies.
        """
        began = time.perf_counter()
        try:
            for at in range(0, len(bodies), BATCH):
                time.sleep(max(0, began + (until - began) * at / len(bodies) - time.perf_counter()))
                batch = [(b64(os.urandom(16)), body) for body in bodies[at:at + BATCH]]
                self.ledger.append(*({"intent": ref, "body": body} for ref, body in batch))
                self._submit(batch)
        except PipeEnded:
            return False
        return True

    def send_unconfirmed(self):
        """After a crash: what the ledger does not know to be durable, by the same refs."""
        left = self.ledger.unconfirmed()
        if left:
            self._submit(left)
        return len(left)

    def _submit(self, batch):
        for ref, body in batch:
            self.sent_at.setdefault(body, time.perf_counter())
            while True:
                try:
                    self.call("submit", conversation=self.conversation, ref=ref, content=TEXT,
                              body=b64(body.encode()))
                    break
                except CallError as error:
                    if error.name != "WHERRY_E_AGAIN":
                        raise
                    self.call("sync", timeout_ms=10_000)
        self.call("sync", timeout_ms=10_000)
        self.ledger.append({"confirmed": [ref for ref, _ in batch]})

    # Events

    def _listen(self):
        """Takes events as they come; one fsync and one acknowledgement for all that are there."""
        while True:
            ended, batch = self._drain()
            new = [(when, event) for when, event in batch
                   if event["type"] == MESSAGE and int(event["seq"]) > self.ledger.last_seq]
            if new:
                self.ledger.append(*({"received": int(event["seq"]), "body": body_of(event)}
                                     for _, event in new))
            for when, event in new:
                body = body_of(event)
                self.arrivals.append((when, body, self.transports[event["transport"]]))
                self.arrived.put((when, body))
            try:
                self._react(batch)
            except PipeEnded:
                ended = True
            if ended:
                return

    def _drain(self):
        batch = [self.pipe.events.get()]
        while len(batch) < 256 and batch[-1] is not None:
            try:
                batch.append(self.pipe.events.get_nowait())
            except queue.Empty:
                break
        ended = batch[-1] is None
        return ended, batch[:-1] if ended else batch

    def _react(self, batch):
        last = 0
        for when, event in batch:
            last = max(last, int(event["seq"]))
            if event["type"] == EVIDENCE and int(event["evidence"]) >= DELIVERED:
                self.delivered[event["message"]] = when
            elif event["type"] == TRANSPORT:
                self._note_state(when, event)
            elif event["type"] == CONTACT and int(event["state"]) == REQUEST:
                self.call("contact_accept", contact=event["contact"], name="a friend")
                self.conversation = event["conversation"]
        if last:
            self.call("event_ack", seq=str(last))

    def _is_online(self, name):
        times = self.online_times.get(name)
        return bool(times) and times[-1][1] is None

    def _note_state(self, when, event):
        name = self.transports[event["transport"]]
        is_online, was_online = int(event["state"]) == ONLINE, self._is_online(name)
        if is_online and not was_online:
            self.online_times.setdefault(name, []).append([when, None])
        elif not is_online:
            self.starting[name] = (event["percent"], event["phase"])
            if was_online:
                self.online_times[name][-1][1] = when


def body_of(event):
    return event["text"] if "text" in event else base64.b64decode(event["body"]).decode()
