# shellcheck shell=bash
# The stages of ./dev test, each timed beside its budget. Sourced by ../../dev.
# shellcheck disable=SC2154

# All of it, cold, on two processors. Not every stage needs its whole budget at once.
total_budget=45

# Filled by stage() in order: one line "name|seconds|budget in minutes|result" each.
stage_rows=()
stage_failed=""
stage_ok=""

# stage NAME BUDGET COMMAND...: runs COMMAND in a subshell and notes how it went in stage_ok. Call it
# as a plain command: within a condition Bash would ignore `set -e` in everything that it runs.
stage() {
    local name=$1 budget=$2 began=$SECONDS result=ok status
    shift 2
    say "$name (budget $budget min)"
    set +e
    (
        set -e
        "$@"
    )
    status=$?
    set -e
    stage_ok=yes
    if [[ $status -ne 0 ]]; then
        stage_ok=""
        result=FAILED
        stage_failed=yes
    fi
    stage_rows+=("$name|$((SECONDS - began))|$budget|$result")
}

stage_table() {
    local row name seconds budget result total=0 verdict=""
    printf '\n%-34s %8s  %8s\n' stage minutes budget
    for row in "${stage_rows[@]}"; do
        IFS='|' read -r name seconds budget result <<<"$row"
        total=$((total + seconds))
        [[ $seconds -le $((budget * 60)) ]] || result="$result, over its budget"
        printf '%-34s %8s  %8s  %s\n' "$name" "$(minutes "$seconds")" "$budget" "$result"
    done
    [[ $total -le $((total_budget * 60)) ]] || verdict="over its budget"
    printf '%-34s %8s  %8s  %s\n\n' total "$(minutes "$total")" "$total_budget" "$verdict"
}

minutes() { printf '%d.%d' $(($1 / 60)) $(($1 % 60 * 10 / 60)); }

# run_ctest PRESET [OPTION]...: results also go to build/PRESET/results.xml, for the closing line.
run_ctest() {
    local preset=$1 steady=()
    shift
    export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1
    export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
    export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:suppressions=$root/tests/tsan_suppressions.txt
    # ThreadSanitizer's fixed shadow memory can collide with a randomised address space.
    if [[ $preset == tsan ]] && setarch -R true 2>/dev/null; then
        steady=(setarch -R)
    fi
    rm -f "$root/build/$preset/results.xml"
    ${steady[@]+"${steady[@]}"} ctest --test-dir "$root/build/$preset" --parallel "$jobs" \
        --output-on-failure --no-tests=error --timeout 600 \
        --output-junit "$root/build/$preset/results.xml" "$@"
}

# The sum over the given presets, in the form that readers of logs know.
closing_line() {
    local preset files=()
    for preset in "$@"; do
        files+=("$root/build/$preset/results.xml")
    done
    python3 "$root/cmake/dev/count_tests.py" "${files[@]}"
}

command_test() {
    [[ $# -le 1 ]] || die "test takes at most one pattern"
    local pattern=${1:-} select=() ran=()
    [[ $pattern != -* ]] || die "test has no option '$pattern': see ./dev test --help"
    [[ -z $pattern ]] || select=(-R "$pattern")
    # Old results must not count when a stage fails before its tests.
    rm -f "$root"/build/{asan,tsan}/results.xml
    stage "set-up" 4 set_up build test check storm
    [[ -n $stage_ok ]] || finish_test
    stage "build with ASan and UBSan" 11 build_preset asan
    if [[ -n $stage_ok ]]; then
        ran+=(asan)
        stage "tests with ASan and UBSan" 12 run_ctest asan ${select[@]+"${select[@]}"}
    fi
    [[ -z $pattern ]] || finish_test ${ran[@]+"${ran[@]}"}
    stage "build with TSan" 3 build_preset tsan
    if [[ -n $stage_ok ]]; then
        ran+=(tsan)
        stage "tests with TSan" 4 run_ctest tsan
    fi
    stage "build of the simulator" 3 build_preset sim
    stage "simulator, 1,000 worlds" 4 command_sim --seeds 1..1000
    stage "simulator, mutants" 2 command_sim --mutants
    stage "check" 9 run_checks
    stage "demo" 5 command_demo --plain
    stage "storm" 4 command_storm --minutes 3
    finish_test ${ran[@]+"${ran[@]}"}
}

finish_test() {
    stage_table
    closing_line "$@"
    [[ -z $stage_failed ]] || exit 1
    exit 0
}
