"""The bridge's process between the stand-in terminal and a scripted Ponte."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Callable

import pytest
import tasks
from running import LOGIN, SERVER, BridgeProcess, StandinTerminal
from scripted_ponte import ScriptedPonte

Start = Callable[..., BridgeProcess]
WIN = "WINZ26"


@pytest.fixture(autouse=True)
def _prices(request: pytest.FixtureRequest) -> None:
    if "terminal" in request.fixturenames:
        request.getfixturevalue("terminal").price(WIN, 128000.0, 128005.0)
    if "hedging" in request.fixturenames:
        request.getfixturevalue("hedging").price("EURUSD", 1.10000, 1.10010)


def buy(volume: str = "2", **more: Any) -> dict[str, Any]:
    return tasks.market(WIN, tasks.BUY, volume, **more)


def sell(volume: str = "2", **more: Any) -> dict[str, Any]:
    return tasks.market(WIN, tasks.SELL, volume, **more)


def test_a_session_begins_with_everything(ponte: ScriptedPonte, terminal: StandinTerminal, start: Start) -> None:
    ponte.watch = [WIN]
    start(ponte, terminal)
    ponte.wait(lambda: ponte.are_symbols_complete and WIN in ponte.ticks, "symbols and ticks")
    hello = ponte.requests[0]
    assert "session" not in hello
    assert hello["bridge"]["kind"] == "python"
    assert (hello["positions"], hello["orders"]) == ([], [])
    state = hello["state"]
    assert (state["login"], state["server"], state["margin_mode"], state["currency"]) == (LOGIN, SERVER, 1, "BRL")
    assert state["connected"]
    assert state["trade_allowed"]
    assert (ponte.ticks[WIN]["bid"], ponte.ticks[WIN]["ask"]) == ("128000", "128005")
    assert (ponte.symbols[WIN]["tick_size"], ponte.symbols[WIN]["volume_step"]) == ("5", "1")
    # A real request for a session that nobody knows is what `check` asks the token with.
    assert {request.get("session") for request in ponte.requests} == {None, "s1"}


def test_a_market_order_with_its_stop(ponte: ScriptedPonte, terminal: StandinTerminal, start: Start) -> None:
    start(ponte, terminal)
    order = tasks.order_id()
    result = ponte.run(tasks.trade(order, sell(sl="129000", tp="125000")))
    assert result["outcome"] == "answered"
    (step,) = result["steps"]
    assert (step["retcode"], step["volume"], step["price"]) == (10009, "2", "128000")
    # The request that brought the result brought its facts.
    bringing = next(request for request in ponte.requests if result in request.get("results", []))
    (position,) = bringing["positions"]
    assert (position["symbol"], position["type"], position["volume"]) == (WIN, 1, "2")
    assert (position["sl"], position["tp"], position["magic"]) == ("129000", "125000", tasks.magic_of(order))
    assert position["comment"] == tasks.comment_of(order)
    deal = ponte.deals[step["deal"]]
    assert (deal["magic"], deal["volume"], deal["entry"]) == (tasks.magic_of(order), "2", 0)
    assert ponte.history[step["order"]]["state"] == 4
    assert len(terminal.sends(tasks.magic_of(order))) == 1


def test_a_pending_order_is_placed_changed_and_removed(
    ponte: ScriptedPonte, terminal: StandinTerminal, start: Start
) -> None:
    start(ponte, terminal)
    order = tasks.order_id()
    result = ponte.run(tasks.trade(order, tasks.pending(WIN, tasks.BUY_LIMIT, "1", "127000", type_time=1)))
    ticket = result["steps"][0]["order"]
    assert [pending["ticket"] for pending in ponte.orders] == [ticket]
    moved = {"action": tasks.MODIFY, "symbol": WIN, "order": ticket, "price": "127100", "type_time": 1}
    assert ponte.run(tasks.change(order, moved))["steps"][0]["retcode"] == 10009
    ponte.wait(lambda: [pending["price_open"] for pending in ponte.orders] == ["127100"], "the new price")
    removed = ponte.run(tasks.change(order, {"action": tasks.REMOVE, "symbol": WIN, "order": ticket}))
    assert removed["steps"][0]["retcode"] == 10009
    ponte.wait(lambda: ponte.orders == [] and ticket in ponte.history, "the end of the order")
    assert ponte.history[ticket]["state"] == 2


def test_levels_of_a_position_are_changed(ponte: ScriptedPonte, terminal: StandinTerminal, start: Start) -> None:
    start(ponte, terminal)
    order = tasks.order_id()
    ponte.run(tasks.trade(order, buy(sl="127000")))
    ticket = ponte.positions[0]["ticket"]
    levels = {"action": tasks.SLTP, "symbol": WIN, "position": ticket, "sl": "127500", "tp": "130000"}
    for retcode in (10009, 10025):
        assert ponte.run(tasks.change(order, levels))["steps"][0]["retcode"] == retcode
    ponte.wait(lambda: ponte.positions and ponte.positions[0]["sl"] == "127500", "the new level")
    assert len(terminal.sends(tasks.magic_of(order))) == 1


def test_what_happens_at_the_terminal_is_told(ponte: ScriptedPonte, terminal: StandinTerminal, start: Start) -> None:
    start(ponte, terminal)
    order = tasks.order_id()
    ponte.run(tasks.trade(order, buy("2", sl="127000")))
    terminal.price(WIN, 126990.0, 126995.0)
    ponte.wait(lambda: ponte.positions == [], "the stop")
    stop = ponte.wait(lambda: [deal for deal in ponte.deals.values() if deal["reason"] == 4], "the stop's deal")
    assert [(deal["volume"], deal["entry"]) for deal in stop] == [("2", 1)]
    terminal.ask("POST", "/admin/manual", {"symbol": WIN, "side": "buy", "volume": 1})
    ponte.wait(lambda: [position["magic"] for position in ponte.positions] == [0], "what a person did")


def test_hedging_positions_are_closed_by_their_tickets(
    ponte: ScriptedPonte, hedging: StandinTerminal, start: Start
) -> None:
    start(ponte, hedging)
    first, second = tasks.order_id(), tasks.order_id()
    for order, volume in ((first, "0.1"), (second, "0.2")):
        assert ponte.run(tasks.trade(order, tasks.market("EURUSD", tasks.BUY, volume, type_filling=1)))["steps"]
    held = {position["magic"]: position["ticket"] for position in ponte.positions}
    assert len(held) == 2
    out = tasks.market("EURUSD", tasks.SELL, "0.1", position=held[tasks.magic_of(first)], type_filling=1)
    assert ponte.run(tasks.trade(tasks.order_id(), out, reduces=True))["steps"][0]["retcode"] == 10009
    ponte.wait(lambda: [position["volume"] for position in ponte.positions] == ["0.2"], "the other position alone")
    assert ponte.run(tasks.trade(tasks.order_id(), out, reduces=True))["outcome"] == "not_begun"


def test_an_exit_without_a_position_is_not_begun(ponte: ScriptedPonte, terminal: StandinTerminal, start: Start) -> None:
    start(ponte, terminal)
    result = ponte.run(tasks.trade(tasks.order_id(), sell(), reduces=True))
    assert result["outcome"] == "not_begun"
    assert terminal.audit()["deals"] == [] or all(deal["symbol"] != WIN for deal in terminal.audit()["deals"])


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"connected": False}, "not connected"),
        ({"trade_allowed": False}, "switched off"),
        ({"logged_in": False}, "not logged in"),
    ],
)
def test_a_terminal_that_must_not_trade_is_told_and_left_alone(
    settings: dict[str, bool], why: str, ponte: ScriptedPonte, terminal: StandinTerminal, start: Start
) -> None:
    start(ponte, terminal)
    ponte.wait(lambda: ponte.state, "a state")
    terminal.terminal(**settings)
    name = next(iter(settings))
    if name == "logged_in":
        ponte.wait(lambda: ponte.state["login"] == 0, "that nobody is logged in")
    else:
        ponte.wait(lambda: ponte.state[name] is False, "the new state")
    order = tasks.order_id()
    result = ponte.run(tasks.trade(order, buy()))
    assert result["outcome"] == "not_begun"
    assert why in result["why"]
    terminal.terminal(**{name: True})
    ponte.wait(
        lambda: ponte.state["connected"] and ponte.state["trade_allowed"] and ponte.state["login"], "better days"
    )
    assert ponte.run(tasks.trade(order, buy()))["outcome"] == "answered"
    assert len(terminal.sends(tasks.magic_of(order))) == 1


def test_an_answer_that_comes_too_late_opens_nothing(
    ponte: ScriptedPonte, terminal: StandinTerminal, start: Start
) -> None:
    ponte.delays = lambda _request, answer: 1.5 if answer["commands"] else 0.0
    start(ponte, terminal)
    result = ponte.run(tasks.trade(tasks.order_id(), buy()), valid_ms=1000)
    assert result["outcome"] == "not_begun"
    assert "its time was over" in result["why"]
    assert ponte.positions == []


def test_an_answer_that_is_lost_opens_nothing(ponte: ScriptedPonte, terminal: StandinTerminal, start: Start) -> None:
    start(ponte, terminal)
    ponte.loses = lambda _request, answer: bool(answer["commands"])
    order = tasks.order_id()
    given = ponte.give(tasks.trade(order, buy()))
    assert given.handed.wait(10)
    ponte.loses = lambda _request, _answer: False
    found = ponte.run(tasks.find(order))["found"]
    assert found["conclusive"]
    assert (found["orders"], found["history"], found["deals"], found["steps"]) == ([], [], [], [])
    assert given.id not in ponte.results


def test_a_command_that_is_repeated_is_carried_out_once(
    ponte: ScriptedPonte, terminal: StandinTerminal, start: Start
) -> None:
    handed: list[Any] = []

    def repeat(answer: dict[str, Any]) -> dict[str, Any]:
        if answer.get("commands"):
            handed.extend(answer["commands"])
        return {**answer, "commands": [*answer["commands"], *handed]}

    ponte.alters = repeat
    start(ponte, terminal)
    orders = [tasks.order_id() for _ in range(3)]
    for order in orders:
        assert ponte.run(tasks.trade(order, buy("1")))["outcome"] == "answered"
    assert [len(terminal.sends(tasks.magic_of(order))) for order in orders] == [1, 1, 1]


def test_results_are_told_until_they_were_seen_over_restarts_too(
    ponte: ScriptedPonte, terminal: StandinTerminal, start: Start
) -> None:
    ponte.names_results = False
    bridge = start(ponte, terminal)
    given = ponte.give(tasks.trade(tasks.order_id(), buy()))
    ponte.result(given)
    ponte.wait(lambda: given.id and ponte.tellings[given.id] >= 3, "the same result again")
    bridge.kill()
    before = ponte.tellings[given.id or ("", 0)]
    bridge.start()
    ponte.wait(lambda: given.id and ponte.tellings[given.id] > before, "the result of the session before")
    assert ponte.results[given.id or ("", 0)]["outcome"] == "answered"
    ponte.names_results = True
    ponte.wait(lambda: given.id and ponte.tellings[given.id] > before + 1, "it once more")
    told = ponte.tellings[given.id or ("", 0)]
    ponte.hear_anew(4)
    assert ponte.tellings[given.id or ("", 0)] <= told + 1


def test_a_restarted_ponte_gets_a_new_session_with_everything(
    ponte: ScriptedPonte, terminal: StandinTerminal, start: Start
) -> None:
    start(ponte, terminal)
    ponte.run(tasks.trade(tasks.order_id(), buy()))
    ponte.deals.clear()
    ponte.restart()
    ponte.wait(lambda: ponte.session == "s2" and ponte.deals, "a second session with the deals")
    assert [position["volume"] for position in ponte.positions] == ["2"]
    assert ponte.run(tasks.trade(tasks.order_id(), sell(), reduces=True))["outcome"] == "answered"


def test_requests_with_facts_are_counted(ponte: ScriptedPonte, terminal: StandinTerminal, start: Start) -> None:
    start(ponte, terminal)
    ponte.run(tasks.trade(tasks.order_id(), buy()))
    ponte.run(tasks.trade(tasks.order_id(), sell(), reduces=True))
    told = [request for request in ponte.requests if request.get("session") and "positions" in request]
    counts = [request.get("sequence", 0) for request in told]
    assert len(counts) >= 2
    assert counts == sorted(set(counts)), "each is higher than the one before"
    assert counts[0] >= 1


def test_no_answer_at_all_is_found_out_by_looking(
    ponte: ScriptedPonte, terminal: StandinTerminal, start: Start
) -> None:
    start(ponte, terminal)
    for fault, are_there in (("drop_after", 1), ("drop_before", 0)):
        order = tasks.order_id()
        terminal.fault("order_send", fault)
        result = ponte.run(tasks.trade(order, buy("1")))
        assert result["outcome"] == "interrupted"
        assert not result["steps"][0]["answered"]
        assert ponte.run(tasks.trade(order, buy("1")))["outcome"] == "known"
        assert len(conclusive(ponte, order)["deals"]) == are_there
        assert len(terminal.deals(tasks.magic_of(order))) == are_there
        # What was conclusively absent may be sent again, what was found may not.
        again = ponte.run(tasks.trade(order, buy("1")))["outcome"]
        assert again == ("known" if are_there else "answered")
        assert len(terminal.deals(tasks.magic_of(order))) == 1


def conclusive(ponte: ScriptedPonte, order: str) -> dict[str, Any]:
    """Asks until the answer is conclusive, as Ponte does."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        found = ponte.run(tasks.find(order)).get("found")
        if found and found["conclusive"]:
            return dict(found)
    raise AssertionError("no find was conclusive")


def test_a_time_out_of_the_server_with_an_execution_is_found(
    ponte: ScriptedPonte, terminal: StandinTerminal, start: Start
) -> None:
    start(ponte, terminal)
    order = tasks.order_id()
    terminal.fault("order_send", "retcode_after", retcode=10012)
    result = ponte.run(tasks.trade(order, buy("1")))
    assert (result["outcome"], result["steps"][0]["retcode"]) == ("answered", 10012)
    found = conclusive(ponte, order)
    assert [deal["volume"] for deal in found["deals"]] == ["1"]


def test_a_time_out_of_the_server_that_executes_later_is_not_called_absent(
    ponte: ScriptedPonte, terminal: StandinTerminal, start: Start
) -> None:
    start(ponte, terminal, settle=3.0)
    order = tasks.order_id()
    terminal.fault("order_send", "delay_ms", ms=1000)
    result = ponte.run(tasks.trade(order, buy("1")))
    assert result["steps"][0]["retcode"] == 10012
    assert not ponte.run(tasks.find(order))["found"]["conclusive"]
    assert [deal["volume"] for deal in conclusive(ponte, order)["deals"]] == ["1"]


def test_an_overwritten_comment_hides_nothing(ponte: ScriptedPonte, terminal: StandinTerminal, start: Start) -> None:
    start(ponte, terminal)
    order = tasks.order_id()
    terminal.fault("order_send", "comment", comment="BROKER")
    ponte.run(tasks.trade(order, buy("1")))
    (deal,) = conclusive(ponte, order)["deals"]
    assert deal["comment"] != tasks.comment_of(order)
    assert deal["magic"] == tasks.magic_of(order)


def test_a_history_that_lags_holds_the_result_back(
    ponte: ScriptedPonte, terminal: StandinTerminal, start: Start
) -> None:
    start(ponte, terminal)
    ponte.wait(lambda: ponte.session, "a session")
    for function in ("history_deals_get", "history_orders_get"):
        terminal.fault(function, "history_lag_ms", times=1000, ms=600)
    result = ponte.run(tasks.trade(tasks.order_id(), buy("1")))
    bringing = next(request for request in ponte.requests if result in request.get("results", []))
    told = {deal["ticket"] for request in ponte.requests for deal in request.get("deals", [])}
    assert result["steps"][0]["deal"] in told
    assert ponte.requests.index(bringing) == len(ponte.requests) - 1 or result["steps"][0]["deal"] in {
        deal["ticket"]
        for request in ponte.requests[: ponte.requests.index(bringing) + 1]
        for deal in request.get("deals", [])
    }


def test_a_terminal_that_was_restarted_is_found_again(
    ponte: ScriptedPonte, terminal: StandinTerminal, start: Start
) -> None:
    start(ponte, terminal)
    ponte.wait(lambda: ponte.session == "s1" and ponte.are_symbols_complete, "the first session")
    terminal.close()
    ponte.wait(lambda: not ponte.state["connected"], "that the terminal is gone")
    again = StandinTerminal(listen=terminal.url.removeprefix("http://"))
    try:
        again.price(WIN, 128000.0, 128005.0)
        ponte.wait(lambda: ponte.state["connected"], "that the terminal is back")
        assert ponte.run(tasks.trade(tasks.order_id(), buy("1")))["outcome"] == "answered"
        assert ponte.sessions == 1
    finally:
        again.close()


def test_a_session_that_begins_without_the_terminal_repeats_its_last_words(
    ponte: ScriptedPonte, terminal: StandinTerminal, start: Start
) -> None:
    start(ponte, terminal)
    ponte.run(tasks.trade(tasks.order_id(), buy("1")))
    terminal.close()
    ponte.wait(lambda: not ponte.state["connected"], "that the terminal is gone")
    ponte.restart()
    ponte.wait(lambda: ponte.session == "s2", "a second session")
    assert not ponte.state["connected"]
    assert [position["volume"] for position in ponte.positions] == ["1"]


def test_another_account_gets_a_session_of_its_own(
    ponte: ScriptedPonte, terminal: StandinTerminal, start: Start
) -> None:
    start(ponte, terminal)
    ponte.wait(lambda: ponte.session == "s1" and ponte.are_symbols_complete, "the first session")
    terminal.close()
    other = StandinTerminal(listen=terminal.url.removeprefix("http://"), login=87654321)
    try:
        ponte.wait(lambda: ponte.session == "s2", "the second session")
        hello = next(request for request in reversed(ponte.requests) if "session" not in request)
        assert hello["state"]["login"] == 87654321
        in_first = [
            request["state"]["login"]
            for request in ponte.requests
            if request.get("session") == "s1" and "state" in request
        ]
        assert 87654321 not in in_first
    finally:
        other.close()


def test_a_bridge_for_one_account_refuses_another(
    ponte: ScriptedPonte, terminal: StandinTerminal, start: Start
) -> None:
    start(ponte, terminal, "--login", "999")
    result = ponte.run(tasks.trade(tasks.order_id(), buy("1")))
    assert result["outcome"] == "not_begun"
    assert "this bridge is for 999" in result["why"]


@pytest.mark.parametrize("status", [400, 401, 409, 410, 413, 426, 429, 500, 503, 404, 302, 0])
def test_every_refusal_passes_and_the_bridge_goes_on(
    status: int, ponte: ScriptedPonte, terminal: StandinTerminal, start: Start
) -> None:
    bridge = start(ponte, terminal)
    ponte.wait(lambda: ponte.session, "a session")
    refused: list[int] = []

    def refuse(_request: Any) -> Any:
        if len(refused) < 4:
            refused.append(status)
            return status
        return None

    ponte.refuses = refuse
    ponte.wait(lambda: len(refused) == 4, "four refusals", 60)
    assert ponte.run(tasks.trade(tasks.order_id(), buy("1")), seconds=60)["outcome"] == "answered"
    assert bridge.is_running


def test_a_second_bridge_with_the_same_journal_does_not_start(
    ponte: ScriptedPonte, terminal: StandinTerminal, start: Start
) -> None:
    bridge = start(ponte, terminal)
    ponte.wait(lambda: ponte.session, "a session")
    second = start(ponte, terminal)
    assert second.wait() == 4
    assert "--journal" in second.said()
    assert bridge.is_running


def test_a_second_bridge_with_its_own_journal_waits_and_says_why(
    ponte: ScriptedPonte, terminal: StandinTerminal, start: Start, tmp_path: Path
) -> None:
    start(ponte, terminal)
    ponte.wait(lambda: ponte.session, "a session")
    second = start(ponte, terminal, "--journal", str(tmp_path / "other.sqlite"))
    second.wait_for_words("another bridge holds this account")
    assert ponte.sessions == 1
    assert second.is_running


def test_a_bridge_that_is_stopped_ends_well(ponte: ScriptedPonte, terminal: StandinTerminal, start: Start) -> None:
    bridge = start(ponte, terminal)
    ponte.wait(lambda: ponte.session, "a session")
    assert bridge.stop() == 0
    assert "bridge stopped" in bridge.said()


def test_a_bridge_waits_for_a_terminal_that_is_not_there_yet(
    ponte: ScriptedPonte, terminal: StandinTerminal, tmp_path: Path
) -> None:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}"
    bridge = BridgeProcess(ponte.url, nobody, tmp_path)
    try:
        ponte.wait(lambda: ponte.state, "a state")
        assert ponte.state["connected"] is False
        assert ponte.state["login"] == 0
        assert ponte.run(tasks.trade(tasks.order_id(), buy("1")))["outcome"] == "not_begun"
        assert ponte.run(tasks.find(tasks.order_id()))["found"]["conclusive"] is False
    finally:
        bridge.kill()
