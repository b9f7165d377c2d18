"""The expert's JSON, numbers, addresses and hours, as tables of cases."""

from __future__ import annotations

import json

import pytest
from expert_running import probe

GOOD = [
    "{}",
    "[]",
    "null",
    '"x"',
    "-0",
    "1e400",
    "0.5",
    "-12.5E-3",
    '[1,[2,[3]],{"a":{"b":[true,false,null]}}]',
    '{"":0,"a":1,"a":2}',
    ' \t{ "a" : [ 1 , 2 ] } \r',
    '{"a":"\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\ud83d\\ude00"}',
    '"' + "é€😀" * 50 + '"',
    "[" * 16 + "]" * 16,
    "[" + ",".join(["0"] * 40000) + "]",
]
BAD = [
    "",
    "{",
    "[1,]",
    '{"a":1,}',
    "{,}",
    '{"a"}',
    '{"a":}',
    "{a:1}",
    "{'a':1}",
    "[1 2]",
    "01",
    "1.",
    ".5",
    "+1",
    "1e",
    "-",
    "NaN",
    "Infinity",
    "tru",
    "nul",
    '"\t"',
    '"\\x"',
    '"\\u12g4"',
    '"\\ud800"',
    '"\\ud800x"',
    '"\\ud800\\u0041"',
    '"\\udc00"',
    '"\\u0000"',
    '"open',
    "{} {}",
    "[]x",
    "// {}",
    "[" * 18 + "]" * 18,
    "[" + ",".join(["0"] * 50001) + "]",
    '"' + "x" * 1_048_576 + '"',
]


def test_json_is_read_strictly() -> None:
    for text, answer in zip(GOOD, probe(*(f"json {text}" for text in GOOD))):
        assert answer.startswith("yes"), text[:80]
    for text, answer in zip(BAD, probe(*(f"json {text}" for text in BAD))):
        assert answer == "no", text[:80]


@pytest.mark.parametrize(
    "text", ["", "plain", 'a"b\\c', "ção é €", "😀 and 😀", "\n\r\t\x1f\x7f", "/", "'", "\u2028", "x" * 900]
)
def test_texts_survive_reading_and_writing(text: str) -> None:
    for written in (json.dumps({"text": text}), json.dumps({"text": text}, ensure_ascii=False)):
        (answer,) = probe(f"json {written}")
        read = answer.split("\ttext ")[1]
        assert read.isascii()
        assert json.loads(read) == text


@pytest.mark.parametrize("text", ["ééé" * 100, "😀" * 100, "€" * 100, "x" * 300, "ab" + "😀" * 100])
def test_texts_are_cut_at_the_bytes_that_ponte_takes(text: str) -> None:
    (answer,) = probe(f"quoted {json.dumps(text)}")
    cut = json.loads(answer)
    assert text.startswith(cut)
    assert 252 < len(cut.encode()) <= 256


def test_half_a_character_is_replaced() -> None:
    assert probe("unit d800", "unit dfff", "unit e9") == ['"\\ufffd"', '"\\ufffd"', '"\\u00e9"']


@pytest.mark.parametrize(
    ("literal", "read"),
    [
        ("0", "0"),
        ("-1", "-1"),
        ("9007199254740993", "9007199254740993"),
        (str((0xFFFFF << 43) | 1), str((0xFFFFF << 43) | 1)),
        ("9223372036854775807", "9223372036854775807"),
        ("9223372036854775808", None),
        ("18446744073709551616", None),
        ("99999999999999999999999999", None),
        ("1.0", None),
        ("1e3", None),
        ('"1"', None),
        ("true", None),
    ],
)
def test_whole_numbers_are_exact_or_refused(literal: str, read: str | None) -> None:
    (answer,) = probe(f'json {{"whole":{literal}}}')
    if read is None:
        assert answer.endswith("fault whole")
    else:
        assert answer.endswith(f"\twhole {read}")


@pytest.mark.parametrize(
    ("number", "written"),
    [
        ("0", "0"),
        ("-0.0", "0"),
        ("0.1", "0.1"),
        ("1.10002", "1.10002"),
        ("128340", "128340"),
        ("5.4405", "5.4405"),
        ("0.00000001", "0.00000001"),
        ("0.000000001", "0"),
        ("-0.000000001", "0"),
        ("-12.50", "-12.5"),
        ("100000", "100000"),
        ("1234567.89", "1234567.89"),
        ("123456789.12", "123456789.12"),
        ("1234567890123.45", "1234567890123.45"),
        ("999999999999999", "999999999999999"),
        ("1e15", "0"),
        ("1.7976931348623157e308", "0"),
        ("nan", "0"),
        ("inf", "0"),
    ],
)
def test_doubles_become_decimals(number: str, written: str) -> None:
    assert probe(f"decimal {number}") == [written]


@pytest.mark.parametrize(
    ("text", "read"),
    [("0.1", "0.1"), ("-3", "-3"), ("128340", "128340"), ("1.5.", None), ("1e3", None), ("", None), ("-", None)],
)
def test_decimals_become_doubles(text: str, read: str | None) -> None:
    (answer,) = probe(f'json {{"decimal":"{text}"}}')
    assert answer.endswith("fault decimal" if read is None else f"decimal {read}")


@pytest.mark.parametrize(
    ("url", "is_safe"),
    [
        ("https://ponte.example:8443", True),
        ("https://", False),
        ("http://127.0.0.1:8443", True),
        ("http://127.0.0.1", True),
        ("http://[::1]:8443", True),
        ("http://localhost:8443", True),
        ("http://localhost.example:8443", False),
        ("http://127.0.0.1:x@ponte.example", False),
        ("http://127.0.0.11:8443", False),
        ("http://192.168.0.5:8443", False),
        ("ftp://127.0.0.1", False),
        ("", False),
    ],
)
def test_a_token_leaves_the_machine_through_tls_only(url: str, is_safe: bool) -> None:
    assert probe(f"url {url}") == ["yes" if is_safe else "no"]


@pytest.mark.parametrize(
    ("start", "end", "moment", "is_open"),
    [
        (32400, 66300, 32399, False),
        (32400, 66300, 32400, True),
        (32400, 66300, 66299, True),
        (32400, 66300, 66300, False),
        (0, 86400, 86399, True),
        (79200, 0, 86399, True),
        (79200, 0, 79199, False),
        (0, 0, 43200, True),
        # The date in what the terminal gives is to be disregarded.
        (86400 + 32400, 86400 + 66300, 40000, True),
    ],
)
def test_hours(start: int, end: int, moment: int, is_open: bool) -> None:
    assert probe(f"session {start} {end} {moment}") == ["yes" if is_open else "no"]
