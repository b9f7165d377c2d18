"""Tasks as Ponte gives them."""

from __future__ import annotations

import itertools
from typing import Any

Body = dict[str, Any]

DEAL, PENDING, SLTP, MODIFY, REMOVE = 1, 5, 6, 7, 8
BUY, SELL, BUY_LIMIT, SELL_LIMIT = 0, 1, 2, 3
IOC, RETURN = 1, 2

_numbers = itertools.count(1)


def order_id(number: int | None = None) -> str:
    """A client order id: 32 hexadecimal digits, different each time."""
    return f"{0xA0000000000000000000000000000000 + (next(_numbers) if number is None else number):032x}"


def magic_of(order: str) -> int:
    """Upper 20 bits for the strategy, lower 43 of the order: a number that no double holds."""
    return (0xABCDE << 43) | int(order, 16) & (2**43 - 1)


def comment_of(order: str) -> str:
    return f"P{order[-22:]}"


def market(symbol: str, side: int, volume: str, **more: Any) -> Body:
    return {"action": DEAL, "symbol": symbol, "type": side, "volume": volume, "type_filling": RETURN, **more}


def pending(symbol: str, kind: int, volume: str, price: str, **more: Any) -> Body:
    return {
        "action": PENDING,
        "symbol": symbol,
        "type": kind,
        "volume": volume,
        "price": price,
        "type_filling": RETURN,
        **more,
    }


def trade(order: str, *requests: Body, reduces: bool = False) -> Body:
    return {
        "kind": "trade",
        "order": order,
        "magic": magic_of(order),
        "comment": comment_of(order),
        "reduces": reduces,
        "requests": list(requests),
    }


def change(order: str, *requests: Body) -> Body:
    return {"kind": "change", "order": order, "magic": magic_of(order), "requests": list(requests)}


def find(order: str, hours: int = 24) -> Body:
    return {
        "kind": "find",
        "order": order,
        "magic": magic_of(order),
        "comment": comment_of(order),
        "history_hours": hours,
    }
