"""The proof at the end of a storm, counted from the apps' ledgers and from nothing else."""

from collections import Counter
from itertools import pairwise

from ledger import DELIVERED

MOVES_LEAST = 3  # in one way, whose people wanted ten
SHOWN = 5  # numbers that a line of the proof names


class Way:
    """What one ledger says was sent to a person, against what theirs says was received."""

    def __init__(self, sender, receiver, author, reader):
        self.name = f"{author} to {reader}"
        sent = dict(sender.rows("SELECT number, digest FROM sent WHERE reader = ?", reader))
        came = receiver.rows("SELECT number, digest, message_id, transport FROM received WHERE direction = ?"
                             " ORDER BY seq", self.name)
        times = Counter(number for number, _, _, _ in came)
        ids = Counter(message_id for _, _, message_id, _ in came)
        self.sent, self.received = len(sent), len(came)
        self.lost = [number for number in sent if number not in times]
        self.doubled = [number for number, count in times.items() if count > 1]
        self.doubled += [message_id.hex() for message_id, count in ids.items() if count > 1]
        self.altered = [number for number, mark, _, _ in came if sent.get(number) != mark]
        self.reordered, highest = [], 0
        for number, _, _, _ in came:
            if number < highest:
                self.reordered.append(number)
            highest = max(highest, number)
        self.networks = Counter(network for _, _, _, network in came)
        self.moves = sum(one[3] != other[3] for one, other in pairwise(came))

    FAULTS = ("lost", "doubled", "reordered", "altered")

    def violations(self):
        found = [f"{self.name}: {len(getattr(self, fault))} {fault}, such as "
                 f"{getattr(self, fault)[:SHOWN]}" for fault in self.FAULTS if getattr(self, fault)]
        return found + ([] if self.sent else [f"{self.name}: nothing was sent"])

    def did_not_move(self, switch):
        """Whoever changed the network often enough must have used both."""
        if not switch or self.sent < 10 * switch:
            return []
        names = ", ".join(sorted(self.networks))
        if len(self.networks) < 2:
            return [f"{self.name}: all of it came by {names}"]
        if self.moves < MOVES_LEAST:
            return [f"{self.name}: the network changed {self.moves} times only, between {names}"]
        return []

    def __str__(self):
        counted = ", ".join(f"{fault} {len(getattr(self, fault))}" for fault in self.FAULTS)
        return f"{self.name}: sent {self.sent:,}, received {self.received:,}, {counted}"


def histories(one, other, my_name, their_name):
    """What is wrong with the histories that two people have of their conversation."""
    return (_differences(one, other, my_name, their_name) +
            _own(one, my_name, their_name) + _own(other, their_name, my_name))


def _differences(one, other, my_name, their_name):
    mine, theirs = (
        ledger.rows("SELECT message_id, direction, number, digest, own FROM history WHERE peer = ?"
                    " ORDER BY place", peer)
        for ledger, peer in ((one, their_name), (other, my_name)))
    pair = f"the histories of {my_name} and {their_name}"
    if not mine:
        return [f"{pair} are empty"]
    found = []
    if len(mine) != len(theirs):
        found.append(f"{pair} have {len(mine):,} and {len(theirs):,} messages")
    for place, (here, there) in enumerate(zip(mine, theirs)):
        if here[:4] != there[:4] or here[4] == there[4]:
            found.append(f"{pair} differ first at place {place}: {here[1]} {here[2]} and "
                         f"{there[1]} {there[2]}")
            break
    return found


def _own(ledger, name, peer):
    """A history has all that I sent, once and in order, all delivered; and all that came to me."""
    rows = ledger.rows("SELECT number, evidence, own, message_id FROM history WHERE peer = ?"
                       " ORDER BY place", peer)
    own = [number for number, _, is_own, _ in rows if is_own]
    sent = [number for number, in ledger.rows(
        "SELECT number FROM sent WHERE reader = ? ORDER BY number", peer)]
    found = []
    if own != sent:
        found.append(f"{name}'s history with {peer} does not have what {name} sent, in its order")
    waiting = sum(1 for _, evidence, is_own, _ in rows if is_own and evidence < DELIVERED)
    if waiting:
        found.append(f"{name}'s history with {peer} has {waiting} messages not delivered")
    there = {message_id for _, _, is_own, message_id in rows if not is_own}
    came = {message_id for message_id, in ledger.rows(
        "SELECT message_id FROM received WHERE author = ?", peer)}
    if there != came:
        found.append(f"{name}'s history with {peer} lacks {len(came - there)} messages that were "
                     f"events and has {len(there - came)} that were none")
    told = ledger.value("SELECT count(*) FROM evidence WHERE reader = ? AND evidence >= ?", peer,
                        DELIVERED)
    if told != len(sent):
        found.append(f"{name} was told of the delivery of {told} of {len(sent)} messages to {peer}")
    return found
