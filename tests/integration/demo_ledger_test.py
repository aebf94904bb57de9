#!/usr/bin/env python3
"""The proof of the demo can fail: each thing that must not happen is counted when it does."""

import json
import os
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "samples/demo"))

from ledger import Ledger, Proof  # noqa: E402


class ProofTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def write(self, name, entries, tail=b""):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            for entry in entries:
                file.write(json.dumps(entry).encode() + b"\n")
            file.write(tail)
        return path

    def proof(self, received):
        sent = [{"intent": f"ref {body}", "body": body} for body in "abc"]
        came = [{"received": seq, "body": body} for seq, body in enumerate(received, 1)]
        return Proof(self.write("sender", sent), self.write("receiver", came))

    def test_all_is_well(self):
        proof = self.proof("abc")
        self.assertTrue(proof.holds())
        self.assertEqual(str(proof), "sent 3, received 3, lost 0, doubled 0, reordered 0")

    def test_each_fault_is_counted(self):
        for received, fault in (("ab", "lost"), ("abbc", "doubled"), ("acb", "reordered"),
                                ("abcd", "foreign"), ("", "lost")):
            proof = self.proof(received)
            self.assertFalse(proof.holds(), received)
            self.assertGreater(getattr(proof, fault), 0, received)
            self.assertFalse((self.proof("abc") + proof).holds(), received)

    def test_nothing_sent_proves_nothing(self):
        self.assertFalse(Proof(self.write("a", []), self.write("b", [])).holds())

    def test_a_ledger_is_read_back_after_a_crash(self):
        path = self.write("ledger", [{"intent": "1", "body": "a"}, {"intent": "2", "body": "b"},
                                     {"confirmed": ["1"]}, {"received": 7, "body": "x"}],
                          tail=b'{"received": 8, "bo')
        ledger = Ledger(path)
        self.addCleanup(ledger.close)
        self.assertEqual(ledger.unconfirmed(), [("2", "b")])
        self.assertEqual((ledger.last_seq, ledger.received_count), (7, 1))
        ledger.append({"confirmed": ["2"]}, {"received": 8, "body": "y"})
        self.assertEqual(ledger.unconfirmed(), [])
        again = Ledger(path)
        self.addCleanup(again.close)
        self.assertEqual((again.last_seq, again.received_count), (8, 2))


if __name__ == "__main__":
    unittest.main()
