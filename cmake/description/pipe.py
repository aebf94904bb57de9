"""Writes the calls of `wherry pipe`: for each C function, JSON parameters in, JSON results out."""

import re

# Objects that have a JSON form, by the function that gives it.
JSON_OF = "{object}_json"

SCALAR_READERS = {
    "int32_t": "int32",
    "uint32_t": "uint32",
    "int64_t": "int64",
    "uint64_t": "uint64",
}


def refusal(function: dict) -> str | None:
    """Why a function makes no sense over a pipe, or None."""
    for parameter in function["parameters"]:
        role = parameter["role"]
        if role == "object" and parameter["direction"] == "in":
            return "objects come as JSON and are freed by the program"
        if role == "object" and parameter["object"] == "wherry_event":
            return "events come as notifications"
        if role == "descriptor":
            return "a descriptor means nothing in another process"
    if function["returns"]["role"] not in ("status", "text", "scalar"):
        return "its result has no JSON form"
    return None


class Call:
    """The C++ of one call."""

    def __init__(self, function: dict, structs: dict, closers: set):
        self.function = function
        self.structs = structs
        self.closers = closers
        self.before, self.arguments, self.after, self.names = [], [], [], []

    def write(self) -> list:
        name = self.function["name"]
        for parameter in self.function["parameters"]:
            self.parameter(parameter)
        allowed = ", ".join(f'"{n}"' for n in self.names)
        body = [f"Json call_{name}([[maybe_unused]] PipeSession &session, const Json &given) {{",
                f"  const PipeParams params(given, {{{allowed}}});"]
        body += [f"  {line}" for line in self.before]
        call = f"{name}({', '.join(self.arguments)})"
        body += [f"  {line}" for line in self.result(call)]
        return body + ["}", ""]

    def result(self, call: str) -> list:
        role = self.function["returns"]["role"]
        if role != "status":
            return [f"return Json{{{{\"value\", Json({call})}}}};"]
        has_error = any(p["role"] == "error" for p in self.function["parameters"])
        lines = ["wherry_error error = WHERRY_ERROR_INIT;"]
        lines.append(f"const std::int32_t status = {call};")
        if not has_error:
            lines.append("error.status = status;")
        if self.function["name"] in self.closers:
            lines.append("session.closed(profile, status);")
        lines.append("if (status != WHERRY_OK) throw call_error(status, error);")
        lines.append("Json result = Json::object();")
        return lines + self.after + ["return result;"]

    def parameter(self, parameter: dict) -> None:
        if parameter["role"] == "error":
            self.arguments.append("&error")
            return
        getattr(self, f"{parameter['direction']}_{parameter['role']}")(parameter)

    def take(self, parameter: dict, kind: str, expression: str) -> None:
        name = parameter["name"]
        self.names.append(name)
        self.before.append(f"{kind} {name} = params.{expression};")

    def in_handle(self, parameter: dict) -> None:
        self.names.append(parameter["name"])
        self.before.append(
            f"const wherry_profile {parameter['name']}{{params.uint64(\"{parameter['name']}\")}};")
        self.arguments.append(parameter["name"])

    def in_scalar(self, parameter: dict) -> None:
        reader = SCALAR_READERS[parameter["type"]]
        self.take(parameter, "const auto", f'{reader}("{parameter["name"]}")')
        self.arguments.append(parameter["name"])

    def in_text(self, parameter: dict) -> None:
        name = parameter["name"]
        if parameter.get("optional"):
            self.take(parameter, "const auto", f'optional_text("{name}")')
            self.arguments.append(f"{name} ? {name}->c_str() : nullptr")
        else:
            self.take(parameter, "const std::string", f'text("{name}")')
            self.arguments.append(f"{name}.c_str()")

    def in_bytes(self, parameter: dict) -> None:
        name = parameter["name"]
        self.take(parameter, "const PipeBytes", f'bytes("{name}")')
        self.arguments += [f"{name}.data()", f"{name}.size()"]

    def in_fixed_bytes(self, parameter: dict) -> None:
        name, size = parameter["name"], parameter["size"]
        reader = "optional_bytes" if parameter.get("optional") else "bytes"
        self.take(parameter, "const auto", f'{reader}("{name}", {size})')
        if parameter.get("optional"):
            self.arguments.append(f"{name} ? {name}->data() : nullptr")
        else:
            self.arguments.append(f"{name}.data()")

    def in_array(self, parameter: dict) -> None:
        name = parameter["name"]
        members = self.structs[parameter["item"]]["members"]
        if any(member["type"] != "const char *" for member in members):
            raise NotImplementedError(f"an array of {parameter['item']}")
        fields = ", ".join(f'"{member["name"]}"' for member in members)
        self.take(parameter, "const PipeTable", f'table("{name}", {{{fields}}})')
        cells = ", ".join(f"row[{i}].c_str()" for i in range(len(members)))
        self.before += [
            f"std::vector<{parameter['item']}> {name}_items;",
            f"for (const auto &row : {name}) {name}_items.push_back({{{cells}}});",
        ]
        self.arguments += [f"{name}_items.data()", f"{name}_items.size()"]

    def in_reveals(self, parameter: dict) -> None:
        name = parameter["name"]
        self.take(parameter, "const wherry_reveals", f'reveals("{name}")')
        self.arguments.append(f"&{name}")

    def in_struct(self, parameter: dict) -> None:
        """Plain members come from the client; pointers and callbacks are the program's."""
        name, struct = parameter["name"], self.structs[parameter["struct"]]
        pointers = {m["name"] for m in struct["members"]
                    if m["type"] not in SCALAR_READERS and m["name"] != "size"}
        counts = {re.sub(r"s$", "", pointer) + "_count" for pointer in pointers}
        plain = [m for m in struct["members"]
                 if m["type"] in SCALAR_READERS and m["name"] not in counts]
        self.names.append(name)
        allowed = ", ".join(f'"{m["name"]}"' for m in plain)
        self.before += [
            f"{struct['name']} {name} = {struct['init']};",
            f"session.fill({name});",
            f'if (params.has("{name}")) {{',
            f'  const PipeParams members(params.object("{name}"), {{{allowed}}});',
        ]
        for member in plain:
            field, reader = member["name"], SCALAR_READERS[member["type"]]
            self.before.append(
                f'  if (members.has("{field}")) {name}.{field} = members.{reader}("{field}");')
        self.before.append("}")
        self.arguments.append(f"&{name}")

    def out_handle(self, parameter: dict) -> None:
        name = parameter["name"]
        self.before.append(f"wherry_profile {name}{{0}};")
        self.arguments.append(f"&{name}")
        self.after += [f"session.opened({name});",
                       f'result["{name}"] = std::to_string({name}.id);']

    def out_scalar(self, parameter: dict) -> None:
        name, kind = parameter["name"], parameter["type"].removesuffix(" *")
        self.before.append(f"{kind} {name} = 0;")
        self.arguments.append(f"&{name}")
        wide = kind in ("int64_t", "uint64_t", "size_t")
        self.after.append(
            f'result["{name}"] = {f"std::to_string({name})" if wide else name};')

    def out_fixed_bytes(self, parameter: dict) -> None:
        name = parameter["name"]
        self.before.append(f"std::array<std::uint8_t, {parameter['size']}> {name}{{}};")
        self.arguments.append(f"{name}.data()")
        self.after.append(f'result["{name}"] = base64_encode({name}.data(), {name}.size());')

    def out_text_buffer(self, parameter: dict) -> None:
        name = parameter["name"]
        self.before.append(f"std::array<char, {parameter['size']}> {name}{{}};")
        self.arguments += [f"{name}.data()", f"{name}.size()"]
        self.after.append(f'result["{name}"] = {name}.data();')

    def out_reveals(self, parameter: dict) -> None:
        name = parameter["name"]
        self.before.append(f"wherry_reveals {name}{{}};")
        self.arguments.append(f"&{name}")
        self.after.append(f'result["{name}"] = reveals_json({name});')

    def out_object(self, parameter: dict) -> None:
        name, kind = parameter["name"], parameter["object"]
        self.before.append(f"{kind} *{name} = nullptr;")
        self.arguments.append(f"&{name}")
        self.after += [
            f"const std::unique_ptr<{kind}, decltype(&{parameter['free']})> "
            f"{name}_owner({name}, &{parameter['free']});",
            f'result["{name}"] = library_json({JSON_OF.format(object=kind)}({name}));',
        ]


def write(description: dict) -> str:
    structs = {struct["name"]: struct for struct in description["structs"]}
    closers = {p["close"] for f in description["functions"] for p in f["parameters"]
               if "close" in p}
    out = [
        "// The calls of `wherry pipe`, made by cmake/describe.py from cmake/abi/wherry-1.json.",
        '#include "pipe_calls.h"', "",
        "#include <array>", "#include <memory>", "#include <string>", "#include <vector>", "",
        '#include "base64.h"', '#include "pipe_params.h"', '#include "pipe_session.h"', "",
        "namespace cli {", "namespace {", "",
    ]
    table, refused = [], []
    for function in description["functions"]:
        method = function["name"].removeprefix("wherry_")
        reason = refusal(function)
        if reason:
            refused.append(f'    {{"{method}", "{reason}"}},')
            continue
        call = Call(function, structs, closers)
        out += call.write()
        table.append(f'    {{"{method}", {{&call_{function["name"]}, "{", ".join(call.names)}"}}}},')
    out += [
        "}  // namespace", "",
        "const std::map<std::string, PipeMethod, std::less<>> &pipe_methods() {",
        "  static const std::map<std::string, PipeMethod, std::less<>> methods = {", *table,
        "  };", "  return methods;", "}", "",
        "const std::map<std::string, const char *, std::less<>> &pipe_refusals() {",
        "  static const std::map<std::string, const char *, std::less<>> refusals = {", *refused,
        "  };", "  return refusals;", "}", "", "}  // namespace cli", "",
    ]
    return "\n".join(out)
