//! The account itself: position mode, leverage and margin, money, positions, and what its key may do.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ponte_core::id::{AccountName, Symbol};
use ponte_core::message::Balance;
use reqwest::Method;
use rust_decimal::Decimal;

use super::place::PositionMode;
use super::wire::{
    AccountConfigView, AccountView, PositionModeView, PositionView, RestrictionsView,
    SymbolConfigView,
};
use super::{Futures, symbols};
use crate::brokers::binance::client::{Call, Client};
use crate::brokers::binance::code::Class;
use crate::brokers::binance::limits::Purpose;
use crate::brokers::binance::options::{
    Hosts, Margin, Market, Options, StopSize, Transport, TriggerPrice,
};
use crate::brokers::binance::params::Params;
use crate::brokers::binance::reply::Reply;
use crate::brokers::{self, BrokerError, BrokerPosition, Credentials};
use crate::secret::Secret;

/// An offset of the clocks above this is worth a word, in milliseconds.
const SKEW_MILLISECONDS_MAX: i64 = 1_000;

/// What is known of the account's settings.
#[derive(Debug, Default)]
pub(super) struct Account {
    mode: Option<PositionMode>,
    /// Leverage and margin by the exchange's name of the contract.
    settings: BTreeMap<String, SymbolConfigView>,
    /// Contracts whose difference has been told.
    told: BTreeSet<String>,
}

impl Account {
    /// How the account counts positions, where it is known.
    pub(super) fn known_mode(&self) -> Option<brokers::PositionMode> {
        self.mode.map(|mode| match mode {
            PositionMode::OneWay => brokers::PositionMode::Net,
            PositionMode::Hedge => brokers::PositionMode::BothSides,
        })
    }
}

/// What the owner wants of every contract.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// The leverage, 1 to 125.
    pub(super) leverage: Option<u32>,
    /// The margin.
    pub(super) margin: Option<Margin>,
    /// Whether they are set where they differ.
    pub(super) apply: bool,
}

impl Wanted {
    /// Where a contract's settings differ from what is wanted: one sentence, or nothing.
    fn difference(self, view: &SymbolConfigView) -> Option<String> {
        let mut parts = Vec::new();
        if let Some(leverage) = self.leverage.filter(|wanted| *wanted != view.leverage) {
            parts.push(format!("leverage {}, not {leverage}", view.leverage));
        }
        if let Some(margin) = self
            .margin
            .filter(|wanted| word(*wanted) != view.margin_type)
        {
            let is = view.margin_type.to_lowercase();
            parts.push(format!("{is} margin, not {}", word(margin).to_lowercase()));
        }
        (!parts.is_empty()).then(|| {
            format!(
                "{} has {} as configured; set it at the exchange, or let apply_settings = true do it",
                view.symbol,
                parts.join(" and ")
            )
        })
    }
}

/// The exchange's word for a margin.
const fn word(margin: Margin) -> &'static str {
    match margin {
        Margin::Cross => "CROSSED",
        Margin::Isolated => "ISOLATED",
    }
}

impl Futures {
    /// The account's position mode; asked for where it is not known yet.
    ///
    /// # Errors
    /// Why it can't be had.
    pub(super) async fn position_mode(&self) -> Result<PositionMode, String> {
        let known = self.account().mode;
        match known {
            Some(mode) => Ok(mode),
            None => self.read_position_mode().await,
        }
    }

    /// Asks for the position mode, whatever was known.
    ///
    /// # Errors
    /// Why it can't be had; then it is not known any more.
    pub(super) async fn read_position_mode(&self) -> Result<PositionMode, String> {
        let call = Call::ask("/fapi/v1/positionSide/dual", Params::new());
        let mode = self
            .client
            .read::<PositionModeView>(&call)
            .await
            .map(|view| mode_of(view.dual_side_position));
        self.account().mode = mode.as_ref().ok().copied();
        mode.map_err(|problem| problem.to_string())
    }

    /// Reads the settings of all contracts, where some are wanted.
    ///
    /// # Errors
    /// Why they can't be had.
    pub(super) async fn read_settings(&self) -> Result<(), BrokerError> {
        if self.wanted.leverage.is_none() && self.wanted.margin.is_none() {
            return Ok(());
        }
        let call = Call::ask("/fapi/v1/symbolConfig", Params::new());
        let views: Vec<SymbolConfigView> = self.client.read(&call).await?;
        self.account().settings = views
            .into_iter()
            .map(|view| (view.symbol.clone(), view))
            .collect();
        Ok(())
    }

    /// Holds a contract's settings against what is wanted, before an entry: sets them if the owner
    /// lets Ponte, otherwise tells the difference once.
    ///
    /// # Errors
    /// Why the entry can't go: the settings could not be made what the owner wants.
    pub(super) async fn prepare(&self, symbol: &Symbol) -> Result<(), String> {
        let Some(name) = symbols::to_wire(symbol) else {
            return Ok(());
        };
        if !self.account().settings.contains_key(name)
            && self.wanted.apply
            && let Err(problem) = self.read_settings().await
        {
            return Err(format!(
                "leverage and margin of {name} are not known: {problem}"
            ));
        }
        let Some(view) = self.account().settings.get(name).cloned() else {
            return Ok(());
        };
        let Some(difference) = self.wanted.difference(&view) else {
            return Ok(());
        };
        if self.wanted.apply {
            return self.apply(view).await;
        }
        if self.account().told.insert(name.to_owned()) {
            tracing::warn!(account.id = %self.name, "{difference}");
        }
        Ok(())
    }

    async fn apply(&self, mut view: SymbolConfigView) -> Result<(), String> {
        let name = view.symbol.clone();
        if let Some(margin) = self.wanted.margin.filter(|m| word(*m) != view.margin_type) {
            let params = Params::new()
                .with("symbol", name.as_str())
                .with("marginType", word(margin));
            self.set("/fapi/v1/marginType", params).await?;
            word(margin).clone_into(&mut view.margin_type);
        }
        if let Some(leverage) = self
            .wanted
            .leverage
            .filter(|wanted| *wanted != view.leverage)
        {
            let params = Params::new()
                .with("symbol", name.as_str())
                .with("leverage", leverage.to_string());
            self.set("/fapi/v1/leverage", params).await?;
            view.leverage = leverage;
        }
        tracing::info!(
            account.id = %self.name, symbol = name, leverage = view.leverage, margin = view.margin_type,
            "leverage and margin were set as configured"
        );
        self.account().settings.insert(name, view);
        Ok(())
    }

    async fn set(&self, path: &'static str, params: Params) -> Result<(), String> {
        let call = Call::signed(Method::POST, path, params, Purpose::Question);
        match self.client.call(&call).await {
            Reply::Done(_) => Ok(()),
            Reply::Refused(refusal) if refusal.class == Class::Benign => Ok(()),
            reply @ (Reply::Refused(_) | Reply::NotSent(_) | Reply::Unknown(_)) => reply
                .or_error()
                .map(drop)
                .map_err(|problem| format!("leverage or margin could not be set: {problem}")),
        }
    }

    /// The account's money: the wallet balance as cash, the margin balance, which counts open
    /// profits and losses, as equity.
    ///
    /// # Errors
    /// Why it can't be had.
    pub(super) async fn read_balance(&self) -> Result<Balance, BrokerError> {
        let call = Call::ask("/fapi/v3/account", Params::new());
        let view: AccountView = self.client.read(&call).await?;
        let asset = view
            .assets
            .into_iter()
            .find(|asset| asset.asset == self.currency);
        Ok(asset.map_or(
            Balance {
                cash: Decimal::ZERO,
                equity: Decimal::ZERO,
            },
            |asset| Balance {
                cash: asset.wallet_balance.normalize(),
                equity: asset.margin_balance.normalize(),
            },
        ))
    }

    /// The net positions: a long and a short one of the same contract are one.
    ///
    /// # Errors
    /// Why they can't be had.
    pub(super) async fn read_positions(&self) -> Result<Vec<BrokerPosition>, BrokerError> {
        let call = Call::ask("/fapi/v3/positionRisk", Params::new());
        let rows: Vec<PositionView> = self.client.read(&call).await?;
        Ok(net(&rows))
    }

    /// What the key may do, and what the owner should know about the account.
    ///
    /// # Errors
    /// When the account's configuration can't be read.
    pub(super) async fn read_credentials(&self) -> Result<Credentials, BrokerError> {
        self.client.set_clock().await;
        let call = Call::ask("/fapi/v1/accountConfig", Params::new());
        let config: AccountConfigView = self.client.read(&call).await?;
        self.account().mode = Some(mode_of(config.dual_side_position));
        let restrictions = self.read_restrictions().await;
        let mut warnings = sentences(&config, self.client.clock.skew_milliseconds());
        if restrictions
            .as_ref()
            .is_some_and(|view| !view.enable_futures)
        {
            let told =
                "the api key may not trade futures; allow it in the key's settings at the exchange";
            warnings.push(told.to_owned());
        }
        self.read_settings().await?;
        let mut in_use: BTreeSet<String> = self.book().resting();
        let positions = self.read_positions().await?;
        in_use.extend(
            positions
                .iter()
                .filter_map(|position| symbols::to_wire(&position.symbol).map(str::to_owned)),
        );
        let account = self.account();
        let differences = in_use
            .iter()
            .filter_map(|name| account.settings.get(name))
            .filter_map(|view| self.wanted.difference(view));
        warnings.extend(differences);
        drop(account);
        Ok(Credentials {
            can_trade: config.can_trade && restrictions.as_ref().is_none_or(|r| r.enable_futures),
            can_withdraw: restrictions.as_ref().map(|view| view.enable_withdrawals),
            bound_to_address: restrictions.as_ref().map(|view| view.ip_restrict),
            warnings,
        })
    }

    /// What the key may do, which only the spot host tells; `None` where there is none or it doesn't.
    async fn read_restrictions(&self) -> Option<RestrictionsView> {
        let client = Client::new(self.spot.as_ref()?.options().ok()?).ok()?;
        client.set_clock().await;
        let call = Call::ask("/sapi/v1/account/apiRestrictions", Params::new());
        client.read(&call).await.ok()
    }
}

/// The way to the spot host, which alone tells what a key may do (Binance Wallet API, "API key permission").
pub(super) struct SpotHost {
    name: AccountName,
    hosts: Hosts,
    api_key: Secret,
    signing_key: Secret,
    receive_window: Duration,
    processing_limit: Duration,
}

impl SpotHost {
    /// The spot host beside a futures account: the live one, or the test exchange's own address.
    /// Demo trading has none.
    ///
    /// # Errors
    /// When a key can't be copied.
    pub(super) fn beside(options: &Options) -> Result<Option<Self>, BrokerError> {
        let hosts = if options.hosts.is_live() {
            Hosts::live(Market::Spot)
        } else if options.hosts.rest.starts_with("http://") {
            Hosts::venue(&options.hosts.rest, Market::Spot)
        } else {
            return Ok(None);
        };
        Ok(Some(Self {
            name: options.account.clone(),
            hosts,
            api_key: copy(&options.api_key)?,
            signing_key: copy_signing_key(&options.signing_key)?,
            receive_window: options.receive_window,
            processing_limit: options.processing_limit,
        }))
    }

    fn options(&self) -> Result<Options, BrokerError> {
        Ok(Options {
            account: self.name.clone(),
            market: Market::Spot,
            hosts: self.hosts.clone(),
            api_key: copy(&self.api_key)?,
            signing_key: copy_signing_key(&self.signing_key)?,
            currency: String::new(),
            receive_window: self.receive_window,
            processing_limit: self.processing_limit,
            orders: Transport::Rest,
            stops: StopSize::Quantity,
            trigger: TriggerPrice::Last,
            leverage: None,
            margin: None,
            apply_settings: false,
            dead_mans_switch: None,
        })
    }
}

fn copy(secret: &Secret) -> Result<Secret, BrokerError> {
    Secret::new(secret.expose().to_owned())
        .map_err(|problem| BrokerError::Refused(problem.to_string()))
}

/// A key can be a PEM of many lines, which other secrets can't be.
fn copy_signing_key(secret: &Secret) -> Result<Secret, BrokerError> {
    Secret::signing_key(secret.expose().to_owned())
        .map_err(|problem| BrokerError::Refused(problem.to_string()))
}

const fn mode_of(dual: bool) -> PositionMode {
    if dual {
        PositionMode::Hedge
    } else {
        PositionMode::OneWay
    }
}

fn sentences(config: &AccountConfigView, skew_milliseconds: Option<i64>) -> Vec<String> {
    let mut sentences = Vec::new();
    if config.dual_side_position {
        sentences.push(
            "the account is in hedge mode: long and short positions of a contract lie side by side; \
             ponte trades both and shows their sum"
                .to_owned(),
        );
    }
    if config.multi_assets_margin {
        sentences.push(
            "the account is in multi-assets mode: other assets stand behind positions too, and equity \
             counts only the account's currency"
                .to_owned(),
        );
    }
    match skew_milliseconds {
        Some(skew) if skew.abs() > SKEW_MILLISECONDS_MAX => sentences.push(format!(
            "this machine's clock is {skew} ms behind the exchange's, more than {SKEW_MILLISECONDS_MAX}; \
             set it by network time"
        )),
        Some(_) | None => {}
    }
    sentences
}

fn net(rows: &[PositionView]) -> Vec<BrokerPosition> {
    let mut sums: BTreeMap<Symbol, Decimal> = BTreeMap::new();
    for row in rows {
        let Some(symbol) = symbols::from_wire(&row.symbol) else {
            continue;
        };
        // The amount of a short side is below zero already; its sign is not relied upon.
        let quantity = match row.position_side.as_str() {
            "LONG" => row.position_amt.abs(),
            "SHORT" => -row.position_amt.abs(),
            _ => row.position_amt,
        };
        *sums.entry(symbol).or_default() += quantity;
    }
    sums.into_iter()
        .filter(|(_, quantity)| !quantity.is_zero())
        .map(|(symbol, quantity)| BrokerPosition {
            symbol,
            quantity: quantity.normalize(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_of_both_sides_are_one() {
        // As GET /fapi/v3/positionRisk answers (USDⓈ-M Futures, "Position Information V3").
        let text = r#"[
            {"symbol":"BTCUSDT","positionSide":"LONG","positionAmt":"0.500","entryPrice":"60000","marginAsset":"USDT"},
            {"symbol":"BTCUSDT","positionSide":"SHORT","positionAmt":"-0.200"},
            {"symbol":"ETHUSDT","positionSide":"BOTH","positionAmt":"-3"},
            {"symbol":"SOLUSDT","positionSide":"BOTH","positionAmt":"0"},
            {"symbol":"BTCUSDT_270326","positionSide":"BOTH","positionAmt":"1"}]"#;
        let rows: Vec<PositionView> = serde_json::from_str(text).expect("the documented answer");
        let told: Vec<String> = net(&rows)
            .iter()
            .map(|position| format!("{} {}", position.symbol, position.quantity))
            .collect();
        assert_eq!(told, ["BTCUSDT.P 0.3", "ETHUSDT.P -3"]);
    }

    #[test]
    fn a_difference_names_both_values() {
        let view = SymbolConfigView {
            symbol: "BTCUSDT".to_owned(),
            margin_type: "CROSSED".to_owned(),
            leverage: 20,
        };
        let wanted = |leverage, margin| {
            Wanted {
                leverage,
                margin,
                apply: false,
            }
            .difference(&view)
        };
        assert_eq!(wanted(None, None), None);
        assert_eq!(wanted(Some(20), Some(Margin::Cross)), None);
        let told = wanted(Some(5), Some(Margin::Isolated)).expect("both differ");
        assert!(
            told.starts_with(
                "BTCUSDT has leverage 20, not 5 and crossed margin, not isolated as configured"
            ),
            "{told}"
        );
    }

    #[test]
    fn what_the_owner_should_know_is_said() {
        let config = |dual, multi| AccountConfigView {
            can_trade: true,
            dual_side_position: dual,
            multi_assets_margin: multi,
        };
        assert!(sentences(&config(false, false), Some(-1_000)).is_empty());
        assert!(sentences(&config(false, false), None).is_empty());
        let told = sentences(&config(true, true), Some(1_500));
        assert_eq!(told.len(), 3);
        assert!(told[0].contains("hedge") && told[1].contains("multi-assets"));
        assert!(told[2].contains("1500 ms"), "{}", told[2]);
    }

    #[test]
    fn keys_are_copied_for_the_spot_host_where_there_is_one() {
        // The key of RFC 8032, test 1.
        let pem = "-----BEGIN PRIVATE KEY-----\n\
                   MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n\
                   -----END PRIVATE KEY-----";
        let beside = |hosts: Hosts| {
            let options = Options {
                account: AccountName::new("futures").expect("a name"),
                market: Market::Futures,
                hosts,
                api_key: Secret::new("a-public-key".to_owned()).expect("a key"),
                signing_key: Secret::signing_key(pem.to_owned()).expect("a key"),
                currency: "USDT".to_owned(),
                receive_window: Duration::from_secs(5),
                processing_limit: Duration::from_secs(10),
                orders: Transport::Rest,
                stops: StopSize::Quantity,
                trigger: TriggerPrice::Last,
                leverage: None,
                margin: None,
                apply_settings: false,
                dead_mans_switch: None,
            };
            let host = SpotHost::beside(&options).expect("keys that can be copied");
            host.map(|host| host.options().expect("keys that can be copied"))
        };
        let live = beside(Hosts::live(Market::Futures)).expect("the live exchange has one");
        assert_eq!(live.hosts, Hosts::live(Market::Spot));
        assert!(live.signing_key.expose().contains("BEGIN PRIVATE KEY"));
        let venue = Hosts::venue("http://127.0.0.1:1", Market::Futures);
        assert_eq!(
            beside(venue).expect("so has a test exchange").hosts.rest,
            "http://127.0.0.1:1"
        );
        assert!(beside(Hosts::demo(Market::Futures)).is_none());
    }
}
