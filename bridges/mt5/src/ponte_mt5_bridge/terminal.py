"""The terminal through the official package: one thread, one call at a time, lost connections noticed.

What the package does was read from its documentation ("MetaTrader 5 Python integration") and from the
wheel of 5.0.6231 itself.
"""

from __future__ import annotations

import contextlib
import importlib
import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, NoReturn, TypeVar

from . import clock, shapes

Result = TypeVar("Result")

# What `last_error` says when the package can't reach the terminal, or lost it while it was asked.
IPC_ERRORS = (-10000, -10001, -10002, -10003, -10004, -10005)
# Of these it is certain that no request left: wrong parameters, automatic trading disabled, no terminal.
NOTHING_SENT = (-2, -8, -10003, -10004)

# History is selected by the server's clock, which is up to 14 hours off; a day and two hours cover it.
HISTORY_SLACK_SECONDS = 26 * 3600
_START_AGAIN_SECONDS_MAX = 30.0


class PackageMissing(Exception):
    """The package `MetaTrader5` is not installed, or not for this system."""


class TerminalGone(Exception):
    """The terminal does not answer."""


class CallFailed(TerminalGone):
    """The terminal answers, but not to this call: its lists can't be believed now."""


@dataclass(frozen=True)
class Login:
    """Which terminal, and what it is told at its start; the password can't be printed."""

    path: Path | None = None
    login: int | None = None
    server: str | None = None
    password: Callable[[], str] | None = None
    portable: bool = False
    start_milliseconds: int = 60_000


@dataclass(frozen=True)
class Account:
    """Who is logged in; `login` 0 is nobody."""

    login: int
    server: str


NOBODY = Account(0, "")


@dataclass(frozen=True)
class Traces:
    """What the terminal has of orders at one moment: pending, over, executed."""

    orders: tuple[Any, ...]
    history: tuple[Any, ...]
    deals: tuple[Any, ...]


def load_package() -> Any:
    """The module `MetaTrader5`. Raises `PackageMissing`."""
    try:
        return importlib.import_module("MetaTrader5")
    except ImportError as error:
        raise PackageMissing(str(error)) from error


class Terminal:
    """All calls run on one thread: hand a job to `run`; the other methods are for jobs only."""

    def __init__(self, package: Any, login: Login) -> None:
        self._package = package
        self._login = login
        self._jobs: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]]] = queue.SimpleQueue()
        # A daemon: a terminal that hangs must not keep the bridge from ending.
        threading.Thread(target=_work, args=(self._jobs,), name="terminal", daemon=True).start()
        self._is_started = False
        self._failures = 0
        self._start_after = 0.0
        self._connected_since: float | None = None
        self._was_down = False
        self.newest_tick_ms = 0
        self.last_words = ""

    def run(self, job: Callable[[], Result], patience: float | None = None) -> Result:
        """Runs a job on the terminal's thread. Raises what it raises, `FutureTimeout` if it takes too long.

        A job that takes too long goes on; later ones wait for it.
        """
        future: Future[Result] = Future()
        self._jobs.put((job, future))
        try:
            return future.result(patience)
        except BaseException:
            future.cancel()
            raise

    def close(self, patience: float = 5.0) -> None:
        """Lets go of the terminal; it goes on running."""
        with contextlib.suppress(FutureTimeout):
            self.run(self._package.shutdown, patience)

    # The rest is for jobs on the terminal's thread.

    def start(self) -> None:
        """Connects to the terminal, and starts it where it does not run. Raises `TerminalGone`.

        After failures it waits between attempts, up to half a minute, and refuses meanwhile.
        """
        if self._is_started:
            return
        if clock.monotonic() < self._start_after:
            raise TerminalGone(self.last_words)
        arguments: dict[str, Any] = {"timeout": self._login.start_milliseconds}
        if self._login.portable:
            arguments["portable"] = True
        if self._login.login is not None:
            arguments["login"] = self._login.login
        if self._login.server is not None:
            arguments["server"] = self._login.server
        if self._login.password is not None:
            arguments["password"] = self._login.password()
        path = () if self._login.path is None else (str(self._login.path),)
        if self._package.initialize(*path, **arguments):
            self._is_started = True
            self._failures = 0
            return
        code, words = self._package.last_error()
        self._package.shutdown()
        self._failures += 1
        self._start_after = clock.monotonic() + min(_START_AGAIN_SECONDS_MAX, float(2 ** min(self._failures, 5)))
        self._lost(f"initialize: {code} {words}")
        raise TerminalGone(self.last_words)

    def info(self) -> tuple[Any, Any]:
        """`terminal_info()` and `account_info()`, the latter None while nobody is logged in."""
        self.start()
        info = self._package.terminal_info()
        if info is None:
            self._gone("terminal_info")
        account = self._package.account_info()
        if account is None:
            self._check("account_info")
        if not info.connected or account is None:
            self._connected_since = None
            self._was_down = True
        elif self._connected_since is None:
            self._connected_since = clock.monotonic()
        return info, account

    def connected_seconds(self) -> float:
        """How long the terminal has been seen connected, by this process; 0 while it is not."""
        return 0.0 if self._connected_since is None else clock.monotonic() - self._connected_since

    def has_come_back(self) -> bool:
        """Whether this process has ever seen it not connected: then its lists may still be on their way."""
        return self._was_down

    def state(self) -> shapes.Body:
        """What the protocol calls the terminal's state. Raises `TerminalGone`."""
        return shapes.state(*self.info(), self.newest_tick_ms)

    def positions(self) -> tuple[Any, ...]:
        """All open positions. Raises `TerminalGone`."""
        return self._all("positions_get")

    def orders(self) -> tuple[Any, ...]:
        """All pending orders. Raises `TerminalGone`."""
        return self._all("orders_get")

    def history_counts(self, hours: int) -> tuple[int, int]:
        """How many ended orders and deals there are. Raises `TerminalGone`."""
        range_ = _range(hours)
        return self._of("history_orders_total", *range_), self._of("history_deals_total", *range_)

    def traces(self, hours: int) -> Traces:
        """Orders that wait, orders that are over and deals, from so many hours back. Raises `TerminalGone`.

        Pending orders are read before the others: one that ends in between is seen twice, not never.
        """
        range_ = _range(hours)
        orders = self.orders()
        history = tuple(self._of("history_orders_get", *range_))
        return Traces(orders, history, tuple(self._of("history_deals_get", *range_)))

    def symbols_watched(self) -> list[Any]:
        """What is in Market Watch. Raises `TerminalGone`."""
        return [item for item in self._all("symbols_get") if item.visible]

    def symbol(self, name: str) -> Any:
        """`symbol_info`, or None where there is no such symbol."""
        return self._package.symbol_info(name)

    def select(self, name: str) -> bool:
        """Puts a symbol into Market Watch; false where there is none."""
        return bool(self._package.symbol_select(name, True))

    def tick(self, name: str) -> Any:
        """The newest prices, or None."""
        item = self._package.symbol_info_tick(name)
        if item is not None:
            self.newest_tick_ms = max(self.newest_tick_ms, int(item.time_msc))
        return item

    def send(self, request: dict[str, Any]) -> shapes.Body:
        """`order_send`: the step that came of it. Never raises."""
        try:
            result = self._package.order_send(request)
            error = self._package.last_error() if result is None else (0, "")
        except Exception as raised:
            return {"answered": False, "error": 0, "comment": shapes.comment_of(f"order_send raised {raised!r}")}
        if result is not None:
            return shapes.answer(result)
        code, words = int(error[0]), shapes.comment_of(error[1])
        if code in NOTHING_SENT:
            return {"answered": True, "retcode": 0, "error": code, "comment": words}
        return {"answered": False, "error": code, "comment": words}

    def _all(self, function: str) -> tuple[Any, ...]:
        return tuple(self._of(function))

    def _of(self, function: str, *arguments: Any) -> Any:
        value = getattr(self._package, function)(*arguments)
        if value is None:
            self._gone(function)
        return value

    def _check(self, function: str) -> None:
        code, _ = self._package.last_error()
        if code in IPC_ERRORS:
            self._gone(function)

    def _gone(self, function: str) -> NoReturn:
        """Raises `CallFailed`, or `TerminalGone` where the line broke; then the next job connects anew."""
        code, words = self._package.last_error()
        text = f"{function}: {code} {words}"
        if code not in IPC_ERRORS:
            raise CallFailed(text)
        self._is_started = False
        self._package.shutdown()
        self._lost(text)
        raise TerminalGone(text)

    def _lost(self, words: str) -> None:
        self.last_words = words
        self._connected_since = None
        self._was_down = True


def _work(jobs: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]]]) -> None:
    while True:
        job, future = jobs.get()
        if not future.set_running_or_notify_cancel():
            continue
        try:
            future.set_result(job())
        except BaseException as error:
            future.set_exception(error)


def _range(hours: int) -> Sequence[int]:
    """From so many hours back until now, on any server's clock, in whole seconds."""
    now = int(time.time())
    return max(1, now - hours * 3600 - HISTORY_SLACK_SECONDS), now + HISTORY_SLACK_SECONDS
