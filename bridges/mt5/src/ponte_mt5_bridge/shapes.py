"""The terminal's structures in the protocol's shapes: same names and numbers, decimals as text."""

from __future__ import annotations

from typing import Any

from . import clock
from .decimals import to_limit_text, to_text

Body = dict[str, Any]

# Ponte refuses longer comments; no terminal has them.
_COMMENT_BYTES_MAX = 200


def comment_of(text: Any) -> str:
    """A comment that fits the protocol, whatever the broker wrote into it."""
    clean = "".join(letter for letter in str(text or "") if letter.isprintable())
    return clean.encode()[:_COMMENT_BYTES_MAX].decode("utf-8", "ignore")


def state(info: Any, account: Any, server_time_ms: int) -> Body:
    """`TerminalState`; without a terminal or an account the fields say so."""
    has_account = account is not None and account.login != 0
    return {
        "connected": bool(info is not None and info.connected),
        "trade_allowed": bool(info is not None and info.trade_allowed),
        "tradeapi_disabled": bool(info is not None and info.tradeapi_disabled),
        "account_trade_allowed": bool(has_account and account.trade_allowed),
        "account_trade_expert": bool(has_account and account.trade_expert),
        "login": int(account.login) if has_account else 0,
        "server": str(account.server) if has_account else "",
        "company": str(account.company) if has_account else "",
        "account_trade_mode": int(account.trade_mode) if has_account else 0,
        "margin_mode": int(account.margin_mode) if has_account else 0,
        "currency": str(account.currency) if has_account else "",
        "balance": to_text(account.balance) if has_account else "0",
        "equity": to_text(account.equity) if has_account else "0",
        "margin_free": to_text(account.margin_free) if has_account else "0",
        "leverage": int(account.leverage) if has_account else 0,
        "build": int(info.build) if info is not None else 0,
        "ping_us": int(info.ping_last) if info is not None else 0,
        "server_time_ms": server_time_ms,
        "time_ms": clock.wall_ms(),
    }


def position(item: Any) -> Body:
    """`Position`, without what changes with every price."""
    return {
        "ticket": item.ticket,
        "identifier": item.identifier,
        "symbol": item.symbol,
        "type": item.type,
        "magic": item.magic,
        "volume": to_text(item.volume),
        "price_open": to_text(item.price_open),
        "sl": to_text(item.sl),
        "tp": to_text(item.tp),
        "time_ms": item.time_msc,
        "comment": comment_of(item.comment),
    }


def order(item: Any) -> Body:
    """`TradeOrder`, pending or over."""
    return {
        "ticket": item.ticket,
        "symbol": item.symbol,
        "type": item.type,
        "state": item.state,
        "magic": item.magic,
        "position_id": item.position_id,
        "volume_initial": to_text(item.volume_initial),
        "volume_current": to_text(item.volume_current),
        "price_open": to_text(item.price_open),
        "price_stoplimit": to_text(item.price_stoplimit),
        "sl": to_text(item.sl),
        "tp": to_text(item.tp),
        "reason": item.reason,
        "time_ms": item.time_setup_msc,
        "time_done_ms": item.time_done_msc,
        "comment": comment_of(item.comment),
    }


def deal(item: Any) -> Body:
    """`Deal`."""
    return {
        "ticket": item.ticket,
        "order": item.order,
        "position_id": item.position_id,
        "symbol": item.symbol,
        "type": item.type,
        "entry": item.entry,
        "magic": item.magic,
        "reason": item.reason,
        "volume": to_text(item.volume),
        "price": to_text(item.price),
        "commission": to_text(item.commission),
        "fee": to_text(item.fee),
        "swap": to_text(item.swap),
        "profit": to_text(item.profit),
        "time_ms": item.time_msc,
        "comment": comment_of(item.comment),
    }


def symbol(item: Any) -> Body:
    """`SymbolInfo`. Whether its session is open is not known to Python."""
    return {
        "name": item.name,
        "digits": item.digits,
        "point": to_text(item.point),
        "tick_size": to_text(item.trade_tick_size),
        "tick_value": to_text(item.trade_tick_value),
        "contract_size": to_text(item.trade_contract_size),
        "volume_min": to_text(item.volume_min),
        "volume_max": to_text(item.volume_max),
        "volume_step": to_text(item.volume_step),
        "volume_limit": to_limit_text(item.volume_limit),
        "stops_level": max(0, item.trade_stops_level),
        "freeze_level": max(0, item.trade_freeze_level),
        "trade_mode": item.trade_mode,
        "execution_mode": item.trade_exemode,
        "filling_mode": item.filling_mode,
        "order_mode": item.order_mode,
        "expiration_mode": item.expiration_mode,
        "expiration_time": item.expiration_time,
        "currency_profit": item.currency_profit,
        "price_limit_min": to_limit_text(item.session_price_limit_min),
        "price_limit_max": to_limit_text(item.session_price_limit_max),
    }


def tick(name: str, item: Any) -> Body:
    """`Tick`."""
    return {
        "symbol": name,
        "bid": to_text(item.bid),
        "ask": to_text(item.ask),
        "last": to_text(item.last),
        "time_ms": item.time_msc,
    }


def answer(result: Any) -> Body:
    """The step that the terminal answered (`MqlTradeResult`)."""
    return {
        "answered": True,
        "retcode": int(result.retcode),
        "error": 0,
        "order": int(result.order),
        "deal": int(result.deal),
        "volume": to_text(result.volume),
        "price": to_text(result.price),
        "comment": comment_of(result.comment),
        "retcode_external": int(result.retcode_external),
    }
