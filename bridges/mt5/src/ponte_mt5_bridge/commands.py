"""Carries commands out: checks, the journal, `order_send`, the journal. Nothing twice, nothing late."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any, Callable

from . import clock
from .find import Finder
from .journal import SUCCEEDED, Body, Journal, ResultId
from .protocol import (
    ACTION_DEAL,
    Change,
    Command,
    Find,
    Task,
    Trade,
    TradeRequest,
    Unintelligible,
)
from .terminal import Account, Terminal, TerminalGone

RETCODE_NO_CHANGES = 10025
POSITION_BUY = 0


@dataclass(frozen=True)
class Session:
    """A session with Ponte, and the account that the terminal was logged into when it began."""

    name: str
    account: Account


class NotBegun(Exception):
    """Certain that the request was not sent, and why."""


class Executor:
    """Commands of one bridge, one after the other, on one thread."""

    def __init__(self, journal: Journal, terminal: Terminal, finder: Finder, only_login: int | None = None) -> None:
        self._journal = journal
        self._terminal = terminal
        self._finder = finder
        self._only_login = only_login
        self._last: dict[str, int] = {}

    def execute(self, command: Command, sent_at: float, session: Callable[[], Session | None]) -> Body | None:
        """Does what a command asks for; returns its result, kept in the journal until Ponte has seen it.

        None if it is dropped: of another session, or not newer than the last.
        """
        current = session()
        if current is None or command.session != current.name or command.number <= self._last.get(current.name, 0):
            return None
        self._last = {current.name: command.number}
        deadline = sent_at + command.valid_ms / 1000
        body = self._do(command, current, deadline)
        try:
            self._journal.finish(body)
        except sqlite3.Error as error:
            body["why"] = f"{body.get('why', '')} (the journal can't be written: {error})".strip()
        return body

    def _do(self, command: Command, session: Session, deadline: float) -> Body:
        task = command.task
        result = (command.session, command.number)
        body: Body = {"session": command.session, "number": command.number, "order": task.order}
        if isinstance(task, Find):
            return {**body, **self._finder.find(task, session.account, deadline)}
        if isinstance(task, Unintelligible):
            return {**body, "outcome": "not_begun", "why": f"the command is not understood: {task.why}"}
        if isinstance(task, Trade) and self._journal.is_known(task.order):
            return {**body, "outcome": "known", "why": "the journal knows of a request for this order"}
        return {**body, **self._send_all(task, result, session, deadline)}

    def _send_all(self, task: Trade | Change, result: ResultId, session: Session, deadline: float) -> Body:
        steps: list[Body] = []
        for index, request in enumerate(task.requests):
            attempt = _Attempt(task, request, result, index, session, deadline)
            try:
                step = self._terminal.run(lambda attempt=attempt: self._send(attempt))  # type: ignore[misc]
            except NotBegun as why:
                outcome = "answered" if steps else "not_begun"
                return {"outcome": outcome, "steps": steps, "why": str(why)}
            steps.append(step)
            if not step["answered"]:
                why_none = f"order_send gave no answer: {step['error']} {step.get('comment', '')}".strip()
                return {"outcome": "interrupted", "steps": steps, "why": why_none}
            if not _has_succeeded(task, step["retcode"]):
                break
        return {"outcome": "answered", "steps": steps}

    def _send(self, attempt: _Attempt) -> Body:
        """One request, as one job on the terminal's thread, so that nothing comes between check and sending."""
        self._check(attempt)
        task = attempt.task
        request = attempt.request.to_terminal(task.magic, task.comment if isinstance(task, Trade) else "")
        if isinstance(task, Change):
            return self._terminal.send(request)
        self._add_price(attempt.request, request)
        try:
            step = self._journal.begin_step(attempt.result, attempt.index, task.order, request)
        except sqlite3.Error as error:
            raise NotBegun(f"the journal can't be written: {error}") from error
        try:
            # Writing to the disk may have taken its time.
            _check_time(attempt)
        except NotBegun:
            self._journal.withdraw_step(step)
            raise
        answer = self._terminal.send(request)
        try:
            self._journal.answer_step(step, answer)
        except sqlite3.Error:
            # The step stays begun without an answer: after a restart it is looked up, never sent again.
            return answer
        return answer

    def _check(self, attempt: _Attempt) -> None:
        """All that must hold before a request is begun. Raises `NotBegun`."""
        _check_time(attempt)
        try:
            info, account = self._terminal.info()
            self._check_account(account, attempt.session)
            if not info.connected:
                raise NotBegun("the terminal is not connected to its trade server")
            if not info.trade_allowed:
                raise NotBegun("algorithmic trading is switched off in the terminal: press Algo Trading")
            if info.tradeapi_disabled:
                raise NotBegun("trading through the Python API is disabled in the terminal's options")
            if isinstance(attempt.task, Trade) and attempt.task.reduces:
                self._check_position(attempt.request)
        except TerminalGone as error:
            raise NotBegun(f"the terminal does not answer: {error}") from error

    def _check_account(self, account: Any, session: Session) -> None:
        if account is None or account.login == 0:
            raise NotBegun("the terminal is not logged into an account")
        if Account(int(account.login), str(account.server)) != session.account:
            there = f"{account.login} at {account.server}"
            here = f"{session.account.login} at {session.account.server}"
            raise NotBegun(f"the terminal is logged into {there}, the session began with {here}")
        if self._only_login is not None and account.login != self._only_login:
            raise NotBegun(f"the terminal is logged into {account.login}, this bridge is for {self._only_login}")

    def _check_position(self, request: TradeRequest) -> None:
        """That there is something to close, on the other side and no smaller."""
        positions = self._terminal.positions()
        volume = float(request.volume or 0)
        if request.position is not None:
            fitting = [item for item in positions if item.ticket == request.position]
        else:
            fitting = [item for item in positions if item.symbol == request.symbol]
        fitting = [item for item in fitting if (item.type == POSITION_BUY) != request.is_buy]
        # Half of the smallest lot that any broker has: volumes are doubles.
        if not any(item.volume >= volume - 1e-9 for item in fitting):
            held = max((item.volume for item in fitting), default=0.0)
            raise NotBegun(f"there is no position of {volume:g} {request.symbol} to close: {held:g} are there")

    def _add_price(self, asked: TradeRequest, request: dict[str, Any]) -> None:
        """The symbol in Market Watch, a market deal at its price; where there is none the server may say so."""
        # Outside Market Watch a symbol has no prices, and orders in it are refused.
        info = self._terminal.symbol(asked.symbol)
        if info is not None and not info.select:
            self._terminal.select(asked.symbol)
        if asked.action != ACTION_DEAL or asked.price is not None:
            return
        tick = self._terminal.tick(asked.symbol)
        price = 0.0 if tick is None else float(tick.ask if asked.is_buy else tick.bid)
        if price > 0:
            request["price"] = price


@dataclass(frozen=True)
class _Attempt:
    task: Trade | Change
    request: TradeRequest
    result: ResultId
    index: int
    session: Session
    deadline: float


def _check_time(attempt: _Attempt) -> None:
    late = clock.monotonic() - attempt.deadline
    if late > 0:
        raise NotBegun(f"its time was over {late:.1f} s ago")


def _has_succeeded(task: Task, retcode: int) -> bool:
    return retcode in SUCCEEDED or (isinstance(task, Change) and retcode == RETCODE_NO_CHANGES)


def tickets_of(body: Body) -> tuple[set[int], set[int]]:
    """The tickets of orders and deals that a trade's result speaks of, and that its facts should show."""
    done = [step for step in body.get("steps", []) if step["answered"] and step["retcode"] in SUCCEEDED]
    deals = {step["deal"] for step in done if step["deal"]}
    orders = {step["order"] for step in done if step["order"]}
    return orders, deals
