//! Binance Spot: what is sold must be held, and a resting sell holds what it would sell.

mod account;
mod find;
mod instruments;
mod ledger;
mod orders;
mod stream;
mod swap;
mod translate;
mod wire;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use ponte_core::id::{AccountName, ClientOrderId, Symbol};
use ponte_core::instrument::Instruments;
use ponte_core::message::{Balance, CancelAnswer, Fate, FindAnswer, OrderReport};
use ponte_core::order::OrderPlan;
use ponte_core::policy::{Brackets, Capabilities};
use tokio::sync::mpsc;

use super::client::Client;
use super::options::{Options, Transport};
use super::pulse::Pulse;
use super::ws_api::WsApi;
use crate::brokers::{
    Answer, Broker, BrokerError, BrokerPosition, Credentials, Examination, News, PositionMode,
};
use crate::clock;
use ledger::Ledger;

/// What orders can be in the spot market.
pub(super) const CAPABILITIES: Capabilities = Capabilities {
    limit: true,
    stop: true,
    stop_limit: true,
    brackets: Brackets::OneOrder,
    trailing_stop: true,
    short: false,
    reduce_only: false,
    resting_reduce_only: false,
    resting_holds: true,
    one_strategy_per_symbol: false,
};

/// One spot account.
pub(super) struct Spot {
    account: AccountName,
    client: Arc<Client>,
    socket: WsApi,
    transport: Transport,
    has_restrictions: bool,
    ledger: Ledger,
    pulse: Pulse,
    /// Orders whose standing has to be looked up and reported.
    owed: mpsc::UnboundedSender<ClientOrderId>,
    owed_taken: Mutex<Option<mpsc::UnboundedReceiver<ClientOrderId>>>,
    /// An order that the exchange took and the stream has not spoken of, since when.
    expected: Mutex<Option<(ClientOrderId, Instant)>>,
}

impl Spot {
    /// Builds the adapter; nothing is awaited from the exchange.
    ///
    /// # Errors
    /// Keys and addresses that can't be used.
    pub(super) fn new(options: Options) -> Result<Self, BrokerError> {
        let account = options.account.clone();
        let url = options.hosts.websocket_api.clone();
        let (transport, currency) = (options.orders, options.currency.clone());
        let patience = options.processing_limit + std::time::Duration::from_secs(2);
        let has_restrictions = account::tells_restrictions(&options.hosts);
        let client = Client::new(options)?;
        let socket = WsApi::start(url, client.tls(), patience);
        let (owed, taken) = mpsc::unbounded_channel();
        Ok(Self {
            account,
            client,
            socket,
            transport,
            has_restrictions,
            ledger: Ledger::new(currency),
            pulse: Pulse::new(),
            owed,
            owed_taken: Mutex::new(Some(taken)),
            expected: Mutex::default(),
        })
    }

    /// Has an order looked up and reported.
    fn owe(&self, id: ClientOrderId) {
        // Without a listener the engine asks by itself.
        let _ = self.owed.send(id);
    }

    fn take_owed(&self) -> Option<mpsc::UnboundedReceiver<ClientOrderId>> {
        self.owed_taken
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

impl Broker for Spot {
    fn submit<'a>(&'a self, order: &'a OrderPlan) -> Answer<'a, Fate> {
        Box::pin(self.place(order))
    }

    fn find<'a>(&'a self, order: &'a OrderPlan) -> Answer<'a, FindAnswer> {
        Box::pin(self.find_order(order))
    }

    fn cancel<'a>(&'a self, order: &'a OrderPlan) -> Answer<'a, CancelAnswer> {
        Box::pin(self.cancel_order(order.id, &order.symbol, translate::shape(order)))
    }

    fn cancel_all<'a>(&'a self, symbol: &'a Symbol) -> Answer<'a, Result<(), BrokerError>> {
        Box::pin(self.cancel_symbol(symbol))
    }

    fn open_orders(&self) -> Answer<'_, Result<Vec<OrderReport>, BrokerError>> {
        Box::pin(self.resting_orders())
    }

    fn positions(&self) -> Answer<'_, Result<Vec<BrokerPosition>, BrokerError>> {
        Box::pin(self.holdings())
    }

    fn balance(&self) -> Answer<'_, Result<Balance, BrokerError>> {
        Box::pin(self.money())
    }

    fn instruments(&self) -> Answer<'_, Result<Instruments, BrokerError>> {
        Box::pin(self.listed())
    }

    fn reports(&self, into: mpsc::UnboundedSender<News>) -> Answer<'_, ()> {
        Box::pin(self.follow(into))
    }

    fn capabilities(&self) -> Capabilities {
        CAPABILITIES
    }

    fn check_credentials(&self) -> Answer<'_, Result<Credentials, BrokerError>> {
        Box::pin(self.credentials())
    }

    fn examine(&self) -> Examination {
        Examination {
            clock_ahead_milliseconds: self.client.clock.skew_milliseconds(),
            budgets: self.client.limits.budgets(clock::instant()),
            reports: self.pulse.reports(),
            positions: Some(PositionMode::Holdings),
        }
    }
}
