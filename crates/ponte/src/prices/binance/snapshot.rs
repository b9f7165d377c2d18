//! Asking for the book of a symbol of which nothing was heard: the first price, and the price of a
//! quiet market.

use std::time::Duration;

use ponte_core::id::Symbol;
use rust_decimal::Decimal;
use serde::Deserialize;

use super::{BinancePrices, Market};
use crate::{clock, tls};

/// Most questions of one round: each weighs 2 of the some thousand that an address has in a minute
/// (Binance Spot API, "Symbol order book ticker"; USDⓈ-M Futures, the same).
const ROUND_MAX: usize = 16;
/// How long an answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(3);
/// The pause after a refusal or a failure, which may be a limit that was reached.
const PAUSE: Duration = Duration::from_secs(20);

/// `GET …/ticker/bookTicker?symbol=…`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Book {
    bid_price: Decimal,
    ask_price: Decimal,
}

/// A client for public questions; `None` where the system gives none, and only the streams are left.
pub(super) fn client() -> Option<reqwest::Client> {
    tls::http_client().timeout(ANSWER_MAX).build().ok()
}

/// Asks for the books of which nothing was heard for a third of the time after which a price is
/// none, the longest unheard first, and at once for those that are new.
pub(super) async fn keep_young(feed: &BinancePrices, market: &Market) {
    let Some(client) = &feed.http else {
        return;
    };
    let quiet = feed.board.age_max() / 3;
    loop {
        // A new symbol ends the wait.
        let _ = tokio::time::timeout(quiet / 2, market.unheard.notified()).await;
        for (name, symbol) in unheard(feed, market, quiet) {
            let asked_at = clock::instant();
            match ask(client, &market.book_url, &name).await {
                Ok(book) => {
                    feed.board
                        .answered(&symbol, book.bid_price, book.ask_price, asked_at);
                }
                Err(error) if error.status().is_some_and(|status| status == 400) => {
                    tracing::debug!(market = market.name, %symbol, "binance prices: no such symbol");
                }
                Err(error) => {
                    let error = error.without_url();
                    tracing::debug!(market = market.name, %symbol, %error, "binance prices: no book");
                    tokio::time::sleep(PAUSE).await;
                    break;
                }
            }
        }
    }
}

fn unheard(feed: &BinancePrices, market: &Market, quiet: Duration) -> Vec<(String, Symbol)> {
    let now = clock::instant();
    let mut found: Vec<_> = market
        .all()
        .into_iter()
        .map(|(name, symbol)| (feed.board.heard_at(&symbol), name, symbol))
        .filter(|(heard, _, _)| heard.is_none_or(|at| now.saturating_duration_since(at) >= quiet))
        .collect();
    // What was never heard of comes first.
    found.sort_by_key(|(heard, _, _)| *heard);
    let asked = found.into_iter().take(ROUND_MAX);
    asked.map(|(_, name, symbol)| (name, symbol)).collect()
}

async fn ask(client: &reqwest::Client, url: &str, name: &str) -> Result<Book, reqwest::Error> {
    // Names of symbols are letters, digits and `_`, but not all of them are ASCII.
    let name: String = name
        .bytes()
        .map(|byte| match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect();
    let answer = client.get(format!("{url}?symbol={name}")).send().await?;
    answer.error_for_status()?.json().await
}
