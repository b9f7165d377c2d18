"""ccxt trades spot at the test exchange."""

import asyncio

import exchange as pointed
import ccxt
import ccxt.pro
from steps import arguments, audit, equal, move, refused, step

URL, KEY, SECRET = arguments()
SYMBOL = "BTC/USDT"

client = pointed.point_at(ccxt.binance(pointed.options(KEY, SECRET)), URL, "spot")
move(URL, "BTCUSDT", 60_000)

with step("spot: markets with their limits"):
    markets = client.load_markets()
    market = markets[SYMBOL]
    assert {"BTC/USDT", "ETH/USDT"} <= set(markets)
    equal(market["precision"]["price"], 0.01)
    equal(market["limits"]["amount"]["min"], 0.00001)
    equal(market["limits"]["cost"]["min"], 5)

with step("spot: balance"):
    balance = client.fetch_balance()
    equal(balance["USDT"]["free"], 100_000)
    equal(balance["BTC"]["total"], 1)

with step("spot: ticker, book and candles"):
    ticker = client.fetch_ticker(SYMBOL)
    assert ticker["bid"] < 60_010 and ticker["ask"] > 59_990
    book = client.fetch_order_book(SYMBOL)
    assert book["bids"][0][0] < book["asks"][0][0]
    assert client.fetch_ohlcv(SYMBOL, "1m")

with step("spot: market order, with its commission"):
    order = client.create_order(SYMBOL, "market", "buy", 0.1, None, {"clientOrderId": "ccxt-market"})
    equal(order["status"], "closed")
    equal(order["filled"], 0.1)
    equal(order["clientOrderId"], "ccxt-market")
    equal(order["fee"]["currency"], "BTC")
    equal(order["fee"]["cost"], 0.0001)
    equal(client.fetch_balance()["BTC"]["total"], 1.0999)
    trades = client.fetch_my_trades(SYMBOL)
    equal(sum(trade["amount"] for trade in trades), 0.1)

with step("spot: limit order, looked up and cancelled"):
    order = client.create_order(SYMBOL, "limit", "buy", 0.01, 50_000)
    equal(order["status"], "open")
    equal(client.fetch_order(order["id"], SYMBOL)["price"], 50_000)
    equal([found["id"] for found in client.fetch_open_orders(SYMBOL)], [order["id"]])
    equal(client.fetch_balance()["USDT"]["used"], 500)
    equal(client.cancel_order(order["id"], SYMBOL)["status"], "canceled")
    equal(client.fetch_order(order["id"], SYMBOL)["status"], "canceled")
    equal(client.fetch_open_orders(SYMBOL), [])

with step("spot: limit order that the price reaches"):
    order = client.create_order(SYMBOL, "limit", "sell", 0.01, 61_000)
    move(URL, "BTCUSDT", 61_500)
    found = client.fetch_order(order["id"], SYMBOL)
    equal(found["status"], "closed")
    equal(found["average"], 61_000)
    move(URL, "BTCUSDT", 60_000)

with step("spot: stop and stop-limit orders rest and trigger"):
    stop = client.create_order(SYMBOL, "market", "sell", 0.01, None, {"stopLossPrice": 59_000})
    limit = client.create_order(SYMBOL, "limit", "sell", 0.01, 58_000, {"stopPrice": 59_000})
    equal(client.fetch_order(stop["id"], SYMBOL)["status"], "open")
    equal(client.fetch_order(limit["id"], SYMBOL)["triggerPrice"], 59_000)
    move(URL, "BTCUSDT", 58_900)
    equal(client.fetch_order(stop["id"], SYMBOL)["status"], "closed")
    equal(client.fetch_order(limit["id"], SYMBOL)["status"], "closed")
    move(URL, "BTCUSDT", 60_000)

with step("spot: trailing stop"):
    order = client.create_order(SYMBOL, "STOP_LOSS", "sell", 0.01, None, {"trailingDelta": 100})
    move(URL, "BTCUSDT", 61_000)
    equal(client.fetch_order(order["id"], SYMBOL)["status"], "open")
    move(URL, "BTCUSDT", 60_300)
    equal(client.fetch_order(order["id"], SYMBOL)["status"], "closed")
    move(URL, "BTCUSDT", 60_000)

with step("spot: post-only order that would take is refused"):
    refused(ccxt.OrderImmediatelyFillable, lambda: client.create_order(
        SYMBOL, "limit", "buy", 0.01, 61_000, {"postOnly": True}), "immediately match")

with step("spot: OCO, of which one side executes"):
    placed = client.privatePostOrderListOco({
        "symbol": "BTCUSDT", "side": "SELL", "quantity": "0.02", "aboveType": "LIMIT_MAKER",
        "abovePrice": "62000", "belowType": "STOP_LOSS", "belowStopPrice": "58000",
        "listClientOrderId": "ccxt-oco"})
    equal(len(client.fetch_open_orders(SYMBOL)), 2)
    move(URL, "BTCUSDT", 62_100)
    equal(client.fetch_open_orders(SYMBOL), [])
    found = client.privateGetOrderList({"orderListId": placed["orderListId"]})
    equal(found["listOrderStatus"], "ALL_DONE")
    move(URL, "BTCUSDT", 60_000)

with step("spot: OTOCO, an entry with its exits"):
    client.privatePostOrderListOtoco({
        "symbol": "BTCUSDT", "workingType": "LIMIT", "workingSide": "BUY", "workingPrice": "59500",
        "workingQuantity": "0.02", "workingTimeInForce": "GTC", "pendingSide": "SELL",
        "pendingQuantity": "0.01", "pendingAboveType": "LIMIT_MAKER", "pendingAbovePrice": "61000",
        "pendingBelowType": "STOP_LOSS", "pendingBelowStopPrice": "59000"})
    move(URL, "BTCUSDT", 59_400)
    equal(sorted(order["info"]["type"] for order in client.fetch_open_orders(SYMBOL)),
          ["LIMIT_MAKER", "STOP_LOSS"])
    move(URL, "BTCUSDT", 58_900)
    equal(client.fetch_open_orders(SYMBOL), [])
    move(URL, "BTCUSDT", 60_000)

with step("spot: all orders of a symbol are cancelled"):
    for price in (50_000, 51_000):
        client.create_order(SYMBOL, "limit", "buy", 0.01, price)
    client.cancel_all_orders(SYMBOL)
    equal(client.fetch_open_orders(SYMBOL), [])

with step("spot: refusals by their class"):
    refused(ccxt.InsufficientFunds, lambda: client.create_order(
        SYMBOL, "limit", "buy", 5, 50_000), "insufficient balance")
    refused(ccxt.OrderNotFound, lambda: client.cancel_order("999999", SYMBOL), "-2011")
    refused(ccxt.OrderNotFound, lambda: client.fetch_order("999999", SYMBOL), "-2013")
    refused(ccxt.BadRequest, lambda: client.privatePostOrder({
        "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC",
        "quantity": "0.00002", "price": "50000"}), "NOTIONAL")

with step("spot: wrong signatures and keys are refused"):
    stranger = pointed.point_at(ccxt.binance(pointed.options(KEY, "another secret")), URL, "spot")
    refused(ccxt.AuthenticationError, stranger.fetch_balance, "-1022")
    stranger = pointed.point_at(ccxt.binance(pointed.options("no-such-key", SECRET)), URL, "spot")
    refused(ccxt.AuthenticationError, stranger.fetch_balance, "-2015")


async def listen():
    """Orders and fills, as the user data stream tells them."""
    listener = pointed.point_at(ccxt.pro.binance(pointed.options(KEY, SECRET)), URL, "spot")
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


with step("spot: user data stream"):
    asyncio.run(asyncio.wait_for(listen(), 60))

with step("spot: nothing was doubled"):
    orders = audit(URL, KEY)["spot"]["orders"]
    marked = [order for order in orders if order["client_id"] == "ccxt-market"]
    equal(len(marked), 1)
