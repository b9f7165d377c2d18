//! Orders as the venue knows them: what was asked, how far it got, and why it ended.

use crate::money;
use crate::time::Micros;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The venue's own number of an order; grows by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VenueOrderId(pub u64);

impl fmt::Display for VenueOrderId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)
    }
}

/// The number of one execution; unique in the venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TradeId(pub u64);

/// Buy or sell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Makes the position larger, counted with its sign.
    Buy,
    /// Makes the position smaller, counted with its sign.
    Sell,
}

impl Side {
    /// `quantity` with this side's sign: positive for buy.
    #[must_use]
    pub fn signed(self, quantity: Decimal) -> Decimal {
        match self {
            Side::Buy => quantity,
            Side::Sell => -quantity,
        }
    }
}

/// What makes an order execute, with its prices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderKind {
    /// At once, at the market.
    Market,
    /// At `price` or better.
    Limit {
        /// The worst acceptable price.
        price: Decimal,
    },
    /// At the market, once the last price has reached `stop_price`: from below for a buy, from above for a sell. A
    /// stop that is passed already when it arrives triggers at once.
    Stop {
        /// The price that triggers it.
        stop_price: Decimal,
    },
    /// As a limit order at `price`, once the last price has reached `stop_price`.
    StopLimit {
        /// The price that triggers it.
        stop_price: Decimal,
        /// The worst acceptable price after that.
        price: Decimal,
    },
    /// At the market, once the last price has reached `stop_price` from the better side: from above for a buy, from
    /// below for a sell. A target that is passed already when it arrives triggers at once.
    TakeProfit {
        /// The price that triggers it.
        stop_price: Decimal,
    },
    /// As a limit order at `price`, once the last price has reached `stop_price` from the better side.
    TakeProfitLimit {
        /// The price that triggers it.
        stop_price: Decimal,
        /// The worst acceptable price after that.
        price: Decimal,
    },
    /// At the market, once the last price has moved against the order by `callback_bps` of the best price seen: up
    /// from the lowest for a buy, down from the highest for a sell.
    TrailingStop {
        /// How far, in basis points; above 0 and below 10000.
        callback_bps: Decimal,
        /// The price from which on it watches: reached from above for a buy, from below for a sell; none for at once.
        activation_price: Option<Decimal>,
    },
    /// One order with a stop and a target: whichever is reached first decides what the order becomes, and the other
    /// one is dead from that moment, also when the target is filled only in part.
    OneCancelsOther {
        /// The price that makes it a market order.
        stop_price: Decimal,
        /// The limit price on the other side of the market.
        target_price: Decimal,
    },
}

/// How long an order may wait for its other side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeInForce {
    /// Until it is filled or cancelled.
    #[default]
    Gtc,
    /// What can be executed at once is; the rest expires.
    Ioc,
    /// All at once or nothing.
    Fok,
}

/// What a trader asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRequest {
    /// The caller's name of the order: 1 to 64 visible ASCII characters.
    pub client_order_id: String,
    /// The instrument's symbol.
    pub symbol: String,
    /// Buy or sell.
    pub side: Side,
    /// How much; above zero, a multiple of the instrument's step.
    pub quantity: Decimal,
    /// What makes it execute.
    pub kind: OrderKind,
    /// How long it may wait. A one-cancels-other order waits always (`Gtc`).
    pub time_in_force: TimeInForce,
    /// Never increases or turns the account's net position in the symbol: at the moment of execution the quantity is
    /// cut to the position, and what can't be executed any more is cancelled.
    pub reduce_only: bool,
    /// The price the caller saw: acts as a tick of the symbol just before the order.
    pub reference_price: Option<Decimal>,
    /// Processed after this moment, the request is refused: the caller's time fence.
    pub valid_until: Option<Micros>,
}

impl OrderRequest {
    /// A market order, good till cancelled, that isn't reduce-only and has neither reference price nor time fence.
    #[must_use]
    pub fn market(
        client_order_id: &str,
        symbol: &str,
        side: Side,
        quantity: Decimal,
    ) -> OrderRequest {
        OrderRequest {
            client_order_id: client_order_id.to_owned(),
            symbol: symbol.to_owned(),
            side,
            quantity,
            kind: OrderKind::Market,
            time_in_force: TimeInForce::Gtc,
            reduce_only: false,
            reference_price: None,
            valid_until: None,
        }
    }

    /// This request as an order of another kind.
    #[must_use]
    pub fn with_kind(self, kind: OrderKind) -> OrderRequest {
        OrderRequest { kind, ..self }
    }

    /// This request, allowed only to reduce the position.
    #[must_use]
    pub fn reducing(self) -> OrderRequest {
        OrderRequest {
            reduce_only: true,
            ..self
        }
    }
}

/// What a waiting order has become. A limit or market order is at work from the start; the others turn when a price
/// is reached, and never turn back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Waits for its stop price, or for either of its two prices.
    Armed,
    /// Is active and trails the market.
    Trailing {
        /// The best price since it became active.
        best: Decimal,
    },
    /// Is a limit order now (or always was).
    AtLimit {
        /// The limit.
        price: Decimal,
    },
    /// Is a market order now (or always was).
    AtMarket,
}

impl Phase {
    /// Whether it is neither a limit nor a market order yet.
    #[must_use]
    pub fn waits_for_a_price(self) -> bool {
        match self {
            Phase::Armed | Phase::Trailing { .. } => true,
            Phase::AtLimit { .. } | Phase::AtMarket => false,
        }
    }
}

/// Who was there first at an execution; decides the fee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Liquidity {
    /// The order was waiting.
    Maker,
    /// The order came to what was waiting.
    Taker,
}

/// One execution of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fill {
    /// Its number.
    pub trade_id: TradeId,
    /// Price of one unit.
    pub price: Decimal,
    /// How much was executed.
    pub quantity: Decimal,
    /// Quantity × price × multiplier, in the account's currency; always positive.
    pub value: Decimal,
    /// The fee, in the account's currency; zero or more.
    pub fee: Decimal,
    /// Maker or taker.
    pub liquidity: Liquidity,
    /// When.
    pub at: Micros,
}

/// Why an order was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelReason {
    /// The caller asked for it.
    Requested,
    /// It was reduce-only, and nothing (more) was left to reduce.
    NothingToReduce,
    /// Its execution would have left the range of numbers the venue calculates with.
    OutOfRange,
}

/// Why an order expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpiryReason {
    /// Immediate or cancel: this part couldn't be executed at once.
    ImmediateOrCancel,
    /// Fill or kill: it couldn't be executed whole.
    FillOrKill,
}

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// Waits, perhaps filled in part.
    Open,
    /// Filled whole.
    Filled,
    /// Ended before it was whole, perhaps filled in part.
    Cancelled(CancelReason),
    /// Ended by its time in force, perhaps filled in part.
    Expired(ExpiryReason),
}

/// An order the venue has accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The venue's number of it.
    pub venue_order_id: VenueOrderId,
    /// What was asked for.
    pub request: OrderRequest,
    /// Where it stands.
    pub status: OrderStatus,
    /// What it has become.
    pub phase: Phase,
    /// How much was executed, fills before a restore included.
    pub filled_quantity: Decimal,
    /// Sum of quantity × price over what was executed.
    pub filled_value: Decimal,
    /// Every execution the venue made, oldest first.
    pub fills: Vec<Fill>,
    /// When it was accepted.
    pub accepted_at: Micros,
    /// When anything about it changed last.
    pub changed_at: Micros,
}

impl Order {
    /// What is still to be executed.
    #[must_use]
    pub fn remaining_quantity(&self) -> Decimal {
        (self.request.quantity - self.filled_quantity).normalize()
    }

    /// The average price of what was executed, to twelve decimals; nothing while nothing was.
    #[must_use]
    pub fn average_price(&self) -> Option<Decimal> {
        money::average_price(self.filled_value, self.filled_quantity)
    }

    /// Whether it can still be executed or cancelled.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.status == OrderStatus::Open
    }
}
