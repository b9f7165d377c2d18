//! Symbols: what the broker says about an instrument, its market, and the two lists that the stand-in offers.
//!
//! The numbers are plausible ones, not any broker's: contracts of B3 as B3 describes them, currency pairs as most
//! brokers offer them. Tick values are in the account's currency.

use super::kinds::{Execution, Side, TradeMode};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Order types and levels that a symbol admits, as flags (SYMBOL_ORDER_MODE).
pub(super) const ORDER_MODE_MARKET: u32 = 1;
pub(super) const ORDER_MODE_LIMIT: u32 = 2;
pub(super) const ORDER_MODE_STOP: u32 = 4;
pub(super) const ORDER_MODE_STOP_LIMIT: u32 = 8;
pub(super) const ORDER_MODE_STOP_LOSS: u32 = 16;
pub(super) const ORDER_MODE_TAKE_PROFIT: u32 = 32;
pub(super) const ORDER_MODE_CLOSE_BY: u32 = 64;

/// Filling modes as flags (SYMBOL_FILLING_MODE).
pub(super) const FILLING_FILL_OR_KILL: u32 = 1;
pub(super) const FILLING_IMMEDIATE_OR_CANCEL: u32 = 2;
pub(super) const FILLING_BOOK_OR_CANCEL: u32 = 4;

/// Which symbols the stand-in offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SymbolList {
    /// Currency pairs, gold and an index, as brokers of contracts for difference offer them: EURUSD, GBPUSD (only fill
    /// or kill), XAUUSD and US500 (only immediate or cancel), EURUSD.m (instant execution).
    Forex,
    /// Futures and stocks of B3, with the continuous series that can't be traded.
    B3,
}

/// What a position in the symbol needs as margin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MarginRule {
    /// Its value divided by the account's leverage.
    Leverage,
    /// So much for each lot.
    PerLot(Decimal),
    /// That part of its value.
    Part(Decimal),
}

/// An instrument and its market.
#[derive(Clone, Debug)]
pub(super) struct Symbol {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) path: String,
    pub(super) currency_base: &'static str,
    pub(super) currency_profit: &'static str,
    pub(super) currency_margin: &'static str,
    pub(super) digits: u32,
    pub(super) tick_size: Decimal,
    pub(super) tick_value: Decimal,
    pub(super) contract_size: Decimal,
    pub(super) volume_min: Decimal,
    pub(super) volume_max: Decimal,
    pub(super) volume_step: Decimal,
    /// The most that position and pending orders of one direction may be together; zero for no limit.
    pub(super) volume_limit: Decimal,
    pub(super) execution: Execution,
    pub(super) trade_mode: TradeMode,
    pub(super) filling_flags: u32,
    pub(super) order_flags: u32,
    pub(super) expiration_flags: u32,
    /// How far levels and pending prices must be from the market, in points.
    pub(super) stops_level: u32,
    /// How near the market levels and pending orders can't be changed any more, in points.
    pub(super) freeze_level: u32,
    pub(super) calc_mode: u32,
    /// First and last second of its life, on the server's clock; zero for none.
    pub(super) start_time: i64,
    pub(super) expiration_time: i64,
    pub(super) margin: MarginRule,
    /// What each lot of a deal costs.
    pub(super) commission: Decimal,
    /// Whether the trade session is open.
    pub(super) session_open: bool,
    /// Whether it is in the Market Watch.
    pub(super) selected: bool,
    pub(super) bid: Decimal,
    pub(super) ask: Decimal,
    pub(super) last: Decimal,
    /// When the price came, in milliseconds on the server's clock.
    pub(super) quoted_at: i64,
    /// How much the market takes with each price; none for any volume.
    pub(super) depth: Option<Decimal>,
    /// What it still takes: of buy orders and of sell orders.
    pub(super) left: [Decimal; 2],
}

impl Symbol {
    /// The same instrument under another name, outside Market Watch and without dates of its life.
    pub(super) fn called(&self, name: &str) -> Symbol {
        let folder = self.path.rsplit_once('\\').map(|(folder, _)| folder);
        Symbol {
            name: name.to_owned(),
            path: folder.map_or_else(|| name.to_owned(), |folder| format!("{folder}\\{name}")),
            start_time: 0,
            expiration_time: 0,
            selected: false,
            ..self.clone()
        }
    }

    /// The smallest difference that its digits can show.
    pub(super) fn point(&self) -> Decimal {
        Decimal::new(1, self.digits)
    }

    /// What an order of that side is executed at, if there is a price.
    pub(super) fn market_price(&self, side: Side) -> Option<Decimal> {
        let price = if side.is_buy() { self.ask } else { self.bid };
        (price > Decimal::ZERO).then_some(price)
    }

    /// How much of `wanted` the market takes now.
    pub(super) fn available(&self, side: Side, wanted: Decimal) -> Decimal {
        match self.depth {
            None => wanted,
            Some(_) => wanted.min(self.left[side as usize]),
        }
    }

    /// Takes the volume out of the market; what the broker forces on it may be more than there is.
    pub(super) fn take(&mut self, side: Side, volume: Decimal) {
        let left = &mut self.left[side as usize];
        *left = (*left - volume).max(Decimal::ZERO);
    }

    /// A new price, with new depth.
    pub(super) fn quote(&mut self, bid: Decimal, ask: Decimal, last: Decimal, now: i64) {
        (self.bid, self.ask, self.last) = (bid, ask, last);
        self.quoted_at = now;
        self.refill();
    }

    pub(super) fn refill(&mut self) {
        self.left = [self.depth.unwrap_or_default(); 2];
    }

    pub(super) fn is_on_tick(&self, price: Decimal) -> bool {
        (price % self.tick_size).is_zero()
    }

    /// What a position of that side gained from one price to the other, in the account's currency.
    pub(super) fn profit(
        &self,
        side: Side,
        volume: Decimal,
        from: Decimal,
        to: Decimal,
    ) -> Decimal {
        let gained = if side.is_buy() { to - from } else { from - to };
        (gained / self.tick_size * self.tick_value * volume).round_dp(2)
    }

    /// What a position needs as margin, in the account's currency.
    pub(super) fn margin(&self, volume: Decimal, price: Decimal, leverage: Decimal) -> Decimal {
        let value = volume * price / self.tick_size * self.tick_value;
        let needed = match self.margin {
            MarginRule::Leverage => value / leverage,
            MarginRule::PerLot(amount) => amount * volume,
            MarginRule::Part(part) => value * part,
        };
        needed.round_dp(2)
    }
}

/// The symbols of a list, priced at `now` (milliseconds on the server's clock), none of them in the Market Watch.
pub(super) fn symbols(list: SymbolList, now: i64) -> Vec<Symbol> {
    let mut symbols = match list {
        SymbolList::Forex => forex(),
        SymbolList::B3 => b3(),
    };
    for symbol in &mut symbols {
        symbol.quoted_at = now;
    }
    symbols
}

fn of(text: &str) -> Decimal {
    text.parse().unwrap_or_default()
}

/// What every symbol of a broker of contracts for difference has in common.
fn contract_for_difference(
    name: &str,
    description: &str,
    digits: u32,
    prices: (&str, &str),
) -> Symbol {
    Symbol {
        name: name.to_owned(),
        description: description.to_owned(),
        path: format!("Forex\\{name}"),
        currency_base: "EUR",
        currency_profit: "USD",
        currency_margin: "EUR",
        digits,
        tick_size: Decimal::new(1, digits),
        tick_value: Decimal::ONE,
        contract_size: of("100000"),
        volume_min: of("0.01"),
        volume_max: of("100"),
        volume_step: of("0.01"),
        volume_limit: Decimal::ZERO,
        execution: Execution::Market,
        trade_mode: TradeMode::Full,
        filling_flags: FILLING_FILL_OR_KILL | FILLING_IMMEDIATE_OR_CANCEL,
        order_flags: 127,
        expiration_flags: 15,
        stops_level: 0,
        freeze_level: 0,
        calc_mode: 0,
        start_time: 0,
        expiration_time: 0,
        margin: MarginRule::Leverage,
        commission: Decimal::ZERO,
        session_open: true,
        selected: false,
        bid: of(prices.0),
        ask: of(prices.1),
        last: Decimal::ZERO,
        quoted_at: 0,
        depth: None,
        left: [Decimal::ZERO; 2],
    }
}

fn forex() -> Vec<Symbol> {
    let euro = |name| contract_for_difference(name, "Euro vs US Dollar", 5, ("1.10000", "1.10010"));
    vec![
        Symbol {
            commission: of("3.5"),
            ..euro("EURUSD")
        },
        Symbol {
            execution: Execution::Instant,
            stops_level: 10,
            ..euro("EURUSD.m")
        },
        Symbol {
            currency_base: "GBP",
            currency_margin: "GBP",
            filling_flags: FILLING_FILL_OR_KILL,
            stops_level: 20,
            ..contract_for_difference(
                "GBPUSD",
                "Great Britain Pound vs US Dollar",
                5,
                ("1.27000", "1.27012"),
            )
        },
        Symbol {
            path: "Metals\\XAUUSD".to_owned(),
            currency_base: "XAU",
            currency_margin: "XAU",
            contract_size: of("100"),
            filling_flags: FILLING_IMMEDIATE_OR_CANCEL,
            ..contract_for_difference("XAUUSD", "Gold vs US Dollar", 2, ("2650.00", "2650.20"))
        },
        Symbol {
            path: "Indices\\US500".to_owned(),
            currency_base: "USD",
            currency_margin: "USD",
            contract_size: Decimal::ONE,
            tick_value: of("0.1"),
            volume_min: of("0.1"),
            volume_max: of("250"),
            volume_step: of("0.1"),
            filling_flags: FILLING_IMMEDIATE_OR_CANCEL,
            calc_mode: 4,
            ..contract_for_difference("US500", "US 500 Index", 1, ("6000.0", "6000.5"))
        },
    ]
}

/// What every symbol of B3 has in common. `tick` is size and value.
fn of_b3(name: &str, description: &str, digits: u32, tick: (&str, &str), price: &str) -> Symbol {
    let (bid, tick_size) = (of(price), of(tick.0));
    Symbol {
        name: name.to_owned(),
        description: description.to_owned(),
        path: format!("BMF\\{name}"),
        currency_base: "BRL",
        currency_profit: "BRL",
        currency_margin: "BRL",
        digits,
        tick_size,
        tick_value: of(tick.1),
        contract_size: of(tick.1) / tick_size,
        volume_min: Decimal::ONE,
        volume_max: of("1000"),
        volume_step: Decimal::ONE,
        volume_limit: Decimal::ZERO,
        execution: Execution::Exchange,
        trade_mode: TradeMode::Full,
        filling_flags: FILLING_FILL_OR_KILL | FILLING_IMMEDIATE_OR_CANCEL,
        order_flags: 63,
        // Until cancelled, or for the day.
        expiration_flags: 3,
        stops_level: 0,
        freeze_level: 0,
        calc_mode: 33,
        start_time: 0,
        expiration_time: 0,
        margin: MarginRule::PerLot(of("100")),
        commission: of("0.25"),
        session_open: true,
        selected: false,
        bid,
        ask: bid + tick_size,
        last: bid,
        quoted_at: 0,
        depth: None,
        left: [Decimal::ZERO; 2],
    }
}

fn future(name: &str, contract: &Contract, last_day: i64) -> Symbol {
    let lot = of(contract.lot);
    Symbol {
        volume_min: lot,
        volume_step: lot,
        margin: MarginRule::PerLot(of(contract.margin)),
        start_time: last_day - 400 * SECONDS_OF_DAY,
        expiration_time: last_day + SECONDS_OF_DAY - 1,
        ..of_b3(
            name,
            contract.description,
            contract.digits,
            contract.tick,
            contract.price,
        )
    }
}

const SECONDS_OF_DAY: i64 = 86_400;

/// A kind of future: size and value of a tick, what fits a lot.
struct Contract {
    description: &'static str,
    digits: u32,
    tick: (&'static str, &'static str),
    price: &'static str,
    margin: &'static str,
    lot: &'static str,
}

// R$ 0.20 a point, five points a tick.
const WIN: Contract = Contract {
    description: "Ibovespa Mini",
    digits: 0,
    tick: ("5", "1"),
    price: "128340",
    margin: "100",
    lot: "1",
};
const IND: Contract = Contract {
    description: "Ibovespa",
    tick: ("5", "5"),
    margin: "500",
    lot: "5",
    ..WIN
};
// US$ 10 000; the terminal shows three digits though a tick is half a point.
const WDO: Contract = Contract {
    description: "Dólar Mini",
    digits: 3,
    tick: ("0.5", "5"),
    price: "5350.000",
    margin: "150",
    lot: "1",
};
const DOL: Contract = Contract {
    description: "Dólar",
    tick: ("0.5", "25"),
    margin: "750",
    lot: "5",
    ..WDO
};
// A hundredth of a bitcoin; the tick is an assumption.
const BIT: Contract = Contract {
    description: "Bitcoin",
    digits: 2,
    tick: ("10", "0.1"),
    price: "500000.00",
    margin: "250",
    lot: "1",
};

fn b3() -> Vec<Symbol> {
    let futures = [
        // Last days as seconds since 1970: 16 Dec 2026, 17 Feb 2027, 1 Dec 2026, 4 Jan 2027, 27 Nov 2026, 30 Dec 2026.
        ("WINZ26", &WIN, 1_797_379_200),
        ("WING27", &WIN, 1_802_822_400),
        ("INDZ26", &IND, 1_797_379_200),
        ("WDOZ26", &WDO, 1_796_083_200),
        ("WDOF27", &WDO, 1_799_020_800),
        ("DOLZ26", &DOL, 1_796_083_200),
        ("BITX26", &BIT, 1_795_737_600),
        ("BITZ26", &BIT, 1_798_588_800),
    ];
    let continuous = [
        ("WIN$", &WIN),
        ("WIN$N", &WIN),
        ("WIN@", &WIN),
        ("WDO$", &WDO),
    ];
    let futures = futures
        .into_iter()
        .map(|(name, contract, last_day)| future(name, contract, last_day));
    let continuous = continuous.into_iter().map(|(name, contract)| Symbol {
        trade_mode: TradeMode::Disabled,
        start_time: 0,
        expiration_time: 0,
        ..future(name, contract, 0)
    });
    futures.chain(continuous).chain(stocks()).collect()
}

fn stocks() -> [Symbol; 3] {
    let stock = |name: &str, description: &str, price: &str| Symbol {
        path: format!("Bovespa\\{name}"),
        volume_min: of("100"),
        volume_max: of("1000000"),
        volume_step: of("100"),
        calc_mode: 32,
        margin: MarginRule::Part(of("0.25")),
        commission: of("0.0001"),
        ..of_b3(name, description, 2, ("0.01", "0.01"), price)
    };
    [
        stock("PETR4", "Petrobras PN", "38.50"),
        Symbol {
            volume_min: Decimal::ONE,
            volume_max: of("99"),
            volume_step: Decimal::ONE,
            ..stock("PETR4F", "Petrobras PN, fracionário", "38.50")
        },
        Symbol {
            // Only what is always allowed on an exchange: the rest stays.
            filling_flags: 0,
            ..stock("VALE3", "Vale ON", "62.10")
        },
    ]
}
