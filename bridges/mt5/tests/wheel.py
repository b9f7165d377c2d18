"""Reads the official wheel without Windows: its Python part as text, its compiled part as tables.

The compiled module keeps its functions in a table of `PyMethodDef` and its structures in tables of
`PyStructSequence_Field`; both are plain data of the file, in the layout of CPython's headers.
"""

from __future__ import annotations

import ast
import struct
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VERSION = "5.0.6231"

METH_VARARGS, METH_KEYWORDS, METH_NOARGS = 1, 2, 4


@dataclass(frozen=True)
class Function:
    """One row of the module's table."""

    flags: int
    words: str


class Wheel:
    """The package as MetaQuotes publishes it."""

    def __init__(self, path: Path) -> None:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            python = next(name for name in names if name.endswith("/__init__.py"))
            compiled = next(name for name in names if name.endswith(".pyd"))
            self._tree = ast.parse(archive.read(python).decode())
            self._image = _Image(archive.read(compiled))

    def constants(self) -> dict[str, Any]:
        """Every name that the Python part gives a value."""
        found = {}
        for node in self._tree.body:
            if isinstance(node, ast.Assign):
                # Values such as `1 | 0x4000`: numbers and operators, nothing else.
                assert not any(isinstance(part, (ast.Call, ast.Name, ast.Attribute)) for part in ast.walk(node.value))
                value = eval(compile(ast.Expression(node.value), "wheel", "eval"), {"__builtins__": {}})
                found.update({target.id: value for target in node.targets if isinstance(target, ast.Name)})
        return found

    def helpers(self) -> dict[str, str]:
        """The parameters of the public functions that are written in Python."""
        return {
            node.name: ast.unparse(node.args)
            for node in self._tree.body
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
        }

    def functions(self) -> dict[str, Function]:
        """The table of `PyMethodDef`: name, address, flags, documentation."""
        return dict(self._image.functions())

    def structures(self) -> dict[str, tuple[str, ...]]:
        """The names of each structure's fields, in their order."""
        return dict(self._image.structures())

    def has_text(self, text: str) -> bool:
        """Whether the compiled part has this text."""
        return text.encode() + b"\0" in self._image.data


class _Image:
    """A 64-bit image of Windows ("PE Format", Microsoft): sections, and pointers into them."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        header = self._number("<I", 0x3C)
        assert data[header : header + 4] == b"PE\0\0"
        optional = header + 24
        assert self._number("<H", optional) == 0x20B, "no 64-bit image"
        self._base = self._number("<Q", optional + 24)
        first = optional + self._number("<H", header + 20)
        self._sections = []
        for index in range(self._number("<H", header + 6)):
            start = first + 40 * index
            name = data[start : start + 8].rstrip(b"\0").decode()
            address, size, offset = struct.unpack_from("<III", data, start + 12)
            self._sections.append((name, address, size, offset))

    def _number(self, form: str, offset: int) -> int:
        return int(struct.unpack_from(form, self.data, offset)[0])

    def _offset(self, pointer: int) -> int | None:
        for _, address, size, offset in self._sections:
            if address <= pointer - self._base < address + size:
                return offset + pointer - self._base - address
        return None

    def _text(self, pointer: int) -> str | None:
        offset = self._offset(pointer)
        if offset is None:
            return None
        raw = self.data[offset : self.data.find(b"\0", offset)]
        return raw.decode() if raw and all(32 <= byte < 127 or byte in b"\t\r\n" for byte in raw) else None

    def _places(self) -> Iterator[int]:
        for name, _, size, offset in self._sections:
            if name == ".data":
                yield from range(offset, offset + size - 32, 8)

    def functions(self) -> Iterator[tuple[str, Function]]:
        for place in self._places():
            name_at, code_at, flags, words_at = struct.unpack_from("<QQQQ", self.data, place)
            name, words = self._text(name_at), self._text(words_at)
            if name and words and words.startswith(name + "(") and self._offset(code_at) is not None:
                yield name, Function(flags & 0xFFFFFFFF, words)

    def structures(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        for place in self._places():
            name_at, _, fields_at, count = struct.unpack_from("<QQQi", self.data, place)
            name, fields = self._text(name_at), self._offset(fields_at)
            if name and name.isidentifier() and name[0].isupper() and fields and 0 < count < 200:
                names = tuple(self._text(self._number("<Q", fields + 16 * index)) or "" for index in range(count))
                assert self._number("<Q", fields + 16 * count) == 0, f"{name} has more fields than it says"
                yield name, names


def fetch(folder: Path) -> Wheel:
    """Downloads the wheel by pip, once; a package for Windows is only looked into, never installed."""
    if not list(folder.glob("*.whl")):
        command = [sys.executable, "-m", "pip", "download", f"MetaTrader5=={VERSION}", "--no-deps", "--quiet"]
        command += ["--platform", "win_amd64", "--python-version", "3.11", "--only-binary=:all:"]
        command += ["--disable-pip-version-check", "--dest", str(folder)]
        subprocess.run(command, check=True)
    (path,) = folder.glob("*.whl")
    return Wheel(path)
