//! The methods of the futures web socket API (Binance USDⓈ-M Futures, WebSocket API).

use super::super::auth::Security;
use super::super::faults::Operation;
use super::super::params::Params;
use super::super::service::{Answer, Method};
use super::endpoints::service;
use super::handlers_account as account;
use super::handlers_market as market;
use super::handlers_orders as orders;

type Weight = fn(&Params) -> u32;

const NONE: Weight = |_| 0;
const ONE: Weight = |_| 1;
const TWO: Weight = |_| 2;
const FIVE: Weight = |_| 5;

const fn trade(
    name: &'static str,
    operation: Operation,
    weight: Weight,
    orders: u32,
    answer: Answer,
) -> Method {
    Method {
        name,
        service: service(Security::Trade, operation, weight, orders, answer),
    }
}

const fn read(
    name: &'static str,
    security: Security,
    operation: Operation,
    weight: Weight,
    answer: Answer,
) -> Method {
    Method {
        name,
        service: service(security, operation, weight, 0, answer),
    }
}

/// What `/ws-fapi/v1` offers.
pub(in super::super) const METHODS: &[Method] = &[
    trade("order.place", Operation::Place, NONE, 1, orders::place),
    trade("order.modify", Operation::Place, NONE, 1, orders::modify),
    trade("order.cancel", Operation::Cancel, ONE, 0, orders::cancel),
    trade(
        "algoOrder.place",
        Operation::Place,
        NONE,
        1,
        orders::place_algo,
    ),
    trade(
        "algoOrder.cancel",
        Operation::Cancel,
        ONE,
        0,
        orders::cancel_algo,
    ),
    read(
        "order.status",
        Security::Signed,
        Operation::Find,
        ONE,
        orders::find,
    ),
    read(
        "account.balance",
        Security::Signed,
        Operation::Other,
        FIVE,
        account::balance,
    ),
    read(
        "v2/account.balance",
        Security::Signed,
        Operation::Other,
        FIVE,
        account::balance,
    ),
    read(
        "account.status",
        Security::Signed,
        Operation::Other,
        FIVE,
        account::account_two,
    ),
    read(
        "v2/account.status",
        Security::Signed,
        Operation::Other,
        FIVE,
        account::account_three,
    ),
    read(
        "account.position",
        Security::Signed,
        Operation::Other,
        FIVE,
        account::positions_two,
    ),
    read(
        "v2/account.position",
        Security::Signed,
        Operation::Other,
        FIVE,
        account::positions_three,
    ),
    read(
        "userDataStream.start",
        Security::KeyOnly,
        Operation::Other,
        FIVE,
        account::ws_start_stream,
    ),
    read(
        "userDataStream.ping",
        Security::KeyOnly,
        Operation::Other,
        ONE,
        account::ws_extend_stream,
    ),
    read(
        "userDataStream.stop",
        Security::KeyOnly,
        Operation::Other,
        ONE,
        account::ws_close_stream,
    ),
    read(
        "depth",
        Security::Public,
        Operation::Other,
        market::weight_of_depth,
        market::depth,
    ),
    read(
        "ticker.price",
        Security::Public,
        Operation::Other,
        ONE,
        market::price,
    ),
    read(
        "ticker.book",
        Security::Public,
        Operation::Other,
        TWO,
        market::book,
    ),
];
