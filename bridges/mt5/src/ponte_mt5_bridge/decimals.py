"""The edge between MetaTrader's doubles and the protocol's decimals."""

from __future__ import annotations

import decimal
import math
import re

# As PROTOCOL.md has it: no exponent, at most eight decimals.
_DECIMAL = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,8})?\Z")
_STEP = decimal.Decimal("0.00000001")
# What is larger is the terminal's way of saying "no limit" and fits no number of Ponte's.
_LARGEST = decimal.Decimal(10) ** 18
_CONTEXT = decimal.Context(prec=60)


def to_text(value: float) -> str:
    """The shortest decimal that is this double to eight decimals; `0` for what is no number.

    Doubles carry noise (`0.30000000000000004` lots), which ends beyond the eighth decimal for every
    price and volume that a terminal knows.
    """
    if isinstance(value, int):
        exact = decimal.Decimal(value)
    elif math.isfinite(value):
        # repr gives the shortest digits that are this double and no other.
        exact = decimal.Decimal(repr(value))
    else:
        return "0"
    exact = max(-_LARGEST, min(_LARGEST, exact))
    text = format(exact.quantize(_STEP, context=_CONTEXT), "f")
    text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def to_limit_text(value: float) -> str:
    """As `to_text`, with `0` where the terminal means that there is no limit."""
    if not math.isfinite(value) or abs(value) >= 1e18:
        return "0"
    return to_text(value)


def is_decimal(text: object) -> bool:
    """Whether this is a decimal as the protocol writes them."""
    return isinstance(text, str) and _DECIMAL.match(text) is not None


def to_float(text: str) -> float:
    """The double next to a decimal. The package takes nothing but floats for prices and volumes."""
    if not is_decimal(text):
        raise ValueError(f"{text!r} is no decimal")
    return float(text)
