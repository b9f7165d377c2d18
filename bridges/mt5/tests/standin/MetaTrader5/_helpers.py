"""The three helpers that the package itself writes in Python: short for `order_send` at the current price."""

from __future__ import annotations

from typing import Any

from . import _constants as constants
from . import _core as core

_TRIES = 10
_AGAIN = (constants.TRADE_RETCODE_REQUOTE, constants.TRADE_RETCODE_PRICE_OFF)


def _send(side: int, symbol: str, volume: float, price: float, comment: str | None, ticket: int | None) -> Any:
    request = {
        "action": constants.TRADE_ACTION_DEAL,
        "symbol": symbol,
        "volume": volume,
        "type": side,
        "price": price,
        "deviation": 10,
    }
    optional = {"comment": comment, "position": ticket}
    request.update({name: value for name, value in optional.items() if value is not None})
    return core.order_send(request)


def _at_market(side: int, symbol: str, volume: float, comment: str | None, ticket: int | None) -> Any:
    result = None
    for _ in range(_TRIES):
        tick = core.symbol_info_tick(symbol)
        price = tick.ask if side == constants.ORDER_TYPE_BUY else tick.bid
        result = _send(side, symbol, volume, price, comment, ticket)
        if result is None or result.retcode not in _AGAIN:
            break
    return result


def Buy(
    symbol: str, volume: float, price: float | None = None, *, comment: str | None = None, ticket: int | None = None
) -> Any:
    if price is not None:
        return _send(constants.ORDER_TYPE_BUY, symbol, volume, price, comment, ticket)
    return _at_market(constants.ORDER_TYPE_BUY, symbol, volume, comment, ticket)


def Sell(
    symbol: str, volume: float, price: float | None = None, *, comment: str | None = None, ticket: int | None = None
) -> Any:
    if price is not None:
        return _send(constants.ORDER_TYPE_SELL, symbol, volume, price, comment, ticket)
    return _at_market(constants.ORDER_TYPE_SELL, symbol, volume, comment, ticket)


def Close(symbol: str, *, comment: str | None = None, ticket: int | None = None) -> bool | str | None:
    chosen = core.positions_get(symbol=symbol) if ticket is None else core.positions_get(ticket=ticket)
    done = 0
    for position in chosen:
        is_long = position.type == constants.POSITION_TYPE_BUY
        side = constants.ORDER_TYPE_SELL if is_long else constants.ORDER_TYPE_BUY
        if core.symbol_info_tick(symbol) is None:
            return None
        result = _at_market(side, symbol, position.volume, comment, position.ticket)
        if result is None:
            return None
        done += result.retcode == constants.TRADE_RETCODE_DONE
    if done == 0:
        return False
    return True if done == len(chosen) else "Partially"
