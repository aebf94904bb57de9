"""What is measured: each source runs its programs once a round and gives {metric: (value, unit)}."""

import json
import os
import subprocess

import names
from servers import Mosquitto, Namespace, Prosody, Relay, TorNetwork

PROGRAM_S = 600


class ProgramFailed(RuntimeError):
    """A measuring program ended with an error."""


def run_program(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PROGRAM_S)
    except subprocess.TimeoutExpired as slow:
        raise ProgramFailed(f"{os.path.basename(command[0])}: not done in {PROGRAM_S} s") from slow
    if done.returncode != 0:
        raise ProgramFailed(f"{' '.join(command)}: ended with {done.returncode}\n{done.stderr}")
    return done.stdout


def read_lines(text):
    """Lines "name value unit"."""
    out = {}
    for line in text.splitlines():
        name, value, unit = line.split(" ", 2)
        out[name] = (float(value), unit)
    return out


class Source:
    """Something to measure. `durability` and `encryption` stand beside its figures."""

    rounds = None  # how often at most; None: in every round
    throughput = None  # the metric that is its messages a second, if it has one
    durability = ""
    encryption = ""

    def __init__(self, name, options):
        self.name = name
        self.options = options

    def program(self, name):
        return os.path.join(self.options.build, "tests", "bench", name)

    def relay_program(self):
        return os.path.join(self.options.build, "transports", "relay", "wherry-relay")


class Parts(Source):
    """The parts, by Google Benchmark: processor time, the median of repetitions in random order."""

    def measure(self, folder):
        report = json.loads(run_program([
            self.program("parts_bench"), "--benchmark_format=json", "--benchmark_min_time=0.05",
            "--benchmark_repetitions=5", "--benchmark_enable_random_interleaving=true",
            "--benchmark_report_aggregates_only=true"]))
        return {entry["run_name"]: (entry["cpu_time"] / 1000, "us")
                for entry in sorted(report["benchmarks"], key=lambda entry: entry["run_name"])
                if entry["aggregate_name"] == "median"}


class RelayAlone(Source):
    """The relay between two bare instances of its transport."""

    throughput = "both_rate"
    durability = "relay: one sync for a batch; clients: none"
    encryption = "TLS 1.3; envelopes as they come"

    def measure(self, folder):
        with Relay(folder, self.relay_program()) as relay:
            figures = read_lines(run_program([self.program("relay_bench"), relay.address,
                                              str(self.options.messages * 2)]))
        if figures["failed"][0] != 0:
            raise ProgramFailed(f"relay_bench: {figures['failed'][0]:.0f} envelopes failed")
        slower = min(figures["confirmed_rate"][0], figures["delivered_rate"][0])
        return {**figures, "both_rate": (slower, "msgs/s")}


class Clients(Source):
    """Two whole clients over the relay: one scene of clients_bench."""

    scene = "talk"
    mode = "full"

    def measure(self, folder):
        clients = os.path.join(folder, "clients")
        os.mkdir(clients)
        with Relay(folder, self.relay_program(), fast_sync=self.mode == "normal") as relay:
            return read_lines(run_program([self.program("clients_bench"), self.scene, clients,
                                           relay.address, self.mode, str(self.options.messages)]))


class Talk(Clients):
    """They talk."""

    throughput = "told_rate"
    encryption = "end to end, encrypted disks, TLS 1.3"

    def __init__(self, name, options, durability):
        super().__init__(name, options)
        self.mode = durability
        self.durability = {"full": "synced before it counts, at both clients and the relay",
                           "normal": "written, not synced, at all three"}[durability]


class Direct(Clients):
    """They talk by a direct link, having met over the relay."""

    scene = "direct"
    throughput = "told_rate"
    durability = "synced before it counts, at both clients"
    encryption = "end to end, encrypted disks, CurveZMQ"


class Move(Clients):
    """Their conversation moves from the relay to a direct link; and the steps of that alone."""

    scene = "move"


class Link(Source):
    """A direct link between two bare instances of its transport, or ZeroMQ's CURVE alone."""

    throughput = "delivered_rate"
    encryption = "CurveZMQ; envelopes as they come"

    def __init__(self, name, options, which):
        super().__init__(name, options)
        self.which = which
        self.durability = {"ours": "none; each envelope is confirmed",
                           "bare": "none; nothing is confirmed"}[which]

    def measure(self, folder):
        figures = read_lines(run_program([self.program("link_bench"), self.which,
                                          str(self.options.messages * 5)]))
        if figures.get("failed", (0, ""))[0] != 0:
            raise ProgramFailed(f"link_bench: {figures['failed'][0]:.0f} envelopes failed")
        return figures


class LocalNetwork(Source):
    """How soon two devices find each other on a local network, which is made for it."""

    rounds = 1

    def measure(self, folder):
        with Namespace() as namespace:
            namespace.add_lan()
            return read_lines(run_program(namespace.inside([self.program("link_bench"), "lan"])))


class Onion(Source):
    """Two whole clients over a private Tor network, beside a raw stream and a plain tor there."""

    rounds = 3

    def measure(self, folder):
        place = os.path.join(folder, "onion")
        os.mkdir(place)
        with Namespace() as namespace, TorNetwork(folder, namespace) as network:
            return read_lines(run_program(namespace.inside(
                [self.program("onion_bench"), place, network.torrc,
                 str(max(self.options.messages // 5, 1000))])))


class Quiet(Source):
    """What a client costs that does nothing. Slow by its nature, so once."""

    rounds = 1

    def measure(self, folder):
        figures = {}
        program = self.program("clients_bench")
        with Relay(folder, self.relay_program()) as relay:
            for scenes in (("outbox",), ("prepare", "idle")):
                clients = os.path.join(folder, scenes[0])
                os.mkdir(clients)
                for scene in scenes:
                    number = self.options.idle if scene == "idle" else self.options.messages
                    figures |= read_lines(run_program(
                        [program, scene, clients, relay.address, "full", str(number)]))
        return figures


class MosquittoPeer(Source):
    """QoS 1 from one client to another."""

    throughput = "told_rate"
    durability = "in memory; written every 30 min and at the end, no sync per message"
    encryption = "TLS to the server, which reads all"

    def measure(self, folder):
        with Mosquitto(folder) as server:
            return read_lines(run_program([
                self.program("mosquitto_bench"), str(server.port), server.certificate,
                str(self.options.messages)]))


class ProsodyPeer(Source):
    """Chat messages from one client to another, with receipts."""

    throughput = "told_rate"
    encryption = "TLS to the server, which reads all"

    def __init__(self, name, options, archive):
        super().__init__(name, options)
        self.archive = archive
        self.durability = "archive files, written, not synced" if archive else "none"
        self.messages = max(options.messages // (20 if archive else 5), 500)

    def measure(self, folder):
        with Prosody(folder, self.archive) as server:
            return read_lines(run_program([
                self.program("xmpp_bench"), str(server.port), server.password,
                str(self.messages)]))


class ToxPeer(Source):
    """Messages from one client to another, each confirmed."""

    throughput = "told_rate"
    durability = "none"
    encryption = "end to end"

    def measure(self, folder):
        return read_lines(run_program([self.program("tox_bench"),
                                       str(max(self.options.messages // 2, 500))]))


def make_sources(options):
    sources = [
        Parts(names.PARTS, options),
        RelayAlone(names.RELAY, options),
        Talk(names.FULL, options, "full"),
        Talk(names.NORMAL, options, "normal"),
        Link(names.LINK, options, "ours"),
        Link(names.CURVE, options, "bare"),
        LocalNetwork(names.LAN, options),
        Direct(names.DIRECT, options),
        Move(names.MOVES, options),
        Onion(names.ONION, options),
        Quiet(names.QUIET, options),
    ]
    if options.peers:
        sources += [
            MosquittoPeer(names.MOSQUITTO, options),
            ProsodyPeer(names.PROSODY, options, archive=False),
            ProsodyPeer(names.ARCHIVE, options, archive=True),
            ToxPeer(names.TOX, options),
        ]
    return sources
