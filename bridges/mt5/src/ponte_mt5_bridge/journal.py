"""The bridge's own memory: what it was about to send, what the terminal answered, what Ponte has not seen.

Everything that a second `order_send` must know of is on disk before the first one begins.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import clock
from .lock import Lock

RETCODE_PLACED = 10008
RETCODE_DONE = 10009
RETCODE_DONE_PARTIAL = 10010
# "Order placed", "done", "done in part": MQL5 Reference, "Return codes of the trade server".
SUCCEEDED = (RETCODE_PLACED, RETCODE_DONE, RETCODE_DONE_PARTIAL)
# Processing error, cancelled by timeout, no connection: seen in the field together with an execution.
INDEFINITE = (10011, 10012, 10031)

KEPT_DAYS = 60
_DAY_MS = 24 * 60 * 60 * 1000
_SCHEMA = 1

_TABLES = """
CREATE TABLE IF NOT EXISTS journal (
    name TEXT NOT NULL, schema INTEGER NOT NULL, made_ms INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS steps (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    session TEXT NOT NULL, number INTEGER NOT NULL, step INTEGER NOT NULL,
    order_id TEXT NOT NULL, request TEXT NOT NULL,
    run TEXT NOT NULL, begun REAL NOT NULL, begun_ms INTEGER NOT NULL,
    retcode INTEGER, answer TEXT,
    UNIQUE (session, number, step)
);
CREATE INDEX IF NOT EXISTS steps_of_order ON steps (order_id);
CREATE TABLE IF NOT EXISTS results (
    session TEXT NOT NULL, number INTEGER NOT NULL, body TEXT NOT NULL,
    made_ms INTEGER NOT NULL, is_seen INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (session, number)
);
CREATE TABLE IF NOT EXISTS absent (
    order_id TEXT PRIMARY KEY, last_step INTEGER NOT NULL, marked_ms INTEGER NOT NULL
);
"""

Body = dict[str, Any]
ResultId = tuple[str, int]


class JournalError(Exception):
    """The journal can't be read or written."""


@dataclass(frozen=True)
class BegunStep:
    """One `order_send` that the journal knows of; its age is in seconds since it began, or came back."""

    body: Body
    retcode: int | None
    age: float

    @property
    def is_indefinite(self) -> bool:
        """Whether it may still have an effect that nobody has seen."""
        return self.retcode is None or self.retcode in INDEFINITE

    @property
    def has_succeeded(self) -> bool:
        """Whether the terminal has said that it carried it out."""
        return self.retcode in SUCCEEDED


def unanswered(error: int) -> Body:
    """The step of a request that was begun and has no answer."""
    return {"answered": False, "error": error}


class Journal:
    """An SQLite file of one bridge. Every change is on disk when its method returns."""

    def __init__(self, path: Path) -> None:
        """Opens or makes it, and turns what a dead process left behind into results.

        Raises `AlreadyRunning` or `JournalError`.
        """
        self.path = path
        self._mutex = threading.RLock()
        # Of its own: a disk that stalls must not keep the bridge from telling that it lives.
        self._telling = threading.Lock()
        self._seen: list[ResultId] = []
        self._run = secrets.token_hex(8)
        self._opened = clock.monotonic()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = Lock(path.with_name(path.name + ".lock"))
            self._lock.take()
        except OSError as error:
            raise JournalError(f"the journal {path} can't be made: {error}") from error
        try:
            self._open()
        except sqlite3.Error as error:
            self._lock.release()
            raise JournalError(f"the journal {path} can't be read: {error}") from error

    def _open(self) -> None:
        self._base = sqlite3.connect(str(self.path), isolation_level=None, check_same_thread=False, timeout=10)
        self._base.execute("PRAGMA journal_mode = WAL")
        self._base.execute("PRAGMA synchronous = FULL")
        self._base.executescript(_TABLES)
        row = self._base.execute("SELECT name, schema FROM journal").fetchone()
        if row is None:
            row = (secrets.token_hex(8), _SCHEMA)
            self._base.execute("INSERT INTO journal VALUES (?, ?, ?)", (*row, clock.wall_ms()))
        if row[1] != _SCHEMA:
            raise sqlite3.DatabaseError(f"it is of schema {row[1]}, this bridge knows {_SCHEMA}")
        self.name: str = row[0]
        self.prune()
        self._conclude_interrupted()
        rows = self._base.execute("SELECT session, number, body FROM results WHERE is_seen = 0 ORDER BY rowid")
        self._unseen: dict[ResultId, Body] = {(row[0], row[1]): json.loads(row[2]) for row in rows}

    def prune(self) -> None:
        """Forgets what is so old that no command of it can come back."""
        before = clock.wall_ms() - KEPT_DAYS * _DAY_MS
        with self._mutex:
            self._base.execute("DELETE FROM steps WHERE begun_ms < ?", (before,))
            self._base.execute("DELETE FROM results WHERE made_ms < ?", (before,))
            self._base.execute("DELETE FROM absent WHERE marked_ms < ?", (before,))

    def _conclude_interrupted(self) -> None:
        """A command that was begun and has no result was cut off with its process."""
        rows = self._base.execute(
            "SELECT DISTINCT session, number, order_id FROM steps WHERE NOT EXISTS"
            " (SELECT 1 FROM results WHERE results.session = steps.session AND results.number = steps.number)"
        ).fetchall()
        for session, number, order in rows:
            steps = [_body(row[0]) for row in self._answers(session, number)]
            is_cut = not all(step["answered"] for step in steps)
            body = {
                "session": session,
                "number": number,
                "order": order,
                "outcome": "interrupted" if is_cut else "answered",
                "steps": steps,
                "why": "the bridge went down",
            }
            self._insert_result(body)

    def _answers(self, session: str, number: int) -> list[Any]:
        query = "SELECT answer FROM steps WHERE session = ? AND number = ? ORDER BY step"
        return self._base.execute(query, (session, number)).fetchall()

    def close(self) -> None:
        """Closes it. Nothing that matters is lost without that."""
        with self._mutex:
            with contextlib.suppress(sqlite3.Error):
                self._write_seen()
            self._base.close()
            self._lock.release()

    def begin_step(self, result: ResultId, step: int, order: str, request: Body) -> int:
        """Writes down that a request is about to be sent; returns the step's number in the journal."""
        row = (*result, step, order, json.dumps(request), self._run, clock.monotonic(), clock.wall_ms())
        with self._mutex:
            cursor = self._base.execute(
                "INSERT INTO steps (session, number, step, order_id, request, run, begun, begun_ms)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                row,
            )
            return int(cursor.lastrowid or 0)

    def withdraw_step(self, step: int) -> None:
        """Takes back a step of which nothing was sent."""
        with self._mutex:
            self._base.execute("DELETE FROM steps WHERE id = ?", (step,))

    def answer_step(self, step: int, body: Body) -> None:
        """Writes down how a step ended. One without an answer of the terminal stays open.

        Its age counts from here: a terminal that hung may carry it out only after the call has come back.
        """
        with self._mutex:
            if not body["answered"]:
                self._base.execute("UPDATE steps SET begun = ? WHERE id = ?", (clock.monotonic(), step))
                return
            self._base.execute(
                "UPDATE steps SET begun = ?, retcode = ?, answer = ? WHERE id = ?",
                (clock.monotonic(), body["retcode"], json.dumps(body), step),
            )

    def finish(self, body: Body) -> None:
        """Keeps a command's result until Ponte has seen it.

        It can be told before it is on disk, and even if the disk refuses it: what must not be
        forgotten, the steps, is there already.
        """
        with self._telling:
            self._unseen[(body["session"], body["number"])] = body
        with self._mutex:
            self._insert_result(body)

    def _insert_result(self, body: Body) -> None:
        row = (body["session"], body["number"], json.dumps(body), clock.wall_ms())
        with self._transaction():
            self._base.execute(
                "INSERT OR IGNORE INTO results (session, number, body, made_ms) VALUES (?, ?, ?, ?)", row
            )
            self._write_seen()

    def _write_seen(self) -> None:
        with self._telling:
            seen, self._seen = self._seen, []
        self._base.executemany("UPDATE results SET is_seen = 1 WHERE session = ? AND number = ?", seen)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._base.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._base.execute("COMMIT")
        except BaseException:
            self._base.execute("ROLLBACK")
            raise

    def unseen(self) -> list[Body]:
        """The results that Ponte has not named yet, oldest first. Never waits for the disk."""
        with self._telling:
            return list(self._unseen.values())

    def mark_seen(self, ids: tuple[ResultId, ...]) -> None:
        """Ponte has these results. On disk with the next result: what a crash forgets is told once more."""
        with self._telling:
            self._seen.extend(key for key in ids if self._unseen.pop(key, None) is not None)

    def is_known(self, order: str) -> bool:
        """Whether a request of this order may have executed, and no `find` has said since that it has not."""
        may_have = (*SUCCEEDED, *INDEFINITE)
        marks = ", ".join("?" * len(may_have))
        with self._mutex:
            row = self._base.execute(
                f"SELECT 1 FROM steps WHERE order_id = ? AND (retcode IS NULL OR retcode IN ({marks}))"  # noqa: S608
                " AND id > coalesce((SELECT last_step FROM absent WHERE absent.order_id = steps.order_id), 0)",
                (order, *may_have),
            ).fetchone()
        return row is not None

    def steps(self, order: str) -> list[BegunStep]:
        """All requests of an order, oldest first, with the seconds since each was begun or came back.

        Of another process' requests only this one's own age is sure, whatever the wall's clock says.
        """
        with self._mutex:
            rows = self._base.execute(
                "SELECT answer, retcode, run, begun FROM steps WHERE order_id = ? ORDER BY id", (order,)
            ).fetchall()
        now = clock.monotonic()
        return [
            BegunStep(_body(answer), retcode, now - (begun if run == self._run else self._opened))
            for answer, retcode, run, begun in rows
        ]

    def mark_absent(self, order: str) -> None:
        """A conclusive `find` saw no trace: what was begun until now has had no effect and will have none."""
        with self._mutex:
            self._base.execute(
                "INSERT OR REPLACE INTO absent SELECT ?, coalesce(max(id), 0), ? FROM steps WHERE order_id = ?",
                (order, clock.wall_ms(), order),
            )


def _body(answer: str | None) -> Body:
    return unanswered(0) if answer is None else dict(json.loads(answer))
