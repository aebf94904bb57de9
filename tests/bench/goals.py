"""What the figures should be, and whether they are."""

from dataclasses import dataclass
from statistics import median

from names import (ARCHIVE, CURVE, DIRECT, FULL, LAN, LINK, MOSQUITTO, MOVES, ONION, PARTS, QUIET,
                   RELAY, TOX)


@dataclass
class Verdict:
    text: str
    value: float
    unit: str
    bound: float
    at_least: bool

    @property
    def met(self):
        return self.value >= self.bound if self.at_least else self.value <= self.bound


class Goals:
    """Compares figures of the same round, and takes the median of that."""

    def __init__(self, results):
        self.results = results
        self.verdicts = []

    def check(self, text, unit, bound, compute, at_least, needs):
        """`compute` takes one function that gives the figure (source, metric) of a round."""
        if any(source not in self.results for source in needs):
            return  # not measured this time
        rounds = min(len(next(iter(self.results[source].values())).values) for source in needs)
        values = [compute(lambda source, metric, at=at: self.results[source][metric].values[at])
                  for at in range(rounds)]
        self.verdicts.append(Verdict(text, median(values), unit, bound, at_least))

    def at_most(self, text, unit, bound, compute, *needs):
        self.check(text, unit, bound, compute, False, needs)

    def at_least(self, text, unit, bound, compute, *needs):
        self.check(text, unit, bound, compute, True, needs)


def judge(results):
    goals = Goals(results)
    for step in ("seal", "open"):
        goals.at_most(f"ratchet {step}, headers encrypted : its primitives", "x", 1.3,
                      lambda of, step=step: of(PARTS, f"ratchet_{step}")
                      / of(PARTS, f"ratchet_{step}_primitives"), PARTS)
    goals.at_most("ratchet turn, both ends : its primitives", "x", 1.3,
                  lambda of: of(PARTS, "ratchet_turn")
                  / (of(PARTS, "ratchet_seal_primitives") + of(PARTS, "ratchet_open_primitives")
                     + of(PARTS, "ratchet_turn_extra_primitives")), PARTS)
    goals.at_least("relay alone, FULL : Mosquitto", "x", 2.5,
                   lambda of: of(RELAY, "both_rate") / of(MOSQUITTO, "told_rate"),
                   RELAY, MOSQUITTO)
    goals.at_least("two clients, FULL : Mosquitto", "x", 1,
                   lambda of: of(FULL, "told_rate") / of(MOSQUITTO, "told_rate"), FULL, MOSQUITTO)
    goals.at_least("two clients, FULL : Prosody with archive", "x", 10,
                   lambda of: of(FULL, "told_rate") / of(ARCHIVE, "told_rate"), FULL, ARCHIVE)
    goals.at_least("one blocking sender : the disk's single commits", "x", 0.8,
                   lambda of: of(FULL, "blocking_alone_rate") / of(FULL, "disk_commit_rate"), FULL)
    goals.at_most("one way, idle, beside the two commits on its way", "ms", 0.5,
                  lambda of: of(FULL, "one_way_median") - 2 * of(FULL, "disk_commit_median"), FULL)
    goals.at_most("opening the profile that received them all", "ms", 50,
                  lambda of: of(FULL, "profile_open"), FULL)
    goals.at_most("a page of 50 of its history", "ms", 2,
                  lambda of: of(FULL, "page_median"), FULL)
    # What a move is made of: a commit before the inbox is opened, the new set by the relay, a
    # connection, the probe by it, the answer by the relay, and the message. Each one-way time has
    # the commits of its step. Each was measured between the moves, on an idle system as they are.
    goals.at_most("a move : its steps one after the other", "x", 1.1,
                  lambda of: of(MOVES, "move_median")
                  / (of(MOVES, "relay_disk_commit_median") + of(MOVES, "connect_median")
                     + 2 * of(MOVES, "relay_one_way_median")
                     + 2 * of(MOVES, "link_one_way_median")), MOVES)
    goals.at_least("direct link alone : CURVE alone", "x", 0.8,
                   lambda of: of(LINK, "delivered_rate") / of(CURVE, "delivered_rate"), LINK, CURVE)
    goals.at_least("direct link alone : toxcore", "x", 10,
                   lambda of: of(LINK, "delivered_rate") / of(TOX, "told_rate"), LINK, TOX)
    goals.at_least("two clients, direct, FULL : toxcore", "x", 1,
                   lambda of: of(DIRECT, "told_rate") / of(TOX, "told_rate"), DIRECT, TOX)
    goals.at_most("found on the local network, and connected", "ms", 2000,
                  lambda of: of(LAN, "found_p99"), LAN)
    goals.at_least("onion link alone : raw stream", "x", 0.9,
                   lambda of: of(ONION, "link_rate") / of(ONION, "raw_rate"), ONION)
    # The Tor network's nodes have the same processors as the clients here, so the commits are
    # measured while the raw stream runs beside them.
    goals.at_least("two clients, onion, FULL : raw stream, or the commits beside it", "x", 0.9,
                   lambda of: of(ONION, "told_rate")
                   / min(of(ONION, "raw_rate"), of(ONION, "commits_beside_raw_rate")), ONION)
    goals.at_most("onion, one way, idle, beside the raw stream and two commits", "ms", 1,
                  lambda of: of(ONION, "one_way_median") - of(ONION, "raw_one_way_median")
                  - 2 * of(ONION, "disk_commit_median"), ONION)
    goals.at_most("onion, from cold to reachable, beside a plain tor", "ms", 1000,
                  lambda of: of(ONION, "cold") - of(ONION, "raw_cold"), ONION)
    goals.at_most("full outbox, contact away: memory from a tenth to the whole", "MiB", 2,
                  lambda of: of(QUIET, "outbox_memory_whole") - of(QUIET, "outbox_memory_tenth"),
                  QUIET)
    goals.at_most("full outbox, contact away: processor", "%", 1,
                  lambda of: of(QUIET, "outbox_processor"), QUIET)
    # 8 for the client, and gRPC's 0.16 for its connection to the relay.
    goals.at_most("idle with 10 contacts: memory beside its libraries", "MiB", 8.16,
                  lambda of: of(QUIET, "idle_memory_online"), QUIET)
    goals.at_most("idle with 10 contacts, no network: wake-ups", "1/min", 1,
                  lambda of: of(QUIET, "idle_wake_ups_offline"), QUIET)
    return goals.verdicts
