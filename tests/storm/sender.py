"""The part of an app that sends: numbered messages by a plan, in batches and one by one.

A plan says from when on how many messages a second each reader gets; what a fault held up is caught
up. Nothing new is sent to a reader before all older messages to them are known to be durable, for
an app that repeats message 5 after 6 was stored has reordered them itself.
"""

import json
import time

from pipe import CallError, NoAnswer, PipeEnded, b64
from texts import Direction

AHEAD = 4000  # messages to one reader that are not known to be delivered
SIZES = (1, 1, 4, 16, 64, 200)  # messages in a batch
REPEATED_AT_ONCE = 200
AGAIN, TIMEOUT, DISK = "WHERRY_E_AGAIN", "WHERRY_E_TIMEOUT", "WHERRY_E_DISK"


class Sender:
    """One life of the program; its ledger remembers everything else."""

    def __init__(self, app):
        self.app, self.ledger, self.random = app, app.ledger, app.random
        plan = self.ledger.noted("plan")
        self.plan = json.loads(plan) if plan else None
        self._ways = {}  # reader -> Way
        self._all_settled = True  # nothing that was submitted is under way

    def send_some(self):
        """One batch to one reader, if any is due: whether it was."""
        if self.plan is None:
            return False
        if not self._ways:
            peers = json.loads(self.ledger.noted("peers"))
            self._ways = {peer: Way(self.app, peer) for peer in peers}
        ways = list(self._ways.values())
        self.random.shuffle(ways)
        for way in ways:
            if way.is_to_switch():
                self._asking(lambda way=way: self._switch(way))
            numbers = way.due(self.plan)
            if numbers:
                self._send(way, numbers)
                return True
        return False

    def last_words(self):
        """One message more to everybody: its acknowledgement covers all before it."""
        for way in self._ways.values():
            way.intend(1)

    def _send(self, way, numbers):
        one_by_one = len(numbers) <= 16 and self.random.random() < 0.4
        how = self._one_by_one if one_by_one else self._in_a_batch
        self._asking(lambda: how(way, numbers))

    def _switch(self, way):
        route = way.next_route()
        self.app.call("conversation_set_route", conversation=way.conversation, route=route)
        way.switched()
        self.app.counts["switched"] += 1

    def _asking(self, ask):
        """What a full disk or a busy program refuses is tried again later."""
        try:
            ask()
        except NoAnswer:
            self._all_settled = False
        except CallError as error:
            if error.name not in (AGAIN, TIMEOUT, DISK):
                self.app.violate(str(error))
                raise PipeEnded("send") from error
            self.app.counts["disk" if error.name == DISK else "again"] += 1
            if error.name != TIMEOUT:
                time.sleep(0.1)

    def _one_by_one(self, way, numbers):
        for number in numbers:
            self.app.call("send", self.random.choice((2, 60)), **way.message(number))
            way.confirm(number)

    def _in_a_batch(self, way, numbers):
        messages = [{"profile": self.app.profile, **way.message(number)} for number in numbers]
        if self._all_settled:
            self._all_settled = False
            self.app.pipe.call_all("submit", messages, 60)
        else:  # there may be no room: the next one must not overtake a refused one
            for message in messages:
                self.app.pipe.call_all("submit", [message], 60)
        try:
            self.app.call("sync", 70, timeout_ms=self.random.choice((10, 1000, 60_000)))
        except CallError as error:
            self._all_settled = error.name != TIMEOUT
            raise
        self._all_settled = True
        way.confirm(numbers[-1])


class Way:
    """What goes to one reader."""

    def __init__(self, app, reader):
        self.ledger, self.random, self.counts = app.ledger, app.random, app.counts
        self.reader = reader
        self.direction = Direction(app.settings["seed"], app.name, reader)
        self.conversation = app.ledger.noted(f"talk {reader}")
        self.intended = app.ledger.last_intended(reader)
        self.confirmed = app.ledger.last_confirmed(reader)
        self._size = 1
        self._every = app.settings["switch"]
        self._routes = (app.settings["network"], "centralized")  # one after the other
        self._switches = app.ledger.noted(f"switches {reader}") or 0

    def is_to_switch(self):
        return self._every and self.intended >= (self._switches + 1) * self._every

    def next_route(self):
        return self._routes[self._switches % len(self._routes)]

    def switched(self):
        self._switches += 1
        self.ledger.note(f"switches {self.reader}", self._switches)

    def due(self, plan):
        """The numbers of the messages to send now: those again that may not have been stored."""
        if self.intended > self.confirmed:
            again = range(self.confirmed + 1,
                          min(self.intended, self.confirmed + REPEATED_AT_ONCE) + 1)
            self.counts["repeated"] += len(again)
            return again
        planned = int((time.monotonic() - plan["began"]) * plan["rate"])
        room = AHEAD - (self.intended - self.ledger.delivered.get(self.reader, 0))
        if plan["stopped"] or min(planned - self.intended, room) < self._size:
            return ()
        fresh = self.intend(self._size)
        self._size = self.random.choice(SIZES)
        return fresh

    def intend(self, count):
        """Writes down that the next messages are to be sent."""
        fresh = range(self.intended + 1, self.intended + count + 1)
        self.ledger.intend(self.reader, [
            (number, self.direction.ref(number), self.direction.digest(number))
            for number in fresh])
        self.intended = fresh[-1]
        return fresh

    def message(self, number):
        return {"conversation": self.conversation, "ref": b64(self.direction.ref(number)),
                "content": self.direction.content(number),
                "body": b64(self.direction.body(number))}

    def confirm(self, number):
        self.ledger.confirm(self.reader, number)
        self.confirmed = number
