"""The expert in a process: built from its MQL5 sources against the shim, run beside the stand-in terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from functools import cache
from pathlib import Path
from typing import Any, Callable

from running import StandinTerminal
from scripted_ponte import ScriptedPonte
from tasks import BUY, find, market, trade

HERE = Path(__file__).parent
TOKEN = "token-of-the-scripted-ponte"
WIN = "WINZ26"

Body = dict[str, Any]


@cache
def program() -> Path:
    """The built expert; `PONTE_EXPERT` may name one that is built already."""
    given = os.environ.get("PONTE_EXPERT")
    if given:
        return Path(given)
    scratch = Path(os.environ.get("PONTE_SCRATCH", HERE.parents[2] / "target"))
    folder = scratch / "expert"
    subprocess.run([str(HERE / "expert/build.sh"), str(folder)], check=True)
    return folder / "expert-standin"


def probe(*lines: str) -> list[str]:
    """What the expert's parts answer to lines, one each."""
    run = subprocess.run([str(program()), "--probe"], input="\n".join(lines) + "\n", capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout.rstrip("\n").split("\n")


# Times of PROTOCOL.md, made short, in milliseconds; the waits after refusals in percent.
SETTINGS = {
    "PONTE_SETTLE_MS": 1000,
    "PONTE_SCAN_GAP_MS": 200,
    "PONTE_SYNCHRONISED_MS": 600,
    "PONTE_FACTS_WAIT_MS": 2000,
    "PONTE_WAIT_PERCENT": 5,
}


class ExpertProcess:
    """`expert-standin` in a process of its own."""

    def __init__(
        self, url: str, terminal: str, folder: Path, *options: str, token: str = TOKEN, **settings: int
    ) -> None:
        self.folder = folder
        self.files = folder / "Files"
        self.log = folder / "expert.log"
        (self.files / "Ponte").mkdir(parents=True, exist_ok=True)
        (self.files / "Ponte/token.txt").write_text(token + "\r\n")
        self.command = [str(program()), "--url", url, "--terminal", terminal, "--files", str(self.files)]
        self.command += ["--lang", "en", "--poll", "1000", *options]
        chosen = {**SETTINGS, **{f"PONTE_{name.upper()}": value for name, value in settings.items()}}
        self.environment = {**os.environ, **{name: str(value) for name, value in chosen.items()}}
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def journal(self) -> Path:
        return self.files / "Ponte/journal.jsonl"

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self.command, env=self.environment, stdout=log, stderr=log)

    def kill(self) -> None:
        """As the power does."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self) -> int:
        """As a person does who takes the expert off its chart."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(30)

    def wait(self, seconds: float = 30.0) -> int:
        assert self._process is not None
        return self._process.wait(seconds)

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def said(self) -> str:
        return self.log.read_text()

    def wait_for_words(self, words: str, seconds: float = 30.0) -> None:
        until = time.monotonic() + seconds
        while words not in self.said():
            assert time.monotonic() < until, f"{words!r} was not said: {self.said()}"
            time.sleep(0.02)


Start = Callable[..., ExpertProcess]


def open_market(terminal: StandinTerminal, symbol: str = WIN, bid: float = 128340, ask: float = 128345) -> None:
    """Puts a symbol into Market Watch and gives it prices."""
    terminal.ask("POST", "/admin/symbol", {"symbol": symbol, "visible": True})
    terminal.price(symbol, bid, ask)


def connected(ponte: ScriptedPonte) -> None:
    """Waits until a session has told what it tells first."""
    ponte.wait(lambda: ponte.session and ponte.are_symbols_complete, "a session with its symbols")


def conclusive(ponte: ScriptedPonte, order: str, seconds: float = 20.0) -> Body:
    """Asks about an order until the answer is conclusive."""
    until = time.monotonic() + seconds
    while True:
        result = ponte.run(find(order))
        assert result["outcome"] == "answered", result
        if result["found"]["conclusive"]:
            return result["found"]
        assert time.monotonic() < until, result
        time.sleep(0.1)


def buy(order: str, volume: str = "1", **more: Any) -> Body:
    return trade(order, market(WIN, BUY, volume, **more))
