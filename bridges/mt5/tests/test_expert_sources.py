"""The expert's sources: only MQL5 that is documented, held to a table, since no MQL5 compiler checks them here."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import MetaTrader5
import pytest

HERE = Path(__file__).parent
SOURCES = [HERE.parent / "Ponte.mq5", *sorted((HERE.parent / "ponte").glob("*.mqh"))]
sys.path.insert(0, str(HERE / "expert"))

from translate import table, translate  # noqa: E402

ROWS = {row[0]: row for row in table(HERE / "expert/mql5.tsv")}
INPUTS = {"Url", "Token", "TokenFile", "PollMilliseconds", "Lang"}
TYPES = {"bool", "char", "datetime", "double", "int", "long", "string", "uchar", "uint", "ulong", "ushort", "void"}
WORDS = {"break", "case", "class", "const", "continue", "else", "enum", "false", "for", "if", "input", "private"}
WORDS |= {"public", "return", "struct", "true", "while"}
# Reserved in MQL5 (Reference, "Reserved words") or built in under a small letter: not to be used as names.
RESERVED = {"abstract", "color", "complex", "default", "delete", "do", "export", "extern", "final", "float", "goto"}
RESERVED |= {"group", "import", "interface", "matrix", "namespace", "new", "operator", "override", "pack", "protected"}
RESERVED |= {"short", "sinput", "sizeof", "static", "switch", "template", "this", "typedef", "typename", "union"}
RESERVED |= {"using", "vector", "virtual", "ceil", "cos", "exp", "fabs", "floor", "fmax", "fmin", "fmod", "log", "pow"}
RESERVED |= {"printf", "rand", "round", "sin", "sqrt", "srand", "tan"}
# What a C++ compiler takes and MQL5 does not know.
FOREIGN = re.compile(
    r"\b(auto|constexpr|friend|inline|noexcept|nullptr|size_t|std|try|catch|throw|unsigned)\b|->|\[&?\]\s*\("
)


def stripped(text: str) -> str:
    """A source without comments, preprocessor's directives and the insides of strings."""
    text = re.sub(r"//[^\n]*", "", text)
    text = re.sub(r'"(?:\\.|[^"\\\n])*"', '""', text)
    text = re.sub(r"'(?:\\.|[^'\\\n])+'", "' '", text)
    return re.sub(r"(?m)^#(?:property|include)[^\n]*", "", text)


CODE = {path.name: stripped(path.read_text(encoding="ascii")) for path in SOURCES}
ALL = "\n".join(CODE.values())
IDENTIFIERS = set(re.findall(r"\b[A-Za-z_]\w*", ALL))
DEFINED = set(re.findall(r"(?m)^(?:\w+ )+&?(?:\w+::)?(\w+)\(", ALL))


def own(name: str) -> bool:
    return name.startswith(("Ponte", "PONTE_")) or name in INPUTS


def test_every_name_of_mql5_is_in_the_table_and_every_row_is_needed() -> None:
    used = {name for name in IDENTIFIERS if name[0].isupper() and not own(name)}
    assert used - ROWS.keys() == set(), "names that are in no row of expert/mql5.tsv"
    signatures = " ".join(row[2] for row in ROWS.values())
    needless = {name for name in ROWS if name not in used and not re.search(rf"\b{name}\b", signatures)}
    assert needless == set(), "rows that nothing needs"


def test_what_is_called_under_a_small_letter_is_defined_here() -> None:
    called = set(re.findall(r"(?<![.\w:])([a-z_]\w*)\s*\(", ALL)) - WORDS - TYPES
    assert called - DEFINED == set()


def test_no_name_is_reserved() -> None:
    assert not IDENTIFIERS & RESERVED
    assert DEFINED & ROWS.keys() == {"OnInit", "OnDeinit", "OnTimer", "OnTradeTransaction"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_nothing_is_only_cpp(path: Path) -> None:
    assert FOREIGN.findall(CODE[path.name]) == []
    # Other escapes than of four digits would mean other characters to the two compilers.
    assert re.findall(r"\\x(?![0-9a-f]{4})", path.read_text(encoding="ascii")) == []


def arguments(text: str, start: int) -> int:
    """How many arguments a call has whose bracket opens at `start`."""
    depth, count, is_empty = 0, 0, True
    for at in range(start, len(text)):
        letter = text[at]
        if letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
            if depth == 0:
                return 0 if is_empty else count + 1
        elif letter == "," and depth == 1:
            count += 1
        if depth > 0 and at > start and not letter.isspace():
            is_empty = False
    raise AssertionError("a bracket that never closes")


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row[1] == "function"])
def test_calls_have_as_many_arguments_as_documented(name: str) -> None:
    signature = ROWS[name][2]
    inside = signature[signature.index("(") + 1 : signature.rindex(")")]
    parameters = [part for part in inside.split(",") if part.strip() not in ("", "void")]
    if "..." in inside:
        return
    most = len(parameters)
    least = sum("=" not in parameter for parameter in parameters)
    calls = [arguments(ALL, call.end() - 1) for call in re.finditer(rf"\b{name}\(", ALL)]
    assert calls
    assert [count for count in calls if not least <= count <= most] == [], signature


def test_the_tables_values_are_the_packages() -> None:
    compared = 0
    for name, row in ROWS.items():
        value = row[2].rsplit(" ", 1)[1] if row[1] == "constant" else "-"
        if value != "-" and hasattr(MetaTrader5, name):
            assert getattr(MetaTrader5, name) == int(value), name
            compared += 1
    assert compared > 8


def test_the_shims_structures_have_documented_fields_only() -> None:
    shim = (HERE / "expert/mql5.hpp").read_text()
    for name, row in ROWS.items():
        if not name.startswith("Mql"):
            continue
        body = re.search(rf"struct {name} {{(.*?)}};", shim, re.DOTALL)
        assert body is not None, name
        documented = set(row[2].split("; "))
        for line in filter(None, (line.strip().rstrip(";") for line in body[1].splitlines())):
            kind, names = line.split(" ", 1)
            assert {f"{kind} {field.strip()}" for field in names.split(",")} <= documented


def test_translation_changes_notation_only() -> None:
    assert translate('string a[]; // "x[]"') == 'array<string> a; // "x[]"'
    assert translate("void f(const uchar &list[], int n)") == "void f(const array<uchar> &list, int n)"
    assert translate('#property strict\nx = "p\\x00e9" + y;') == '\nx = string(u"p\\u00e9") + y;'
    assert translate("""if(c == '\\"') s = "a\\\\";""") == """if(c == '\\"') s = string(u"a\\\\");"""
    assert translate("list[i] = other[0];") == "list[i] = other[0];"
