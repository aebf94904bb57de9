# shellcheck shell=bash
# Set-up: Debian packages, third-party libraries, the tests' Python environment. Sourced by ../../dev.
# Each step looks first and does only what is missing, so that a broken-off set-up goes on.
# shellcheck disable=SC2154

package_list=$root/cmake/third_party/debian-packages.txt

# packages_missing GROUP...: of the groups' packages, those that are not installed.
packages_missing() {
    local group package command wanted=()
    while read -r group package command; do
        [[ -n $group && $group != "#"* && " $* " == *" $group "* ]] || continue
        [[ -n $command ]] && command_serves "$command" && continue
        wanted+=("$package")
    done <"$package_list"
    [[ ${#wanted[@]} -gt 0 ]] || return 0
    dpkg_missing "${wanted[@]}"
}

dpkg_missing() {
    local installed package
    installed=$(dpkg-query -W -f='${binary:Package} ${db:Status-Status}\n' -- "$@" 2>/dev/null || true)
    installed=$(sed -n 's/^\([^: ]*\)\(:[^ ]*\)\{0,1\} installed$/\1/p' <<<"$installed")
    for package in "$@"; do
        grep -qxF -- "$package" <<<"$installed" || printf '%s\n' "$package"
    done
}

# A command that is there already serves, but cargo before 1.68 cannot read its registry's index.
command_serves() {
    command -v "$1" >/dev/null || return 1
    [[ $1 != cargo ]] || [[ $(cargo --version) =~ ^cargo\ 1\.(6[89]|[7-9][0-9]|[1-9][0-9]{2,})\. ]]
}

confirm() {
    [[ -z $assume_yes && -t 0 ]] || return 0
    local answer
    read -r -p "Go on? [Y/n] " answer
    [[ -z $answer || $answer == [Yy]* ]] || die "nothing was installed"
}

install_packages() {
    local missing as_root=()
    if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
        packages_by_hand "$@"
        return
    fi
    mapfile -t missing < <(packages_missing "$@")
    [[ ${#missing[@]} -gt 0 ]] || return 0
    say "Installing ${#missing[@]} Debian packages (with what these need, up to 1.2 GB on a bare machine)"
    printf '%s\n' "${missing[*]}" | fold -s -w 96
    if [[ $(id -u) -ne 0 ]]; then
        command -v sudo >/dev/null ||
            die "run this as root, then try again: apt-get install --no-install-recommends ${missing[*]}"
        as_root=(sudo)
    fi
    confirm
    local options=(-q -y -o DPkg::Lock::Timeout=280 -o Acquire::Retries=3)
    local apt=(${as_root[@]+"${as_root[@]}"} env DEBIAN_FRONTEND=noninteractive apt-get "${options[@]}")
    # An earlier installation may have been broken off between unpacking and configuring.
    ${as_root[@]+"${as_root[@]}"} env DEBIAN_FRONTEND=noninteractive dpkg --configure -a
    "${apt[@]}" update
    "${apt[@]}" install --no-install-recommends "${missing[@]}"
}

# Other systems install by hand; the words of Debian's list tell what.
packages_by_hand() {
    [[ -z ${WHERRY_SKIP_PACKAGES:-} ]] || return 0
    say "This is not a Debian-like system: please install what these Debian 12 packages hold"
    grep -E "^($(
        IFS='|'
        printf '%s' "$*"
    )) " "$package_list" | cut -d' ' -f2 | fold -s -w 96
    die "then run this again with WHERRY_SKIP_PACKAGES=1"
}

build_third_party() {
    "$root/cmake/third_party/build.sh" --check && return 0
    [[ $deps != *[[:space:]]* ]] ||
        die "libsodium can not be built below a path with a space: set WHERRY_DEPS to another folder"
    install_packages build fetch
    say "Building third-party libraries into $deps"
    "$root/cmake/third_party/build.sh"
}

# The oracles of the tests and clang-tidy, from a pinned list.
make_python_environment() {
    local requirements=$root/cmake/third_party/python-packages.txt venv=$root/build/venv
    local key
    key=$({ cat "$requirements" && python3 --version; } | sha256sum | cut -d' ' -f1)
    [[ ! -f $venv/stamp || $(<"$venv/stamp") != "$key" ]] || return 0
    say "Making the Python environment of tests and checks in build/venv"
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
        --require-hashes -r "$requirements"
    printf '%s\n' "$key" >"$venv/stamp"
}

# set_up GROUP...: packages of these groups, then what is built from source.
set_up() {
    local fetch=()
    "$root/cmake/third_party/build.sh" --check || fetch=(build fetch)
    install_packages "$@" ${fetch[@]+"${fetch[@]}"}
    build_third_party
    [[ " $* " != *" test "* ]] || make_python_environment
}

command_setup() {
    [[ $# -eq 0 ]] || die "setup takes no argument '$1'"
    set_up build test check storm
    say "Ready. Next: ./dev demo, or ./dev test"
}
