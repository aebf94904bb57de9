"""Shows that each check can fail: a small tree passes, then one thing in it is broken at a time.

Usage: check_selftest.py
"""

import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent

HEADER = """#ifndef WHERRY_H
#define WHERRY_H
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
enum wherry_kind { WHERRY_KIND_A = 0 };
typedef struct wherry_info {
  uint32_t size;
  int32_t kind;
} wherry_info;
int32_t wherry_look(const wherry_info* info);
#ifdef __cplusplus
}
#endif
#endif
"""
LIBRARY = """#include "include/wherry/wherry.h"
int32_t wherry_look(const wherry_info* info) {
  return info->kind;
}
"""
INSTALL = "install(FILES loopback.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/wherry/transports)\n"
TREE = {
    "include/wherry/wherry.h": HEADER,
    "include/wherry/transport.h": "#pragma once\n#include <stdint.h>\n",
    "include/wherry/wherry.hpp": '#pragma once\n#include "wherry.h"\n',
    "sdk/base/bytes.h": "#pragma once\n// Nothing here will throw.\n",
    "sdk/codec/cbor.h": '#pragma once\n#include "sdk/base/bytes.h"\n',
    "sdk/crypto/aead.cpp": '#include <sodium.h>\n\n#include "sdk/base/bytes.h"\n',
    "sdk/engine/engine.h": '#pragma once\n#include "sdk/codec/cbor.h"\n',
    "sdk/capi/api.c": LIBRARY,
    "transports/common/wire.h": "#pragma once\n",
    "transports/loopback/loopback.cpp": '#include "include/wherry/transport.h"\n',
    "transports/loopback/loopback.h": "#pragma once\nint wherry_transport(void);\n",
    "transports/loopback/hub.h": "#pragma once\n#include <string>\n",
    "transports/loopback/CMakeLists.txt": INSTALL,
    "transports/relay/relay.h": '#pragma once\n#include <grpcpp/grpcpp.h>\n',
    "transports/relay/identity.cpp": "#include <openssl/evp.h>\n",
    "samples/hello.c": '#include "include/wherry/wherry.h"\n',
    "sdk/PROTOCOL.md": "# Protocol\n\n## 1. Keys\n\n## 2. Envelopes\n\n### 2.1 Size\n",
    "tests/hostile/a_test.cpp": "TEST(Hostile, ASize) {}\n",
    "tests/hostile/rules.md": "| 1 | keys | none: why |\n| 2.1 | a size | `Hostile.ASize` |\n",
}

# (check, file, line that breaks it, part of the expected complaint)
BREAKS = [
    ("includes", "sdk/base/bytes.h", '#include "sdk/engine/engine.h"', "not below"),
    ("includes", "sdk/codec/cbor.h", '#include "../crypto/aead.cpp"', "not below"),
    ("includes", "sdk/engine/engine.h", '#include "transports/common/wire.h"', "only sdk/"),
    ("includes", "sdk/other/new.h", '#include "sdk/base/bytes.h"', "no layer"),
    ("includes", "transports/loopback/loopback.cpp", '#include "sdk/base/bytes.h"', "transport.h"),
    ("includes", "transports/loopback/loopback.cpp", '#include "include/wherry/wherry.h"', "transport.h"),
    ("includes", "transports/loopback/loopback.cpp", '#include "transports/relay/relay.h"', "transport.h"),
    ("includes", "samples/hello.c", '#include "sdk/base/bytes.h"', "only include/"),
    ("includes", "include/wherry/wherry.h", '#include "sdk/base/bytes.h"', "nothing outside"),
    ("includes", "sdk/engine/engine.h", "#include <sodium.h>", "libsodium belongs"),
    ("includes", "sdk/engine/engine.h", "#  include <sqlite3.h>", "SQLite belongs"),
    ("includes", "transports/loopback/loopback.cpp", "#include <grpcpp/server.h>", "gRPC belongs"),
    ("includes", "transports/relay/relay.h", "#include <openssl/ssl.h>", "OpenSSL belongs"),
    ("words", "sdk/base/bytes.h", "// TO" + "DO: finish", "unfinished"),
    ("words", "samples/hello.c", "// from pypi" + ".org", "registry"),
    ("words", "samples/hello.c", '#define PLACE "/ro' + 'ot/here"', "one machine"),
    ("words", "sdk/base/bytes.h", "inline void fail() { throw 1; }", "throws nothing"),
    ("words", "sdk/codec/cbor.h", "auto now = std::chrono::steady_clock::now();", "Env"),
    ("headers", "include/wherry/wherry.h", "extern size_t wherry_size;", "as GCC C11"),
    ("headers", "include/wherry/wherry.h", "int32_t wherry_class(int32_t class);", "as GCC C++"),
    ("headers", "include/wherry/wherry.h", "enum wherry_kind wherry_get(void);", "result wherry_get"),
    ("headers", "include/wherry/wherry.h", "int32_t wherry_set(enum wherry_kind kind);", "parameter"),
    ("headers", "include/wherry/wherry.hpp", "consteval int wherry_two() { return 2; }", "as GCC C++17"),
    ("headers", "transports/loopback/loopback.h", "int wherry_new(int new);", "loopback.h as GCC C++"),
    ("headers", "transports/loopback/loopback.h", "long wherry_old();", "loopback.h as Clang C11 -m32"),
    (
        "headers",
        "include/wherry/wherry.h",
        "struct wherry_bad { enum wherry_kind kind; char after; };",
        "layout of struct wherry_bad",
    ),
    ("rules", "tests/hostile/rules.md", "| 1 | keys | `Hostile.AKey` |", "no test Hostile.AKey"),
    ("rules", "tests/hostile/rules.md", "| 1 | keys | `hostile/keys.py` |", "no test hostile/keys.py"),
    ("rules", "tests/hostile/rules.md", "| 1 | keys | later |", "without a rule or a test"),
    ("rules", "tests/hostile/rules.md", "| 3 | keys | none: why |", "has no section 3"),
    ("rules", "tests/hostile/a_test.cpp", "TEST(Hostile, AKey) {}", "stands in no row"),
    ("rules", "sdk/PROTOCOL.md", "## 3. Headers", "no row for section 3"),
    ("rules", "sdk/PROTOCOL.md", "### 2.2 Headers", "no row for section 2.2"),
    ("format", "samples/hello.c", "int   main( void ){return 0;}", "samples/hello.c"),
    ("exports", "sdk/capi/api.c", "int stray(void) { return 1; }", "exports stray"),
    ("tidy", "sdk/capi/api.c", "int wherry_same(int a) { return a == a; }", "redundant"),
]


def write_tree(root: pathlib.Path) -> None:
    for name, text in TREE.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for name in (".clang-format", ".clang-tidy"):
        (root / name).write_text((HERE.parent / name).read_text())
    build = root / "build"
    build.mkdir()
    command = f"gcc -std=c11 -I{root} -c {root}/sdk/capi/api.c -o api.o"
    entry = f'{{"directory": "{build}", "command": "{command}", "file": "{root}/sdk/capi/api.c"}}'
    (build / "compile_commands.json").write_text(f"[{entry}]\n")


def append(path: pathlib.Path, line: str) -> None:
    """Adds the line before the end of an include guard, so that it is seen once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = path.read_text() if path.exists() else ""
    guarded = text.startswith("#ifndef")
    body = text.removesuffix("#endif\n") if guarded else text
    path.write_text(f"{body}{line}\n" + ("#endif\n" if guarded else ""))


def run(name: str, root: pathlib.Path) -> tuple[int, str]:
    """Runs a check on the tree; its status and what it said."""
    arguments = [str(root)]
    if name == "exports":
        library = root / "build" / "libwherry.so"
        source = root / "sdk" / "capi" / "api.c"
        subprocess.run(["gcc", "-shared", "-fPIC", "-I", str(root), "-o", library, source], check=True)
        arguments = ["--below", str(root / "build")]
    elif name == "tidy":
        arguments.append(str(root / "build"))
    environment = os.environ | {"XDG_CACHE_HOME": str(root / "build" / "cache")}
    command = [sys.executable, str(HERE / f"check_{name}.py"), *arguments]
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    return result.returncode, result.stdout + result.stderr


def main() -> int:
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        clean = pathlib.Path(folder, "clean").resolve()
        write_tree(clean)
        for name in sorted({check for check, *_ in BREAKS}):
            status, said = run(name, clean)
            if status != 0:
                wrong.append(f"{name} fails on a clean tree:\n{said}")
            # The second run is answered by what the first has kept, where a check keeps results.
            status, said = run(name, clean)
            if status != 0:
                wrong.append(f"{name} fails on a clean tree the second time:\n{said}")
        empty = pathlib.Path(folder, "empty").resolve()
        empty.mkdir()
        for name in ("includes", "words", "headers", "format", "rules"):
            if run(name, empty)[0] == 0:
                wrong.append(f"{name} passes on an empty tree")
        for number, (name, file, line, expected) in enumerate(BREAKS):
            broken = pathlib.Path(folder, str(number)).resolve()
            write_tree(broken)
            append(broken / file, line)
            status, said = run(name, broken)
            if status == 0 or expected not in said:
                wrong.append(f"{name} overlooks '{line}' in {file}; it said:\n{said}")
    for problem in wrong:
        print(f"self-test: {problem}")
    if not wrong:
        print(f"self-test: {len(BREAKS)} ways to fail, all noticed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
