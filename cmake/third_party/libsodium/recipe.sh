# shellcheck shell=bash
# libsodium, from the source archive in the crate libsodium-sys-stable. Sourced by ../build.sh.
#
# Cargo checks the crate against its registry; both hashes below are checked here, so that the
# registry need not be believed. Other crates that Cargo fetches along with it are never read.
# shellcheck disable=SC2034,SC2154,SC2164
version=1.0.22
crate_sha256=1f55c1c508d31e2cf0a649c9c889e4bcf554cbfb2a6803f049f219784b044283
archive_sha256=eb9873cc5ccd7b26ef058394264663c99e9c047b423be1ffd484071774198f26

fetch() {
    mkdir "$work/stub"
    cp "$here/libsodium/Cargo.toml" "$work/stub/"
    touch "$work/stub/none.rs"
    logged cargo vendor --manifest-path "$work/stub/Cargo.toml" "$work/vendor"
    local crate=$work/vendor/libsodium-sys-stable
    grep -q "\"package\":\"$crate_sha256\"" "$crate/.cargo-checksum.json" ||
        die "the crate libsodium-sys-stable is not the one that is pinned"
    verify "$crate/LATEST.tar.gz" "$archive_sha256"
    mkdir "$work/source"
    tar -xzf "$crate/LATEST.tar.gz" -C "$work/source" --strip-components=1
}

# SODIUM_STATIC takes the export attribute away, so that no module can export libsodium by accident.
build() {
    cd "$work/source"
    CFLAGS="$CFLAGS -DSODIUM_STATIC" logged ./configure --prefix="$work/install" \
        --disable-dependency-tracking --disable-shared --enable-static --with-pic
    logged make -j"$jobs"
    logged make install
    cp -r "$work/install/include/." "$prefix/include/"
    cp "$work/install/lib/libsodium.a" "$prefix/lib/"
}
