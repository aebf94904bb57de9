"""The figures of a storm: as a table for people, and as they go into a JSON file."""

from collections import Counter

from proof import Way


def figures(storm):
    felt = {}
    for person in storm.people:
        for name, count in person.felt().items():
            felt[name] = felt.get(name, 0) + count
    memory = {person.name: round(person.memory_mib) for person in storm.people}
    return {
        "seed": storm.options.seed,
        "rate": storm.options.rate,
        "seconds": round(storm.storm_s),
        "messages": sum(way.received for way in storm.ways),
        "arrived_seconds": round(storm.arrived_s),
        "unacknowledged": storm.unacknowledged,
        "faults": storm.faults.counts,
        "skipped": storm.skipped,
        "felt": felt,
        "network": {what: sum(proxy.counts[what] for proxy in storm.proxies.values())
                    for what in storm.proxies["relay"].counts},
        "relay_lives": storm.relay.lives,
        "memory_mib": {**memory, "relay": round(storm.relay.memory_mib)},
        "violations": storm.violations,
        "networks": dict(sum((way.networks for way in storm.ways), Counter())),
        "moves": sum(way.moves for way in storm.ways),
        "ways": {way.name: {"sent": way.sent, "received": way.received,
                            **{fault: len(getattr(way, fault)) for fault in Way.FAULTS}}
                 for way in storm.ways},
    }


def table(found):
    """The closing table, from what figures() gives."""
    felt, network = found["felt"], found["network"]
    rows = [
        ("messages", f"{found['messages']:,} in {found['seconds']} s: "
                     f"{found['messages'] / max(1, found['seconds']):.0f}/s"),
        ("calm", f"all there {found['arrived_seconds']} s after the last fault; "
                 f"{found['unacknowledged']} were not acknowledged before the next message"),
        ("faults", f"{sum(found['faults'].values())}: " +
                   ", ".join(f"{kind} {count}" for kind, count in found["faults"].items())),
        ("felt by apps", f"{felt.get('disk', 0)} times no disk, {felt.get('links', 0)} times "
                         f"online again, {felt.get('clock', 0):,} messages by a wrong clock"),
        ("repeated", f"{felt.get('repeated', 0):,} messages by their ref, "
                     f"{felt.get('replayed', 0):,} events by their number"),
        ("moves", f"{felt.get('switched', 0)} routes set, {found['moves']} times the next message "
                  "came by another network; " +
                  ", ".join(f"{count:,} by {name}" for name, count in found["networks"].items())),
        ("network", f"{network['links']} connections, {network['cut']} cut, "
                    f"{network['corrupted']} pieces corrupted"),
        ("relay", f"{found['relay_lives']} lives"),
        ("memory, most", ", ".join(f"{who} {mib} MiB"
                                   for who, mib in found["memory_mib"].items())),
    ]
    return "\n".join(f"  {name:<14} {text}" for name, text in rows)
