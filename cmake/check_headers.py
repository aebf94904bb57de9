"""Checks the public headers alone, as an app's compiler sees them.

Usage: check_headers.py ROOT

Public are those of include/wherry and those that a transport installs. Each compiles by itself with
all warnings, as C11 and as C++11 (one of C++ alone: as C++17 and C++20), by GCC and by Clang, in 64
and in 32 bits, and with -fshort-enums. No enum crosses the interface: every parameter, result and field
is of a type whose size no compiler flag changes, so that structs keep their layout.
"""

import json
import pathlib
import re
import subprocess
import sys

import own_files

WARNINGS = "-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wundef -Werror".split()
LANGUAGES = {
    "C11": ["-x", "c", "-std=c11", "-Wstrict-prototypes"],
    "C++": ["-x", "c++", "-std=c++11"],
    "C++17": ["-x", "c++", "-std=c++17"],
    "C++20": ["-x", "c++", "-std=c++20"],
}
COMPILERS = {
    "GCC": {"C11": "gcc"} | dict.fromkeys(("C++", "C++17", "C++20"), "g++"),
    "Clang": dict.fromkeys(LANGUAGES, "clang-19"),
}
VARIANTS = [[], ["-fshort-enums"], ["-m32"], ["-m32", "-fshort-enums"]]
# What Clang's tree calls the places where a type crosses the interface.
CROSSING = {
    "ParmVarDecl": "parameter",
    "FieldDecl": "field",
    "FunctionDecl": "result",
    "TypedefDecl": "callback",
}


INSTALLED = re.compile(r"install\(FILES\s+([^)]*?)\s+DESTINATION \$\{CMAKE_INSTALL_INCLUDEDIR\}")


def public_headers(root: pathlib.Path) -> list[pathlib.Path]:
    found = sorted((root / "include" / "wherry").glob("*.h*"))
    for script in sorted((root / "transports").glob("*/CMakeLists.txt")):
        for names in INSTALLED.findall(script.read_text()):
            found += [script.parent / name for name in names.split()]
    return found


def run(command: list[str], root: pathlib.Path, header: pathlib.Path) -> subprocess.CompletedProcess:
    """Compiles a file that includes the header twice, so that its guard is tried too."""
    source = f'#include "{header.name}"\n#include "{header.name}"\n'
    command = command + ["-I", str(header.parent), "-I", str(root / "include"), "-fsyntax-only", "-"]
    return subprocess.run(command, input=source, capture_output=True, text=True)


def compile_alone(root: pathlib.Path, header: pathlib.Path) -> list[str]:
    problems = []
    languages = ["C++17", "C++20"] if header.suffix == ".hpp" else ["C11", "C++"]
    for compiler, programs in COMPILERS.items():
        for language in languages:
            for variant in VARIANTS:
                command = [programs[language], *LANGUAGES[language], *WARNINGS, *variant]
                result = run(command, root, header)
                if result.returncode != 0:
                    what = " ".join([compiler, language, *variant])
                    problems.append(f"{header.name} as {what}:\n{result.stderr.strip()}")
    return problems


def layouts(root: pathlib.Path, header: pathlib.Path, variant: list[str]) -> list[str]:
    command = ["clang-19", *LANGUAGES["C11"], *variant, "-Xclang", "-fdump-record-layouts-complete"]
    records = run(command, root, header).stdout.split("*** Dumping AST Record Layout")
    return [record for record in records if "wherry" in record]


def keep_layout(root: pathlib.Path, header: pathlib.Path) -> list[str]:
    problems = []
    for width in ([], ["-m32"]):
        plain, short = layouts(root, header, width), layouts(root, header, [*width, "-fshort-enums"])
        if len(plain) != len(short):
            problems.append(f"{header.name}: -fshort-enums changes which structs there are")
        for record, other in zip(plain, short):
            if record != other:
                what = record.strip().splitlines()[0].split("|")[-1].strip()
                problems.append(f"{header.name}: -fshort-enums changes the layout of {what}")
    return problems


def enums_crossing(root: pathlib.Path, header: pathlib.Path) -> list[str]:
    """Parameters, results and fields of an enum's type, from Clang's tree of declarations."""
    command = ["clang-19", *LANGUAGES["C11"], "-Xclang", "-ast-dump=json"]
    tree = run(command, root, header).stdout
    if not tree:
        return [f"{header.name}: Clang gave no tree"]
    problems, enum_names = [], ["enum"]

    def visit(node: dict, path: str) -> None:
        kind, name = node.get("kind"), node.get("name", "")
        place = f"{path}.{name}" if path else name
        spelled = node.get("type", {}).get("qualType", "")
        if kind == "TypedefDecl" and spelled.startswith("enum "):
            enum_names.append(name)
        elif kind in CROSSING and (kind != "TypedefDecl" or "(" in spelled):
            spelled = spelled.split("(")[0] if kind == "FunctionDecl" else spelled
            if re.search(rf"\b({'|'.join(enum_names)})\b", spelled):
                problems.append(f"{header.name}: the {CROSSING[kind]} {place} is an enum, not int32_t")
        for child in node.get("inner", []):
            visit(child, place if kind != "TranslationUnitDecl" else "")

    visit(json.loads(tree), "")
    return problems


def check(root: pathlib.Path) -> tuple[list[str], int]:
    problems = []
    headers = public_headers(root)
    for header in headers:
        problems += compile_alone(root, header)
        if header.suffix == ".h":
            problems += keep_layout(root, header) + enums_crossing(root, header)
    return problems, len(headers)


if __name__ == "__main__":
    found, seen = check(pathlib.Path(sys.argv[1]).resolve())
    sys.exit(own_files.report("headers", found, seen))
