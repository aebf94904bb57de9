"""Which fault comes when, from one seed, and how each is done and undone."""

import random
import signal
import threading

from tor import RELAYS, tor_of

GAP_S = 1.2  # between two faults, on average
KINDS = ("kill", "stop", "disk", "clock", "net", "tor")


class Faults:
    """Runs on a thread until stop(). At most one fault at a time hits the same thing."""

    def __init__(self, seed, kinds, people, relay, proxies, disks, clocks, tor_network):
        """proxies, disks and clocks by the name of a person, or `relay`, as far as there are any; so
        is the Tor network."""
        self._random = random.Random(f"{seed}/faults")
        self._people = {person.name: person for person in people}
        self._relay, self._proxies, self._disks, self._clocks = relay, proxies, disks, clocks
        self._tor_network = tor_network
        self.counts = dict.fromkeys(kinds, 0)
        self.recent = []  # since the last line of the storm
        self._stopping = threading.Event()
        self._busy = {}  # (what, who) -> thread
        self._menu = [entry for entry in self._all() if entry[0] in kinds]
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self._thread.start()

    def stop(self):
        """No more faults; returns when all are undone."""
        self._stopping.set()
        self._thread.join()
        for thread in self._busy.values():
            thread.join()

    def _all(self):
        """(kind, weight, what it hits, who can be hit, how)."""
        names = list(self._people)
        return [
            ("kill", 5, "program", names, self._kill_program),
            ("kill", 2, "program", names, self._kill_app),
            ("kill", 3, "program", names, self._kill_both),
            ("kill", 4, "program", ["relay"], self._kill_relay),
            ("stop", 3, "program", names, self._stop_program),
            ("stop", 2, "program", names, self._stop_app),
            ("stop", 2, "program", ["relay"], self._stop_relay),
            ("disk", 4, "disk", list(self._disks), self._fill_disk),
            ("clock", 4, "clock", list(self._clocks), self._step_clock),
            ("net", 3, "net", list(self._proxies), self._delay),
            ("net", 3, "net", list(self._proxies), self._cut),
            ("net", 2, "net", list(self._proxies), self._corrupt),
            ("net", 1, "net", list(self._proxies), self._hold),
            ("net", 1, "net", list(self._proxies), self._refuse),
            ("tor", 3, "tor", names, self._kill_tor),
            ("tor", 2, "tor", names, self._stop_tor),
            ("tor", 3, "tor", ["network"], self._kill_tor_relay),
            ("tor", 1, "tor", ["network"], self._stop_tor_network),
        ]

    def _run(self):
        menu = [entry for entry in self._menu if entry[3]]
        weights = [entry[1] for entry in menu]
        while not self._stopping.wait(self._random.expovariate(1 / GAP_S)):
            kind, _, what, names, how = self._random.choices(menu, weights)[0]
            who = self._random.choice(names)
            running = self._busy.get((what, who))
            if running and running.is_alive():
                continue
            draw = random.Random(self._random.random())  # each fault draws on a thread of its own
            thread = threading.Thread(target=how, args=(who, draw), daemon=True)
            self._busy[what, who] = thread
            thread.start()

    def _note(self, kind, text):
        """One that hit."""
        self.counts[kind] += 1
        self.recent.append(text)

    def _lasting(self, draw, longest_s):
        """How long a fault lasts: mostly short, and no longer than the storm."""
        time_s = draw.random() ** 2 * longest_s
        self._stopping.wait(time_s)
        return f"{time_s:.1f} s"

    def _kill_program(self, who, _):
        if self._people[who].kill_program():
            self._note("kill", f"kill {who}")

    def _kill_app(self, who, draw, program_too=False):
        person = self._people[who]
        person.kill_app(program_too)
        pause = self._lasting(draw, 3)
        person.start()
        self._note("kill", f"kill {who}'s app{' and program' if program_too else ''} for {pause}")

    def _kill_both(self, who, draw):
        self._kill_app(who, draw, program_too=True)

    def _kill_relay(self, _, draw):
        if self._relay.kill(draw.random() ** 2 * 4):
            self._note("kill", f"kill relay for {self._relay.pause_s:.1f} s")

    def _freeze(self, process, who, draw, kind="stop"):
        if process and process.send(signal.SIGSTOP):
            time_s = self._lasting(draw, 12)
            process.send(signal.SIGCONT)
            self._note(kind, f"stop {who} for {time_s}")

    def _stop_program(self, who, draw):
        self._freeze(self._people[who].program, who, draw)

    def _stop_app(self, who, draw):
        self._freeze(self._people[who].app, f"{who}'s app", draw)

    def _stop_relay(self, _, draw):
        self._freeze(self._relay.process, "relay", draw)

    def _fill_disk(self, who, draw):
        left = draw.choice((0, 0, 4096, 65536, 300_000))
        if who == "relay":
            self._relay.disk_is_full = True
        try:
            self._disks[who].fill(left)
            time_s = self._lasting(draw, 8)
        finally:
            self._disks[who].free()
            if who == "relay":
                self._relay.disk_is_full = False
        self._note("disk", f"disk of {who} full for {time_s}")

    def _step_clock(self, who, draw):
        self._note("clock", f"clock of {who} {self._clocks[who].step(draw):+d} s")

    def _delay(self, who, draw):
        proxy = self._proxies[who]
        proxy.delay_s = draw.choice((0.005, 0.05, 0.5))
        time_s = self._lasting(draw, 8)
        self._note("net", f"net to {who} delayed up to {proxy.delay_s} s for {time_s}")
        proxy.delay_s = 0.0

    def _cut(self, who, draw):
        share = draw.choice((0.5, 1.0))
        self._proxies[who].cut(share)
        self._note("net", f"net to {who} cut {share}")

    def _corrupt(self, who, draw):
        proxy = self._proxies[who]
        proxy.corrupting = draw.choice((0.002, 0.02, 0.2))
        self._note("net", f"net to {who} corrupted for {self._lasting(draw, 6)}")
        proxy.corrupting = 0.0

    def _hold(self, who, draw):
        proxy = self._proxies[who]
        proxy.is_holding = True
        self._note("net", f"net to {who} held for {self._lasting(draw, 8)}")
        proxy.is_holding = False

    def _tor(self, who):
        program = self._people[who].program
        return tor_of(program) if program else None

    def _kill_tor(self, who, _):
        tor = self._tor(who)
        if tor and tor.send(signal.SIGKILL):
            self._note("tor", f"kill {who}'s tor")

    def _stop_tor(self, who, draw):
        self._freeze(self._tor(who), f"{who}'s tor", draw, "tor")

    def _kill_tor_relay(self, _, draw):
        number = draw.randrange(RELAYS)
        if self._tor_network.command(f"kill {number}"):
            time_s = self._lasting(draw, 20)
            self._tor_network.command(f"start {number}")
            self._note("tor", f"kill relay {number} of the Tor network for {time_s}")

    def _stop_tor_network(self, _, draw):
        if self._tor_network.command("stop"):
            time_s = self._lasting(draw, 20)
            self._tor_network.command("continue")
            self._note("tor", f"stop the Tor network for {time_s}")

    def _refuse(self, who, draw):
        proxy = self._proxies[who]
        proxy.is_refusing = True
        proxy.cut(1.0)
        self._note("net", f"net to {who} down for {self._lasting(draw, 4)}")
        proxy.is_refusing = False
