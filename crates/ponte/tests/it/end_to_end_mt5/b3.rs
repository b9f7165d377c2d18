//! B3: the mini index at a Brazilian broker.

use ponte_core::b3::{Date, Root, Rules, calendar};
use ponte_venue::faces::mt5::Mt5Options;
use serde_json::json;

use super::{Desk, english, portuguese};

/// The mini index that trades today in Brasília, and the one after it.
fn fronts() -> [String; 2] {
    let today: Date = calendar::local(ponte::clock::now()).date();
    [1, 2].map(|nth| Rules::default().nth(Root::Win, nth, today).name())
}

/// An account at B3, whose terminal has the mini index of today and the one after it. The tests run on
/// any day at any hour, so that entries go outside the session as well.
pub(super) async fn desk(rules: &str) -> (Desk, String) {
    let desk = Desk::install(&["--b3"], &Mt5Options::b3(), |text| {
        let limit = "max_order_contracts = \"1\"";
        assert!(
            text.contains(limit) && text.contains("[accounts.b3]\n"),
            "{text}"
        );
        let ours = format!("max_order_contracts = \"2\"\nallowed_symbols = [\"WIN1!\"]\n{rules}");
        text.replace(limit, &ours).replace(
            "[accounts.b3]\n",
            "[accounts.b3]\nout_of_session = \"send\"\n",
        )
    })
    .await;
    let [front, next] = fronts();
    for symbol in [&front, &next] {
        let body = json!({"symbol": symbol, "like": "WINZ26"});
        desk.terminal.admin("symbol", body).await;
    }
    (desk, front)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_message_sells_two_of_the_right_contract_with_its_stop_and_the_stop_ends_it() {
    let (mut desk, win) = desk("").await;
    desk.start_bridge();
    desk.until_quoted(&win).await;
    desk.terminal.price(&win, "128340").await;
    let answer = desk
        .accepted(&portuguese(
            r#""acao":"VENDA","ativo":"WIN1!","qtd":2,"stop":129000"#,
        ))
        .await;
    assert!(answer.to_string().contains(&win), "{answer}");
    let sold = |volume: u32| format!("sell {volume} {win} sl 129000 tp 0");
    desk.terminal.until_positions(&[&sold(2)]).await;
    desk.until_held(&[&format!("default {win} -2")]).await;

    // Part of it is closed: the rest keeps its stop.
    desk.accepted(&portuguese(r#""acao":"FECHAR","ativo":"WIN1!","qtd":1"#))
        .await;
    desk.terminal.until_positions(&[&sold(1)]).await;
    desk.until_held(&[&format!("default {win} -1")]).await;
    assert_eq!(desk.ponte.metric("ponte_naked_positions").await, Some(0.0));

    desk.terminal.price(&win, "129000").await;
    desk.terminal.until_positions(&[]).await;
    desk.until_held(&[]).await;
    desk.ponte.wait_until_settled().await;

    // In the other language, the other way round, with a target.
    desk.terminal.price(&win, "128340").await;
    desk.accepted(&english(
        r#""action":"buy","symbol":"WIN1!","quantity":1,"stop":127000,"target":130000"#,
    ))
    .await;
    let bought = format!("buy 1 {win} sl 127000 tp 130000");
    desk.terminal.until_positions(&[&bought]).await;
    desk.until_held(&[&format!("default {win} 1")]).await;
    desk.accepted(&english(r#""action":"close","symbol":"WIN1!""#))
        .await;
    desk.terminal.until_positions(&[]).await;
    desk.until_held(&[]).await;
    desk.ponte.wait_until_settled().await;

    let deals = desk.terminal.deals().await;
    let wanted = [
        "in sell 2 WIN by 3",
        "out buy 1 WIN by 3",
        "out buy 1 WIN by 4",
        "in buy 1 WIN by 3",
        "out sell 1 WIN by 3",
    ];
    assert_eq!(deals, wanted.map(|deal| deal.replace("WIN", &win)));
    desk.ponte.stop().await;
}
