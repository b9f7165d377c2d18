"""python-binance trades spot at the test exchange."""

import asyncio
import sys
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from binance import AsyncClient, BinanceSocketManager, Client
from binance.exceptions import BinanceAPIException
from steps import arguments, audit, equal, move, refused, step

URL, KEY, SECRET = arguments()
SYMBOL = "BTCUSDT"


def pointed(client):
    """The client with the test exchange's addresses; nothing else of it changes."""
    client.API_URL = f"{URL}/api"
    client.MARGIN_API_URL = f"{URL}/sapi"
    return client


client = pointed(Client(KEY, SECRET, ping=False))
move(URL, SYMBOL, 60_000)


def held(asset):
    """All that the account has of an asset."""
    balance = client.get_asset_balance(asset)
    return Decimal(balance["free"]) + Decimal(balance["locked"])


with step("spot: time and markets with their filters"):
    client.ping()
    assert client.get_server_time()["serverTime"] > 0
    info = client.get_symbol_info(SYMBOL)
    filters = {found["filterType"]: found for found in info["filters"]}
    equal(filters["PRICE_FILTER"]["tickSize"], Decimal("0.01"))
    equal(filters["LOT_SIZE"]["stepSize"], Decimal("0.00001"))

with step("spot: account and balances"):
    account = client.get_account()
    assert account["canTrade"]
    equal(held("USDT"), 100_000)
    assert client.get_account_api_permissions()["ipRestrict"]

with step("spot: prices"):
    equal(client.get_symbol_ticker(symbol=SYMBOL)["price"], 60_000)
    ticker = client.get_orderbook_ticker(symbol=SYMBOL)
    assert Decimal(ticker["bidPrice"]) < Decimal(ticker["askPrice"])
    assert client.get_klines(symbol=SYMBOL, interval="1m", limit=3)

with step("spot: market orders by quantity and by money"):
    order = client.order_market_buy(symbol=SYMBOL, quantity="0.1", newClientOrderId="pb-market")
    equal(order["status"], "FILLED")
    equal(sum(Decimal(fill["qty"]) for fill in order["fills"]), Decimal("0.1"))
    equal(order["fills"][0]["commissionAsset"], "BTC")
    equal(held("BTC"), Decimal("1.0999"))
    order = client.order_market_buy(symbol=SYMBOL, quoteOrderQty="600")
    equal(order["status"], "FILLED")
    assert Decimal(order["cummulativeQuoteQty"]) <= 600

with step("spot: test orders place nothing"):
    equal(client.create_test_order(
        symbol=SYMBOL, side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.01", price="50000"), {})
    equal(client.get_open_orders(symbol=SYMBOL), [])

with step("spot: limit order, looked up and cancelled"):
    order = client.order_limit_buy(
        symbol=SYMBOL, quantity="0.01", price="50000", newClientOrderId="pb-limit")
    equal(order["status"], "NEW")
    found = client.get_order(symbol=SYMBOL, origClientOrderId="pb-limit")
    equal(found["orderId"], order["orderId"])
    equal(len(client.get_open_orders(symbol=SYMBOL)), 1)
    refused(BinanceAPIException, lambda: client.order_limit_buy(
        symbol=SYMBOL, quantity="0.01", price="50000", newClientOrderId="pb-limit"), "Duplicate order sent")
    equal(client.cancel_order(symbol=SYMBOL, orderId=order["orderId"])["status"], "CANCELED")
    equal(client.get_open_orders(symbol=SYMBOL), [])

with step("spot: stop-loss, take-profit and their limit forms"):
    placed = [
        client.create_order(symbol=SYMBOL, side="SELL", quantity="0.01", **terms)["orderId"]
        for terms in (
            {"type": "STOP_LOSS", "stopPrice": "59000"},
            {"type": "STOP_LOSS_LIMIT", "stopPrice": "59000", "price": "58000", "timeInForce": "GTC"},
            {"type": "TAKE_PROFIT", "stopPrice": "61000"},
            {"type": "TAKE_PROFIT_LIMIT", "stopPrice": "61000", "price": "60500", "timeInForce": "GTC"},
        )
    ]
    equal(len(client.get_open_orders(symbol=SYMBOL)), 4)
    move(URL, SYMBOL, 58_900)
    move(URL, SYMBOL, 61_100)
    for number in placed:
        equal(client.get_order(symbol=SYMBOL, orderId=number)["status"], "FILLED")
    move(URL, SYMBOL, 60_000)

with step("spot: OCO"):
    placed = client.create_oco_order(
        symbol=SYMBOL, side="SELL", quantity="0.01", aboveType="LIMIT_MAKER", abovePrice="61000",
        belowType="STOP_LOSS_LIMIT", belowStopPrice="59000", belowPrice="58000", belowTimeInForce="GTC")
    equal(len(placed["orders"]), 2)
    equal(len(client.get_open_oco_orders()), 1)
    move(URL, SYMBOL, 58_900)
    states = {found["type"]: found["status"] for found in client.get_all_orders(symbol=SYMBOL)
              if found["orderListId"] == placed["orderListId"]}
    equal(states, {"LIMIT_MAKER": "EXPIRED", "STOP_LOSS_LIMIT": "FILLED"})
    move(URL, SYMBOL, 60_000)

with step("spot: cancel and replace"):
    order = client.order_limit_buy(symbol=SYMBOL, quantity="0.01", price="50000")
    answer = client.cancel_replace_order(
        symbol=SYMBOL, side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.01", price="51000",
        cancelReplaceMode="STOP_ON_FAILURE", cancelOrderId=order["orderId"])
    equal((answer["cancelResult"], answer["newOrderResult"]), ("SUCCESS", "SUCCESS"))
    client.cancel_all_open_orders(symbol=SYMBOL)
    equal(client.get_open_orders(symbol=SYMBOL), [])

with step("spot: trades add up to the executed orders"):
    trades = client.get_my_trades(symbol=SYMBOL)
    orders = client.get_all_orders(symbol=SYMBOL)
    executed = sum(Decimal(order["executedQty"]) for order in orders)
    equal(sum(Decimal(trade["qty"]) for trade in trades), executed)

with step("spot: refusals with Binance's codes"):
    refused(BinanceAPIException, lambda: client.order_limit_buy(
        symbol=SYMBOL, quantity="5", price="50000"), "code=-2010")
    refused(BinanceAPIException, lambda: client.order_limit_buy(
        symbol=SYMBOL, quantity="0.00001", price="50000"), "Filter failure: NOTIONAL")
    refused(BinanceAPIException, lambda: client.order_market_buy(
        symbol="NOSUCHTHING", quantity="1"), "code=-1121")
    refused(BinanceAPIException, lambda: client.cancel_order(
        symbol=SYMBOL, orderId=999999), "code=-2011")
    stranger = pointed(Client(KEY, "another secret", ping=False))
    refused(BinanceAPIException, stranger.get_account, "code=-1022")


async def listen():
    """The executions that the user data stream tells."""
    caller = pointed(AsyncClient(KEY, SECRET))
    caller.WS_API_URL = URL.replace("http", "ws", 1) + "/ws-api/v3"
    caller.ws_api._url = caller.WS_API_URL
    try:
        async with BinanceSocketManager(caller).user_socket() as socket:
            order = await caller.order_market_buy(symbol=SYMBOL, quantity="0.01")
            while True:
                event = await socket.recv()
                event = event.get("event", event)
                if event.get("e") == "executionReport" and event["X"] == "FILLED":
                    break
        equal(event["i"], order["orderId"])
        equal(event["z"], Decimal("0.01"))
    finally:
        await caller.close_connection()


with step("spot: user data stream"):
    asyncio.run(asyncio.wait_for(listen(), 60))

with step("spot: nothing was doubled"):
    orders = audit(URL, KEY)["spot"]["orders"]
    equal(len([order for order in orders if order["client_id"] == "pb-market"]), 1)
