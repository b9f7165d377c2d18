"""What the loop does when a part of it fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fake_package import FakePackage
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
