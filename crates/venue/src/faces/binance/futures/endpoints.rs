//! The REST endpoints of the futures market, with what they ask and cost (Binance USDⓈ-M Futures, REST API).

use super::super::auth::Security;
use super::super::faults::Operation;
use super::super::params::Params;
use super::super::service::{Answer, Endpoint, Service};
use super::handlers_account as account;
use super::handlers_market as market;
use super::handlers_orders as orders;

type Weight = fn(&Params) -> u32;

const NONE: Weight = |_| 0;
const ONE: Weight = |_| 1;
const FIVE: Weight = |_| 5;
const TEN: Weight = |_| 10;
const TWENTY: Weight = |_| 20;
const THIRTY: Weight = |_| 30;

/// A service of the futures market.
pub(super) const fn service(
    security: Security,
    operation: Operation,
    weight: Weight,
    orders: u32,
    answer: Answer,
) -> Service {
    Service {
        security,
        operation,
        weight,
        free_when_ok: false,
        orders,
        answer,
    }
}

const fn public(path: &'static str, weight: Weight, answer: Answer) -> Endpoint {
    Endpoint {
        method: "GET",
        path,
        service: service(Security::Public, Operation::Other, weight, 0, answer),
    }
}

const fn user_data(path: &'static str, weight: Weight, answer: Answer) -> Endpoint {
    Endpoint {
        method: "GET",
        path,
        service: service(Security::Signed, Operation::Other, weight, 0, answer),
    }
}

const fn lookup(path: &'static str, weight: Weight, answer: Answer) -> Endpoint {
    Endpoint {
        method: "GET",
        path,
        service: service(Security::Signed, Operation::Find, weight, 0, answer),
    }
}

const fn cancel(path: &'static str, weight: Weight, answer: Answer) -> Endpoint {
    Endpoint {
        method: "DELETE",
        path,
        service: service(Security::Trade, Operation::Cancel, weight, 0, answer),
    }
}

const fn setting(path: &'static str, weight: Weight, answer: Answer) -> Endpoint {
    Endpoint {
        method: "POST",
        path,
        service: service(Security::Trade, Operation::Other, weight, 0, answer),
    }
}

const fn place(
    method: &'static str,
    path: &'static str,
    weight: Weight,
    orders: u32,
    answer: Answer,
) -> Endpoint {
    Endpoint {
        method,
        path,
        service: service(Security::Trade, Operation::Place, weight, orders, answer),
    }
}

const fn stream(method: &'static str, answer: Answer) -> Endpoint {
    Endpoint {
        method,
        path: "/fapi/v1/listenKey",
        service: service(Security::KeyOnly, Operation::Other, ONE, 0, answer),
    }
}

/// What REST offers.
pub(in super::super) const ENDPOINTS: &[Endpoint] = &[
    public("/fapi/v1/ping", ONE, market::ping),
    public("/fapi/v1/time", ONE, market::time),
    public("/fapi/v1/exchangeInfo", ONE, market::exchange_info),
    public(
        "/fapi/v1/ticker/price",
        |params| market::weight_of_symbol(params, 1, 2),
        market::price,
    ),
    public(
        "/fapi/v2/ticker/price",
        |params| market::weight_of_symbol(params, 1, 2),
        market::price,
    ),
    public(
        "/fapi/v1/ticker/bookTicker",
        |params| market::weight_of_symbol(params, 2, 5),
        market::book,
    ),
    public(
        "/fapi/v1/premiumIndex",
        |params| market::weight_of_symbol(params, 1, 10),
        market::premium_index,
    ),
    public(
        "/fapi/v1/ticker/24hr",
        |params| market::weight_of_symbol(params, 1, 40),
        market::day,
    ),
    public("/fapi/v1/depth", market::weight_of_depth, market::depth),
    public("/fapi/v1/klines", market::weight_of_klines, market::klines),
    public("/fapi/v1/fundingRate", ONE, market::no_rows),
    public("/fapi/v1/fundingInfo", ONE, market::no_rows),
    place("POST", "/fapi/v1/order", NONE, 1, orders::place),
    place("POST", "/fapi/v1/order/test", ONE, 0, orders::test),
    place("PUT", "/fapi/v1/order", ONE, 1, orders::modify),
    place("POST", "/fapi/v1/batchOrders", FIVE, 5, orders::place_batch),
    cancel("/fapi/v1/order", ONE, orders::cancel),
    cancel("/fapi/v1/batchOrders", ONE, orders::cancel_batch),
    cancel("/fapi/v1/allOpenOrders", ONE, orders::cancel_all),
    lookup("/fapi/v1/order", ONE, orders::find),
    lookup("/fapi/v1/openOrder", ONE, orders::find_open),
    lookup(
        "/fapi/v1/openOrders",
        |params| market::weight_of_symbol(params, 1, 40),
        orders::open,
    ),
    lookup("/fapi/v1/allOrders", FIVE, orders::all),
    lookup("/fapi/v1/userTrades", FIVE, account::trades),
    place("POST", "/fapi/v1/algoOrder", NONE, 1, orders::place_algo),
    cancel("/fapi/v1/algoOrder", ONE, orders::cancel_algo),
    cancel("/fapi/v1/algoOpenOrders", ONE, orders::cancel_all_algos),
    lookup("/fapi/v1/algoOrder", ONE, orders::find_algo),
    lookup(
        "/fapi/v1/openAlgoOrders",
        |params| market::weight_of_symbol(params, 1, 40),
        orders::open_algos,
    ),
    lookup("/fapi/v1/allAlgoOrders", FIVE, orders::all_algos),
    user_data("/fapi/v2/balance", FIVE, account::balance),
    user_data("/fapi/v3/balance", FIVE, account::balance),
    user_data("/fapi/v2/account", FIVE, account::account_two),
    user_data("/fapi/v3/account", FIVE, account::account_three),
    user_data("/fapi/v2/positionRisk", FIVE, account::positions_two),
    user_data("/fapi/v3/positionRisk", FIVE, account::positions_three),
    user_data("/fapi/v1/accountConfig", FIVE, account::account_config),
    user_data("/fapi/v1/symbolConfig", FIVE, account::symbol_config),
    user_data("/fapi/v1/leverageBracket", ONE, account::leverage_bracket),
    user_data("/fapi/v1/positionSide/dual", THIRTY, account::position_mode),
    user_data("/fapi/v1/multiAssetsMargin", THIRTY, account::multi_assets),
    user_data("/fapi/v1/rateLimit/order", ONE, account::order_limits),
    user_data("/fapi/v1/commissionRate", TWENTY, account::commission_rate),
    user_data("/fapi/v1/income", THIRTY, account::income),
    setting("/fapi/v1/leverage", ONE, account::set_leverage),
    setting("/fapi/v1/marginType", ONE, account::set_margin_type),
    setting(
        "/fapi/v1/positionSide/dual",
        ONE,
        account::set_position_mode,
    ),
    setting("/fapi/v1/multiAssetsMargin", ONE, account::set_multi_assets),
    setting("/fapi/v1/countdownCancelAll", TEN, account::countdown),
    stream("POST", account::start_stream),
    stream("PUT", account::extend_stream),
    stream("DELETE", account::close_stream),
];
