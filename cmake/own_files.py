"""Which files are the project's own: the checks' common ground.

The tree is walked rather than asked of Git, so that a file is checked before it is added and in a
copy without history.
"""

import os
import pathlib

# Folders at the root that hold C and C++ of ours.
CODE_FOLDERS = ("include", "sdk", "transports", "bindings", "samples", "tests")
CODE_SUFFIXES = {".h", ".hpp", ".c", ".cc", ".cpp"}
# Names of folders that never hold sources.
SKIPPED = {".git", ".cache", "__pycache__", "node_modules", "target", "venv", ".venv"}


def walk(folder: pathlib.Path, at_root: bool = False):
    """All files below `folder`, sorted; symbolic links are not followed."""
    for name in sorted(os.listdir(folder)):
        path = folder / name
        if name in SKIPPED or (at_root and name == "build") or path.is_symlink():
            continue
        if path.is_dir():
            yield from walk(path)
        elif path.is_file():
            yield path


def all_files(root: pathlib.Path) -> list[pathlib.Path]:
    return list(walk(root, at_root=True))


def code_files(root: pathlib.Path) -> list[pathlib.Path]:
    found = []
    for folder in CODE_FOLDERS:
        if (root / folder).is_dir():
            found += [path for path in walk(root / folder) if path.suffix in CODE_SUFFIXES]
    return found


def report(name: str, problems: list[str], seen: int) -> int:
    """Prints the problems, or that there are none among `seen` things; the exit status.

    Having seen nothing is a failure: such a check would pass for ever.
    """
    for problem in problems:
        print(f"{name}: {problem}")
    if not problems and not seen:
        print(f"{name}: found nothing to check")
        return 1
    if not problems:
        print(f"{name}: {seen} checked, all well")
    return 1 if problems else 0
