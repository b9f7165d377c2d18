"""ccxt, pointed at the test exchange by its addresses alone."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))


def point_at(exchange, url, kind):
    """Replaces the addresses of every group of endpoints; nothing else of the client changes."""
    sockets = url.replace("http", "ws", 1)
    addresses = exchange.urls["api"]
    for group, address in addresses.items():
        if isinstance(address, str):
            addresses[group] = url + "/" + address.split("/", 3)[3]
    # Only the asynchronous client has web sockets.
    if "ws" in addresses:
        addresses["ws"]["spot"] = f"{sockets}/ws"
        addresses["ws"]["linear"] = f"{sockets}/ws"
        addresses["ws"]["ws-api"]["spot"] = f"{sockets}/ws-api/v3"
        addresses["ws"]["ws-api"]["linear"] = f"{sockets}/ws-fapi/v1"
    # Currencies are read from the wallet's endpoints, which no trading needs.
    exchange.has["fetchCurrencies"] = False
    exchange.options["fetchMarkets"] = {"types": ["spot" if kind == "spot" else "linear"]}
    exchange.options["defaultType"] = "spot" if kind == "spot" else "swap"
    return exchange


def options(key, secret):
    """What every client of this library is made with."""
    return {"apiKey": key, "secret": secret}
