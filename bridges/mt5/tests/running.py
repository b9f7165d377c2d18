"""The processes of a test: the stand-in terminal, the bridge."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from importlib import metadata
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LOGIN, SERVER = 12345678, "Standin-Demo"

Body = dict[str, Any]


def program() -> Path:
    """The built `ponte`."""
    root = HERE.parents[2]
    path = Path(os.environ.get("PONTE_BIN", root / "target/debug/ponte"))
    assert path.is_file(), f"{path} is not there: build it, or say where it is in PONTE_BIN"
    return path


class StandinTerminal:
    """`ponte venue mt5`, and what a test does to it."""

    def __init__(
        self,
        *options: str,
        margin_mode: str = "exchange",
        symbols: str = "b3",
        listen: str = "127.0.0.1:0",
        login: int = LOGIN,
    ) -> None:
        command = [str(program()), "venue", "mt5", "--listen", listen, "--margin-mode", margin_mode]
        command += ["--symbols", symbols, "--login", str(login), "--server", SERVER, *options]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.url = self._address()
        # What it prints later must not fill the pipe.
        threading.Thread(target=self._process.stdout.read, daemon=True).start()  # type: ignore[union-attr]

    def _address(self) -> str:
        said = []
        for line in self._process.stdout or ():
            said.append(line)
            for word in line.split():
                if word.startswith("http://"):
                    return word.rstrip(".,:;/")
        raise AssertionError(f"the stand-in terminal did not start: {''.join(said)}")

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def ask(self, method: str, path: str, body: Body | None = None) -> Any:
        """One request to its administration."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                content = response.read()
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path} {body}: {error.code} {error.read().decode()}") from error
        return json.loads(content) if content else None

    def price(self, symbol: str, bid: float, ask: float) -> None:
        self.ask("POST", "/admin/price", {"symbol": symbol, "bid": bid, "ask": ask})

    def terminal(self, **settings: bool) -> None:
        self.ask("POST", "/admin/terminal", settings)

    def fault(self, function: str, fault: str, times: int = 1, **more: Any) -> None:
        self.ask("POST", "/admin/fault", {"function": function, "fault": fault, "times": times, **more})

    def clear_faults(self) -> None:
        self.ask("DELETE", "/admin/faults")

    def audit(self) -> Body:
        return dict(self.ask("GET", "/admin/audit"))

    def call(self, function: str, **arguments: Any) -> Any:
        return self.ask("POST", "/terminal/call", {"function": function, "arguments": arguments})["value"]

    def sends(self, magic: int) -> list[Body]:
        """Every order with this magic number that there ever was, pending or over."""
        audit = self.audit()
        by_ticket = {order["ticket"]: order for order in [*audit["orders"], *audit["history_orders"]]}
        return [order for order in by_ticket.values() if order["magic"] == magic]

    def deals(self, magic: int) -> list[Body]:
        return [deal for deal in self.audit()["deals"] if deal["magic"] == magic]


def prepared(
    verb: str, ponte_url: str, terminal_url: str, folder: Path, *options: str, token: str
) -> tuple[list[str], dict[str, str]]:
    """A command of the bridge's command line, and the environment that it runs in."""
    token_file = folder / "token.txt"
    token_file.write_text(token + "\n")
    command = [sys.executable, "-m", "ponte_mt5_bridge", verb, "--url", ponte_url]
    command += ["--token-file", str(token_file), "--journal", str(folder / "journal.sqlite")]
    command += ["--lang", "en", *options]
    return command, {**os.environ, **paths(), "PONTE_STANDIN_TERMINAL": terminal_url}


class BridgeProcess:
    """`python -m ponte_mt5_bridge run` in a process of its own."""

    def __init__(
        self,
        ponte_url: str,
        terminal_url: str,
        folder: Path,
        *options: str,
        token: str = "token-of-the-scripted-ponte",
        settle: float = 1.0,
        scan_gap: float = 0.2,
        synchronised: float = 0.6,
    ) -> None:
        self.folder = folder
        self.log = folder / "bridge.log"
        self.command, self.environment = prepared("run", ponte_url, terminal_url, folder, *options, token=token)
        self.command += ["--settle-seconds", str(settle), "--scan-gap-seconds", str(scan_gap)]
        self.command += ["--synchronised-seconds", str(synchronised), "--poll-seconds", "0.05"]
        self.command += ["--hold-seconds", "2", "--wait-factor", "0.05"]
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self.command, env=self.environment, stdout=log, stderr=log)

    def kill(self) -> None:
        """As the power does."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self) -> int:
        """As a person does."""
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

    def wait_for_words(self, words: str, seconds: float = 20.0) -> None:
        until = time.monotonic() + seconds
        while words not in self.said():
            assert time.monotonic() < until, f"{words!r} was not said: {self.said()}"
            time.sleep(0.02)


def sources() -> list[str]:
    """Where the bridge is found: nowhere of ours where it is installed, so that this is what is tested."""
    try:
        metadata.version("ponte-mt5-bridge")
    except metadata.PackageNotFoundError:
        return [str(HERE.parent / "src")]
    return []


def paths() -> dict[str, str]:
    """Where a bridge's process finds the stand-in for the package, and the bridge."""
    return {"PYTHONPATH": os.pathsep.join([str(HERE / "standin"), *sources()])}
