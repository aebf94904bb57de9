"""Counts the instructions of hot paths, and compares them with recorded ones.

Usage: check_instructions.py [--record] PROGRAM RECORD

PROGRAM is tests/instructions/hot_paths.cpp, optimised; RECORD a JSON file. Each path is run under Callgrind
with two numbers of repeats: the difference is what one repeat costs, without the preparation. Counts
do not depend on what else the machine does, so 5 % more, or less, is a change of the code. They do
depend on the compiler and on the processor's features, for which libsodium has code of its own:
where these are others than recorded, nothing is compared, and that is said.

--record writes RECORD anew; commit it with the reason.
"""

import concurrent.futures
import json
import os
import pathlib
import platform
import re
import subprocess
import sys

TOLERANCE = 0.05
REPEATS = {
    "seal": 200, "seal-and-open": 200, "ratchet-turns": 40, "handshakes": 8, "encode-payload": 500,
    "decode-payload": 500, "parse-card": 40, "admit-to-stream": 2000, "send-for-an-absent-one": 40,
    "send-and-be-told": 20,
}  # fmt: skip


def circumstances() -> str:
    """What counts depend on, beside the code."""
    flags = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").split("flags", 1)[-1].split("\n")[0]
    # Not AVX-512: Valgrind's processor has none.
    features = [name for name in ("aes", "avx", "avx2", "bmi2") if name in flags.split()]
    compiler = subprocess.run(
        ["c++", "-dumpfullversion"], check=True, capture_output=True, text=True
    ).stdout.strip()
    return f"{platform.machine()} {' '.join(features)}, c++ {compiler}"


def instructions(program: str, name: str, times: int) -> int:
    result = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, name, str(times)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = re.search(r"Collected : (\d+)", result.stderr)
    if result.returncode != 0 or not found:
        raise RuntimeError(f"{name}: {result.stderr[-500:]}")
    return int(found[1])


def cost(program: str, name: str) -> int:
    times = REPEATS[name]
    return (instructions(program, name, 2 * times) - instructions(program, name, times)) // times


def main() -> int:
    words = [word for word in sys.argv[1:] if word != "--record"]
    if len(words) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    program, record = words[0], pathlib.Path(words[1])
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        counts = dict(zip(REPEATS, pool.map(lambda name: cost(program, name), REPEATS)))
    here = circumstances()
    if "--record" in sys.argv:
        text = json.dumps({"circumstances": here, "instructions": counts}, indent=2)
        record.write_text(text + "\n", encoding="utf-8")
        print(f"instructions: {len(counts)} recorded")
        return 0
    known = json.loads(record.read_text(encoding="utf-8"))
    if known["circumstances"] != here:
        print(f"instructions: NOT COMPARED: recorded on {known['circumstances']}; this is {here}")
        return 0
    bad = 0
    for name, count in counts.items():
        before = known["instructions"].get(name, 0)
        change = (count - before) / before if before else 1.0
        if abs(change) > TOLERANCE:
            bad += 1
            print(f"{name}: {count:,} instructions, {change:+.1%} of the recorded {before:,}")
    if bad:
        print("if this is meant, record anew: ./dev check --record-instructions")
    print(f"instructions: {len(counts)} checked, {f'{bad} changed' if bad else 'all well'}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
