//! How much a bridge may say in one request: what is read is kept, so it must be bounded.

use super::protocol::{CommandResult, Deal, ITEMS_MAX, Position, SyncRequest, TradeOrder};

/// Most open positions, or pending orders, of one account: the lists are told in full.
const LIST_MAX: usize = 2000;
/// Most steps of one command.
const STEPS_MAX: usize = 100;
/// Longest name of a symbol, in bytes.
const SYMBOL_BYTES_MAX: usize = 64;
/// Longest word of a bridge or a terminal about itself: a version, a server, an id, in bytes.
const WORD_BYTES_MAX: usize = 256;
/// Longest comment of an order, a deal, a position or an answer, in bytes.
const COMMENT_BYTES_MAX: usize = 256;
/// Longest reason of a result, in bytes.
const WHY_BYTES_MAX: usize = 1024;

/// What of a request is too much.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} has {found} {unit}, the maximum is {most}")]
pub struct OutOfBounds {
    /// The field.
    pub what: &'static str,
    /// What was sent.
    pub found: usize,
    /// `items` or `bytes`.
    pub unit: &'static str,
    /// What may be sent.
    pub most: usize,
}

/// Whether everything of a request is within its bounds.
///
/// # Errors
/// The first that is not.
pub(super) fn check(request: &SyncRequest) -> Result<(), OutOfBounds> {
    words(&[
        ("bridge.kind", &request.bridge.kind),
        ("bridge.version", &request.bridge.version),
        ("bridge.journal", &request.bridge.journal),
        ("session", request.session.as_deref().unwrap_or_default()),
    ])?;
    if let Some(state) = &request.state {
        words(&[
            ("state.server", &state.server),
            ("state.company", &state.company),
            ("state.currency", &state.currency),
        ])?;
    }
    items("results", request.results.len(), ITEMS_MAX)?;
    items("history", request.history.len(), ITEMS_MAX)?;
    items("deals", request.deals.len(), ITEMS_MAX)?;
    items("symbols", request.symbols.len(), ITEMS_MAX)?;
    items("ticks", request.ticks.len(), ITEMS_MAX)?;
    request.results.iter().try_for_each(result)?;
    positions(request.positions.as_deref().unwrap_or_default())?;
    orders("orders", request.orders.as_deref().unwrap_or_default())?;
    orders("history", &request.history)?;
    deals("deals", &request.deals)?;
    for info in &request.symbols {
        symbol("symbols.name", &info.name)?;
        word("symbols.currency_profit", &info.currency_profit)?;
    }
    for tick in &request.ticks {
        symbol("ticks.symbol", &tick.symbol)?;
    }
    Ok(())
}

fn result(result: &CommandResult) -> Result<(), OutOfBounds> {
    words(&[
        ("results.session", &result.id.session),
        ("results.order", &result.order),
    ])?;
    bytes("results.why", &result.why, WHY_BYTES_MAX)?;
    items("results.steps", result.steps.len(), STEPS_MAX)?;
    for step in &result.steps {
        bytes("results.steps.comment", &step.comment, COMMENT_BYTES_MAX)?;
    }
    let Some(found) = &result.found else {
        return Ok(());
    };
    items("results.found.steps", found.steps.len(), STEPS_MAX)?;
    for step in &found.steps {
        bytes(
            "results.found.steps.comment",
            &step.comment,
            COMMENT_BYTES_MAX,
        )?;
    }
    orders("results.found.orders", &found.orders)?;
    orders("results.found.history", &found.history)?;
    deals("results.found.deals", &found.deals)
}

fn positions(positions: &[Position]) -> Result<(), OutOfBounds> {
    items("positions", positions.len(), LIST_MAX)?;
    for position in positions {
        symbol("positions.symbol", &position.symbol)?;
        bytes("positions.comment", &position.comment, COMMENT_BYTES_MAX)?;
    }
    Ok(())
}

fn orders(what: &'static str, orders: &[TradeOrder]) -> Result<(), OutOfBounds> {
    items(what, orders.len(), LIST_MAX)?;
    for order in orders {
        symbol(what, &order.symbol)?;
        bytes(what, &order.comment, COMMENT_BYTES_MAX)?;
    }
    Ok(())
}

fn deals(what: &'static str, deals: &[Deal]) -> Result<(), OutOfBounds> {
    items(what, deals.len(), LIST_MAX)?;
    for deal in deals {
        symbol(what, &deal.symbol)?;
        bytes(what, &deal.comment, COMMENT_BYTES_MAX)?;
    }
    Ok(())
}

fn words(words: &[(&'static str, &str)]) -> Result<(), OutOfBounds> {
    words.iter().try_for_each(|(what, text)| word(what, text))
}

fn word(what: &'static str, text: &str) -> Result<(), OutOfBounds> {
    bytes(what, text, WORD_BYTES_MAX)
}

fn symbol(what: &'static str, text: &str) -> Result<(), OutOfBounds> {
    bytes(what, text, SYMBOL_BYTES_MAX)
}

fn bytes(what: &'static str, text: &str, most: usize) -> Result<(), OutOfBounds> {
    within(what, text.len(), "bytes", most)
}

fn items(what: &'static str, found: usize, most: usize) -> Result<(), OutOfBounds> {
    within(what, found, "items", most)
}

fn within(
    what: &'static str,
    found: usize,
    unit: &'static str,
    most: usize,
) -> Result<(), OutOfBounds> {
    if found > most {
        return Err(OutOfBounds {
            what,
            found,
            unit,
            most,
        });
    }
    Ok(())
}
