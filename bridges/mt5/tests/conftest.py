"""What tests share."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE / "standin")]

from expert_running import TOKEN, ExpertProcess, connected, open_market  # noqa: E402
from running import BridgeProcess, StandinTerminal, sources  # noqa: E402
from scripted_ponte import ScriptedPonte  # noqa: E402

sys.path[:0] = sources()


@pytest.fixture
def ponte() -> Iterator[ScriptedPonte]:
    """A scripted Ponte; in the end it must have understood everything."""
    ponte = ScriptedPonte()
    yield ponte
    ponte.close()
    assert ponte.violations == []
    assert ponte.twice == []


@pytest.fixture
def terminal() -> Iterator[StandinTerminal]:
    """A stand-in terminal with an account at B3."""
    terminal = StandinTerminal()
    yield terminal
    terminal.close()


@pytest.fixture
def hedging() -> Iterator[StandinTerminal]:
    """A stand-in terminal with a hedging account."""
    terminal = StandinTerminal(margin_mode="hedging", symbols="forex")
    yield terminal
    terminal.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., BridgeProcess]]:
    """Starts bridges; those that still run are killed in the end. No log may hold a token."""
    started: list[BridgeProcess] = []

    def start(ponte: ScriptedPonte, terminal: StandinTerminal, *options: str, **settings: float) -> BridgeProcess:
        bridge = BridgeProcess(ponte.url, terminal.url, tmp_path, *options, **settings)
        started.append(bridge)
        return bridge

    yield start
    for bridge in started:
        if bridge.is_running:
            bridge.kill()
        assert "token-of-the-scripted-ponte" not in bridge.said()
        assert "Traceback" not in bridge.said(), bridge.said()


@pytest.fixture
def expert(tmp_path: Path) -> Iterator[Callable[..., ExpertProcess]]:
    """Starts experts; those that still run are killed in the end. No log may hold the token."""
    started: list[ExpertProcess] = []

    def start(ponte: ScriptedPonte, terminal: StandinTerminal, *options: str, **settings: int) -> ExpertProcess:
        process = ExpertProcess(ponte.url, terminal.url, tmp_path, *options, **settings)
        started.append(process)
        return process

    yield start
    for process in started:
        if process.is_running:
            process.kill()
        said = process.said()
        assert TOKEN not in said
        assert "critical error" not in said, said
        assert "runtime error" not in said, said
        assert "Sanitizer" not in said, said


@pytest.fixture
def ready(ponte: ScriptedPonte, terminal: StandinTerminal, expert: Callable[..., ExpertProcess]) -> ExpertProcess:
    """An expert that has said hello, with a market in the mini index."""
    open_market(terminal)
    process = expert(ponte, terminal)
    connected(ponte)
    return process
