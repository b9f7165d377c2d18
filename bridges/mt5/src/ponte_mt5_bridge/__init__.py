"""The bridge between a MetaTrader 5 terminal and Ponte; `PROTOCOL.md` says what it holds to."""

from .version import VERSION as __version__

__all__ = ["__version__"]
