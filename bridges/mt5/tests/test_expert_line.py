"""The expert and answers that are none: refusals, too much, nonsense, no line at all."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, Callable

import pytest
from expert_running import WIN, Body, ExpertProcess, Start, buy, open_market
from running import StandinTerminal
from scripted_ponte import ScriptedPonte
from tasks import magic_of, order_id


@pytest.mark.parametrize("status", [0, 400, 404, 409, 426, 429, 500, 503])
def test_every_refusal_is_waited_out(
    ponte: ScriptedPonte, terminal: StandinTerminal, ready: ExpertProcess, status: int
) -> None:
    refused: list[float] = []

    def refuse(_request: Body) -> int:
        refused.append(time.monotonic())
        return status

    ponte.refuses = refuse
    ponte_was = ponte.session
    until = time.monotonic() + 20
    while len(refused) < 2:
        assert time.monotonic() < until
        time.sleep(0.02)
    ponte.refuses = lambda _request: None
    assert ponte.run(buy(order_id()))["outcome"] == "answered"
    assert ponte.session == ponte_was
    ready.wait_for_words(f"{status}" if status in (404, 429, 500, 503) else "ponte")


def test_what_was_not_heard_is_told_again(
    ponte: ScriptedPonte, terminal: StandinTerminal, ready: ExpertProcess
) -> None:
    refused: set[str] = set()

    def refuse(request: Body) -> int | None:
        fresh = {"ticks", "deals", "positions"} & request.keys() - refused
        refused.update(fresh)
        return 503 if fresh else None

    ponte.refuses = refuse
    ponte.watch = [WIN]
    terminal.ask("POST", "/admin/manual", {"symbol": WIN, "side": "buy", "volume": "1"})
    ponte.wait(lambda: WIN in ponte.ticks and ponte.positions, "the price and the position")
    ponte.wait(lambda: any(deal["symbol"] == WIN for deal in ponte.deals.values()), "the deal")
    assert refused == {"ticks", "deals", "positions"}


def test_requests_are_numbered_in_each_session(ponte: ScriptedPonte, ready: ExpertProcess) -> None:
    ponte.hear_anew(3)
    ponte.restart()
    ponte.wait(lambda: ponte.sessions == 2, "a new session")
    ponte.hear_anew(3)
    numbers: dict[str, list[int]] = {}
    for request in ponte.requests:
        assert ("sequence" in request) == ("session" in request)
        if "session" in request:
            numbers.setdefault(request["session"], []).append(request["sequence"])
    assert [told == sorted(set(told)) and told[0] == 1 for told in numbers.values()] == [True, True]


def test_an_unknown_session_is_begun_anew_at_once(
    ponte: ScriptedPonte, terminal: StandinTerminal, ready: ExpertProcess
) -> None:
    ponte.run(buy(order_id()))
    ponte.wait(lambda: ponte.deals, "the deals")
    ponte.deals.clear()
    ponte.history.clear()
    ponte.restart()
    ponte.wait(lambda: ponte.sessions == 2, "a new session")
    hello = next(request for request in reversed(ponte.requests) if "session" not in request)
    assert [position["volume"] for position in hello["positions"]] == ["1"]
    ponte.wait(lambda: ponte.deals and ponte.history, "the deals again")
    assert ponte.run(buy(order_id()))["outcome"] == "answered"


def test_a_wrong_token_is_said_and_the_file_is_read_again(
    ponte: ScriptedPonte, terminal: StandinTerminal, expert: Start
) -> None:
    ponte.token = "another-token"
    process = expert(ponte, terminal, wait_percent=1)
    process.wait_for_words("does not accept the token")
    (process.files / "Ponte/token.txt").write_text("another-token")
    ponte.wait(lambda: ponte.session, "a session")


def test_too_large_a_request_tells_less_at_a_time(
    ponte: ScriptedPonte, terminal: StandinTerminal, expert: Start
) -> None:
    open_market(terminal)
    for _ in range(60):
        terminal.ask("POST", "/admin/manual", {"symbol": WIN, "side": "buy", "volume": "1"})
    ponte.refuses = lambda request: 413 if len(request.get("deals", [])) > 25 else None
    expert(ponte, terminal)
    ponte.wait(lambda: len(ponte.deals) > 60 and len(ponte.history) == 60, "all deals")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda answer: {**answer, "padding": "x" * 1_100_000},
        lambda answer: {**answer, "protocol": 2},
        lambda answer: {**answer, "session": 7},
        lambda answer: {**answer, "nested": json.loads("[" * 40 + "]" * 40)},
        lambda answer: ["no", "object"],
    ],
)
def test_an_answer_that_can_not_be_read_is_as_none(
    ponte: ScriptedPonte, terminal: StandinTerminal, ready: ExpertProcess, spoil: Callable[[Body], Any]
) -> None:
    order = order_id()
    ponte.alters = lambda answer: spoil(answer) if answer["commands"] else answer
    given = ponte.give(buy(order))
    ponte.wait(given.handed.is_set, "the command to be handed out")
    ready.wait_for_words("can't be read")
    ponte.alters = lambda answer: answer
    ponte.hear_anew(2)
    assert terminal.sends(magic_of(order)) == []
    assert ponte.run(buy(order_id()))["outcome"] == "answered"
    # What was told beside it may not have been heard, and is told again.
    ponte.twice.clear()


def test_an_address_that_the_terminal_does_not_allow_is_said(
    ponte: ScriptedPonte, terminal: StandinTerminal, expert: Start
) -> None:
    process = expert(ponte, terminal, "--allow", "https://another.example", "--lang", "pt")
    process.wait_for_words(f"permita {ponte.url} em Ferramentas, Opções")
    assert ponte.requests == []


@pytest.mark.parametrize(
    "url", ["http://ponte.example:8443", "", "ponte.example", "https://a@b", "http://localhost.example"]
)
def test_an_address_without_tls_is_not_taken(terminal: StandinTerminal, tmp_path: Path, url: str) -> None:
    process = ExpertProcess(url, terminal.url, tmp_path)
    assert process.wait() == 2
    assert "https://" in process.said()


def test_a_person_can_stop_it(ponte: ScriptedPonte, ready: ExpertProcess) -> None:
    assert ready.stop() == 0
    assert "stopped" in ready.said()
