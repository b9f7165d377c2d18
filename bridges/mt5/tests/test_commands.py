"""Commands against a terminal of a few lists: what is begun, what is not, and what the journal has of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fake_package as fake
import pytest
import tasks
from fake_package import FakePackage

from ponte_mt5_bridge import clock, protocol
from ponte_mt5_bridge.commands import Executor, Session
from ponte_mt5_bridge.find import Finder, Patience
from ponte_mt5_bridge.journal import Journal
from ponte_mt5_bridge.terminal import Account, Login, Terminal

BUY = tasks.market("WINZ26", tasks.BUY, "2", sl="127000")
SELL = tasks.market("WINZ26", tasks.SELL, "2")


class Bench:
    """An executor with everything around it, and the time in the test's hand."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = 1000.0
        self.package = FakePackage()
        self.package.ticks["WINZ26"] = fake.tick(128000.0, 128005.0)
        self.session: Session | None = Session("s1", Account(fake.LOGIN, fake.SERVER))
        self.number = 0
        self.naps: list[float] = []
        self.patience = Patience(settle=30.0, scan_gap=2.0, synchronised=60.0)
        self.open()

    def open(self) -> None:
        self.journal = Journal(self.path)
        self.terminal = Terminal(self.package, Login())
        self.finder = Finder(self.journal, self.terminal, self.patience, self.nap)
        self.executor = Executor(self.journal, self.terminal, self.finder)

    def nap(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += seconds

    def restart(self) -> None:
        """The bridge is killed and started again; Ponte opens another session."""
        self.journal.close()
        self.open()
        self.number = 0
        self.session = Session("s2", Account(fake.LOGIN, fake.SERVER))

    def do(self, task: Any, valid_ms: int = 5000, **more: Any) -> Any:
        """One command, sent now unless the test says otherwise."""
        self.number += 1
        name = self.session.name if self.session else "s1"
        data = {"session": name, "number": self.number, "valid_ms": valid_ms, "task": task, **more}
        command = protocol._command(data)
        return self.executor.execute(command, self.now, lambda: self.session)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    bench = Bench(tmp_path / "journal.sqlite")
    monkeypatch.setattr(clock, "monotonic", lambda: bench.now)
    yield bench
    bench.journal.close()


def test_a_market_order_takes_the_price_of_its_side(bench: Bench) -> None:
    order = tasks.order_id()
    body = bench.do(tasks.trade(order, BUY))
    assert (body["outcome"], body["order"], body["session"], body["number"]) == ("answered", order, "s1", 1)
    assert [step["retcode"] for step in body["steps"]] == [10009]
    assert bench.package.sent == [
        {
            "action": 1,
            "symbol": "WINZ26",
            "magic": tasks.magic_of(order),
            "comment": tasks.comment_of(order),
            "type": 0,
            "type_filling": 2,
            "type_time": 0,
            "volume": 2.0,
            "price": 128005.0,
            "sl": 127000.0,
        }
    ]
    assert bench.do(tasks.trade(tasks.order_id(), SELL))["outcome"] == "answered"
    assert bench.package.sent[1]["price"] == 128000.0
    assert bench.journal.unseen() == [body, bench.journal.unseen()[1]]


def test_a_symbol_outside_market_watch_is_put_into_it(bench: Bench) -> None:
    bench.package.symbols["WINZ26"] = fake.symbol("WINZ26", select=False)
    for request in (BUY, tasks.pending("WINZ26", tasks.BUY_LIMIT, "1", "127000")):
        assert bench.do(tasks.trade(tasks.order_id(), request))["outcome"] == "answered"
    assert bench.package.selected == ["WINZ26", "WINZ26"]


def test_without_a_price_the_server_is_asked_all_the_same(bench: Bench) -> None:
    del bench.package.ticks["WINZ26"]
    assert bench.do(tasks.trade(tasks.order_id(), BUY))["outcome"] == "answered"
    assert "price" not in bench.package.sent[0]


def test_nothing_is_begun_when_the_time_is_over(bench: Bench) -> None:
    number = bench.number + 1
    data = {"session": "s1", "number": number, "valid_ms": 2000, "task": tasks.trade(tasks.order_id(), BUY)}
    # The answer was on its way for longer than that.
    body = bench.executor.execute(protocol._command(data), bench.now - 2.5, lambda: bench.session)
    assert body is not None
    assert body["outcome"] == "not_begun"
    assert "its time was over 0.5 s ago" in body["why"]
    assert bench.package.sent == []
    assert not bench.journal.is_known(body["order"])


def test_a_disk_that_is_too_slow_lets_nothing_late_out(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    real = bench.journal.begin_step

    def slow(*arguments: Any) -> int:
        bench.now += 6
        return real(*arguments)

    monkeypatch.setattr(bench.journal, "begin_step", slow)
    body = bench.do(tasks.trade(tasks.order_id(), BUY))
    assert body["outcome"] == "not_begun"
    assert bench.package.sent == []
    assert not bench.journal.is_known(body["order"])


def test_a_disk_that_is_full_lets_nothing_out(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: Any) -> int:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(bench.journal, "begin_step", full)
    body = bench.do(tasks.trade(tasks.order_id(), BUY))
    assert body["outcome"] == "not_begun"
    assert "disk is full" in body["why"]
    assert bench.package.sent == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"connected": False}, "not connected to its trade server"),
        ({"trade_allowed": False}, "switched off"),
        ({"api_disabled": True}, "Python API"),
        ({"login": 87654321}, "87654321 at Standin-Demo, the session began with 12345678"),
        ({"server": "Other-Real"}, "12345678 at Other-Real, the session began"),
        ({"login": 0}, "not logged into an account"),
        ({"broken": -10004}, "does not answer"),
        ({"broken": -10005}, "does not answer"),
    ],
)
def test_nothing_is_begun_at_a_terminal_that_must_not_trade(change: dict[str, Any], why: str, bench: Bench) -> None:
    for name, value in change.items():
        setattr(bench.package, name, value)
    for task in (tasks.trade(tasks.order_id(), BUY), tasks.change(tasks.order_id(), {"action": 8, "order": 5})):
        body = bench.do({**task, "requests": [{"symbol": "WINZ26", **task["requests"][0]}]})
        assert body["outcome"] == "not_begun"
        assert why in body["why"]
        assert body["steps"] == []
    assert bench.package.sent == []


def test_a_bridge_for_one_account_trades_in_no_other(bench: Bench) -> None:
    bench.executor = Executor(bench.journal, bench.terminal, bench.finder, only_login=999)
    body = bench.do(tasks.trade(tasks.order_id(), BUY))
    assert (body["outcome"], bench.package.sent) == ("not_begun", [])
    assert "this bridge is for 999" in body["why"]


def test_commands_of_other_sessions_and_old_numbers_are_dropped_without_a_word(bench: Bench) -> None:
    assert bench.do(tasks.trade(tasks.order_id(), BUY))
    for data in ({"number": 1}, {"number": 0 + 1}, {"session": "s0"}, {"session": "s2", "number": 9}):
        assert bench.do(tasks.trade(tasks.order_id(), BUY), **data) is None
    bench.session = None
    assert bench.do(tasks.trade(tasks.order_id(), BUY)) is None
    assert len(bench.package.sent) == 1
    assert len(bench.journal.unseen()) == 1


def test_numbers_begin_anew_with_a_session(bench: Bench) -> None:
    bench.number = 40
    assert bench.do(tasks.trade(tasks.order_id(), BUY))
    bench.session = Session("s2", Account(fake.LOGIN, fake.SERVER))
    bench.number = 0
    assert bench.do(tasks.trade(tasks.order_id(), BUY))


def test_an_order_that_was_sent_is_not_sent_again(bench: Bench) -> None:
    order = tasks.order_id()
    assert bench.do(tasks.trade(order, BUY))["outcome"] == "answered"
    assert bench.do(tasks.trade(order, BUY))["outcome"] == "known"
    bench.restart()
    assert bench.do(tasks.trade(order, BUY))["outcome"] == "known"
    assert len(bench.package.sent) == 1


def test_a_change_is_not_refused_as_known(bench: Bench) -> None:
    order = tasks.order_id()
    bench.do(tasks.trade(order, BUY))
    remove = {"action": 8, "symbol": "WINZ26", "order": 1001}
    for _ in range(2):
        assert bench.do(tasks.change(order, remove))["outcome"] == "answered"
    assert [request["action"] for request in bench.package.sent] == [1, 8, 8]
    assert "comment" not in bench.package.sent[1]


@pytest.mark.parametrize("retcode", [10004, 10006, 10013, 10019, 10027, 10012])
def test_the_first_refusal_ends_a_command(retcode: int, bench: Bench) -> None:
    bench.package.answer = lambda request: bench.package.done(request, retcode, order=0, deal=0)
    body = bench.do(tasks.trade(tasks.order_id(), SELL, BUY))
    assert (body["outcome"], [step["retcode"] for step in body["steps"]]) == ("answered", [retcode])
    assert len(bench.package.sent) == 1


@pytest.mark.parametrize("retcode", [10008, 10009, 10010])
def test_a_success_lets_the_next_request_follow(retcode: int, bench: Bench) -> None:
    bench.package.answer = lambda request: bench.package.done(request, retcode)
    body = bench.do(tasks.trade(tasks.order_id(), SELL, BUY))
    assert [step["retcode"] for step in body["steps"]] == [retcode, retcode]


def test_nothing_to_change_is_a_success_of_a_change_only(bench: Bench) -> None:
    bench.package.answer = lambda request: bench.package.done(request, 10025)
    levels = {"action": 6, "symbol": "WINZ26", "sl": "127000", "position": 1}
    assert len(bench.do(tasks.change(tasks.order_id(), levels, levels))["steps"]) == 2
    assert len(bench.do(tasks.trade(tasks.order_id(), BUY, BUY))["steps"]) == 1


@pytest.mark.parametrize("error", [-2, -8, -10003, -10004])
def test_an_error_that_says_nothing_was_sent_is_an_answer(error: int, bench: Bench) -> None:
    def refuse(_request: Any) -> None:
        bench.package.fail(error, "words of the package")

    bench.package.answer = refuse
    order = tasks.order_id()
    body = bench.do(tasks.trade(order, BUY, BUY))
    assert body["outcome"] == "answered"
    (step,) = body["steps"]
    assert (step["answered"], step["retcode"], step["error"]) == (True, 0, error)
    assert not bench.journal.is_known(order)


@pytest.mark.parametrize("error", [-1, -4, -6, -10000, -10001, -10002, -10005, 1])
def test_any_other_silence_leaves_it_open_whether_it_was_sent(error: int, bench: Bench) -> None:
    def hang_up(_request: Any) -> None:
        bench.package.fail(error)

    bench.package.answer = hang_up
    order = tasks.order_id()
    body = bench.do(tasks.trade(order, BUY, BUY))
    assert body["outcome"] == "interrupted"
    (step,) = body["steps"]
    assert (step["answered"], step["error"]) == (False, error)
    assert len(bench.package.sent) == 1
    assert bench.do(tasks.trade(order, BUY))["outcome"] == "known"


def test_a_package_that_raises_leaves_it_open_too(bench: Bench) -> None:
    def fall_over(_request: Any) -> None:
        raise SystemError("returned a result with an exception set")

    bench.package.answer = fall_over
    order = tasks.order_id()
    body = bench.do(tasks.trade(order, BUY))
    assert body["outcome"] == "interrupted"
    assert "SystemError" in body["steps"][0]["comment"]
    bench.package.answer = bench.package.done
    assert bench.do(tasks.trade(order, BUY))["outcome"] == "known"
    # The thread of the terminal goes on.
    assert bench.do(tasks.trade(tasks.order_id(), BUY))["outcome"] == "answered"


def test_the_journal_has_the_step_before_the_terminal_has_the_request(bench: Bench) -> None:
    order = tasks.order_id()
    seen: list[Any] = []

    def look(request: Any) -> Any:
        other = sqlite3.connect(str(bench.path))
        seen.extend(other.execute("SELECT order_id, number, step, retcode FROM steps"))
        other.close()
        return bench.package.done(request)

    bench.package.answer = look
    bench.do(tasks.trade(order, BUY))
    assert seen == [(order, 1, 0, None)]


@pytest.mark.parametrize(
    ("held", "request_", "is_begun"),
    [
        ([], SELL, False),
        ([{"type": 0, "volume": 2.0}], SELL, True),
        ([{"type": 0, "volume": 1.9999999999}], SELL, True),
        ([{"type": 0, "volume": 1.0}], SELL, False),
        ([{"type": 0, "volume": 5.0}], SELL, True),
        ([{"type": 1, "volume": 2.0}], SELL, False),
        ([{"type": 1, "volume": 2.0}], BUY, True),
        ([{"type": 0, "volume": 2.0, "symbol": "WDOZ26"}], SELL, False),
        ([{"type": 0, "volume": 2.0, "ticket": 7}], {**SELL, "position": 7}, True),
        ([{"type": 0, "volume": 2.0, "ticket": 7}], {**SELL, "position": 8}, False),
        ([{"type": 1, "volume": 2.0, "ticket": 7}], {**SELL, "position": 7}, False),
        ([{"type": 0, "volume": 1.0}, {"type": 0, "volume": 1.0}], SELL, False),
    ],
)
def test_an_exit_needs_a_position_that_it_closes(held: list[Any], request_: Any, is_begun: bool, bench: Bench) -> None:
    bench.package.positions = [fake.position(**values) for values in held]
    body = bench.do(tasks.trade(tasks.order_id(), request_, reduces=True))
    assert body["outcome"] == ("answered" if is_begun else "not_begun")
    assert len(bench.package.sent) == int(is_begun)


def test_every_step_of_an_exit_looks_at_the_position_again(bench: Bench) -> None:
    bench.package.positions = [fake.position(type=0, volume=2.0)]

    def close(request: Any) -> Any:
        bench.package.positions = []
        return bench.package.done(request)

    bench.package.answer = close
    body = bench.do(tasks.trade(tasks.order_id(), SELL, SELL, reduces=True))
    assert (body["outcome"], len(body["steps"]), len(bench.package.sent)) == ("answered", 1, 1)
    assert "no position" in body["why"]


def test_a_command_that_is_not_understood_is_not_begun(bench: Bench) -> None:
    body = bench.do({"kind": "dance", "order": "a" * 32, "magic": 5})
    assert (body["outcome"], bench.package.sent) == ("not_begun", [])
    assert "not understood" in body["why"]


# Finding.


def traces(bench: Bench, order: str) -> None:
    magic = tasks.magic_of(order)
    bench.package.orders = [fake.order(ticket=1, magic=magic), fake.order(ticket=2, magic=5)]
    bench.package.history = [fake.order(ticket=3, comment=tasks.comment_of(order)), fake.order(ticket=4)]
    bench.package.deals = [fake.deal(ticket=9, magic=magic), fake.deal(ticket=8, magic=magic + 1)]


def test_a_find_gives_what_bears_the_number_or_the_comment(bench: Bench) -> None:
    order = tasks.order_id()
    traces(bench, order)
    found = bench.do(tasks.find(order))["found"]
    tickets = {kind: [item["ticket"] for item in found[kind]] for kind in ("orders", "history", "deals")}
    assert tickets == {"orders": [1], "history": [3], "deals": [9]}
    assert found["conclusive"]


def test_an_empty_comment_is_not_compared(bench: Bench) -> None:
    bench.package.deals = [fake.deal(ticket=9, comment="")]
    found = bench.do({**tasks.find(tasks.order_id()), "comment": ""})["found"]
    assert found["deals"] == []


def test_two_looks_are_needed_until_the_terminal_has_been_connected_for_a_minute(bench: Bench) -> None:
    order = tasks.order_id()
    assert bench.do(tasks.find(order))["found"]["conclusive"]
    assert bench.naps == [2.0]
    # The next find has the first look to compare with.
    assert bench.do(tasks.find(tasks.order_id()))["found"]["conclusive"]
    assert bench.naps == [2.0]
    bench.now += 70
    assert bench.do(tasks.find(tasks.order_id()))["found"]["conclusive"]
    assert bench.naps == [2.0]


def test_two_looks_that_differ_are_not_conclusive(bench: Bench) -> None:
    order = tasks.order_id()
    real = bench.nap

    def arrive(seconds: float) -> None:
        bench.package.deals = [fake.deal(ticket=9, magic=tasks.magic_of(order))]
        real(seconds)

    bench.finder._sleep = arrive
    body = bench.do(tasks.find(order))
    assert not body["found"]["conclusive"]
    assert [deal["ticket"] for deal in body["found"]["deals"]] == [9]
    assert "not the same" in body["why"]


def test_a_disconnection_makes_the_first_look_worthless(bench: Bench) -> None:
    bench.do(tasks.find(tasks.order_id()))
    bench.package.connected = False
    body = bench.do(tasks.find(tasks.order_id()))
    assert not body["found"]["conclusive"]
    assert "not connected" in body["why"]
    bench.package.connected = True
    bench.naps.clear()
    bench.now += 5
    assert bench.do(tasks.find(tasks.order_id()))["found"]["conclusive"]
    assert bench.naps == [2.0]


@pytest.mark.parametrize(
    "change", [{"connected": False}, {"login": 0}, {"login": 5}, {"server": "Other"}, {"broken": -10005}]
)
def test_a_find_is_not_conclusive_at_the_wrong_terminal(change: dict[str, Any], bench: Bench) -> None:
    for name, value in change.items():
        setattr(bench.package, name, value)
    order = tasks.order_id()
    bench.journal.begin_step(("s0", 1), 0, order, {})
    bench.now += 100
    body = bench.do(tasks.find(order))
    assert body["outcome"] == "answered"
    assert not body["found"]["conclusive"]
    assert body["found"]["steps"] == [{"answered": False, "error": 0}]
    assert bench.journal.is_known(order)


def test_a_history_that_can_not_be_read_is_not_an_empty_one(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.package.fail(-4, "Terminal: Not found")
    monkeypatch.setattr(bench.package, "history_deals_get", lambda *_dates: None)
    body = bench.do(tasks.find(tasks.order_id()))
    assert not body["found"]["conclusive"]
    assert "history_deals_get: -4" in body["why"]


@pytest.mark.parametrize("answer", [None, 10011, 10012, 10031])
def test_what_has_no_definite_answer_has_thirty_seconds_to_appear(answer: int | None, bench: Bench) -> None:
    order = tasks.order_id()

    def dubious(request: Any) -> Any:
        bench.package.fail(-10005)
        return None if answer is None else bench.package.done(request, answer, order=0, deal=0)

    bench.package.answer = dubious
    bench.do(tasks.trade(order, BUY))
    bench.now += 25
    body = bench.do(tasks.find(order))
    assert not body["found"]["conclusive"]
    assert "no definite answer" in body["why"]
    bench.now += 10
    assert bench.do(tasks.find(order))["found"]["conclusive"]
    # Conclusively absent: the order may be sent again.
    bench.package.answer = bench.package.done
    assert bench.do(tasks.trade(order, BUY))["outcome"] == "answered"
    assert bench.do(tasks.trade(order, BUY))["outcome"] == "known"


def test_a_refusal_needs_no_such_wait(bench: Bench) -> None:
    order = tasks.order_id()
    bench.package.answer = lambda request: bench.package.done(request, 10019, order=0, deal=0)
    bench.do(tasks.trade(order, BUY))
    assert bench.do(tasks.find(order))["found"]["conclusive"]


def test_what_was_found_does_not_make_the_order_absent(bench: Bench) -> None:
    order = tasks.order_id()
    bench.do(tasks.trade(order, BUY))
    traces(bench, order)
    assert bench.do(tasks.find(order))["found"]["conclusive"]
    assert bench.do(tasks.trade(order, BUY))["outcome"] == "known"


def test_what_was_done_is_not_absent_because_the_history_lags(bench: Bench) -> None:
    order = tasks.order_id()
    assert bench.do(tasks.trade(order, BUY))["outcome"] == "answered"
    assert bench.do(tasks.find(order))["found"]["conclusive"]
    assert bench.do(tasks.trade(order, BUY))["outcome"] == "known"


def test_after_a_restart_the_thirty_seconds_begin_anew(bench: Bench) -> None:
    order = tasks.order_id()
    bench.journal.begin_step(("s1", 1), 0, order, {})
    bench.now += 1000
    bench.restart()
    assert not bench.do(tasks.find(order))["found"]["conclusive"]
    bench.now += 31
    assert bench.do(tasks.find(order))["found"]["conclusive"]


def test_a_find_that_comes_too_late_is_not_begun(bench: Bench) -> None:
    data = {"session": "s1", "number": 1, "valid_ms": 1000, "task": tasks.find(tasks.order_id())}
    body = bench.executor.execute(protocol._command(data), bench.now - 1.5, lambda: bench.session)
    assert body is not None
    assert body["outcome"] == "not_begun"


@pytest.mark.parametrize("answer", [None, 10012])
def test_a_terminal_that_hung_has_thirty_seconds_from_its_answer(answer: int | None, bench: Bench) -> None:
    order = tasks.order_id()

    def hang(request: Any) -> Any:
        bench.now += 60
        bench.package.fail(-10005)
        return None if answer is None else bench.package.done(request, answer, order=0, deal=0)

    bench.package.answer = hang
    bench.do(tasks.trade(order, BUY))
    bench.now += 25
    assert not bench.do(tasks.find(order))["found"]["conclusive"]
    bench.now += 10
    assert bench.do(tasks.find(order))["found"]["conclusive"]


@pytest.mark.parametrize("retcode", [10011, 10012, 10031])
def test_an_order_that_may_have_been_carried_out_is_not_sent_again(retcode: int, bench: Bench) -> None:
    order = tasks.order_id()
    bench.package.answer = lambda request: bench.package.done(request, retcode, order=0, deal=0)
    bench.do(tasks.trade(order, BUY))
    assert bench.do(tasks.trade(order, BUY))["outcome"] == "known"
    assert len(bench.package.sent) == 1


def test_an_order_that_was_taken_is_not_absent_because_it_is_not_shown(bench: Bench) -> None:
    order = tasks.order_id()
    bench.do(tasks.trade(order, BUY))
    bench.package.orders, bench.package.history, bench.package.deals = [], [], []
    bench.do(tasks.find(order))
    assert bench.do(tasks.trade(order, BUY))["outcome"] == "known"
