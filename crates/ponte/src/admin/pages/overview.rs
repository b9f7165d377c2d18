//! How Ponte is, in cards that fit on a phone.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::time::Duration;

use ponte_core::halt::{HaltLevel, Scope};
use ponte_core::policy::Mode;
use ponte_core::signal::PositionSide;
use ponte_core::time::Timestamp;
use rust_decimal::Decimal;

use super::html::{Html, html};
use super::words::{Language, Words};
use crate::admin::wire::{AccountStatus, Holding, Presence, SourceStatus, Status};
use crate::admin::{Admin, ApiError, status};
use crate::clock;
use crate::journal::{AlertFilter, AlertRow, OrderFilter, OrderRow};

/// How many rows a card has.
const ROWS: u32 = 8;

/// Everything that the page shows.
pub(super) struct Overview {
    pub(super) status: Status,
    positions: Vec<Holding>,
    orders: Vec<OrderRow>,
    alerts: Vec<AlertRow>,
    now: Timestamp,
}

impl Overview {
    pub(super) async fn of(admin: &Admin) -> Result<Self, ApiError> {
        let status = status::current(admin).await?;
        let mut positions = admin.engine.look(status::positions).await?;
        positions.retain(|held| !held.position.quantity.is_zero());
        let rows = admin.readers.clone().read(|reader| {
            let orders = reader.orders(&OrderFilter {
                limit: ROWS,
                open_only: true,
                ..OrderFilter::default()
            })?;
            let alerts = reader.alerts(&AlertFilter {
                limit: ROWS,
                ..AlertFilter::default()
            })?;
            Ok((orders, alerts))
        });
        let (orders, alerts) = rows.await?;
        Ok(Self {
            status,
            positions,
            orders,
            alerts,
            now: clock::now(),
        })
    }

    fn is_halted(&self) -> bool {
        self.status.halt_file || !self.status.halts.is_empty()
    }

    fn is_halted_whole(&self) -> bool {
        let mut halts = self.status.halts.iter();
        self.status.halt_file || halts.any(|halt| halt.scope == Scope::Global)
    }

    /// The sources whose alerts are refused, switched off or expired.
    fn deaf(&self) -> impl Iterator<Item = &SourceStatus> {
        let has_expired = |at: Timestamp| at <= self.now;
        let sources = self.status.sources.iter();
        sources.filter(move |source| !source.on || source.expires.is_some_and(has_expired))
    }

    fn is_ready(&self) -> bool {
        self.status
            .process
            .as_ref()
            .is_some_and(|process| process.ready)
    }

    /// How Ponte is, in a word.
    pub(super) fn title(&self, words: &Words) -> &'static str {
        if !self.is_ready() {
            words.not_ready
        } else if self.is_halted_whole() {
            words.halted
        } else if self.is_halted() {
            words.partly_halted
        } else {
            words.running
        }
    }
}

/// What a halt covers, in words.
pub(super) fn scope(words: &Words, scope: &Scope) -> String {
    match scope {
        Scope::Global => words.everything.to_owned(),
        Scope::Account(name) => format!("{} {name}", words.account),
        Scope::Strategy(name) => format!("{} {name}", words.strategy),
        Scope::Symbol(name) => format!("{} {name}", words.symbol),
    }
}

/// The same as links carry it.
fn scope_word(scope: &Scope) -> String {
    match scope {
        Scope::Global => "global".to_owned(),
        Scope::Account(name) => format!("account {name}"),
        Scope::Strategy(name) => format!("strategy {name}"),
        Scope::Symbol(name) => format!("symbol {name}"),
    }
}

fn level(words: &Words, level: HaltLevel) -> &'static str {
    match level {
        HaltLevel::BlockEntries => words.levels[0].0,
        HaltLevel::CancelWorking => words.levels[1].0,
        HaltLevel::ReduceOnly => words.levels[2].0,
        HaltLevel::Flatten => words.levels[3].0,
    }
}

/// Trading or halted, by whom and why, and what needs a look.
pub(super) fn state(language: Language, seen: &Overview, may_operate: bool) -> Html {
    let words = language.words();
    let (class, note) = if !seen.is_ready() {
        ("bad", words.not_ready_note)
    } else if seen.is_halted() {
        ("warn", words.halted_note)
    } else if seen.deaf().next().is_some() {
        ("warn", words.sources_off_note)
    } else {
        ("good", words.running_note)
    };
    let halts: Vec<Html> = seen
        .status
        .halts
        .iter()
        .map(|halt| {
            // A form, so that a name may have any character in it.
            let resume = may_operate.then(|| {
                html!(
                    "<form action=\"/resume\"><input type=\"hidden\" name=\"scope\" value=\""
                    {scope_word(&halt.scope)} "\"><button class=\"small\">" {words.resume}
                    "</button></form>"
                )
            });
            let reason = halt.reason.as_ref().map(|reason| html!("<q>" {reason} "</q>"));
            html!(
                "<li class=\"row\"><div><b>" {scope(words, &halt.scope)} "</b><small>"
                {level(words, halt.level)} " · " {words.by} " " {halt.by} " · "
                {language.ago(seen.now.since(halt.since))} "</small>" {reason} "</div>" {resume} "</li>"
            )
        })
        .collect();
    let deaf: Vec<Html> = seen
        .deaf()
        .map(|source| deaf(language, source, seen.now))
        .collect();
    let file = seen
        .status
        .halt_file
        .then(|| html!("<p class=\"note bad\">" {words.halt_file} "</p>"));
    let naked = seen
        .status
        .process
        .iter()
        .flat_map(|process| &process.naked);
    let naked: Vec<Html> = naked
        .map(|naked| {
            html!("<p class=\"note bad\"><b>" {words.naked} "</b> " {naked.to_string()} "</p>")
        })
        .collect();
    let unknown = seen.status.unknown_orders;
    let unknown = (unknown > 0).then(
        || html!("<p class=\"note bad\">" {words.unknown_orders} " <b>" {unknown} "</b></p>"),
    );
    html!(
        "<section class=\"card state " {class} "\"><h1><i></i>" {seen.title(words)} "</h1><p>" {note}
        "</p><ul class=\"rows\">" {halts} {deaf} "</ul>" {file} {naked} {unknown} "</section>"
    )
}

/// A source whose alerts are refused: by whom, since when and why.
fn deaf(language: Language, source: &SourceStatus, now: Timestamp) -> Html {
    let words = language.words();
    let word = if source.on { words.expired } else { words.off };
    let off = source.off.as_ref().map(|off| {
        let reason = off
            .reason
            .as_ref()
            .map(|reason| html!("<q>" {reason} "</q>"));
        html!(
            "<small>" {words.by} " " {&off.by} " · " {language.ago(now.since(off.since))} "</small>"
            {reason}
        )
    });
    html!(
        "<li class=\"row\"><div><b>" {words.source} " " {source.source.as_str()} "</b> "
        "<span class=\"badge bad\">" {word} "</span>" {off} "</div></li>"
    )
}

pub(super) fn accounts(language: Language, seen: &Overview) -> Html {
    let words = language.words();
    let rows: Vec<Html> = seen
        .status
        .accounts
        .iter()
        .map(|account| self::account(words, account))
        .collect();
    html!(
        "<section class=\"card\"><h2>" {words.accounts} "</h2><ul class=\"rows\">" {rows} "</ul></section>"
    )
}

fn account(words: &Words, account: &AccountStatus) -> Html {
    let (class, mode) = match account.mode {
        Mode::Paper => ("plain", words.modes[0]),
        Mode::Demo => ("plain", words.modes[1]),
        Mode::Live => ("live", words.modes[2]),
    };
    let money = match &account.balance {
        Some(balance) => html!("<b class=\"number\">" {balance.equity.to_string()} "</b> "
            {account.currency}),
        None => html!("<span class=\"dim\">" {words.balance_unknown} "</span>"),
    };
    let away = account
        .terminal
        .as_ref()
        .filter(|terminal| match terminal.presence {
            Presence::Present => false,
            Presence::Away | Presence::Never => true,
        });
    let away = away.map(|_| html!(" <span class=\"badge bad\">" {words.terminal_away} "</span>"));
    html!(
        "<li class=\"row\"><div><b>" {account.name.as_str()} "</b> <span class=\"badge " {class} "\">"
        {mode} "</span>" {away} "<small>" {words.open_orders} " " {account.open_orders} " · "
        {words.positions} " " {account.open_positions} "</small></div><div class=\"end\">" {money}
        "</div></li>"
    )
}

pub(super) fn positions(language: Language, seen: &Overview) -> Html {
    let words = language.words();
    let rows: Vec<Html> = seen
        .positions
        .iter()
        .map(|held| {
            let position = &held.position;
            let (class, side) = match position.side {
                PositionSide::Long => ("long", "long"),
                PositionSide::Short => ("short", "short"),
                PositionSide::Flat => ("plain", "flat"),
            };
            let result = held.unrealised.map(|result| {
                let class = match result.cmp(&Decimal::ZERO) {
                    Ordering::Less => "loss",
                    Ordering::Equal => "dim",
                    Ordering::Greater => "gain",
                };
                html!("<b class=\"number " {class} "\">" {result} "</b>")
            });
            html!(
                "<li class=\"row\"><div><b>" {position.key.symbol.as_str()} "</b> <span class=\"badge "
                {class} "\">" {side} "</span><small>" {position.key.account.as_str()} " · "
                {position.key.strategy.as_str()} "</small></div><div class=\"end\"><span class=\"number\">"
                {position.quantity.abs().normalize()} " @ " {position.average_price.normalize()}
                "</span><br>" {result} "</div></li>"
            )
        })
        .collect();
    card(words.positions, words.no_positions, rows)
}

pub(super) fn orders(language: Language, seen: &Overview) -> Html {
    let words = language.words();
    let rows: Vec<Html> = seen
        .orders
        .iter()
        .map(|order| {
            let class = if order.side == "buy" { "long" } else { "short" };
            html!(
                "<li class=\"row\"><div><b>" {order.symbol} "</b> <span class=\"badge " {class} "\">"
                {order.side} "</span><small>" {order.account} " · " {order.class} " · "
                {language.ago(seen.now.since(order.planned_at))} "</small></div>"
                "<div class=\"end\"><span class=\"number\">" {order.quantity} "</span><br><small>"
                {language.outcome(&order.status)} "</small></div></li>"
            )
        })
        .collect();
    let title = format!("{} ({})", words.open_orders, seen.status.open_orders);
    card(&title, words.no_orders, rows)
}

pub(super) fn alerts(language: Language, seen: &Overview) -> Html {
    let words = language.words();
    let classes: BTreeMap<&str, &str> = [
        ("accepted", "good"),
        ("refused", "bad"),
        ("halted", "warn"),
        ("expired", "warn"),
    ]
    .into();
    let rows: Vec<Html> = seen
        .alerts
        .iter()
        .map(|alert| {
            let class = classes
                .get(alert.outcome.as_str())
                .copied()
                .unwrap_or("plain");
            html!(
                "<li class=\"row\"><div><b>" {alert.id} "</b> " {alert.intent} " "
                {alert.symbol.as_deref().unwrap_or_default()} "<small>" {alert.strategy} " · "
                {language.ago(seen.now.since(alert.received_at))} "</small></div>"
                "<span class=\"badge " {class} "\">" {language.outcome(&alert.outcome)} "</span></li>"
            )
        })
        .collect();
    card(words.last_alerts, words.no_alerts, rows)
}

fn card(title: &str, empty: &str, rows: Vec<Html>) -> Html {
    let content = if rows.is_empty() {
        html!("<p class=\"dim\">" {empty} "</p>")
    } else {
        html!("<ul class=\"rows\">" {rows} "</ul>")
    };
    html!("<section class=\"card\"><h2>" {title} "</h2>" {content} "</section>")
}

pub(super) fn foot(language: Language, seen: &Overview) -> Html {
    let words = language.words();
    let up = seen.status.process.as_ref();
    let up = up.map(|process| language.span(Duration::from_secs(process.uptime_seconds)));
    html!(
        "<footer><a class=\"button\" href=\"/\">" {words.reload} "</a><small>Ponte "
        {seen.status.version} " · " {words.up_for} " " {up} "</small></footer>"
    )
}
