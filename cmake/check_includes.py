"""Checks the direction of includes: which folder may include which.

Usage: check_includes.py ROOT

The layers are those of sdk/ARCHITECTURE.md: a folder of sdk/ includes itself and folders of lower
layers. Transports include include/wherry/transport.h, transports/common and themselves; bindings
and samples include include/ and themselves; a few libraries are kept to the folders that wrap them.
"""

import pathlib
import re
import sys

import own_files

SDK_LAYERS = [
    ("base",),
    ("codec", "crypto"),
    ("identity", "policy"),
    ("session", "message"),
    ("routing", "delivery"),
    ("conversation",),
    ("store", "plugin"),
    ("engine",),
    ("capi",),
]
LAYER = {folder: layer for layer, folders in enumerate(SDK_LAYERS) for folder in folders}

# The plug-in ABI: its header, and the generated values that it is made of.
TRANSPORT_ABI = ("include/wherry/transport.h", "include/wherry/wherry_schema.h")

# Library -> (pattern of its headers, folders that may include it).
WRAPPED = {
    "libsodium": (re.compile(r"sodium(\.h$|/)"), ("sdk/crypto/", "transports/common/crypto", "tests/vectors/")),
    "SQLite": (re.compile(r"sqlite3(ext)?\.h$"), ("sdk/store/", "transports/relay/", "tests/")),
    "gRPC": (
        re.compile(r"(grpc(pp)?/)|(.*\.grpc\.pb\.h$)"),
        ("transports/relay/", "transports/centralized/", "tests/integration/"),
    ),
    # TLS is gRPC's; what we do ourselves with keys and certificates stays where they are.
    "OpenSSL": (
        re.compile(r"openssl/"),
        ("transports/relay/identity.cpp", "transports/centralized/grpc_link.cpp"),
    ),
}
# gRPC's headers cost seconds for each file that includes them.
GRPC_FILES_MAX = 10

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)


def resolve(root: pathlib.Path, source: pathlib.Path, name: str) -> str | None:
    """The included file as a path below the root, or None when it is not ours."""
    for base in (source.parent, root, root / "include", root / "include/wherry", root / "sdk"):
        target = (base / name).resolve()
        if target.is_file() and target.is_relative_to(root):
            return target.relative_to(root).as_posix()
    return None


def group(path: str) -> str:
    """The folder that a rule speaks of: sdk/base, transports/relay, or the first folder."""
    parts = path.split("/")
    deep = parts[0] in ("sdk", "transports", "bindings", "samples") and len(parts) > 2
    return "/".join(parts[: 2 if deep else 1])


def forbidden(source: str, target: str) -> str | None:
    """Why `source` may not include `target` (both of ours), or None when it may."""
    here, there = group(source), group(target)
    if here == there:
        return None
    if here.startswith("sdk/"):
        if there == "include":
            return None
        if not there.startswith("sdk/"):
            return "sdk/ includes only sdk/ and include/"
        mine, its = LAYER.get(here[4:]), LAYER.get(there[4:])
        if mine is None or its is None:
            return "a folder of sdk/ that has no layer"
        return None if its < mine else f"{there} is not below {here}"
    if here == "sdk" or here == "include":
        return None if there == here else f"{here}/ includes nothing outside itself"
    if here.split("/")[0] == "transports":
        if target in TRANSPORT_ABI or there == "transports/common":
            return None
        return "transports include only transport.h, transports/common and their own folder"
    if here.split("/")[0] in ("bindings", "samples"):
        return None if there == "include" else "bindings and samples include only include/"
    return None


def check(root: pathlib.Path) -> tuple[list[str], int]:
    problems, grpc_files = [], set()
    files = own_files.code_files(root)
    for path in files:
        source = path.relative_to(root).as_posix()
        text = path.read_text(encoding="utf-8", errors="replace")
        for match in INCLUDE.finditer(text):
            name, line = match.group(2), text.count("\n", 0, match.start()) + 1
            where = f"{source}:{line}: includes {name}"
            target = resolve(root, path, name)
            if target is not None:
                why = forbidden(source, target)
                if why:
                    problems.append(f"{where}: {why}")
                continue
            for library, (pattern, allowed) in WRAPPED.items():
                if not pattern.match(name):
                    continue
                if library == "gRPC":
                    grpc_files.add(source)
                if not source.startswith(allowed):
                    problems.append(f"{where}: {library} belongs to {', '.join(allowed)}")
    if len(grpc_files) > GRPC_FILES_MAX:
        listed = " ".join(sorted(grpc_files))
        problems.append(f"{len(grpc_files)} files include gRPC, at most {GRPC_FILES_MAX}: {listed}")
    return problems, len(files)


if __name__ == "__main__":
    found, seen = check(pathlib.Path(sys.argv[1]).resolve())
    sys.exit(own_files.report("includes", found, seen))
