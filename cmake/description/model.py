"""The description itself: what every function takes and gives, by role and not by C type alone.

Roles come from the C types, from the naming rules at the top of wherry.h, and from what the Out and
In lines say of each parameter. A parameter that they do not name, or that fits no role, is an
error: bindings could only guess.
"""

import re

from . import DescriptionError, schema as schema_module
from .header import Function, Header

SCALARS = ("int32_t", "int64_t", "uint32_t", "uint64_t", "size_t")
# What the rules at the top of wherry.h add to the Returns lines: to each of a status function, of one
# that takes a profile, of one with an error, and of one that lists WHERRY_E_DISK.
STATUSES_ALWAYS = ("WHERRY_E_MEMORY", "WHERRY_E_INTERNAL")
STATUSES_OF_PROFILE = ("WHERRY_E_HANDLE", "WHERRY_E_FORKED", "WHERRY_E_CLOSED")
STATUSES_OF_ERROR = ("WHERRY_E_SIZE",)
STATUSES_FOR_DISK = ("WHERRY_E_CORRUPT", "WHERRY_E_READ_ONLY", "WHERRY_E_LOCKED")
HANDLE = "wherry_profile"
ERROR = "wherry_error *"
# Facts by observer: a value, of which callers make as many as they like.
REVEALS = "wherry_reveals"


class Model:
    def __init__(self, header: Header, schema: dict):
        self.header = header
        self.schema = schema
        self.sizes = {size["name"] for size in header.sizes}
        self.enums = header.enums + schema_module.enumerations(schema)
        self.enum_names = {enum["name"] for enum in self.enums}
        self.statuses = self.values_of("wherry_status")
        self.structs = {struct["name"]: struct for struct in header.structs}
        self.opaques = {opaque["name"] for opaque in header.opaques}
        self.by_name = {function.name: function for function in header.functions}

    def values_of(self, enum_name: str) -> list:
        for enum in self.enums:
            if enum["name"] == enum_name:
                return [value["name"] for value in enum["values"]]
        raise DescriptionError(f"there is no enum {enum_name}")

    def describe(self) -> dict:
        structs = []
        for struct in self.header.structs:
            described = dict(struct)
            described["open"] = struct["members"][0]["name"] == "size"
            init = struct["name"].upper()
            if init in self.header.inits:
                described["init"] = f"{init}_INIT"
            structs.append(described)
        return {
            "abi": 1,
            "sizes": self.header.sizes,
            "enums": self.enums,
            "events": self.schema["event"],
            "field_types": {
                value["name"]: value["type"]
                for enum in self.schema["enum"]
                if enum["name"] == "field"
                for value in enum["values"]
            },
            "structs": structs,
            "opaques": self.header.opaques,
            "callbacks": self.header.callbacks,
            "functions": [FunctionModel(self, function).describe() for function in
                          self.header.functions],
        }


def measured(function: Function) -> list:
    """The parameters' names without the lengths, which belong to what they measure."""
    return [name for kind, name in function.parameters
            if not (kind == "size_t" and re.search(r"^capacity$|_size$|_count$", name))]


def clauses(text: str, names: list) -> dict:
    """What a line says of each parameter: from its naming to the next parameter's.

    A parameter is named at the start, or after a comma or semicolon; elsewhere the word is prose.
    """
    starts = []
    for name in names:
        found = re.search(rf"(?:^|[,;])\s*({re.escape(name)})(?!\w)", text)
        if found:
            starts.append((found.start(1), name))
    starts.sort()
    ends = [start for start, _ in starts[1:]] + [len(text)]
    return {name: text[start:end] for (start, name), end in zip(starts, ends)}


class FunctionModel:
    def __init__(self, model: Model, function: Function):
        self.model = model
        self.function = function
        if function.doc is None or not function.doc.text:
            raise DescriptionError(f"{function.name}: not documented")
        self.labels = function.doc.labels
        names = measured(function)
        self.outs = clauses(self.labels.get("Out", ""), names)
        self.ins = self.inherited(clauses(self.labels.get("In", ""), names), names)

    def fail(self, what: str):
        raise DescriptionError(f"{self.function.name}: {what}")

    def inherited(self, ins: dict, names: list) -> dict:
        """`as for wherry_X` takes over what X's In line says of the parameters named here."""
        reference = re.search(r"as for (wherry_\w+)", self.labels.get("In", ""))
        if not reference or reference.group(1) not in self.model.by_name:
            return ins
        other = self.model.by_name[reference.group(1)]
        shared = clauses(other.doc.labels.get("In", ""), measured(other))
        return {name: f"{text} {shared.get(name, '')}" if name in names else text
                for name, text in ins.items()}

    def describe(self) -> dict:
        function = self.function
        described = {"name": function.name, "doc": function.doc.text,
                     "returns": self.returns(), "parameters": self.parameters()}
        statuses = self.statuses(described["returns"]["role"])
        if statuses:
            described["statuses"] = statuses
        for label in ("Ownership", "Threads"):
            if label in self.labels:
                described[label.lower()] = self.labels[label]
        return described

    def returns(self) -> dict:
        kind, text = self.function.returns, self.labels.get("Returns", "")
        if kind == "void":
            return {"type": kind, "role": "nothing"}
        if not text:
            self.fail("no Returns line")
        if kind == "int32_t" and re.match(r"WHERRY_OK\b", text):
            return {"type": kind, "role": "status"}
        found = {"type": kind, "doc": text}
        if kind in SCALARS:
            found["role"] = "scalar"
        elif kind == "const char *":
            found["role"] = "text"
        elif kind == "const uint8_t *":
            found["role"] = "bytes"
        elif kind.removeprefix("const ").removesuffix(" *") in self.model.structs:
            found["role"] = "struct"
        else:
            self.fail(f"a result of type {kind} has no role")
        if kind == "const char *":
            found["borrowed"] = "static" if "static storage" in text else "object"
        elif kind.endswith("*"):
            found["borrowed"] = "object"
        return found

    def statuses(self, role: str) -> list:
        text = self.labels.get("Returns", "")
        if role != "status":
            return []
        found = ["WHERRY_OK"]
        for name in re.findall(r"\b(?:WHERRY_)?(E_[A-Z0-9_]+)", text):
            name = f"WHERRY_{name}"
            if name not in self.model.statuses:
                self.fail(f"the Returns line names {name}, which wherry_status has not")
            found.append(name)
        found += self.statuses_by_rule("WHERRY_E_DISK" in found)
        return sorted(set(found), key=self.model.statuses.index)

    def statuses_by_rule(self, disk: bool) -> list:
        kinds = [kind for kind, _ in self.function.parameters]
        found = list(STATUSES_ALWAYS)
        if HANDLE in kinds:
            found += STATUSES_OF_PROFILE
        if ERROR in kinds:
            found += STATUSES_OF_ERROR
        if disk:
            found += STATUSES_FOR_DISK
        return found

    def parameters(self) -> list:
        """Each parameter with its role; a length is told with what it measures."""
        parameters, found, skip = self.function.parameters, [], set()
        for position, (kind, name) in enumerate(parameters):
            if position in skip:
                continue
            following = parameters[position + 1] if position + 1 < len(parameters) else None
            if kind == ERROR and name == "error":
                self.check_init("wherry_error")
                found.append({"name": name, "type": kind, "role": "error"})
                continue
            if kind == HANDLE:
                found.append({"name": name, "type": kind, "direction": "in", "role": "handle"})
                continue
            direction = self.direction(name)
            text = (self.outs if direction == "out" else self.ins)[name]
            entry = {"name": name, "type": kind, "direction": direction}
            entry |= (self.out_role if direction == "out" else self.in_role)(
                kind, name, text, following)
            entry["doc"] = text.strip(" ;,.")
            for key in ("length", "capacity"):
                if key in entry:
                    skip.add(position + 1)
                    if not re.search(rf"\b{entry[key]}\b", " ".join(self.labels.values())):
                        self.fail(f"the length {entry[key]} is not named")
            found.append(entry)
        return found

    def direction(self, name: str) -> str:
        if name in self.outs:
            if name in self.ins:
                self.fail(f"{name} stands in both the Out and the In line")
            return "out"
        if name not in self.ins:
            self.fail(f"the parameter {name} is named by neither the Out nor the In line")
        return "in"

    def macro(self, text: str) -> str | None:
        named = [name for name in re.findall(r"WHERRY_\w+", text) if name in self.model.sizes]
        return named[0] if named else None

    def out_role(self, kind: str, name: str, text: str, following) -> dict:
        base = kind.removesuffix("*").strip()
        if kind == f"{HANDLE} *":
            closer = re.search(r"close it with (wherry_\w+)", self.labels.get("Ownership", ""))
            if not closer or closer.group(1) not in self.model.by_name:
                self.fail("Ownership does not say which function closes the handle")
            return {"role": "handle", "close": closer.group(1)}
        if kind == f"{REVEALS} *":
            return {"role": "reveals"}
        if kind.endswith("**") and kind.removesuffix("**").strip() in self.model.opaques:
            return self.object_role(kind.removesuffix("**").strip(), text)
        if base in SCALARS:
            role = "descriptor" if "descriptor" in text else "scalar"
            return {"role": role} | self.enum_of(text)
        macro = self.macro(text)
        if kind == "uint8_t *" and macro:
            return {"role": "fixed_bytes", "size": macro}
        if kind == "char *" and following == ("size_t", "capacity"):
            if not macro:
                self.fail(f"{name}: the Out line names no macro with enough room")
            return {"role": "text_buffer", "capacity": "capacity", "size": macro}
        self.fail(f"the output {name} of type {kind} has no role")
        return {}

    def object_role(self, base: str, text: str) -> dict:
        free = f"{base}_free"
        if free not in self.model.by_name:
            self.fail(f"there is no {free}")
        if free not in self.labels.get("Ownership", ""):
            self.fail(f"Ownership does not name {free}")
        found = {"role": "object", "object": base, "free": free}
        item = re.search(r"\bof (?:one )?(wherry_\w+)", text)
        if item:
            if item.group(1) not in self.model.structs:
                self.fail(f"unknown item {item.group(1)}")
            found["item"] = item.group(1)
        return found

    def in_role(self, kind: str, name: str, text: str, following) -> dict:
        base = kind.removeprefix("const ").removesuffix(" *")
        optional = {"optional": True} if self.may_be_null(text) else {}
        if kind in SCALARS:
            return {"role": "scalar"} | self.enum_of(text)
        if kind == "const char *":
            return {"role": "text"} | optional
        if base == REVEALS:
            return {"role": "reveals"} | optional
        if kind == "const uint8_t *" and following == ("size_t", f"{name}_size"):
            return {"role": "bytes", "length": following[1]} | optional
        if kind == "const uint8_t *" and self.macro(text):
            return {"role": "fixed_bytes", "size": self.macro(text)} | optional
        if base in self.model.opaques and kind.endswith("*"):
            return {"role": "object", "object": base}
        if base in self.model.structs:
            if following == ("size_t", f"{name.removesuffix('s')}_count"):
                return {"role": "array", "item": base, "length": following[1]}
            self.check_init(base)
            return {"role": "struct", "struct": base} | optional
        self.fail(f"the input {name} of type {kind} has no role")
        return {}

    def check_init(self, struct: str) -> None:
        """A struct that callers make is open, and has an _INIT that sets its size."""
        if self.model.structs[struct]["members"][0]["name"] != "size":
            self.fail(f"{struct} is made by callers, but does not begin with size")
        if struct.upper() not in self.model.header.inits:
            self.fail(f"{struct} is made by callers, but has no _INIT")

    def may_be_null(self, text: str) -> bool:
        return "NULL" in text and "not NULL" not in text

    def enum_of(self, text: str) -> dict:
        named = [name for name in re.findall(r"wherry_\w+", text) if name in self.model.enum_names]
        return {"enum": named[0]} if named else {}
