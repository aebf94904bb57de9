"""Checks tests/hostile/rules.md: which rule of the protocol is broken by which test.

Usage: check_rules.py ROOT

Its rows are `| section | rule | tests |`. A test is `Suite.Name` of GoogleTest or a file below tests/,
each in backquotes; a rule that no test can break says `none: why`. Every section of sdk/PROTOCOL.md has
a row, itself or in its parts; every test that a row names is there; every test of tests/hostile is named.
"""

import pathlib
import re
import sys

import own_files

PROTOCOL = "sdk/PROTOCOL.md"
RULES = "tests/hostile/rules.md"

HEADING = re.compile(r"^##+ (\d+(?:\.\d+)*)\.? ", re.MULTILINE)
ROW = re.compile(r"^\| *(\d+(?:\.\d+)*) *\|([^|]*)\|([^|]*)\|$")
TEST = re.compile(r"^TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\s*\)", re.MULTILINE)
NAMED = re.compile(r"`([^`]+)`")


def tests_of(root: pathlib.Path) -> dict[str, str]:
    """Every test of GoogleTest, and the file that it is in."""
    found = {}
    for path in own_files.code_files(root):
        where = path.relative_to(root).as_posix()
        if where.startswith("tests/"):
            for match in TEST.finditer(path.read_text(encoding="utf-8")):
                found[".".join(match.groups())] = where
    return found


def read(path: pathlib.Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def check(root: pathlib.Path) -> tuple[list[str], int]:
    problems, covered, named, rows = [], set(), set(), 0
    sections = HEADING.findall(read(root / PROTOCOL))
    tests = tests_of(root)
    for number, line in enumerate(read(root / RULES).splitlines(), 1):
        row = ROW.match(line)
        if row is None:
            continue
        rows += 1
        where = f"{RULES}:{number}"
        section, rule, cell = (field.strip() for field in row.groups())
        if section not in sections:
            problems.append(f"{where}: {PROTOCOL} has no section {section}")
        covered.add(section)
        names = NAMED.findall(cell)
        if not rule or not (names or cell.startswith("none: ")):
            problems.append(f"{where}: a row without a rule or a test")
        for name in names:
            named.add(name)
            if name not in tests and not ("/" in name and (root / "tests" / name).is_file()):
                problems.append(f"{where}: there is no test {name}")
    for section in sections:
        if not any(one == section or one.startswith(section + ".") for one in covered):
            problems.append(f"{RULES}: no row for section {section}")
    for name, where in sorted(tests.items()):
        if where.startswith("tests/hostile/") and name not in named:
            problems.append(f"{where}: {name} stands in no row of {RULES}")
    return problems, rows


if __name__ == "__main__":
    found, seen = check(pathlib.Path(sys.argv[1]).resolve())
    sys.exit(own_files.report("rules", found, seen))
