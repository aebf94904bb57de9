#!/usr/bin/env python3
"""The proof of a storm can fail: each thing that must not happen is found when it does."""

import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

from ledger import Ledger  # noqa: E402
from proof import Way, histories  # noqa: E402
from texts import BODY_SIZE_MAX, Direction, number_of  # noqa: E402

COUNT = 5
THERE, BACK = Direction(1, "alice", "bob"), Direction(1, "bob", "alice")


def message_id(direction, number):
    return b"id" + direction.ref(number)[2:]


def evidence_event(seq, message, evidence):
    return {"seq": str(seq), "type": 2, "message": str(message), "evidence": evidence}


class StormLedgers(unittest.TestCase):
    """Two people who have sent each other five messages; all is well."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.alice = self.ledger(folder.name, "alice")
        self.bob = self.ledger(folder.name, "bob")
        for mine, theirs, direction, name, peer in (
                (self.alice, self.bob, THERE, "alice", "bob"),
                (self.bob, self.alice, BACK, "bob", "alice")):
            mine.intend(peer, [(number, direction.ref(number), direction.digest(number))
                               for number in range(1, COUNT + 1)])
            for number in range(1, COUNT + 1):
                self.receive(theirs, name, direction, number, seq=number)
                mine.take_evidence(peer, number, 3)
        self.alice.keep_history("bob", self.history(own=THERE))
        self.bob.keep_history("alice", self.history(own=BACK))

    def ledger(self, folder, name):
        ledger = Ledger(os.path.join(folder, name))
        self.addCleanup(ledger.close)
        return ledger

    @staticmethod
    def receive(ledger, author, direction, number, seq, body=None,
                transport="centralized"):
        ledger.take_message(seq, author, message_id(direction, number), direction.name, number,
                            direction.digest(number) if body is None else body, transport)

    @staticmethod
    def history(own):
        return [(message_id(direction, number), int(direction is own), direction.name, number,
                 direction.digest(number), 3 if direction is own else 0)
                for number in range(1, COUNT + 1) for direction in (THERE, BACK)]

    def violations(self):
        return (Way(self.alice, self.bob, "alice", "bob").violations() +
                Way(self.bob, self.alice, "bob", "alice").violations() +
                histories(self.alice, self.bob, "alice", "bob"))

    def assert_found(self, *words):
        found = self.violations()
        for word in words:
            self.assertTrue(any(word in text for text in found), f"{word} is not in {found}")


class ProofTest(StormLedgers):
    def test_all_is_well(self):
        self.assertEqual(self.violations(), [])
        self.assertEqual(str(Way(self.alice, self.bob, "alice", "bob")),
                         "alice to bob: sent 5, received 5, lost 0, doubled 0, reordered 0, "
                         "altered 0")

    def test_moves_are_counted_and_must_have_been(self):
        way = Way(self.alice, self.bob, "alice", "bob")
        often = COUNT / 10
        self.assertEqual(way.did_not_move(often), ["alice to bob: all of it came by centralized"])
        self.assertEqual(way.did_not_move(2 * often), [])  # too little was said
        self.assertEqual(way.did_not_move(0), [])
        self.bob.rows("UPDATE received SET transport = 'p2p' WHERE number IN (2, 3)")
        way = Way(self.alice, self.bob, "alice", "bob")
        self.assertEqual((way.moves, way.networks), (2, {"centralized": 3, "p2p": 2}))
        self.assertIn("changed 2 times only", way.did_not_move(often)[0])
        self.bob.rows("UPDATE received SET transport = 'centralized' WHERE number = 2")
        self.bob.rows("UPDATE received SET transport = 'p2p' WHERE number = 5")
        self.assertEqual(Way(self.alice, self.bob, "alice", "bob").did_not_move(often), [])

    def test_lost(self):
        self.bob.rows("DELETE FROM received WHERE number = 3")
        self.assert_found("1 lost, such as [3]", "has 1 that were none")

    def test_doubled(self):
        self.receive(self.bob, "alice", THERE, 2, seq=6)
        self.assert_found("alice to bob: 2 doubled", "1 reordered, such as [2]")

    def test_reordered(self):
        self.bob.rows("UPDATE received SET seq = 30 WHERE number = 3")
        self.assert_found("1 reordered, such as [3]")

    def test_altered_or_never_sent(self):
        self.bob.rows("UPDATE received SET digest = x'00' WHERE number = 4")
        self.receive(self.bob, "alice", THERE, 6, seq=6)
        self.assert_found("2 altered, such as [4, 6]")

    def test_nothing_sent_proves_nothing(self):
        for ledger in (self.alice, self.bob):
            for table in ("sent", "received", "history", "evidence"):
                ledger.rows(f"DELETE FROM {table}")
        self.assert_found("alice to bob: nothing was sent", "bob to alice: nothing was sent",
                          "are empty")

    def test_histories_that_differ(self):
        rows = self.history(own=BACK)
        rows[2], rows[3] = rows[3], rows[2]
        self.bob.keep_history("alice", rows)
        self.assert_found("differ first at place 2: alice to bob 2 and bob to alice 2")

    def test_a_history_that_is_cut_off(self):
        self.bob.keep_history("alice", self.history(own=BACK)[:-1])
        self.assert_found("have 10 and 9 messages", "bob's history with alice does not have what")

    def test_a_history_that_does_not_know_of_delivery(self):
        self.alice.rows("UPDATE history SET evidence = 2 WHERE own AND number = 5")
        self.assert_found("has 1 messages not delivered")

    def test_delivery_that_was_never_told(self):
        self.alice.rows("UPDATE evidence SET evidence = 2 WHERE message = 5")
        self.assert_found("alice was told of the delivery of 4 of 5 messages to bob")


class LedgerTest(StormLedgers):
    """What is found at once, when it is written."""

    def noted(self):
        return [text for text, in self.alice.rows("SELECT text FROM violation")]

    def take(self, *events):
        """The events of one life of the program: which of them are new."""
        last, new = 0, []
        with self.alice:
            for event in events:
                new.append(self.alice.take_event(event, last))
                last = int(event["seq"])
        return new

    def test_a_replay_is_no_violation_and_not_new(self):
        events = [evidence_event(seq, seq, 1) for seq in (1, 2, 4)]
        self.assertEqual(self.take(*events), [True, True, True])
        self.assertEqual(self.take(*events[1:], evidence_event(5, 9, 1)), [False, False, True])
        self.assertEqual(self.noted(), [])

    def test_a_number_for_something_else(self):
        self.take(evidence_event(7, 1, 1))
        self.take(evidence_event(7, 2, 1))
        self.assertIn("event 7 was reused for something else", self.noted()[0])

    def test_numbers_that_fall(self):
        self.take(evidence_event(7, 1, 1), evidence_event(6, 2, 1))
        self.assertEqual(self.noted(), ["event 6 came after 7 in one life of the program",
                                        "event 6 is new, but 7 has come already"])

    def test_evidence_that_falls_or_ends_badly(self):
        self.alice.take_evidence("bob", 1, 2)
        self.alice.take_evidence("bob", 90, 7)
        self.assertEqual(self.noted(), ["the evidence of message 1 fell from 3 to 2",
                                        "message 90 ended with evidence 7"])

    def test_the_death_of_the_app_loses_nothing_that_was_written(self):
        path = self.alice.value("SELECT file FROM pragma_database_list WHERE name = 'main'")
        again = Ledger(path)
        self.addCleanup(again.close)
        self.assertEqual((again.sent_count, again.received_count, again.delivered),
                         (COUNT, COUNT, {"bob": COUNT}))
        self.assertEqual(again.last_intended("bob"), COUNT)


class TextTest(unittest.TestCase):
    def test_a_message_is_made_again_byte_by_byte(self):
        again = Direction(1, "alice", "bob")
        for number in (1, 7, 4000):
            self.assertEqual(THERE.body(number), again.body(number))
            self.assertEqual(number_of(THERE.body(number)), ("alice to bob", number))
            self.assertNotEqual(THERE.ref(number), BACK.ref(number))

    def test_sizes_fit_and_reach_the_largest(self):
        sizes = {len(THERE.body(number)) for number in range(1, 20_001)}
        self.assertEqual(max(sizes), BODY_SIZE_MAX)

    def test_what_is_not_ours_has_no_number(self):
        for body in (b"", b"hello", b"alice to bob, x: ", b"alice to bob 7: "):
            self.assertIsNone(number_of(body))


if __name__ == "__main__":
    unittest.main()
