#!/usr/bin/env python3
"""Two people who permit `anonymous` send no packet to anything but Tor's entry, and ask no name.

Each is a whole program in a network namespace of its own, with every other network configured and
failing; tor's relays are in a third one. That the capture sees what goes elsewhere is shown by
permitting everything for a while. WHERRY_PROGRAM names the program. Exits with 77 when it is
skipped.
"""

import os
import shlex
import signal
import socket
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
for parts in (HERE / "tornet", HERE.parents[1] / "samples/demo"):
    sys.path.insert(0, str(parts))

from namespaces import (OWN_MOUNTS, RESOLV_CONF, Capture, Homes, Sent, at, inside,  # noqa: E402
                        reason_against)
from person import Person  # noqa: E402
from pipe_client import CallError  # noqa: E402
from tor_process import TorMissing, find_program  # noqa: E402
from tornet import TorNet  # noqa: E402

SKIPPED = 77
LIMIT_S = 120  # no step takes so long, not even on a busy machine
SETTLE_S = 5  # in which others would be tried again: they are within 1 s after they failed
OUTAGE_S = 65  # what tor remembers of its failures is forgotten
RETURN_S = 60  # on a busy machine: what was asked last may be asked again after a minute only
DEGRADED = 3  # WHERRY_TRANSPORT_STATE_*
OPEN, ANONYMOUS = 1, 4  # WHERRY_PERMITS_*
NOW = 1  # WHERRY_TIGHTENING_NOW
E_PERMITS = "WHERRY_E_PERMITS"

TOR, NAMES, RELAY = "10.113.0.1", "10.113.0.53", "10.113.0.80"
RELAY_PORT = 7443  # where nobody listens
RELAY_NAME = "relay.wherry.test"
RELAY_KEY = "A" * 22
DNS_PORT = 53


class NameServer:
    """Says of every name that it is RELAY's (RFC 1035)."""

    def __init__(self, namespace):
        with inside(namespace):
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((NAMES, DNS_PORT))
        threading.Thread(target=self._answer, daemon=True).start()

    def _answer(self):
        while True:
            question, asker = self._socket.recvfrom(512)
            end = question.index(b"\0", 12) + 5
            wants_ipv4 = question[end - 4:end - 2] == b"\0\1"
            answer = b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4" + socket.inet_aton(RELAY)
            count = b"\0\1" if wants_ipv4 else b"\0\0"
            self._socket.sendto(question[:2] + b"\x81\x80\0\1" + count + b"\0\0\0\0"
                                + question[12:end] + (answer if wants_ipv4 else b""), asker)


def children(pid, name):
    """The processes with this name that a process has started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            head, _, tail = stat.read_text().rpartition(")")
        except OSError:
            continue  # it has just ended
        if head.endswith(f"({name}") and int(tail.split()[1]) == pid:
            found.append(int(head.split()[0]))
    return found


def wait_until(condition, what):
    until = time.monotonic() + LIMIT_S
    while not condition():
        if time.monotonic() > until:
            raise AssertionError(what)
        time.sleep(0.05)


class AtHome(Person):
    """A person all of whose processes are in a namespace, with a name server of ours."""

    def __init__(self, name, folder, program, namespace):
        resolv = Path(folder) / "resolv.conf"
        resolv.write_text(f"nameserver {NAMES}\n")
        script = Path(folder) / f"{name}-wherry"
        script.write_text("#!/bin/sh\n" + shlex.join(
            ["exec", *at(namespace), *OWN_MOUNTS, "sh", "-c",
             f'mount --bind "$0" {RESOLV_CONF} && exec "$@"', str(resolv), program]) + ' "$@"\n')
        script.chmod(0o700)
        super().__init__(name, folder, str(script))
        self.ids = {}
        self.start(create=True)

    def configure(self, name, **settings):
        settings = [{"name": key, "value": value} for key, value in settings.items()]
        transport = self.call("transport_add", name=name, settings=settings)["transport"]
        self.transports[transport] = name
        self.ids[name] = transport

    def begin(self, name):
        """Whether it may be online there."""
        try:
            self.call("transport_start", transport=self.ids[name])
        except CallError as error:
            if error.name != E_PERMITS:
                raise
            return False
        return True

    def permit(self, preset):
        permits = self.pipe.call("permits_preset", preset=preset)["permits"]
        self.call("profile_set_permits", permits=permits, tightening=NOW)

    def state(self, name):
        return next(int(row["state"]) for row in self.call("transport_list")["page"]
                    if row["name"] == name)

    def end(self):
        self.close()
        self.pipe.process.stdout.close()

    def tor(self):
        tors = children(self.pipe.process.pid, "tor")
        return tors[0] if tors else None


class CaptureTest(unittest.TestCase):
    def setUp(self):
        self.homes = Homes((TOR, NAMES, RELAY), 2)
        self.addCleanup(self.homes.delete)
        folder = tempfile.TemporaryDirectory(prefix="wherry-capture-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        net = TorNet(address=TOR, namespace=self.homes.middle)
        self.addCleanup(net.stop)
        ready = net.start()
        self.torrc = ready["torrc"]
        self.entries = {Sent(TOR, node["orport"], "tcp")
                        for node in (ready["authority"], *ready["relays"])}
        NameServer(self.homes.middle)
        self.captures = {}
        self.ann, self.bob = self.person("ann", 1), self.person("bob", 2)

    def person(self, name, number):
        capture = Capture(self.homes.homes[number - 1])
        self.addCleanup(capture.close)
        one = AtHome(name, self.folder, os.environ["WHERRY_PROGRAM"],
                     self.homes.homes[number - 1])
        self.addCleanup(one.end)
        one.permit(ANONYMOUS)
        one.configure("centralized", relay=f"wr1:{RELAY_NAME}:{RELAY_PORT}/{RELAY_KEY}")
        one.configure("p2p", meet=f"{self.homes.address(number)}:6000", allow="10.113.0.0/16")
        one.configure("onion", folder=str(Path(self.folder) / f"{name}-tor"), torrc=self.torrc)
        self.captures[one] = capture
        return one

    def elsewhere(self, person):
        return {one: count for one, count in self.captures[person].sent().items()
                if one not in self.entries}

    def assert_nothing_but_tor(self):
        for person, capture in self.captures.items():
            self.assertTrue(self.entries & set(capture.sent()), "not even tor was seen")
            self.assertEqual({str(one): count for one, count in self.elsewhere(person).items()},
                             {}, person.name)

    def say(self, sender, receiver, body):
        sender.say(body)
        _, arrived = receiver.arrived.get(timeout=LIMIT_S)
        self.assertEqual(arrived, body)

    def meet(self):
        ann, bob = self.ann, self.bob
        for person in (ann, bob):
            self.assertTrue(person.begin("onion"))
        for person in (ann, bob):
            person.wait_online("onion", LIMIT_S)
        ann.add(bob.call("card_make", transport=bob.ids["onion"], valid_s=0)["text"], "Bob")
        self.say(ann, bob, "hello")
        wait_until(lambda: hasattr(bob, "conversation"), "Bob did not accept Ann")

    def test_not_one_packet_goes_elsewhere(self):
        ann, bob = self.ann, self.bob
        for person in (ann, bob):
            self.assertFalse(person.begin("centralized"))
            self.assertFalse(person.begin("p2p"))
        # They meet, with the others first in their routes.
        self.meet()
        for person in (ann, bob):
            person.move_to("p2p,centralized,onion")
        self.say(bob, ann, "and to you")
        self.say(ann, bob, "how are you?")
        # Without tor they wait for it.
        killed = bob.tor()
        os.kill(killed, signal.SIGKILL)
        ann.say("are you there?")
        bob.say("are you?")
        self.assertEqual(bob.arrived.get(timeout=LIMIT_S)[1], "are you there?")
        self.assertEqual(ann.arrived.get(timeout=LIMIT_S)[1], "are you?")
        self.assertNotEqual(bob.tor(), killed)
        time.sleep(SETTLE_S)
        self.assert_nothing_but_tor()

        # Were they let, they would go there, and the capture sees it.
        for person in (ann, bob):
            person.permit(OPEN)
            self.assertTrue(person.begin("centralized"))
            self.assertTrue(person.begin("p2p"))
        self.say(ann, bob, "now everything may be known")
        self.say(bob, ann, "everything")
        for person in (ann, bob):
            for place in ((NAMES, DNS_PORT, "udp"), (RELAY, RELAY_PORT, "tcp")):
                wait_until(lambda: Sent(*place) in self.elsewhere(person),
                           f"{person.name} sent nothing to {place}")
        for person, other in ((ann, 2), (bob, 1)):
            wait_until(lambda: any(one.address == self.homes.address(other)
                                   for one in self.elsewhere(person)),
                       f"{person.name} did not dial the other")

        # From the call's return on it is as it was, although they are all to run.
        for person in (ann, bob):
            person.permit(ANONYMOUS)
            self.captures[person].forget()
        self.say(ann, bob, "and nothing again")
        self.say(bob, ann, "nothing")
        time.sleep(SETTLE_S)
        self.assert_nothing_but_tor()

    def test_an_outage_ends_by_itself(self):
        """Nobody tells the program but the kernel, which has a way out again."""
        self.talk_through(lambda: self.homes.cut(2), lambda: self.homes.join(2))

    def test_an_outage_that_nobody_sees_ends_by_itself(self):
        """Packets vanish beyond this machine: nothing fails, and nothing tells that it is over."""
        self.talk_through(lambda: self.homes.swallow(2), self.homes.let_through)

    def talk_through(self, begin, end):
        ann, bob = self.ann, self.bob
        self.meet()
        self.say(bob, ann, "and to you")
        begin()
        wait_until(lambda: bob.state("onion") == DEGRADED, "Bob does not see the outage")
        ann.say("into the tunnel")
        bob.say("out of the tunnel")
        time.sleep(OUTAGE_S)
        end()
        self.assertEqual(ann.arrived.get(timeout=RETURN_S)[1], "out of the tunnel")
        self.assertEqual(bob.arrived.get(timeout=RETURN_S)[1], "into the tunnel")


if __name__ == "__main__":
    try:
        against = reason_against()
        for program in ("tor", "tor-gencert"):
            find_program(program)
    except TorMissing as missing:
        against = str(missing)
    if against:
        print(f"SKIPPED, NO PACKET WAS LOOKED AT: {against}", file=sys.stderr)
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)
