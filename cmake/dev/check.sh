# shellcheck shell=bash
# Format and checks. The checks themselves are Python scripts in ..; each tells how many things it
# has seen. Sourced by ../../dev.
# shellcheck disable=SC2154

check_shell() {
    local scripts
    mapfile -t scripts < <(find "$root" -path "$root/build" -prune -o -name '*.sh' -print | sort)
    shellcheck --external-sources "$root/dev" "$root/.ci/run" "${scripts[@]}" || return 1
    printf 'shell: %d checked, all well\n' $((${#scripts[@]} + 2))
}

# What was built tells what is exported: the tests' build, and the optimised one when it is there.
check_exports() {
    local folders=("$root/build/asan")
    [[ ! -d $root/build/release ]] || folders+=("$root/build/release")
    python3 "$root/cmake/check_exports.py" --below "${folders[@]}"
}

# Every check runs, so that one look shows all that is wrong.
run_checks() {
    local failed=""
    python3 "$root/cmake/check_format.py" "$root" || failed=yes
    check_shell || failed=yes
    python3 "$root/cmake/check_includes.py" "$root" || failed=yes
    python3 "$root/cmake/check_words.py" "$root" || failed=yes
    python3 "$root/cmake/check_headers.py" "$root" || failed=yes
    python3 "$root/cmake/check_rules.py" "$root" || failed=yes
    python3 "$root/cmake/check_selftest.py" || failed=yes
    check_exports || failed=yes
    python3 "$root/cmake/check_tidy.py" "$root" "$root/build/asan" "$jobs" || failed=yes
    check_instructions || failed=yes
    [[ -z $failed ]] || return 1
}

check_instructions() {
    python3 "$root/cmake/check_instructions.py" "$@" "$root/build/sim/tests/instructions/hot_paths" \
        "$root/tests/instructions/recorded.json"
}

command_format() {
    [[ $# -eq 0 ]] || die "format takes no argument '$1'"
    install_packages check
    python3 "$root/cmake/check_format.py" "$root" --fix
}

command_check() {
    if [[ ${1:-} == --record-instructions ]]; then
        set_up build test check
        build_preset sim
        check_instructions --record
        return
    fi
    [[ $# -eq 0 ]] || die "check takes no argument '$1'"
    set_up build test check
    say "Building the presets asan, whose compile commands and libraries are read, and sim"
    build_preset asan
    build_preset sim
    say "Checking"
    run_checks || die "a check failed"
}
