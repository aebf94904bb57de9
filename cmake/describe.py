#!/usr/bin/env python3
"""The one description of the C interface.

sdk/capi/schema.toml              -> include/wherry/wherry_schema.h
wherry.h and the schema           -> cmake/abi/wherry-1.json
the JSON, at build time (--pipe)  -> the calls of `wherry pipe`, and the names of enum values
schema.toml, at build (--texts)   -> texts of reasons and the fields of events, for sdk/capi

Without an option it writes the first two, which are checked in. --check fails when what is checked
in is not what would be written.
"""

import argparse
import difflib
import json
import sys
from pathlib import Path

sys.dont_write_bytecode = True

from description import DescriptionError, header, model, names, pipe, schema, texts  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent


def checked_in(root: Path) -> dict:
    """Path -> text of the files that are made and checked in."""
    found = schema.load(root / "sdk/capi/schema.toml")
    described = model.Model(header.load(root / "include/wherry/wherry.h"), found).describe()
    return {
        root / "include/wherry/wherry_schema.h": schema.write_header(found),
        root / "cmake/abi/wherry-1.json": json.dumps(described, indent=1) + "\n",
    }


def write_if_changed(path: Path, text: str) -> None:
    """Leaves an equal file alone, so that nothing is built again for it."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def check(root: Path) -> int:
    failed = 0
    for path, text in checked_in(root).items():
        there = path.read_text(encoding="utf-8") if path.exists() else ""
        if there == text:
            continue
        failed = 1
        name = str(path.relative_to(root))
        print(f"{name} is not what cmake/describe.py makes; run it.", file=sys.stderr)
        difference = difflib.unified_diff(there.splitlines(), text.splitlines(), name, "made",
                                          lineterm="", n=1)
        for _, line in zip(range(20), difference):
            print(f"  {line}", file=sys.stderr)
    return failed


def build_files(root: Path, directory: Path) -> None:
    described = json.loads((root / "cmake/abi/wherry-1.json").read_text(encoding="utf-8"))
    write_if_changed(directory / "pipe_calls.cpp", pipe.write(described))
    write_if_changed(directory / "enum_names.h", names.write_header(described))
    write_if_changed(directory / "enum_names.cpp", names.write_source(described))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=ROOT, help="the source tree")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="compare only; exit 1 on a difference")
    mode.add_argument("--pipe", type=Path, metavar="DIR", help="write the C++ of `wherry pipe`")
    mode.add_argument("--texts", type=Path, metavar="DIR", help="write the C++ that sdk/capi needs")
    options = parser.parse_args()
    try:
        if options.check:
            return check(options.root)
        if options.pipe:
            build_files(options.root, options.pipe)
            return 0
        if options.texts:
            found = schema.load(options.root / "sdk/capi/schema.toml")
            write_if_changed(options.texts / "schema_texts.cpp", texts.write_source(found))
            return 0
        for path, text in checked_in(options.root).items():
            write_if_changed(path, text)
    except DescriptionError as error:
        print(f"describe.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
