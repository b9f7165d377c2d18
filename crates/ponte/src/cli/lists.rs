//! `ponte alerts`, `ponte orders`, `ponte positions`.

use clap::Args;
use ponte_core::id::AlertId;
use ponte_core::time::Timestamp;
use rust_decimal::Decimal;

use super::client::{Asked, Client};
use super::context::Context;
use super::failure::Failure;
use super::offline;
use super::screen::{self, BAD, DIM, GOOD, PLAIN, short_time};
use super::table::{Cell, left, right, table};
use crate::admin::wire::Holding;
use crate::admin::{moment, positions};
use crate::journal::{AlertFilter, AlertRow, OrderFilter, OrderRow};

/// List what came in and what was decided, newest first
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte alerts\n  \
    ponte alerts --outcome refused --since 2h\n  \
    ponte alerts --symbol BTCUSDT --limit 5 --json\n\n\
    The whole story of one: ponte why A17. Times are UTC; in JSON they are microseconds since 1970.")]
pub(super) struct Alerts {
    /// At most so many
    #[arg(
        long,
        short = 'n',
        value_name = "NUMBER",
        default_value_t = 20,
        value_parser = clap::value_parser!(u32).range(1..=10_000)
    )]
    limit: u32,
    /// Only accepted, duplicate, refused or halted ones
    #[arg(long, value_name = "WORD", value_parser = ["accepted", "duplicate", "refused", "halted"])]
    outcome: Option<String>,
    /// Only this strategy's
    #[arg(long, value_name = "NAME")]
    strategy: Option<String>,
    /// Only this symbol's
    #[arg(long, value_name = "SYMBOL")]
    symbol: Option<String>,
    /// Only since this moment: 2h, 7d, 2026-11-23, 2026-11-23T12:00:00Z
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
}

impl Alerts {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        let since = self
            .since
            .as_ref()
            .map(|text| moment(text, context.now))
            .transpose()?;
        let symbol = self.symbol.as_ref().map(|symbol| symbol.to_uppercase());
        let mut parameters = vec![("limit", self.limit.to_string())];
        let mut add = |name, value: Option<String>| {
            parameters.extend(value.map(|value| (name, value)));
        };
        add("outcome", self.outcome.clone());
        add("strategy", self.strategy.clone());
        add("symbol", symbol.clone());
        add("since", since.map(|since| since.to_string()));
        let rows = match Client::new(context)?.get("api/alerts", &parameters)? {
            Asked::Answer(rows) => rows,
            Asked::NotRunning => offline::reader(context)?.alerts(&AlertFilter {
                limit: self.limit,
                outcome: self.outcome.clone(),
                strategy: self.strategy.clone(),
                symbol,
                since,
            })?,
        };
        if context.json {
            return screen::print_json(&rows);
        }
        if rows.is_empty() {
            return screen::print("no alerts\n");
        }
        screen::print(&alerts_table(&rows, context.now))
    }
}

/// Alerts as a table.
pub(super) fn alerts_table(rows: &[AlertRow], now: Timestamp) -> String {
    let columns = [
        left("alert"),
        left("received (UTC)"),
        left("outcome"),
        left("intent"),
        left("symbol"),
        left("strategy"),
        left("source"),
        left("repeats"),
    ];
    let cells = rows.iter().map(|row| {
        vec![
            Cell::plain(&row.id),
            Cell::dim(short_time(row.received_at, now)),
            Cell::word(&row.outcome),
            Cell::plain(row.intent.replace('_', " ")),
            Cell::plain(row.symbol.as_deref().unwrap_or("")),
            Cell::plain(&row.strategy),
            Cell::dim(&row.source),
            Cell::dim(row.first.as_deref().unwrap_or("")),
        ]
    });
    table(&columns, &cells.collect::<Vec<_>>())
}

/// List orders and where they stand, newest first
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte orders\n  \
    ponte orders --open\n  \
    ponte orders --alert A17\n  \
    ponte orders --account paper --symbol BTCUSDT --limit 100 --json\n\n\
    The whole story of one: ponte why ID (the digits in the first column are enough).")]
pub(super) struct Orders {
    /// At most so many
    #[arg(
        long,
        short = 'n',
        value_name = "NUMBER",
        default_value_t = 20,
        value_parser = clap::value_parser!(u32).range(1..=10_000)
    )]
    limit: u32,
    /// Only those that are not over
    #[arg(long)]
    open: bool,
    /// Only this account's
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Only this symbol's
    #[arg(long, value_name = "SYMBOL")]
    symbol: Option<String>,
    /// Only those of this alert
    #[arg(long, value_name = "ALERT")]
    alert: Option<AlertId>,
}

impl Orders {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        let symbol = self.symbol.as_ref().map(|symbol| symbol.to_uppercase());
        let mut parameters = vec![
            ("limit", self.limit.to_string()),
            ("open", self.open.to_string()),
        ];
        let mut add = |name, value: Option<String>| {
            parameters.extend(value.map(|value| (name, value)));
        };
        add("account", self.account.clone());
        add("symbol", symbol.clone());
        add("alert", self.alert.map(|alert| alert.to_string()));
        let rows = match Client::new(context)?.get("api/orders", &parameters)? {
            Asked::Answer(rows) => rows,
            Asked::NotRunning => offline::reader(context)?.orders(&OrderFilter {
                limit: self.limit,
                open_only: self.open,
                account: self.account.clone(),
                symbol,
                alert: self.alert,
            })?,
        };
        if context.json {
            return screen::print_json(&rows);
        }
        if rows.is_empty() {
            return screen::print(if self.open {
                "no open orders\n"
            } else {
                "no orders\n"
            });
        }
        screen::print(&orders_table(&rows, context.now))
    }
}

/// Orders as a table.
pub(super) fn orders_table(rows: &[OrderRow], now: Timestamp) -> String {
    let columns = [
        left("order"),
        left("alert"),
        left("planned (UTC)"),
        left("account"),
        left("class"),
        left("side"),
        right("quantity"),
        left("symbol"),
        left("status"),
        right("filled"),
        right("price"),
        right("fees"),
        left("why"),
    ];
    let cells = rows.iter().map(|row| {
        let nothing = row.filled == "0";
        let price = if nothing { "" } else { &row.average_price };
        // What was said while it was tried is no reason for its having filled.
        let reason = row.reason.as_deref().filter(|_| row.status != "filled");
        let id = ponte_core::id::short_order_id(&row.id);
        vec![
            Cell::plain(id),
            Cell::plain(row.alert.as_deref().unwrap_or("")),
            Cell::dim(short_time(row.planned_at, now)),
            Cell::plain(&row.account),
            Cell::plain(&row.class),
            Cell::plain(&row.side),
            Cell::plain(&row.quantity),
            Cell::plain(&row.symbol),
            Cell::word(&row.status),
            Cell::plain(&row.filled),
            Cell::plain(price),
            Cell::plain(&row.fees),
            Cell::dim(reason.unwrap_or("")),
        ]
    });
    table(&columns, &cells.collect::<Vec<_>>())
}

/// List what each strategy holds
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte positions\n  \
    ponte positions --all   flat ones too, with what they made\n\n\
    Unrealised is at the last price that an alert or a fill told.")]
pub(super) struct Positions {
    /// Those that are flat too
    #[arg(long)]
    all: bool,
}

impl Positions {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        let mut holdings: Vec<Holding> = match Client::new(context)?.get("api/positions", &[])? {
            Asked::Answer(holdings) => holdings,
            Asked::NotRunning => positions(&offline::reader(context)?.state(false)?),
        };
        if !self.all {
            holdings.retain(|holding| !holding.position.quantity.is_zero());
        }
        if context.json {
            return screen::print_json(&holdings);
        }
        if holdings.is_empty() {
            return screen::print("no positions\n");
        }
        screen::print(&positions_table(&holdings))
    }
}

fn positions_table(holdings: &[Holding]) -> String {
    let columns = [
        left("account"),
        left("strategy"),
        left("symbol"),
        left("side"),
        right("quantity"),
        right("entry"),
        right("last"),
        right("unrealised"),
        right("realised"),
        right("fees"),
    ];
    let gain = |amount: Decimal| {
        let style = match amount.cmp(&Decimal::ZERO) {
            std::cmp::Ordering::Greater => GOOD,
            std::cmp::Ordering::Less => BAD,
            std::cmp::Ordering::Equal => PLAIN,
        };
        Cell::new(style, rounded(amount))
    };
    let cells = holdings.iter().map(|holding| {
        let position = &holding.position;
        let flat = position.quantity.is_zero();
        let entry = if flat {
            String::new()
        } else {
            rounded(position.average_price)
        };
        let last = holding.last_price.map(rounded).unwrap_or_default();
        vec![
            Cell::plain(position.key.account.as_str()),
            Cell::plain(position.key.strategy.as_str()),
            Cell::plain(position.key.symbol.as_str()),
            Cell::new(if flat { DIM } else { PLAIN }, position.side.as_str()),
            Cell::plain(position.quantity.normalize().to_string()),
            Cell::plain(entry),
            Cell::plain(last),
            holding.unrealised.map_or_else(|| Cell::plain(""), gain),
            gain(position.realised),
            Cell::plain(position.fees.normalize().to_string()),
        ]
    });
    table(&columns, &cells.collect::<Vec<_>>())
}

/// A number of a table: what comes of a mean price can have more decimals than anybody reads.
fn rounded(number: Decimal) -> String {
    number.round_dp(8).normalize().to_string()
}
