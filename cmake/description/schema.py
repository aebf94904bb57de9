"""sdk/capi/schema.toml: read, checked, and written as include/wherry/wherry_schema.h."""

import textwrap
import tomllib
from pathlib import Path

from . import DescriptionError

COLUMNS = 100
FIELD_TYPES = ("integer", "bytes", "text")

HEAD = """\
/*
 * wherry/wherry_schema.h: the enumerations, event types and fields of Wherry's ABI.
 * Made from sdk/capi/schema.toml by cmake/describe.py; do not edit.
 *
 * Enumerations travel as int32_t. Values are only ever added: treat one you do not know as "other".
 */
#ifndef WHERRY_SCHEMA_H
#define WHERRY_SCHEMA_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
"""

TAIL = """\
/* How many observers wherry_reveals has room for; more than are named today. */
#define WHERRY_OBSERVER_ROOM 16

/*
 * Who learns what: facts[observer] is a set of wherry_fact bits. Also used for permits: what may be
 * learnt by whom.
 */
typedef struct wherry_reveals {
  uint32_t facts[WHERRY_OBSERVER_ROOM];
} wherry_reveals;

#ifdef __cplusplus
}
#endif
#endif /* WHERRY_SCHEMA_H */
"""


def load(path: Path) -> dict:
    """The schema as read, after checking it: {"enum": [...], "event": [...]}."""
    with path.open("rb") as file:
        schema = tomllib.load(file)
    unknown = set(schema) - {"enum", "event"}
    if unknown:
        raise DescriptionError(f"{path.name}: unknown tables: {', '.join(sorted(unknown))}")
    for enum in schema["enum"]:
        check_values(f"enum {enum['name']}", enum["values"])
        require_doc(f"enum {enum['name']}", enum)
    check_values("events", schema["event"])
    check_fields(schema)
    return schema


def check_values(where: str, values: list) -> None:
    for value in values:
        require_doc(f"{where}: {value.get('name')}", value)
    for key in ("name", "value"):
        seen = set()
        for value in values:
            if value[key] in seen:
                raise DescriptionError(f"{where}: {key} {value[key]} is there twice")
            seen.add(value[key])
    if not all(-(2**31) <= value["value"] < 2**31 for value in values):
        raise DescriptionError(f"{where}: a value does not fit in int32_t")


def require_doc(where: str, item: dict) -> None:
    if not item.get("doc", "").strip():
        raise DescriptionError(f"{where}: not documented")


def check_fields(schema: dict) -> None:
    """Every field has a type, and every event's field exists."""
    fields = {}
    for enum in schema["enum"]:
        if enum["name"] == "field":
            for field in enum["values"]:
                if field.get("type") not in FIELD_TYPES:
                    raise DescriptionError(f"field {field['name']}: type is none of {FIELD_TYPES}")
                fields[field["name"]] = field["type"]
    for event in schema["event"]:
        for name in event["fields"]:
            if name not in fields:
                raise DescriptionError(f"event {event['name']}: unknown field {name}")


def enumerations(schema: dict) -> list:
    """All enumerations with C names, the event types among them."""
    found = []
    for enum in schema["enum"]:
        prefix = f"WHERRY_{enum['name'].upper()}_"
        values = [
            {"name": prefix + value["name"], "value": value["value"], "doc": value["doc"]}
            for value in enum["values"]
        ]
        found.append({"name": f"wherry_{enum['name']}", "doc": enum["doc"], "values": values})
    events = [
        {
            "name": f"WHERRY_EVENT_{event['name']}",
            "value": event["value"],
            "doc": f"{event['doc']} Fields: {', '.join(event['fields'])}.",
        }
        for event in schema["event"]
    ]
    doc = "The type of an event; its fields follow each name."
    found.append({"name": "wherry_event_type", "doc": doc, "values": events})
    return found


def comment(text: str, indent: str) -> list:
    """A C comment that no formatter wants to break: one line if it fits, else a block."""
    line = f"{indent}/* {text} */"
    if len(line) <= COLUMNS:
        return [line]
    body = textwrap.wrap(text, COLUMNS - len(indent) - 3)
    return [f"{indent}/*", *(f"{indent} * {part}" for part in body), f"{indent} */"]


def write_header(schema: dict) -> str:
    lines = [HEAD]
    for enum in enumerations(schema):
        lines += comment(enum["doc"], "")
        lines.append(f"typedef enum {enum['name']} {{")
        for position, value in enumerate(enum["values"]):
            comma = "," if position + 1 < len(enum["values"]) else ""
            lines += comment(value["doc"], "  ")
            lines.append(f"  {value['name']} = {value['value']}{comma}")
        lines.append(f"}} {enum['name']};\n")
    lines.append(TAIL)
    return "\n".join(lines)
