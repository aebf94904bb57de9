# shellcheck shell=bash
# The kill storm: real programs under faults, and a proof. Sourced by ../../dev.
# shellcheck disable=SC2154

help_storm() {
    cat <<'TEXT'
Usage: ./dev storm [--minutes N] [--seed S] [--json FILE] [OPTION]... [--yes]

Builds the release preset. Then three people talk in all directions over a real relay and direct
links (or onion services), and move their conversations from one to the other, while programs are
killed and stopped, disks are full, clocks step, and the network delays, cuts and corrupts. At the
end the apps' ledgers are counted. The exit code is 1 if anything was lost, doubled or reordered, or a program died of
itself; then all logs and profiles are kept.

  --minutes N    how long the faults last (default 3)
  --seed S       draws faults, texts and habits of the apps (default: a new one, which is printed)
  --json FILE    write the figures to FILE
  --network NAME the network beside the relay: p2p (direct links, default), or onion, over a private
                 Tor network on this machine whose nodes, and people's tors, are killed and stopped
  --rate N       messages a second, in all (default 400)
  --switch N     messages to one person until the sender changes the network (default 500, with
                 onion 1000; 0: the relay alone)
  --calm N       seconds within which all must have arrived after the last fault (default 300)
  --faults LIST  kinds, with commas between (default kill,stop,disk,clock,net; with onion also tor)
  --yes          install without asking

Full disks need root or user namespaces, stepping clocks need libfaketime. What can not be done here
is skipped, and the first lines say so. With onion only the relay's clock steps: a tor has the clock
of its program, and believes no network whose time is another.
TEXT
}

command_storm() {
    local groups=(build storm)
    [[ " $* " != *onion* ]] || groups+=(onion)
    set_up "${groups[@]}"
    say "Building the release preset"
    build_preset release
    say "Storm"
    nice -n 10 python3 "$root/tests/storm/storm.py" --build "$root/build/release" "$@"
}
