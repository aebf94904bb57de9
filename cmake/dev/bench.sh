# shellcheck shell=bash
# The benchmarks. Sourced by ../../dev.
# shellcheck disable=SC2154

help_bench() {
    cat <<'TEXT'
Usage: ./dev bench [--peers] [--json FILE] [OPTION]... [--yes]

Builds the preset bench, and measures: the parts (ratchet, handshake, formats), the relay and a direct
link alone, two whole clients over each with encrypted profiles, a conversation that moves from one to
the other, a client that is idle, and one with a full outbox. Each is measured once a round, so that all see the same swings of the machine. Prints medians, spreads,
ratios and which goals were met; draws plots into build/bench/plots.

The onion network is measured on a private Tor network in a network namespace, which only root makes:
two whole clients, and the transport alone, beside a stream between two tors with nothing of Wherry's
on it, 1 KiB a message with all that is around it; and from cold, beside a plain tor with an onion
service. The network's nodes share the machine's processors with the clients. So the commits that
bound these are measured twice: alone, and with that stream beside them, as many messages of it as
are committed. Where this can not be measured the report says so, and its goals are not judged.

  --peers       Mosquitto, Prosody and toxcore beside ours, configured in a folder that is removed again.
                Debian starts servers when it installs them, with a configuration of its own: stop
                those, if they are not wanted
  --json FILE   write all figures to FILE
  --rounds N    how many (default 5)
  --messages N  how many a client sends in a round (default 100000)
  --idle S      for how long wake-ups are counted (default 60)
  --only WORD   only what has WORD in its name: parts, relay, clients, FULL, onion, quiet, Mosquitto, ...
  --yes         install without asking

It fails if a goal is missed. Let nothing else run meanwhile: the figures tell of the whole machine.
TEXT
}

command_bench() {
    local argument peers=OFF groups=(build test)
    for argument in "$@"; do
        [[ $argument != --peers ]] || peers=ON
    done
    [[ $peers == OFF ]] || groups+=(bench)
    set_up "${groups[@]}"
    say "Building the benchmarks"
    configure bench
    cmake -DWHERRY_BENCH_PEERS="$peers" "$root/build/bench" >"$root/build/configure-bench.log" 2>&1 ||
        die "configuring the benchmarks failed: see build/configure-bench.log"
    cmake --build "$root/build/bench" --parallel "$jobs" --target wherry_bench
    say "Measuring"
    python3 "$root/tests/bench/run.py" --build "$root/build/bench" "$@"
}
