// The npm package `binance` trades USD-M futures at the test exchange.
import assert from 'node:assert/strict';
import { USDMClient, WebsocketClient } from 'binance';
import { audit, equal, key, move, quiet, refused, secret, step, url } from './steps.mjs';

const symbol = 'BTCUSDT';
const pointed = (api_secret) => new USDMClient({ api_key: key, api_secret, baseUrl: url });
const client = pointed(secret);
const marked = client.generateNewOrderId();
await move(symbol, 60_000);

const position = async () => {
  const held = await client.getPositionsV3({ symbol });
  return held.reduce((sum, found) => sum + Number(found.positionAmt), 0);
};

await step('futures: markets with their filters', async () => {
  const { symbols } = await client.getExchangeInfo();
  const { filters } = symbols.find((found) => found.symbol === symbol);
  equal(filters.find((f) => f.filterType === 'MIN_NOTIONAL').notional, 50);
});

await step('futures: balance', async () => {
  const balances = await client.getBalanceV3();
  equal(balances.find((balance) => balance.asset === 'USDT').balance, 100_000);
});

await step('futures: market order and the position', async () => {
  const order = await client.submitNewOrder({
    symbol, side: 'BUY', type: 'MARKET', quantity: 0.1, newOrderRespType: 'RESULT',
    newClientOrderId: marked,
  });
  assert.equal(order.status, 'FILLED');
  equal(await position(), 0.1);
});

await step('futures: limit order, looked up and cancelled', async () => {
  const order = await client.submitNewOrder({
    symbol, side: 'BUY', type: 'LIMIT', timeInForce: 'GTC', quantity: 0.01, price: 58_000,
  });
  assert.equal((await client.getOrder({ symbol, orderId: order.orderId })).status, 'NEW');
  equal((await client.getAllOpenOrders({ symbol })).length, 1);
  const answer = await client.cancelOrder({ symbol, orderId: order.orderId });
  assert.equal(answer.status, 'CANCELED');
});

await step('futures: a stop and a target protect the position', async () => {
  const conditional = { algoType: 'CONDITIONAL', symbol, side: 'SELL', reduceOnly: 'true' };
  const stop = await client.submitNewAlgoOrder({
    ...conditional, type: 'STOP_MARKET', quantity: 0.1, triggerPrice: 59_000,
  });
  await client.submitNewAlgoOrder({
    ...conditional, type: 'TAKE_PROFIT_MARKET', quantity: 0.1, triggerPrice: 61_000,
  });
  equal((await client.getOpenAlgoOrders()).length, 2);
  await move(symbol, 58_900);
  equal(await position(), 0);
  const found = await client.getAlgoOrder({ algoId: stop.algoId });
  assert.equal(found.algoStatus, 'FINISHED');
  await client.cancelAllAlgoOpenOrders({ symbol });
  equal((await client.getOpenAlgoOrders()).length, 0);
  await move(symbol, 60_000);
});

await step('futures: refusals with the codes of Binance', async () => {
  const order = { symbol, side: 'SELL', type: 'MARKET', quantity: 0.01 };
  await refused(() => client.submitNewOrder({ ...order, reduceOnly: 'true' }), -2022);
  await refused(() => client.submitNewOrder({ ...order, type: 'STOP_MARKET', stopPrice: 1 }), -4120);
  await refused(() => client.cancelOrder({ symbol, orderId: 999_999 }), -2011);
  await refused(() => pointed('another secret').getBalanceV3(), -1022);
});

await step('futures: user data stream', async () => {
  const listener = new WebsocketClient({
    api_key: key, api_secret: secret, wsUrl: url.replace('http', 'ws'), restOptions: { baseUrl: url },
  }, quiet);
  const opened = new Promise((resolve, reject) => {
    listener.on('open', resolve);
    listener.on('exception', reject);
  });
  const filled = new Promise((resolve) => {
    listener.on('message', (event) => {
      if (event.e === 'ORDER_TRADE_UPDATE' && event.o.X === 'FILLED') resolve(event.o);
    });
  });
  listener.subscribeUsdFuturesUserDataStream();
  await opened;
  const order = await client.submitNewOrder({ symbol, side: 'BUY', type: 'MARKET', quantity: 0.01 });
  const told = await filled;
  equal(told.i, order.orderId);
  equal(told.z, 0.01);
  listener.closeAll(true);
});

await step('futures: nothing was doubled', async () => {
  const { orders } = (await audit()).futures;
  equal(orders.filter((order) => order.client_order_id === marked).length, 1);
});

// The client's timers would keep the process alive.
process.exit(0);
