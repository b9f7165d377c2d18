"""A package `MetaTrader5` whose terminal is a few lists, for tests of single parts."""

from __future__ import annotations

from typing import Any, Callable

from MetaTrader5 import _structures as structures

LOGIN, SERVER = 12345678, "Standin-Demo"


def structure(kind: Any, **values: Any) -> Any:
    """A structure with nothing in it but these values."""
    texts = {"symbol", "comment", "external_id", "name", "server", "currency", "company", "currency_profit"}
    return kind(values.get(name, "" if name in texts else 0) for name in kind._names)


class FakePackage:
    """What a test sets is what the functions return."""

    def __init__(self) -> None:
        self.connected = True
        self.trade_allowed = True
        self.api_disabled = False
        self.login = LOGIN
        self.server = SERVER
        self.positions: list[Any] = []
        self.orders: list[Any] = []
        self.history: list[Any] = []
        self.deals: list[Any] = []
        self.symbols: dict[str, Any] = {}
        self.ticks: dict[str, Any] = {}
        self.selected: list[str] = []
        self.sent: list[dict[str, Any]] = []
        self.answer: Callable[[dict[str, Any]], Any] = lambda request: self.done(request)
        self.error = (1, "Success")
        self.broken: int | None = None
        self.starts = 0

    def done(self, request: dict[str, Any], retcode: int = 10009, **values: Any) -> Any:
        number = 1000 + len(self.sent)
        fields = {"retcode": retcode, "order": number, "deal": number + 5000, "volume": request.get("volume", 0.0)}
        return structure(structures.OrderSendResult, **{**fields, **values})

    def fail(self, code: int, words: str = "words") -> None:
        """The next answer is none, for this reason."""
        self.error = (code, words)

    # The package's functions.

    def initialize(self, *_arguments: Any, **_named: Any) -> bool:
        self.starts += 1
        if self.broken is None:
            return True
        self.error = (-10003, "IPC initialize failed")
        return False

    def shutdown(self) -> None:
        pass

    def last_error(self) -> tuple[int, str]:
        return self.error

    def _unless_broken(self, value: Any) -> Any:
        if self.broken is None:
            return value
        self.error = (self.broken, "IPC")
        return None

    def terminal_info(self) -> Any:
        return self._unless_broken(
            structure(
                structures.TerminalInfo,
                connected=self.connected,
                trade_allowed=self.trade_allowed,
                tradeapi_disabled=self.api_disabled,
                build=5000,
            )
        )

    def account_info(self) -> Any:
        if self.login == 0:
            self.error = (-6, "Terminal: Authorization failed")
            return None
        return self._unless_broken(
            structure(
                structures.AccountInfo,
                login=self.login,
                server=self.server,
                currency="BRL",
                trade_allowed=True,
                trade_expert=True,
                balance=100000.0,
                equity=100000.0,
                margin_free=100000.0,
                margin_mode=1,
            )
        )

    def positions_get(self) -> Any:
        return self._unless_broken(tuple(self.positions))

    def orders_get(self) -> Any:
        return self._unless_broken(tuple(self.orders))

    def history_orders_total(self, *_dates: int) -> Any:
        return self._unless_broken(len(self.history))

    def history_deals_total(self, *_dates: int) -> Any:
        return self._unless_broken(len(self.deals))

    def history_orders_get(self, *_dates: int) -> Any:
        return self._unless_broken(tuple(self.history))

    def history_deals_get(self, *_dates: int) -> Any:
        return self._unless_broken(tuple(self.deals))

    def symbols_get(self) -> Any:
        return self._unless_broken(tuple(self.symbols.values()))

    def symbol_info(self, name: str) -> Any:
        return self.symbols.get(name)

    def symbol_select(self, name: str, enable: bool) -> bool:
        self.selected.append(name)
        return enable and name in self.symbols

    def symbol_info_tick(self, name: str) -> Any:
        return self.ticks.get(name)

    def order_send(self, request: dict[str, Any]) -> Any:
        self.sent.append(request)
        return self.answer(request)


def position(**values: Any) -> Any:
    return structure(structures.TradePosition, **{"ticket": 1, "symbol": "WINZ26", "volume": 1.0, **values})


def order(**values: Any) -> Any:
    return structure(structures.TradeOrder, **{"ticket": 1, "symbol": "WINZ26", "volume_initial": 1.0, **values})


def deal(**values: Any) -> Any:
    return structure(structures.TradeDeal, **{"ticket": 1, "symbol": "WINZ26", "volume": 1.0, **values})


def tick(bid: float, ask: float, **values: Any) -> Any:
    return structure(structures.Tick, **{"bid": bid, "ask": ask, "last": 0.0, "time_msc": 1, **values})


def symbol(name: str, **values: Any) -> Any:
    return structure(structures.SymbolInfo, **{"name": name, "visible": True, "select": True, "point": 0.01, **values})
