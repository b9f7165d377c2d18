"""The package's structures: tuples whose items have names, as C's struct sequences are."""

from __future__ import annotations

from typing import Any


class Structure(tuple):
    """What a struct sequence is for whoever uses it: index, attribute, `_asdict`, and its own `repr`."""

    __slots__ = ()
    _names: tuple[str, ...] = ()
    n_fields = 0
    n_sequence_fields = 0
    n_unnamed_fields = 0

    def __new__(cls, values: Any) -> Structure:
        items = tuple(values)
        if len(items) != len(cls._names):
            raise TypeError(
                f"MetaTrader5.{cls.__name__}() takes a {len(cls._names)}-sequence ({len(items)}-sequence given)"
            )
        return super().__new__(cls, items)

    def __init_subclass__(cls) -> None:
        cls.n_fields = cls.n_sequence_fields = len(cls._names)
        for index, name in enumerate(cls._names):
            setattr(cls, name, property(lambda self, index=index: self[index]))

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in zip(self._names, self))
        return f"{type(self).__name__}({fields})"

    def _asdict(self) -> dict[str, Any]:
        """Convert named tuple object to dictionary"""
        return dict(zip(self._names, self))

    @classmethod
    def read(cls, data: dict[str, Any]) -> Structure:
        """From the wire of the stand-in terminal."""
        return cls(data[name] for name in cls._names)


class TradePosition(Structure):
    """Trade position structure"""

    __slots__ = ()
    _names = (
        "ticket",
        "time",
        "time_msc",
        "time_update",
        "time_update_msc",
        "type",
        "magic",
        "identifier",
        "reason",
        "volume",
        "price_open",
        "sl",
        "tp",
        "price_current",
        "swap",
        "profit",
        "symbol",
        "comment",
        "external_id",
    )


class TradeOrder(Structure):
    """Trade order structure"""

    __slots__ = ()
    _names = (
        "ticket",
        "time_setup",
        "time_setup_msc",
        "time_done",
        "time_done_msc",
        "time_expiration",
        "type",
        "type_time",
        "type_filling",
        "state",
        "magic",
        "position_id",
        "position_by_id",
        "reason",
        "volume_initial",
        "volume_current",
        "price_open",
        "sl",
        "tp",
        "price_current",
        "price_stoplimit",
        "symbol",
        "comment",
        "external_id",
    )


class TradeDeal(Structure):
    """Trade deal structure"""

    __slots__ = ()
    _names = (
        "ticket",
        "order",
        "time",
        "time_msc",
        "type",
        "entry",
        "magic",
        "position_id",
        "reason",
        "volume",
        "price",
        "commission",
        "swap",
        "profit",
        "fee",
        "symbol",
        "comment",
        "external_id",
    )


class TradeRequest(Structure):
    """Trade request structure"""

    __slots__ = ()
    _names = (
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


class OrderSendResult(Structure):
    """order_send result structure"""

    __slots__ = ()
    _names = (
        "retcode",
        "deal",
        "order",
        "volume",
        "price",
        "bid",
        "ask",
        "comment",
        "request_id",
        "retcode_external",
        "request",
    )


class OrderCheckResult(Structure):
    """order_check result structure"""

    __slots__ = ()
    _names = (
        "retcode",
        "balance",
        "equity",
        "profit",
        "margin",
        "margin_free",
        "margin_level",
        "comment",
        "request",
    )


class Tick(Structure):
    """This is a structure for storing latest symbol prices"""

    __slots__ = ()
    _names = (
        "time",
        "bid",
        "ask",
        "last",
        "volume",
        "time_msc",
        "flags",
        "volume_real",
    )


class TerminalInfo(Structure):
    """This is a structure for storing terminal information"""

    __slots__ = ()
    _names = (
        "community_account",
        "community_connection",
        "connected",
        "dlls_allowed",
        "trade_allowed",
        "tradeapi_disabled",
        "email_enabled",
        "ftp_enabled",
        "notifications_enabled",
        "mqid",
        "build",
        "maxbars",
        "codepage",
        "ping_last",
        "community_balance",
        "retransmission",
        "company",
        "name",
        "language",
        "path",
        "data_path",
        "commondata_path",
    )


class SymbolInfo(Structure):
    """This is a structure for storing symbol information"""

    __slots__ = ()
    _names = (
        "custom",
        "chart_mode",
        "select",
        "visible",
        "session_deals",
        "session_buy_orders",
        "session_sell_orders",
        "volume",
        "volumehigh",
        "volumelow",
        "time",
        "digits",
        "spread",
        "spread_float",
        "ticks_bookdepth",
        "trade_calc_mode",
        "trade_mode",
        "start_time",
        "expiration_time",
        "trade_stops_level",
        "trade_freeze_level",
        "trade_exemode",
        "swap_mode",
        "swap_rollover3days",
        "margin_hedged_use_leg",
        "expiration_mode",
        "filling_mode",
        "order_mode",
        "order_gtc_mode",
        "option_mode",
        "option_right",
        "bid",
        "bidhigh",
        "bidlow",
        "ask",
        "askhigh",
        "asklow",
        "last",
        "lasthigh",
        "lastlow",
        "volume_real",
        "volumehigh_real",
        "volumelow_real",
        "option_strike",
        "point",
        "trade_tick_value",
        "trade_tick_value_profit",
        "trade_tick_value_loss",
        "trade_tick_size",
        "trade_contract_size",
        "trade_accrued_interest",
        "trade_face_value",
        "trade_liquidity_rate",
        "volume_min",
        "volume_max",
        "volume_step",
        "volume_limit",
        "swap_long",
        "swap_short",
        "margin_initial",
        "margin_maintenance",
        "session_volume",
        "session_turnover",
        "session_interest",
        "session_buy_orders_volume",
        "session_sell_orders_volume",
        "session_open",
        "session_close",
        "session_aw",
        "session_price_settlement",
        "session_price_limit_min",
        "session_price_limit_max",
        "margin_hedged",
        "price_change",
        "price_volatility",
        "price_theoretical",
        "price_greeks_delta",
        "price_greeks_theta",
        "price_greeks_gamma",
        "price_greeks_vega",
        "price_greeks_rho",
        "price_greeks_omega",
        "price_sensitivity",
        "basis",
        "category",
        "currency_base",
        "currency_profit",
        "currency_margin",
        "bank",
        "description",
        "exchange",
        "formula",
        "isin",
        "name",
        "page",
        "path",
    )


class AccountInfo(Structure):
    """This is a structure for storing account information"""

    __slots__ = ()
    _names = (
        "login",
        "trade_mode",
        "leverage",
        "limit_orders",
        "margin_so_mode",
        "trade_allowed",
        "trade_expert",
        "margin_mode",
        "currency_digits",
        "fifo_close",
        "balance",
        "credit",
        "profit",
        "equity",
        "margin",
        "margin_free",
        "margin_level",
        "margin_so_call",
        "margin_so_so",
        "margin_initial",
        "margin_maintenance",
        "assets",
        "liabilities",
        "commission_blocked",
        "name",
        "server",
        "currency",
        "company",
    )


class BookInfo(Structure):
    """This is a structure for storing Depth of Market information"""

    __slots__ = ()
    _names = (
        "type",
        "price",
        "volume",
        "volume_dbl",
    )
