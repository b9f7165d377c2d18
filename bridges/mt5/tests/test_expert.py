"""The expert against the stand-in terminal and a scripted Ponte: what it tells, what it carries out."""

from __future__ import annotations

import pytest
from expert_running import WIN, ExpertProcess, Start, buy, connected, open_market
from running import StandinTerminal
from scripted_ponte import ScriptedPonte
from tasks import (
    BUY,
    BUY_LIMIT,
    MODIFY,
    REMOVE,
    SELL,
    SLTP,
    change,
    comment_of,
    magic_of,
    market,
    order_id,
    pending,
    trade,
)


def test_a_session_begins_with_everything(
    ponte: ScriptedPonte, terminal: StandinTerminal, ready: ExpertProcess
) -> None:
    hello = ponte.requests[0]
    assert "session" not in hello
    assert hello["bridge"]["kind"] == "expert"
    assert hello["positions"] == []
    assert hello["orders"] == []
    assert not hello.get("take")
    assert (ponte.state["login"], ponte.state["server"]) == (12345678, "Standin-Demo")
    assert (ponte.state["connected"], ponte.state["trade_allowed"], ponte.state["margin_mode"]) == (True, True, 1)
    assert ponte.state["balance"] == "100000"
    win = ponte.symbols[WIN]
    assert (win["tick_size"], win["tick_value"], win["volume_step"], win["session_open"]) == ("5", "1", "1", True)
    assert "WIN$" not in ponte.symbols or ponte.symbols["WIN$"]["trade_mode"] == 0
    assert "connected to" in ready.said()


def test_what_was_before_is_told_once_and_by_the_next_session_again(
    ponte: ScriptedPonte, terminal: StandinTerminal, expert: Start
) -> None:
    open_market(terminal)
    for _ in range(3):
        terminal.ask("POST", "/admin/manual", {"symbol": WIN, "side": "buy", "volume": "1"})
    process = expert(ponte, terminal)

    def are_told() -> bool:
        # Besides the deposit, which is a deal as well.
        trades = [deal for deal in ponte.deals.values() if deal["symbol"] == WIN]
        return len(trades) == 3 and len(ponte.history) == 3

    ponte.wait(are_told, "three deals")
    assert [position["volume"] for position in ponte.positions] == ["3"]
    process.kill()
    ponte.deals.clear()
    process.start()
    ponte.wait(lambda: ponte.sessions == 2 and are_told(), "three deals again")


def test_a_persons_trade_is_told_without_being_asked(
    ponte: ScriptedPonte, terminal: StandinTerminal, ready: ExpertProcess
) -> None:
    terminal.ask("POST", "/admin/manual", {"symbol": WIN, "side": "sell", "volume": "2"})
    ponte.wait(lambda: ponte.positions and ponte.deals, "the position and its deal")
    (position,) = ponte.positions
    assert (position["type"], position["volume"], position["magic"]) == (SELL, "2", 0)


def test_the_state_is_told_at_a_change_and_when_wanted(
    ponte: ScriptedPonte, terminal: StandinTerminal, ready: ExpertProcess
) -> None:
    terminal.terminal(trade_allowed=False)
    ponte.wait(lambda: not ponte.state["trade_allowed"], "algo trading to be off")
    ready.wait_for_words("press Algo Trading")
    told = sum("state" in request for request in ponte.requests)
    ponte.want.add("state")
    ponte.wait(lambda: sum("state" in request for request in ponte.requests) > told, "the state again")
    ponte.want.discard("state")


def test_wanted_lists_come_in_full_though_unchanged(ponte: ScriptedPonte, ready: ExpertProcess) -> None:
    def told() -> int:
        return sum("positions" in request and "orders" in request for request in ponte.requests)

    ponte.hear_anew(3)
    before = told()
    assert before == 1
    ponte.want |= {"positions", "orders"}
    ponte.wait(lambda: told() > before, "the lists again")
    ponte.want -= {"positions", "orders"}


def test_lists_wait_for_the_connection_since_they_may_be_empty_without_it(
    ponte: ScriptedPonte, terminal: StandinTerminal, ready: ExpertProcess
) -> None:
    terminal.terminal(connected=False)
    ponte.wait(lambda: not ponte.state["connected"], "the lost connection")
    before = len(ponte.requests)
    ponte.want |= {"positions", "orders"}
    ponte.hear_anew(4)
    assert not any("positions" in request or "orders" in request for request in ponte.requests[before:])
    # And the expert does not ask all the time because of what it can't read.
    assert ponte.requests[-1]["hold_ms"] > 0
    terminal.terminal(connected=True)
    ponte.wait(lambda: any("positions" in request for request in ponte.requests[before:]), "the positions")
    ponte.want -= {"positions", "orders"}


def test_prices_of_watched_symbols_come_when_they_change(
    ponte: ScriptedPonte, terminal: StandinTerminal, ready: ExpertProcess
) -> None:
    ponte.watch = [WIN, "WDOZ26"]
    ponte.wait(lambda: WIN in ponte.ticks, "a price")
    assert (ponte.ticks[WIN]["bid"], ponte.ticks[WIN]["ask"]) == ("128340", "128345")
    terminal.price(WIN, 128335, 128340)
    ponte.wait(lambda: ponte.ticks[WIN]["bid"] == "128335", "the new price")
    count = sum(len(request.get("ticks", [])) for request in ponte.requests)
    ponte.hear_anew(3)
    assert sum(len(request.get("ticks", [])) for request in ponte.requests) == count


def test_a_closed_session_is_seen(ponte: ScriptedPonte, terminal: StandinTerminal, ready: ExpertProcess) -> None:
    terminal.ask("POST", "/admin/symbol", {"symbol": WIN, "session_open": False})
    ponte.want.add("symbols")
    ponte.wait(lambda: not ponte.symbols[WIN]["session_open"], "the session to be closed")


def test_a_market_order_with_levels_is_sent_with_its_magic_and_told_with_its_facts(
    ponte: ScriptedPonte, terminal: StandinTerminal, ready: ExpertProcess
) -> None:
    order = order_id()
    result = ponte.run(trade(order, market(WIN, SELL, "2", sl="128840", tp="127340")))
    assert result["outcome"] == "answered"
    (step,) = result["steps"]
    assert (step["answered"], step["retcode"], step["volume"], step["price"]) == (True, 10009, "2", "128340")
    (sent,) = terminal.sends(magic_of(order))
    assert (sent["ticket"], sent["comment"], sent["symbol"]) == (step["order"], comment_of(order), WIN)
    # The request that told the result told its facts.
    told = next(request for request in ponte.requests if request.get("results"))
    (position,) = told["positions"]
    assert (position["sl"], position["tp"], position["magic"]) == ("128840", "127340", magic_of(order))
    assert step["deal"] in [deal["ticket"] for deal in told["deals"]]
    assert step["order"] in [ended["ticket"] for ended in told["history"]]
    assert "orders" in told


def test_pending_orders_are_placed_changed_and_removed(
    ponte: ScriptedPonte, terminal: StandinTerminal, ready: ExpertProcess
) -> None:
    order = order_id()
    result = ponte.run(trade(order, pending(WIN, BUY_LIMIT, "3", "127000", sl="126500", type_time=1)))
    ticket = result["steps"][0]["order"]
    assert [(one["ticket"], one["price_open"], one["volume_current"]) for one in ponte.orders] == [
        (ticket, "127000", "3")
    ]
    modified = {"action": MODIFY, "symbol": WIN, "order": ticket, "price": "127100", "sl": "126500", "type_time": 1}
    result = ponte.run(change(order, modified))
    assert result["steps"][0]["retcode"] in (10008, 10009), result
    assert ponte.orders[0]["price_open"] == "127100"
    result = ponte.run(change(order, {"action": REMOVE, "symbol": WIN, "order": ticket}))
    assert result["steps"][0]["retcode"] == 10009, result
    assert ponte.orders == []
    ponte.wait(lambda: ponte.history.get(ticket, {}).get("state") == 2, "the cancelled order")


def test_levels_are_changed_and_nothing_to_change_is_well(
    ponte: ScriptedPonte, terminal: StandinTerminal, ready: ExpertProcess
) -> None:
    order = order_id()
    ponte.run(buy(order, sl="127840"))
    (position,) = ponte.positions
    levels = {"action": SLTP, "symbol": WIN, "position": position["ticket"], "sl": "127900", "tp": "129900"}
    result = ponte.run(change(order, levels, levels))
    assert [step["retcode"] for step in result["steps"]] == [10009, 10025], result
    assert (ponte.positions[0]["sl"], ponte.positions[0]["tp"]) == ("127900", "129900")


def test_the_first_refusal_ends_a_command(
    ponte: ScriptedPonte, terminal: StandinTerminal, ready: ExpertProcess
) -> None:
    order = order_id()
    terminal.fault("order_send", "retcode", skip=1, retcode=10019)
    one = market(WIN, BUY, "1")
    result = ponte.run(trade(order, one, one, one))
    assert [step["retcode"] for step in result["steps"]] == [10009, 10019]
    assert result["outcome"] == "answered"
    assert len(terminal.sends(magic_of(order))) == 1


@pytest.mark.parametrize(
    ("held", "asked", "is_sent"),
    [("buy", (SELL, "2"), True), ("buy", (SELL, "3"), False), ("sell", (SELL, "1"), False), (None, (SELL, "1"), False)],
)
def test_an_exit_goes_out_only_while_there_is_something_to_close(
    ponte: ScriptedPonte,
    terminal: StandinTerminal,
    ready: ExpertProcess,
    held: str,
    asked: tuple[int, str],
    is_sent: bool,
) -> None:
    if held:
        terminal.ask("POST", "/admin/manual", {"symbol": WIN, "side": held, "volume": "2"})
    order = order_id()
    result = ponte.run(trade(order, market(WIN, *asked), reduces=True))
    assert result["outcome"] == ("answered" if is_sent else "not_begun"), result
    assert len(terminal.sends(magic_of(order))) == int(is_sent)
    if not is_sent:
        assert f"no position of {WIN}" in result["why"]


def test_every_step_of_an_exit_looks_for_its_own_position(
    ponte: ScriptedPonte, hedging: StandinTerminal, expert: Start
) -> None:
    open_market(hedging, "EURUSD", 1.1, 1.10002)
    expert(ponte, hedging)
    connected(ponte)
    entry = order_id()
    for _ in range(2):
        hedging.ask("POST", "/admin/manual", {"symbol": "EURUSD", "side": "buy", "volume": "0.5"})
    ponte.wait(lambda: len(ponte.positions) == 2, "two positions")
    first, second = (position["ticket"] for position in ponte.positions)
    close = [market("EURUSD", SELL, "0.5", position=ticket, type_filling=1) for ticket in (first, first, second)]
    result = ponte.run(trade(entry, *close, reduces=True))
    assert [step["retcode"] for step in result["steps"]] == [10009], result
    assert result["outcome"] == "answered"
    assert "no position" in result["why"]
    assert [position["ticket"] for position in ponte.positions] == [second]
