"""The part of an app that takes events: each is written down before its number is acknowledged.

Acknowledgements are sent without waiting for their answer, and in some lives late, so that a death
leaves many events to be repeated.
"""

import queue
import threading
import time

from pipe import PipeEnded, body_of, bytes_of
from texts import digest, number_of

MESSAGE, EVIDENCE, SECURITY, TRANSPORT, STORAGE = 1, 2, 5, 6, 7  # WHERRY_EVENT_*
ONLINE = 2  # WHERRY_TRANSPORT_STATE_ONLINE
REASON_DISK = 24
BATCH = 512  # events in one transaction of the ledger
AHEAD_MS, BEHIND_MS = 1000, 60_000  # no honest clock differs so much from the app's own


class Listener:
    """Reads the events of one life of the program, on a thread of its own, until they end."""

    def __init__(self, app):
        self.app, self.ledger = app, app.ledger
        self.online = threading.Event()
        self.lazy_s = app.random.choice((0, 0, 0.5, 5))
        self._last = 0  # the newest of this life
        self._acknowledged, self._acknowledged_at = 0, time.monotonic()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def join(self):
        self._thread.join()

    def _listen(self):
        while True:
            batch, ended = self._drain()
            with self.ledger:
                for method, event in batch:
                    self._take(method, event)
            if ended:
                return
            self._acknowledge()

    def _drain(self):
        """What is there, at least one unless an acknowledgement is due; and whether that is all."""
        batch, wait_s = [], self.lazy_s if self._last > self._acknowledged else None
        try:
            batch.append(self.app.pipe.events.get(timeout=wait_s))
            while len(batch) < BATCH and batch[-1] is not None:
                batch.append(self.app.pipe.events.get_nowait())
        except queue.Empty:
            pass
        if batch and batch[-1] is None:
            return batch[:-1], True
        return batch, False

    def _take(self, method, event):
        counts = self.app.counts
        if method == "event_error":
            name = event["data"]["name"]
            counts["disk"] += name == "WHERRY_E_DISK"
            if name != "WHERRY_E_DISK":
                self.ledger.violate(f"events can not be read: {name}: {event['message']}")
            return
        kind, seq = event["type"], int(event["seq"])
        if kind == TRANSPORT and event["state"] == ONLINE:
            self.online.set()
            counts["links"] += 1
        elif kind == STORAGE:
            counts["disk"] += event["reason"] == REASON_DISK
        if seq == 0:
            return
        is_new = self.ledger.take_event(event, self._last)
        self._last = max(self._last, seq)
        if not is_new:
            counts["replayed"] += 1
        elif kind == MESSAGE:
            self._take_message(seq, event)
        elif kind == EVIDENCE:
            reader = self.ledger.noted(f"conversation {event['conversation']}")
            self.ledger.take_evidence(reader, int(event["message"]), event["evidence"])
        elif kind == SECURITY:
            self.ledger.violate(f"a security event, though nobody attacks: {event}")

    def _take_message(self, seq, event):
        body = body_of(event)
        direction, number = number_of(body) or ("nobody's", 0)
        author = self.ledger.noted(f"contact {event['author']}")
        if direction != f"{author} to {self.app.name}":
            self.ledger.violate(f"event {seq}: {author} wrote what is {direction}: {body[:60]!r}")
        transport = self.ledger.noted(f"transport {event['transport']}")
        if transport is None:
            self.ledger.violate(f"event {seq} came by no network of ours: {event['transport']}")
        self.ledger.take_message(seq, author, bytes_of(event["message_id"]), direction, number,
                                 digest(body), transport or "nowhere")
        apart_ms = int(event["received_ms"]) - time.time() * 1000
        self.app.counts["clock"] += apart_ms > AHEAD_MS or apart_ms < -BEHIND_MS

    def _acknowledge(self):
        now = time.monotonic()
        if self._last <= self._acknowledged or now < self._acknowledged_at + self.lazy_s:
            return
        self._acknowledged, self._acknowledged_at = self._last, now
        seq = self._last
        try:
            self.app.pipe.post("event_ack", [{"profile": self.app.profile, "seq": str(seq)}],
                               lambda answer: self._answered(seq, answer))
        except PipeEnded:
            pass  # the end of the events follows

    def _answered(self, seq, answer):
        if answer is not None and "error" in answer:
            self.app.violate(f"event_ack of {seq} failed: {answer['error']}")
