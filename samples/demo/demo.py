#!/usr/bin/env python3
"""Two people talk over a real relay and another network; nothing is lost on the way.

Each person is an app of their own: a `wherry pipe` process with an encrypted profile on disk, and a
ledger. In the middle of 2,000 messages each way the conversation moves from the relay to a direct
link, also between neighbours who find each other, or to onion services over a private Tor network;
the relay and then one of the people are killed, and it moves back. The last lines count both ledgers
against each other, and the exit code is 0 only if every message that was sent was received once and
in order.

  demo.py       this: the course of the show
  person.py     an app, over pipe_client.py and ledger.py
  relay.py      the relay's process; tap.py, socks_server.py: an observer on the wire
  networks.py   the networks that the conversation moves to, and what each needs
  timeline.py   what happened when, as text and as a picture; screen.py: the transcript
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True

from ledger import Proof  # noqa: E402
from networks import (  # noqa: E402
    NETWORKS, LocalNetwork, NetworkError, TorError, enter_network_of_our_own)
from person import Person  # noqa: E402
from relay import Relay  # noqa: E402
from screen import Screen  # noqa: E402
from timeline import Message, Timeline  # noqa: E402

LINES = [
    ("alice", "Hi Bob! Did my card reach you?"),
    ("bob", "It did. This is encrypted from your machine to mine?"),
    ("alice", "From end to end. The relay sees padded noise, and no sender."),
    ("bob", "And if my battery dies now?"),
    ("alice", "Then it waits. Let us try: I will not be gentle."),
]
PHRASE = "so it goes on"  # in most messages of the stream; nobody on the way should see it


def find(build, name):
    for folder, _, files in os.walk(build):
        path = os.path.join(folder, name)
        if name in files and os.access(path, os.X_OK):
            return path
    sys.exit(f"demo: there is no {name} below {build}: ./dev build release")


def milliseconds(seconds):
    return f"{seconds * 1000:.1f} ms"


def wait_until(condition, limit_s, what):
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.005)


def talk(screen, people):
    for name, text in LINES:
        sender = people[name]
        receiver = people["bob" if name == "alice" else "alice"]
        message, begun, done = sender.say(text)
        arrived, body = receiver.arrived.get(timeout=20)
        if body != text:
            raise RuntimeError(f"{receiver.name} received something else: {body!r}")
        wait_until(lambda: message in sender.delivered, 20, "delivery was never confirmed")
        screen.line(name, text, f"durable {milliseconds(done - begun)}, "
                    f"arrived {milliseconds(arrived - begun)}, "
                    f"delivered {milliseconds(sender.delivered[message] - begun)}")


class Show:
    """The stream and what happens to it."""

    def __init__(self, screen, people, relay, network, count):
        self.screen, self.people, self.relay, self.network = screen, people, relay, network
        self.count = count
        self.bodies = {name: [f"{name} {number}: " + f"{PHRASE} " * (number % 12)
                              for number in range(1, count + 1)] for name in people}
        self.before = {name: person.ledger.received_count for name, person in people.items()}
        self.events = []  # (when, text)
        self.lives = []  # [started, ended] of bob's program
        self.whole = {}
        self.spoken = 0.0
        self.again = None  # bob's stream after his death

    def stream(self):
        """Both send all at once; meanwhile what the acts say."""
        self.began = time.perf_counter()
        self.lives.append([self.began, None])
        until = self.began + self.network.stream_s
        threads = {name: threading.Thread(target=self._send, args=(name, until))
                   for name in self.people}
        for thread in threads.values():
            thread.start()
        self._at(0.10, self._move, self.network.transport,
                 f"alice chooses {self.network.words}; bob's app follows")
        self._at(0.25, self._lose_relay)
        self._at(0.42, self._restart_relay)
        self._at(0.50, self._kill_bob, threads["bob"], until)
        self._at(0.70, self._move, "centralized", "alice chooses the relay again")
        for thread in (*threads.values(), self.again):
            thread.join()
        if not all(self.whole.get(name) for name in self.people):
            raise RuntimeError("a stream ended early")
        wait_until(self._has_arrived, 25, "messages are missing")
        self.ended = time.perf_counter()

    def _at(self, share, act, *arguments):
        while time.perf_counter() < self.began + share * self.network.stream_s:
            self._has_arrived()  # tells of progress
            time.sleep(0.01)
        act(*arguments)

    def _note(self, text, note=""):
        self.events.append((time.perf_counter(), text))
        self.screen.line("", f"{self.events[-1][0] - self.began:5.2f} s  {text}", note)

    def _send(self, name, until):
        self.whole[name] = self.people[name].stream(self.bodies[name], until)

    def _move(self, route, text):
        before = {name: len(person.arrivals) for name, person in self.people.items()}
        self._note(text)
        begun = time.perf_counter()
        self.people["alice"].move_to(route)
        for name, person in self.people.items():
            wait_until(lambda person=person: self._speak_on() or any(
                network == route for _, _, network in person.arrivals[before[name]:]),
                self.network.move_s, f"{name} gets nothing by {route}")
        first = {name: next(when for when, _, network in person.arrivals[before[name]:]
                            if network == route) for name, person in self.people.items()}
        self.screen.line("", "         both hear each other by it", " and ".join(
            f"{name} after {milliseconds(when - begun)}" for name, when in sorted(first.items())))

    def _speak_on(self):
        """After the stream something still has to travel, for a move to be seen."""
        if time.perf_counter() > max(self.spoken, self.began + self.network.stream_s) + 0.5:
            self.spoken = time.perf_counter()
            for name, person in self.people.items():
                person.say(f"{name} is still here at {self.spoken - self.began:.2f} s")

    def _lose_relay(self):
        self.relay.kill()
        self._note("the relay is killed by SIGKILL; the conversation goes on")

    def _restart_relay(self):
        self.relay.start()
        self._note("the relay is started again")

    def _kill_bob(self, sending, until):
        bob = self.people["bob"]
        bob.kill(sending)
        self.lives[-1][1] = time.perf_counter()
        self._note(f"bob's program is killed by SIGKILL{self.network.follows}; his memory is gone")
        written = len(bob.ledger.intents)
        bob.start()
        again = bob.send_unconfirmed()
        self.lives.append([time.perf_counter(), None])
        self._note("bob starts again from his disk",
                   f"{again} of {written} messages had no answer yet: sent again, none twice")
        known = set(bob.ledger.intents.values())
        self.bodies["bob"] = [body for body in self.bodies["bob"] if body not in known]
        self.again = threading.Thread(target=self._send, args=("bob", until))
        self.again.start()

    def _has_arrived(self):
        counts = {name: person.ledger.received_count - self.before[name]
                  for name, person in self.people.items()}
        self.screen.progress(", ".join(f"{name} has {count}" for name, count in counts.items()) +
                             " messages")
        return all(count >= self.count for count in counts.values())

    def timeline(self):
        messages = []
        for reader, person in self.people.items():
            author = "bob" if reader == "alice" else "alice"
            sent_at = self.people[author].sent_at
            messages += [Message(f"{author} to {reader}", when, when - sent_at[body], network)
                         for when, body, network in person.arrivals if when > self.began]
        bars = {"relay": self.relay.times, **self.network.bars(self.people),
                "bob's program": self.lives}
        return Timeline(self.began, self.ended, bars, self.events, messages)


def prove(screen, people):
    screen.title("The proof, counted from the two ledgers alone")
    paths = {name: person.ledger_path for name, person in people.items()}
    there = Proof(paths["alice"], paths["bob"])
    back = Proof(paths["bob"], paths["alice"])
    total = there + back
    print(f"  alice to bob   {there}")
    print(f"  bob to alice   {back}")
    print(f"  in all         {screen.paint('1;32' if total.holds() else '1;31', str(total))}",
          flush=True)
    return there.holds() and back.holds()


def show_timeline(screen, timeline, picture):
    screen.title("What travelled where")
    for line in timeline.lines():
        screen.plain_line(line)
    screen.title("How long it took, with all that went wrong")
    for line in timeline.latencies():
        screen.plain_line(line)
    if picture:
        with open(picture, "w", encoding="utf-8") as file:
            file.write(timeline.svg())
        screen.plain_line(f"The same as a picture: {picture}")


def show_observers(screen, relay, network):
    """What was on the wires, and on the relay's disk. Whether no word lies there."""
    screen.title("What each network saw")
    screen.line("relay", f"{len(network.relay_tap.times)} connections, "
                f"{network.relay_tap.carried / 1e6:.1f} MB", network.relay_knows)
    screen.line(*network.observed())
    stored = relay.stored([PHRASE])
    screen.line("relay", f"words of theirs on its disk: {stored}", "noise, padded to a few sizes")
    return stored == 0


def meet(screen, options, folder, running, network):
    """The relay and both people, who have exchanged cards: (relay, people)."""
    relay = running["relay"] = Relay(find(options.build, "wherry-relay"), folder,
                                     network.relay_tap, bool(network.relay_settings))
    screen.title("A relay of our own")
    screen.line("", relay.endpoint, network.relay_note)
    program = find(options.build, "wherry")
    people = {name: Person(name, folder, program) for name in ("alice", "bob")}
    cards = {}
    for name, person in people.items():
        running[name] = person
        person.start(create=True)
        cards[name] = person.join_relay(relay.endpoint, network.relay_settings)
    network.join(people)
    screen.title("Two people, each a process with an encrypted profile, exchange cards")
    for name, card in cards.items():
        screen.line(name, card[:56] + "...", f"{len(card)} characters")
    people["alice"].add(cards["bob"], "Bob")
    people["bob"].add(cards["alice"], "Alice")
    return relay, people


def play(screen, options, folder, running):
    network = running["network"] = NETWORKS[options.network](screen, folder)
    signal.alarm(network.deadline_s)
    network.start()
    relay, people = meet(screen, options, folder, running, network)
    screen.title("They talk")
    talk(screen, people)
    screen.title(f"{options.count} messages each way; meanwhile the conversation moves")
    show = Show(screen, people, relay, network, options.count)
    show.stream()
    screen.line("", f"{2 * options.count} messages in {show.ended - show.began:.1f} s")
    screen.title("And they go on")
    question = "Did you get all of it?"
    _, begun, _ = people["bob"].say(question)
    arrived = arrival(people["alice"], question)
    screen.line("bob", question, f"arrived {milliseconds(arrived - begun)}")
    timeline = show.timeline()
    for name in ("alice", "bob", "relay"):
        code = running.pop(name).close()
        if code != 0:
            raise RuntimeError(f"{name} ended with {code}")
    show_timeline(screen, timeline, options.svg)
    unread = show_observers(screen, relay, network)
    return prove(screen, people) and unread


def arrival(person, text):
    """When this text arrived; what came before it was counted already."""
    while True:
        arrived, body = person.arrived.get(timeout=20)
        if body == text:
            return arrived


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build/release", help="where the programs were built")
    parser.add_argument("--plain", action="store_true", help="no colours and no progress")
    parser.add_argument("--network", choices=NETWORKS, default="p2p",
                        help="where the conversation moves to; lan makes a network of its own, onion needs "
                             "the program tor")
    parser.add_argument("--count", type=int, default=2000, help="messages each way in the stream")
    parser.add_argument("--svg", help="draw the timeline into this file")
    options = parser.parse_args()
    if NETWORKS[options.network] is LocalNetwork:
        try:
            enter_network_of_our_own()
        except (OSError, NetworkError) as error:
            print(f"demo: {error}", file=sys.stderr)
            return 1
    screen = Screen(options.plain)
    folder = tempfile.mkdtemp(prefix="wherry-demo-")
    running = {}
    signal.signal(signal.SIGALRM, out_of_time)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    failed = True
    try:
        failed = not play(screen, options, folder, running)
    except (OSError, RuntimeError, TimeoutError, LookupError, NetworkError,
            TorError) as error:
        screen.clear()
        print(f"demo: {error or type(error).__name__}", file=sys.stderr)
    except KeyboardInterrupt:
        screen.clear()
        print("demo: interrupted", file=sys.stderr)
        failed = None  # nothing is wrong with the programs
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
            signal.signal(number, signal.SIG_IGN)  # what was begun is cleared away whole
        clean_up(folder, running, failed)
    if failed is None:
        return 130
    return 1 if failed else 0


def out_of_time(*_):
    raise TimeoutError("not done in time")


def clean_up(folder, running, failed):
    """Ends what still runs, by its pid; after a failure, shows what the programs logged."""
    if network := running.pop("network", None):
        network.close()
    for thing in running.values():
        owner = thing.pipe if isinstance(thing, Person) else thing
        process = owner.process if owner else None
        if process and process.poll() is None:
            process.kill()
            process.wait()
    if failed:
        for name in sorted(os.listdir(folder)):
            if name.endswith(".log"):
                with open(os.path.join(folder, name), errors="replace") as log:
                    for line in log.readlines()[-10:]:
                        print(f"{name}: {line.rstrip()}", file=sys.stderr)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
