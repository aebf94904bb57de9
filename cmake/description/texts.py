"""Made at build time for sdk/capi: default texts of reasons, names and JSON forms of fields."""

import json

HEAD = """\
// Made from sdk/capi/schema.toml by cmake/describe.py; do not edit.
#include "capi/schema_texts.h"

namespace wherry::capi {

"""

# Fields whose values are small and are JSON numbers; other integers are decimal strings.
SMALL = {"CONTENT", "EVIDENCE", "REASON", "STATE", "PERCENT"}


def write_source(schema: dict) -> str:
    enums = {enum["name"]: enum for enum in schema["enum"]}
    out = [HEAD]
    out.append("const char* reason_text(int32_t reason) {\n  switch (reason) {\n")
    for value in enums["reason"]["values"]:
        out.append(f"    case {value['value']}:\n      return {json.dumps(value['doc'])};\n")
    out.append('    default:\n      return "unknown reason";\n  }\n}\n\n')
    out.append("std::span<const FieldInfo> event_fields(int32_t type) {\n")
    fields = {field["name"]: field for field in enums["field"]["values"]}
    for event in schema["event"]:
        rows = []
        for name in event["fields"]:
            field = fields[name]
            kind = {"integer": "kWide", "bytes": "kBytes", "text": "kText"}[field["type"]]
            if name in SMALL:
                kind = "kSmall"
            rows.append(f"      {{{field['value']}, {json.dumps(name.lower())}, FieldKind::{kind}}},\n")
        out.append(f"  static constexpr FieldInfo k{event['name'].title()}[] = {{\n"
                   + "".join(rows) + "  };\n")
    out.append("  switch (type) {\n")
    for event in schema["event"]:
        out.append(f"    case {event['value']}:\n      return k{event['name'].title()};\n")
    out.append("    default:\n      return {};\n  }\n}\n\n}  // namespace wherry::capi\n")
    return "".join(out)
