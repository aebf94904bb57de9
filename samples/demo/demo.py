#!/usr/bin/env python3
"""Two people talk over a real relay; one of them is killed in the middle; nothing is lost.

Each person is an app of their own: a `wherry pipe` process with an encrypted profile on disk, and a
ledger. The last lines count both ledgers against each other, and the exit code is 0 only if every
message that was sent was received once and in order.
"""

import argparse
import os
import re
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True

from ledger import Proof  # noqa: E402
from person import Person  # noqa: E402

LINES = [
    ("alice", "Hi Bob! Did my card reach you?"),
    ("bob", "It did. This is encrypted from your machine to mine?"),
    ("alice", "From end to end. The relay sees padded noise, and no sender."),
    ("bob", "And if my battery dies now?"),
    ("alice", "Then it waits. Let us try: I will not be gentle."),
]
DEADLINE_S = 55


class Screen:
    """The transcript on standard output; progress on standard error when that is a terminal."""

    def __init__(self, plain):
        self.colours = not plain and sys.stdout.isatty()
        self.progress_on = not plain and sys.stderr.isatty()

    def paint(self, code, text):
        return f"\x1b[{code}m{text}\x1b[0m" if self.colours else text

    def title(self, text):
        self.clear()
        print(f"\n{self.paint('1', text)}", flush=True)

    def line(self, who, text, note=""):
        self.clear()
        colour = {"alice": "36", "bob": "33"}.get(who, "2")
        print(f"  {self.paint(colour, f'{who:<6}')} {text:<62} {self.paint('2', note)}".rstrip(),
              flush=True)

    def progress(self, text):
        if self.progress_on:
            print(f"\r\x1b[K  {text}", end="", file=sys.stderr, flush=True)

    def clear(self):
        if self.progress_on:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def find(build, name):
    for folder, _, files in os.walk(build):
        path = os.path.join(folder, name)
        if name in files and os.access(path, os.X_OK):
            return path
    sys.exit(f"demo: there is no {name} below {build}: ./dev build release")


class Relay:
    """A wherry-relay process on a port that the system chooses."""

    def __init__(self, program, folder):
        self.log = open(os.path.join(folder, "relay.log"), "ab")
        self.process = subprocess.Popen(
            [program, "--data", os.path.join(folder, "relay"), "--listen", "127.0.0.1:0"],
            stdout=subprocess.PIPE, stderr=self.log)
        with selectors.DefaultSelector() as waiting:
            waiting.register(self.process.stdout, selectors.EVENT_READ)
            ready = waiting.select(timeout=20)
        line = self.process.stdout.readline().decode() if ready else ""
        found = re.search(r"wr1:\S+", line)
        if not found:
            raise RuntimeError(f"the relay did not start: see {self.log.name}")
        self.endpoint = found.group()

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=15)
        self.log.close()
        return code


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


def stream(screen, people, count):
    """Both send `count` messages at once; Bob is killed when about half of his are out."""
    bodies = {name: [f"{name} {number}: " + "so it goes on " * (number % 12)
                     for number in range(1, count + 1)] for name in people}
    before = {name: person.ledger.received_count for name, person in people.items()}
    began = time.perf_counter()
    alice, bob = people["alice"], people["bob"]
    half = threading.Event()
    sent = {"batches": 0}

    def tick():
        sent["batches"] += 1
        if sent["batches"] * 64 >= count // 2:
            half.set()

    whole = {}
    threads = [
        threading.Thread(target=lambda: whole.update(alice=alice.stream(bodies["alice"]))),
        threading.Thread(target=bob.stream, args=(bodies["bob"], tick)),
    ]
    for thread in threads:
        thread.start()
    half.wait(30)
    resume_after_kill(screen, bob, threads[1], bodies["bob"])
    threads[0].join()
    if not whole.get("alice"):
        raise RuntimeError("alice's stream ended early")

    def arrived():
        screen.progress(f"alice has {alice.ledger.received_count}, "
                        f"bob has {bob.ledger.received_count} messages")
        return all(person.ledger.received_count >= before[name] + count
                   for name, person in people.items())

    wait_until(arrived, 30, "messages are missing: " + ", ".join(
        f"{name} received {person.ledger.received_count - before[name]} of {count}"
        for name, person in people.items()))
    return time.perf_counter() - began


def resume_after_kill(screen, bob, sending, bodies):
    process = bob.pipe.process
    bob.kill(sending)
    written = len(bob.ledger.intents)
    screen.line("", f"bob's program is killed by SIGKILL (exit {process.returncode}); "
                "his memory is gone")
    begun = time.perf_counter()
    bob.start()
    again = bob.send_unconfirmed()
    took = milliseconds(time.perf_counter() - begun)
    screen.line("", f"bob starts again from his disk in {took}",
                f"{again} of {written} messages had no answer yet: sent again, none twice")
    known = set(bob.ledger.intents.values())
    if not bob.stream([body for body in bodies if body not in known]):
        raise RuntimeError("bob's program died again")


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


def play(screen, options, folder, running):
    relay = Relay(find(options.build, "wherry-relay"), folder)
    running["relay"] = relay
    screen.title("A relay of our own")
    screen.line("", relay.endpoint)
    program = find(options.build, "wherry")
    people = {name: Person(name, folder, program) for name in ("alice", "bob")}
    cards = {}
    for name, person in people.items():
        running[name] = person
        person.start(create=True)
        cards[name] = person.join_relay(relay.endpoint)
    screen.title("Two people, each a process with an encrypted profile, exchange cards")
    for name, card in cards.items():
        screen.line(name, card[:56] + "...", f"{len(card)} characters")
    people["alice"].add(cards["bob"], "Bob")
    people["bob"].add(cards["alice"], "Alice")
    screen.title("They talk")
    talk(screen, people)
    screen.title(f"{options.count} messages each way at once, and a SIGKILL in the middle")
    took = stream(screen, people, options.count)
    screen.line("", f"{2 * options.count} messages in {took:.1f} s, the restart included")
    screen.title("And they go on")
    question = "Did you get all of it?"
    _, begun, _ = people["bob"].say(question)
    arrived = arrival(people["alice"], question)
    screen.line("bob", question, f"arrived {milliseconds(arrived - begun)}")
    for name in ("alice", "bob", "relay"):
        code = running.pop(name).close()
        if code != 0:
            raise RuntimeError(f"{name} ended with {code}")
    return prove(screen, people)


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
    parser.add_argument("--count", type=int, default=2000, help="messages each way in the stream")
    options = parser.parse_args()
    screen = Screen(options.plain)
    folder = tempfile.mkdtemp(prefix="wherry-demo-")
    running = {}
    signal.signal(signal.SIGALRM, out_of_time)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.alarm(DEADLINE_S)
    failed = True
    try:
        failed = not play(screen, options, folder, running)
    except (OSError, RuntimeError, TimeoutError, LookupError) as error:
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
    raise TimeoutError(f"not done within {DEADLINE_S} s")


def clean_up(folder, running, failed):
    """Ends what still runs, by its pid; after a failure, shows what the programs logged."""
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
