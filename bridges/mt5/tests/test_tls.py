"""TLS: the pinned certificate and no other, before a byte of the token leaves; and what `check` says."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import pytest
from running import BridgeProcess, StandinTerminal, prepared, program
from scripted_ponte import TOKEN, ScriptedPonte

Start = Callable[..., BridgeProcess]


@dataclass(frozen=True)
class Pair:
    """A certificate that `ponte bridge certificate` made."""

    certificate: str
    key: str
    fingerprint: str


def make_pair(folder: Path) -> Pair:
    command = [str(program()), "bridge", "certificate", "--host", "127.0.0.1", "--out", str(folder), "--json"]
    made = json.loads(subprocess.run(command, check=True, capture_output=True, cwd=folder.parent).stdout)
    return Pair(made["certificate"], made["key"], made["fingerprint"])


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make_pair(tmp_path_factory.mktemp("tls") / "keys")


@pytest.fixture
def secure(pair: Pair) -> Iterator[ScriptedPonte]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    ponte = ScriptedPonte(context=context)
    yield ponte
    ponte.close()
    assert ponte.violations == []


def test_the_pinned_certificate_is_talked_to(
    secure: ScriptedPonte, pair: Pair, terminal: StandinTerminal, start: Start
) -> None:
    colons = ":".join(pair.fingerprint[at : at + 2] for at in range(0, 64, 2)).upper()
    start(secure, terminal, "--pin", colons)
    secure.wait(lambda: secure.session and secure.are_symbols_complete, "a session")


def test_a_trusted_authority_is_talked_to(
    secure: ScriptedPonte, pair: Pair, terminal: StandinTerminal, start: Start
) -> None:
    start(secure, terminal, "--ca", pair.certificate)
    secure.wait(lambda: secure.session, "a session")


@pytest.mark.parametrize("trust", [["--pin", "ab" * 32], []])
def test_anybody_else_gets_nothing(
    trust: list[str], secure: ScriptedPonte, pair: Pair, terminal: StandinTerminal, start: Start
) -> None:
    seen: list[object] = []

    def note(request: object) -> None:
        seen.append(request)

    secure.refuses = note  # type: ignore[assignment]
    bridge = start(secure, terminal, *trust)
    bridge.wait_for_words("is not who was expected")
    bridge.wait_for_words("ponte bridge fingerprint")
    if trust:
        bridge.wait_for_words(pair.fingerprint)
    assert seen == []
    assert secure.session is None


def check(ponte_url: str, terminal_url: str, folder: Path, *options: str, token: str = TOKEN) -> tuple[int, list[str]]:
    command, environment = prepared("check", ponte_url, terminal_url, folder, *options, token=token)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    assert token not in done.stdout
    return done.returncode, done.stdout.splitlines()


def test_check_finds_everything_right(
    secure: ScriptedPonte, pair: Pair, terminal: StandinTerminal, tmp_path: Path
) -> None:
    code, lines = check(secure.url, terminal.url, tmp_path, "--pin", pair.fingerprint)
    assert code == 0
    assert [line[:6] for line in lines] == ["ok    "] * 7
    said = "\n".join(lines)
    for words in (
        "MetaTrader5 5.0.6231",
        "12345678 at Standin-Demo (demo, netting at an exchange, BRL)",
        "token is right",
    ):
        assert words in said
    # It took nobody's place.
    assert secure.sessions == 0


@pytest.mark.parametrize("answer", [b"\x15\x03\x01\x00\x02\x02\x46\r\n", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_the_wrong_kind_of_url_is_named(answer: bytes, terminal: StandinTerminal, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def reply() -> None:
            caller, _ = listening.accept()
            with caller:
                caller.recv(65536)
                caller.sendall(answer)
                caller.shutdown(socket.SHUT_WR)
                # The bridge may hang up first.
                with contextlib.suppress(OSError):
                    caller.recv(65536)

        replying = threading.Thread(target=reply)
        replying.start()
        scheme, right = ("http", "https") if answer[0] == 0x15 else ("https", "http")
        code, lines = check(f"{scheme}://127.0.0.1:{listening.getsockname()[1]}", terminal.url, tmp_path)
        replying.join()
    assert code == 1
    assert f"has a URL with {right}://" in lines[-1]


def test_check_leaves_a_running_bridge_alone(
    ponte: ScriptedPonte, terminal: StandinTerminal, start: Start, tmp_path: Path
) -> None:
    start(ponte, terminal)
    ponte.wait(lambda: ponte.session, "a session")
    code, lines = check(ponte.url, terminal.url, tmp_path)
    assert code == 0
    assert any("a bridge is running with the journal" in line for line in lines)
    assert ponte.sessions == 1


def test_check_names_what_is_wrong_with_its_cure(
    secure: ScriptedPonte, ponte: ScriptedPonte, terminal: StandinTerminal, tmp_path: Path
) -> None:
    def wrong(url: str, *options: str, token: str = TOKEN) -> str:
        code, lines = check(url, terminal.url, tmp_path, *options, token=token)
        assert code == 1
        return "\n".join(line for line in lines if line.startswith("FAIL"))

    assert "ponte bridge fingerprint" in wrong(secure.url, "--pin", "ab" * 32)
    assert "ponte bridge fingerprint" in wrong(secure.url)
    assert "has a URL with http://" in wrong(ponte.url.replace("http", "https"))
    assert "ponte bridge token" in wrong(ponte.url, token="another-token")
    assert "is the port open?" in wrong("http://127.0.0.1:9")
    assert "this bridge is for 999" in wrong(ponte.url, "--login", "999")
    terminal.terminal(trade_allowed=False)
    assert "press Algo Trading" in wrong(ponte.url)
    assert "clique em Algotrading" in wrong(ponte.url, "--lang", "pt")
    terminal.terminal(trade_allowed=True, account_trade_allowed=False)
    assert "not the investor's" in wrong(ponte.url)
    terminal.terminal(account_trade_allowed=True, trade_expert=False)
    assert "ask the broker" in wrong(ponte.url)
    terminal.terminal(trade_expert=True, connected=False)
    assert "not connected to its trade server" in wrong(ponte.url)
    terminal.close()
    assert "the terminal does not answer" in wrong(ponte.url)
