"""Decimals, the protocol's parser, the settings: the parts without a terminal."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import tasks

from ponte_mt5_bridge import cli, decimals, protocol, service
from ponte_mt5_bridge.protocol import Change, Find, ProtocolError, Trade, Unintelligible
from ponte_mt5_bridge.texts import _TEXTS, LANGUAGES
from ponte_mt5_bridge.wire import Address, Token, back_off, is_loopback


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (128340.0, "128340"),
        (0.1 + 0.2, "0.3"),
        (1.1, "1.1"),
        (5.4321, "5.4321"),
        (1e-8, "0.00000001"),
        (1e-9, "0"),
        (-1e-9, "0"),
        (-0.0, "0"),
        (-12.5, "-12.5"),
        (123456789.12345678, "123456789.12345678"),
        (1e15, "1000000000000000"),
        (1.7976931348623157e308, "1000000000000000000"),
        (math.nan, "0"),
        (math.inf, "0"),
        (7, "7"),
    ],
)
def test_doubles_become_short_decimals(number: float, text: str) -> None:
    assert decimals.to_text(number) == text
    assert decimals.is_decimal(text) or abs(number) >= 1e18


def test_what_means_no_limit_is_told_as_none() -> None:
    assert decimals.to_limit_text(1.7976931348623157e308) == "0"
    assert decimals.to_limit_text(131000.0) == "131000"


@pytest.mark.parametrize(
    "text", ["1e5", "", ".5", "1.", "1.123456789", "0x1", "nan", " 1", "1\n", "\u0661", "--1", "1_0"]
)
def test_what_is_no_decimal_of_the_protocol_is_refused(text: str) -> None:
    assert not decimals.is_decimal(text)
    with pytest.raises(ValueError, match="is no decimal"):
        decimals.to_float(text)


def answer(**more: Any) -> bytes:
    return json.dumps({"protocol": 1, "session": "s1", "history_hours": 24, "time_ms": 5, **more}).encode()


def command(task: Any, **more: Any) -> dict[str, Any]:
    return {"session": "s1", "number": 1, "valid_ms": 5000, "task": task, **more}


def test_an_answer_is_read() -> None:
    order = tasks.order_id(7)
    sell = tasks.market("WINZ26", tasks.SELL, "2", sl="129000", deviation=20, position=77)
    given = [
        command(tasks.trade(order, sell, reduces=True)),
        command(tasks.change(order, {"action": 6, "symbol": "WINZ26", "sl": "1", "position": 5}), number=2),
        command(tasks.find(order), number=3),
    ]
    read = protocol.parse_answer(
        answer(
            commands=given, results_seen=[{"session": "s0", "number": 9}], watch=["WINZ26"], want=["symbols", "more"]
        )
    )
    assert (read.session, read.history_hours, read.results_seen) == ("s1", 24, (("s0", 9),))
    assert (read.watch, read.want, read.unknown) == (("WINZ26",), ("symbols",), ("more",))
    trade, change, find = (command.task for command in read.commands)
    assert isinstance(trade, Trade)
    assert isinstance(change, Change)
    assert isinstance(find, Find)
    assert trade.reduces
    # The magic number has more digits than a double: it must come through to the last.
    assert trade.magic == tasks.magic_of(order)
    assert trade.requests[0].to_terminal(trade.magic, trade.comment) == {
        "action": 1,
        "symbol": "WINZ26",
        "magic": tasks.magic_of(order),
        "type": 1,
        "type_filling": 2,
        "type_time": 0,
        "volume": 2.0,
        "sl": 129000.0,
        "deviation": 20,
        "position": 77,
        "comment": tasks.comment_of(order),
    }


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"[]",
        b"{",
        b"[" * 100_000,
        answer(protocol=2),
        answer(protocol=True),
        answer(session=""),
        answer(commands={}),
        answer(commands=[{"session": "s1", "number": 0, "valid_ms": 1, "task": tasks.find("a")}]),
        answer(commands=[{"session": "s1", "number": 1, "valid_ms": -1, "task": tasks.find("a")}]),
        answer(commands=[{"session": "s1", "number": 1, "valid_ms": 1, "task": {"kind": "find"}}]),
        answer(watch=[7]),
        answer(history_hours="24"),
    ],
)
def test_what_is_no_answer_is_refused(broken: bytes) -> None:
    with pytest.raises(ProtocolError):
        protocol.parse_answer(broken)


BUY = tasks.market("WINZ26", tasks.BUY, "1")


@pytest.mark.parametrize(
    ("task", "why"),
    [
        ({"kind": "dance", "order": "a", "magic": 1}, "dance"),
        ({**tasks.trade("a"), "requests": []}, "requests"),
        ({**tasks.trade("a", BUY), "reduces": None}, "reduces"),
        ({**tasks.trade("a", BUY), "magic": 0}, "magic"),
        ({**tasks.trade("a", BUY), "magic": 2**63}, "magic"),
        ({**tasks.trade("a", BUY), "comment": None}, "comment"),
        (tasks.trade("a", {**BUY, "volume": "0"}), "volume"),
        (tasks.trade("a", {**BUY, "volume": "-1"}), "volume"),
        (tasks.trade("a", {**BUY, "volume": 1}), "volume"),
        (tasks.trade("a", {**BUY, "volume": None}), "volume"),
        (tasks.trade("a", {**BUY, "price": "1e3"}), "price"),
        (tasks.trade("a", {**BUY, "type": 2}), "type"),
        (tasks.trade("a", {**BUY, "type_filling": 4}), "type_filling"),
        (tasks.trade("a", {**BUY, "symbol": ""}), "symbol"),
        (tasks.trade("a", {**BUY, "action": 6}), "action"),
        # What is not journalled must not open anything.
        (tasks.change("a", BUY), "action"),
        (tasks.change("a", {"action": 8, "symbol": ""}), "order"),
    ],
)
def test_a_command_that_is_not_understood_says_why(task: Any, why: str) -> None:
    (read,) = protocol.parse_answer(answer(commands=[command(task)])).commands
    assert isinstance(read.task, Unintelligible)
    assert why in read.task.why


def test_a_token_can_not_be_printed() -> None:
    token = Token("hidden")
    assert "hidden" not in f"{token} {token!r} {[token]}"
    assert token.header() == "Bearer hidden"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://203.0.113.7:8443", "write https"),
        ("http://localhost.example:8443", "write https"),
        ("ftp://host", "is not like"),
        ("host:8443", "is not like"),
        ("https://user:secret@host:8443", "more than a host"),
    ],
)
def test_an_address_that_can_not_be_used_is_refused(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as error:
        Address(url)
    assert "secret" not in str(error.value)


def test_addresses() -> None:
    assert [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "10.0.0.1", "127.0.0.1.example")] == [
        True,
        True,
        True,
        False,
        False,
    ]
    address = Address("https://host:8443/ponte/", pin="AB:" * 31 + "AB")
    assert (address.host, address.port, address.path) == ("host", 8443, "/ponte/mt5/v1/sync")
    assert address.pin == "ab" * 32
    assert Address("https://host").port == 443
    for pin in ("ab" * 31, "xy" * 32):
        with pytest.raises(ValueError, match="64 hexadecimal digits"):
            Address("https://host", pin=pin)


def test_waits_grow_to_fifteen_seconds() -> None:
    for failures, longest in ((1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (5, 15.0), (100, 15.0)):
        assert all(longest / 2 <= back_off(failures) <= longest for _ in range(50))


def test_every_text_has_both_languages_and_the_same_fields() -> None:
    import string

    for key, texts in _TEXTS.items():
        assert len(texts) == len(LANGUAGES)
        fields = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in texts]
        assert fields[0] == fields[1], key


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = cli.main([*arguments, "--lang", "en"])
    return code, capsys.readouterr().err


def test_settings_that_can_not_be_used_name_the_cure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    token = tmp_path / "token.txt"
    assert run(capsys, "run")[0] == 2
    assert "--url is missing" in run(capsys, "run")[1]
    base = ["run", "--url", "https://host:8443"]
    assert "--token-file is missing" in run(capsys, *base)[1]
    assert "can't be read" in run(capsys, *base, "--token-file", str(token))[1]
    for data in (b"", b"one\ntwo", b"with space", "é".encode()):
        token.write_bytes(data)
        code, said = run(capsys, *base, "--token-file", str(token))
        assert code == 2
        assert "one token in one line" in said
    token.write_text("fine")
    base += ["--token-file", str(token)]
    assert "no account number" in run(capsys, *base, "--login", "x")[1]
    assert "password_file needs login and server" in run(capsys, *base, "--password-file", str(token))[1]
    assert "exclude each other" in run(capsys, *base, "--pin", "ab" * 32, "--ca", "x")[1]


def test_the_file_is_read_in_windows_encodings_beside_its_own_folder(tmp_path: Path) -> None:
    (tmp_path / "token.txt").write_bytes("the-token\r\n".encode("utf-16"))
    config = tmp_path / "bridge.ini"
    text = "[bridge]\r\nurl = https://host:8443\r\ntoken_file = token.txt\r\njournal = j.sqlite\r\n"
    config.write_bytes(("\ufeff" + text + "[terminal]\r\nlogin = 123\r\npath = C:\\mt5\\terminal64.exe\r\n").encode())
    options = cli._parser().parse_args(["run", "--config", str(config), "--url", "https://other:1"])
    from ponte_mt5_bridge.config import settings

    chosen = settings(options)
    assert chosen.address.url == "https://other:1"
    assert chosen.token.header() == "Bearer the-token"
    assert chosen.journal == tmp_path / "j.sqlite"
    assert chosen.only_login == 123
    assert chosen.login.login is None
    assert str(chosen.login.path).endswith("terminal64.exe")


@pytest.mark.parametrize(
    ("text", "words"),
    [("[bridge]\nurl2 = x", "url2"), ("[ponte]\nurl = x", "[ponte]"), ("url = x", "can't be read")],
)
def test_a_file_with_a_wrong_key_is_refused(
    text: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "bridge.ini"
    config.write_text(text)
    code, said = run(capsys, "run", "--config", str(config))
    assert code == 2
    assert words in said


def test_the_task_of_windows_is_well_formed_and_names_the_file(tmp_path: Path) -> None:
    from xml.etree import ElementTree

    config = tmp_path / "a & b" / "bridge.ini"
    task = ElementTree.fromstring(service.task(config).replace(' encoding="UTF-16"', ""))
    space = {"t": "http://schemas.microsoft.com/windows/2004/02/mit/task"}
    arguments = task.findtext("t:Actions/t:Exec/t:Arguments", "", space)
    assert arguments.startswith("-m ponte_mt5_bridge run --config ")
    assert "a & b" in arguments
    assert task.findtext("t:Settings/t:ExecutionTimeLimit", "", space) == "PT0S"
    assert task.findtext("t:Settings/t:MultipleInstancesPolicy", "", space) == "IgnoreNew"
