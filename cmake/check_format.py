"""Checks, or applies, .clang-format on the project's own C and C++ files.

Usage: check_format.py ROOT [--fix]
"""

import pathlib
import subprocess
import sys

import own_files


def main() -> int:
    root = pathlib.Path(sys.argv[1]).resolve()
    fix = "--fix" in sys.argv[2:]
    files = [str(path.relative_to(root)) for path in own_files.code_files(root)]
    mode = ["-i"] if fix else ["--dry-run", "-Werror"]
    problems = []
    if files:
        command = ["clang-format-19", "--style=file", *mode, *files]
        result = subprocess.run(command, cwd=root, capture_output=True, text=True)
        if result.returncode != 0:
            places = {line.split(": ")[0] for line in result.stderr.splitlines() if ": error: " in line}
            problems = sorted(places) or [result.stderr.strip()]
    return own_files.report("format", problems, len(files))


if __name__ == "__main__":
    sys.exit(main())
