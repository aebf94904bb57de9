"""Checks what no file may contain: unfinished marks, hosts of registries, paths of one machine.

Usage: check_words.py ROOT

Code of sdk/ has two rules more: it throws nothing, and only base/ reads a clock or draws randomness
of the system, since every other step takes both from Env.
"""

import pathlib
import re
import sys

import own_files

EVERYWHERE = [
    (re.compile(r"\b(TO[D]O|FIX[M]E|XX[X]|HA[C]K)\b"), "an unfinished mark"),
    (
        re.compile(
            r"\b(crates\.io|pypi\.org|pythonhosted\.org|npmjs\.(org|com)|deb\.debian\.org"
            r"|proxy\.golang\.org|repo1?\.maven\.org|registry\.yarnpkg\.com)\b",
            re.IGNORECASE,
        ),
        "the host name of a package registry",
    ),
    (re.compile(r"(?<![\w.$}~/])/(work|root|home)/[\w.]"), "a path of one machine"),
]
SDK = [
    (re.compile(r"\bthrow\b(?!\(\))"), "sdk/ throws nothing: return a Result"),
]
SDK_BUT_BASE = [
    (
        re.compile(
            r"\b(\w+_clock::now|random_device|gettimeofday|clock_gettime|sleep_for|sleep_until"
            r"|std::time|std::rand|getrandom)\b"
        ),
        "time and randomness come from Env",
    ),
]
# Comments and strings of C++: rules about code do not apply to prose.
NOT_CODE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:[^"\\\n]|\\.)*"', re.DOTALL)


def blank(match: re.Match) -> str:
    return "".join(character if character == "\n" else " " for character in match.group())


def search(text: str, rules, where: str) -> list[str]:
    return [
        f"{where}:{text.count(chr(10), 0, match.start()) + 1}: {why}: {match.group().strip()}"
        for pattern, why in rules
        for match in pattern.finditer(text)
    ]


def check(root: pathlib.Path) -> tuple[list[str], int]:
    problems, seen = [], 0
    for path in own_files.all_files(root):
        raw = path.read_bytes()
        if b"\0" in raw:
            continue
        seen += 1
        text = raw.decode("utf-8", errors="replace")
        where = path.relative_to(root).as_posix()
        problems += search(text, EVERYWHERE, where)
        if where.startswith("sdk/") and path.suffix in own_files.CODE_SUFFIXES:
            code = NOT_CODE.sub(blank, text)
            problems += search(code, SDK, where)
            if not where.startswith("sdk/base/"):
                problems += search(code, SDK_BUT_BASE, where)
    return problems, seen


if __name__ == "__main__":
    found, count = check(pathlib.Path(sys.argv[1]).resolve())
    sys.exit(own_files.report("words", found, count))
