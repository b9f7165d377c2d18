"""The journal: what is on disk when, and what a new process makes of it."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from ponte_mt5_bridge import clock, journal
from ponte_mt5_bridge.journal import Journal, JournalError
from ponte_mt5_bridge.lock import AlreadyRunning

ORDER = "a" * 32
DONE = {"answered": True, "retcode": 10009, "error": 0, "order": 1, "deal": 2}


def test_a_journal_keeps_its_name(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "journal.sqlite"
    first = Journal(path)
    name = first.name
    assert len(name) == 16
    first.close()
    second = Journal(path)
    assert second.name == name
    second.close()
    other = Journal(tmp_path / "other.sqlite")
    assert other.name != name
    other.close()


def test_one_journal_serves_one_bridge(tmp_path: Path) -> None:
    first = Journal(tmp_path / "journal.sqlite")
    with pytest.raises(AlreadyRunning):
        Journal(tmp_path / "journal.sqlite")
    first.close()
    Journal(tmp_path / "journal.sqlite").close()


def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    path.write_text("no database at all, and long enough that SQLite looks at it" * 20)
    with pytest.raises(JournalError, match="can't be read"):
        Journal(path)
    # The lock was given back.
    path.unlink()
    Journal(path).close()


def test_what_was_begun_is_known_until_it_was_looked_for(tmp_path: Path) -> None:
    kept = Journal(tmp_path / "journal.sqlite")
    assert not kept.is_known(ORDER)
    step = kept.begin_step(("s1", 1), 0, ORDER, {})
    assert kept.is_known(ORDER)
    kept.mark_absent(ORDER)
    assert not kept.is_known(ORDER)
    # What is begun after the mark is known again.
    kept.begin_step(("s1", 2), 0, ORDER, {})
    assert kept.is_known(ORDER)
    kept.answer_step(step, DONE)
    kept.mark_absent("b" * 32)
    assert kept.is_known(ORDER)
    kept.close()


@pytest.mark.parametrize(
    ("retcode", "is_known"), [(10008, True), (10009, True), (10010, True), (10012, True), (10031, True), (10004, False), (10019, False), (0, False)]
)
def test_an_answer_decides_whether_an_order_is_known(retcode: int, is_known: bool, tmp_path: Path) -> None:
    kept = Journal(tmp_path / "journal.sqlite")
    step = kept.begin_step(("s1", 1), 0, ORDER, {})
    kept.answer_step(step, {**DONE, "retcode": retcode})
    assert kept.is_known(ORDER) == is_known
    kept.close()


def test_a_withdrawn_step_never_was(tmp_path: Path) -> None:
    kept = Journal(tmp_path / "journal.sqlite")
    kept.withdraw_step(kept.begin_step(("s1", 1), 0, ORDER, {}))
    assert not kept.is_known(ORDER)
    kept.close()
    again = Journal(tmp_path / "journal.sqlite")
    assert again.unseen() == []
    again.close()


def test_results_stay_until_they_were_seen_over_restarts_too(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    first = Journal(path)
    body = {"session": "s1", "number": 1, "order": ORDER, "outcome": "not_begun", "why": "ação"}
    first.finish(body)
    first.finish({**body, "number": 2})
    first.close()
    second = Journal(path)
    assert second.unseen() == [body, {**body, "number": 2}]
    second.mark_seen((("s1", 1), ("s9", 9)))
    assert second.unseen() == [{**body, "number": 2}]
    second.close()
    third = Journal(path)
    assert third.unseen() == [{**body, "number": 2}]
    third.close()


def test_what_was_seen_is_on_disk_with_the_next_result(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    first = Journal(path)
    body = {"session": "s1", "number": 1, "order": ORDER, "outcome": "not_begun"}
    first.finish(body)
    first.mark_seen((("s1", 1),))
    first.finish({**body, "number": 2})
    # Another process' eyes: nothing was closed.
    other = sqlite3.connect(str(path))
    assert other.execute("SELECT number, is_seen FROM results ORDER BY number").fetchall() == [(1, 1), (2, 0)]
    other.close()
    first.close()


def test_a_disk_that_stalls_does_not_keep_a_result_from_being_told(tmp_path: Path) -> None:
    kept = Journal(tmp_path / "journal.sqlite")
    other = sqlite3.connect(str(tmp_path / "journal.sqlite"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    body = {"session": "s1", "number": 1, "order": ORDER, "outcome": "not_begun"}
    writer = threading.Thread(target=kept.finish, args=(body,))
    writer.start()
    while not kept.unseen():
        pass
    kept.mark_seen((("s1", 1),))
    assert kept.unseen() == []
    other.execute("ROLLBACK")
    other.close()
    writer.join()
    kept.close()


def test_a_command_that_was_cut_off_is_interrupted(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    first = Journal(path)
    first.answer_step(first.begin_step(("s1", 1), 0, ORDER, {}), DONE)
    first.begin_step(("s1", 1), 1, ORDER, {})
    first.answer_step(first.begin_step(("s1", 2), 0, "b" * 32, {}), DONE)
    first.close()
    second = Journal(path)
    cut, between = second.unseen()
    assert (cut["number"], cut["outcome"]) == (1, "interrupted")
    assert cut["steps"] == [DONE, {"answered": False, "error": 0}]
    # Between two steps nothing was under way.
    assert (between["number"], between["outcome"], between["steps"]) == (2, "answered", [DONE])
    second.mark_seen((("s1", 1), ("s1", 2)))
    second.close()
    third = Journal(path)
    assert third.unseen() == []
    third.close()


def test_another_process_steps_are_as_old_as_this_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "journal.sqlite"
    now = 1000.0
    monkeypatch.setattr(clock, "monotonic", lambda: now)
    first = Journal(path)
    first.begin_step(("s1", 1), 0, ORDER, {})
    now = 1100.0
    assert [step.age for step in first.steps(ORDER)] == [100.0]
    first.close()
    # The machine was started anew: its clock begins at nothing.
    now = 5.0
    second = Journal(path)
    now = 12.0
    (step,) = second.steps(ORDER)
    assert (step.age, step.is_indefinite) == (7.0, True)
    second.close()


def test_what_is_older_than_sixty_days_is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "journal.sqlite"
    first = Journal(path)
    first.begin_step(("s1", 1), 0, ORDER, {})
    first.finish({"session": "s1", "number": 1, "order": ORDER, "outcome": "interrupted"})
    first.close()
    real = clock.wall_ms
    monkeypatch.setattr(clock, "wall_ms", lambda: real() + 59 * 86_400_000)
    second = Journal(path)
    assert second.is_known(ORDER)
    second.close()
    monkeypatch.setattr(clock, "wall_ms", lambda: real() + 61 * 86_400_000)
    third = Journal(path)
    assert not third.is_known(ORDER)
    assert third.unseen() == []
    third.close()


def test_every_commit_reaches_the_disk(tmp_path: Path) -> None:
    kept = Journal(tmp_path / "journal.sqlite")
    (level,) = kept._base.execute("PRAGMA synchronous").fetchone()
    assert level == 2
    # What another connection reads was committed.
    kept.begin_step(("s1", 1), 0, ORDER, {"symbol": "WINZ26"})
    other = sqlite3.connect(str(tmp_path / "journal.sqlite"))
    assert other.execute("SELECT order_id, retcode FROM steps").fetchall() == [(ORDER, None)]
    other.close()
    kept.close()


def test_a_newer_journal_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    Journal(path).close()
    base = sqlite3.connect(str(path))
    base.execute("UPDATE journal SET schema = ?", (journal._SCHEMA + 1,))
    base.commit()
    base.close()
    with pytest.raises(JournalError, match="schema"):
        Journal(path)
