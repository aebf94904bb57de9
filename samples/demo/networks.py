"""Where the conversation moves to from the relay, and back from: direct links, or onion services.

Each has the name of its transport and words for the transcript, says how long the show may take
over it, brings two people into it, and knows what was to be seen there.
"""

import os
import sys
import time
from pathlib import Path

from relay import free_port
from tap import Proxy, Tap

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests/integration/tornet"))

from tor_process import TorError  # noqa: E402
from tornet import TorNet  # noqa: E402


class DirectLinks:
    transport, words = "p2p", "the direct link"
    follows = ""  # what ends with a person's program
    relay_note = ""
    relay_knows = "who is online when, from where, and how much they send"
    stream_s, deadline_s = 15, 55
    move_s = 20  # until both have heard each other by the other network

    def __init__(self, screen, folder):
        self.relay_tap, self.relay_settings = Tap(), {}
        self._taps = {}

    def start(self):
        """Before anybody takes part."""

    def join(self, people):
        for name, person in people.items():
            tap = self._taps[name] = Tap()
            tap.target_port = free_port()
            person.listen(tap.target_port, tap.port)

    def bars(self, _):
        return {"direct link": [times for tap in self._taps.values() for times in tap.times]}

    def observed(self):
        """For the transcript: whose words, what was seen, and by whom it is known."""
        connections = sum(len(tap.times) for tap in self._taps.values())
        carried = sum(tap.carried for tap in self._taps.values())
        return ("direct", f"{connections} connections, {carried / 1e6:.1f} MB",
                "both addresses; when and how much they send")

    def close(self):
        pass


class OnionServices:
    """Over a private Tor network on this machine, which ends with the show.

    The relay is reached by a proxy, so that it does not learn where people are either: else the
    move away from it would begin with minutes of silence, for times would link the two networks.
    """

    transport, words = "onion", "onion services"
    follows = ", and his tor with it"
    relay_note = "by a proxy, which hides people's addresses"
    relay_knows = "who is online when, and how much they send"
    stream_s, deadline_s = 40, 180
    move_s = 60
    online_s = 60

    def __init__(self, screen, folder):
        self.relay_tap = Proxy()
        self.relay_settings = {"proxy": f"127.0.0.1:{self.relay_tap.port}"}
        self._screen, self._folder = screen, folder
        self._net = TorNet(folder=os.path.join(folder, "tornet"),
                           say=lambda text: screen.progress(f"the Tor network: {text}"))

    def start(self):
        self._screen.title("A Tor network of our own")
        self._torrc = self._net.start()["torrc"]
        self._screen.line("", f"an authority and {len(self._net.relays)} relays on this machine")

    def join(self, people):
        self._screen.title("Each starts a tor")
        begun = time.perf_counter()
        for name, person in people.items():
            person.start_onion(os.path.join(self._folder, f"{name}-tor"), self._torrc)
        for name, person in people.items():
            person.wait_online(self.transport, self.online_s, lambda percent, phase, name=name:
                               self._screen.progress(f"{name}'s tor: {percent} %, {phase}"))
            self._screen.line(name, "is in the Tor network",
                              f"after {time.perf_counter() - begun:.1f} s")

    def bars(self, people):
        return {f"{name}'s tor": person.online_times[self.transport]
                for name, person in people.items()}

    def observed(self):
        return ("onion", f"{len(self._net.relays)} relays of the Tor network",
                "that somebody uses Tor, when and how much; not with whom")

    def close(self):
        self._net.stop()


NETWORKS = {"p2p": DirectLinks, "onion": OnionServices}
