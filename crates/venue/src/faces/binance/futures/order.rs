//! Orders: what the futures API calls a regular and a conditional ("algo") order, and the tickets that ask for them.

use crate::order::Side;
use crate::time::Micros;
use rust_decimal::Decimal;
use std::fmt;

/// The exchange's number of a regular order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct OrderId(pub(crate) u64);

/// The exchange's number of a conditional order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AlgoId(pub(crate) u64);

impl fmt::Display for OrderId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)
    }
}

/// An enum whose members are words in answers.
macro_rules! shown {
    ($(#[$outer:meta])* $name:ident { $($(#[$inner:meta])* $member:ident = $word:literal),+ $(,)? }) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum $name {
            $($(#[$inner])* $member),+
        }

        impl $name {
            /// The word on the wire.
            pub(crate) fn as_str(self) -> &'static str {
                match self {
                    $($name::$member => $word),+
                }
            }
        }
    };
}

/// An enum whose members are words in answers and in requests.
macro_rules! words {
    ($(#[$outer:meta])* $name:ident { $($(#[$inner:meta])* $member:ident = $word:literal),+ $(,)? }) => {
        shown! { $(#[$outer])* $name { $($(#[$inner])* $member = $word),+ } }

        impl $name {
            /// The member that the word stands for, if any.
            pub(crate) fn parse(word: &str) -> Option<$name> {
                match word {
                    $($word => Some($name::$member),)+
                    _ => None,
                }
            }
        }
    };
}

words! {
    /// Which position an order belongs to.
    PositionSide {
        /// The net position of the one-way mode.
        Both = "BOTH",
        /// The long position of the hedge mode.
        Long = "LONG",
        /// The short position of the hedge mode.
        Short = "SHORT",
    }
}

words! {
    /// The kinds of order, regular and conditional.
    OrderType {
        Limit = "LIMIT",
        Market = "MARKET",
        Stop = "STOP",
        StopMarket = "STOP_MARKET",
        TakeProfit = "TAKE_PROFIT",
        TakeProfitMarket = "TAKE_PROFIT_MARKET",
        TrailingStopMarket = "TRAILING_STOP_MARKET",
    }
}

words! {
    /// How long an order may wait.
    TimeInForce {
        /// Until cancelled.
        Gtc = "GTC",
        /// At once, the rest expires.
        Ioc = "IOC",
        /// At once and whole, or refused.
        Fok = "FOK",
        /// Post only.
        Gtx = "GTX",
        /// Until a date.
        Gtd = "GTD",
        /// A conditional order that lives as long as the position.
        GteGtc = "GTE_GTC",
    }
}

words! {
    /// Which price triggers a conditional order.
    WorkingType {
        Contract = "CONTRACT_PRICE",
        Mark = "MARK_PRICE",
    }
}

shown! {
    /// Where a regular order stands.
    OrderStatus {
        New = "NEW",
        PartiallyFilled = "PARTIALLY_FILLED",
        Filled = "FILLED",
        Canceled = "CANCELED",
        Expired = "EXPIRED",
    }
}

shown! {
    /// Where a conditional order stands.
    AlgoStatus {
        New = "NEW",
        Canceled = "CANCELED",
        /// Its condition is met, it is on its way to the matching engine.
        Triggering = "TRIGGERING",
        /// Its regular order exists.
        Triggered = "TRIGGERED",
        /// Its regular order has ended.
        Finished = "FINISHED",
        /// The matching engine refused its regular order.
        Rejected = "REJECTED",
        Expired = "EXPIRED",
    }
}

words! {
    /// A price taken from the book when the order arrives.
    PriceMatch {
        Opponent = "OPPONENT",
        Opponent5 = "OPPONENT_5",
        Opponent10 = "OPPONENT_10",
        Opponent20 = "OPPONENT_20",
        Queue = "QUEUE",
        Queue5 = "QUEUE_5",
        Queue10 = "QUEUE_10",
        Queue20 = "QUEUE_20",
    }
}

words! {
    /// What becomes of orders that would trade with each other; echoed, for the venue has no such orders.
    SelfTrade {
        None = "NONE",
        ExpireTaker = "EXPIRE_TAKER",
        ExpireMaker = "EXPIRE_MAKER",
        ExpireBoth = "EXPIRE_BOTH",
    }
}

impl OrderType {
    /// Whether it waits for a trigger: since 2025-12-09 only the algo endpoints take it.
    pub(crate) fn is_conditional(self) -> bool {
        match self {
            OrderType::Limit | OrderType::Market => false,
            OrderType::Stop
            | OrderType::StopMarket
            | OrderType::TakeProfit
            | OrderType::TakeProfitMarket
            | OrderType::TrailingStopMarket => true,
        }
    }

    /// What it is (or becomes once triggered) in the matching engine.
    pub(crate) fn working_type(self) -> OrderType {
        match self {
            OrderType::Limit | OrderType::Stop | OrderType::TakeProfit => OrderType::Limit,
            OrderType::Market
            | OrderType::StopMarket
            | OrderType::TakeProfitMarket
            | OrderType::TrailingStopMarket => OrderType::Market,
        }
    }

    /// Whether it is a target, which triggers from the other side than a stop.
    pub(crate) fn is_target(self) -> bool {
        match self {
            OrderType::TakeProfit | OrderType::TakeProfitMarket => true,
            OrderType::Limit
            | OrderType::Market
            | OrderType::Stop
            | OrderType::StopMarket
            | OrderType::TrailingStopMarket => false,
        }
    }
}

impl OrderStatus {
    /// Whether the order can still be executed or cancelled.
    pub(crate) fn is_open(self) -> bool {
        match self {
            OrderStatus::New | OrderStatus::PartiallyFilled => true,
            OrderStatus::Filled | OrderStatus::Canceled | OrderStatus::Expired => false,
        }
    }
}

/// The word of a side on the wire.
pub(crate) fn side_text(side: Side) -> &'static str {
    match side {
        Side::Buy => "BUY",
        Side::Sell => "SELL",
    }
}

/// The side that a word stands for.
pub(crate) fn parse_side(word: &str) -> Option<Side> {
    match word {
        "BUY" => Some(Side::Buy),
        "SELL" => Some(Side::Sell),
        _ => None,
    }
}

/// A request for a regular order, as it was read; nothing is checked yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OrderTicket {
    pub(crate) symbol: String,
    pub(crate) side: Side,
    pub(crate) order_type: OrderType,
    pub(crate) position_side: Option<PositionSide>,
    pub(crate) time_in_force: Option<TimeInForce>,
    pub(crate) quantity: Option<Decimal>,
    pub(crate) price: Option<Decimal>,
    pub(crate) price_match: Option<PriceMatch>,
    pub(crate) reduce_only: Option<bool>,
    pub(crate) client_order_id: Option<String>,
    pub(crate) good_till_ms: Option<i64>,
    pub(crate) self_trade: SelfTrade,
}

/// A request for a conditional order, as it was read; nothing is checked yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AlgoTicket {
    pub(crate) symbol: String,
    pub(crate) side: Side,
    pub(crate) order_type: OrderType,
    pub(crate) position_side: Option<PositionSide>,
    pub(crate) time_in_force: Option<TimeInForce>,
    pub(crate) quantity: Option<Decimal>,
    pub(crate) price: Option<Decimal>,
    pub(crate) price_match: Option<PriceMatch>,
    pub(crate) trigger_price: Option<Decimal>,
    pub(crate) working_type: WorkingType,
    pub(crate) close_position: bool,
    pub(crate) price_protect: bool,
    pub(crate) reduce_only: Option<bool>,
    pub(crate) activate_price: Option<Decimal>,
    pub(crate) callback_rate: Option<Decimal>,
    pub(crate) client_algo_id: Option<String>,
    pub(crate) good_till_ms: Option<i64>,
    pub(crate) self_trade: SelfTrade,
}

/// A regular order that the exchange has accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FuturesOrder {
    pub(crate) id: OrderId,
    pub(crate) client_order_id: String,
    pub(crate) symbol: String,
    pub(crate) side: Side,
    pub(crate) position_side: PositionSide,
    /// `LIMIT` or `MARKET`.
    pub(crate) order_type: OrderType,
    /// The kind under which it was asked for; a conditional one for an order that an algo order made.
    pub(crate) original_type: OrderType,
    pub(crate) time_in_force: TimeInForce,
    pub(crate) quantity: Decimal,
    /// The limit; zero for a market order.
    pub(crate) price: Decimal,
    pub(crate) price_match: Option<PriceMatch>,
    pub(crate) reduce_only: bool,
    /// Whether it closes the position, as the algo order that made it said.
    pub(crate) close_position: bool,
    pub(crate) trigger_price: Decimal,
    pub(crate) working_type: WorkingType,
    pub(crate) price_protect: bool,
    pub(crate) self_trade: SelfTrade,
    /// Milliseconds; zero for none.
    pub(crate) good_till_ms: i64,
    pub(crate) status: OrderStatus,
    pub(crate) executed: Decimal,
    /// Sum of quantity × price over what was executed.
    pub(crate) executed_value: Decimal,
    pub(crate) realised_profit: Decimal,
    /// The algo order that made it.
    pub(crate) parent: Option<AlgoId>,
    pub(crate) created: Micros,
    pub(crate) updated: Micros,
    /// Its present name in the venue; changes when it is modified.
    pub(crate) venue_name: String,
    /// The part of the quantity that the matching engine is allowed to execute; less than all when the book is made
    /// to run dry.
    pub(crate) venue_quantity: Decimal,
}

impl FuturesOrder {
    /// What is still to be executed.
    pub(crate) fn remaining(&self) -> Decimal {
        self.quantity - self.executed
    }

    /// The average price of what was executed, zero while nothing was.
    pub(crate) fn average_price(&self) -> Decimal {
        self.executed_value
            .checked_div(self.executed)
            .unwrap_or_default()
    }
}

/// A conditional order that the exchange has accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AlgoOrder {
    pub(crate) id: AlgoId,
    pub(crate) client_algo_id: String,
    pub(crate) symbol: String,
    pub(crate) side: Side,
    pub(crate) position_side: PositionSide,
    pub(crate) order_type: OrderType,
    pub(crate) time_in_force: TimeInForce,
    /// Zero for an order that closes the position.
    pub(crate) quantity: Decimal,
    /// Zero for those that become market orders.
    pub(crate) price: Decimal,
    pub(crate) price_match: Option<PriceMatch>,
    /// Zero for a trailing stop.
    pub(crate) trigger_price: Decimal,
    pub(crate) working_type: WorkingType,
    pub(crate) close_position: bool,
    pub(crate) price_protect: bool,
    pub(crate) reduce_only: bool,
    pub(crate) trailing: Option<Trailing>,
    pub(crate) self_trade: SelfTrade,
    /// Milliseconds; zero for none.
    pub(crate) good_till_ms: i64,
    pub(crate) status: AlgoStatus,
    /// The regular order it made.
    pub(crate) actual_order: Option<OrderId>,
    pub(crate) reject_reason: String,
    pub(crate) created: Micros,
    pub(crate) updated: Micros,
    pub(crate) triggered: Option<Micros>,
}

impl AlgoOrder {
    /// Whether it ends when the position that it would reduce is gone: always if its time in force says so, and if it
    /// closes the position where the exchange is set up like that.
    pub(crate) fn ends_with_position(&self, close_position_orders_expire: bool) -> bool {
        let by_time = self.time_in_force == TimeInForce::GteGtc;
        by_time || (self.close_position && close_position_orders_expire)
    }

    /// Whether it still waits for its trigger.
    pub(crate) fn is_open(&self) -> bool {
        self.status == AlgoStatus::New
    }
}

/// The moving stop of a trailing order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trailing {
    /// The price from which it follows.
    pub(crate) activate_price: Decimal,
    /// How far it stays behind, in percent.
    pub(crate) callback_rate: Decimal,
    /// The best price since it follows; none while it doesn't.
    pub(crate) extreme: Option<Decimal>,
}

impl Trailing {
    /// Lets a price move the stop; says whether it is reached.
    pub(crate) fn moves(&mut self, side: Side, price: Decimal) -> bool {
        let is_activated = match side {
            Side::Buy => price <= self.activate_price,
            Side::Sell => price >= self.activate_price,
        };
        let Some(extreme) = self.extreme else {
            if is_activated {
                self.extreme = Some(price);
            }
            return false;
        };
        let share = self.callback_rate / Decimal::ONE_HUNDRED;
        let (extreme, is_reached) = match side {
            Side::Buy => {
                let lowest = extreme.min(price);
                (lowest, price >= lowest * (Decimal::ONE + share))
            }
            Side::Sell => {
                let highest = extreme.max(price);
                (highest, price <= highest * (Decimal::ONE - share))
            }
        };
        self.extreme = Some(extreme);
        is_reached
    }
}

/// How a request names an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OrderKey {
    /// By the exchange's number, which prevails.
    Id(OrderId),
    /// By the client's name.
    Client(String),
}

/// How a request names a conditional order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AlgoKey {
    /// By the exchange's number, which prevails.
    Id(AlgoId),
    /// By the client's name.
    Client(String),
}
