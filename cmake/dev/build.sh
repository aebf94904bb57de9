# shellcheck shell=bash
# Building presets, and the demo. Sourced by ../../dev.
# shellcheck disable=SC2154

# configure PRESET: once, and again when the presets or the place of the dependencies have changed;
# changes of CMake files are Ninja's to notice.
configure() {
    local preset=$1 folder=$root/build/$1 key
    key=$({ cat "$root/CMakePresets.json" && printf '%s\n' "$root" "$deps"; } | sha256sum | cut -d' ' -f1)
    if [[ -f $folder/build.ninja && -f $folder/configured && $(<"$folder/configured") == "$key" ]]; then
        return 0
    fi
    mkdir -p "$root/build"
    cmake --fresh --preset "$preset" -DWHERRY_DEPS_DIR="$deps" >"$root/build/configure-$preset.log" 2>&1 || {
        cat "$root/build/configure-$preset.log" >&2
        die "configuring the preset '$preset' failed"
    }
    printf '%s\n' "$key" >"$folder/configured"
}

# build_preset PRESET [TARGET]
build_preset() {
    configure "$1"
    cmake --build "$root/build/$1" --parallel "$jobs" --target "${2:-all}"
}

command_build() {
    local preset=${1:-dev}
    [[ $# -le 1 ]] || die "build takes one preset"
    case $preset in
        dev | bench | asan | tsan | fuzz) set_up build test ;;
        release | sim) set_up build ;;
        *) die "there is no preset '$preset': dev, release, bench, asan, tsan, sim, fuzz" ;;
    esac
    say "Building the preset $preset"
    build_preset "$preset"
}

command_demo() {
    local groups=(build) options=()
    while [[ $# -gt 0 ]]; do
        case $1 in
            --plain) options+=("$1") ;;
            --network)
                [[ ${2:-} == p2p || ${2:-} == onion ]] || die "--network takes p2p or onion"
                options+=("$1" "$2")
                [[ $2 == p2p ]] || groups+=("$2")
                shift
                ;;
            *) die "demo takes no argument '$1': see ./dev demo --help" ;;
        esac
        shift
    done
    set_up "${groups[@]}"
    say "Building the release preset"
    build_preset release
    say "Demo"
    # Signals to ./dev are the show's: it clears away what it made.
    python3 "$root/samples/demo/demo.py" --build "$root/build/release" \
        --svg "$root/build/demo.svg" ${options[@]+"${options[@]}"} &
    local show=$!
    trap 'kill -TERM $show 2>/dev/null' TERM INT
    local code=0
    wait "$show" || code=$?
    # A signal ends the wait before the show has cleared away.
    wait "$show" 2>/dev/null || true
    trap - TERM INT
    return "$code"
}
