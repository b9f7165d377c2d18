//! Orders and order lists of the spot market, as its books keep them.
//!
//! Names of types, statuses and reasons: Binance Spot API, "ENUM Definitions".

use crate::order::{Liquidity, Side};
use crate::time::Micros;
use crate::trigger::PriceTrigger;
use rust_decimal::Decimal;

/// The type of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OrderType {
    Limit,
    LimitMaker,
    Market,
    StopLoss,
    StopLossLimit,
    TakeProfit,
    TakeProfitLimit,
}

impl OrderType {
    pub(super) fn from_name(name: &str) -> Option<OrderType> {
        let all = [
            OrderType::Limit,
            OrderType::LimitMaker,
            OrderType::Market,
            OrderType::StopLoss,
            OrderType::StopLossLimit,
            OrderType::TakeProfit,
            OrderType::TakeProfitLimit,
        ];
        all.into_iter().find(|kind| kind.name() == name)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            OrderType::Limit => "LIMIT",
            OrderType::LimitMaker => "LIMIT_MAKER",
            OrderType::Market => "MARKET",
            OrderType::StopLoss => "STOP_LOSS",
            OrderType::StopLossLimit => "STOP_LOSS_LIMIT",
            OrderType::TakeProfit => "TAKE_PROFIT",
            OrderType::TakeProfitLimit => "TAKE_PROFIT_LIMIT",
        }
    }

    /// Whether it has a limit price.
    pub(super) fn has_price(self) -> bool {
        match self {
            OrderType::Limit
            | OrderType::LimitMaker
            | OrderType::StopLossLimit
            | OrderType::TakeProfitLimit => true,
            OrderType::Market | OrderType::StopLoss | OrderType::TakeProfit => false,
        }
    }

    /// Whether its time in force has to be given.
    pub(super) fn needs_time_in_force(self) -> bool {
        self.has_price() && self != OrderType::LimitMaker
    }

    /// Whether it waits for a price.
    pub(super) fn is_contingent(self) -> bool {
        match self {
            OrderType::StopLoss
            | OrderType::StopLossLimit
            | OrderType::TakeProfit
            | OrderType::TakeProfitLimit => true,
            OrderType::Limit | OrderType::LimitMaker | OrderType::Market => false,
        }
    }

    /// Whether the price it waits for is worse than the market.
    pub(super) fn is_stop(self) -> bool {
        matches!(self, OrderType::StopLoss | OrderType::StopLossLimit)
    }
}

/// How long an order waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimeInForce {
    Gtc,
    Ioc,
    Fok,
}

impl TimeInForce {
    pub(super) fn from_name(name: &str) -> Option<TimeInForce> {
        match name {
            "GTC" => Some(TimeInForce::Gtc),
            "IOC" => Some(TimeInForce::Ioc),
            "FOK" => Some(TimeInForce::Fok),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            TimeInForce::Gtc => "GTC",
            TimeInForce::Ioc => "IOC",
            TimeInForce::Fok => "FOK",
        }
    }
}

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// In a list, before its turn.
    PendingNew,
    New,
    PartiallyFilled,
    Filled,
    Canceled,
    Expired,
}

impl Status {
    pub(super) fn name(self) -> &'static str {
        match self {
            Status::PendingNew => "PENDING_NEW",
            Status::New => "NEW",
            Status::PartiallyFilled => "PARTIALLY_FILLED",
            Status::Filled => "FILLED",
            Status::Canceled => "CANCELED",
            Status::Expired => "EXPIRED",
        }
    }

    /// Whether the order can still change.
    pub(super) fn is_open(self) -> bool {
        match self {
            Status::PendingNew | Status::New | Status::PartiallyFilled => true,
            Status::Filled | Status::Canceled | Status::Expired => false,
        }
    }
}

/// Why an order expired, as `expiryReason` shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expiry {
    Rejected,
    OcoTrigger,
    OtoPhaseOne,
    UnfilledIoc,
    UnfilledFok,
    InsufficientLiquidity,
}

impl Expiry {
    pub(super) fn name(self) -> &'static str {
        match self {
            Expiry::Rejected => "REJECTED",
            Expiry::OcoTrigger => "OCO_TRIGGER",
            Expiry::OtoPhaseOne => "OTO_PHASE_ONE_EXPIRED",
            Expiry::UnfilledIoc => "UNFILLED_IOC_QUANTITY_EXPIRED",
            Expiry::UnfilledFok => "UNFILLED_FOK_ORDER_EXPIRED",
            Expiry::InsufficientLiquidity => "INSUFFICIENT_LIQUIDITY",
        }
    }
}

/// An order that is asked for, its form checked.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct NewOrder {
    pub(super) symbol: String,
    pub(super) client_id: Option<String>,
    pub(super) side: Side,
    pub(super) kind: OrderType,
    pub(super) time_in_force: TimeInForce,
    /// In the base asset; zero while it is not known yet (a pending order that is sized by its working one).
    pub(super) quantity: Decimal,
    /// For a market order by amount, in the quote asset.
    pub(super) quote_quantity: Option<Decimal>,
    pub(super) price: Option<Decimal>,
    pub(super) stop_price: Option<Decimal>,
    /// In basis points.
    pub(super) trailing_delta: Option<u32>,
    pub(super) iceberg_quantity: Option<Decimal>,
    pub(super) strategy_id: Option<i64>,
    pub(super) strategy_type: Option<i64>,
    pub(super) self_trade_prevention: String,
}

/// One execution.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Trade {
    pub(super) id: u64,
    pub(super) order_id: u64,
    pub(super) price: Decimal,
    pub(super) quantity: Decimal,
    pub(super) commission: Decimal,
    pub(super) commission_asset: String,
    pub(super) liquidity: Liquidity,
    pub(super) at: Micros,
}

impl Trade {
    /// Price × quantity, in the quote asset.
    pub(super) fn value(&self) -> Decimal {
        (self.price * self.quantity).normalize()
    }
}

/// An order the market has accepted.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SpotOrder {
    pub(super) id: u64,
    pub(super) account: String,
    pub(super) client_id: String,
    pub(super) request: NewOrder,
    pub(super) status: Status,
    pub(super) expiry: Option<Expiry>,
    pub(super) executed: Decimal,
    pub(super) quote_executed: Decimal,
    pub(super) trades: Vec<Trade>,
    /// Its list, if it belongs to one.
    pub(super) list_id: Option<u64>,
    /// Waits to become active (a trailing stop with a stop price).
    pub(super) activation: Option<PriceTrigger>,
    /// Waits for that price.
    pub(super) trigger: Option<PriceTrigger>,
    /// When a trailing stop became active.
    pub(super) trailing_since: Option<Micros>,
    /// The venue's name of it, once it works there.
    pub(super) ticket: Option<String>,
    /// The funds it holds, shared by the legs of a one-cancels-other list.
    pub(super) lock: u64,
    pub(super) created_at: Micros,
    pub(super) updated_at: Micros,
    /// Since when it is in the book.
    pub(super) working_since: Option<Micros>,
    pub(super) amends: u32,
}

impl SpotOrder {
    /// What is still to be executed, in the base asset.
    pub(super) fn remaining(&self) -> Decimal {
        self.request.quantity - self.executed
    }

    /// Whether it works in the book or at the market.
    pub(super) fn works(&self) -> bool {
        self.status.is_open() && self.ticket.is_some()
    }

    /// Whether it waits for a price.
    pub(super) fn is_armed(&self) -> bool {
        self.status == Status::New && self.trigger.is_some()
    }
}

/// What binds the orders of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Contingency {
    /// Two legs, one cancels the other.
    Oco,
    /// A working order, then one or two pending ones (which then are one-cancels-other).
    Oto,
}

impl Contingency {
    pub(super) fn name(self) -> &'static str {
        match self {
            Contingency::Oco => "OCO",
            Contingency::Oto => "OTO",
        }
    }
}

/// An order list.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct OrderList {
    pub(super) id: u64,
    pub(super) account: String,
    pub(super) client_id: String,
    pub(super) symbol: String,
    pub(super) contingency: Contingency,
    /// Its orders: the working one first, where there is one.
    pub(super) orders: Vec<u64>,
    /// Whether the pending orders are as large as the working order's proceeds.
    pub(super) pays_pending: bool,
    /// Whether all is over.
    pub(super) is_done: bool,
    pub(super) at: Micros,
}

impl OrderList {
    /// The order that has to be filled first.
    pub(super) fn working(&self) -> Option<u64> {
        match self.contingency {
            Contingency::Oco => None,
            Contingency::Oto => self.orders.first().copied(),
        }
    }

    /// The orders of which only one can be executed, or the one that waits for its working order.
    pub(super) fn legs(&self) -> &[u64] {
        match self.contingency {
            Contingency::Oco => &self.orders,
            Contingency::Oto => self.orders.get(1..).unwrap_or_default(),
        }
    }
}
