"""What the terminal knows, and what of it Ponte has not been told yet."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Callable

from . import clock, shapes
from .commands import tickets_of
from .journal import Body, ResultId
from .protocol import ITEMS_MAX
from .terminal import NOBODY, Account, CallFailed, Terminal, TerminalGone, Traces

_LOGGER = logging.getLogger("ponte_mt5_bridge")

# Told at least so often, in seconds; PROTOCOL.md asks for 5.
HEARTBEAT_SECONDS = 4.0
# History is counted with every look, and read in full so often even if the counts are the same.
HISTORY_SECONDS = 5.0
# A result waits so long for the deals that it speaks of: the terminal may show them a moment later.
FACTS_SECONDS = 2.0
# A result that was told and not named as seen is told again after so many seconds.
AGAIN_SECONDS = 2.0
RESULTS_MAX = 100
_SELECT_AGAIN_SECONDS = 60.0

# What changes with every price is told with the heartbeat only.
_RESTLESS = ("equity", "margin_free", "ping_us", "server_time_ms", "time_ms")


@dataclass(frozen=True)
class Look:
    """What is to be looked at."""

    watch: tuple[str, ...] = ()
    history_hours: int | None = None
    must_read_history: bool = False
    symbols: bool = False
    # The first request of a session brings the lists as the terminal has them, trusted or not.
    is_first: bool = False


@dataclass(frozen=True)
class Snapshot:
    """The terminal at one moment. Lists are None where they can't be trusted or were not looked at."""

    state: Body
    account: Account
    positions: list[Body] | None = None
    orders: list[Body] | None = None
    traces: Traces | None = None
    ticks: tuple[Body, ...] = ()
    symbols: list[Body] | None = None
    new_symbols: tuple[Body, ...] = ()
    is_trusted: bool = False


class Watcher:
    """Looks at the terminal, on the terminal's thread."""

    def __init__(self, terminal: Terminal, settle: float) -> None:
        self._terminal = terminal
        self._settle = settle
        self._selected: set[str] = set()
        self._refused: dict[str, float] = {}
        self._counts: tuple[int, int] | None = None
        self._read_at = 0.0
        self._failed = ""

    def look(self, look: Look) -> Snapshot:
        """One look. A terminal that does not answer is one that is not connected."""
        try:
            return self._look(look)
        except TerminalGone:
            self._selected.clear()
            self._refused.clear()
            self._counts = None
            return Snapshot(shapes.state(None, None, self._terminal.newest_tick_ms), NOBODY)

    def _look(self, look: Look) -> Snapshot:
        info, account = self._terminal.info()
        who = NOBODY if account is None else Account(int(account.login), str(account.server))
        if not info.connected or who.login == 0:
            state = shapes.state(info, account, self._terminal.newest_tick_ms)
            return self._with_lists(Snapshot(state, who)) if look.is_first else Snapshot(state, who)
        new_symbols = self._select(look.watch)
        ticks = [(name, self._terminal.tick(name)) for name in look.watch if name in self._selected]
        # Somebody may have taken it out of Market Watch: the next look puts it back.
        self._selected -= {name for name, item in ticks if item is None}
        seen = tuple(shapes.tick(name, item) for name, item in ticks if item is not None)
        state = shapes.state(info, account, self._terminal.newest_tick_ms)
        snapshot = Snapshot(state, who, ticks=seen, new_symbols=new_symbols)
        if self._terminal.has_come_back() and self._terminal.connected_seconds() < self._settle:
            # Just connected: a list that is still on its way would look like one that has become empty.
            return self._with_lists(snapshot) if look.is_first else snapshot
        try:
            snapshot = replace(self._with_lists(snapshot), is_trusted=True)
            symbols = [shapes.symbol(item) for item in self._terminal.symbols_watched()] if look.symbols else None
            return replace(snapshot, symbols=symbols, traces=self._history(look))
        except CallFailed as error:
            # What was read until then is told; the rest is asked for again with the next look.
            self._say(str(error))
            return snapshot

    def _say(self, failed: str) -> None:
        if failed != self._failed:
            self._failed = failed
            _LOGGER.warning(failed)

    def _with_lists(self, snapshot: Snapshot) -> Snapshot:
        positions = sorted((shapes.position(item) for item in self._terminal.positions()), key=_ticket)
        orders = sorted((shapes.order(item) for item in self._terminal.orders()), key=_ticket)
        return replace(snapshot, positions=positions, orders=orders)

    def _select(self, watch: tuple[str, ...]) -> tuple[Body, ...]:
        """Puts watched symbols into Market Watch; returns what is now known of the new ones."""
        now = clock.monotonic()
        self._selected &= set(watch)
        found: list[Body] = []
        for name in watch:
            if name in self._selected or now < self._refused.get(name, 0.0):
                continue
            info = self._terminal.symbol(name) if self._terminal.select(name) else None
            if info is None:
                self._refused[name] = now + _SELECT_AGAIN_SECONDS
                continue
            self._selected.add(name)
            found.append(shapes.symbol(info))
        return tuple(found)

    def _history(self, look: Look) -> Traces | None:
        if look.history_hours is None:
            return None
        counts = self._terminal.history_counts(look.history_hours)
        now = clock.monotonic()
        if counts == self._counts and not look.must_read_history and now - self._read_at < HISTORY_SECONDS:
            return None
        traces = self._terminal.traces(look.history_hours)
        self._counts, self._read_at = counts, now
        return traces


@dataclass
class _Pending:
    """A result on its way to Ponte."""

    orders: set[int]
    deals: set[int]
    until: float
    told_at: float | None = None


@dataclass(frozen=True)
class Telling:
    """What the next request says, and what is to be remembered once Ponte has it."""

    fields: dict[str, Any]
    has_been_told: Callable[[], None]


@dataclass
class Told:
    """What Ponte knows in one session."""

    heartbeat: float = HEARTBEAT_SECONDS
    limit: int = ITEMS_MAX
    # Counts the requests that tell facts: of one that arrives after a newer one Ponte takes only what stays true.
    sequence: int = 0
    wants: set[str] = field(default_factory=set)
    _state: Body | None = None
    _told_at: float = float("-inf")
    _positions: list[Body] | None = None
    _orders: list[Body] | None = None
    _has_history: bool = False
    _known_history: set[int] = field(default_factory=set)
    _known_deals: set[int] = field(default_factory=set)
    _history: list[Body] = field(default_factory=list)
    _deals: list[Body] = field(default_factory=list)
    _ticks: dict[str, Body] = field(default_factory=dict)
    _symbols: list[Body] = field(default_factory=list)
    _is_list_of_symbols: bool = False
    _results: dict[ResultId, _Pending] = field(default_factory=dict)

    def hear_hello(self, snapshot: Snapshot) -> None:
        """What the first request of the session said."""
        self._state = snapshot.state
        self._told_at = clock.monotonic()
        if snapshot.is_trusted:
            self._positions = snapshot.positions
            self._orders = snapshot.orders

    def look(self, watch: tuple[str, ...], history_hours: int, results: list[Body]) -> Look:
        """What must be looked at, given the results that wait."""
        fresh = not self._has_history or any(self._is_fresh(body) for body in results)
        wants_symbols = "symbols" in self.wants and not self._is_list_of_symbols
        return Look(watch, history_hours, fresh, wants_symbols)

    def _is_fresh(self, body: Body) -> bool:
        pending = self._results.get((body["session"], body["number"]))
        return pending is None or pending.told_at is None

    def compose(self, snapshot: Snapshot, results: list[Body]) -> Telling | None:
        """The next request, or None where there is nothing to tell. `results` were taken before the look."""
        self._take_history(snapshot)
        self._take_symbols(snapshot)
        now = clock.monotonic()
        ready = self._ready(snapshot, results, now)
        fields: dict[str, Any] = {}
        is_due = now - self._told_at >= self.heartbeat
        if is_due or "state" in self.wants or _calm(snapshot.state) != _calm(self._state):
            fields["state"] = snapshot.state
        has_fresh = any(self._is_fresh(body) for body in ready)
        if snapshot.is_trusted:
            if has_fresh or "positions" in self.wants or snapshot.positions != self._positions:
                fields["positions"] = snapshot.positions
            if has_fresh or "orders" in self.wants or snapshot.orders != self._orders:
                fields["orders"] = snapshot.orders
        self._add_lists(fields, snapshot)
        if ready:
            fields["results"] = ready
        if not fields:
            return None
        return Telling(fields, lambda: self._remember(fields, now))

    def _add_lists(self, fields: dict[str, Any], snapshot: Snapshot) -> None:
        if self._history:
            fields["history"] = self._history[: self.limit]
        if self._deals:
            fields["deals"] = self._deals[: self.limit]
        if self._symbols or self._is_list_of_symbols:
            fields["symbols"] = self._symbols[: self.limit]
            fields["symbols_complete"] = self._is_list_of_symbols and len(self._symbols) <= self.limit
        ticks = [tick for tick in snapshot.ticks if self._ticks.get(tick["symbol"]) != tick]
        if ticks:
            fields["ticks"] = ticks[: self.limit]

    def _take_history(self, snapshot: Snapshot) -> None:
        traces = snapshot.traces
        if traces is None:
            return
        self._has_history = True
        self._queue(traces.history, self._known_history, self._history, shapes.order, "time_done_ms")
        self._queue(traces.deals, self._known_deals, self._deals, shapes.deal, "time_ms")

    @staticmethod
    def _queue(
        items: tuple[Any, ...], known: set[int], queue: list[Body], shape: Callable[[Any], Body], time: str
    ) -> None:
        fresh = [shape(item) for item in items if item.ticket not in known]
        queue.extend(sorted(fresh, key=lambda body: (body[time], body["ticket"])))
        # What has left the window can't come again; the set stays as small as the history.
        known.clear()
        known.update(item.ticket for item in items)

    def _take_symbols(self, snapshot: Snapshot) -> None:
        if snapshot.symbols is not None:
            self._symbols = list(snapshot.symbols)
            self._is_list_of_symbols = True
        elif not self._is_list_of_symbols:
            self._symbols.extend(snapshot.new_symbols)

    def _ready(self, snapshot: Snapshot, results: list[Body], now: float) -> list[Body]:
        """The results that are not ahead of their facts."""
        if len(self._history) > self.limit or len(self._deals) > self.limit:
            return []
        orders = set(self._known_history) | {order["ticket"] for order in snapshot.orders or ()}
        ready = []
        for body in results:
            key = (body["session"], body["number"])
            pending = self._results.setdefault(key, _Pending(*tickets_of(body), now + FACTS_SECONDS))
            if pending.told_at is not None:
                if now - pending.told_at >= AGAIN_SECONDS:
                    ready.append(body)
                continue
            has_facts = snapshot.traces is not None and pending.orders <= orders and pending.deals <= self._known_deals
            if has_facts or now >= pending.until:
                ready.append(body)
        return ready[:RESULTS_MAX]

    def _remember(self, fields: dict[str, Any], now: float) -> None:
        self._told_at = now
        for want in ("state", "positions", "orders"):
            if want in fields:
                self.wants.discard(want)
        self._state = fields.get("state", self._state)
        self._positions = fields.get("positions", self._positions)
        self._orders = fields.get("orders", self._orders)
        del self._history[: len(fields.get("history", ()))]
        del self._deals[: len(fields.get("deals", ()))]
        if "symbols" in fields:
            del self._symbols[: len(fields["symbols"])]
            if fields["symbols_complete"]:
                self._is_list_of_symbols = False
                self.wants.discard("symbols")
        self._ticks.update({tick["symbol"]: tick for tick in fields.get("ticks", ())})
        for body in fields.get("results", ()):
            self._results[(body["session"], body["number"])].told_at = now

    def forget_results(self, ids: Iterable[ResultId]) -> None:
        """Ponte has named them."""
        for key in ids:
            self._results.pop(key, None)


def _calm(state: Body | None) -> Body | None:
    return None if state is None else {key: value for key, value in state.items() if key not in _RESTLESS}


def _ticket(body: Body) -> int:
    return int(body["ticket"])
