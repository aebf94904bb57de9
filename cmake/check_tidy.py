"""Runs clang-tidy on the project's own sources, and remembers what was found clean.

Usage: check_tidy.py ROOT BUILD_FOLDER [JOBS]

BUILD_FOLDER holds compile_commands.json and the generated headers. A source is clean as long as
nothing of ours that it depends on has changed: the key of a result is a hash of the tool's version,
its configuration, the compile command, and the text of the source and of every own or generated
file that it includes, directly or not. Results are kept below the user's cache folder, so that a
fresh clone has them too; the paths in a key are relative.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import time

import own_files

# Of the pinned Python packages.
TOOL = str(pathlib.Path(__file__).resolve().parent.parent / "build/venv/bin/clang-tidy")
KEPT_DAYS = 30
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"]+)[>"]', re.MULTILINE)
PATH_OPTIONS = ("-I", "-isystem", "-iquote")


class Tidy:
    def __init__(self, root: pathlib.Path, build: pathlib.Path):
        self.root, self.build = root, build
        version = subprocess.run([TOOL, "--version"], check=True, capture_output=True, text=True)
        self.basis = version.stdout + (root / ".clang-tidy").read_text()
        cache = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
        self.cache = pathlib.Path(cache) / "wherry" / "tidy"
        self.cache.mkdir(parents=True, exist_ok=True)
        self.forget()
        folders = "|".join(own_files.CODE_FOLDERS)
        self.header_filter = f"^{re.escape(str(root))}/({folders})/"

    def forget(self) -> None:
        """Drops results that nobody has asked for in a while, so that the cache stays small."""
        for stamp in self.cache.iterdir():
            if time.time() - stamp.stat().st_mtime > KEPT_DAYS * 86400:
                stamp.unlink(missing_ok=True)

    def own(self, path: pathlib.Path) -> bool:
        """Ours or generated: what may differ between two runs with the same system packages."""
        return path.is_relative_to(self.root)

    def closure(self, source: pathlib.Path, folders: list[pathlib.Path]) -> list[pathlib.Path]:
        """The source and all own files that it includes, whatever the preprocessor would skip."""
        seen, waiting = {source}, [source]
        while waiting:
            path = waiting.pop()
            for name in INCLUDE.findall(path.read_text(encoding="utf-8", errors="replace")):
                for folder in (path.parent, *folders):
                    target = (folder / name).resolve()
                    if target.is_file():
                        if self.own(target) and target not in seen:
                            seen.add(target)
                            waiting.append(target)
                        break
        return sorted(seen)

    def key(self, entry: dict) -> str:
        arguments = shlex.split(entry["command"])
        folders = []
        for number, argument in enumerate(arguments):
            for option in PATH_OPTIONS:
                if argument == option and number + 1 < len(arguments):
                    folders.append(pathlib.Path(entry["directory"], arguments[number + 1]))
                elif argument.startswith(option) and argument != option:
                    folders.append(pathlib.Path(entry["directory"], argument[len(option) :]))
        digest = hashlib.sha256(self.basis.encode())
        digest.update(entry["command"].replace(str(self.root), ".").encode())
        for path in self.closure(pathlib.Path(entry["file"]).resolve(), folders):
            digest.update(str(path.relative_to(self.root)).encode() + b"\0")
            digest.update(path.read_bytes() + b"\0")
        return digest.hexdigest()

    def check(self, entry: dict) -> tuple[bool, str]:
        """Whether the result was known already, and what was found: empty when clean."""
        stamp = self.cache / self.key(entry)
        if stamp.exists():
            os.utime(stamp)
            return True, ""
        command = [TOOL, "--quiet", "-p", str(self.build), f"--header-filter={self.header_filter}"]
        result = subprocess.run([*command, entry["file"]], capture_output=True, text=True)
        if result.returncode == 0:
            stamp.touch()
            return False, ""
        return False, result.stdout.strip() or result.stderr.strip()


def entries(root: pathlib.Path, build: pathlib.Path) -> list[dict]:
    """The compile commands of own sources, each source once."""
    commands = json.loads((build / "compile_commands.json").read_text())
    own = {}
    for entry in commands:
        path = pathlib.Path(entry["file"]).resolve()
        if path.is_relative_to(root) and path.relative_to(root).parts[0] in own_files.CODE_FOLDERS:
            own.setdefault(str(path), entry)
    return [own[name] for name in sorted(own)]


def main() -> int:
    root, build = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    jobs = int(sys.argv[3]) if len(sys.argv) > 3 else 2
    tidy, work = Tidy(root, build), entries(root, build)
    # One defect in a header shows in every source that includes it: print each finding once.
    findings, known = {}, 0
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for was_known, output in pool.map(tidy.check, work):
            known += was_known
            for finding in re.split(rf"\n(?={re.escape(str(root))}/\S+:\d+:\d+: )", output):
                if finding:
                    findings[finding.replace(f"{root}/", "")] = None
    print(f"tidy: {known} of {len(work)} results were known")
    return own_files.report("tidy", list(findings), len(work))


if __name__ == "__main__":
    sys.exit(main())
