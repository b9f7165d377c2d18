"""Turns the expert's MQL5 into C++ line by line, so that the same source can be compiled and run.

Only notation changes, never logic:

* `#property` lines are dropped; MetaTrader reads them, a C++ compiler doesn't know them;
* `"text"` becomes `string(u"text")`, `\\xHHHH` (1 to 4 hex digits in MQL5) becomes `\\uHHHH`;
* `type name[]` becomes `array<type> name`, `type &name[]` becomes `array<type> &name`.

Everything else must be common to both languages. `mql5.tsv` becomes the constants' header.
"""

import re
import sys
from pathlib import Path

TOKEN = re.compile(r'//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'')
ARRAY = re.compile(r"\b(\w+)\s+(&?)(\w+)\s*\[\s*\]")
WIDE_ESCAPE = re.compile(r"\\x([0-9A-Fa-f]{4})")


def literal(text):
    """A string literal in C++; the escapes of the sources always have four digits."""
    return "string(u" + WIDE_ESCAPE.sub(r"\\u\1", text) + ")"


def translate(source):
    """The C++ of an MQL5 source, with the same lines."""
    lines = []
    for line in source.split("\n"):
        if line.startswith("#property"):
            lines.append("")
        elif line.startswith("#include"):
            lines.append(line)
        else:
            out, at = [], 0
            for token in TOKEN.finditer(line):
                out.append(ARRAY.sub(r"array<\1> \2\3", line[at : token.start()]))
                text = token.group()
                out.append(literal(text) if text.startswith('"') else text)
                at = token.end()
            out.append(ARRAY.sub(r"array<\1> \2\3", line[at:]))
            lines.append("".join(out))
    return "\n".join(lines)


def table(path):
    """The rows of `mql5.tsv`: name, kind, detail, field, page."""
    rows = [line.split("\t") for line in path.read_text().splitlines() if not line.startswith("#")]
    for row in rows:
        if len(row) != 5:
            raise SystemExit(f"{path}: {row} has {len(row)} columns, not 5")
    return rows


def constants(rows):
    """The enumerations and constants as C++, and which field of the wire a property is."""
    enumerations, fields = {}, []
    for name, kind, detail, field, _page in rows:
        if kind != "constant":
            continue
        of, value = detail.rsplit(" ", 1)
        enumerations.setdefault(of, []).append((name, value))
        if field != "-":
            fields.append((of, name, field))
    out = ["// Made by translate.py from mql5.tsv.", "#pragma once"]
    for of, members in sorted(enumerations.items()):
        if of == "int":
            out += [f"constexpr int {name} = {value};" for name, value in members]
        else:
            listed = ", ".join(name if value == "-" else f"{name} = {value}" for name, value in members)
            out.append(f"enum {of} : int {{ {listed} }};")
    for of in sorted({of for of, _, _ in fields}):
        out.append(f"inline const char *field_of({of} property) {{")
        out.append("    switch((int)property) {")
        out += [f'        case {name}: return "{field}";' for of_, name, field in fields if of_ == of]
        out += ["    }", "    return nullptr;", "}"]
    return "\n".join(out) + "\n"


def main():
    """translate.py SOURCES BUILD: writes the C++ of the expert in SOURCES to BUILD."""
    sources, build = Path(sys.argv[1]), Path(sys.argv[2])
    (build / "ponte").mkdir(parents=True, exist_ok=True)
    for path in [sources / "Ponte.mq5", *sorted((sources / "ponte").glob("*.mqh"))]:
        target = build / path.relative_to(sources)
        target.write_text(translate(path.read_text(encoding="ascii")))
    header, path = constants(table(Path(__file__).parent / "mql5.tsv")), build / "mql5_constants.hpp"
    if not path.exists() or path.read_text() != header:
        path.write_text(header)


if __name__ == "__main__":
    main()
