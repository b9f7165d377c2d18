"""The expert with the real Ponte: an alert becomes one order with its stop, whoever is killed meanwhile."""

from __future__ import annotations

import json
import random
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest
from expert_running import TOKEN, ExpertProcess, open_market
from running import LOGIN, SERVER, StandinTerminal, program

SECRET = "a-secret-of-these-tests-and-of-nothing-else"
LONG_TOKEN = TOKEN + "-and-the-real-one"
CONFIGURATION = """
data_dir = "data"

[webhook]
listen = "127.0.0.1:{webhook}"
allow_from = ["loopback"]

[admin]
listen = "127.0.0.1:{admin}"

[bridge]
listen = "127.0.0.1:{bridge}"

[[sources]]
name = "main"
secret = "file:secret"
format = "ponte"

[[accounts]]
name = "mt5"
broker = "mt5"
mode = "demo"
currency = "USD"

[accounts.mt5]
login = {login}
server = "{server}"
token = "file:token"
accounting = "hedging"
symbols = ["EURUSD"]

[[routes]]
strategies = ["*"]
accounts = ["mt5"]
"""


class Ponte:
    """`ponte run` in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        ports = {name: free_port() for name in ("webhook", "admin", "bridge")}
        self.url = f"http://127.0.0.1:{ports['bridge']}"
        (folder / "ponte.toml").write_text(CONFIGURATION.format(**ports, login=LOGIN, server=SERVER))
        for name, content in (("secret", SECRET), ("token", LONG_TOKEN)):
            (folder / name).write_text(content)
            (folder / name).chmod(0o600)
        self.start()

    def start(self) -> None:
        with (self.folder / "ponte.log").open("ab") as log:
            self._process = subprocess.Popen([str(program()), "run"], cwd=self.folder, stdout=log, stderr=log)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def ask(self, *words: str) -> Any:
        """What a command prints as JSON; None where it fails."""
        run = subprocess.run([str(program()), *words, "--json"], cwd=self.folder, capture_output=True, text=True)
        return json.loads(run.stdout) if run.returncode == 0 else None

    def send(self, number: int, **message: Any) -> bool:
        """Sends an alert; whether Ponte has taken it."""
        body = {"secret": SECRET, "id": f"alert-{number}", "symbol": "EURUSD", **message}
        run = subprocess.run([str(program()), "send", json.dumps(body)], cwd=self.folder, capture_output=True, text=True)
        return run.returncode == 0 and "accepted" in run.stdout

    def is_settled(self) -> bool:
        """Whether every order has ended, or rests where it should."""
        orders = self.ask("orders")
        return orders is not None and all(order["ended_at"] or order["status"] == "working" for order in orders)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait(is_so: Callable[[], Any], what: Callable[[], str], seconds: float = 60.0) -> Any:
    until = time.monotonic() + seconds
    while not (value := is_so()):
        assert time.monotonic() < until, what()
        time.sleep(0.1)
    return value


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Ponte]:
    ponte = Ponte(tmp_path / "ponte")
    yield ponte
    ponte.kill()


def volume(terminal: StandinTerminal) -> float:
    return round(sum(position["volume"] for position in terminal.audit()["positions"]), 8)


def test_an_alert_becomes_a_position_with_its_stop_and_the_stop_ends_it(
    real: Ponte, hedging: StandinTerminal, tmp_path: Path
) -> None:
    open_market(hedging, "EURUSD", 1.1, 1.1001)
    expert = ExpertProcess(real.url, hedging.url, tmp_path, token=LONG_TOKEN)
    try:
        wait(lambda: real.ask("doctor", "--account", "mt5"), expert.said)
        assert real.send(1, action="buy", quantity=0.1, stop=1.09)
        (position,) = wait(lambda: hedging.audit()["positions"], expert.said)
        assert (position["volume"], position["sl"]) == (0.1, 1.09)
        wait(real.is_settled, lambda: str(real.ask("orders")))
        hedging.price("EURUSD", 1.0899, 1.09)
        assert hedging.audit()["positions"] == []
        wait(lambda: real.ask("positions") == [], lambda: str(real.ask("positions")))
    finally:
        expert.kill()


def test_kills_of_either_side_double_nothing(real: Ponte, hedging: StandinTerminal, tmp_path: Path) -> None:
    open_market(hedging, "EURUSD", 1.1, 1.1001)
    expert = ExpertProcess(real.url, hedging.url, tmp_path, token=LONG_TOKEN, settle_ms=500)
    chance = random.Random(4)
    try:
        wait(lambda: real.ask("doctor", "--account", "mt5"), expert.said)
        for number in range(1, 9):
            if number % 2:
                hedging.fault("order_send", "hang_ms", ms=chance.randint(20, 200))
            real.send(number, action="buy", quantity=0.01)
            time.sleep(chance.random() * 0.2)
            for victim in ([real], [expert], [real, expert])[number % 3]:
                victim.kill()
                victim.start()
            wait(real.is_settled, lambda: str(real.ask("orders")))
            hedging.clear_faults()
        orders = real.ask("orders")
        filled = [order for order in orders if order["status"] == "filled"]
        entries = [deal for deal in hedging.audit()["deals"] if deal["symbol"] == "EURUSD"]
        assert len({deal["magic"] for deal in entries}) == len(entries) == len(filled)
        assert volume(hedging) == round(0.01 * len(filled), 8)
        assert filled, "nothing was executed at all"
    finally:
        expert.kill()
