"""What an app writes down for itself, and the proof that is counted from nothing else.

A ledger is a file of JSON lines, each safe on disk (fsync) before the app goes on:
  {"intent": ref, "body": text}     the app decided to send this
  {"confirmed": [ref, ...]}         wherry has said that these are durable
  {"received": seq, "body": text}   an event came; written before it is acknowledged
"""

import json
import os
import threading


class Ledger:
    """An open ledger; any thread may append."""

    def __init__(self, path):
        self.path = path
        self._lock = threading.Lock()
        self.intents = {}  # ref -> body, in the order of sending
        self.confirmed = set()
        self.last_seq = 0
        self.received_count = 0
        whole = 0
        for line in lines(path):
            self._take(json.loads(line))
            whole += len(line)
        self._file = open(path, "ab")
        self._file.truncate(whole)  # away with a line that a crash cut off

    def append(self, *entries):
        """Writes entries and waits for the disk."""
        with self._lock:
            for entry in entries:
                self._file.write(json.dumps(entry).encode() + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())
            for entry in entries:
                self._take(entry)

    def unconfirmed(self):
        return [(ref, body) for ref, body in self.intents.items() if ref not in self.confirmed]

    def close(self):
        self._file.close()

    def _take(self, entry):
        if "intent" in entry:
            self.intents[entry["intent"]] = entry["body"]
        elif "confirmed" in entry:
            self.confirmed.update(entry["confirmed"])
        else:
            self.last_seq = max(self.last_seq, entry["received"])
            self.received_count += 1


def lines(path):
    """The whole lines of a ledger; a last one that a crash cut off is left out."""
    if not os.path.exists(path):
        return []
    with open(path, "rb") as file:
        return [line for line in file if line.endswith(b"\n")]


def read(path):
    return [json.loads(line) for line in lines(path)]


class Proof:
    """Counts of one direction: what one ledger says was sent, against what the other received."""

    def __init__(self, sender_path, receiver_path):
        sent = [entry["body"] for entry in read(sender_path) if "intent" in entry]
        received = [entry["body"] for entry in read(receiver_path) if "received" in entry]
        place = {body: position for position, body in enumerate(sent)}
        if len(place) != len(sent):
            raise ValueError("two bodies are equal: the proof could not tell them apart")
        self.sent = len(sent)
        self.received = len(received)
        self.doubled = len(received) - len(set(received))
        self.lost = len(set(sent) - set(received))
        self.foreign = len(set(received) - set(sent))
        places = [place[body] for body in received if body in place]
        self.reordered = sum(1 for a, b in zip(places, places[1:]) if b < a)

    def holds(self):
        return self.sent > 0 and not (self.lost or self.doubled or self.reordered or self.foreign)

    def __add__(self, other):
        total = object.__new__(Proof)
        for name in ("sent", "received", "lost", "doubled", "reordered", "foreign"):
            setattr(total, name, getattr(self, name) + getattr(other, name))
        return total

    def __str__(self):
        text = (f"sent {self.sent}, received {self.received}, lost {self.lost}, "
                f"doubled {self.doubled}, reordered {self.reordered}")
        return text + (f", never sent {self.foreign}" if self.foreign else "")
