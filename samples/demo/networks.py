"""Where the conversation moves to from the relay, and back from: direct links, on this machine or
between neighbours, or onion services.

Each has the name of its transport and words for the transcript, says how long the show may take
over it, brings two people into it, and knows what was to be seen there.
"""

import os
import shutil
import socket
import struct
import subprocess
import sys
import threading
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


class NetworkError(Exception):
    """The network of the show can not be made; the text says what to do."""


class LocalNetwork:
    """Direct links between neighbours, who find each other: nobody is told an address.

    The show runs in a network of its own, which nothing leaves: see enter_network_of_our_own().
    """

    transport, words = "p2p", "the local network"
    follows = ""
    relay_note = ""
    relay_knows = DirectLinks.relay_knows
    stream_s, deadline_s = 15, 55
    move_s = 20

    GROUP, PORT = "239.255.87.82", 36717  # see transports/p2p/README.md
    ADDRESS = "192.168.77.1"

    def __init__(self, screen, folder):
        self.relay_tap, self.relay_settings = Tap(), {}
        self._screen = screen
        self._heard = []  # (when, size) of what any neighbour hears

    def start(self):
        for command in (["ip", "link", "add", "lan", "type", "veth", "peer", "name", "far"],
                        ["ip", "address", "add", f"{self.ADDRESS}/24", "dev", "lan"],
                        ["ip", "link", "set", "far", "addrgenmode", "none", "up"],
                        ["ip", "link", "set", "lan", "up"]):
            made = subprocess.run(command, capture_output=True, text=True, check=False)
            if made.returncode != 0:
                raise NetworkError(f"no local network can be made: {made.stderr.strip()}")
        self._neighbour = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._neighbour.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._neighbour.bind(("", self.PORT))
        self._neighbour.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                                   struct.pack("4s4s", socket.inet_aton(self.GROUP),
                                               socket.inet_aton(self.ADDRESS)))
        threading.Thread(target=self._listen, daemon=True).start()

    def join(self, people):
        for person in people.values():
            person.find_neighbours()

    def bars(self, _):
        return {"a neighbour hears": [[when, when + 0.05] for when, _ in self._heard]}

    def observed(self):
        sizes = sorted({size for _, size in self._heard})
        return ("local", f"{len(self._heard)} beacons of {sizes} bytes that all look random",
                "that somebody here uses this; of links both addresses, when and how much")

    def close(self):
        """The network ends with the show."""

    def _listen(self):
        while True:
            datagram = self._neighbour.recv(2048)
            self._heard.append((time.perf_counter(), len(datagram)))


def enter_network_of_our_own():
    """Begins this program anew where it sees no network but what it makes, unless it was."""
    mark = "WHERRY_DEMO_INSIDE"
    if os.environ.get(mark):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return
    for program, package in (("unshare", "util-linux"), ("ip", "iproute2")):
        if shutil.which(program) is None:
            raise NetworkError(f"there is no {program}: install the package {package}")
    inside = ["unshare", "--net"] + (["--map-root-user"] if os.geteuid() != 0 else [])
    tried = subprocess.run([*inside, "true"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        raise NetworkError(
            f"this machine allows no network of our own: {tried.stderr.strip()}; try it as root")
    os.environ[mark] = "1"
    os.execvp(inside[0], [*inside, sys.executable, *sys.argv])


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


NETWORKS = {"p2p": DirectLinks, "lan": LocalNetwork, "onion": OnionServices}
