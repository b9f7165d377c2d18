//! USDⓈ-M futures: perpetual contracts, with orders that wait for a trigger as orders of their own.
//!
//! An order of ours can be two at the exchange: the conditional one, and the regular one that it
//! becomes when it is triggered. Everything that is said here of an order is about both.

mod account;
mod book;
mod instruments;
mod lookup;
mod number;
mod orders;
mod place;
#[cfg(test)]
mod samples;
mod snapshot;
mod stream;
mod switch;
mod symbols;
mod wire;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ponte_core::id::{AccountName, ClientOrderId, Symbol};
use ponte_core::instrument::Instruments;
use ponte_core::message::{Balance, CancelAnswer, Fate, FindAnswer, OrderReport};
use ponte_core::order::OrderPlan;
use ponte_core::policy::{Brackets, Capabilities};
use tokio::sync::{Notify, mpsc};

use self::account::{Account, SpotHost, Wanted};
use self::book::Book;
use self::instruments::ExchangeInfo;
use self::place::StopStyle;
use super::client::{Call, Client};
use super::options::{Options, Transport};
use super::params::Params;
use super::pulse::Pulse;
use super::ws_api::WsApi;
use crate::brokers::{Answer, Broker, BrokerError, BrokerPosition, Credentials, Examination, News};
use crate::clock;

/// One account's USDⓈ-M futures.
pub(super) struct Futures {
    name: AccountName,
    client: Arc<Client>,
    /// The host that tells what the key may do; only the live and the test exchange have one.
    spot: Option<SpotHost>,
    /// Where orders are placed, if not over REST.
    socket: Option<WsApi>,
    streams: String,
    currency: String,
    style: StopStyle,
    wanted: Wanted,
    dead_mans_switch: Option<Duration>,
    account: Mutex<Account>,
    book: Mutex<Book>,
    pulse: Pulse,
    /// Acknowledged orders of which the stream has not told yet, and until when it should.
    awaited: Mutex<BTreeMap<ClientOrderId, Instant>>,
    /// Wakes whoever follows the stream to say that something was missed.
    missed: Notify,
}

/// What the futures exchange can do.
pub(super) const CAPABILITIES: Capabilities = Capabilities {
    limit: true,
    stop: true,
    stop_limit: true,
    brackets: Brackets::TwoOrders,
    trailing_stop: true,
    short: true,
    reduce_only: true,
    resting_reduce_only: true,
    resting_holds: false,
    one_strategy_per_symbol: false,
};

impl Futures {
    // Each of the three is whole between any two of its operations, and none is held over an await.

    fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn awaited(&self) -> MutexGuard<'_, BTreeMap<ClientOrderId, Instant>> {
        self.awaited.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long the answer to an order over the WebSocket API may take beyond the exchange's own limit.
const SOCKET_SLACK: Duration = Duration::from_secs(2);
/// The pause before the account's settings are asked for again when that failed.
const SETTINGS_PAUSE: Duration = Duration::from_secs(5);

/// Builds the adapter; the exchange need not be up.
///
/// # Errors
/// Keys and addresses that can't be used.
pub(super) fn connect(options: Options) -> Result<Arc<dyn Broker>, BrokerError> {
    let spot = SpotHost::beside(&options)?;
    let name = options.account.clone();
    let (hosts, transport) = (options.hosts.clone(), options.orders);
    let currency = options.currency.clone();
    let patience = options.processing_limit + SOCKET_SLACK;
    let style = StopStyle {
        size: options.stops,
        trigger: options.trigger,
    };
    let wanted = Wanted {
        leverage: options.leverage,
        margin: options.margin,
        apply: options.apply_settings,
    };
    let dead_mans_switch = options.dead_mans_switch;
    let client = Client::new(options)?;
    let socket = match transport {
        Transport::Rest => None,
        Transport::WebSocket => {
            let socket = WsApi::start(hosts.websocket_api, client.tls(), patience);
            // Orders only: what the connection says by itself is not needed.
            drop(socket.take_events());
            Some(socket)
        }
    };
    Ok(Arc::new(Futures {
        name,
        client,
        spot,
        socket,
        streams: hosts.streams,
        currency,
        style,
        wanted,
        dead_mans_switch,
        account: Mutex::default(),
        book: Mutex::default(),
        pulse: Pulse::new(),
        awaited: Mutex::default(),
        missed: Notify::new(),
    }))
}

impl Futures {
    /// Reads position mode and settings as soon as the exchange can be reached, so that no order
    /// waits for them. Never ends.
    async fn keep_settings(&self) {
        while self.position_mode().await.is_err() || self.read_settings().await.is_err() {
            tokio::time::sleep(SETTINGS_PAUSE).await;
        }
        std::future::pending().await
    }

    async fn read_instruments(&self) -> Result<Instruments, BrokerError> {
        let call = Call::public("/fapi/v1/exchangeInfo", Params::new());
        let info: ExchangeInfo = self.client.read(&call).await?;
        self.client
            .limits
            .note_limits(&info.rate_limits, clock::instant());
        Ok(info.instruments(&self.currency))
    }
}

impl Broker for Futures {
    fn submit<'a>(&'a self, order: &'a OrderPlan) -> Answer<'a, Fate> {
        Box::pin(self.place(order))
    }

    fn find<'a>(&'a self, order: &'a OrderPlan) -> Answer<'a, FindAnswer> {
        Box::pin(self.find_order(order))
    }

    fn cancel<'a>(&'a self, order: &'a OrderPlan) -> Answer<'a, CancelAnswer> {
        Box::pin(self.take_back(order))
    }

    fn cancel_all<'a>(&'a self, symbol: &'a Symbol) -> Answer<'a, Result<(), BrokerError>> {
        Box::pin(self.take_back_all(symbol))
    }

    fn open_orders(&self) -> Answer<'_, Result<Vec<OrderReport>, BrokerError>> {
        Box::pin(self.resting_orders())
    }

    fn positions(&self) -> Answer<'_, Result<Vec<BrokerPosition>, BrokerError>> {
        Box::pin(self.read_positions())
    }

    fn balance(&self) -> Answer<'_, Result<Balance, BrokerError>> {
        Box::pin(self.read_balance())
    }

    fn instruments(&self) -> Answer<'_, Result<Instruments, BrokerError>> {
        Box::pin(self.read_instruments())
    }

    fn reports(&self, into: mpsc::UnboundedSender<News>) -> Answer<'_, ()> {
        Box::pin(async move {
            let follow = async {
                tokio::join!(self.follow(&into), self.keep_switch(), self.keep_settings())
            };
            tokio::select! {
                () = into.closed() => {}
                _ = follow => {}
            }
        })
    }

    fn capabilities(&self) -> Capabilities {
        CAPABILITIES
    }

    fn check_credentials(&self) -> Answer<'_, Result<Credentials, BrokerError>> {
        Box::pin(self.read_credentials())
    }

    fn examine(&self) -> Examination {
        Examination {
            clock_ahead_milliseconds: self.client.clock.skew_milliseconds(),
            budgets: self.client.limits.budgets(clock::instant()),
            reports: self.pulse.reports(),
            positions: self.account().known_mode(),
        }
    }
}
