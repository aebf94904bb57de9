#!/usr/bin/env python3
"""The kill storm: real programs, real faults, and a proof that nothing was lost.

Three people talk in all directions through `wherry pipe`, one `wherry-relay`, and direct links or
onion services: each conversation moves from one network to the other, and back, all the time, as
both of its people wish at once. Meanwhile programs are killed and stopped, disks are full, clocks
step, and what leads to the relay and to each person delays, cuts and corrupts; nodes of a private
Tor network die, and so do people's tors. Then the faults end, and the apps' own ledgers are counted.

  storm.py        this: the course of a storm, its table and its exit code
  faults.py       which fault comes when; disks, clocks, proxy, processes, tor: how they are done
  person, relay   the processes as the storm sees them
  app.py          a person's app: sender and listener over pipe and ledger, texts to write
  proof.py        what the ledgers say; proof_test.py shows that it can fail
  report.py       the closing table
"""

import argparse
import base64
import hashlib
import itertools
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True

import clocks  # noqa: E402
import disks  # noqa: E402
import report  # noqa: E402
from faults import KINDS, Faults  # noqa: E402
from ledger import Ledger  # noqa: E402
from person import Person  # noqa: E402
from processes import adopt_orphans  # noqa: E402
from proof import Way, histories  # noqa: E402
from proxy import Proxy  # noqa: E402
from relay import Relay, free_port  # noqa: E402
from tor import TorNetwork, reap_tors  # noqa: E402

NAMES = ("alice", "bob", "carol")
# Beside the relay, and messages between two changes of the network: tor needs seconds for one.
NETWORKS = {"p2p": 500, "onion": 1000}
ON_SMALL_DISKS = ("bob", "relay")  # the others' disks are real, with real waits for them
LINE_S = 10
LONG_ENOUGH_MIN = 3  # for every kind of fault to come
SETTLE_S = 3  # longer than apps need to report, and than acknowledgements are delayed
STEP_S = 120  # no step of the beginning or of the end takes so long
HISTORY_S = 900
PROGRAM_MIB_MAX, RELAY_MIB_MAX = 256, 512


class Storm:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.violations = []
        self.storm_s, self.arrived_s, self.unacknowledged = 0.0, 0.0, 0
        self.skipped = {}  # kind of fault -> why it is not done
        self._lock = threading.Lock()
        self.people, self.relay, self.faults = [], None, None
        self.over_tor = options.network == "onion"
        self.tor_network = None
        self.proxies = {}  # by whom they lead to
        self.kinds = [kind for kind in options.faults if self._can(kind)]
        self.disks = {}
        if "disk" in self.kinds:
            self.disks = {name: disks.Disk(self._path(f"{name}.disk")) for name in ON_SMALL_DISKS}
        self.clocks = {}
        if "clock" in self.kinds:
            # A tor has its program's clock, and believes no network whose time is another.
            names = ("relay",) if self.over_tor else (*NAMES, "relay")
            self.clocks = {name: clocks.Clock(self._path(f"{name}.clock")) for name in names}

    def _can(self, kind):
        if kind == "disk" and not disks.can_be_full():
            self.skipped[kind] = "a file system can be mounted neither as root nor by unshare -Urm"
        if kind == "clock" and not clocks.library():
            self.skipped[kind] = "libfaketime is not installed"
        return kind not in self.skipped

    def _path(self, name):
        return os.path.join(self.folder, name)

    def _place(self, name, what="data"):
        """The directory of a profile, of a tor, or of the relay."""
        return os.path.join(self.disks[name].path if name in self.disks else self.folder,
                            f"{name}.{what}")

    def _environment(self, name):
        return self.clocks[name].environment() if name in self.clocks else {}

    def violate(self, text):
        with self._lock:
            self.violations.append(text)
            if len(self.violations) <= 20:
                print(f"  VIOLATION  {text}", flush=True)

    # Course

    def run(self):
        for kind, why in self.skipped.items():
            print(f"  SKIPPED    no faults of the kind '{kind}': {why}", flush=True)
        if self.over_tor:
            self.tor_network = TorNetwork(self.folder, self.violate)
        # Over Tor nobody's address is shown. To come there from a relay that knows it takes minutes
        # of silence each time, so that the relay is asked by a proxy.
        proxy = self._proxy_to("relay", socks=self.over_tor)
        self.relay = Relay(find(self.options.build, "wherry-relay"), self._place("relay"),
                           self.folder, self._environment("relay"),
                           0 if self.over_tor else proxy.port, self.violate)
        proxy.target_port = self.relay.port
        for name in NAMES:
            self.people.append(self._person(name))
        self.began = time.monotonic()
        self._meet()
        self.faults = Faults(self.options.seed, self.kinds, self.people, self.relay, self.proxies,
                             self.disks, self.clocks, self.tor_network)
        self._blow()
        self._calm()
        self._histories()
        for person in self.people:
            person.close(STEP_S)
        self.relay.close(STEP_S)
        if self.tor_network:
            self.tor_network.close()
        self._prove()

    def _proxy_to(self, name, socks=False):
        self.proxies[name] = Proxy(f"{self.options.seed}/{name}", socks)
        return self.proxies[name]

    def _person(self, name):
        folder = self._path(name)
        os.makedirs(folder)
        key = hashlib.blake2b(f"{self.options.seed}/{name}".encode(), digest_size=32).digest()
        return Person({"name": name, "seed": self.options.seed, "profile": self._place(name),
                       "key": base64.b64encode(key).decode(),
                       "ledger": self._path(f"{name}.ledger"),
                       "program": find(self.options.build, "wherry"),
                       "switch": self.options.switch, "network": self.options.network,
                       "environment": self._environment(name)}, folder, self.violate)

    def _meet(self):
        relay = {"relay": self.relay.address}
        if self.over_tor:
            relay["proxy"] = f"127.0.0.1:{self.proxies['relay'].port}"
        for person in self.people:
            person.command(do="join", relay=relay, other=self._other(person.name))
        cards = {person.name: person.answer("card", STEP_S) for person in self.people}
        for person in self.people:
            person.command(do="meet", cards={name: card for name, card in cards.items()
                                             if name != person.name})
        for person in self.people:
            person.answer("met", STEP_S)

    def _other(self, name):
        """Settings of a person's other network. By direct links contacts come in through a proxy of
        the storm's."""
        if not self.options.switch:
            return None
        if self.over_tor:
            return {"folder": self._place(name, "tor"), "torrc": self.tor_network.torrc}
        proxy = self._proxy_to(name)
        proxy.target_port = free_port()
        return {"listen": f"127.0.0.1:{proxy.target_port}",
                "advertise": f"127.0.0.1:{proxy.port}", "allow": "127.0.0.0/8"}

    def _plan(self, stopped):
        """Tells everybody what to send, and waits until they have written that down."""
        ways = len(self.people) * (len(self.people) - 1)
        plan = {"began": self.began, "rate": self.options.rate / ways, "stopped": stopped}
        for person in self.people:
            person.command(do="send", plan=plan)
        for person in self.people:
            person.answer("planned", STEP_S)

    def _blow(self):
        self.began = time.monotonic()
        self._plan(stopped=False)
        self.faults.start()
        end = self.began + self.options.minutes * 60
        line_at, before = self.began + LINE_S, 0
        while (now := time.monotonic()) < end:
            time.sleep(min(1, end - now))
            self._measure()
            if time.monotonic() >= line_at:
                before = self._line(before)
                line_at += LINE_S
        self.faults.stop()
        if self.options.minutes >= LONG_ENOUGH_MIN:
            for kind in (kind for kind, count in self.faults.counts.items() if count == 0):
                self.violate(f"no fault of the kind '{kind}' hit anybody")
        self._plan(stopped=True)
        self.storm_s = time.monotonic() - self.began

    def _measure(self):
        self.relay.measure()
        reap_tors()
        for person in self.people:
            person.measure()

    def _total(self, what):
        return sum(person.status[what] for person in self.people)

    def _line(self, before):
        received = self._total("received")
        recent, self.faults.recent[:] = list(self.faults.recent), []
        print(f"  {time.monotonic() - self.began:5.0f} s  sent {self._total('sent'):>9,}  received "
              f"{received:>9,}  {(received - before) / LINE_S:5.0f}/s  under way "
              f"{self._total('undelivered'):>6,}  {'; '.join(recent) or 'no fault ended'}",
              flush=True)
        return received

    def _calm(self):
        """Waits until everything has arrived, and then until its authors know."""
        begun = time.monotonic()
        self._wait(lambda: self._total("received") >= self._total("sent"), begun, "arrived")
        self.arrived_s = time.monotonic() - begun
        time.sleep(SETTLE_S)
        # The last acknowledgement may be lost like anything else. The next one says it again.
        self.unacknowledged = self._total("undelivered")
        for person in self.people:
            person.command(do="last_words")
        time.sleep(SETTLE_S)
        self._wait(lambda: self._total("received") >= self._total("sent") and
                   self._total("undelivered") == 0, begun, "been acknowledged")

    def _wait(self, is_done, begun, what):
        line_at, before = time.monotonic() + LINE_S, self._total("received")
        while not is_done():
            time.sleep(1)
            self._measure()
            now = time.monotonic()
            if now - begun > self.options.calm:
                self.violate(f"not all has {what} {self.options.calm:g} s after the last fault: "
                             f"{self._total('undelivered'):,} are under way")
                return
            if now >= line_at:
                before = self._line(before)
                line_at += LINE_S

    def _histories(self):
        for person in self.people:
            person.command(do="history")
        for person in self.people:
            person.answer("history", HISTORY_S)
        self._measure()

    # The end

    def abandon(self):
        if self.faults:
            self.faults.stop()
        for thing in (*self.people, self.relay):
            if thing:
                thing.abandon()
        if self.tor_network:
            self.tor_network.abandon()

    def _prove(self):
        ledgers = {name: Ledger(self._path(f"{name}.ledger")) for name in NAMES}
        self.ways = [Way(ledgers[author], ledgers[reader], author, reader)
                     for author, reader in itertools.permutations(NAMES, 2)]
        for way in self.ways:
            for text in way.violations() + way.did_not_move(self.options.switch):
                self.violate(text)
        for one, other in itertools.combinations(NAMES, 2):
            for text in histories(ledgers[one], ledgers[other], one, other):
                self.violate(text)
        noted = sum(ledger.value("SELECT count(*) FROM violation") for ledger in ledgers.values())
        if noted and not self.violations:
            self.violate(f"{noted} violations stand in the ledgers only")
        for ledger in ledgers.values():
            ledger.close()
        for what, mib, most in [("the relay", self.relay.memory_mib, RELAY_MIB_MAX)] + [
                (person.name, person.memory_mib, PROGRAM_MIB_MAX) for person in self.people]:
            if not 0 < mib <= most:
                self.violate(f"{what} had {mib:.0f} MiB at once, {most} are allowed")


def find(build, name):
    for folder, _, files in os.walk(build):
        path = os.path.join(folder, name)
        if name in files and os.access(path, os.X_OK):
            return path
    sys.exit(f"storm: there is no {name} below {build}: ./dev build release")


def parse():
    parser = argparse.ArgumentParser(prog="./dev storm", description=__doc__.split("\n\n")[0])
    parser.add_argument("--minutes", type=float, default=3, help="how long the faults last")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32),
                        help="draws the faults, the texts and the apps' habits")
    parser.add_argument("--rate", type=float, default=400, help="messages a second, in all")
    parser.add_argument("--network", choices=NETWORKS, default="p2p",
                        help="the network beside the relay: direct links (default), or onion "
                             "services over a private Tor network, which needs the program tor")
    parser.add_argument("--calm", type=float, default=300,
                        help="seconds until all must have arrived after the last fault")
    parser.add_argument("--switch", type=int,
                        help="messages to one person between two changes of the network; 0: the "
                             "relay alone (default 500, with onion 1000)")
    parser.add_argument("--faults", type=lambda text: text.split(","),
                        help="kinds, with commas between: " + ", ".join(KINDS) +
                             " (default all; tor with the network onion alone)")
    parser.add_argument("--json", help="write the figures to this file")
    parser.add_argument("--build", default="build/release", help="where the programs were built")
    options = parser.parse_args()
    if options.switch is None:
        options.switch = NETWORKS[options.network]
    if options.faults is None:
        options.faults = [kind for kind in KINDS if kind != "tor" or options.network == "onion"]
    if "tor" in options.faults and options.network != "onion":
        parser.error("faults of tor need --network onion")
    if unknown := set(options.faults) - set(KINDS):
        parser.error(f"no such fault: {', '.join(sorted(unknown))}")
    options.build = os.path.abspath(options.build)
    return options


def main():
    options = parse()
    if "disk" in options.faults:
        sys.argv = [*sys.argv, "--seed", str(options.seed)]  # the same one after the restart
        disks.enter_namespace()
    adopt_orphans()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("storm: ended from outside"))
    folder = tempfile.mkdtemp(prefix="wherry-storm-")
    print(f"storm: {options.minutes:g} minutes, seed {options.seed}", flush=True)
    storm = Storm(options, folder)
    # A thread that ends by an exception would end its faults, or its reading, without a word.
    threading.excepthook = lambda thread: storm.violate(f"the storm itself: {thread.exc_value!r}")
    if not storm.kinds:
        shutil.rmtree(folder)
        for kind, why in storm.skipped.items():
            print(f"  SKIPPED {kind}: {why}")
        sys.exit("storm: none of these faults can be done here")
    try:
        storm.run()
        print("\n" + "\n".join(f"  {way}" for way in storm.ways))
        figures = report.figures(storm)
        print("\n" + report.table(figures))
        if options.json:
            with open(options.json, "w", encoding="utf-8") as file:
                json.dump(figures, file, indent=2)
    except BaseException:
        storm.abandon()
        raise
    finally:
        if storm.violations or sys.exc_info()[0]:
            for name, disk in storm.disks.items():
                disk.keep(os.path.join(folder, f"{name}.kept"))
            print(f"\nstorm: FAILED with seed {options.seed}; everything is kept in {folder}",
                  flush=True)
        for disk in storm.disks.values():
            disk.drop()
        if not storm.violations and not sys.exc_info()[0]:
            shutil.rmtree(folder)
    for text in storm.violations:
        print(f"  {text}")
    print(f"storm: {len(storm.violations)} violations")
    return 1 if storm.violations else 0


if __name__ == "__main__":
    sys.exit(main())
