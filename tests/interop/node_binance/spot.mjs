// The npm package `binance` trades spot at the test exchange.
import assert from 'node:assert/strict';
import { MainClient, WebsocketClient } from 'binance';
import { audit, equal, key, move, quiet, refused, secret, step, url } from './steps.mjs';

const symbol = 'BTCUSDT';
const pointed = (api_secret) => new MainClient({ api_key: key, api_secret, baseUrl: url });
const client = pointed(secret);
const marked = client.generateNewOrderId();
await move(symbol, 60_000);

const held = async (asset) => {
  const { balances } = await client.getAccountInformation();
  const found = balances.find((balance) => balance.asset === asset);
  return Number(found.free) + Number(found.locked);
};

await step('spot: markets with their filters', async () => {
  const { symbols } = await client.getExchangeInfo({ symbol });
  const filters = Object.fromEntries(symbols[0].filters.map((f) => [f.filterType, f]));
  equal(filters.PRICE_FILTER.tickSize, 0.01);
  equal(filters.LOT_SIZE.stepSize, 0.00001);
});

await step('spot: balances and prices', async () => {
  equal(await held('USDT'), 100_000);
  equal((await client.getSymbolPriceTicker({ symbol })).price, 60_000);
});

await step('spot: market order', async () => {
  const order = await client.submitNewOrder({
    symbol, side: 'BUY', type: 'MARKET', quantity: 0.1, newOrderRespType: 'FULL',
    newClientOrderId: marked,
  });
  assert.equal(order.status, 'FILLED');
  equal(order.executedQty, 0.1);
  equal(await held('BTC'), 1.0999);
});

await step('spot: limit order, looked up and cancelled', async () => {
  const order = await client.submitNewOrder({
    symbol, side: 'BUY', type: 'LIMIT', timeInForce: 'GTC', quantity: 0.01, price: 50_000,
  });
  const found = await client.getOrder({ symbol, orderId: order.orderId });
  assert.equal(found.status, 'NEW');
  equal((await client.getOpenOrders({ symbol })).length, 1);
  const answer = await client.cancelOrder({ symbol, orderId: order.orderId });
  assert.equal(answer.status, 'CANCELED');
});

await step('spot: stop order rests and triggers', async () => {
  const order = await client.submitNewOrder({
    symbol, side: 'SELL', type: 'STOP_LOSS', quantity: 0.01, stopPrice: 59_000,
  });
  assert.equal((await client.getOrder({ symbol, orderId: order.orderId })).status, 'NEW');
  await move(symbol, 58_900);
  assert.equal((await client.getOrder({ symbol, orderId: order.orderId })).status, 'FILLED');
  await move(symbol, 60_000);
});

await step('spot: OCO', async () => {
  await client.submitNewOrderList({
    symbol, side: 'SELL', quantity: 0.01, aboveType: 'LIMIT_MAKER', abovePrice: '61000',
    belowType: 'STOP_LOSS', belowStopPrice: '59000',
  });
  equal((await client.getAllOpenOCO()).length, 1);
  await move(symbol, 61_100);
  equal((await client.getOpenOrders({ symbol })).length, 0);
  await move(symbol, 60_000);
});

await step('spot: refusals with the codes of Binance', async () => {
  const order = { symbol, side: 'BUY', type: 'LIMIT', timeInForce: 'GTC', price: 50_000 };
  await refused(() => client.submitNewOrder({ ...order, quantity: 5 }), -2010);
  await refused(() => client.submitNewOrder({ ...order, quantity: 0.00002 }), -1013);
  await refused(() => client.cancelOrder({ symbol, orderId: 999_999 }), -2011);
  await refused(() => pointed('another secret').getAccountInformation(), -1022);
});

await step('spot: market stream', async () => {
  const listener = new WebsocketClient({ wsUrl: url.replace('http', 'ws') }, quiet);
  const told = new Promise((resolve, reject) => {
    listener.on('message', (event) => event.e === 'trade' && resolve(event));
    listener.on('exception', reject);
  });
  const subscribed = new Promise((resolve) => listener.on('response', resolve));
  listener.subscribe('btcusdt@trade', 'main');
  await subscribed;
  await move(symbol, 60_200);
  equal((await told).p, 60_200);
  listener.closeAll(true);
});

await step('spot: nothing was doubled', async () => {
  const { orders } = (await audit()).spot;
  equal(orders.filter((order) => order.client_id === marked).length, 1);
});

// The client's timers would keep the process alive.
process.exit(0);
