"""The package's functions, as strict with their arguments as the wheel's own code is."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Callable

from . import _structures as structures
from ._wire import CallError, Wire

RES_S_OK = 1
INVALID_PARAMS = -2
NOT_FOUND = -4
UNSUPPORTED = -7

# A symbol or a comment that is not shorter than 30 characters is refused by the wheel.
_TEXT_BELOW = 30
_WHOLE = {
    "action": 2**32,
    "magic": 2**64,
    "order": 2**64,
    "deviation": 2**64,
    "type": 2**32,
    "type_filling": 2**32,
    "type_time": 2**32,
    "expiration": 2**63,
    "position": 2**64,
    "position_by": 2**64,
}
# In the order in which the wheel reads them.
_REQUEST = (
    "action",
    "magic",
    "order",
    "symbol",
    "volume",
    "price",
    "stoplimit",
    "sl",
    "tp",
    "deviation",
    "type",
    "type_filling",
    "type_time",
    "expiration",
    "comment",
    "position",
    "position_by",
)
_EMPTY_REQUEST = {
    name: 0.0 if name in ("volume", "price", "stoplimit", "sl", "tp") else "" if name in ("symbol", "comment") else 0
    for name in _REQUEST
}

_wire = Wire()
_last = (RES_S_OK, "Success")


def _invalid(words: str) -> CallError:
    return CallError(INVALID_PARAMS, words)


def _run(job: Callable[[], Any], failed: Any = None) -> Any:
    """What a job returns; where it fails, `failed` with the error kept for `last_error`."""
    global _last
    try:
        value = job()
    except CallError as error:
        _last = (error.code, error.words)
        return failed
    _last = (RES_S_OK, "Success")
    return value


def last_error() -> tuple[int, str]:
    """last_error()

    Return last error code and description"""
    return _last


def initialize(*arguments: Any, **named: Any) -> bool:
    """initialize([path],[server="SERVER"],[login=LOGIN],[password="PASSWORD"])

    Establish connection to MetaTrader 5 terminal"""

    def job() -> bool:
        if len(arguments) > 1:
            raise _invalid("Invalid number of arguments")
        if arguments and not isinstance(arguments[0], str):
            raise _invalid("Invalid 1st unnamed argument")
        told = _checked(
            named,
            {"path": str, "login": int, "password": str, "server": str, "timeout": int, "portable": bool},
        )
        if arguments:
            told["path"] = arguments[0]
        _wire.open()
        try:
            return bool(_wire.call("initialize", told))
        except CallError:
            _wire.close()
            raise

    return bool(_run(job, False))


def login(*arguments: Any, **named: Any) -> bool:
    """login(login,[server="SERVER"],[password="PASSWORD"])

    Log in to specific account"""

    def job() -> bool:
        if len(arguments) > 1:
            raise _invalid("Invalid number of arguments")
        if arguments and not _is_whole(arguments[0]):
            raise _invalid("Invalid 1st unnamed argument")
        told = _checked(named, {"login": int, "password": str, "server": str, "timeout": int})
        if arguments:
            told["login"] = arguments[0]
        return bool(_wire.call("login", told))

    return bool(_run(job, False))


def _checked(named: dict[str, Any], kinds: dict[str, type]) -> dict[str, Any]:
    """The named arguments that the wheel looks at; others it does not see."""
    told = {}
    for name, kind in kinds.items():
        if name not in named:
            continue
        value = named[name]
        if not isinstance(value, kind):
            raise _invalid(f'Invalid "{name}" argument')
        told[name] = value
    return told


def shutdown() -> None:
    """shutdown()

    Disconnect from MetaTrader 5 terminal"""
    _wire.close()


def version() -> Any:
    """version()

    Get MetaTrader 5 terminal version"""
    return _run(lambda: tuple(_wire.call("version", {})))


def terminal_info() -> Any:
    """terminal_info()

    Get parameters of MetaTrader 5 terminal"""
    return _run(lambda: structures.TerminalInfo.read(_wire.call("terminal_info", {})))


def account_info() -> Any:
    """account_info()

    Return information on the current account"""
    return _run(lambda: structures.AccountInfo.read(_wire.call("account_info", {})))


def symbols_total() -> Any:
    """symbols_total()

    Return the number of all available symbols"""
    return _run(lambda: _wire.call("symbols_total", {}))


def symbols_get(*arguments: Any, **named: Any) -> Any:
    """symbols_get([group="GROUP"])

    Return all available symbols or filtred by group"""
    return _run(lambda: _list("symbols_get", structures.SymbolInfo, arguments, named, ("group",)))


def symbol_info(*arguments: Any) -> Any:
    """symbol_info(symbol)

    Return full information for specified symbol"""
    return _run(lambda: structures.SymbolInfo.read(_wire.call("symbol_info", {"symbol": _symbol(arguments)})))


def symbol_info_tick(*arguments: Any) -> Any:
    """symbol_info_tick(symbol)

    Return current prices of specified symbol"""
    return _run(lambda: structures.Tick.read(_wire.call("symbol_info_tick", {"symbol": _symbol(arguments)})))


def symbol_select(*arguments: Any) -> Any:
    """symbol_select(symbol,[enable])

    Select symbol in Market Watch window or remove symbol from the window"""

    def job() -> Any:
        if not 1 <= len(arguments) <= 2:
            raise _invalid("Invalid arguments")
        enable = bool(arguments[1]) if len(arguments) == 2 else True
        return _wire.call("symbol_select", {"symbol": _symbol(arguments[:1]), "enable": enable})

    return _run(job, False)


def _symbol(arguments: tuple[Any, ...]) -> str:
    if len(arguments) != 1 or not isinstance(arguments[0], str):
        raise _invalid("Invalid arguments")
    return arguments[0]


def _list(
    function: str,
    structure: type[structures.Structure],
    arguments: tuple[Any, ...],
    named: dict[str, Any],
    filters: tuple[str, ...],
) -> tuple[Any, ...]:
    """All that the terminal has, or what one filter lets through."""
    told: dict[str, Any] = {}
    if arguments:
        raise _invalid("Unnamed arguments not allowed")
    for name in filters:
        if name not in named:
            continue
        value = named[name]
        if not (_is_whole(value) if name in ("ticket", "position") else isinstance(value, str)):
            raise _invalid(f'Invalid "{name}" argument')
        told[name] = value
        break
    try:
        return tuple(structure.read(item) for item in _wire.call(function, told))
    except CallError as error:
        # A ticket that is not there is an empty answer, no error.
        if error.code == NOT_FOUND:
            return ()
        raise


def positions_total() -> Any:
    """positions_total()

    Return the number of open positions"""
    return _run(lambda: _wire.call("positions_total", {}))


def positions_get(*arguments: Any, **named: Any) -> Any:
    """positions_get([symbol="SYMBOL"],[ticket=TICKET],[group="GROUP"])

    Return all open positions, can be filtered by symbol, group or ticket"""
    return _run(
        lambda: _list("positions_get", structures.TradePosition, arguments, named, ("symbol", "ticket", "group"))
    )


def orders_total() -> Any:
    """orders_total()

    Return the number of orders"""
    return _run(lambda: _wire.call("orders_total", {}))


def orders_get(*arguments: Any, **named: Any) -> Any:
    """orders_get([symbol="SYMBOL"],[ticket=TICKET],[group="GROUP"])

    Return all orders, can be filtered by symbol, group or ticket"""
    return _run(lambda: _list("orders_get", structures.TradeOrder, arguments, named, ("symbol", "ticket", "group")))


def history_orders_total(*arguments: Any) -> Any:
    """history_orders_total(date_from, date_to)

    Return the number of orders in selected range from history"""
    return _run(lambda: _wire.call("history_orders_total", _dates(arguments)))


def history_orders_get(*arguments: Any, **named: Any) -> Any:
    """history_orders_get([date_from, date_to, [group="GROUP"]],[position=POSITION],[ticket=TICKET])

    Return orders in selected range from history or filtered by position id, ticket"""
    return _run(lambda: _history("history_orders_get", structures.TradeOrder, arguments, named))


def history_deals_total(*arguments: Any) -> Any:
    """history_deals_total(date_from, date_to)

    Return the number of deals in selected range from history"""
    return _run(lambda: _wire.call("history_deals_total", _dates(arguments)))


def history_deals_get(*arguments: Any, **named: Any) -> Any:
    """history_deals_get([date_from, date_to, [group="GROUP"]],[position=POSITION],[ticket=TICKET])

    Return deals in selected range from history or filtered by position id, ticket"""
    return _run(lambda: _history("history_deals_get", structures.TradeDeal, arguments, named))


def _history(
    function: str, structure: type[structures.Structure], arguments: tuple[Any, ...], named: dict[str, Any]
) -> tuple[Any, ...]:
    if "ticket" in named or "position" in named:
        return _list(function, structure, arguments, named, ("ticket", "position"))
    told = _dates(arguments)
    if "group" in named:
        if not isinstance(named["group"], str):
            raise _invalid('Invalid "group" argument')
        told["group"] = named["group"]
    return tuple(structure.read(item) for item in _wire.call(function, told))


def _dates(arguments: tuple[Any, ...]) -> dict[str, Any]:
    """Two moments: whole seconds, floats or datetimes, of which the wheel takes `timestamp()`."""
    if len(arguments) != 2:
        raise _invalid("Invalid arguments")
    return {"date_from": _seconds(arguments[0]), "date_to": _seconds(arguments[1])}


def _seconds(moment: Any) -> int:
    if isinstance(moment, (int, float)):
        return int(moment)
    if isinstance(moment, datetime):
        return int(moment.timestamp())
    raise _invalid("Invalid arguments")


def order_check(*arguments: Any, **named: Any) -> Any:
    """order_check(request)

    Check if there are enough funds to execute required trading operation"""

    def job() -> Any:
        data = dict(_wire.call("order_check", {"request": _request(arguments, named)}))
        data["request"] = _trade_request(data["request"])
        return structures.OrderCheckResult.read(data)

    return _run(job)


def order_send(*arguments: Any, **named: Any) -> Any:
    """order_send(request)

    Send trading requests to server"""

    def job() -> Any:
        data = dict(_wire.call("order_send", {"request": _request(arguments, named)}))
        data["request"] = _trade_request(data["request"])
        return structures.OrderSendResult.read(data)

    return _run(job)


def _trade_request(data: dict[str, Any]) -> structures.Structure:
    return structures.TradeRequest.read({**_EMPTY_REQUEST, **data})


def _request(arguments: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
    """The request as the wheel reads it: a dictionary, or its items as named arguments."""
    if named:
        if arguments:
            raise _invalid("Unnamed arguments not allowed")
        given: Any = named
    else:
        if len(arguments) != 1:
            raise _invalid("Invalid number of arguments")
        given = arguments[0]
    if not isinstance(given, dict):
        raise _invalid("Invalid arguments")
    request = {}
    for name in _REQUEST:
        # An item that is None is no float, no int and no text, and so it is refused.
        if name in given:
            request[name] = _field(name, given[name])
    return request


def _field(name: str, value: Any) -> Any:
    if name in ("symbol", "comment"):
        is_fine = isinstance(value, str) and len(value) < _TEXT_BELOW
    elif name in _WHOLE:
        is_fine = _is_whole(value) and -(2**63 if name == "expiration" else 0) <= value < _WHOLE[name]
    else:
        # A whole number is not taken for a float: 1 is refused where 1.0 is meant.
        is_fine = isinstance(value, float)
    if not is_fine:
        raise _invalid(f'Invalid "{name}" argument')
    return value


def _is_whole(value: Any) -> bool:
    return isinstance(value, int)


def order_calc_margin(*arguments: Any) -> Any:
    """order_calc_margin(action, symbol, volume, price,)

    Calculate margin required for specified order"""
    return _run(lambda: _calculate("order_calc_margin", ("action", "symbol", "volume", "price"), arguments))


def order_calc_profit(*arguments: Any) -> Any:
    """order_calc_profit(action, symbol, volume, price_open, price_close)

    Calculate profit for the current account in the current market conditions based on parameters passed"""
    names = ("action", "symbol", "volume", "price_open", "price_close")
    return _run(lambda: _calculate("order_calc_profit", names, arguments))


def _calculate(function: str, names: tuple[str, ...], arguments: tuple[Any, ...]) -> Any:
    if len(arguments) != len(names):
        raise _invalid("Invalid arguments")
    told = dict(zip(names, arguments))
    numbers = [value for name, value in told.items() if name not in ("action", "symbol")]
    are_numbers = all(isinstance(value, (int, float)) for value in numbers)
    if not (_is_whole(told["action"]) and isinstance(told["symbol"], str) and are_numbers):
        raise _invalid("Invalid arguments")
    return _wire.call(function, told)


def _not_here(*_arguments: Any) -> Any | None:
    def job() -> Any:
        raise CallError(UNSUPPORTED)

    return _run(job)


def _unsupported(name: str, words: str) -> Callable[..., Any | None]:
    """A function that the stand-in terminal does not have: no bridge needs charts or the book."""

    def function(*arguments: Any) -> Any | None:
        return _not_here(*arguments)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = words
    return function


copy_ticks_from = _unsupported(
    "copy_ticks_from", "copy_ticks_from(symbol, date_from, count, flags)\n\nGet ticks starting from specific date"
)
copy_ticks_range = _unsupported(
    "copy_ticks_range", "copy_ticks_range(symbol, date_from, date_to, flags)\n\nGet ticks from specified period"
)
copy_rates_from = _unsupported(
    "copy_rates_from", "copy_rates_from(symbol, timeframe, date_from, count)\n\nGet bars starting from specific date"
)
copy_rates_from_pos = _unsupported(
    "copy_rates_from_pos",
    "copy_rates_from_pos(symbol, timeframe, start_pos, count)\n\nGet bars starting from specified position",
)
copy_rates_range = _unsupported(
    "copy_rates_range", "copy_rates_range(symbol, timeframe, date_from, date_to)\n\nGet bars from specified period"
)
market_book_add = _unsupported(
    "market_book_add", "market_book_add(symbol)\n\nOpens Depth of Market for a selected symbol"
)
market_book_release = _unsupported(
    "market_book_release", "market_book_release(symbol)\n\nCloses Depth of Market for a selected symbol"
)
market_book_get = _unsupported(
    "market_book_get", "market_book_get(symbol)\n\nReturns Depth of Market structures of a specified symbol"
)
