//! Accounts: wallet, positions and settings of one futures account, and the margin its positions and orders need.

use super::order::{AlgoId, AlgoOrder, FuturesOrder, OrderId, PositionSide};
use super::refusal::Refusal;
use crate::order::Side;
use crate::time::Micros;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Decimals of an amount of USDT.
pub(crate) const AMOUNT_DECIMALS: u32 = 8;
/// The leverage of a symbol before it is set (Binance's default).
pub(crate) const LEVERAGE_DEFAULT: u32 = 20;
/// Orders, conditional orders and executions that are kept of each account; beyond that the oldest that have ended
/// are forgotten.
const KEPT_MAX: usize = 100_000;
/// The share of its notional value that a position must have as margin to be kept; the lowest bracket's.
pub(crate) const MAINTENANCE_RATE: Decimal = Decimal::from_parts(4, 0, 0, false, 3);

/// How the margin of a symbol's positions is kept apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MarginType {
    /// The whole wallet stands behind every position.
    Crossed,
    /// Each position has its own margin; shown, but not kept apart in the wallet.
    Isolated,
}

/// What is set for one symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SymbolSettings {
    pub(crate) leverage: u32,
    pub(crate) margin_type: MarginType,
}

impl Default for SymbolSettings {
    fn default() -> SymbolSettings {
        SymbolSettings {
            leverage: LEVERAGE_DEFAULT,
            margin_type: MarginType::Crossed,
        }
    }
}

/// One position.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position {
    /// Contracts, negative for short.
    pub(crate) amount: Decimal,
    /// What they cost, with the sign of the amount.
    pub(crate) cost: Decimal,
    /// Profit realised so far, before commissions.
    pub(crate) realised: Decimal,
    pub(crate) updated: Micros,
}

impl Position {
    /// The average price of what is open, zero without a position.
    pub(crate) fn entry_price(&self) -> Decimal {
        self.cost.checked_div(self.amount).unwrap_or_default()
    }

    /// The profit of what is open at that price.
    pub(crate) fn unrealised(&self, mark: Decimal) -> Decimal {
        self.amount * mark - self.cost
    }

    /// Books an execution; answers with the profit it realised.
    pub(crate) fn trade(
        &mut self,
        side: Side,
        quantity: Decimal,
        price: Decimal,
        now: Micros,
    ) -> Decimal {
        let (held, signed) = (self.amount, side.signed(quantity));
        let opens = held.is_zero() || held.is_sign_negative() == signed.is_sign_negative();
        let closed = if opens {
            Decimal::ZERO
        } else {
            quantity.min(held.abs())
        };
        let released = if closed == held.abs() {
            if opens { Decimal::ZERO } else { self.cost }
        } else {
            (self.cost * (closed / held.abs())).round_dp(12)
        };
        let closing_value = closed
            * price
            * if held.is_sign_negative() {
                Decimal::NEGATIVE_ONE
            } else {
                Decimal::ONE
            };
        let profit = (closing_value - released).round_dp(AMOUNT_DECIMALS);
        self.cost = self.cost - released + side.signed(quantity - closed) * price;
        self.amount += signed;
        self.realised += profit;
        self.updated = now;
        profit
    }
}

/// One execution, as `userTrades` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trade {
    pub(crate) id: u64,
    pub(crate) order: OrderId,
    pub(crate) symbol: String,
    pub(crate) side: Side,
    pub(crate) position_side: PositionSide,
    pub(crate) price: Decimal,
    pub(crate) quantity: Decimal,
    pub(crate) commission: Decimal,
    pub(crate) realised_profit: Decimal,
    pub(crate) is_maker: bool,
    pub(crate) at: Micros,
}

/// A stream key and its end.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ListenKey {
    pub(crate) key: String,
    pub(crate) until: Micros,
}

impl std::fmt::Debug for ListenKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "ListenKey(until {})", self.until)
    }
}

/// The margin an account needs and has, in USDT.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Margin {
    pub(crate) position_initial: Decimal,
    pub(crate) order_initial: Decimal,
    pub(crate) maintenance: Decimal,
    pub(crate) unrealised: Decimal,
}

impl Margin {
    pub(crate) fn initial(&self) -> Decimal {
        self.position_initial + self.order_initial
    }

    /// The sum of two parts.
    pub(crate) fn plus(self, other: Margin) -> Margin {
        Margin {
            position_initial: self.position_initial + other.position_initial,
            order_initial: self.order_initial + other.order_initial,
            maintenance: self.maintenance + other.maintenance,
            unrealised: self.unrealised + other.unrealised,
        }
    }
}

/// One futures account.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    /// USDT: deposits plus realised profit minus commissions.
    pub(crate) wallet: Decimal,
    pub(crate) hedge_mode: bool,
    pub(crate) multi_assets: bool,
    pub(crate) settings: BTreeMap<String, SymbolSettings>,
    pub(crate) positions: BTreeMap<(String, PositionSide), Position>,
    pub(crate) orders: BTreeMap<OrderId, FuturesOrder>,
    pub(crate) open_ids: BTreeSet<OrderId>,
    /// Every order ever under a client id, oldest first.
    pub(crate) by_client_id: BTreeMap<String, Vec<OrderId>>,
    pub(crate) algos: BTreeMap<AlgoId, AlgoOrder>,
    pub(crate) open_algo_ids: BTreeSet<AlgoId>,
    pub(crate) trades: VecDeque<Trade>,
    /// Regular and conditional orders that are not remembered any more.
    pub(crate) forgotten: u64,
    /// Symbol to the moment at which its open orders are cancelled, and the time that was set in milliseconds.
    pub(crate) countdowns: BTreeMap<String, Micros>,
    pub(crate) listen_key: Option<ListenKey>,
    pub(crate) updated: Micros,
}

impl Account {
    pub(crate) fn new(wallet: Decimal, now: Micros) -> Account {
        Account {
            wallet,
            hedge_mode: false,
            multi_assets: false,
            settings: BTreeMap::new(),
            positions: BTreeMap::new(),
            orders: BTreeMap::new(),
            open_ids: BTreeSet::new(),
            by_client_id: BTreeMap::new(),
            algos: BTreeMap::new(),
            open_algo_ids: BTreeSet::new(),
            trades: VecDeque::new(),
            forgotten: 0,
            countdowns: BTreeMap::new(),
            listen_key: None,
            updated: now,
        }
    }

    /// Takes a new open order into the books.
    pub(crate) fn keep_order(&mut self, order: FuturesOrder) {
        let id = order.id;
        let name = order.client_order_id.clone();
        self.by_client_id.entry(name).or_default().push(id);
        self.open_ids.insert(id);
        self.orders.insert(id, order);
        if self.orders.len() <= KEPT_MAX {
            return;
        }
        let oldest = self.orders.values().find(|order| !order.status.is_open());
        let Some((id, name)) = oldest.map(|order| (order.id, order.client_order_id.clone())) else {
            return;
        };
        self.orders.remove(&id);
        self.forgotten += 1;
        if let Some(ids) = self.by_client_id.get_mut(&name) {
            ids.retain(|kept| *kept != id);
            if ids.is_empty() {
                self.by_client_id.remove(&name);
            }
        }
    }

    /// Takes a new waiting conditional order into the books.
    pub(crate) fn keep_algo(&mut self, algo: AlgoOrder) {
        self.open_algo_ids.insert(algo.id);
        self.algos.insert(algo.id, algo);
        if self.algos.len() > KEPT_MAX {
            let oldest = self.algos.values().find(|algo| !algo.is_open());
            if let Some(id) = oldest.map(|algo| algo.id) {
                self.algos.remove(&id);
                self.forgotten += 1;
            }
        }
    }

    /// Writes an execution down.
    pub(crate) fn keep_trade(&mut self, trade: Trade) {
        if self.trades.len() >= KEPT_MAX {
            self.trades.pop_front();
        }
        self.trades.push_back(trade);
    }

    pub(crate) fn settings_of(&self, symbol: &str) -> SymbolSettings {
        self.settings.get(symbol).copied().unwrap_or_default()
    }

    /// The contracts of a position, negative for short.
    pub(crate) fn amount(&self, symbol: &str, position_side: PositionSide) -> Decimal {
        self.positions
            .get(&(symbol.to_owned(), position_side))
            .map_or(Decimal::ZERO, |position| position.amount)
    }

    /// How much of a position an order of that side can take away.
    pub(crate) fn reducible(
        &self,
        symbol: &str,
        position_side: PositionSide,
        side: Side,
    ) -> Decimal {
        let amount = self.amount(symbol, position_side);
        let reduces = match side {
            Side::Buy => amount < Decimal::ZERO,
            Side::Sell => amount > Decimal::ZERO,
        };
        if reduces { amount.abs() } else { Decimal::ZERO }
    }

    /// The side of the position that the order belongs to, if its choice fits the account's mode (-4061).
    pub(crate) fn position_side(
        &self,
        wanted: Option<PositionSide>,
    ) -> Result<PositionSide, Refusal> {
        match (self.hedge_mode, wanted) {
            (false, None | Some(PositionSide::Both)) => Ok(PositionSide::Both),
            (true, Some(side @ (PositionSide::Long | PositionSide::Short))) => Ok(side),
            (false, Some(PositionSide::Long | PositionSide::Short))
            | (true, None | Some(PositionSide::Both)) => Err(Refusal::position_side()),
        }
    }

    pub(crate) fn open_orders(&self) -> impl Iterator<Item = &FuturesOrder> {
        self.open_ids.iter().filter_map(|id| self.orders.get(id))
    }

    pub(crate) fn open_algos(&self) -> impl Iterator<Item = &AlgoOrder> {
        self.open_algo_ids
            .iter()
            .filter_map(|id| self.algos.get(id))
    }

    /// The newest regular order under that client id.
    pub(crate) fn newest(&self, symbol: &str, client_order_id: &str) -> Option<&FuturesOrder> {
        let ids = self.by_client_id.get(client_order_id)?;
        let mut orders = ids.iter().rev().filter_map(|id| self.orders.get(id));
        orders.find(|order| order.symbol == symbol)
    }

    /// The newest conditional order under that client id.
    pub(crate) fn newest_algo(&self, client_algo_id: &str) -> Option<&AlgoOrder> {
        self.algos
            .values()
            .rev()
            .find(|algo| algo.client_algo_id == client_algo_id)
    }

    /// The margin of one position with its open orders and perhaps one more order (side, notional) at that mark price.
    ///
    /// The initial margin is that of the larger of what the account would hold if all its buys or all its sells were
    /// executed; reducing orders need none.
    pub(crate) fn margin_of(
        &self,
        symbol: &str,
        position_side: PositionSide,
        mark: Decimal,
        extra: Option<(Side, Decimal)>,
    ) -> Margin {
        let empty = Position::default();
        let key = (symbol.to_owned(), position_side);
        let position = self.positions.get(&key).unwrap_or(&empty);
        let held = position.amount * mark;
        let (mut buys, mut sells) = (Decimal::ZERO, Decimal::ZERO);
        let orders = self.open_orders().filter(|order| {
            order.symbol == symbol && order.position_side == position_side && !order.reduce_only
        });
        let working = orders.map(|order| (order.side, order.remaining() * order.price));
        for (side, notional) in working.chain(extra) {
            match side {
                Side::Buy => buys += notional,
                Side::Sell => sells += notional,
            }
        }
        let worst = (held + buys)
            .abs()
            .max((held - sells).abs())
            .max(held.abs());
        let leverage = Decimal::from(self.settings_of(symbol).leverage.max(1));
        Margin {
            position_initial: held.abs() / leverage,
            order_initial: (worst - held.abs()) / leverage,
            maintenance: held.abs() * MAINTENANCE_RATE,
            unrealised: position.unrealised(mark),
        }
    }
}
