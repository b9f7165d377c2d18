//! Lists and stories from the journal.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State as Shared};
use ponte_core::id::{AlertId, ClientOrderId};
use serde::Deserialize;

use super::{Admin, ApiError, moment};
use crate::clock;
use crate::journal::{
    AlertFilter, AlertRow, JournalError, OrderFilter, OrderRow, Reader, Senders, Story,
};

/// How many rows a list has when nobody says otherwise.
const LIMIT_DEFAULT: u32 = 100;
/// Fewest digits that stand for a whole order id.
const PREFIX_DIGITS_MIN: usize = 6;
/// Digits of a whole order id.
const ORDER_ID_DIGITS: usize = 32;
/// How many orders a start of an id is looked for among, newest first.
const PREFIX_ORDERS_MAX: u32 = 10_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AlertParameters {
    limit: Option<u32>,
    outcome: Option<String>,
    strategy: Option<String>,
    symbol: Option<String>,
    since: Option<String>,
}

pub(super) async fn alerts(
    Shared(admin): Shared<Admin>,
    parameters: Result<Query<AlertParameters>, QueryRejection>,
) -> Result<Json<Vec<AlertRow>>, ApiError> {
    let Query(parameters) = parameters?;
    let since = parameters
        .since
        .map(|text| moment(&text, clock::now()))
        .transpose()
        .map_err(|error| ApiError::bad("since", error.to_string()))?;
    let filter = AlertFilter {
        limit: parameters.limit.unwrap_or(LIMIT_DEFAULT),
        outcome: parameters.outcome,
        strategy: parameters.strategy,
        symbol: parameters.symbol.map(|symbol| symbol.to_uppercase()),
        since,
    };
    let rows = admin.readers.read(move |reader| reader.alerts(&filter));
    Ok(Json(rows.await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OrderParameters {
    limit: Option<u32>,
    #[serde(default)]
    open: bool,
    account: Option<String>,
    symbol: Option<String>,
    alert: Option<String>,
}

pub(super) async fn orders(
    Shared(admin): Shared<Admin>,
    parameters: Result<Query<OrderParameters>, QueryRejection>,
) -> Result<Json<Vec<OrderRow>>, ApiError> {
    let Query(parameters) = parameters?;
    let alert = parameters
        .alert
        .map(|text| text.parse::<AlertId>())
        .transpose()
        .map_err(|_| ApiError::bad("alert", "an alert's number looks like A17"))?;
    let filter = OrderFilter {
        limit: parameters.limit.unwrap_or(LIMIT_DEFAULT),
        open_only: parameters.open,
        account: parameters.account,
        symbol: parameters.symbol.map(|symbol| symbol.to_uppercase()),
        alert,
    };
    let rows = admin.readers.read(move |reader| reader.orders(&filter));
    Ok(Json(rows.await?))
}

pub(super) async fn why(
    Shared(admin): Shared<Admin>,
    Path(id): Path<String>,
) -> Result<Json<Story>, ApiError> {
    let story = admin.readers.read(move |reader| find_story(reader, &id));
    match story.await? {
        Ok(story) => Ok(Json(story)),
        Err(NoStory::NotAnId(message)) => Err(ApiError::bad("id", message)),
        Err(NoStory::Absent(message)) => Err(ApiError::NotFound(message)),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SenderParameters {
    since: Option<String>,
}

pub(super) async fn senders(
    Shared(admin): Shared<Admin>,
    parameters: Result<Query<SenderParameters>, QueryRejection>,
) -> Result<Json<Senders>, ApiError> {
    let Query(parameters) = parameters?;
    let since = parameters
        .since
        .map(|text| moment(&text, clock::now()))
        .transpose()
        .map_err(|error| ApiError::bad("since", error.to_string()))?;
    let senders = admin.readers.read(move |reader| reader.senders(since));
    Ok(Json(senders.await?))
}

/// Why there is no story.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NoStory {
    /// The text is no id, or stands for several.
    NotAnId(String),
    /// Nothing has this id.
    Absent(String),
}

/// The story of an alert's number, or of an order's id or its unique start.
pub(crate) fn find_story(
    reader: &Reader,
    text: &str,
) -> Result<Result<Story, NoStory>, JournalError> {
    let text = text.trim();
    let is_alert = text.starts_with(['A', 'a'])
        && text.len() > 1
        && text[1..].bytes().all(|digit| digit.is_ascii_digit());
    // `a123456` is also the start of an order's id: an alert of that number goes first.
    if is_alert && let Ok(id) = text.parse::<AlertId>() {
        if let Some(story) = reader.story_of_alert(id)? {
            return Ok(Ok(story));
        }
        if text.len() < PREFIX_DIGITS_MIN {
            return Ok(Err(NoStory::Absent(format!("there is no alert {id}"))));
        }
    }
    let digits = text.to_ascii_lowercase();
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if !is_hex || !(PREFIX_DIGITS_MIN..=ORDER_ID_DIGITS).contains(&digits.len()) {
        return Ok(Err(NoStory::NotAnId(
            "an alert's number looks like A17, an order's id has 32 hex digits, of which 6 or more \
             are enough"
                .to_owned(),
        )));
    }
    let id = match whole_id(reader, &digits)? {
        Ok(id) => id,
        Err(no_story) => return Ok(Err(no_story)),
    };
    let story = reader.story_of_order(&id)?;
    Ok(story.ok_or_else(|| absent(&digits)))
}

fn absent(digits: &str) -> NoStory {
    NoStory::Absent(format!("there is no order {digits}"))
}

/// The one order whose id begins so.
fn whole_id(reader: &Reader, digits: &str) -> Result<Result<ClientOrderId, NoStory>, JournalError> {
    if let Ok(id) = digits.parse() {
        return Ok(Ok(id));
    }
    let filter = OrderFilter {
        limit: PREFIX_ORDERS_MAX,
        ..OrderFilter::default()
    };
    let orders = reader.orders(&filter)?;
    let searched = orders.len();
    let mut matches = orders.into_iter().filter(|order| {
        let shown = order.id.trim_start_matches('0');
        order.id.starts_with(digits) || shown.starts_with(digits)
    });
    let Some(first) = matches.next() else {
        let all = searched < PREFIX_ORDERS_MAX as usize;
        return Ok(Err(if all {
            absent(digits)
        } else {
            NoStory::Absent(format!(
                "none of the last {searched} orders begins with {digits}; write the whole id"
            ))
        }));
    };
    if let Some(second) = matches.next() {
        return Ok(Err(NoStory::NotAnId(format!(
            "{digits} begins several ids, {} and {} among them; write more of it",
            first.id, second.id
        ))));
    }
    Ok(first.id.parse().map_err(|_| absent(digits)))
}
