# shellcheck shell=bash
# SQLite3 Multiple Ciphers (SQLite with encryption by page), from the npm package
# better-sqlite3-multiple-ciphers, of which only the amalgamated source is used; no script of the
# package is run. Sourced by ../build.sh.
# shellcheck disable=SC2034,SC2154,SC2164
version=2.4.0
package=better-sqlite3-multiple-ciphers@13.0.3
package_sha256=24a11e221247fc003f755ad0f82126bc6b0295d0be1c06f3cb3e48d9db8eb898
source_sha256=ad84d2c24540cf62ea27ee414911a32963390769bd031f39a50aec0ad90614a0

fetch() {
    cd "$work"
    logged npm pack --ignore-scripts "$package"
    mv ./*.tgz package.tgz
    verify package.tgz "$package_sha256"
    tar -xzf package.tgz
    verify package/deps/sqlite3/sqlite3.c "$source_sha256"
}

# TEMP_STORE=3 keeps temporary tables in memory: a temporary file would hold plain text.
# UPDATE_DELETE_LIMIT is set because the amalgamation's parser was generated with it.
# No -march: AES and AVX code is compiled function by function and chosen at run time.
build() {
    cd "$work/package/deps/sqlite3"
    local options=(
        -DSQLITE_THREADSAFE=2 -DSQLITE_DQS=0 -DSQLITE_DEFAULT_MEMSTATUS=0
        -DSQLITE_OMIT_DEPRECATED -DSQLITE_OMIT_LOAD_EXTENSION -DSQLITE_ENABLE_FTS5
        -DSQLITE_ENABLE_UPDATE_DELETE_LIMIT -DSQLITE_USE_URI=0 -DSQLITE_TEMP_STORE=3
    )
    # shellcheck disable=SC2086
    logged "${CC:-cc}" $CFLAGS -w "${options[@]}" -c sqlite3.c -o sqlite3mc.o
    rm -f libsqlite3mc.a
    logged ar rcs libsqlite3mc.a sqlite3mc.o
    mkdir -p "$prefix/include/sqlite3mc"
    cp sqlite3.h "$prefix/include/sqlite3mc/sqlite3.h"
    cp libsqlite3mc.a "$prefix/lib/"
}
