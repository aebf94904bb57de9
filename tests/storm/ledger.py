"""What an app writes down for itself: an SQLite file that survives the death of the app.

It is not synchronised with the disk: a storm kills processes, not the machine. Every promise is
counted from ledgers alone (proof.py), and those that can be checked at once are checked when they
are written: they become rows of `violation`.
"""

import hashlib
import json
import sqlite3
import threading

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sent(reader TEXT, number INTEGER, ref BLOB, digest BLOB,
  PRIMARY KEY(reader, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS confirmed(reader TEXT PRIMARY KEY, number INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS event(seq INTEGER PRIMARY KEY, digest BLOB);
CREATE TABLE IF NOT EXISTS received(seq INTEGER PRIMARY KEY, author TEXT, message_id BLOB,
  direction TEXT, number INTEGER, digest BLOB, transport TEXT);
CREATE TABLE IF NOT EXISTS evidence(message INTEGER PRIMARY KEY, reader TEXT, evidence INTEGER);
CREATE TABLE IF NOT EXISTS history(peer TEXT, place INTEGER, message_id BLOB, own INTEGER,
  direction TEXT, number INTEGER, digest BLOB, evidence INTEGER, PRIMARY KEY(peer, place));
CREATE TABLE IF NOT EXISTS violation(text TEXT);
"""
DELIVERED, READ = 3, 4


class Ledger:
    """An open ledger; any thread may use it. `with ledger:` is one transaction."""

    def __init__(self, path, alarm=lambda text: None):
        """alarm(text) is called for each violation, beside its row."""
        self._alarm = alarm
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;" + SCHEMA)
        self.last_seq = self.value("SELECT max(seq) FROM event") or 0
        self.received_count = self.value("SELECT count(*) FROM received")
        self.sent_count = self.value("SELECT count(*) FROM sent")
        self.delivered = dict(self.rows(
            "SELECT reader, count(*) FROM evidence WHERE evidence IN (3, 4) GROUP BY reader"))

    def __enter__(self):
        self._lock.acquire()
        self._db.execute("BEGIN")
        return self

    def __exit__(self, kind, *_):
        self._db.execute("ROLLBACK" if kind else "COMMIT")
        self._lock.release()

    def rows(self, sql, *values):
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def value(self, sql, *values):
        row = self.rows(sql, *values)
        return row[0][0] if row else None

    def note(self, name, value):
        self.rows("INSERT OR REPLACE INTO meta VALUES(?, ?)", name, value)

    def noted(self, name):
        return self.value("SELECT value FROM meta WHERE name = ?", name)

    def violate(self, text):
        self.rows("INSERT INTO violation VALUES(?)", text)
        self._alarm(text)

    # What I send

    def intend(self, reader, messages):
        """(number, ref, digest) of what is about to be sent, before it is."""
        with self:
            self._db.executemany("INSERT INTO sent VALUES(?, ?, ?, ?)",
                                 [(reader, *message) for message in messages])
        self.sent_count += len(messages)

    def last_intended(self, reader):
        return self.value("SELECT max(number) FROM sent WHERE reader = ?", reader) or 0

    def last_confirmed(self, reader):
        return self.value("SELECT number FROM confirmed WHERE reader = ?", reader) or 0

    def confirm(self, reader, number):
        self.rows("INSERT OR REPLACE INTO confirmed VALUES(?, ?)", reader, number)

    # What comes. All within one `with ledger:` with the other events of a batch.

    def take_event(self, event, last_of_life):
        """Notes a durable event; False if it was noted before, as a replay is."""
        seq = int(event["seq"])
        if seq <= last_of_life:
            self.violate(f"event {seq} came after {last_of_life} in one life of the program")
        mark = hashlib.blake2b(json.dumps(event, sort_keys=True).encode(), digest_size=12).digest()
        known = self.value("SELECT digest FROM event WHERE seq = ?", seq)
        if known is not None:
            if known != mark:
                self.violate(f"event {seq} was reused for something else: {str(event)[:300]}")
            return False
        if seq < self.last_seq:
            self.violate(f"event {seq} is new, but {self.last_seq} has come already")
        self.last_seq = max(self.last_seq, seq)
        self.rows("INSERT INTO event VALUES(?, ?)", seq, mark)
        return True

    def take_message(self, seq, author, message_id, direction, number, digest,
                     transport):
        self.rows("INSERT INTO received VALUES(?, ?, ?, ?, ?, ?, ?)", seq, author, message_id,
                  direction, number, digest, transport)
        self.received_count += 1

    def take_evidence(self, reader, message, evidence):
        """Evidence only rises, and nothing of a storm may end in any other way than delivered."""
        before = self.value("SELECT evidence FROM evidence WHERE message = ?", message)
        if before is not None and evidence < before:
            self.violate(f"the evidence of message {message} fell from {before} to {evidence}")
        if evidence > READ:
            self.violate(f"message {message} ended with evidence {evidence}")
        self.rows("INSERT OR REPLACE INTO evidence VALUES(?, ?, ?)", message, reader, evidence)
        if evidence in (DELIVERED, READ) and before not in (DELIVERED, READ):
            self.delivered[reader] = self.delivered.get(reader, 0) + 1

    # What Wherry says at the end

    def keep_history(self, peer, rows):
        """Rows of (message id, 1 if I wrote it, direction, number, digest, evidence), in order."""
        with self:
            self._db.execute("DELETE FROM history WHERE peer = ?", (peer,))
            self._db.executemany("INSERT INTO history VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
                                 [(peer, place, *row) for place, row in enumerate(rows)])

    def close(self):
        with self._lock:
            self._db.close()
