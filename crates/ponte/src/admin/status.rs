//! How Ponte is: health, readiness, metrics, status, positions.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::State as Shared;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use ponte_core::decide::naked_positions;
use ponte_core::message::{PositionKey, PositionView};
use ponte_core::order::OrderStatus;
use ponte_core::signal::PositionSide;
use ponte_core::state::State;
use serde_json::json;

use super::auth::{Actor, Role};
use super::wire::{AccountStatus, Heard, Holding, JournalSize, Me, Process, SourceStatus, Status};
use super::{Admin, ApiError};
use crate::clock;
use crate::config::Config;
use crate::journal::{AlertFilter, AlertRow, JournalError, Reader};

/// How long the engine may take to show that it lives.
const PULSE_MAX: Duration = Duration::from_secs(2);

pub(super) async fn healthz() -> Json<serde_json::Value> {
    Json(json!({"status": "alive"}))
}

pub(super) async fn readyz(Shared(admin): Shared<Admin>) -> Response {
    let pulse = tokio::time::timeout(PULSE_MAX, admin.engine.look(|_| ()));
    let reason = match pulse.await {
        Err(_) => Some("the engine does not answer".to_owned()),
        Ok(Err(unavailable)) => Some(unavailable.to_string()),
        Ok(Ok(())) if !admin.engine.is_ready() => {
            Some("the journal can't be written; alerts are answered 503".to_owned())
        }
        Ok(Ok(())) => None,
    };
    match reason {
        None => Json(json!({"status": "ready"})).into_response(),
        Some(reason) => (
            StatusCode::SERVICE_UNAVAILABLE,
            Json(json!({"status": "not_ready", "reason": reason})),
        )
            .into_response(),
    }
}

pub(super) async fn metrics(Shared(admin): Shared<Admin>) -> Result<Response, ApiError> {
    let gauge = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let metrics = &admin.metrics;
    metrics.inbox.set(gauge(admin.engine.waiting()));
    // Counts are told even while the engine or the journal are not well: that is when they matter.
    let seen = admin.engine.look_by_policy(|state, policy| {
        let naked = naked_positions(state, policy).len();
        let off = state.sources_off.len();
        (waiting(state), state.halts.len(), naked, off)
    });
    if let Ok(Ok((lanes, halts, naked, off))) = tokio::time::timeout(PULSE_MAX, seen).await {
        metrics.naked_positions.set(gauge(naked));
        metrics.lanes.set(gauge(lanes));
        metrics.halts.set(gauge(halts));
        metrics.sources_off.set(gauge(off));
    }
    if let Ok((events, bytes)) = admin.readers.clone().read(Reader::size).await {
        metrics.journal_events.set(events);
        metrics.journal_bytes.set(bytes);
    }
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], metrics.text()).into_response())
}

pub(super) async fn status(Shared(admin): Shared<Admin>) -> Result<Json<Status>, ApiError> {
    current(&admin).await.map(Json)
}

/// How Ponte is now.
pub(super) async fn current(admin: &Admin) -> Result<Status, ApiError> {
    let now = clock::now();
    let process = Process {
        started_at: admin.started_at,
        uptime_seconds: now.since(admin.started_at).as_secs(),
        ready: admin.engine.is_ready(),
        inbox: admin.engine.waiting(),
        lanes: admin.engine.look(waiting).await?,
        naked: admin.engine.look_by_policy(naked_positions).await?,
    };
    let config = admin.config.clone();
    let seen = admin.engine.look(move |state| Seen::of(state, &config));
    let mut seen = seen.await?;
    let (journal, last_alert) = admin.readers.clone().read(newest).await?;
    let halt_file = admin.halt_file().exists();
    for account in &mut seen.accounts {
        account.terminal = admin.doctor.terminal(&account.name);
    }
    Ok(seen.into_status(&admin.config, Some(process), journal, last_alert, halt_file))
}

pub(super) async fn list_positions(
    Shared(admin): Shared<Admin>,
) -> Result<Json<Vec<Holding>>, ApiError> {
    Ok(Json(admin.engine.look(positions).await?))
}

/// Who asks, and what a script of theirs has to bring along.
pub(super) async fn me(Extension(actor): Extension<Actor>) -> Json<Me> {
    let me = |name: &str, kind: &str, role, csrf| {
        Json(Me {
            name: name.to_owned(),
            kind: kind.to_owned(),
            role,
            csrf,
        })
    };
    match &actor {
        // Nobody does not come here.
        Actor::Local | Actor::Nobody => me("local", "local", Role::Operate, None),
        Actor::User(who) => me(&who.user, "session", who.role, Some(who.csrf.clone())),
        Actor::Token { name, role } => me(name, "token", *role, None),
    }
}

/// The journal's size and its latest alert.
fn newest(reader: &Reader) -> Result<(JournalSize, Option<AlertRow>), JournalError> {
    let (events, bytes) = reader.size()?;
    let latest = reader.alerts(&AlertFilter {
        limit: 1,
        ..AlertFilter::default()
    })?;
    Ok((JournalSize { events, bytes }, latest.into_iter().next()))
}

impl Status {
    /// How a Ponte is that does not run, by its journal.
    ///
    /// # Errors
    /// When the journal can't be read.
    pub fn offline(config: &Config, reader: &Reader) -> Result<Self, JournalError> {
        let state = reader.state(false)?;
        let (journal, last_alert) = newest(reader)?;
        let halt_file = config.data_dir.join(super::HALT_FILE).exists();
        Ok(Seen::of(&state, config).into_status(config, None, journal, last_alert, halt_file))
    }
}

/// What of the status is in the engine's state.
struct Seen {
    halts: Vec<ponte_core::halt::Halt>,
    sources: Vec<SourceStatus>,
    strategies: Vec<Heard>,
    open_orders: usize,
    unknown_orders: usize,
    accounts: Vec<AccountStatus>,
}

impl Seen {
    fn of(state: &State, config: &Config) -> Self {
        let unknown = |order: &&ponte_core::order::Order| order.status == OrderStatus::Unknown;
        let accounts = config.accounts.iter().map(|account| {
            let known = state.account(&account.name);
            AccountStatus {
                name: account.name.clone(),
                mode: account.mode,
                currency: account.currency.clone(),
                balance: known.and_then(|known| known.balance.clone()),
                terminal: None,
                open_orders: known.map_or(0, |known| known.orders.len()),
                open_positions: known.map_or(0, |known| {
                    let held = known.positions.values().flat_map(BTreeMap::values);
                    held.filter(|position| !position.quantity.is_zero()).count()
                }),
            }
        });
        Self {
            halts: state.halts.clone(),
            sources: super::statuses(config, &state.sources_off),
            strategies: state
                .heard
                .iter()
                .filter(|(strategy, _)| !strategy.is_reserved())
                .map(|(strategy, at)| Heard {
                    strategy: strategy.clone(),
                    at: *at,
                })
                .collect(),
            open_orders: state.open_orders().count(),
            unknown_orders: state.open_orders().filter(unknown).count(),
            accounts: accounts.collect(),
        }
    }

    fn into_status(
        self,
        config: &Config,
        process: Option<Process>,
        journal: JournalSize,
        last_alert: Option<AlertRow>,
        halt_file: bool,
    ) -> Status {
        let scheme = match config.webhook.tls {
            Some(_) => "https",
            None => "http",
        };
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            process,
            webhook: format!("{scheme}://{}/webhook", config.webhook.listen),
            halts: self.halts,
            halt_file,
            sources: self.sources,
            journal,
            last_alert,
            strategies: self.strategies,
            open_orders: self.open_orders,
            unknown_orders: self.unknown_orders,
            accounts: self.accounts,
        }
    }
}

/// Orders that wait to be sent.
fn waiting(state: &State) -> usize {
    state
        .open_orders()
        .filter(|order| order.status == OrderStatus::Waiting)
        .count()
}

/// What each strategy holds and has held, with what the market last said.
pub(crate) fn positions(state: &State) -> Vec<Holding> {
    let mut holdings = Vec::new();
    for (account, known) in &state.accounts {
        for (strategy, symbols) in &known.positions {
            for (symbol, position) in symbols {
                let last_price = known.prices.get(symbol).map(|price| price.get());
                let unrealised = last_price.map(|price| {
                    (price - position.average_price)
                        .saturating_mul(position.quantity)
                        .saturating_mul(position.multiplier)
                        .normalize()
                });
                holdings.push(Holding {
                    position: PositionView {
                        key: PositionKey {
                            account: account.clone(),
                            strategy: strategy.clone(),
                            symbol: symbol.clone(),
                        },
                        side: PositionSide::of(position.quantity),
                        quantity: position.quantity,
                        average_price: position.average_price,
                        realised: position.realised,
                        fees: position.fees,
                    },
                    last_price,
                    unrealised: unrealised.filter(|_| !position.quantity.is_zero()),
                });
            }
        }
    }
    holdings
}
