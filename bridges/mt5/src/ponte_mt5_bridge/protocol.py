"""What Ponte says to a bridge, read strictly: a command that is not understood is never guessed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Union

from . import decimals

PROTOCOL = 1
SYNC_PATH = "/mt5/v1/sync"
ITEMS_MAX = 500
BODY_BYTES_MAX = 1024 * 1024
# An answer holds commands and lists of symbols; what is larger than this is no answer of Ponte's.
ANSWER_BYTES_MAX = 8 * 1024 * 1024
REQUESTS_MAX = 100

ACTION_DEAL = 1
ACTION_PENDING = 5
ACTION_SLTP = 6
ACTION_MODIFY = 7
ACTION_REMOVE = 8

TYPE_BUY = 0
TYPE_SELL = 1

WANTS = ("symbols", "state", "positions", "orders")


class ProtocolError(ValueError):
    """Ponte said something that this version of the protocol does not have."""


@dataclass(frozen=True)
class TradeRequest:
    """`MqlTradeRequest` without magic number and comment; decimals as text."""

    action: int
    symbol: str
    type: int = 0
    type_filling: int = 0
    type_time: int = 0
    volume: str | None = None
    price: str | None = None
    stoplimit: str | None = None
    sl: str | None = None
    tp: str | None = None
    deviation: int | None = None
    order: int | None = None
    position: int | None = None

    @property
    def is_buy(self) -> bool:
        """Whether it buys: the even types of `ENUM_ORDER_TYPE`."""
        return self.type % 2 == TYPE_BUY

    def to_terminal(self, magic: int, comment: str) -> dict[str, Any]:
        """The dictionary for `order_send`: floats for prices and volumes, nothing that is absent."""
        request: dict[str, Any] = {
            "action": self.action,
            "symbol": self.symbol,
            "magic": magic,
            "type": self.type,
            "type_filling": self.type_filling,
            "type_time": self.type_time,
        }
        for name in ("volume", "price", "stoplimit", "sl", "tp"):
            text = getattr(self, name)
            if text is not None:
                request[name] = decimals.to_float(text)
        for name in ("deviation", "order", "position"):
            number = getattr(self, name)
            if number is not None:
                request[name] = number
        if comment:
            request["comment"] = comment
        return request


@dataclass(frozen=True)
class Trade:
    """Requests that open or close; each is journalled before it is sent."""

    order: str
    magic: int
    comment: str
    reduces: bool
    requests: tuple[TradeRequest, ...]


@dataclass(frozen=True)
class Change:
    """Requests that only change or take back what there is: they may be sent again at any time."""

    order: str
    magic: int
    requests: tuple[TradeRequest, ...]


@dataclass(frozen=True)
class Find:
    """Look an order up in the journal and in the terminal."""

    order: str
    magic: int
    comment: str
    history_hours: int


@dataclass(frozen=True)
class Unintelligible:
    """A task that this bridge does not understand, and so does not begin."""

    order: str
    why: str


Task = Union[Trade, Change, Find, Unintelligible]


@dataclass(frozen=True)
class Command:
    """One thing to be done, within `valid_ms` of the sending of the request that brought it."""

    session: str
    number: int
    valid_ms: int
    task: Task


@dataclass(frozen=True)
class SyncAnswer:
    """Ponte's answer to one request."""

    session: str
    commands: tuple[Command, ...] = ()
    results_seen: tuple[tuple[str, int], ...] = ()
    watch: tuple[str, ...] = ()
    want: tuple[str, ...] = ()
    history_hours: int = 24
    time_ms: int = 0
    unknown: tuple[str, ...] = field(default=())


def parse_answer(body: bytes) -> SyncAnswer:
    """Reads an answer. Raises `ProtocolError` where it is none."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"the answer is no JSON: {error}") from None
    if not isinstance(data, dict):
        raise ProtocolError("the answer is no object")
    version = _whole(data, "protocol", 0, 2**32)
    if version != PROTOCOL:
        raise ProtocolError(f"the answer is of version {version} of the protocol, this bridge speaks {PROTOCOL}")
    want = tuple(_text(word, "want", 32) for word in _list(data, "want"))
    return SyncAnswer(
        session=_text(data.get("session"), "session", 256),
        commands=tuple(_command(item) for item in _list(data, "commands")),
        results_seen=tuple(_result_id(item) for item in _list(data, "results_seen")),
        watch=tuple(_text(symbol, "watch", 64) for symbol in _list(data, "watch")),
        want=tuple(word for word in want if word in WANTS),
        history_hours=_whole(data, "history_hours", 0, 24 * 366 * 10),
        time_ms=_whole(data, "time_ms", 0, 2**63),
        unknown=tuple(word for word in want if word not in WANTS),
    )


def _result_id(item: Any) -> tuple[str, int]:
    data = _object(item, "results_seen")
    return _text(data.get("session"), "results_seen.session", 256), _whole(data, "number", 0, 2**64)


def _command(item: Any) -> Command:
    data = _object(item, "commands")
    # Without these nothing can be said about the command, so the whole answer counts as not understood.
    session = _text(data.get("session"), "commands.session", 256)
    number = _whole(data, "number", 1, 2**63)
    valid_ms = _whole(data, "valid_ms", 0, 2**63)
    task_data = _object(data.get("task"), "commands.task")
    order = _text(task_data.get("order"), "commands.task.order", 64)
    try:
        task = _task(task_data, order)
    except ProtocolError as error:
        task = Unintelligible(order, str(error))
    return Command(session, number, valid_ms, task)


def _task(data: dict[str, Any], order: str) -> Task:
    kind = data.get("kind")
    magic = _whole(data, "magic", 1, 2**63)
    if kind == "trade":
        return Trade(
            order=order,
            magic=magic,
            comment=_text(data.get("comment"), "comment", 64, is_empty_fine=True),
            reduces=_boolean(data, "reduces"),
            requests=_requests(data, (ACTION_DEAL, ACTION_PENDING)),
        )
    if kind == "change":
        # Changes are not journalled: nothing that could open a position may pass as one.
        return Change(order, magic, _requests(data, (ACTION_SLTP, ACTION_MODIFY, ACTION_REMOVE)))
    if kind == "find":
        return Find(
            order=order,
            magic=magic,
            comment=_text(data.get("comment"), "comment", 64, is_empty_fine=True),
            history_hours=_whole(data, "history_hours", 0, 24 * 366 * 10),
        )
    raise ProtocolError(f"a task of the kind {kind!r} is not known")


def _requests(data: dict[str, Any], actions: tuple[int, ...]) -> tuple[TradeRequest, ...]:
    items = data.get("requests")
    if not isinstance(items, list) or not 1 <= len(items) <= REQUESTS_MAX:
        raise ProtocolError(f"requests is no list of 1 to {REQUESTS_MAX}")
    return tuple(_request(_object(item, "requests"), actions) for item in items)


def _request(data: dict[str, Any], actions: tuple[int, ...]) -> TradeRequest:
    action = _whole(data, "action", 0, 100)
    if action not in actions:
        raise ProtocolError(f"action {action} is not one of {actions}")
    request = TradeRequest(
        action=action,
        symbol=_text(data.get("symbol"), "symbol", 64, is_empty_fine=action == ACTION_REMOVE),
        type=_whole_or(data, "type", 0, 0, 9),
        type_filling=_whole_or(data, "type_filling", 0, 0, 4),
        type_time=_whole_or(data, "type_time", 0, 0, 4),
        volume=_decimal(data, "volume"),
        price=_decimal(data, "price"),
        stoplimit=_decimal(data, "stoplimit"),
        sl=_decimal(data, "sl"),
        tp=_decimal(data, "tp"),
        deviation=_whole_or(data, "deviation", None, 0, 2**63),
        order=_whole_or(data, "order", None, 1, 2**63),
        position=_whole_or(data, "position", None, 1, 2**63),
    )
    if action in (ACTION_DEAL, ACTION_PENDING) and (request.volume is None or decimals.to_float(request.volume) <= 0):
        raise ProtocolError(f"volume {request.volume!r} is not above 0")
    if action == ACTION_DEAL and request.type not in (TYPE_BUY, TYPE_SELL):
        raise ProtocolError(f"type {request.type} is not one of a deal")
    if action in (ACTION_MODIFY, ACTION_REMOVE) and request.order is None:
        raise ProtocolError(f"action {action} names no order")
    return request


def _object(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ProtocolError(f"{name} is no object")
    return value


def _list(data: dict[str, Any], name: str) -> list[Any]:
    value = data.get(name, [])
    if not isinstance(value, list):
        raise ProtocolError(f"{name} is no list")
    return value


def _text(value: Any, name: str, most: int, *, is_empty_fine: bool = False) -> str:
    if not isinstance(value, str) or len(value) > most or (not value and not is_empty_fine):
        raise ProtocolError(f"{name} is no text of at most {most} characters")
    return value


def _boolean(data: dict[str, Any], name: str) -> bool:
    value = data.get(name)
    if not isinstance(value, bool):
        raise ProtocolError(f"{name} is neither true nor false")
    return value


def _whole(data: dict[str, Any], name: str, least: int, below: int) -> int:
    value = data.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value < below:
        raise ProtocolError(f"{name} is no whole number from {least} to {below - 1}")
    return value


def _whole_or(data: dict[str, Any], name: str, absent: int | None, least: int, below: int) -> Any:
    return absent if data.get(name) is None else _whole(data, name, least, below)


def _decimal(data: dict[str, Any], name: str) -> str | None:
    value = data.get(name)
    if value is None:
        return None
    if not decimals.is_decimal(value):
        raise ProtocolError(f"{name} is no decimal")
    return str(value)
