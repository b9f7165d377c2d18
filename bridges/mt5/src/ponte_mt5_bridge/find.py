"""Looks an order up, and knows when "nothing found" means that there is nothing and will be nothing."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass
from typing import Any, Callable

from . import clock, shapes
from .journal import Body, Journal
from .protocol import ITEMS_MAX, Find
from .terminal import Account, Terminal, TerminalGone, Traces


@dataclass(frozen=True)
class Patience:
    """How long PROTOCOL.md lets a terminal take until its silence counts, in seconds."""

    settle: float = 30.0
    scan_gap: float = 2.0
    synchronised: float = 60.0


@dataclass(frozen=True)
class _Scan:
    at: float
    history_hours: int
    connected_seconds: float
    traces: Traces


class _NotTrusted(Exception):
    """The terminal can't be believed now."""


class Finder:
    """Scans pending orders, ended orders and deals for one order."""

    def __init__(
        self, journal: Journal, terminal: Terminal, patience: Patience, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        self._journal = journal
        self._terminal = terminal
        self._patience = patience
        self._sleep = sleep
        self._earlier: _Scan | None = None

    def find(self, task: Find, account: Account, deadline: float) -> Body:
        """The result's outcome, with what was found."""
        if clock.monotonic() > deadline:
            return {"outcome": "not_begun", "why": "its time was over"}
        try:
            scan = self._scan(task, account)
            scan, doubt = self._again(scan, task, account)
        except (TerminalGone, _NotTrusted) as error:
            return {"outcome": "answered", "found": self._found(task, None, False), "why": str(error)}
        doubt = doubt or self._unsettled(task)
        found = self._found(task, scan.traces, not doubt)
        has_traces = any(found[kind] for kind in ("orders", "history", "deals"))
        # A history that lags must not unlock what the server has said it has done.
        has_succeeded = any(step.has_succeeded for step in self._journal.steps(task.order))
        if not doubt and not has_traces and not has_succeeded:
            try:
                self._journal.mark_absent(task.order)
            except sqlite3.Error as error:
                doubt = f"the journal can't be written: {error}"
                found["conclusive"] = False
        return {"outcome": "answered", "found": found, "why": doubt}

    def _scan(self, task: Find, account: Account) -> _Scan:
        return self._terminal.run(lambda: self._scan_now(task, account))

    def _scan_now(self, task: Find, account: Account) -> _Scan:
        info, there = self._terminal.info()
        if not info.connected:
            raise _NotTrusted("the terminal is not connected to its trade server")
        if there is None or Account(int(there.login), str(there.server)) != account:
            raise _NotTrusted("the terminal is logged into another account than when the session began")
        traces = self._terminal.traces(task.history_hours)
        # Asked again: a connection that broke meanwhile may have left the lists short.
        info, _ = self._terminal.info()
        if not info.connected:
            raise _NotTrusted("the terminal lost its trade server")
        return _Scan(clock.monotonic(), task.history_hours, self._terminal.connected_seconds(), traces)

    def _again(self, scan: _Scan, task: Find, account: Account) -> tuple[_Scan, str]:
        """A second look where the terminal has not been connected for long; what remains doubtful."""
        earlier = self._usable(scan, task)
        if scan.connected_seconds >= self._patience.synchronised:
            self._earlier = scan
            return scan, ""
        if earlier is None:
            self._sleep(self._patience.scan_gap)
            earlier, scan = scan, self._scan(task, account)
        # Kept until it is too old to be compared with, so that the next find need not wait.
        self._earlier = earlier if scan.at - earlier.at < 10 * self._patience.scan_gap else scan
        if scan.at - earlier.at > scan.connected_seconds:
            return scan, "the terminal was not connected between two looks"
        if _fitting(earlier.traces, task) != _fitting(scan.traces, task):
            self._earlier = scan
            return scan, "two looks at the terminal were not the same"
        return scan, ""

    def _usable(self, scan: _Scan, task: Find) -> _Scan | None:
        """An earlier scan that this one can be compared with."""
        earlier = self._earlier
        if earlier is None or earlier.history_hours < task.history_hours:
            return None
        age = scan.at - earlier.at
        return earlier if self._patience.scan_gap <= age <= scan.connected_seconds else None

    def _unsettled(self, task: Find) -> str:
        for step in self._journal.steps(task.order):
            if step.is_indefinite and step.age <= self._patience.settle:
                return f"a request was begun {step.age:.1f} s ago and has no definite answer"
        return ""

    def _found(self, task: Find, traces: Traces | None, is_conclusive: bool) -> Body:
        fitting = {"orders": [], "history": [], "deals": []} if traces is None else _fitting(traces, task)
        steps = [step.body for step in self._journal.steps(task.order)]
        return {"conclusive": is_conclusive, "steps": steps[-100:], **fitting}


def _fitting(traces: Traces, task: Find) -> dict[str, list[Body]]:
    """What bears the order's magic number or its comment, the newest last."""

    def is_of_order(item: Any) -> bool:
        return item.magic == task.magic or bool(task.comment and item.comment == task.comment)

    return {
        "orders": [shapes.order(item) for item in traces.orders if is_of_order(item)][-ITEMS_MAX:],
        "history": [shapes.order(item) for item in traces.history if is_of_order(item)][-ITEMS_MAX:],
        "deals": [shapes.deal(item) for item in traces.deals if is_of_order(item)][-ITEMS_MAX:],
    }
