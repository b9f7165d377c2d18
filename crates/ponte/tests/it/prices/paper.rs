//! Paper accounts that trade at market prices.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use ponte::brokers::paper::{Embedded, EmbeddedOptions, MarketPrices, Precedence, Remembered};
use ponte::brokers::{Broker, News};
use ponte::clock;
use ponte::prices::{PriceFeed, Tick};
use ponte_core::decide::Quotes;
use ponte_core::id::{AccountName, AlertId, ClientOrderId, StrategyName, Symbol};
use ponte_core::instrument::Instruments;
use ponte_core::message::{Fate, NotSent, OrderReport, ReportedStatus};
use ponte_core::number::{Price, Quantity};
use ponte_core::order::{OrderClass, OrderKind, OrderPlan, Origin};
use ponte_core::signal::{Protection, Side, Terms};
use ponte_core::state::{AccountState, Position};
use ponte_core::time::Timestamp;
use ponte_venue::FillModel;
use rust_decimal::Decimal;
use tokio::sync::{broadcast, mpsc};

use super::exchange::{Exchange, Manners};
use super::{REASON, at_100, patience, symbol, until, within_reason};

/// A market that costs what the test says.
struct Told {
    ticks: Mutex<BTreeMap<Symbol, Tick>>,
    followed: Mutex<Vec<String>>,
    changed: broadcast::Sender<Symbol>,
}

impl Told {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            ticks: Mutex::default(),
            followed: Mutex::default(),
            changed: broadcast::channel(4).0,
        })
    }

    fn say(&self, price: &str) {
        let last = price.parse().unwrap();
        let tick = Tick {
            bid: None,
            ask: None,
            last,
            at: clock::now(),
        };
        self.ticks.lock().unwrap().insert(symbol("BTCUSDT"), tick);
        let _ = self.changed.send(symbol("BTCUSDT"));
    }

    fn forget(&self) {
        self.ticks.lock().unwrap().clear();
    }
}

impl PriceFeed for Told {
    fn follow(&self, symbol: &Symbol) -> bool {
        let mut followed = self.followed.lock().unwrap();
        let name = symbol.as_str().to_owned();
        let is_new = !followed.contains(&name);
        if is_new {
            followed.push(name);
        }
        is_new
    }

    fn last(&self, symbol: &Symbol) -> Option<Tick> {
        self.ticks.lock().unwrap().get(symbol).copied()
    }

    fn changes(&self) -> broadcast::Receiver<Symbol> {
        self.changed.subscribe()
    }
}

fn options() -> EmbeddedOptions {
    EmbeddedOptions {
        account: AccountName::new("paper").unwrap(),
        currency: "USDT".to_owned(),
        balance: Decimal::from(10_000),
        fill_model: FillModel::optimistic(),
        leverage: Decimal::ONE,
        instruments: Instruments::default(),
        prices_from_alerts: true,
        feed: None,
    }
}

fn account(feed: Arc<dyn PriceFeed>, precedence: Precedence) -> Embedded {
    let remembered = Remembered::of(None, Decimal::from(10_000));
    Embedded::new(options(), remembered)
        .unwrap()
        .with_market(MarketPrices { feed, precedence })
}

fn order(name: &str, class: OrderClass, side: Side, kind: OrderKind) -> OrderPlan {
    OrderPlan {
        id: ClientOrderId::derive(AlertId(1), &[name.as_bytes()]),
        account: AccountName::new("paper").unwrap(),
        strategy: StrategyName::unnamed(),
        symbol: symbol("BTCUSDT"),
        side,
        quantity: Quantity::new(Decimal::ONE).unwrap(),
        kind,
        class,
        protection: Protection::default(),
        reference_price: None,
        origin: Origin::Alert(AlertId(1)),
        alert: Some(AlertId(1)),
        expires_at: Timestamp(i64::MAX),
        after: Vec::new(),
        replaces: None,
        instead_of: Vec::new(),
        multiplier: Decimal::ONE,
        reduce_only: false,
    }
}

fn buy(name: &str) -> OrderPlan {
    order(name, OrderClass::Entry, Side::Buy, OrderKind::MARKET)
}

fn price(text: &str) -> Price {
    Price::new(text.parse().unwrap()).unwrap()
}

fn stop_at(trigger: &str) -> OrderPlan {
    let trigger = price(trigger);
    let kind = OrderKind::Single {
        terms: Terms::Stop { trigger },
    };
    order("stop", OrderClass::Protection, Side::Sell, kind)
}

fn report(fate: Fate) -> OrderReport {
    match fate {
        Fate::Acknowledged { report } => report,
        other @ (Fate::Rejected { .. } | Fate::NotSent { .. } | Fate::Unknown { .. }) => {
            panic!("the order was not taken: {other:?}")
        }
    }
}

/// What an account says by itself, from now on.
fn listen(account: &Arc<Embedded>) -> mpsc::UnboundedReceiver<News> {
    let (into, news) = mpsc::unbounded_channel();
    let account = account.clone();
    tokio::spawn(async move { account.reports(into).await });
    news
}

async fn next_report(news: &mut mpsc::UnboundedReceiver<News>) -> OrderReport {
    loop {
        match within_reason("a report", news.recv()).await {
            Some(News::Order(report)) => return report,
            // What may have been missed before anybody listened.
            Some(News::Missed | News::Outside(_)) => {}
            None => panic!("the account says nothing any more"),
        }
    }
}

#[tokio::test]
async fn an_order_without_a_price_of_its_own_takes_the_market_s() {
    let market = Told::new();
    let account = account(market.clone(), Precedence::Alert);
    market.say("100");
    let bought = report(account.submit(&buy("a")).await);
    assert_eq!(bought.status, ReportedStatus::Filled);
    assert_eq!(bought.average_price, Decimal::from(100));
    assert_eq!(*market.followed.lock().unwrap(), ["BTCUSDT"]);
}

#[tokio::test]
async fn the_list_of_prices_says_whose_price_counts() {
    for (precedence, expected) in [(Precedence::Alert, 90), (Precedence::Market, 100)] {
        let market = Told::new();
        let account = account(market.clone(), precedence);
        market.say("100");
        let mut plan = buy("a");
        plan.reference_price = Some(price("90"));
        let bought = report(account.submit(&plan).await);
        assert_eq!(
            bought.average_price,
            Decimal::from(expected),
            "{precedence:?}"
        );
        market.forget();
        plan.id = ClientOrderId::derive(AlertId(1), &[b"b"]);
        let bought = report(account.submit(&plan).await);
        assert_eq!(bought.average_price, Decimal::from(90), "{precedence:?}");
    }
}

#[tokio::test]
async fn without_a_fresh_price_entries_are_refused_and_exits_wait() {
    let market = Told::new();
    let account = account(market.clone(), Precedence::Alert);
    market.say("100");
    report(account.submit(&buy("a")).await);
    market.forget();
    let limit = OrderKind::Single {
        terms: Terms::Limit { price: price("99") },
    };
    for kind in [OrderKind::MARKET, limit] {
        let refused = account
            .submit(&order("b", OrderClass::Entry, Side::Buy, kind))
            .await;
        let Fate::Rejected { reason } = refused else {
            panic!("the entry was not refused: {refused:?}");
        };
        assert_eq!(
            reason,
            "no fresh price of BTCUSDT is known from the market, and a paper order is not filled at \
             an old one; send price in the alert, or send it again once the market is heard"
        );
    }
    let exit = order("c", OrderClass::Exit, Side::Sell, OrderKind::MARKET);
    let waits = account.submit(&exit).await;
    let is_unreachable = matches!(
        waits,
        Fate::NotSent {
            why: NotSent::Unreachable(_)
        }
    );
    assert!(is_unreachable, "{waits:?}");
    // What protects the position rests all the same.
    let stop = report(account.submit(&stop_at("95")).await);
    assert_eq!(stop.status, ReportedStatus::Working);
    market.say("101");
    assert_eq!(
        report(account.submit(&exit).await).average_price,
        Decimal::from(101)
    );
}

#[tokio::test]
async fn an_alert_s_price_serves_orders_behind_it_where_the_market_is_not_heard() {
    let market = Told::new();
    let account = account(market.clone(), Precedence::Alert);
    let mut plan = buy("a");
    plan.reference_price = Some(price("90"));
    report(account.submit(&plan).await);
    let exit = order("b", OrderClass::Exit, Side::Sell, OrderKind::MARKET);
    assert_eq!(
        report(account.submit(&exit).await).average_price,
        Decimal::from(90)
    );
}

#[tokio::test]
async fn quotes_come_from_the_market_and_vanish_with_it() {
    let market = Told::new();
    let account = account(market.clone(), Precedence::Alert);
    let quote = || account.quote(&AccountName::new("paper").unwrap(), &symbol("BTCUSDT"));
    assert_eq!(quote(), None);
    assert_eq!(*market.followed.lock().unwrap(), ["BTCUSDT"]);
    market.say("100");
    report(account.submit(&buy("a")).await);
    assert_eq!(quote(), Some(price("100")));
    market.forget();
    assert_eq!(quote(), None);
}

#[tokio::test]
async fn a_stop_fires_when_the_market_reaches_it_however_fast_it_moves() {
    let market = Told::new();
    let account = Arc::new(account(market.clone(), Precedence::Alert));
    market.say("100");
    report(account.submit(&buy("a")).await);
    report(account.submit(&stop_at("95")).await);
    let mut news = listen(&account);
    until("a listener", || market.changed.receiver_count() > 0).await;
    // More changes than the feed keeps for a slow listener.
    for price in [
        "99", "98", "97", "96.5", "96.4", "96.3", "96.2", "96.1", "94",
    ] {
        market.say(price);
    }
    let fired = next_report(&mut news).await;
    assert_eq!(fired.id, stop_at("95").id);
    assert_eq!(fired.status, ReportedStatus::Filled);
    assert_eq!(fired.average_price, Decimal::from(94));
}

#[tokio::test]
async fn what_moved_before_anybody_listened_is_not_missed() {
    let market = Told::new();
    let account = Arc::new(account(market.clone(), Precedence::Alert));
    market.say("100");
    report(account.submit(&buy("a")).await);
    report(account.submit(&stop_at("95")).await);
    market.say("94");
    let fired = next_report(&mut listen(&account)).await;
    assert_eq!(fired.average_price, Decimal::from(94));
}

#[test]
fn what_is_held_is_followed_from_the_start() {
    let held = Position {
        quantity: Decimal::ONE,
        average_price: Decimal::from(10),
        ..Position::default()
    };
    let mut state = AccountState::default();
    let positions = state.positions.entry(StrategyName::unnamed()).or_default();
    positions.insert(symbol("ETHUSDT"), held);
    state.prices.insert(symbol("SOLUSDT"), price("20"));
    let remembered = Remembered::of(Some(&state), Decimal::from(10_000));
    let market = Told::new();
    let feed: Arc<dyn PriceFeed> = market.clone();
    let precedence = Precedence::Alert;
    let _account = Embedded::new(options(), remembered)
        .unwrap()
        .with_market(MarketPrices { feed, precedence });
    assert_eq!(*market.followed.lock().unwrap(), ["ETHUSDT", "SOLUSDT"]);
}

#[tokio::test]
async fn a_stop_fires_at_a_price_from_the_wire() {
    let mut exchange = Exchange::open(Manners::default()).await;
    let (feed, line) = at_100(&mut exchange, REASON, patience()).await;
    let account = Arc::new(account(feed.prices.clone(), Precedence::Alert));
    let bought = report(account.submit(&buy("a")).await);
    assert_eq!(bought.average_price, Decimal::from(100));
    report(account.submit(&stop_at("95")).await);
    let mut news = listen(&account);
    line.book(2, "BTCUSDT", "95.00", "95.02");
    line.book(3, "BTCUSDT", "94.98", "95.00");
    let fired = next_report(&mut news).await;
    assert_eq!(fired.status, ReportedStatus::Filled);
    assert_eq!(fired.average_price, "94.99".parse().unwrap());
}
