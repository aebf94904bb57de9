# shellcheck shell=bash
# The fuzzers. Sourced by ../../dev.
# shellcheck disable=SC2154

help_fuzz() {
    cat <<'TEXT'
Usage: ./dev fuzz [--seconds N] [--yes] [TARGET]...

Builds the fuzz targets (libFuzzer with AddressSanitizer) and runs each for N seconds (default 60),
as many at once as there are processors. What they learn stays in build/fuzz/corpus/TARGET and is
used by the next run; an input that fails is kept in build/fuzz/found/TARGET, and its log is shown.

  TARGET   as in tests/fuzz/TARGET_fuzz.cpp (default: all)
TEXT
}

fuzz_targets() {
    local source
    for source in "$root"/tests/fuzz/*_fuzz.cpp; do
        basename "$source" _fuzz.cpp
    done
}

# fuzz_target NAME SECONDS
fuzz_target() {
    local name=$1 seconds=$2 folder=$root/build/fuzz
    mkdir -p "$folder/corpus/$name" "$folder/found/$name"
    if "$folder/tests/fuzz/fuzz_$name" -max_total_time="$seconds" -print_final_stats=1 -timeout=60 \
        -rss_limit_mb=4096 -artifact_prefix="$folder/found/$name/" \
        "$folder/corpus/$name" "$root/tests/fuzz/corpus/$name" >"$folder/$name.log" 2>&1; then
        printf '%-18s %s runs, %s inputs kept\n' "$name" \
            "$(sed -n 's/^stat::number_of_executed_units: *//p' "$folder/$name.log")" \
            "$(find "$folder/corpus/$name" -type f | wc -l)"
    else
        tail -n 60 "$folder/$name.log"
        printf '%-18s FAILED: see build/fuzz/found/%s and build/fuzz/%s.log\n' "$name" "$name" "$name"
        return 1
    fi
}

command_fuzz() {
    local seconds=60 names=() source waiting=0 failed=""
    while [[ $# -gt 0 ]]; do
        case $1 in
            --seconds)
                [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || die "--seconds takes a number"
                seconds=$2
                shift 2
                ;;
            -*) die "fuzz takes no option '$1'" ;;
            *)
                [[ -f $root/tests/fuzz/$1_fuzz.cpp ]] ||
                    die "there is no fuzz target '$1', but $(fuzz_targets | paste -sd ' ')"
                names+=("$1")
                shift
                ;;
        esac
    done
    if [[ ${#names[@]} -eq 0 ]]; then
        mapfile -t names < <(fuzz_targets)
    fi
    set_up build test
    say "Building the fuzz targets"
    build_preset fuzz fuzzers
    say "Fuzzing ${names[*]}: $seconds seconds each"
    for source in "${names[@]}"; do
        if [[ $waiting -ge $jobs ]]; then
            wait -n || failed=yes
            waiting=$((waiting - 1))
        fi
        fuzz_target "$source" "$seconds" &
        waiting=$((waiting + 1))
    done
    while [[ $waiting -gt 0 ]]; do
        wait -n || failed=yes
        waiting=$((waiting - 1))
    done
    [[ -z $failed ]] || die "a fuzzer found something"
}
