#!/usr/bin/env python3
"""Runs the benchmarks: starts what they need, interleaves rounds, prints medians, spreads, ratios.

All servers listen on 127.0.0.1 and live in a folder that is removed at the end. Machines differ and
swing: compare only figures of one run.
"""

import argparse
import datetime
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
from statistics import median

sys.dont_write_bytecode = True

from goals import judge  # noqa: E402
from plot import plot_all  # noqa: E402
from servers import NotHere, ServerFailed  # noqa: E402
from sources import ProgramFailed, make_sources  # noqa: E402
from table import print_report  # noqa: E402


class Series:
    """One metric of one source, a value a round."""

    def __init__(self, unit):
        self.unit = unit
        self.values = []

    @property
    def median(self):
        return median(self.values)


def parse_arguments():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build/bench", help=argparse.SUPPRESS)
    parser.add_argument("--peers", action="store_true",
                        help="Mosquitto, Prosody and toxcore beside ours")
    parser.add_argument("--json", metavar="FILE", help="write all figures to FILE")
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument("--messages", type=int, default=100_000, metavar="N",
                        help="how many a client sends in a round (default %(default)s)")
    parser.add_argument("--idle", type=int, default=60, metavar="S",
                        help="for how long wake-ups are counted (default %(default)s)")
    parser.add_argument("--only", metavar="WORD", action="append", default=[],
                        help="only what has this in its name; may be repeated")
    options = parser.parse_args()
    if options.rounds < 1 or options.messages < 1000 or options.idle < 10:
        parser.error("at least 1 round, 1,000 messages, 10 s")
    return options


def measure(options, sources, folder):
    """Every source once, then every source again, so that a swing of the machine hits all alike.

    Returns the figures of each, and why there are none of some.
    """
    results = {}
    missing = {}
    for number in range(options.rounds):
        for source in sources:
            if source.name in missing or (source.rounds is not None and number >= source.rounds):
                continue
            print(f"round {number + 1} of {options.rounds}: {source.name}", file=sys.stderr,
                  flush=True)
            place = tempfile.mkdtemp(dir=folder)
            try:
                figures = source.measure(place)
            except NotHere as why:
                missing[source.name] = str(why)
                continue
            shutil.rmtree(place)
            for name, (value, unit) in figures.items():
                of_source = results.setdefault(source.name, {})
                of_source.setdefault(name, Series(unit)).values.append(value)
    return results, missing


def conditions(options):
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True,
                            text=True, check=False, cwd=os.path.dirname(__file__)).stdout.strip()
    processor = ""
    with open("/proc/cpuinfo") as lines:
        for line in lines:
            if line.startswith("model name"):
                processor = line.split(":", 1)[1].strip()
                break
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "commit": commit, "processor": processor, "processors": os.cpu_count(),
        "system": platform.platform(), "load_before": os.getloadavg()[0],
        "rounds": options.rounds, "messages": options.messages,
    }


def write_json(path, about, results, missing, verdicts):
    whole = {
        "conditions": about,
        "results": {source: {name: {"unit": series.unit, "median": series.median,
                                    "values": series.values} for name, series in figures.items()}
                    for source, figures in results.items()},
        "not_measured": missing,
        "goals": [{"text": verdict.text, "value": verdict.value, "unit": verdict.unit,
                   "bound": verdict.bound, "at_least": verdict.at_least, "met": verdict.met}
                  for verdict in verdicts],
    }
    with open(path, "w") as file:
        json.dump(whole, file, indent=1)
        file.write("\n")


def end_by_exit(*_):
    """So that a TERM, too, ends the servers."""
    sys.exit(143)


def main():
    options = parse_arguments()
    signal.signal(signal.SIGTERM, end_by_exit)
    options.build = os.path.abspath(options.build)
    sources = [source for source in make_sources(options)
               if not options.only or any(word in source.name for word in options.only)]
    if not sources:
        sys.exit("bench: nothing has such a name")
    about = conditions(options)
    folder = tempfile.mkdtemp(prefix="run-", dir=options.build)
    try:
        results, missing = measure(options, sources, folder)
    except (ProgramFailed, ServerFailed) as error:
        sys.exit(f"bench: {error}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sources = [source for source in sources if source.name in results]
    verdicts = judge(results)
    print_report(about, sources, results, missing, verdicts)
    plots = os.path.join(options.build, "plots")
    plot_all(plots, about, sources, results)
    print(f"\nPlots are in {os.path.relpath(plots)}")
    if options.json:
        write_json(options.json, about, results, missing, verdicts)
    missed = sum(not verdict.met for verdict in verdicts)
    if missed:
        sys.exit(f"bench: {missed} of {len(verdicts)} goals missed")


if __name__ == "__main__":
    main()
