"""The expert's journal and its look-ups: nothing twice, nothing forgotten, over kills and damage."""

from __future__ import annotations

import json
import random
import time

import pytest
from expert_running import WIN, Body, ExpertProcess, Start, buy, conclusive, connected, open_market
from running import StandinTerminal
from scripted_ponte import ScriptedPonte
from tasks import BUY_LIMIT, find, magic_of, order_id, pending, trade


def test_an_order_is_known_until_it_is_conclusively_absent(
    ponte: ScriptedPonte, terminal: StandinTerminal, ready: ExpertProcess
) -> None:
    order = order_id()
    terminal.fault("order_send", "none", code=-10005)
    result = ponte.run(buy(order))
    assert (result["outcome"], result["steps"][0]["answered"]) == ("interrupted", False)
    assert ponte.run(buy(order))["outcome"] == "known"
    assert ponte.run(find(order))["found"]["conclusive"] is False
    ready.kill()
    ready.start()
    connected(ponte)
    assert ponte.run(buy(order))["outcome"] == "known"
    found = conclusive(ponte, order)
    assert (found["orders"], found["history"], found["deals"], len(found["steps"])) == ([], [], [], 1)
    ready.kill()
    ready.start()
    ponte.wait(lambda: ponte.sessions == 3, "the third session")
    assert ponte.run(buy(order))["steps"][0]["retcode"] == 10009
    assert ponte.run(buy(order))["outcome"] == "known"
    assert len(terminal.sends(magic_of(order))) == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "none_after", "code": -10005},
        {"fault": "drop_after"},
        {"fault": "retcode_after", "retcode": 10012},
        {"fault": "retcode_after", "retcode": 10031},
        {"fault": "delay_ms", "ms": 300},
    ],
)
def test_what_was_executed_without_an_answer_is_found_and_never_sent_again(
    ponte: ScriptedPonte, terminal: StandinTerminal, ready: ExpertProcess, fault: Body
) -> None:
    order = order_id()
    terminal.fault("order_send", **fault)
    ponte.run(buy(order))
    assert ponte.run(buy(order))["outcome"] == "known"
    found = conclusive(ponte, order)
    assert [deal["magic"] for deal in found["deals"]] == [magic_of(order)]
    assert ponte.run(buy(order))["outcome"] == "known"
    assert len(terminal.sends(magic_of(order))) == 1


def test_an_order_is_found_by_its_magic_though_the_broker_wrote_its_own_comment(
    ponte: ScriptedPonte, terminal: StandinTerminal, ready: ExpertProcess
) -> None:
    order = order_id()
    terminal.fault("order_send", "comment", comment="dealer")
    ponte.run(buy(order))
    assert [deal["comment"] for deal in conclusive(ponte, order)["deals"]] == ["dealer"]


def test_pending_orders_are_found(ponte: ScriptedPonte, terminal: StandinTerminal, ready: ExpertProcess) -> None:
    order = order_id()
    ponte.run(trade(order, pending(WIN, BUY_LIMIT, "1", "127000", type_time=1)))
    found = conclusive(ponte, order)
    assert [one["magic"] for one in found["orders"]] == [magic_of(order)]


def test_a_find_needs_two_looks_after_a_connection_and_a_connection_at_all(
    ponte: ScriptedPonte, terminal: StandinTerminal, expert: Start
) -> None:
    expert(ponte, terminal, synchronised_ms=600000, scan_gap_ms=300)
    connected(ponte)
    order = order_id()
    first = ponte.run(find(order))
    assert (first["found"]["conclusive"], "connected just now" in first["why"]) == (False, True)
    conclusive(ponte, order)
    terminal.terminal(connected=False)
    ponte.wait(lambda: not ponte.state["connected"], "the lost connection")
    assert ponte.run(find(order))["found"]["conclusive"] is False
    terminal.terminal(connected=True)
    ponte.wait(lambda: ponte.state["connected"], "the connection")
    # What was seen before the connection was lost doesn't count.
    assert ponte.run(find(order))["found"]["conclusive"] is False
    conclusive(ponte, order)


def test_a_find_waits_for_what_was_begun_just_now(
    ponte: ScriptedPonte, terminal: StandinTerminal, expert: Start
) -> None:
    open_market(terminal)
    expert(ponte, terminal, settle_ms=3000)
    connected(ponte)
    order = order_id()
    terminal.fault("order_send", "delay_ms", ms=1500)
    assert ponte.run(buy(order))["steps"][0]["retcode"] == 10012
    result = ponte.run(find(order))
    assert (result["found"]["conclusive"], "just now" in result["why"]) == (False, True)
    assert len(conclusive(ponte, order)["deals"]) == 1


def test_a_trade_is_told_when_the_history_shows_it(
    ponte: ScriptedPonte, terminal: StandinTerminal, ready: ExpertProcess
) -> None:
    terminal.fault("history_deals_get", "history_lag_ms", ms=500, times=20)
    result = ponte.run(buy(order_id()))
    told = next(request for request in ponte.requests if request.get("results"))
    assert result["steps"][0]["deal"] in [deal["ticket"] for deal in told.get("deals", [])]


def test_results_are_kept_until_they_were_seen(
    ponte: ScriptedPonte, terminal: StandinTerminal, ready: ExpertProcess
) -> None:
    ponte.names_results = False
    given = ponte.give(buy(order_id()))
    first = ponte.result(given)
    ponte.hear_anew(2)
    last = ponte.requests[-1]
    assert (last["results"], last["hold_ms"] > 0) == ([first], True)
    ready.kill()
    ponte.results.clear()
    ready.start()
    assert ponte.result(given) == first
    ponte.names_results = True
    ponte.hear_anew(2)
    ready.kill()
    ponte.results.clear()
    ready.start()
    ponte.wait(lambda: ponte.sessions == 3, "the third session")
    ponte.hear_anew(2)
    assert ponte.results == {}


def test_kills_around_order_send_double_nothing_and_lose_nothing(
    ponte: ScriptedPonte, terminal: StandinTerminal, expert: Start
) -> None:
    open_market(terminal)
    process = expert(ponte, terminal, settle_ms=300)
    connected(ponte)
    chance = random.Random(20261123)
    volumes = 0
    for round_number in range(24):
        order = order_id()
        if round_number % 3 == 0:
            terminal.fault("order_send", "hang_ms", ms=chance.randint(50, 300))
        sessions = ponte.sessions
        given = ponte.give(buy(order), valid_ms=1000)
        if round_number % 2 == 0:
            ponte.wait(given.handed.is_set, "the command to be handed out")
        time.sleep(chance.random() * 0.12)
        process.kill()
        process.start()
        ponte.wait(lambda before=sessions: ponte.sessions > before, "a new session")  # type: ignore[misc]
        # Handed out by now, to whichever of the two; or it waits for its turn, and runs.
        ponte.wait(given.handed.is_set, "the command to be handed out")
        found = conclusive(ponte, order)
        sends = terminal.sends(magic_of(order))
        assert len(sends) <= 1
        assert len(found["deals"]) == len(sends)
        again = ponte.run(buy(order))
        assert again["outcome"] == ("known" if sends else "answered"), (again, found)
        assert len(terminal.sends(magic_of(order))) == 1
        volumes += 1
        terminal.clear_faults()
    ponte.wait(lambda: ponte.positions and ponte.positions[0]["volume"] == str(volumes), "all in one position")
    # Whatever was begun has a result, and all of them were seen.
    ponte.hear_anew(2)
    lines = [json.loads(line) for line in process.journal.read_text().splitlines()]
    begun = {(line["s"], line["n"]) for line in lines if line["k"] in ("begun", "step")}
    assert begun <= set(ponte.results)


def test_a_journal_that_is_written_anew_still_knows(
    ponte: ScriptedPonte, terminal: StandinTerminal, expert: Start
) -> None:
    open_market(terminal)
    process = expert(ponte, terminal, journal_bytes_max=4000)
    connected(ponte)
    name = ponte.requests[0]["bridge"]["journal"]
    orders = [order_id() for _ in range(12)]
    for order in orders:
        assert ponte.run(buy(order))["outcome"] == "answered"
    kinds = [json.loads(line)["k"] for line in process.journal.read_text().splitlines()]
    assert kinds[0] == "name"
    assert "step" in kinds, "it was never written anew"
    ponte.hear_anew(2)
    process.kill()
    process.start()
    ponte.wait(lambda: ponte.sessions == 2, "the second session")
    assert ponte.requests[-1]["bridge"]["journal"] == name
    for order in orders:
        assert ponte.run(buy(order))["outcome"] == "known"
        assert len(terminal.sends(magic_of(order))) == 1
    assert ponte.tellings[("s1", 1)] == 1


def test_damaged_journals_are_read_as_far_as_they_go(
    ponte: ScriptedPonte, terminal: StandinTerminal, ready: ExpertProcess
) -> None:
    order, torn = order_id(), order_id()
    ponte.run(buy(order))
    ponte.hear_anew(2)
    ready.kill()
    step = {"k": "begun", "s": "s1", "n": 77, "i": 0, "o": torn, "at": 1}
    whole = ready.journal.read_bytes()
    ready.journal.write_bytes(whole + b"\x00\xff garbage\n" + json.dumps(step).encode()[:-9])
    ready.start()
    ponte.wait(lambda: ponte.sessions == 2, "the second session")
    assert "damaged" in ready.said()
    assert ponte.run(buy(order))["outcome"] == "known"
    assert ponte.run(buy(torn))["outcome"] == "answered", "the torn line was taken for a step"
    ready.kill()
    ready.start()
    ponte.wait(lambda: ponte.sessions == 3, "the third session")
    assert ponte.run(buy(torn))["outcome"] == "known"


def test_a_line_that_was_cut_off_does_not_swallow_the_next(
    ponte: ScriptedPonte, terminal: StandinTerminal, ready: ExpertProcess
) -> None:
    ready.kill()
    with ready.journal.open("ab") as journal:
        journal.write(b'{"k":"begun","s":"s')
    # So that it can't be written anew at the start.
    full = ready.files / "DISK-FULL"
    full.touch()
    ready.start()
    ponte.wait(lambda: ponte.sessions == 2, "the second session")
    full.unlink()
    order = order_id()
    assert ponte.run(buy(order))["outcome"] == "answered"
    ready.kill()
    ready.start()
    ponte.wait(lambda: ponte.sessions == 3, "the third session")
    assert ponte.run(buy(order))["outcome"] == "known"


def test_a_crash_while_the_journal_was_put_in_its_place_loses_nothing(
    ponte: ScriptedPonte, terminal: StandinTerminal, ready: ExpertProcess
) -> None:
    order = order_id()
    ponte.run(buy(order))
    ponte.hear_anew(2)
    ready.kill()
    ready.journal.rename(ready.journal.with_name("journal.new"))
    ready.start()
    ponte.wait(lambda: ponte.sessions == 2, "the second session")
    assert ponte.run(buy(order))["outcome"] == "known"


def test_nothing_is_sent_that_the_journal_does_not_hold(
    ponte: ScriptedPonte, terminal: StandinTerminal, ready: ExpertProcess
) -> None:
    full = ready.files / "DISK-FULL"
    full.touch()
    order = order_id()
    result = ponte.run(buy(order))
    assert (result["outcome"], "journal" in result["why"]) == ("not_begun", True)
    assert terminal.sends(magic_of(order)) == []
    full.unlink()
    assert ponte.run(buy(order))["outcome"] == "answered"


def test_a_second_expert_in_one_terminal_gives_up(
    ponte: ScriptedPonte, terminal: StandinTerminal, expert: Start, ready: ExpertProcess
) -> None:
    second = expert(ponte, terminal)
    assert second.wait() == 2
    assert "another Ponte expert runs" in second.said()
    assert ponte.run(buy(order_id()))["outcome"] == "answered"
