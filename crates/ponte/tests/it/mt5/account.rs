//! The account: what is read of it, and what is wrong with its terminal.

use std::collections::BTreeSet;

use ponte::brokers::BrokerError;

use super::*;

#[tokio::test]
async fn nothing_is_sent_while_nobody_has_called() {
    let bench = Bench::closed(options(Accounting::Netting));
    let why = not_sent(bench.adapter.submit(&buy(1, "1")).await);
    assert!(
        why.contains("no bridge has called") && why.contains("start the bridge"),
        "{why}"
    );
    let why = not_sent(bench.adapter.submit(&exit(2, "1")).await);
    assert!(why.contains("no bridge has called"), "{why}");
    assert!(matches!(
        bench.adapter.find(&buy(1, "1")).await,
        FindAnswer::Unanswered(_)
    ));
    assert!(matches!(
        bench.adapter.balance().await,
        Err(BrokerError::Unanswered(_))
    ));
    assert!(matches!(
        bench.adapter.check_credentials().await,
        Err(BrokerError::Unanswered(_))
    ));
}

#[tokio::test]
async fn nothing_is_sent_to_a_terminal_that_is_not_as_it_should_be() {
    type Change = fn(&mut ScriptedBridge);
    let cases: [(&str, Change); 6] = [
        ("is logged into 7", |bridge| bridge.state.login = 7),
        ("real money", |bridge| bridge.state.account_trade_mode = 2),
        ("hedging account", |bridge| bridge.state.margin_mode = 2),
        ("not connected", |bridge| bridge.state.connected = false),
        ("press \"Algo Trading\"", |bridge| {
            bridge.state.trade_allowed = false
        }),
        ("investor's password", |bridge| {
            bridge.state.account_trade_allowed = false
        }),
    ];
    for (words, change) in cases {
        let mut bench = Bench::netting().await;
        change(&mut bench.bridge);
        bench.tell(Vec::new(), Vec::new()).await;
        for plan in [buy(1, "1"), exit(2, "1")] {
            let submitted = bench.submit(&plan);
            let fate = bench.without_command(submitted).await;
            let why = not_sent(fate);
            assert!(why.contains(words), "{why}");
        }
        let credentials = bench.adapter.check_credentials().await.unwrap();
        assert!(!credentials.can_trade && credentials.can_withdraw == Some(false));
        assert!(credentials.warnings[0].contains(words), "{credentials:?}");
        let wrong = bench
            .adapter
            .findings()
            .into_iter()
            .filter(|finding| !finding.is_fine);
        assert_eq!(wrong.count(), 1, "{words}");
    }
}

#[tokio::test]
async fn another_accounts_facts_are_not_ours() {
    let mut bench = Bench::netting().await;
    let entry = guarded_buy(1, "2");
    bench.filled(&entry).await;
    let stop = stop_of(2, &entry, "2", "127500");
    bench.protected(&stop).await;
    bench.news_so_far();
    let ours = bench.bridge.positions.clone();
    bench.bridge.positions.clear();
    bench.bridge.state.login = 7;
    let foreign = stopped(501, ours[0].ticket, ours[0].magic, "2");
    bench.tell(Vec::new(), vec![foreign]).await;
    assert!(bench.news_so_far().is_empty());
    // Back again: whatever happened meanwhile is asked about.
    bench.bridge.state.login = 12_345_678;
    bench.bridge.positions = ours;
    bench.tell(Vec::new(), Vec::new()).await;
    assert_eq!(bench.news_so_far(), [News::Missed]);
}

#[tokio::test]
async fn a_symbol_that_is_not_watched_refuses_entries_and_lets_exits_wait() {
    let mut bench = Bench::netting().await;
    let elsewhere = |plan: OrderPlan| OrderPlan {
        symbol: Symbol::new("WDOZ26").unwrap(),
        ..plan
    };
    let submitted = bench.submit(&elsewhere(buy(1, "1")));
    let fate = bench.without_command(submitted).await;
    assert!(rejected(fate).contains("not in the terminal's Market Watch"));
    let submitted = bench.submit(&elsewhere(exit(2, "1")));
    let fate = bench.without_command(submitted).await;
    assert!(not_sent(fate).contains("Market Watch"));
    let symbols = BTreeSet::from([symbol(), Symbol::new("WDOZ26").unwrap()]);
    let wrong: Vec<String> = bench
        .adapter
        .symbol_findings(&symbols)
        .into_iter()
        .filter(|finding| !finding.is_fine)
        .map(|finding| finding.subject.to_owned())
        .collect();
    assert_eq!(wrong, ["symbol_watched", "prices"]);
}

#[tokio::test]
async fn money_positions_and_instruments_are_asked_for_anew() {
    let mut bench = Bench::netting().await;
    bench.bridge.state.balance = decimal("99");
    bench.bridge.positions = vec![position(1, "3", 0)];
    let adapter = bench.adapter.clone();
    let asked = tokio::spawn(async move {
        (
            adapter.balance().await.unwrap(),
            adapter.positions().await.unwrap(),
            adapter.instruments().await.unwrap(),
        )
    });
    let (balance, positions, instruments) = bench.without_command(asked).await;
    assert_eq!(balance.cash, decimal("99"));
    assert_eq!(
        (&positions[0].symbol, positions[0].quantity),
        (&symbol(), decimal("3"))
    );
    assert_eq!(
        instruments.listed[&symbol()].contract_multiplier,
        decimal("0.2")
    );
    let expected = [(symbol(), decimal("2"))].into_iter().collect();
    let found = bench.adapter.position_findings(&expected);
    assert!(
        !found[0].is_fine && found[0].text.contains("holds 3 of WINZ26"),
        "{found:?}"
    );
}

#[tokio::test]
async fn what_a_terminal_can_do_depends_on_its_accounting() {
    let netting = Bench::closed(options(Accounting::Netting))
        .adapter
        .capabilities();
    let hedging = Bench::closed(options(Accounting::Hedging))
        .adapter
        .capabilities();
    assert!(netting.one_strategy_per_symbol && !hedging.one_strategy_per_symbol);
    assert!(!netting.trailing_stop && netting.short && netting.reduce_only);
}

#[tokio::test]
async fn what_waits_is_not_carried_out_in_another_account() {
    let mut bench = Bench::netting().await;
    let submitted = bench.submit(&buy(1, "2"));
    // It waits in the line, and nobody asks for it.
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    // The bridge says hello for another account, where its own checks would let the order pass.
    bench.bridge.state.login = 87_654_321;
    bench.bridge.hello().await;
    assert_eq!(bench.bridge.poll(0).await, []);
    let why = not_sent(submitted.await.unwrap());
    assert!(why.contains("another account"), "{why}");
}
