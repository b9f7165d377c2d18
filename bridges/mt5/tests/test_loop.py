"""What the loop does when a part of it fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import pytest
from fake_package import FakePackage
from running import BridgeProcess, StandinTerminal
from scripted_ponte import TOKEN, ScriptedPonte

from ponte_mt5_bridge.bridge import Bridge, Timing
from ponte_mt5_bridge.journal import Journal
from ponte_mt5_bridge.terminal import Login, Terminal
from ponte_mt5_bridge.texts import Words
from ponte_mt5_bridge.wire import Address, Token, Wire


def test_a_bridge_that_can_take_nothing_more_ends(
    ponte: ScriptedPonte, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    bridge = Bridge(
        journal,
        Terminal(FakePackage(), Login()),
        lambda: Wire(Address(ponte.url), Token(TOKEN)),
        Words("en"),
        Timing(poll=0.02, hold=0.2),
    )

    def fall_over(*_arguments: Any) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(bridge, "_carry_out", fall_over)
    with pytest.raises(RuntimeError, match="a fault of ours"):
        bridge.run()
    journal.close()


def test_what_is_told_is_numbered_in_each_session(
    ponte: ScriptedPonte, terminal: StandinTerminal, start: Callable[..., BridgeProcess]
) -> None:
    def numbers(session: str | None) -> list[int]:
        heard = (request for request in ponte.requests if request.get("session") == session)
        return [request["sequence"] for request in heard if "take" not in request]

    start(ponte, terminal)
    ponte.wait(lambda: len(numbers(ponte.session)) >= 2, "two tellings")
    first = ponte.session
    ponte.restart()
    ponte.wait(lambda: ponte.sessions == 2 and len(numbers(ponte.session)) >= 2, "two more in a new session")
    for session in (first, ponte.session):
        told = numbers(session)
        assert told == list(range(1, len(told) + 1))
    assert all("sequence" not in request for request in ponte.requests if "session" not in request)
