"""python-binance trades USD-M futures at the test exchange."""

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
    client.FUTURES_URL = f"{URL}/fapi"
    client.FUTURES_DATA_URL = f"{URL}/futures/data"
    return client


client = pointed(Client(KEY, SECRET, ping=False))
move(URL, SYMBOL, 60_000)


def position():
    """The size of the position, short below zero."""
    held = client.futures_position_information(symbol=SYMBOL)
    return sum(Decimal(found["positionAmt"]) for found in held)


with step("futures: markets with their filters"):
    client.futures_ping()
    symbols = {found["symbol"]: found for found in client.futures_exchange_info()["symbols"]}
    filters = {found["filterType"]: found for found in symbols[SYMBOL]["filters"]}
    equal(filters["PRICE_FILTER"]["tickSize"], Decimal("0.1"))
    equal(filters["MIN_NOTIONAL"]["notional"], 50)

with step("futures: account and balances"):
    balances = {found["asset"]: found for found in client.futures_account_balance()}
    equal(balances["USDT"]["balance"], 100_000)
    equal(client.futures_account()["totalWalletBalance"], 100_000)
    equal(client.futures_get_position_mode()["dualSidePosition"], False)

with step("futures: prices"):
    equal(client.futures_symbol_ticker(symbol=SYMBOL)["price"], 60_000)
    assert Decimal(client.futures_mark_price(symbol=SYMBOL)["markPrice"]) > 0
    assert client.futures_klines(symbol=SYMBOL, interval="1m", limit=3)

with step("futures: leverage"):
    equal(client.futures_change_leverage(symbol=SYMBOL, leverage=7)["leverage"], 7)

with step("futures: market order, its trades and the position"):
    order = client.futures_create_order(
        symbol=SYMBOL, side="BUY", type="MARKET", quantity="0.1", newOrderRespType="RESULT",
        newClientOrderId="pb-market")
    equal(order["status"], "FILLED")
    equal(position(), Decimal("0.1"))
    found = client.futures_get_order(symbol=SYMBOL, origClientOrderId="pb-market")
    equal(found["executedQty"], Decimal("0.1"))
    assert Decimal(found["avgPrice"]) > 0
    trades = client.futures_account_trades(symbol=SYMBOL)
    equal(sum(Decimal(trade["qty"]) for trade in trades), Decimal("0.1"))

with step("futures: limit order, looked up and cancelled"):
    order = client.futures_create_order(
        symbol=SYMBOL, side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.01", price="58000")
    equal(len(client.futures_get_open_orders(symbol=SYMBOL)), 1)
    answer = client.futures_cancel_order(symbol=SYMBOL, orderId=order["orderId"])
    equal(answer["status"], "CANCELED")
    equal(client.futures_get_open_orders(symbol=SYMBOL), [])

with step("futures: conditional orders go to their own endpoints"):
    stop = client.futures_create_order(
        symbol=SYMBOL, side="SELL", type="STOP_MARKET", triggerPrice="59000", quantity="0.05",
        reduceOnly="true")
    target = client.futures_create_order(
        symbol=SYMBOL, side="SELL", type="TAKE_PROFIT_MARKET", triggerPrice="61000",
        closePosition="true")
    resting = client.futures_get_open_algo_orders()
    equal({found["algoId"] for found in resting}, {stop["algoId"], target["algoId"]})
    move(URL, SYMBOL, 58_900)
    equal(position(), Decimal("0.05"))
    found = client.futures_get_algo_order(algoId=stop["algoId"])
    equal(found["algoStatus"], "FINISHED")
    move(URL, SYMBOL, 61_100)
    equal(position(), 0)
    move(URL, SYMBOL, 60_000)

with step("futures: trailing stop"):
    client.futures_create_order(symbol=SYMBOL, side="BUY", type="MARKET", quantity="0.02")
    client.futures_create_order(
        symbol=SYMBOL, side="SELL", type="TRAILING_STOP_MARKET", quantity="0.02", callbackRate="1",
        reduceOnly="true")
    move(URL, SYMBOL, 61_000)
    equal(position(), Decimal("0.02"))
    move(URL, SYMBOL, 60_300)
    equal(position(), 0)
    move(URL, SYMBOL, 60_000)

with step("futures: several orders at once"):
    batch = [{"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC",
              "quantity": "0.01", "price": price} for price in ("57000", "58000")]
    answers = client.futures_place_batch_order(batchOrders=batch)
    equal([answer["status"] for answer in answers], ["NEW", "NEW"])
    client.futures_cancel_all_open_orders(symbol=SYMBOL)
    equal(client.futures_get_open_orders(symbol=SYMBOL), [])

with step("futures: hedge mode holds both sides"):
    client.futures_change_position_mode(dualSidePosition="true")
    for side, position_side in (("BUY", "LONG"), ("SELL", "SHORT")):
        client.futures_create_order(
            symbol=SYMBOL, side=side, positionSide=position_side, type="MARKET", quantity="0.01")
    amounts = {found["positionSide"]: Decimal(found["positionAmt"])
               for found in client.futures_position_information(symbol=SYMBOL)
               if Decimal(found["positionAmt"])}
    equal(amounts, {"LONG": Decimal("0.010"), "SHORT": Decimal("-0.010")})
    refused(BinanceAPIException, lambda: client.futures_create_order(
        symbol=SYMBOL, side="BUY", type="MARKET", quantity="0.01"), "code=-4061")
    for side, position_side in (("SELL", "LONG"), ("BUY", "SHORT")):
        client.futures_create_order(
            symbol=SYMBOL, side=side, positionSide=position_side, type="MARKET", quantity="0.01")
    client.futures_change_position_mode(dualSidePosition="false")
    refused(BinanceAPIException, lambda: client.futures_change_position_mode(
        dualSidePosition="false"), "code=-4059")

with step("futures: refusals with Binance's codes"):
    refused(BinanceAPIException, lambda: client.futures_create_order(
        symbol=SYMBOL, side="SELL", type="MARKET", quantity="0.01", reduceOnly="true"), "code=-2022")
    refused(BinanceAPIException, lambda: client.futures_create_order(
        symbol=SYMBOL, side="BUY", type="LIMIT", timeInForce="GTC", quantity="100", price="59000"),
        "code=-2019")
    refused(BinanceAPIException, lambda: client.futures_get_order(
        symbol=SYMBOL, orderId=999999), "code=-2013")
    stranger = pointed(Client(KEY, "another secret", ping=False))
    refused(BinanceAPIException, stranger.futures_account, "code=-1022")


async def listen():
    """The executions that the user data stream tells."""
    caller = pointed(AsyncClient(KEY, SECRET))
    sockets = URL.replace("http", "ws", 1)
    manager = BinanceSocketManager(caller)
    manager.FSTREAM_URL = f"{sockets}/"
    try:
        async with manager.futures_user_socket() as socket:
            order = await caller.futures_create_order(
                symbol=SYMBOL, side="BUY", type="MARKET", quantity="0.01")
            while True:
                event = await socket.recv()
                if event.get("e") == "ORDER_TRADE_UPDATE" and event["o"]["X"] == "FILLED":
                    break
        equal(event["o"]["i"], order["orderId"])
        equal(event["o"]["z"], Decimal("0.01"))
    finally:
        await caller.close_connection()


with step("futures: user data stream"):
    asyncio.run(asyncio.wait_for(listen(), 60))

with step("futures: nothing was doubled"):
    orders = audit(URL, KEY)["futures"]["orders"]
    equal(len([order for order in orders if order["client_order_id"] == "pb-market"]), 1)
