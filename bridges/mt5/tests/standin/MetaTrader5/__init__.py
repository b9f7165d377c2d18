"""A stand-in for the package `MetaTrader5` 5.0.6231, for tests and rehearsals without Windows.

It has the package's functions, constants and structures and speaks to a stand-in terminal
(`ponte venue mt5`) as the real one speaks to a real terminal. What it takes and refuses follows the
real wheel: `tests/test_standin.py` holds the two against each other.
"""

from ._constants import *  # noqa: F403
from ._constants import __author__, __version__
from ._core import (
    account_info,
    copy_rates_from,
    copy_rates_from_pos,
    copy_rates_range,
    copy_ticks_from,
    copy_ticks_range,
    history_deals_get,
    history_deals_total,
    history_orders_get,
    history_orders_total,
    initialize,
    last_error,
    login,
    market_book_add,
    market_book_get,
    market_book_release,
    order_calc_margin,
    order_calc_profit,
    order_check,
    order_send,
    orders_get,
    orders_total,
    positions_get,
    positions_total,
    shutdown,
    symbol_info,
    symbol_info_tick,
    symbol_select,
    symbols_get,
    symbols_total,
    terminal_info,
    version,
)
from ._helpers import Buy, Close, Sell
from ._structures import (
    AccountInfo,
    BookInfo,
    OrderCheckResult,
    OrderSendResult,
    SymbolInfo,
    TerminalInfo,
    Tick,
    TradeDeal,
    TradeOrder,
    TradePosition,
    TradeRequest,
)
