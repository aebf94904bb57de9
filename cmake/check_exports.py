"""Checks that shared libraries export nothing but wherry_*.

Usage: check_exports.py LIBRARY...
       check_exports.py --below FOLDER...   (all libwherry*.so below the folders)
"""

import pathlib
import subprocess
import sys

import own_files


def exported(library: pathlib.Path) -> list[str]:
    """Names of the dynamic symbols that the library defines, without versions."""
    command = ["nm", "--dynamic", "--defined-only", "--format=posix", str(library)]
    listing = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [line.split()[0].split("@")[0] for line in listing.splitlines() if line.strip()]


def check(libraries: list[pathlib.Path]) -> list[str]:
    problems = []
    for library in libraries:
        names = exported(library)
        if not names:
            problems.append(f"{library}: exports nothing")
        problems += [f"{library}: exports {name}" for name in names if not name.startswith("wherry_")]
    return problems


def main() -> int:
    arguments = sys.argv[1:]
    if arguments[:1] == ["--below"]:
        found = [path for folder in arguments[1:] for path in pathlib.Path(folder).rglob("*.so*")]
        libraries = sorted(path for path in found if not path.is_symlink() and "wherry" in path.name)
    else:
        libraries = [pathlib.Path(name) for name in arguments]
    return own_files.report("exports", check(libraries), len(libraries))


if __name__ == "__main__":
    sys.exit(main())
