"""Killed again and again at random moments around `order_send`: no order is sent twice, none is lost."""

from __future__ import annotations

import random
import time
from typing import Any, Callable

import tasks
from running import BridgeProcess, StandinTerminal
from scripted_ponte import Given, ScriptedPonte

KILLS = 36
WIN = "WINZ26"


def test_kills_at_random_moments_double_nothing_and_lose_nothing(
    ponte: ScriptedPonte, terminal: StandinTerminal, start: Callable[..., BridgeProcess]
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    terminal.price(WIN, 128000.0, 128005.0)
    ponte.watch = [WIN]
    # Results must outlive every kill: none is named as seen until the end.
    ponte.names_results = False
    bridge = start(ponte, terminal, settle=0.5, scan_gap=0.1, synchronised=0.3)
    given: list[Given] = []
    for _ in range(KILLS):
        ponte.wait(lambda: ponte.session, "a session")
        terminal.clear_faults()
        # The answer of the terminal is held back now and then, so that kills fall between request and answer.
        if chance.random() < 0.6:
            terminal.fault("order_send", "hang_ms", ms=chance.choice([20, 60]))
        given.append(ponte.give(tasks.trade(tasks.order_id(), tasks.market(WIN, tasks.BUY, "1")), valid_ms=60_000))
        given[-1].handed.wait(30)
        time.sleep(chance.uniform(0.0, 0.08))
        bridge.kill()
        sessions = ponte.sessions
        bridge.start()
        if chance.random() < 0.2:
            # And while it recovers.
            time.sleep(chance.uniform(0.0, 0.5))
            bridge.kill()
            bridge.start()
        ponte.wait(lambda sessions=sessions: ponte.sessions > sessions, "a new session")  # type: ignore[misc]
    terminal.clear_faults()
    executed = [fate(ponte, command) for command in given]
    for command, was_executed in zip(given, executed):
        magic = command.task["magic"]
        assert len(terminal.sends(magic)) == int(was_executed), f"seed {seed}, order {command.task['order']}"
    # What was conclusively absent is sent again, once; what was there is refused.
    for command, was_executed in zip(given, executed):
        assert ponte.run(command.task, valid_ms=60_000)["outcome"] == ("known" if was_executed else "answered")
        assert len(terminal.sends(command.task["magic"])) == 1
        assert len(terminal.deals(command.task["magic"])) == 1
    (position,) = ponte.wait(lambda: ponte.positions, "the position")
    assert position["volume"] == str(KILLS)
    made = [result for result in ponte.results.values() if result["outcome"] in ("answered", "interrupted")]
    assert made
    ponte.names_results = True
    ponte.wait(lambda: not ponte.requests[-1].get("results"), "an end of the telling")


def fate(ponte: ScriptedPonte, command: Given) -> bool:
    """Whether the order was executed, as Ponte finds out: by the result, else by looking until it is sure."""
    result: Any = ponte.results.get(command.id or ("", 0))
    if result is not None and result["outcome"] == "answered":
        assert result["steps"][0]["retcode"] == 10009
        return True
    assert result is None or result["outcome"] == "interrupted"
    until = time.monotonic() + 30
    while time.monotonic() < until:
        answer = ask(ponte, tasks.find(command.task["order"]))
        if answer is not None and answer["found"]["conclusive"]:
            return bool(answer["found"]["deals"])
    raise AssertionError("no find was conclusive")


def ask(ponte: ScriptedPonte, task: Any) -> Any:
    """A command's result, or None where it was handed to a bridge that had been killed, as Ponte learns by the next."""
    given = ponte.give(task, valid_ms=60_000)
    ponte.wait(lambda: given.id and (given.id in ponte.results or given.id[0] != ponte.session), "an answer")
    return ponte.results.get(given.id or ("", 0))
