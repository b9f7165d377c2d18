//! The account: its money, what it holds, and what its key may do.

use std::collections::BTreeMap;

use ponte_core::id::Symbol;
use ponte_core::message::Balance;
use rust_decimal::Decimal;
use serde::Deserialize;

use super::Spot;
use crate::brokers::binance::client::Call;
use crate::brokers::binance::options::Hosts;
use crate::brokers::binance::params::Params;
use crate::brokers::{BrokerError, BrokerPosition, Credentials};

/// From here on the machine's clock is worth a warning, in milliseconds.
const SKEW_MAX: i64 = 1_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AccountView {
    can_trade: bool,
    balances: Vec<BalanceView>,
}

#[derive(Deserialize)]
struct BalanceView {
    asset: String,
    free: Decimal,
    locked: Decimal,
}

impl BalanceView {
    fn total(&self) -> Decimal {
        self.free.saturating_add(self.locked)
    }
}

#[derive(Deserialize)]
struct PriceView {
    symbol: String,
    price: Decimal,
}

/// What a key may do (Binance Wallet API, "Get API key permission").
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RestrictionsView {
    ip_restrict: bool,
    enable_withdrawals: bool,
    #[serde(default = "allowed")]
    enable_spot_and_margin_trading: bool,
}

const fn allowed() -> bool {
    true
}

/// Whether the hosts tell what a key may do: the exchange's own demo and test networks don't.
pub(super) fn tells_restrictions(hosts: &Hosts) -> bool {
    hosts.is_live() || hosts.rest.starts_with("http://")
}

impl Spot {
    async fn account(&self) -> Result<AccountView, BrokerError> {
        let params = Params::new().with("omitZeroBalances", "true");
        self.client
            .read(&Call::ask("/api/v3/account", params))
            .await
    }

    /// Cash is what there is of the account's currency, what orders hold included. Equity adds every
    /// other asset at its last price; an asset without a price in that currency is left out.
    pub(super) async fn money(&self) -> Result<Balance, BrokerError> {
        let account = self.account().await?;
        let currency = self.ledger.currency();
        let prices = Call::public("/api/v3/ticker/price", Params::new());
        let prices: BTreeMap<String, Decimal> = self
            .client
            .read::<Vec<PriceView>>(&prices)
            .await?
            .into_iter()
            .map(|view| (view.symbol, view.price))
            .collect();
        let (mut cash, mut assets) = (Decimal::ZERO, Decimal::ZERO);
        for balance in &account.balances {
            if balance.asset == currency {
                cash = balance.total();
            } else if let Some(price) = prices.get(&format!("{}{currency}", balance.asset)) {
                assets = assets.saturating_add(balance.total().saturating_mul(*price));
            }
        }
        Ok(Balance {
            cash: cash.normalize(),
            equity: cash.saturating_add(assets).normalize(),
        })
    }

    /// A spot account has no positions, it has assets: what it holds of an asset is the whole of
    /// what was ever bought, sold, paid in and kept for other purposes. For each symbol that this
    /// process has had an order in, the holding of its base asset is told, what orders hold included.
    pub(super) async fn holdings(&self) -> Result<Vec<BrokerPosition>, BrokerError> {
        let account = self.account().await?;
        let currency = self.ledger.currency();
        let of = |symbol: Symbol| {
            let asset = symbol.as_str().strip_suffix(currency)?;
            let balance = account.balances.iter().find(|b| b.asset == asset)?;
            let quantity = balance.total().normalize();
            (!quantity.is_zero()).then_some(BrokerPosition { symbol, quantity })
        };
        Ok(self.ledger.symbols().into_iter().filter_map(of).collect())
    }

    /// What the key may do, and what the owner should know.
    pub(super) async fn credentials(&self) -> Result<Credentials, BrokerError> {
        let account = self.account().await?;
        let mut warnings = Vec::new();
        let mut can_trade = account.can_trade;
        if !account.can_trade {
            warnings.push(
                "the account may not trade; look at its status on the exchange's page".to_owned(),
            );
        }
        let restrictions = self.restrictions().await;
        let restrictions = match restrictions.transpose() {
            Ok(view) => view,
            Err(problem) => {
                warnings.push(format!(
                    "what the api key may do could not be read: {problem}"
                ));
                None
            }
        };
        // Whoever asked speaks of withdrawals and addresses: they are told apart from the warnings.
        if restrictions
            .as_ref()
            .is_some_and(|view| !view.enable_spot_and_margin_trading)
        {
            can_trade = false;
            warnings.push(
                "the api key may not trade; allow spot trading in its restrictions".to_owned(),
            );
        }
        self.client.set_clock().await;
        if let Some(skew) = self.client.clock.skew_milliseconds()
            && skew.abs() > SKEW_MAX
        {
            warnings.push(format!(
                "this machine's clock is {skew} ms off the exchange's; set it by a time service"
            ));
        }
        Ok(Credentials {
            can_trade,
            can_withdraw: restrictions.as_ref().map(|view| view.enable_withdrawals),
            bound_to_address: restrictions.as_ref().map(|view| view.ip_restrict),
            warnings,
        })
    }

    /// What the key may do, where the exchange tells it.
    async fn restrictions(&self) -> Option<Result<RestrictionsView, BrokerError>> {
        if !self.has_restrictions {
            return None;
        }
        let call = Call::ask("/sapi/v1/account/apiRestrictions", Params::new());
        Some(self.client.read(&call).await)
    }
}
