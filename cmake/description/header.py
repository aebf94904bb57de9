"""Reads a public header: its declarations, each with the comment that belongs to it.

The header follows the project's style, so a scanner over comments, directives and declarations is
enough. What it does not understand is an error, never skipped.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

from . import DescriptionError

LABELS = ("Returns", "Out", "In", "Ownership", "Threads")
LABEL = re.compile(rf"^({'|'.join(LABELS)}):\s*(.*)$")
COMMENT = re.compile(r"/\*(.*?)\*/", re.DOTALL)
FUNCTION = re.compile(r"^WHERRY_API\s+(.+?)\b(wherry_\w+)\s*\((.*)\)$", re.DOTALL)
PARAMETER = re.compile(r"^(.*?[\s*])(\w+)$", re.DOTALL)
MEMBER = re.compile(r"^(.*?[\s*])(\w+)(?:\[(\w+)\])?$", re.DOTALL)
CALLBACK = re.compile(r"^typedef\s+void\s*\(\*(wherry_\w+)\)\((.*)\)$", re.DOTALL)
RECORD = re.compile(r"^typedef\s+(enum|struct)\s+(\w+)\s*\{(.*)\}\s*(\w+)$", re.DOTALL)
OPAQUE = re.compile(r"^typedef\s+struct\s+(wherry_\w+)\s+(wherry_\w+)$")
NUMBER = re.compile(r"^#define\s+(WHERRY_\w+)\s+(\d+)u?$")
INIT = re.compile(r"^#define\s+(WHERRY_\w+)_INIT\s+\{")


@dataclass
class Doc:
    """A comment: its opening prose, and its labelled parts."""

    text: str
    labels: dict


@dataclass
class Function:
    name: str
    returns: str
    parameters: list  # of (type, name)
    doc: Doc | None


@dataclass
class Header:
    sizes: list = field(default_factory=list)
    enums: list = field(default_factory=list)
    structs: list = field(default_factory=list)
    opaques: list = field(default_factory=list)
    callbacks: list = field(default_factory=list)
    functions: list = field(default_factory=list)
    inits: set = field(default_factory=set)


def clean(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def type_text(text: str) -> str:
    """A type in one spelling: `const char *`, `wherry_page **`."""
    return re.sub(r"\s*(\*+)\s*", r" \1", clean(text)).strip()


def parse_doc(comment: str) -> Doc:
    prose, labels, current = [], {}, None
    for raw in comment.strip().splitlines():
        line = re.sub(r"^\s*\*\s?", "", raw).strip()
        label = LABEL.match(line)
        if label:
            current = label.group(1)
            if current in labels:
                raise DescriptionError(f"'{current}:' is there twice after \"{' '.join(prose)}\"")
            labels[current] = label.group(2)
        elif current:
            labels[current] = clean(f"{labels[current]} {line}")
        else:
            prose.append(line)
    return Doc(clean(" ".join(prose)), labels)


def members_of(body: str) -> list:
    """(type, name, array, doc) of each member; a comment after a member is its doc."""
    found = []
    pieces = re.split(r"(;|/\*.*?\*/)", body, flags=re.DOTALL)
    for piece in pieces:
        text = clean(piece)
        if not text or text == ";":
            continue
        note = COMMENT.fullmatch(text)
        if note and found:
            found[-1]["doc"] = clean(note.group(1))
            continue
        member = MEMBER.match(text)
        if not member:
            raise DescriptionError(f"a member is not understood: {text}")
        found.append({"name": member.group(2), "type": type_text(member.group(1))})
        if member.group(3):
            found[-1]["array"] = member.group(3)
    return found


def values_of(body: str) -> list:
    """{name, value, doc} of each enumerator; a comment before it is its doc."""
    found, doc = [], ""
    for piece in re.split(r"(/\*.*?\*/)|,", body, flags=re.DOTALL):
        text = clean(piece or "")
        if not text:
            continue
        note = COMMENT.fullmatch(text)
        if note:
            doc = clean(note.group(1))
            continue
        value = re.fullmatch(r"(WHERRY_\w+) = (\d+)", text)
        if not value:
            raise DescriptionError(f"an enumerator is not understood: {text}")
        found.append({"name": value.group(1), "value": int(value.group(2)), "doc": doc})
        doc = ""
    return found


def parameters_of(text: str, where: str) -> list:
    if clean(text) == "void":
        return []
    found = []
    for part in text.split(","):
        parameter = PARAMETER.match(clean(part))
        if not parameter:
            raise DescriptionError(f"{where}: a parameter is not understood: {clean(part)}")
        found.append((type_text(parameter.group(1)), parameter.group(2)))
    return found


class Scanner:
    """Walks through a header and fills a Header."""

    def __init__(self, path: Path):
        self.text = path.read_text(encoding="utf-8")
        self.name = path.name
        self.at = 0
        self.header = Header()
        self.pending = None  # the comment that belongs to what follows directly
        self.shared = None  # the comment of the function directly above

    def run(self) -> Header:
        while self.skip_space():
            if self.text.startswith("/*", self.at):
                self.comment()
            elif self.text.startswith("#", self.at):
                self.directive()
            elif self.text.startswith('extern "C" {', self.at):
                self.at += len('extern "C" {')
            elif self.text.startswith("}", self.at):
                self.at += 1
            else:
                self.declaration()
        return self.header

    def skip_space(self) -> bool:
        space = re.compile(r"\s*").match(self.text, self.at)
        if space.group().count("\n") > 1:
            self.pending = None
            self.shared = None
        self.at = space.end()
        return self.at < len(self.text)

    def comment(self) -> None:
        found = COMMENT.match(self.text, self.at)
        if not found:
            raise DescriptionError(f"{self.name}: a comment is not closed")
        self.pending = found.group(1)
        self.shared = None
        self.at = found.end()

    def directive(self) -> None:
        line = re.compile(r"#(?:\\\n|[^\n])*").match(self.text, self.at)
        self.at = line.end()
        number = NUMBER.match(line.group())
        if number:
            if not self.pending:
                raise DescriptionError(f"{self.name}: {number.group(1)} is not documented")
            name, value = number.groups()
            self.header.sizes.append(
                {"name": name, "value": int(value), "doc": clean(self.pending)}
            )
        init = INIT.match(line.group())
        if init:
            self.header.inits.add(init.group(1))
        self.pending = None

    def declaration(self) -> None:
        depth, end = 0, self.at
        while depth or self.text[end] != ";":
            if self.text.startswith("/*", end):
                end = self.text.index("*/", end) + 2
                continue
            depth += {"{": 1, "}": -1}.get(self.text[end], 0)
            end += 1
            if end >= len(self.text):
                raise DescriptionError(f"{self.name}: a declaration does not end")
        text = self.text[self.at : end].strip()
        self.at = end + 1
        doc = self.pending if self.pending is not None else self.shared
        self.pending = None
        self.shared = None
        self.place(text, parse_doc(doc) if doc is not None else None, doc)

    def place(self, text: str, doc: Doc | None, comment: str | None) -> None:
        header, prose = self.header, doc.text if doc else ""
        if function := FUNCTION.match(text):
            returns, name, parameters = function.groups()
            header.functions.append(
                Function(name, type_text(returns), parameters_of(parameters, name), doc)
            )
            self.shared = comment
        elif record := RECORD.match(text):
            kind, tag, body, name = record.groups()
            if tag != name:
                raise DescriptionError(f"{self.name}: tag {tag} and name {name} differ")
            if kind == "enum":
                header.enums.append({"name": name, "doc": prose, "values": values_of(body)})
            else:
                header.structs.append({"name": name, "doc": prose, "members": members_of(body)})
        elif opaque := OPAQUE.match(text):
            header.opaques.append({"name": opaque.group(1), "doc": prose})
        elif callback := CALLBACK.match(text):
            name, parameters = callback.groups()
            found = [{"name": n, "type": t} for t, n in parameters_of(parameters, name)]
            header.callbacks.append({"name": name, "doc": prose, "parameters": found})
        else:
            raise DescriptionError(f"{self.name}: not understood: {clean(text)}")


def load(path: Path) -> Header:
    return Scanner(path).run()
