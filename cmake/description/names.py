"""Writes the C++ that gives an enumeration's value its name: "delivered", "transport_off".

The values of wherry_status have no common word to leave out; they keep their names in C.
"""

import os


def quoted(text: str) -> str:
    """A C string literal."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def short_names(enum: dict) -> dict:
    """Value -> name."""
    common = os.path.commonprefix([value["name"] for value in enum["values"]])
    stem = common[: common.rindex("_") + 1]
    if stem == "WHERRY_":
        return {value["value"]: value["name"] for value in enum["values"]}
    return {value["value"]: value["name"].removeprefix(stem).lower() for value in enum["values"]}


def function(enum: dict) -> str:
    return f"const char *{enum['name'].removeprefix('wherry_')}_name(std::int64_t value)"


def write_header(description: dict) -> str:
    declarations = [f"{function(enum)};" for enum in description["enums"]]
    return "\n".join([
        "// Names of the enumerations' values, made by cmake/describe.py; \"unknown\" for others.",
        "#pragma once", "", "#include <cstdint>", "", "namespace cli {", "", *declarations, "",
        "}  // namespace cli", "",
    ])


def write_source(description: dict) -> str:
    out = ["// Names of the enumerations' values, made by cmake/describe.py.",
           '#include "enum_names.h"', "", "namespace cli {"]
    for enum in description["enums"]:
        out += ["", f"{function(enum)} {{", "  switch (value) {"]
        for value, name in short_names(enum).items():
            out.append(f"    case {value}: return {quoted(name)};")
        out += ['    default: return "unknown";', "  }", "}"]
    out += ["", "}  // namespace cli", ""]
    return "\n".join(out)
