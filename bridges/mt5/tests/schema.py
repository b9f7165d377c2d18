"""What a bridge may say, field by field, as `crates/ponte/src/bridge/protocol.rs` reads it."""

from __future__ import annotations

import re
from typing import Any, Callable

ITEMS_MAX = 500
_DECIMAL = re.compile(r"-?[0-9]{1,19}(\.[0-9]{1,8})?\Z")

Check = Callable[[Any], bool]


def decimal(value: Any) -> bool:
    return isinstance(value, str) and _DECIMAL.match(value) is not None


def whole(bits: int, *, is_signed: bool = False) -> Check:
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1)) if is_signed else (0, 2**bits)
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and low <= value < high


def text(most: int) -> Check:
    return lambda value: isinstance(value, str) and len(value.encode()) <= most


def flag(value: Any) -> bool:
    return isinstance(value, bool)


U32, U64, I32, I64 = whole(32), whole(64), whole(32, is_signed=True), whole(64, is_signed=True)

BRIDGE = {"kind": text(256), "version": text(256), "journal": lambda value: re.fullmatch("[0-9a-f]{16}", value)}
STATE = {
    "connected": flag,
    "trade_allowed": flag,
    "tradeapi_disabled": flag,
    "account_trade_allowed": flag,
    "account_trade_expert": flag,
    "login": I64,
    "server": text(256),
    "company": text(256),
    "account_trade_mode": U32,
    "margin_mode": U32,
    "currency": text(256),
    "balance": decimal,
    "equity": decimal,
    "margin_free": decimal,
    "leverage": I64,
    "build": U32,
    "ping_us": I64,
    "server_time_ms": I64,
    "time_ms": I64,
}
POSITION = {
    "ticket": U64,
    "identifier": U64,
    "symbol": text(64),
    "type": U32,
    "magic": I64,
    "volume": decimal,
    "price_open": decimal,
    "sl": decimal,
    "tp": decimal,
    "time_ms": I64,
    "comment": text(256),
}
ORDER = {
    "ticket": U64,
    "symbol": text(64),
    "type": U32,
    "state": U32,
    "magic": I64,
    "position_id": U64,
    "volume_initial": decimal,
    "volume_current": decimal,
    "price_open": decimal,
    "price_stoplimit": decimal,
    "sl": decimal,
    "tp": decimal,
    "reason": U32,
    "time_ms": I64,
    "time_done_ms": I64,
    "comment": text(256),
}
DEAL = {
    "ticket": U64,
    "order": U64,
    "position_id": U64,
    "symbol": text(64),
    "type": U32,
    "entry": U32,
    "magic": I64,
    "reason": U32,
    "volume": decimal,
    "price": decimal,
    "commission": decimal,
    "fee": decimal,
    "swap": decimal,
    "profit": decimal,
    "time_ms": I64,
    "comment": text(256),
}
SYMBOL = {
    "name": text(64),
    "digits": U32,
    "point": decimal,
    "tick_size": decimal,
    "tick_value": decimal,
    "contract_size": decimal,
    "volume_min": decimal,
    "volume_max": decimal,
    "volume_step": decimal,
    "volume_limit": decimal,
    "stops_level": U32,
    "freeze_level": U32,
    "trade_mode": U32,
    "execution_mode": U32,
    "filling_mode": U32,
    "order_mode": U32,
    "expiration_mode": U32,
    "expiration_time": I64,
    "currency_profit": text(256),
    "price_limit_min": decimal,
    "price_limit_max": decimal,
    "session_open": flag,
}
TICK = {"symbol": text(64), "bid": decimal, "ask": decimal, "last": decimal, "time_ms": I64}
STEP = {
    "answered": flag,
    "retcode": U32,
    "error": I32,
    "order": U64,
    "deal": U64,
    "volume": decimal,
    "price": decimal,
    "comment": text(256),
    "retcode_external": I64,
}
# What may be left out, with serde's default in its place.
OPTIONAL = {"session_open", *STEP} - {"answered"}


def violations(request: Any) -> list[str]:
    """All that Ponte would not understand in a request."""
    found: list[str] = []
    if not isinstance(request, dict):
        return ["the request is no object"]
    if request.get("protocol") != 1:
        found.append("protocol")
    _fields(request.get("bridge"), BRIDGE, "bridge", found)
    if "state" in request:
        _fields(request["state"], STATE, "state", found)
    for name, fields, most in (
        ("positions", POSITION, 2000),
        ("orders", ORDER, 2000),
        ("history", ORDER, ITEMS_MAX),
        ("deals", DEAL, ITEMS_MAX),
        ("symbols", SYMBOL, ITEMS_MAX),
        ("ticks", TICK, ITEMS_MAX),
    ):
        _list(request.get(name, []), fields, name, most, found)
    for result in request.get("results", []):
        _result(result, found)
    if "session" not in request and not {"state", "positions", "orders"} <= request.keys():
        found.append("a session begins with state, positions and orders")
    return found


def _result(result: Any, found: list[str]) -> None:
    fields = {"session": text(256), "number": U64, "order": text(256), "outcome": _outcome, "why": text(1024)}
    _fields({"why": "", **result}, fields, "result", found, extra={"steps", "found"})
    _list(result.get("steps", []), STEP, "result.steps", 100, found)
    seen = result.get("found")
    if seen is not None:
        if not flag(seen.get("conclusive")):
            found.append("result.found.conclusive")
        _list(seen["steps"], STEP, "result.found.steps", 100, found)
        _list(seen["orders"], ORDER, "result.found.orders", 2000, found)
        _list(seen["history"], ORDER, "result.found.history", 2000, found)
        _list(seen["deals"], DEAL, "result.found.deals", 2000, found)


def _outcome(value: Any) -> bool:
    return value in ("answered", "not_begun", "known", "interrupted")


def _list(items: Any, fields: dict[str, Check], name: str, most: int, found: list[str]) -> None:
    if not isinstance(items, list) or len(items) > most:
        found.append(f"{name} is no list of at most {most}")
        return
    for item in items:
        _fields(item, fields, name, found)


def _fields(
    item: Any, fields: dict[str, Check], name: str, found: list[str], extra: frozenset[str] | set[str] = frozenset()
) -> None:
    if not isinstance(item, dict):
        found.append(f"{name} is no object")
        return
    for key in item.keys() - fields.keys() - extra:
        found.append(f"{name}.{key} is not known")
    for key, check in fields.items():
        if key not in item:
            if key not in OPTIONAL or name in ("deals", "positions", "state") or "order" in name:
                found.append(f"{name}.{key} is missing")
        elif not check(item[key]):
            found.append(f"{name}.{key} is {item[key]!r}")
