# shellcheck shell=bash
# The simulator. Sourced by ../../dev.
# shellcheck disable=SC2154

help_sim() {
    cat <<'TEXT'
Usage: ./dev sim --seed N [--mutant NAME]     one world, with its trace
       ./dev sim [--seeds A..B] [--jobs N]    many worlds (default 1..1000); a failure is made short
                                              and shown
       ./dev sim --mutants [--jobs N]         each named fault of the engine must be caught
                                              [--yes]: install without asking

Whole clients with the real engine and the real database, on disks, networks and clocks that fail,
for a virtual day each; everything follows from the seed. tests/sim/invariants.h says what must hold,
tests/sim/plan.h what happens. With WHERRY_TEST_LOG=1, --seed also shows what the engines log.
TEXT
}

command_sim() {
    set_up build
    say "Building the preset sim"
    build_preset sim
    "$root/build/sim/tests/sim/wherry_sim" "$@"
}
