"""What is told, when, and that a result is never ahead of its facts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import fake_package as fake
import pytest
from fake_package import FakePackage

from ponte_mt5_bridge import clock
from ponte_mt5_bridge.facts import FACTS_SECONDS, Look, Told, Watcher
from ponte_mt5_bridge.terminal import NOBODY, Login, Terminal

DONE = {"answered": True, "retcode": 10009, "order": 11, "deal": 21}
RESULT = {"session": "s1", "number": 1, "order": "a", "outcome": "answered", "steps": [DONE]}


class Bench:
    """One terminal and what Ponte was told of it."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.package = FakePackage()
        self.terminal = Terminal(self.package, Login())
        self.watcher = Watcher(self.terminal, settle=2.0)
        self.told = Told()
        self.watch: tuple[str, ...] = ()
        self.results: list[Any] = []

    def hello(self) -> Any:
        snapshot = self.watcher.look(Look(is_first=True))
        self.told.hear_hello(snapshot)
        return snapshot

    def tell(self, *, arrives: bool = True) -> dict[str, Any] | None:
        """One round; what was said, or None. An answer that is lost leaves everything to be said again."""
        look = self.told.look(self.watch, 24, self.results)
        telling = self.told.compose(self.watcher.look(look), list(self.results))
        if telling is None:
            return None
        if arrives:
            telling.has_been_told()
        return telling.fields


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    bench = Bench()
    monkeypatch.setattr(clock, "monotonic", lambda: bench.now)
    return bench


def tickets(items: Any) -> list[int]:
    return [item["ticket"] for item in items]


def test_nothing_new_is_not_told_until_the_heartbeat(bench: Bench) -> None:
    bench.hello()
    assert bench.tell() is None
    bench.now += 3.9
    assert bench.tell() is None
    bench.now += 0.2
    assert list(bench.tell() or {}) == ["state"]
    assert bench.tell() is None


def test_prices_and_profit_are_no_change_of_a_position(bench: Bench) -> None:
    bench.package.positions = [fake.position(ticket=7, sl=1.0)]
    bench.hello()
    bench.package.positions = [fake.position(ticket=7, sl=1.0, price_current=5.0, profit=9.0)]
    assert bench.tell() is None
    bench.package.positions = [fake.position(ticket=7, sl=2.0)]
    assert tickets((bench.tell() or {})["positions"]) == [7]
    bench.package.positions = []
    assert (bench.tell() or {})["positions"] == []
    assert bench.tell() is None


def test_the_history_is_told_once_in_the_order_of_time(bench: Bench) -> None:
    bench.hello()
    bench.package.deals = [fake.deal(ticket=3, time_msc=30), fake.deal(ticket=1, time_msc=10)]
    bench.package.history = [fake.order(ticket=5, time_done_msc=50)]
    said = bench.tell() or {}
    assert (tickets(said["deals"]), tickets(said["history"])) == ([1, 3], [5])
    bench.package.deals.append(fake.deal(ticket=4, time_msc=40))
    assert tickets((bench.tell() or {})["deals"]) == [4]
    bench.now += 100
    assert "deals" not in (bench.tell() or {})


def test_what_was_lost_on_the_way_is_told_again(bench: Bench) -> None:
    bench.hello()
    bench.package.deals = [fake.deal(ticket=1)]
    bench.package.positions = [fake.position(ticket=7)]
    for _ in range(3):
        said = bench.tell(arrives=False) or {}
        assert (tickets(said["deals"]), tickets(said["positions"])) == ([1], [7])
    assert tickets((bench.tell() or {})["deals"]) == [1]
    assert bench.tell() is None


def test_a_deal_that_replaces_an_old_one_in_the_window_is_noticed(bench: Bench) -> None:
    bench.hello()
    bench.package.deals = [fake.deal(ticket=1)]
    bench.tell()
    # As many as before: the count does not show it, the regular reading does.
    bench.package.deals = [fake.deal(ticket=2)]
    assert bench.tell() is None
    bench.now += 6
    assert tickets((bench.tell() or {})["deals"]) == [2]


def test_much_is_told_in_pieces_and_the_result_with_the_last(bench: Bench) -> None:
    bench.hello()
    bench.package.deals = [fake.deal(ticket=number, time_msc=number) for number in range(1, 1202)]
    bench.package.deals.append(fake.deal(ticket=9999, time_msc=9999))
    bench.package.history = [fake.order(ticket=11)]
    bench.results = [{**RESULT, "steps": [{**DONE, "deal": 9999}]}]
    said = [bench.tell() or {} for _ in range(3)]
    assert [len(request["deals"]) for request in said] == [500, 500, 202]
    assert ["results" in request for request in said] == [False, False, True]


def test_a_result_waits_for_its_deal(bench: Bench) -> None:
    bench.hello()
    bench.results = [RESULT]
    bench.package.history = [fake.order(ticket=11)]
    assert "results" not in (bench.tell() or {})
    bench.now += FACTS_SECONDS / 2
    bench.package.deals = [fake.deal(ticket=21)]
    bench.package.positions = [fake.position(ticket=7)]
    said = bench.tell() or {}
    assert said["results"] == [RESULT]
    assert (tickets(said["deals"]), tickets(said["positions"])) == ([21], [7])
    assert said["orders"] == []


def test_a_result_waits_for_an_order_that_rests(bench: Bench) -> None:
    bench.hello()
    bench.results = [{**RESULT, "steps": [{**DONE, "retcode": 10008, "deal": 0}]}]
    assert "results" not in (bench.tell() or {})
    bench.package.orders = [fake.order(ticket=11)]
    said = bench.tell() or {}
    assert (len(said["results"]), tickets(said["orders"])) == (1, [11])


def test_a_result_does_not_wait_for_ever(bench: Bench) -> None:
    bench.hello()
    bench.results = [RESULT]
    assert "results" not in (bench.tell() or {})
    bench.now += FACTS_SECONDS + 0.1
    assert (bench.tell() or {})["results"] == [RESULT]


def test_a_result_without_a_trade_does_not_wait(bench: Bench) -> None:
    bench.hello()
    bench.results = [{"session": "s1", "number": 2, "order": "a", "outcome": "not_begun", "steps": []}]
    assert (bench.tell() or {})["results"] == bench.results


def test_a_result_is_told_again_until_it_was_seen(bench: Bench) -> None:
    bench.hello()
    bench.results = [{"session": "s1", "number": 2, "order": "a", "outcome": "not_begun", "steps": []}]
    assert "results" in (bench.tell() or {})
    assert "results" not in (bench.tell() or {})
    bench.now += 2.1
    assert "results" in (bench.tell() or {})
    bench.told.forget_results([("s1", 2)])
    bench.results = []
    bench.now += 2.1
    assert "results" not in (bench.tell() or {})


def test_lists_of_a_terminal_that_is_not_connected_are_not_told(bench: Bench) -> None:
    bench.package.positions = [fake.position(ticket=7)]
    bench.hello()
    bench.package.connected = False
    bench.package.positions = []
    said = bench.tell() or {}
    assert list(said) == ["state"]
    assert not said["state"]["connected"]
    # It has just come back: the list may still be on its way.
    bench.package.connected = True
    said = bench.tell() or {}
    assert said["state"]["connected"]
    assert "positions" not in said
    bench.package.positions = [fake.position(ticket=7)]
    bench.now += 2.1
    assert "positions" not in (bench.tell() or {})


def test_a_hello_brings_lists_and_they_are_told_again_once_connected(bench: Bench) -> None:
    bench.package.connected = False
    bench.package.positions = [fake.position(ticket=7)]
    assert tickets(bench.hello().positions) == [7]
    bench.package.connected = True
    bench.tell()
    bench.now += 2.1
    assert tickets((bench.tell() or {})["positions"]) == [7]


@pytest.mark.parametrize("broken", [-10001, -10002, -10004, -10005])
def test_a_terminal_that_is_gone_is_told_as_not_connected_and_started_again(broken: int, bench: Bench) -> None:
    bench.hello()
    bench.package.broken = broken
    state = (bench.tell() or {})["state"]
    assert (state["connected"], state["login"]) == (False, 0)
    starts = bench.package.starts
    assert bench.watcher.look(Look()).account == NOBODY
    assert bench.package.starts == starts + 1
    # Not at every look: starting a terminal takes its time.
    bench.watcher.look(Look())
    assert bench.package.starts == starts + 1
    bench.package.broken = None
    bench.now += 40
    assert bench.watcher.look(Look()).state["connected"]


def test_watched_symbols_are_put_into_market_watch_and_told_when_they_change(bench: Bench) -> None:
    bench.package.symbols = {"WINZ26": fake.symbol("WINZ26")}
    bench.package.ticks = {"WINZ26": fake.tick(1.0, 2.0, time_msc=777)}
    bench.hello()
    bench.watch = ("WINZ26", "NOTHERE")
    said = bench.tell() or {}
    assert [info["name"] for info in said["symbols"]] == ["WINZ26"]
    assert not said["symbols_complete"]
    assert said["ticks"] == [{"symbol": "WINZ26", "bid": "1", "ask": "2", "last": "0", "time_ms": 777}]
    assert bench.tell() is None
    bench.package.ticks["WINZ26"] = fake.tick(1.0, 2.5, time_msc=778)
    assert [tick["ask"] for tick in (bench.tell() or {})["ticks"]] == ["2.5"]
    bench.now += 4.1
    assert (bench.tell() or {})["state"]["server_time_ms"] == 778


def test_the_list_of_symbols_is_market_watch_in_pieces(bench: Bench) -> None:
    bench.package.symbols = {f"S{number}": fake.symbol(f"S{number}") for number in range(700)}
    bench.package.symbols["HIDDEN"] = fake.symbol("HIDDEN", visible=False)
    bench.hello()
    bench.told.wants.add("symbols")
    first, second = bench.tell() or {}, bench.tell() or {}
    assert (len(first["symbols"]), first["symbols_complete"]) == (500, False)
    assert (len(second["symbols"]), second["symbols_complete"]) == (200, True)
    assert "HIDDEN" not in {info["name"] for info in first["symbols"] + second["symbols"]}
    assert bench.told.wants == set()
    assert bench.tell() is None


def test_an_empty_market_watch_is_a_complete_list(bench: Bench) -> None:
    bench.hello()
    bench.told.wants.add("symbols")
    said = bench.tell() or {}
    assert (said["symbols"], said["symbols_complete"]) == ([], True)


def test_what_is_wanted_is_told_though_it_has_not_changed(bench: Bench) -> None:
    bench.hello()
    bench.told.wants.update(("state", "positions", "orders"))
    assert set(bench.tell() or {}) == {"state", "positions", "orders"}
    assert bench.tell() is None


def test_a_changed_setting_of_the_terminal_is_told_at_once(bench: Bench) -> None:
    bench.hello()
    bench.package.trade_allowed = False
    assert not (bench.tell() or {})["state"]["trade_allowed"]
    assert bench.tell() is None


@pytest.mark.parametrize("function", ["history_deals_get", "history_orders_total", "positions_get"])
def test_a_list_that_can_not_be_had_does_not_make_the_terminal_gone(
    function: str, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.package.positions = [fake.position(ticket=7)]
    bench.hello()
    bench.package.deals = [fake.deal(ticket=1)]
    bench.package.fail(-4, "Terminal: Not found")
    with monkeypatch.context() as broken:
        broken.setattr(bench.package, function, lambda *_dates: None)
        bench.now += 4.1
        said = bench.tell() or {}
        assert said["state"]["connected"]
        assert "deals" not in said
        assert said.get("positions") != []
    assert tickets((bench.tell() or {})["deals"]) == [1]
