"""The two clocks: one that only goes forward, for everything that expires, and the wall's, for people."""

from __future__ import annotations

import time


def monotonic() -> float:
    """Seconds on a clock that nobody can set and that goes on while the machine sleeps.

    Windows' monotonic clock counts sleep, Linux' has another clock for that.
    """
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    if boottime is not None:
        return time.clock_gettime(boottime)
    return time.monotonic()


def wall_ms() -> int:
    """Milliseconds since 1970, UTC, by the machine's clock."""
    return time.time_ns() // 1_000_000
