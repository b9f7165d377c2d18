//! The terminal's and the account's own state: connection, log-in, who may trade.

use super::book::Book;
use super::calls::BUILD;
use super::codes::Retcode;
use super::number::double;
use super::wire::margin_level;
use super::{MarginMode, Mt5Options};
use rust_decimal::Decimal;
use serde::Serialize;

/// The terminal with the account it is logged into.
#[derive(Clone, Debug)]
pub(super) struct Terminal {
    pub(super) login: u64,
    pub(super) server: String,
    currency: String,
    is_real: bool,
    /// Whether it is connected to the trade server.
    pub(super) connected: bool,
    /// Whether it is logged into the account.
    pub(super) logged_in: bool,
    /// The button "Algo Trading".
    pub(super) trade_allowed: bool,
    /// Whether the option that keeps Python from trading is set.
    pub(super) tradeapi_disabled: bool,
    /// Whether the trade server lets programs trade on the account.
    pub(super) trade_expert: bool,
    /// Whether the account may trade at all (not with an investor's password).
    pub(super) account_trade_allowed: bool,
}

impl Terminal {
    pub(super) fn new(options: &Mt5Options) -> Terminal {
        Terminal {
            login: options.login,
            server: options.server.clone(),
            currency: options.currency.clone(),
            is_real: options.real,
            connected: true,
            logged_in: true,
            trade_allowed: true,
            tradeapi_disabled: false,
            trade_expert: true,
            account_trade_allowed: true,
        }
    }

    /// Whether it hears the trade server.
    pub(super) fn is_online(&self) -> bool {
        self.connected && self.logged_in
    }

    /// Why a program's request would not even be looked at.
    pub(super) fn refusal(&self) -> Option<Retcode> {
        if !self.trade_allowed {
            Some(Retcode::CLIENT_DISABLES_AT)
        } else if !self.is_online() {
            Some(Retcode::CONNECTION)
        } else if !self.account_trade_allowed {
            Some(Retcode::TRADE_DISABLED)
        } else if !self.trade_expert {
            Some(Retcode::SERVER_DISABLES_AT)
        } else {
            None
        }
    }

    pub(super) fn view(&self) -> TerminalView {
        TerminalView {
            community_account: false,
            community_connection: false,
            connected: self.is_online(),
            dlls_allowed: false,
            trade_allowed: self.trade_allowed,
            tradeapi_disabled: self.tradeapi_disabled,
            email_enabled: false,
            ftp_enabled: false,
            notifications_enabled: false,
            mqid: false,
            build: BUILD,
            maxbars: 100_000,
            codepage: 1252,
            ping_last: 1_200,
            community_balance: 0.0,
            retransmission: 0.0,
            company: COMPANY,
            name: "Ponte stand-in terminal",
            language: "English",
            path: "C:\\Program Files\\MetaTrader 5",
            data_path: "C:\\Program Files\\MetaTrader 5",
            commondata_path: "C:\\ProgramData\\MetaQuotes\\Terminal\\Common",
        }
    }

    pub(super) fn account(&self, book: &Book) -> AccountView {
        let (equity, margin) = (book.equity(), book.margin());
        AccountView {
            login: self.login,
            trade_mode: if self.is_real { 2 } else { 0 },
            leverage: book.leverage.try_into().unwrap_or(1),
            limit_orders: book.orders_max,
            margin_so_mode: 0,
            trade_allowed: self.account_trade_allowed,
            trade_expert: self.trade_expert,
            margin_mode: match book.margin_mode {
                MarginMode::Netting => 0,
                MarginMode::Exchange => 1,
                MarginMode::Hedging => 2,
            },
            currency_digits: 2,
            fifo_close: book.first_in_first_out,
            balance: double(book.balance),
            credit: 0.0,
            profit: double(book.floating_profit()),
            equity: double(equity),
            margin: double(margin),
            margin_free: double(equity - margin),
            margin_level: double(margin_level(equity, margin)),
            margin_so_call: 50.0,
            margin_so_so: 30.0,
            margin_initial: 0.0,
            margin_maintenance: 0.0,
            assets: 0.0,
            liabilities: 0.0,
            commission_blocked: double(Decimal::ZERO),
            name: "Ponte stand-in",
            server: self.server.clone(),
            currency: self.currency.clone(),
            company: COMPANY,
        }
    }
}

const COMPANY: &str = "Ponte stand-in broker, no real money";

/// `TerminalInfo`.
#[derive(Debug, Serialize)]
pub(super) struct TerminalView {
    community_account: bool,
    community_connection: bool,
    connected: bool,
    dlls_allowed: bool,
    trade_allowed: bool,
    tradeapi_disabled: bool,
    email_enabled: bool,
    ftp_enabled: bool,
    notifications_enabled: bool,
    mqid: bool,
    build: u32,
    maxbars: u32,
    codepage: u32,
    ping_last: u32,
    community_balance: f64,
    retransmission: f64,
    company: &'static str,
    name: &'static str,
    language: &'static str,
    path: &'static str,
    data_path: &'static str,
    commondata_path: &'static str,
}

/// `AccountInfo`.
#[derive(Debug, Serialize)]
pub(super) struct AccountView {
    login: u64,
    trade_mode: u32,
    leverage: u32,
    limit_orders: u32,
    margin_so_mode: u32,
    trade_allowed: bool,
    trade_expert: bool,
    margin_mode: u32,
    currency_digits: u32,
    fifo_close: bool,
    balance: f64,
    credit: f64,
    profit: f64,
    equity: f64,
    margin: f64,
    margin_free: f64,
    margin_level: f64,
    margin_so_call: f64,
    margin_so_so: f64,
    margin_initial: f64,
    margin_maintenance: f64,
    assets: f64,
    liabilities: f64,
    commission_blocked: f64,
    name: &'static str,
    server: String,
    currency: String,
    company: &'static str,
}
