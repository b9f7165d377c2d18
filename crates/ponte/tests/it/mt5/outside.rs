//! What others close at the terminal: a person, another program, the broker.

use ponte::brokers::News;
use ponte_core::id::StrategyTag;
use ponte_core::message::OutsideFill;

use super::*;

/// A deal of a person's, or of whoever the reason says, at a position.
fn foreign(ticket: u64, position: u64, side: Side, entry: u32, reason: u32, lots: &str) -> Deal {
    let closing = exit(0, lots);
    Deal {
        deal_type: u32::from(side == Side::Sell),
        entry,
        reason,
        price: decimal("128400"),
        ..dealt(ticket, ticket + 1_000, position, &closing, 0, lots)
    }
}

fn closed(ticket: u64, position: u64, reason: u32, lots: &str) -> Deal {
    foreign(ticket, position, Side::Sell, 1, reason, lots)
}

/// What others have closed, of the news that are there.
fn outside(news: &[News]) -> Vec<&OutsideFill> {
    let fills = news.iter().filter_map(|news| match news {
        News::Outside(fill) => Some(fill),
        News::Order(_) | News::Missed => None,
    });
    fills.collect()
}

/// The deals of others and how much of ours they have closed.
fn amounts(news: &[News]) -> Vec<(u64, String)> {
    let fills = outside(news).into_iter();
    fills
        .map(|fill| (fill.deal, fill.quantity.to_string()))
        .collect()
}

async fn long(bench: &mut Bench, lots: &str) -> (OrderPlan, Position) {
    let entry = guarded_buy(1, lots);
    bench.filled(&entry).await;
    bench.news_so_far();
    (entry, bench.bridge.positions[0].clone())
}

#[tokio::test]
async fn a_close_is_told_before_the_protection_is_over() {
    let mut bench = Bench::netting().await;
    let (entry, held) = long(&mut bench, "2").await;
    let stop = stop_of(2, &entry, "2", "127500");
    bench.protected(&stop).await;
    bench.news_so_far();
    bench.bridge.positions.clear();
    bench
        .tell(Vec::new(), vec![closed(501, held.ticket, 6, "2")])
        .await;
    let news = bench.news_so_far();
    let News::Outside(fill) = &news[0] else {
        panic!("{news:?}");
    };
    assert_eq!(fill.owner, StrategyTag::of(&entry.strategy));
    assert_eq!(
        (
            fill.symbol.clone(),
            fill.deal,
            fill.side,
            fill.reason.as_str()
        ),
        (symbol(), 501, Side::Sell, "stop out")
    );
    assert_eq!(
        (fill.quantity, fill.price, fill.fee),
        (decimal("2"), decimal("128400"), decimal("0.5"))
    );
    let News::Order(over) = &news[1] else {
        panic!("{news:?}");
    };
    assert!(over.id == stop.id && cancel_reason(over).contains("closed"));
    assert_eq!(news.len(), 2);
    // The same deal again is no news in the same process.
    bench
        .tell(Vec::new(), vec![closed(501, held.ticket, 6, "2")])
        .await;
    assert_eq!(bench.news_so_far(), []);
}

#[tokio::test]
async fn a_process_that_begins_tells_what_was_closed_meanwhile() {
    let mut bench = Bench::netting().await;
    let (entry, held) = long(&mut bench, "2").await;
    let mut bench = bench.restarted().await;
    bench.news_so_far();
    bench.bridge.positions.clear();
    let deals = vec![
        dealt(400, 401, held.ticket, &entry, held.magic, "2"),
        closed(501, held.ticket, 0, "2"),
    ];
    bench.tell(Vec::new(), deals).await;
    let news = bench.news_so_far();
    assert_eq!(amounts(&news), [(501, "2".to_owned())]);
    assert_eq!(outside(&news)[0].reason, "by hand");
}

#[tokio::test]
async fn orders_of_ours_levels_and_reopenings_are_not_outside() {
    let mut bench = Bench::netting().await;
    let (_, held) = long(&mut bench, "9").await;
    let by = |ticket: u64, reason: u32, magic: i64| Deal {
        magic,
        ..closed(ticket, held.ticket, reason, "1")
    };
    // An exit of an earlier process, a stop loss, a take profit, a settlement.
    let ours = vec![
        by(501, 3, held.magic + 1),
        by(502, 4, held.magic),
        by(503, 5, held.magic),
        by(504, 8, 0),
    ];
    bench.tell(Vec::new(), ours).await;
    assert_eq!(amounts(&bench.news_so_far()), []);
    // What a person closes can bear the position's magic number; other programs have small ones.
    let theirs = vec![
        by(505, 1, held.magic),
        by(506, 3, 77),
        by(507, 6, held.magic),
    ];
    bench.tell(Vec::new(), theirs).await;
    let told = amounts(&bench.news_so_far());
    assert_eq!(told, [505, 506, 507].map(|deal| (deal, "1".to_owned())));
}

#[tokio::test]
async fn what_others_have_opened_they_close_first() {
    let mut bench = Bench::netting().await;
    let (_, held) = long(&mut bench, "2").await;
    let deals = vec![
        foreign(501, held.ticket, Side::Buy, 0, 0, "3"),
        closed(502, held.ticket, 0, "2"),
        closed(503, held.ticket, 0, "2"),
    ];
    bench.tell(Vec::new(), deals).await;
    assert_eq!(amounts(&bench.news_so_far()), [(503, "1".to_owned())]);
    // A position that a person has opened is nobody's here.
    bench
        .tell(Vec::new(), vec![closed(504, 9_999, 0, "2")])
        .await;
    assert_eq!(amounts(&bench.news_so_far()), []);
}

#[tokio::test]
async fn of_a_reversal_only_the_closing_counts() {
    let mut bench = Bench::netting().await;
    let (_, held) = long(&mut bench, "2").await;
    let deals = vec![
        foreign(501, held.ticket, Side::Sell, 2, 0, "5"),
        foreign(502, held.ticket, Side::Buy, 1, 0, "3"),
    ];
    bench.tell(Vec::new(), deals).await;
    let news = bench.news_so_far();
    assert_eq!(amounts(&news), [(501, "2".to_owned())]);
    assert_eq!(outside(&news)[0].fee, decimal("0.2"));
}

#[tokio::test]
async fn on_a_hedging_account_the_position_tells_whose_it_was() {
    let mut bench = Bench::hedging().await;
    let (_, first) = long(&mut bench, "2").await;
    let other = OrderPlan {
        strategy: StrategyName::new("trend").unwrap(),
        ..buy(5, "1")
    };
    bench.filled(&other).await;
    let second = bench.bridge.positions[1].clone();
    bench.news_so_far();
    let deals = vec![
        closed(501, second.ticket, 0, "1"),
        closed(502, first.ticket, 0, "0.5"),
    ];
    bench.tell(Vec::new(), deals).await;
    let news = bench.news_so_far();
    let owners: Vec<_> = outside(&news).iter().map(|fill| fill.owner).collect();
    let tag = |name: &str| StrategyTag::of(&StrategyName::new(name).unwrap());
    assert_eq!(owners, [tag("trend"), tag("breakout")]);
}
