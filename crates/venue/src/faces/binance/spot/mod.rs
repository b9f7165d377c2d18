//! The spot market: its exchange without input or output, its endpoints and its web socket methods.

mod candles;
mod events;
mod exchange;
mod listing;
mod market_data;
mod matching;
mod order;
mod placing;
mod reading;
mod requests;
mod symbols;
#[cfg(test)]
mod tests;
mod trading;
mod wallet;
mod wire;

use super::auth::Security;
use super::faults::Operation;
use super::params::Params;
use super::service::{Answer, Endpoint, Method, Service};
pub(super) use exchange::SpotExchange;

const fn public(weight: fn(&Params) -> u32, answer: Answer) -> Service {
    Service {
        security: Security::Public,
        operation: Operation::Other,
        weight,
        free_when_ok: false,
        orders: 0,
        answer,
    }
}

const fn reads(weight: fn(&Params) -> u32, answer: Answer) -> Service {
    Service {
        security: Security::Signed,
        ..public(weight, answer)
    }
}

const fn finds(weight: fn(&Params) -> u32, answer: Answer) -> Service {
    Service {
        operation: Operation::Find,
        ..reads(weight, answer)
    }
}

const fn places(orders: u32, answer: Answer) -> Service {
    Service {
        security: Security::Trade,
        operation: Operation::Place,
        weight: |_| 1,
        free_when_ok: true,
        orders,
        answer,
    }
}

const fn cancels(answer: Answer) -> Service {
    Service {
        operation: Operation::Cancel,
        ..places(0, answer)
    }
}

const PING: Service = public(|_| 1, market_data::ping);
const TIME: Service = public(|_| 1, market_data::time);
const EXCHANGE_INFO: Service = public(|_| 20, market_data::exchange_info);
const PRICES: Service = public(|params| by_symbol(params, 2, 4), market_data::prices);
const BOOK_TICKERS: Service = public(|params| by_symbol(params, 2, 4), market_data::book_tickers);
const DAY_TICKERS: Service = public(|params| by_symbol(params, 2, 80), market_data::day_tickers);
const AVERAGE: Service = public(|_| 2, market_data::average_price);
const DEPTH: Service = public(depth_weight, market_data::depth);
const KLINES: Service = public(|_| 2, market_data::klines);

const PLACE: Service = places(1, trading::place);
const TEST: Service = Service {
    operation: Operation::Other,
    free_when_ok: false,
    ..places(0, trading::test)
};
const CANCEL: Service = cancels(trading::cancel);
const CANCEL_OVER_SOCKET: Service = cancels(trading::cancel_over_socket);
const CANCEL_ALL: Service = cancels(trading::cancel_all);
const CANCEL_REPLACE: Service = places(1, trading::cancel_replace);
const AMEND: Service = Service {
    weight: |_| 4,
    ..places(0, trading::amend)
};
const OCO: Service = places(2, trading::oco);
const OTO: Service = places(2, trading::oto);
const OTOCO: Service = places(3, trading::otoco);
const OPO: Service = places(2, trading::opo);
const OPOCO: Service = places(3, trading::opoco);
const CANCEL_LIST: Service = cancels(trading::cancel_list);

const ORDER: Service = finds(|_| 4, reading::order);
const LIST: Service = finds(|_| 4, reading::list);
const OPEN_ORDERS: Service = reads(|params| by_symbol(params, 6, 80), reading::open_orders);
const ALL_ORDERS: Service = reads(|_| 20, reading::all_orders);
const TRADES: Service = reads(trades_weight, reading::trades);
const ACCOUNT: Service = reads(|_| 20, reading::account);
const ORDER_COUNTS: Service = reads(|_| 40, reading::order_counts);
const MY_FILTERS: Service = reads(|_| 40, reading::filters);
const OPEN_LISTS: Service = reads(|_| 6, reading::open_lists);
const ALL_LISTS: Service = reads(|_| 20, reading::all_lists);
const RESTRICTIONS: Service = reads(|_| 1, reading::restrictions);
const MARGIN_PAIRS: Service = Service {
    security: Security::KeyOnly,
    ..public(|_| 1, reading::nothing)
};
const COINS: Service = reads(|_| 10, reading::coins);

/// What REST offers.
pub(super) const ENDPOINTS: &[Endpoint] = &[
    get("/api/v3/ping", PING),
    get("/api/v3/time", TIME),
    get("/api/v3/exchangeInfo", EXCHANGE_INFO),
    get("/api/v3/ticker/price", PRICES),
    get("/api/v3/ticker/bookTicker", BOOK_TICKERS),
    get("/api/v3/ticker/24hr", DAY_TICKERS),
    get("/api/v3/avgPrice", AVERAGE),
    get("/api/v3/depth", DEPTH),
    get("/api/v3/klines", KLINES),
    endpoint("POST", "/api/v3/order", PLACE),
    endpoint("POST", "/api/v3/order/test", TEST),
    get("/api/v3/order", ORDER),
    endpoint("DELETE", "/api/v3/order", CANCEL),
    endpoint("POST", "/api/v3/order/cancelReplace", CANCEL_REPLACE),
    endpoint("PUT", "/api/v3/order/amend/keepPriority", AMEND),
    get("/api/v3/openOrders", OPEN_ORDERS),
    endpoint("DELETE", "/api/v3/openOrders", CANCEL_ALL),
    get("/api/v3/allOrders", ALL_ORDERS),
    get("/api/v3/myTrades", TRADES),
    get("/api/v3/account", ACCOUNT),
    get("/api/v3/rateLimit/order", ORDER_COUNTS),
    get("/api/v3/myFilters", MY_FILTERS),
    endpoint("POST", "/api/v3/orderList/oco", OCO),
    endpoint("POST", "/api/v3/orderList/oto", OTO),
    endpoint("POST", "/api/v3/orderList/otoco", OTOCO),
    endpoint("POST", "/api/v3/orderList/opo", OPO),
    endpoint("POST", "/api/v3/orderList/opoco", OPOCO),
    get("/api/v3/orderList", LIST),
    endpoint("DELETE", "/api/v3/orderList", CANCEL_LIST),
    get("/api/v3/openOrderList", OPEN_LISTS),
    get("/api/v3/allOrderList", ALL_LISTS),
    get("/sapi/v1/account/apiRestrictions", RESTRICTIONS),
    get("/sapi/v1/margin/allPairs", MARGIN_PAIRS),
    get("/sapi/v1/margin/isolated/allPairs", MARGIN_PAIRS),
    get("/sapi/v1/capital/config/getall", COINS),
];

/// What `/ws-api/v3` offers.
pub(super) const METHODS: &[Method] = &[
    method("ping", PING),
    method("time", TIME),
    method("exchangeInfo", EXCHANGE_INFO),
    method("ticker.price", PRICES),
    method("ticker.book", BOOK_TICKERS),
    method("ticker.24hr", DAY_TICKERS),
    method("avgPrice", AVERAGE),
    method("depth", DEPTH),
    method("klines", KLINES),
    method("order.place", PLACE),
    method("order.test", TEST),
    method("order.status", ORDER),
    method("order.cancel", CANCEL_OVER_SOCKET),
    method("order.cancelReplace", CANCEL_REPLACE),
    method("order.amend.keepPriority", AMEND),
    method("openOrders.status", OPEN_ORDERS),
    method("openOrders.cancelAll", CANCEL_ALL),
    method("allOrders", ALL_ORDERS),
    method("myTrades", TRADES),
    method("account.status", ACCOUNT),
    method("account.rateLimits.orders", ORDER_COUNTS),
    method("myFilters", MY_FILTERS),
    method("orderList.place.oco", OCO),
    method("orderList.place.oto", OTO),
    method("orderList.place.otoco", OTOCO),
    method("orderList.place.opo", OPO),
    method("orderList.place.opoco", OPOCO),
    method("orderList.status", LIST),
    method("orderList.cancel", CANCEL_LIST),
    method("openOrderLists.status", OPEN_LISTS),
    method("allOrderLists", ALL_LISTS),
];

const fn endpoint(method: &'static str, path: &'static str, service: Service) -> Endpoint {
    Endpoint {
        method,
        path,
        service,
    }
}

const fn get(path: &'static str, service: Service) -> Endpoint {
    endpoint("GET", path, service)
}

const fn method(name: &'static str, service: Service) -> Method {
    Method { name, service }
}

fn by_symbol(params: &Params, with: u32, without: u32) -> u32 {
    if params.has("symbol") { with } else { without }
}

fn trades_weight(params: &Params) -> u32 {
    if params.has("orderId") { 5 } else { 20 }
}

fn depth_weight(params: &Params) -> u32 {
    match params.integer("limit").ok().flatten().unwrap_or(100) {
        ..=100 => 5,
        101..=500 => 25,
        501..=1_000 => 50,
        1_001.. => 250,
    }
}
