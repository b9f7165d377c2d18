"""ccxt trades USD-M futures at the test exchange."""

import asyncio

import exchange as pointed
import ccxt
import ccxt.pro
from steps import arguments, audit, equal, move, refused, step

URL, KEY, SECRET = arguments()
SYMBOL = "BTC/USDT:USDT"

client = pointed.point_at(ccxt.binance(pointed.options(KEY, SECRET)), URL, "futures")
move(URL, "BTCUSDT", 60_000)


def position():
    """The size of the position, short below zero."""
    held = [found for found in client.fetch_positions([SYMBOL]) if found["contracts"]]
    if not held:
        return 0
    return held[0]["contracts"] * (1 if held[0]["side"] == "long" else -1)


with step("futures: markets with their limits"):
    markets = client.load_markets()
    assert {"BTC/USDT:USDT", "ETH/USDT:USDT"} <= set(markets)
    equal(markets[SYMBOL]["precision"]["amount"], 0.001)
    equal(markets[SYMBOL]["limits"]["cost"]["min"], 50)

with step("futures: balance"):
    equal(client.fetch_balance()["USDT"]["total"], 100_000)
    equal(position(), 0)

with step("futures: leverage and margin type"):
    equal(client.set_leverage(10, SYMBOL)["leverage"], 10)
    client.set_margin_mode("isolated", SYMBOL)
    client.set_margin_mode("cross", SYMBOL)
    refused(ccxt.MarginModeAlreadySet, lambda: client.set_margin_mode("cross", SYMBOL), "-4046")

with step("futures: market order, its trades and the position"):
    order = client.create_order(SYMBOL, "market", "buy", 0.1, None, {"clientOrderId": "ccxt-market"})
    equal(order["status"], "closed")
    equal(order["filled"], 0.1)
    equal(position(), 0.1)
    found = client.fetch_order(order["id"], SYMBOL)
    assert abs(found["average"] - 60_000) < 60, found["average"]
    trades = client.fetch_my_trades(SYMBOL)
    equal(sum(trade["amount"] for trade in trades), 0.1)
    equal(trades[0]["fee"]["currency"], "USDT")

with step("futures: limit order, looked up, changed and cancelled"):
    order = client.create_order(SYMBOL, "limit", "buy", 0.01, 58_000)
    equal(order["status"], "open")
    order = client.edit_order(order["id"], SYMBOL, "limit", "buy", 0.02, 57_500)
    found = client.fetch_order(order["id"], SYMBOL)
    equal((found["price"], found["amount"]), (57_500, 0.02))
    equal([found["id"] for found in client.fetch_open_orders(SYMBOL)], [order["id"]])
    client.cancel_order(order["id"], SYMBOL)
    equal(client.fetch_order(order["id"], SYMBOL)["status"], "canceled")

with step("futures: a stop and a target protect the position"):
    stop = client.create_order(SYMBOL, "market", "sell", 0.05, None, {
        "stopLossPrice": 59_000, "reduceOnly": True})
    target = client.create_order(SYMBOL, "market", "sell", 0.05, None, {
        "takeProfitPrice": 61_000, "reduceOnly": True})
    resting = client.fetch_open_orders(SYMBOL, params={"trigger": True})
    equal({order["id"] for order in resting}, {stop["id"], target["id"]})
    move(URL, "BTCUSDT", 61_100)
    equal(position(), 0.05)
    client.cancel_order(stop["id"], SYMBOL, {"trigger": True})
    equal(client.fetch_open_orders(SYMBOL, params={"trigger": True}), [])
    move(URL, "BTCUSDT", 60_000)

with step("futures: trailing stop"):
    client.create_order(SYMBOL, "market", "sell", 0.02, None, {
        "trailingPercent": 1, "reduceOnly": True})
    move(URL, "BTCUSDT", 61_000)
    equal(position(), 0.05)
    move(URL, "BTCUSDT", 60_300)
    equal(position(), 0.03)
    move(URL, "BTCUSDT", 60_000)

with step("futures: stop-limit entry"):
    client.create_order(SYMBOL, "limit", "buy", 0.01, 60_600, {"triggerPrice": 60_500})
    move(URL, "BTCUSDT", 60_550)
    equal(position(), 0.04)
    move(URL, "BTCUSDT", 60_000)

with step("futures: reduce-only closes and never opens"):
    client.create_order(SYMBOL, "market", "sell", 0.04, None, {"reduceOnly": True})
    equal(position(), 0)
    refused(ccxt.ExchangeError, lambda: client.create_order(
        SYMBOL, "market", "sell", 0.01, None, {"reduceOnly": True}), "-2022")
    equal(position(), 0)

with step("futures: short position"):
    client.create_order(SYMBOL, "market", "sell", 0.01)
    equal(position(), -0.01)
    client.create_order(SYMBOL, "market", "buy", 0.01)
    equal(position(), 0)

with step("futures: all orders of a symbol are cancelled"):
    for price in (57_000, 58_000):
        client.create_order(SYMBOL, "limit", "buy", 0.01, price)
    client.cancel_all_orders(SYMBOL)
    equal(client.fetch_open_orders(SYMBOL), [])

with step("futures: refusals by their class"):
    refused(ccxt.ExchangeError, lambda: client.create_order(
        SYMBOL, "limit", "buy", 100, 59_000), "-2019")
    refused(ccxt.OrderNotFound, lambda: client.cancel_order("999999", SYMBOL), "-2011")
    refused(ccxt.OrderNotFound, lambda: client.fetch_order("999999", SYMBOL), "-2013")

with step("futures: wrong signatures and keys are refused"):
    stranger = pointed.point_at(ccxt.binance(pointed.options(KEY, "another secret")), URL, "futures")
    refused(ccxt.AuthenticationError, stranger.fetch_balance, "-1022")


async def listen():
    """Orders and fills, as the user data stream tells them."""
    listener = pointed.point_at(ccxt.pro.binance(pointed.options(KEY, SECRET)), URL, "futures")
    try:
        await listener.load_markets()
        watching = asyncio.ensure_future(listener.watch_orders(SYMBOL))
        seen = []
        placed = None
        while not any(order["status"] == "closed" for order in seen):
            done, _ = await asyncio.wait([watching], timeout=0.5)
            if done:
                seen += watching.result()
                watching = asyncio.ensure_future(listener.watch_orders(SYMBOL))
            elif placed is None:
                # Nothing is told of an order from before the subscription.
                placed = await listener.create_order(SYMBOL, "market", "buy", 0.01)
        watching.cancel()
        equal({order["id"] for order in seen}, {placed["id"]})
        equal(max(order["filled"] for order in seen), 0.01)
    finally:
        await listener.close()


with step("futures: user data stream"):
    asyncio.run(asyncio.wait_for(listen(), 60))

with step("futures: nothing was doubled"):
    orders = audit(URL, KEY)["futures"]["orders"]
    marked = [order for order in orders if order["client_order_id"] == "ccxt-market"]
    equal(len(marked), 1)
