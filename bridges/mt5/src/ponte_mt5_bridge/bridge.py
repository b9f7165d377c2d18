"""The loop: one thread takes commands with held requests, another tells what the terminal knows."""

from __future__ import annotations

import threading
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field
from typing import Any, Callable

from . import clock, shapes
from .commands import Executor, Session
from .facts import Look, Snapshot, Told, Watcher
from .find import Finder, Patience
from .journal import Journal
from .protocol import PROTOCOL, ProtocolError, SyncAnswer
from .terminal import NOBODY, Terminal
from .texts import Words
from .version import VERSION
from .wire import Refused, Wire, WireError, WrongCertificate, back_off

# Seconds to wait after an answer, as PROTOCOL.md has them; after any other one there is a back-off.
_WAITS = {400: 5.0, 401: 30.0, 409: 15.0, 413: 0.0, 426: 60.0}
_LOOK_SECONDS = 4.0
# A terminal that has not finished one call for so long is told as not connected.
_HANGS_SECONDS = 30.0
_SAME_PROBLEM_SECONDS = 300.0
_LIMIT_MIN = 10
_PRUNE_SECONDS = 24 * 3600.0


@dataclass(frozen=True)
class Timing:
    """What tests shorten."""

    patience: Patience = field(default_factory=Patience)
    poll: float = 0.25
    hold: float = 10.0
    wait_factor: float = 1.0


class Bridge:
    """One terminal, one account, one Ponte."""

    def __init__(
        self,
        journal: Journal,
        terminal: Terminal,
        make_wire: Callable[[], Wire],
        words: Words,
        timing: Timing,
        only_login: int | None = None,
    ) -> None:
        self._journal = journal
        self._terminal = terminal
        self._make_wire = make_wire
        self._words = words
        self._timing = timing
        finder = Finder(journal, terminal, timing.patience)
        self._executor = Executor(journal, terminal, finder, only_login)
        self._watcher = Watcher(terminal, timing.patience.scan_gap)
        self._changed = threading.Condition()
        self._is_stopping = False
        self._has_news = False
        self._is_busy = threading.Lock()
        self._session: Session | None = None
        self._told = Told()
        self._watch: tuple[str, ...] = ()
        self._history_hours = 24
        self._last_look: Snapshot | None = None
        self._last_lists: Snapshot | None = None
        self._looked_at = clock.monotonic()
        self._pruned_at = self._looked_at
        self._failure: BaseException | None = None

    def run(self) -> None:
        """Until `stop`."""
        threading.Thread(target=self._take_or_end, name="take", daemon=True).start()
        self._tell_for_ever()
        # A command that is being carried out is finished first, so that its answer is in the journal.
        self._is_busy.acquire(timeout=20)
        if self._failure is not None:
            raise self._failure

    def _take_or_end(self) -> None:
        """A bridge that tells but takes nothing would look alive: it ends, and is started again."""
        try:
            self._take_for_ever()
        except BaseException as error:
            self._failure = error
            self.stop()

    def stop(self) -> None:
        """Ends both loops. May be called from a signal handler's thread."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()

    # Telling.

    def _tell_for_ever(self) -> None:
        wire = self._make_wire()
        problems = _Problems(self._words)
        while not self._is_stopping:
            session = self._session
            try:
                if session is None:
                    self._say_hello(wire)
                    has_spoken = True
                else:
                    has_spoken = self._tell(wire, session)
            except (WireError, ProtocolError) as error:
                self._pause(self._after(error, session, problems))
                continue
            if has_spoken:
                problems.over()
            self._prune()
            with self._changed:
                if not self._has_news and not self._is_stopping:
                    self._changed.wait(self._timing.poll)
                self._has_news = False
        wire.close()

    def _prune(self) -> None:
        if clock.monotonic() - self._pruned_at > _PRUNE_SECONDS:
            self._pruned_at = clock.monotonic()
            self._journal.prune()

    def _say_hello(self, wire: Wire) -> None:
        snapshot = self._look(Look(is_first=True))
        request = self._request(None)
        request["state"] = snapshot.state
        # A terminal that is not connected has lists that may be short: they are told again once it is.
        # Of one that does not even answer, what it said last is nearer to the truth than nothing.
        known = self._last_lists if snapshot.positions is None else snapshot
        request["positions"] = known.positions if known and known.positions else []
        request["orders"] = known.orders if known and known.orders else []
        answer, _ = wire.sync(request)
        session = Session(answer.session, snapshot.account)
        told = Told()
        told.hear_hello(snapshot)
        with self._changed:
            self._told = told
            self._session = session
            self._hear(answer)
            self._changed.notify_all()
        self._words.log("session", session=session.name, login=session.account.login, server=session.account.server)

    def _tell(self, wire: Wire, session: Session) -> bool:
        """Tells what is new; false if nothing was."""
        told = self._told
        # Taken before the look: what is told with a result is never older than the result.
        results = self._journal.unseen()
        snapshot = self._look(told.look(self._watch, self._history_hours, results))
        if snapshot.account not in (NOBODY, session.account):
            # What was told belongs to another account: this one gets a session of its own.
            self._words.log("account_changed", login=snapshot.account.login, server=snapshot.account.server)
            self._drop(session)
            return False
        with self._changed:
            telling = told.compose(snapshot, results)
        if telling is None:
            return False
        told.sequence += 1
        answer, _ = wire.sync({**self._request(session), "sequence": told.sequence, **telling.fields})
        with self._changed:
            telling.has_been_told()
            if self._session is session:
                self._hear(answer)
        return True

    def _look(self, look: Look) -> Snapshot:
        """A look that does not wait for a terminal that hangs."""
        try:
            snapshot = self._terminal.run(lambda: self._watcher.look(look), _LOOK_SECONDS)
        except FutureTimeout:
            return self._blind()
        self._last_look, self._looked_at = snapshot, clock.monotonic()
        if snapshot.positions is not None:
            self._last_lists = snapshot
        return snapshot

    def _blind(self) -> Snapshot:
        last = self._last_look
        state = shapes.state(None, None, 0) if last is None else dict(last.state)
        state["time_ms"] = clock.wall_ms()
        if clock.monotonic() - self._looked_at > _HANGS_SECONDS:
            state["connected"] = False
        return Snapshot(state, NOBODY if last is None else last.account)

    # Taking.

    def _take_for_ever(self) -> None:
        wire = self._make_wire()
        problems = _Problems(self._words)
        while not self._is_stopping:
            session = self._await_session()
            if session is None:
                continue
            request = self._request(session)
            request["take"] = True
            request["hold_ms"] = int(self._timing.hold * 1000)
            try:
                answer, sent_at = wire.sync(request)
            except (WireError, ProtocolError) as error:
                self._pause(self._after(error, session, problems))
                continue
            problems.over()
            with self._changed:
                if self._session is session:
                    self._hear(answer)
            self._carry_out(answer, sent_at)
        wire.close()

    def _await_session(self) -> Session | None:
        with self._changed:
            if self._session is None and not self._is_stopping:
                self._changed.wait(1.0)
            return self._session

    def _carry_out(self, answer: SyncAnswer, sent_at: float) -> None:
        for command in answer.commands:
            with self._is_busy:
                if self._is_stopping:
                    return
                body = self._executor.execute(command, sent_at, lambda: self._session)
                if body is None:
                    continue
                self._words.log("command", number=command.number, order=body["order"], outcome=_outcome(body))
                with self._changed:
                    self._has_news = True
                    self._changed.notify_all()

    # Both.

    def _request(self, session: Session | None) -> dict[str, Any]:
        request: dict[str, Any] = {
            "protocol": PROTOCOL,
            "bridge": {"kind": "python", "version": VERSION, "journal": self._journal.name},
        }
        if session is not None:
            request["session"] = session.name
        return request

    def _hear(self, answer: SyncAnswer) -> None:
        """What every answer of the session may bring, commands aside."""
        self._journal.mark_seen(answer.results_seen)
        self._told.forget_results(answer.results_seen)
        # A want that can't be met yet comes with every answer: only a new one is worth waking up for.
        is_new = answer.watch != self._watch or not self._told.wants.issuperset(answer.want)
        self._told.wants.update(answer.want)
        self._history_hours = answer.history_hours
        if is_new:
            self._watch = answer.watch
            self._has_news = True
            self._changed.notify_all()

    def _after(self, error: Exception, session: Session | None, problems: _Problems) -> float:
        """What follows from an answer that is none; returns the seconds to wait."""
        problems.tell(error)
        if not isinstance(error, Refused):
            return back_off(problems.count)
        if error.status in (409, 410):
            self._drop(session)
        if error.status == 413:
            self._told.limit = max(_LIMIT_MIN, self._told.limit // 2)
            return 0.0 if problems.count < 10 else back_off(problems.count)
        if error.status == 410 and problems.count == 1:
            return 0.0
        return _WAITS.get(error.status, back_off(problems.count))

    def _drop(self, session: Session | None) -> None:
        with self._changed:
            if self._session is session:
                self._session = None

    def _pause(self, seconds: float) -> None:
        until = clock.monotonic() + seconds * self._timing.wait_factor
        with self._changed:
            while not self._is_stopping and clock.monotonic() < until:
                # In pieces: on Windows a wait keeps the signal of Ctrl+C until it ends.
                self._changed.wait(min(0.5, until - clock.monotonic()))


class _Problems:
    """Failures in a row, each told once in a while."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._last: str | None = None
        self._told_at = 0.0
        self.count = 0

    def tell(self, error: Exception) -> None:
        """One more."""
        self.count += 1
        text = str(error)
        if text == self._last and clock.monotonic() - self._told_at < _SAME_PROBLEM_SECONDS:
            return
        self._last, self._told_at = text, clock.monotonic()
        key = "no_answer"
        if isinstance(error, Refused):
            key = f"status_{error.status}"
        elif isinstance(error, WrongCertificate):
            key = "wrong_certificate"
        self._words.log(key, error=text)

    def over(self) -> None:
        """It works again."""
        if self.count and self._last is not None:
            self._words.log("works_again")
        self.count = 0
        self._last = None


def _outcome(body: dict[str, Any]) -> str:
    codes = [str(step["retcode"]) if step["answered"] else "?" for step in body.get("steps", [])]
    words = [body["outcome"], *codes]
    if body.get("why"):
        words.append(f"({body['why']})")
    return " ".join(words)
