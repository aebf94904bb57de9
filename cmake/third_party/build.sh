#!/usr/bin/env bash
# Fetches and builds the third-party libraries that Debian has not, once for all presets.
#
# Usage: cmake/third_party/build.sh            builds what is missing
#        cmake/third_party/build.sh --check    exits 0 when nothing is missing, 1 otherwise
#
# They go to $WHERRY_DEPS (default build/deps): include/, lib/, stamps/. Each library is a recipe,
# NAME/recipe.sh, which pins a version and its hashes. A stamp holds the hash of the recipe's folder
# and is written last, so a broken-off build is done again and a changed recipe is built anew.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
prefix=${WHERRY_DEPS:-$root/build/deps}
export jobs=${WHERRY_JOBS:-$(nproc)}
recipes=(libsodium sqlite3mc)

say() { printf 'third-party: %s\n' "$*"; }

die() {
    printf 'third-party: %s\n' "$*" >&2
    exit 1
}

recipe_key() {
    (cd "$here/$1" && sha256sum -- * | sha256sum | cut -d' ' -f1)
}

is_built() {
    [[ -f "$prefix/stamps/$1" && "$(<"$prefix/stamps/$1")" == "$(recipe_key "$1")" ]]
}

# verify FILE SHA256: the one place where what came from outside is believed.
verify() {
    local actual
    actual=$(sha256sum "$1" | cut -d' ' -f1)
    [[ "$actual" == "$2" ]] || die "$(basename "$1") has SHA-256 $actual, expected $2"
}

# The log is shown only when a step fails: a build's output helps nobody else.
logged() {
    if ! "$@" >>"$work/log" 2>&1; then
        tail -n 40 "$work/log" >&2
        die "'$*' failed; the whole log is $work/log"
    fi
}

build_one() (
    local name=$1 work version
    work=$prefix/work/$name
    rm -rf "$work"
    mkdir -p "$work" "$prefix/include" "$prefix/lib" "$prefix/stamps"
    rm -f "$prefix/stamps/$name"
    export CFLAGS="-O2 -g1 -fPIC -fvisibility=hidden"
    # shellcheck source=/dev/null
    source "$here/$name/recipe.sh"
    say "$name $version: fetching"
    fetch
    say "$name $version: building (about a minute)"
    build
    recipe_key "$name" >"$prefix/stamps/$name.new"
    mv "$prefix/stamps/$name.new" "$prefix/stamps/$name"
    rm -rf "$work"
    say "$name $version: ready"
)

missing=()
for name in "${recipes[@]}"; do
    is_built "$name" || missing+=("$name")
done
[[ ${#missing[@]} -gt 0 ]] || exit 0
[[ ${1:-} != --check ]] || exit 1

# Two set-ups at once would write into each other's work folder.
mkdir -p "$prefix"
exec 9>"$prefix/lock"
flock 9
# Side by side: most of the time each is one compiler, or a configure script.
builds=()
for name in "${missing[@]}"; do
    is_built "$name" && continue
    build_one "$name" &
    builds+=($!)
done
for build in ${builds[@]+"${builds[@]}"}; do
    wait "$build"
done
