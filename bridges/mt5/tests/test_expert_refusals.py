"""What the expert must not begin, whatever Ponte, the line and the terminal do."""

from __future__ import annotations

from typing import Any, Callable

import pytest
from expert_running import WIN, Body, ExpertProcess, Start, buy, connected, open_market
from running import StandinTerminal
from scripted_ponte import ScriptedPonte
from tasks import BUY, magic_of, market, order_id, trade


def test_a_command_is_not_begun_after_its_time(
    ponte: ScriptedPonte, terminal: StandinTerminal, ready: ExpertProcess
) -> None:
    order = order_id()
    ponte.delays = lambda _request, answer: 0.8 if answer["commands"] else 0.0
    result = ponte.run(buy(order), valid_ms=700)
    assert result["outcome"] == "not_begun"
    assert "time is over" in result["why"]
    assert terminal.sends(magic_of(order)) == []


@pytest.mark.parametrize("valid_ms", [0, -1, -(2**63) + 1])
def test_a_time_that_is_none_is_over(
    ponte: ScriptedPonte, terminal: StandinTerminal, ready: ExpertProcess, valid_ms: int
) -> None:
    ponte.delays = lambda _request, answer: 0.05 if answer["commands"] else 0.0
    assert ponte.run(buy(order_id()), valid_ms=valid_ms)["outcome"] == "not_begun"


def test_time_runs_between_the_steps_too(ponte: ScriptedPonte, terminal: StandinTerminal, ready: ExpertProcess) -> None:
    order = order_id()
    terminal.fault("order_send", "hang_ms", ms=2500)
    result = ponte.run(trade(order, market(WIN, BUY, "1"), market(WIN, BUY, "1")), valid_ms=2000)
    assert len(result["steps"]) == 1, result
    assert result["outcome"] == "answered"
    assert len(terminal.sends(magic_of(order))) == 1


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"connected": False}, "not connected"),
        ({"trade_allowed": False}, "switched off"),
        ({"account_trade_allowed": False}, "account must not trade"),
        ({"trade_expert": False}, "does not let programs trade"),
    ],
)
def test_nothing_is_begun_while_the_terminal_may_not_trade(
    ponte: ScriptedPonte, terminal: StandinTerminal, ready: ExpertProcess, settings: dict[str, bool], why: str
) -> None:
    terminal.terminal(**settings)
    order = order_id()
    result = ponte.run(buy(order))
    assert (result["outcome"], result.get("steps", [])) == ("not_begun", [])
    assert why in result["why"]
    terminal.terminal(**dict.fromkeys(settings, True))
    assert ponte.run(buy(order))["outcome"] == "answered"
    assert len(terminal.sends(magic_of(order))) == 1


def test_the_experts_own_box_counts(ponte: ScriptedPonte, terminal: StandinTerminal, expert: Start) -> None:
    open_market(terminal)
    expert(ponte, terminal, "--forbid-trading")
    connected(ponte)
    assert not ponte.state["trade_allowed"]
    result = ponte.run(buy(order_id()))
    assert (result["outcome"], "expert's settings" in result["why"]) == ("not_begun", True)


def test_another_account_is_another_session(
    ponte: ScriptedPonte, terminal: StandinTerminal, ready: ExpertProcess
) -> None:
    terminal.terminal(login=87654321)
    order = order_id()
    given = ponte.give(buy(order), valid_ms=600)
    ponte.wait(lambda: ponte.sessions == 2 and ponte.state["login"] == 87654321, "a session of the other account")
    if given.id and given.id[0] == "s1":
        assert ponte.result(given)["outcome"] == "not_begun"
        assert terminal.sends(magic_of(order)) == []


def test_commands_of_other_sessions_and_old_numbers_are_dropped(
    ponte: ScriptedPonte, terminal: StandinTerminal, ready: ExpertProcess
) -> None:
    order, other = order_id(), order_id()

    def alter(answer: Body) -> Body:
        for command in list(answer["commands"]):
            foreign = {**command, "session": "s0", "number": command["number"] + 50, "task": buy(other)}
            answer["commands"] += [dict(command), foreign]
        return answer

    ponte.alters = alter
    assert ponte.run(buy(order))["outcome"] == "answered"
    again = buy(order_id())
    assert ponte.run(again)["outcome"] == "answered"
    assert len(terminal.sends(magic_of(order))) == 1
    assert len(terminal.sends(again["magic"])) == 1
    assert terminal.sends(magic_of(other)) == []


def test_a_lost_answer_is_never_carried_out(
    ponte: ScriptedPonte, terminal: StandinTerminal, ready: ExpertProcess
) -> None:
    order = order_id()
    ponte.loses = lambda _request, answer: bool(answer["commands"])
    given = ponte.give(buy(order))
    ponte.wait(given.handed.is_set, "the command to be handed out")
    ponte.loses = lambda _request, _answer: False
    ponte.hear_anew(3)
    assert given.id not in ponte.results
    assert terminal.sends(magic_of(order)) == []
    # What was told beside it may have been lost with it, and is told again.
    ponte.twice.clear()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda task: task.pop("magic"),
        lambda task: task.update(magic=1.5),
        lambda task: task.update(magic=2**63),
        lambda task: task.update(kind="dance"),
        lambda task: task.update(requests={}),
        lambda task: task["requests"].clear(),
        lambda task: task["requests"][0].pop("symbol"),
        lambda task: task["requests"][0].update(volume="1e0"),
        lambda task: task["requests"][0].update(volume=1),
        lambda task: task["requests"][0].update(volume=""),
    ],
)
def test_a_command_that_is_not_understood_is_refused_and_does_no_harm(
    ponte: ScriptedPonte, terminal: StandinTerminal, ready: ExpertProcess, spoil: Callable[[Body], Any]
) -> None:
    task = buy(order_id())
    spoil(task)
    result = ponte.run(task)
    assert result["outcome"] == "not_begun", result
    assert ponte.run(buy(order_id()))["outcome"] == "answered"
    assert len(terminal.audit()["deals"]) <= 2
